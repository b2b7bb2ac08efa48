//! Accepts the requests of any client without checks.
//!
//! To compare another client with this crate, its requests have to be recorded as they are and
//! answered as the real server would, since its protocol is not known beforehand.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use super::http::Answer;
use super::otlp::{done, spans};
use super::route::{HONEYHIVE_TRACES, Refused};
use super::state::{Request, State, StoredRun, StoredSession, push_update};
use super::{Options, runs, sessions};

/// Answers a request of any shape.
pub(super) fn answer(state: &mut State, options: &Options, request: &Request) -> Answer {
    if request.kind == HONEYHIVE_TRACES {
        let Some(decoded) = decode(request) else { return Answer::error(400, "no OTLP") };
        state.spans.push(spans(&decoded, &mut Vec::new()));
        return done(request);
    }
    let body = request.json().unwrap_or_default();
    let answer = match request.kind {
        "POST /v1/runs" => create_run(state, &body),
        "PUT /v1/runs/{id}" => match state.run(&request.parameters[0]) {
            Some(run) => {
                push_update(&mut run.updates, body);
                Ok(json!({"evaluation": runs::object(run)}))
            }
            None => Err(Refused::missing("there is no such run")),
        },
        "GET /v1/runs/{id}/result" => runs::result(state, options, request),
        "POST /session/start" => Ok(start_session(state, &body["session"])),
        "PUT /events" => {
            let id = body["event_id"].as_str().unwrap_or_default().to_owned();
            push_update(state.updates.entry(id.clone()).or_default(), body);
            Ok(json!({"success": true, "event_id": id}))
        }
        _ => Err(Refused::missing("no such endpoint")),
    };
    match answer {
        Ok(body) => Answer::json(200, &body),
        Err(_) => Answer::error(404, "there is no such thing"),
    }
}

fn create_run(state: &mut State, body: &Value) -> Result<Value, Refused> {
    let id = body["run_id"].as_str().ok_or_else(|| Refused::missing("it has no id"))?;
    let run = StoredRun {
        id: id.to_owned(),
        asked_id: id.to_owned(),
        created: body.clone(),
        updates: Vec::new(),
        status: String::new(),
        deliveries: 1,
        polls: 0,
    };
    let answer = json!({"evaluation": runs::object(&run), "run_id": id});
    state.runs.push(run);
    Ok(answer)
}

/// Starts a session; creates an id if the client sends none.
fn start_session(state: &mut State, session: &Value) -> Value {
    let number = state.sessions.all.len() + 1;
    let id = match session["session_id"].as_str() {
        Some(id) => id.to_owned(),
        None => format!("5e551000-0000-4000-8000-{number:012x}"),
    };
    let answer = sessions::started(&id, session);
    let body = session.clone();
    state.sessions.push(StoredSession { asked_id: id.clone(), id, body, deliveries: 1 });
    answer
}

fn decode(request: &Request) -> Option<ExportTraceServiceRequest> {
    if request.header("content-type") != Some("application/json") {
        return ExportTraceServiceRequest::decode(&request.body[..]).ok();
    }
    let mut value = request.json()?;
    to_specification(&mut value);
    serde_json::from_value(value).ok()
}

/// The numbers of enums by the names that some clients write.
const ENUMS: [(&str, i32); 6] = [
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("STATUS_CODE_UNSET", 0),
    ("STATUS_CODE_OK", 1),
    ("STATUS_CODE_ERROR", 2),
];

/// Replaces names of enums with their numbers, and removes null values.
fn to_specification(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (key, field) in fields {
                let name = field.as_str().filter(|_| matches!(key.as_str(), "kind" | "code"));
                let number = name.and_then(|name| ENUMS.iter().find(|(other, _)| *other == name));
                match number {
                    Some((_, number)) => *field = json!(number),
                    None => to_specification(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(to_specification),
        _ => {}
    }
}
