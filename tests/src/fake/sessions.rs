//! Handles requests for sessions and events: start, create, update.

use serde_json::{Value, json};

use super::Options;
use super::bodies::{EVENT_BATCH, EVENT_UPDATE, SESSION, WRAPPED_EVENT, WRAPPED_SESSION};
use super::route::{Refused, created_at, with};
use super::state::{Request, State, StoredSession, push_update};

pub(super) fn start(
    state: &mut State,
    options: &Options,
    request: &Request,
    mut body: Value,
) -> Result<Value, Refused> {
    let session = if request.kind == "POST /session/start" {
        Refused::unless_empty(WRAPPED_SESSION.faults(&body))?;
        body["session"].take()
    } else {
        Refused::unless_empty(SESSION.faults(&body))?;
        body
    };
    let asked_id = session["session_id"].as_str().unwrap_or_default().to_owned();
    if let Some(known) = state.sessions.asked(&asked_id) {
        if known.body != session {
            return Err(Refused::new(400, format!("session {asked_id} was started otherwise")));
        }
        known.deliveries += 1;
        return Ok(started(&known.id, &session));
    }
    Refused::unless_empty(run_faults(state, &session))?;
    let id = if options.server_session_ids { other_id(&asked_id) } else { asked_id.clone() };
    let answer = started(&id, &session);
    state.sessions.push(StoredSession { id, asked_id, body: session, deliveries: 1 });
    Ok(answer)
}

/// Returns the id that the server uses instead of the client's id.
pub(super) fn other_id(id: &str) -> String {
    format!("5e55{}", id.get(4..).unwrap_or_default())
}

pub(super) fn started(id: &str, session: &Value) -> Value {
    let mut session = session.clone();
    session["session_id"] = json!(id);
    with(
        session,
        json!({
            "event_id": id,
            "event_type": "session",
            "parent_id": null,
            "children_ids": [],
            "error": null,
            "org_id": "org-1",
            "workspace_id": "workspace-1",
            "project_id": "project-1",
            "created_at": created_at(),
        }),
    )
}

/// Returns the faults in the ids of a session's metadata.
fn run_faults(state: &mut State, session: &Value) -> Vec<String> {
    let metadata = &session["metadata"];
    let id = |name: &str| metadata[name].as_str().filter(|id| !id.is_empty());
    let keys = ["run_id", "dataset_id", "datapoint_id"];
    // A session of a plain tracer does not belong to a run.
    if session["source"] == "dev" && keys.iter().all(|key| metadata.get(key).is_none()) {
        return Vec::new();
    }
    let [Some(run_id), Some(dataset), Some(datapoint)] = keys.map(id) else {
        return vec!["`metadata` has not all of run_id, dataset_id, datapoint_id".to_owned()];
    };
    let mut faults = Vec::new();
    let missing = state.no_run(run_id);
    let Some(run) = state.run(run_id) else { return vec![missing] };
    if run.dataset_id() != Some(dataset) {
        faults.push(format!("dataset_id {dataset} is not that of the run"));
    }
    let of_run = run.datapoint_ids();
    if !of_run.is_empty() && !of_run.contains(&json!(datapoint)) {
        faults.push(format!("datapoint_id {datapoint} is none of the run"));
    }
    let name = session["session_name"].as_str().unwrap_or_default();
    // A row without an id is named by a hash of the harness, whatever its external id is.
    let is_hash = |id: &str| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ends = |(at, _): (usize, &str)| {
        let id = &name[at + 1..];
        let same = datapoint == id || datapoint.ends_with(&format!("-{id}"));
        !id.is_empty() && (same || is_hash(id))
    };
    if !name.match_indices('-').any(ends) {
        faults.push(format!("session_name {name:?} does not end with the id {datapoint}"));
    }
    faults
}

pub(super) fn update(state: &mut State, request: &Request, body: Value) -> Result<Value, Refused> {
    Refused::unless_empty(EVENT_UPDATE.faults(&body))?;
    let in_body = body["event_id"].as_str();
    let id = match (request.parameters.first(), in_body) {
        (Some(path), Some(id)) if path != id => {
            return Err(Refused::new(400, "the ids in path and body are not the same"));
        }
        (None, None) => return Err(Refused::new(400, "`event_id` is missing")),
        (path, id) => path.map_or_else(|| id.unwrap_or_default(), String::as_str).to_owned(),
    };
    let is_event = state.events.iter().any(|event| event["event_id"] == *id);
    if let Some(fault) = state.sessions.fault(&id).filter(|_| !is_event) {
        return Err(Refused::new(400, fault));
    }
    if body.as_object().is_none_or(|fields| fields.keys().all(|key| key == "event_id")) {
        return Err(Refused::new(400, "the update changes nothing"));
    }
    push_update(state.updates.entry(id.clone()).or_default(), body);
    Ok(json!({"success": true, "event_id": id}))
}

pub(super) fn create_event(state: &mut State, body: &Value) -> Result<Value, Refused> {
    Refused::unless_empty(WRAPPED_EVENT.faults(body))?;
    let id = add(state, &body["event"])?;
    Ok(json!({"success": true, "event_id": id}))
}

pub(super) fn create_events(state: &mut State, body: &Value) -> Result<Value, Refused> {
    Refused::unless_empty(EVENT_BATCH.faults(body))?;
    let events = body["events"].as_array().map_or(&[][..], Vec::as_slice);
    if events.is_empty() {
        return Err(Refused::new(400, "a batch of nothing"));
    }
    let mut ids = Vec::new();
    for event in events {
        ids.push(add(state, event)?);
    }
    Ok(json!({"success": true, "event_ids": ids, "session_id": events[0]["session_id"]}))
}

fn add(state: &mut State, event: &Value) -> Result<String, Refused> {
    let session = event["session_id"].as_str().unwrap_or_default();
    if let Some(fault) = state.sessions.fault(session) {
        return Err(Refused::new(400, fault));
    }
    let number = state.events.len() + 1;
    let given = event["event_id"].as_str().map(str::to_owned);
    let id = given.unwrap_or_else(|| format!("e7e47000-0000-4000-8000-{number:012x}"));
    match state.events.iter().find(|known| known["event_id"] == *id) {
        None => state.events.push(with(event.clone(), json!({"event_id": id}))),
        Some(known) if known == event => {}
        Some(_) => return Err(Refused::new(400, format!("event {id} was created otherwise"))),
    }
    Ok(id)
}
