//! Receives requests with spans: decodes and checks them, and stores all of their spans or none.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use super::http::Answer;
use super::otlp_json;
use super::route::{Refused, query};
use super::span::{Origin, StoredSpan, attributes};
use super::state::{Request, State};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The attributes with the session of a span: HoneyHive's own, and that of Traceloop.
const SESSION_IDS: [&str; 2] =
    ["honeyhive.session_id", "traceloop.association.properties.session_id"];

/// Receives spans for HoneyHive: each belongs to a session.
pub(super) fn receive(state: &mut State, request: &Request) -> Result<Answer, Refused> {
    let spans = read(request)?;
    let mut faults = state.spans.faults(&spans);
    let source = request.header("x-source").unwrap_or_default();
    for span in &spans {
        let found = session_faults(state, span, source);
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", span.label())));
    }
    Refused::unless_empty(faults)?;
    state.spans.push(spans);
    Ok(done(request))
}

/// Receives spans at the plain receiver.
pub(super) fn receive_plain(state: &mut State, request: &Request) -> Result<Answer, Refused> {
    let spans = read(request)?;
    Refused::unless_empty(state.otlp.faults(&spans))?;
    state.otlp.push(spans);
    Ok(done(request))
}

/// Returns the empty response, which means that all spans were accepted.
pub(super) fn done(request: &Request) -> Answer {
    let content_type = if request.header("content-type") == Some(JSON) { JSON } else { PROTOBUF };
    let body = if content_type == JSON { b"{}".to_vec() } else { Vec::new() };
    Answer { status: 200, content_type, body, retry_after: None }
}

fn read(request: &Request) -> Result<Vec<StoredSpan>, Refused> {
    query(request, &[])?;
    let mut faults = Vec::new();
    let spans = spans(&decode(request)?, &mut faults);
    if spans.is_empty() {
        faults.push("a request without spans".to_owned());
    }
    Refused::unless_empty(faults)?;
    Ok(spans)
}

/// Reads the spans of a request and collects the faults in them.
pub(super) fn spans(
    decoded: &ExportTraceServiceRequest,
    faults: &mut Vec<String>,
) -> Vec<StoredSpan> {
    let mut spans = Vec::new();
    for of_resource in &decoded.resource_spans {
        let resource = of_resource.resource.clone().unwrap_or_default();
        let resource_attributes = attributes(&resource.attributes, "resource", faults);
        if resource_attributes.is_empty() || resource.dropped_attributes_count != 0 {
            faults.push("the resource says nothing, or not all".to_owned());
        }
        let mut origin = Origin {
            resource: resource_attributes,
            scope: String::new(),
            scope_version: String::new(),
        };
        for of_scope in &of_resource.scope_spans {
            let scope = of_scope.scope.clone().unwrap_or_default();
            attributes(&scope.attributes, "scope", faults);
            if scope.name.is_empty() || scope.dropped_attributes_count != 0 {
                faults.push("the scope has no name, or something of it was dropped".to_owned());
            }
            origin.scope = scope.name;
            origin.scope_version = scope.version;
            let read = |span| StoredSpan::read(span, &origin, faults);
            spans.extend(of_scope.spans.iter().map(read));
        }
    }
    spans
}

fn decode(request: &Request) -> Result<ExportTraceServiceRequest, Refused> {
    match request.header("content-type") {
        Some(PROTOBUF) => {
            let decoded = ExportTraceServiceRequest::decode(&request.body[..])
                .map_err(|error| Refused::new(400, format!("no OTLP: {error}")))?;
            // The decoder drops unknown fields, so encoding again shows whether there were any.
            if decoded.encode_to_vec() != request.body {
                return Err(Refused::new(400, "the protobuf has more in it than spans"));
            }
            Ok(decoded)
        }
        Some(JSON) => {
            let mut value: Value = serde_json::from_slice(&request.body)
                .map_err(|error| Refused::new(400, format!("no JSON: {error}")))?;
            Refused::unless_empty(otlp_json::REQUEST.faults(&value))?;
            otlp_json::wrap_spelt_doubles(&mut value);
            serde_json::from_value(value)
                .map_err(|error| Refused::new(400, format!("no OTLP: {error}")))
        }
        other => Err(Refused::new(415, format!("content-type is {other:?}"))),
    }
}

/// Returns the faults in the ids of a span, given its session.
fn session_faults(state: &mut State, span: &StoredSpan, source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let [first, second] = SESSION_IDS.map(|key| span.attributes.get(key).and_then(Value::as_str));
    let (Some(id), true) = (first, first == second) else {
        faults.push(format!("{} and {} are not one session", SESSION_IDS[0], SESSION_IDS[1]));
        return faults;
    };
    if let Some(other) = state.spans.claim(&span.trace_id, id) {
        faults.push(format!("it is of session {id}, its trace of session {other}"));
    }
    let Some(session) = state.sessions.get(id) else {
        faults.extend(state.sessions.fault(id));
        return faults;
    };
    let mut agree = |key: &str, expected: &Value| {
        if let Some(found) = span.attributes.get(key)
            && found != expected
        {
            faults.push(format!("{key} is {found}, not {expected}"));
        }
    };
    for name in ["run_id", "dataset_id", "datapoint_id"] {
        let expected = &session.body["metadata"][name];
        for prefix in ["honeyhive", "honeyhive_metadata", "traceloop.association.properties"] {
            agree(&format!("{prefix}.{name}"), expected);
        }
    }
    agree("honeyhive.source", &json!(source));
    agree("traceloop.association.properties.source", &json!(source));
    faults
}
