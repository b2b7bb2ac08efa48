//! Collects what a server received, as texts that can be compared.
//!
//! Each fact has a place (`POST /session/start: session.source`), the datapoint that it is about,
//! if there is one, and a value. Ids and times, which differ from run to run, become placeholders.

use std::collections::{BTreeMap, BTreeSet};

use honeyhive_tests::Fake;
use honeyhive_tests::fake::{Request, StoredSession, StoredSpan};
use serde_json::Value;

/// The values by place and datapoint.
pub(crate) type Facts = BTreeMap<(String, String), String>;

const TRACES: &str = "POST /opentelemetry/v1/traces";

/// The function under evaluation; its span is the root.
const FUNCTION: &str = "capital";

/// Returns all facts about the requests that a server received.
pub(crate) fn of(fake: &Fake) -> Facts {
    let mut facts = Facts::new();
    let requests = fake.requests();
    calls(&requests, &mut facts);
    headers(&requests, &mut facts);
    let [run] = &fake.runs()[..] else { panic!("one run was expected") };
    let mut known: Vec<(String, String)> = vec![(run.id.clone(), "<run id>".to_owned())];
    let sessions = fake.sessions();
    for session in &sessions {
        known.push((session.id.clone(), format!("<session of {}>", datapoint(session))));
    }
    let mut say = |place: &str, about: &str, value: &Value| {
        leaves(value, place.to_owned(), &mut |place, value| {
            let value = masked(&place, value, &known);
            facts.insert((place, about.to_owned()), value);
        });
    };
    say("POST /v1/runs:", "", &run.created);
    for update in &run.updates {
        say("PUT /v1/runs/{id}:", "", &update.body);
    }
    let updates = fake.updates();
    for session in &sessions {
        say("POST /session/start:", datapoint(session), &session.body);
        for update in updates.get(&session.id).into_iter().flatten() {
            say("PUT /events", datapoint(session), &Value::from("is sent"));
            say("PUT /events:", datapoint(session), &update.body);
        }
        let order = order(&requests, &session.id);
        say("calls: order of a session", datapoint(session), &Value::from(order));
    }
    let spans = fake.spans();
    for span in &spans {
        let id = span.attributes.get("honeyhive.session_id").and_then(Value::as_str);
        let session = sessions.iter().find(|session| Some(session.id.as_str()) == id);
        let Some(session) = session else { panic!("{} has no session", span.name) };
        let place = format!("span {}", span.name);
        say(&place, datapoint(session), &Value::from("is there"));
        if span.name == FUNCTION {
            say("resource:", datapoint(session), &Value::Object(span.resource.clone()));
        }
        for (key, value) in said_by(span, &spans) {
            say(&format!("{place}: {key}"), datapoint(session), &value);
        }
    }
    facts
}

fn datapoint(session: &StoredSession) -> &str {
    session.body["metadata"]["datapoint_id"].as_str().unwrap_or_default()
}

fn calls(requests: &[Request], facts: &mut Facts) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests {
        assert_eq!(request.status, Some(200), "{} {}", request.method, request.path);
        *counts.entry(request.kind).or_default() += 1;
    }
    // The number of requests with spans depends on the time; sessions have their own facts.
    counts.remove(TRACES);
    counts.remove("PUT /events");
    let mut say = |what: String, value: String| facts.insert((what, String::new()), value);
    for (kind, count) in counts {
        say(kind.to_owned(), format!("{count} in all"));
    }
    let kinds: Vec<&str> = requests.iter().map(|request| request.kind).collect();
    say("calls: first".to_owned(), kinds.first().copied().unwrap_or_default().to_owned());
    // Requests for the result are optional and come after the end, so they are left out.
    let last = kinds.iter().rfind(|kind| !kind.ends_with("/result"));
    say("calls: last".to_owned(), last.copied().unwrap_or_default().to_owned());
}

