//! Defines the kinds of requests and their handlers, and checks the rules that hold for all of
//! them.

use serde_json::{Value, json};

use super::http::{Answer, decode, query_pairs};
use super::state::{Request, State};
use super::{Options, datasets, lenient, otlp, runs, sessions};

/// The kinds of requests that are understood, by method and path.
pub const KINDS: [&str; 17] = [
    "POST /v1/runs",
    "PUT /v1/runs/{id}",
    "GET /v1/runs/{id}",
    "GET /v1/runs/{id}/result",
    "GET /v1/runs/{id}/compare-with/{old}",
    "POST /session/start",
    "POST /v1/sessions",
    "PUT /events",
    "PUT /v1/events/{id}",
    "POST /events",
    "POST /events/batch",
    HONEYHIVE_TRACES,
    PLAIN_TRACES,
    "GET /v1/datasets",
    "GET /v1/datapoints",
    "GET /v1/datapoints/{id}",
    // Always answered with 404; listed for faults and counts.
    UNKNOWN,
];

/// The kind of requests with spans for HoneyHive.
pub(super) const HONEYHIVE_TRACES: &str = "POST /opentelemetry/v1/traces";
/// The kind of requests with spans for a receiver that is not HoneyHive.
pub(super) const PLAIN_TRACES: &str = "POST /v1/traces";
const UNKNOWN: &str = "unknown";

/// The reason why a request is refused.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    reasons: Vec<String>,
    /// Set when the client broke the protocol; unset when it asked for data that may be missing.
    complaint: bool,
}

impl Refused {
    pub(super) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reasons: vec![reason.into()], complaint: true }
    }

    /// Creates the refusal of a request for data that may not exist, which is not a fault of the
    /// client.
    pub(super) fn missing(reason: impl Into<String>) -> Self {
        Self { status: 404, reasons: vec![reason.into()], complaint: false }
    }

    /// Refuses a request that has faults.
    pub(super) fn unless_empty(faults: Vec<String>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        Err(Self { status: 400, reasons: faults, complaint: true })
    }
}

/// The kind of request that a request line asks for, with its parameters.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) kind: &'static str,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) parameters: Vec<String>,
}

pub(super) fn find(method: &str, target: &str) -> Route {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let found = KINDS.into_iter().find_map(|kind| {
        let (of, pattern) = kind.split_once(' ')?;
        let (pattern, parts): (Vec<&str>, Vec<&str>) =
            (pattern.split('/').collect(), path.split('/').collect());
        if of != method || pattern.len() != parts.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (expected, part) in pattern.into_iter().zip(parts) {
            if expected.starts_with('{') && !part.is_empty() {
                parameters.push(decode(part));
            } else if expected != part {
                return None;
            }
        }
        Some((kind, parameters))
    });
    let (kind, parameters) = found.unwrap_or((UNKNOWN, Vec::new()));
    Route { kind, path: path.to_owned(), query: query_pairs(query), parameters }
}

/// Answers the request with this index.
pub(super) fn answer(state: &mut State, options: &Options, index: usize) -> Answer {
    let request = state.requests[index].clone();
    if options.lenient {
        return lenient::answer(state, options, &request);
    }
    let refused = match serve(state, options, &request) {
        Ok(answer) => return answer,
        Err(refused) => refused,
    };
    if refused.complaint {
        let complaint = |reason| format!("request {}, {}: {reason}", index + 1, line(&request));
        state.complaints.extend(refused.reasons.iter().map(complaint));
    }
    Answer::error(refused.status, &refused.reasons.join("; "))
}

fn line(request: &Request) -> String {
    format!("{} {}", request.method, request.path)
}

fn serve(state: &mut State, options: &Options, request: &Request) -> Result<Answer, Refused> {
    if request.kind == UNKNOWN {
        return Err(Refused::new(404, "no such endpoint"));
    }
    let is_spans = matches!(request.kind, HONEYHIVE_TRACES | PLAIN_TRACES);
    if is_spans && options.largest.is_some_and(|largest| request.body.len() > largest) {
        let reasons = vec!["the request is too large".to_owned()];
        return Err(Refused { status: 413, reasons, complaint: false });
    }
    no_keys(options, request)?;
    headers(options, request)?;
    let body = match request.kind {
        HONEYHIVE_TRACES => return otlp::receive(state, request),
        PLAIN_TRACES => return otlp::receive_plain(state, request),
        "POST /v1/runs" => runs::create(state, options, &body(request)?)?,
        "PUT /v1/runs/{id}" => runs::update(state, request, body(request)?)?,
        "GET /v1/runs/{id}" => runs::get(state, request)?,
        "GET /v1/runs/{id}/result" => runs::result(state, options, request)?,
        "GET /v1/runs/{id}/compare-with/{old}" => runs::compare(state, request)?,
        "POST /session/start" | "POST /v1/sessions" => {
            sessions::start(state, options, request, body(request)?)?
        }
        "PUT /events" | "PUT /v1/events/{id}" => sessions::update(state, request, body(request)?)?,
        "POST /events" => sessions::create_event(state, &body(request)?)?,
        "POST /events/batch" => sessions::create_events(state, &body(request)?)?,
        "GET /v1/datasets" => datasets::list(options, request)?,
        "GET /v1/datapoints" => datasets::datapoints(options, request)?,
        _ => datasets::datapoint(options, request)?,
    };
    Ok(Answer::json(200, &body))
}