/// Returns the order in which a session is started, updated and has its spans sent.
fn order(requests: &[Request], session: &str) -> String {
    let mut order = Vec::new();
    let mut started = 0;
    for request in requests {
        let about = match request.kind {
            // The server may choose the id, so it need not be in the body. It is in the answer.
            "POST /session/start" => {
                started += 1;
                let body = request.json().unwrap_or_default();
                body["session"]["session_id"].as_str().map_or_else(
                    || session.ends_with(&format!("-{started:012x}")),
                    |id| id == session,
                )
            }
            "PUT /events" | TRACES => {
                let holds =
                    |body: &[u8]| body.windows(session.len()).any(|w| w == session.as_bytes());
                holds(&request.body)
            }
            _ => false,
        };
        let name = request.kind.rsplit('/').next().unwrap_or_default();
        if about && order.last() != Some(&name) {
            order.push(name);
        }
    }
    order.join(", ")
}

fn headers(requests: &[Request], facts: &mut Facts) {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for request in requests {
        for (name, value) in &request.headers {
            let value = match name.as_str() {
                "authorization" => {
                    value.split(' ').next().unwrap_or_default().to_owned() + " <key>"
                }
                "content-length" | "host" => "<it>".to_owned(),
                "hh-client-timestamp" if value.len() == 19 => "<nanoseconds>".to_owned(),
                "user-agent" => {
                    value.split('/').next().unwrap_or_default().to_owned() + "/<version>"
                }
                _ => value.clone(),
            };
            values.entry(format!("{}: header {name}", request.kind)).or_default().insert(value);
        }
    }
    for (place, values) in values {
        let values: Vec<String> = values.into_iter().collect();
        facts.insert((place, String::new()), values.join(" or "));
    }
}

/// Reports the fields of objects and the elements of lists, by their paths.
fn leaves(value: &Value, place: String, say: &mut impl FnMut(String, &Value)) {
    let below = |key: &str| {
        if place.ends_with(':') { format!("{place} {key}") } else { format!("{place}.{key}") }
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, field)| leaves(field, below(key), say));
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| leaves(item, below(&index.to_string()), say));
        }
        leaf => say(place, leaf),
    }
}

/// Returns a value without the parts that differ from run to run.
fn masked(place: &str, value: &Value, known: &[(String, String)]) -> String {
    let last = place.rsplit(['.', ' ']).next().unwrap_or_default();
    match last {
        "start_time" | "end_time" | "duration" | "honeyhive_duration_ms" => {
            return "<time>".to_owned();
        }
        "stacktrace" => return "<stack>".to_owned(),
        _ => {}
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    known.iter().fold(text, |text, (id, name)| text.replace(id, name))
}

/// Returns the facts about a span, except its name.
fn said_by(span: &StoredSpan, all: &[StoredSpan]) -> Vec<(String, Value)> {
    let parent = span.parent_span_id.as_ref().map(|id| {
        let parent =
            all.iter().find(|other| other.span_id == *id && other.trace_id == span.trace_id);
        parent.map_or("<missing>", |parent| &parent.name)
    });
    let events: Vec<&str> = span.events.iter().map(|event| event.name.as_str()).collect();
    let mut said = vec![
        ("parent".to_owned(), Value::from(parent.unwrap_or("none"))),
        ("kind".to_owned(), Value::from(span.kind)),
        ("status".to_owned(), Value::from(span.status)),
        ("status message".to_owned(), Value::from(span.status_message.as_str())),
        ("links".to_owned(), Value::from(span.links)),
        ("events".to_owned(), Value::from(events.join(", "))),
        ("scope".to_owned(), Value::from(format!("{} {}", span.scope, span.scope_version).trim())),
    ];
    let attribute = |(key, value): (&String, &Value)| (key.clone(), value.clone());
    said.extend(span.attributes.iter().map(attribute));
    for event in span.events.iter().take(1) {
        let of = |(key, value): (&String, &Value)| (format!("event {key}"), value.clone());
        said.extend(event.attributes.iter().map(of));
    }
    said
}