fn body(request: &Request) -> Result<Value, Refused> {
    serde_json::from_slice(&request.body)
        .map_err(|error| Refused::new(400, format!("the body is no JSON: {error}")))
}

/// Checks that keys are only in their header. In other places they would end up in logs or with
/// third parties.
fn no_keys(options: &Options, request: &Request) -> Result<(), Refused> {
    let holds = |text: &[u8]| {
        options.keys().any(|key| text.windows(key.len()).any(|part| part == key.as_bytes()))
    };
    let query = request.query.iter().flat_map(|(name, value)| [name, value]);
    let headers = request.headers.iter().filter_map(|(name, value)| {
        (name != "authorization" || request.kind == PLAIN_TRACES).then_some(value)
    });
    let mut texts = query.chain(headers).chain([&request.path]);
    if holds(&request.body) || texts.any(|text| holds(text.as_bytes())) {
        return Err(Refused::new(400, "a key of HoneyHive stands where it does not belong"));
    }
    Ok(())
}

fn headers(options: &Options, request: &Request) -> Result<(), Refused> {
    let mut faults = Vec::new();
    let mut expect = |name: &str, value: &str| {
        let found = request.headers.iter().filter(|(other, _)| other == name).collect::<Vec<_>>();
        if !matches!(found[..], [(_, found)] if found == value) {
            let found: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
            faults.push(format!("{name} is {found:?}, not {value:?}"));
        }
    };
    let traces = matches!(request.kind, HONEYHIVE_TRACES | PLAIN_TRACES);
    if request.kind == PLAIN_TRACES {
        for (name, value) in &options.otlp_headers {
            expect(name, value);
        }
    } else {
        expect("hh-client-version", env!("CARGO_PKG_VERSION"));
        expect("hh-client-language", "rust");
        expect("hh-client-package", "honeyhive-harness");
    }
    if !traces {
        expect("content-type", "application/json");
        expect("accept", "application/json");
        if request.stamp().is_none() {
            faults.push("hh-client-timestamp is not decimal nanoseconds".to_owned());
        }
    }
    if request.kind == HONEYHIVE_TRACES && request.header("x-source").is_none_or(str::is_empty) {
        faults.push("X-Source is missing".to_owned());
    }
    if request.header("host").is_none_or(str::is_empty) {
        faults.push("Host is missing".to_owned());
    }
    if request.header("content-encoding").is_some() {
        faults.push("the body is encoded".to_owned());
    }
    if request.method == "GET" && !request.body.is_empty() {
        faults.push("a GET has a body".to_owned());
    }
    // The key is checked last, so that a client with several faults sees the others, too.
    if let Some(fault) = key_fault(options, request) {
        faults.push(fault.to_owned());
        return Err(Refused { status: 401, reasons: faults, complaint: true });
    }
    Refused::unless_empty(faults)
}

/// Returns the fault in the key of a request, without the key itself.
fn key_fault(options: &Options, request: &Request) -> Option<&'static str> {
    if request.kind == PLAIN_TRACES {
        return None;
    }
    let ingests = matches!(
        request.kind,
        "POST /session/start"
            | "POST /v1/sessions"
            | "PUT /events"
            | "PUT /v1/events/{id}"
            | "POST /events"
            | "POST /events/batch"
            | HONEYHIVE_TRACES
    );
    let (key, fault) = match &options.ingestion_key {
        Some(key) if ingests => (key, "Authorization is not `Bearer <ingestion key>`"),
        _ => (&options.key, "Authorization is not `Bearer <project key>`"),
    };
    let mut found = request.headers.iter().filter(|(name, _)| name == "authorization");
    let right = found.next().is_some_and(|(_, value)| *value == format!("Bearer {key}"));
    (!right || found.next().is_some()).then_some(fault)
}

/// Returns the query of a request, which may have these names only.
pub(super) fn query<'a>(request: &'a Request, names: &[&str]) -> Result<Query<'a>, Refused> {
    let unknown = request.query.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    let faults = unknown.map(|(name, _)| format!("`{name}` is no parameter of this request"));
    Refused::unless_empty(faults.collect())?;
    Ok(Query(&request.query))
}

/// A query whose names were checked.
#[derive(Debug)]
pub(super) struct Query<'a>(&'a [(String, String)]);

impl<'a> Query<'a> {
    pub(super) fn all(&self, name: &str) -> Vec<&'a str> {
        let of = self.0.iter().filter(|(other, _)| other == name);
        of.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn one(&self, name: &str) -> Option<&'a str> {
        self.all(name).first().copied()
    }
}

/// Adds fields to a received object, as the server does.
pub(super) fn with(mut value: Value, more: Value) -> Value {
    if let (Some(entries), Value::Object(more)) = (value.as_object_mut(), more) {
        for (key, item) in more {
            entries.entry(key).or_insert(item);
        }
    }
    value
}

/// Returns the time of creation of all objects here.
pub(super) fn created_at() -> Value {
    json!("2026-01-02T03:04:05.678Z")
}
