//! Handles requests for runs: create, update, read, compare.

use serde_json::{Value, json};

use super::Options;
use super::bodies::{CONFIGURATION, NEW_RUN, RUN_METADATA, RUN_UPDATE};
use super::route::{Refused, created_at, query, with};
use super::shape::Shape;
use super::state::{Request, State, StoredRun, push_update};

/// The functions by which results may be aggregated.
const AGGREGATES: [&str; 9] =
    ["average", "sum", "min", "max", "median", "p90", "p95", "p99", "count"];

pub(super) fn create(state: &mut State, options: &Options, body: &Value) -> Result<Value, Refused> {
    Refused::unless_empty(NEW_RUN.faults(body))?;
    Refused::unless_empty(content_faults(state, body))?;
    Refused::unless_empty(dataset_faults(body))?;
    let asked_id = text(body, "run_id");
    if let Some(run) = state.runs.iter_mut().find(|run| run.asked_id == asked_id) {
        if run.created != *body {
            return Err(Refused::new(400, format!("run {asked_id} was created in another way")));
        }
        run.deliveries += 1;
        return Ok(json!({"evaluation": object(run), "run_id": run.id}));
    }
    let given = options.server_run_id.as_ref().filter(|_| state.runs.is_empty());
    let run = StoredRun {
        id: given.cloned().unwrap_or_else(|| asked_id.clone()),
        asked_id,
        created: body.clone(),
        updates: Vec::new(),
        status: text(body, "status"),
        deliveries: 1,
        polls: 0,
    };
    let answer = json!({"evaluation": object(&run), "run_id": run.id});
    state.runs.push(run);
    Ok(answer)
}

pub(super) fn update(state: &mut State, request: &Request, body: Value) -> Result<Value, Refused> {
    let id = &request.parameters[0];
    if state.run(id).is_none() {
        return Err(Refused::new(404, state.no_run(id)));
    }
    Refused::unless_empty(RUN_UPDATE.faults(&body))?;
    let mut faults = content_faults(state, &body);
    let Some(run) = state.run(id) else { return Err(Refused::missing("the run is gone")) };
    if body.as_object().is_none_or(serde_json::Map::is_empty) {
        faults.push("the update changes nothing".to_owned());
    }
    // The real server may replace the metadata with the new one.
    if let (Some(new), Some(old)) =
        (body["metadata"].as_object(), run.created["metadata"].as_object())
    {
        let lost = old.keys().filter(|key| !new.contains_key(*key));
        faults.extend(lost.map(|key| format!("`metadata.{key}` of the run is lost")));
    }
    Refused::unless_empty(faults)?;
    if let Some(status) = body["status"].as_str() {
        status.clone_into(&mut run.status);
    }
    push_update(&mut run.updates, body);
    Ok(json!({"evaluation": object(run)}))
}

pub(super) fn get(state: &mut State, request: &Request) -> Result<Value, Refused> {
    query(request, &[])?;
    let id = &request.parameters[0];
    let missing = state.no_run(id);
    let run = state.run(id).ok_or_else(|| Refused::missing(missing))?;
    Ok(json!({"evaluation": object(run)}))
}

pub(super) fn result(
    state: &mut State,
    options: &Options,
    request: &Request,
) -> Result<Value, Refused> {
    let aggregate = aggregate(request)?;
    let id = &request.parameters[0];
    let missing = state.no_run(id);
    let run = state.run(id).ok_or_else(|| Refused::missing(missing))?;
    run.polls += 1;
    let (id, ready, run) = (run.id.clone(), run.polls > options.polls, object(run));
    if let Some(result) = options.result.as_ref().filter(|_| ready) {
        return Ok(result.clone());
    }
    let of_run = |session: &&Value| session["metadata"]["run_id"] == *id;
    let sessions = state
        .sessions
        .all
        .iter()
        .map(|session| with(json!({"session_id": session.id}), session.body.clone()));
    let sessions: Vec<Value> = sessions.filter(|session| ready && of_run(&session)).collect();
    let datapoint = |session: &Value| session["metadata"]["datapoint_id"].clone();
    Ok(json!({
        "status": if ready { run["status"].clone() } else { json!("pending") },
        "success": ready,
        "passed": sessions.iter().map(datapoint).collect::<Vec<_>>(),
        "failed": [],
        "metrics": {"aggregation_function": aggregate, "details": []},
        "datapoints": sessions.iter().map(|session| json!({
            "datapoint_id": datapoint(session),
            "session_id": session["session_id"],
            "passed": true,
            "metrics": [],
        })).collect::<Vec<_>>(),
        "event_details": [],
        "run_object": run,
    }))
}

pub(super) fn compare(state: &mut State, request: &Request) -> Result<Value, Refused> {
    aggregate(request)?;
    let mut runs = Vec::new();
    for id in &request.parameters {
        let missing = state.no_run(id);
        runs.push(object(state.run(id).ok_or_else(|| Refused::missing(missing))?));
    }
    let ids = |run: &Value| run["datapoint_ids"].as_array().cloned().unwrap_or_default();
    let old = ids(&runs[1]);
    let common: Vec<Value> = ids(&runs[0]).into_iter().filter(|id| old.contains(id)).collect();
    Ok(json!({
        "metrics": [],
        "commonDatapoints": common,
        "event_details": [],
        "old_run": runs[1],
        "new_run": runs[0],
    }))
}

fn aggregate(request: &Request) -> Result<&str, Refused> {
    let name = query(request, &["aggregate_function", "filters"])?.one("aggregate_function");
    let name = name.unwrap_or("average");
    if !AGGREGATES.contains(&name) {
        return Err(Refused::new(400, format!("there is no aggregate function {name}")));
    }
    Ok(name)
}

fn text(body: &Value, key: &str) -> String {
    body[key].as_str().unwrap_or_default().to_owned()
}

/// Returns a run in the form of the server's answers.
pub(super) fn object(run: &StoredRun) -> Value {
    let mut value = run.created.clone();
    for update in &run.updates {
        for (key, item) in update.body.as_object().into_iter().flatten() {
            value[key] = item.clone();
        }
    }
    value["run_id"] = json!(run.id);
    with(
        value,
        json!({
            "id": run.id,
            "results": {},
            "is_active": true,
            "created_at": created_at(),
            "scope_type": "project",
            "scope_id": "project-1",
        }),
    )
}

/// Returns the faults in the free-form parts of a run, and in the sessions it names.
fn content_faults(state: &State, body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |part: &str, fields: &[(&str, Shape)]| {
        for (key, shape) in fields {
            if let Some(value) = body[part].get(*key) {
                let of = |fault: String| format!("{part}.{key}: {fault}");
                faults.extend(shape.faults(value).into_iter().map(of));
            }
        }
    };
    check("configuration", &CONFIGURATION);
    check("metadata", &RUN_METADATA);
    let remote = body["metadata"]["git"]["remote_url"].as_str().unwrap_or_default();
    if let Some((_, rest)) = remote.split_once("://")
        && rest.split('/').next().is_some_and(|host| host.contains('@'))
    {
        faults.push("metadata.git.remote_url has a user or password".to_owned());
    }
    for key in ["event_ids", "session_ids"] {
        let ids: Vec<&str> =
            body[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        faults.extend(ids.iter().filter_map(|id| state.sessions.fault(id)));
        let repeated = |index: &usize| ids[..*index].contains(&ids[*index]);
        let repeated = (0..ids.len()).filter(repeated);
        faults.extend(repeated.map(|index| format!("{key} has {} twice", ids[index])));
    }
    faults
}

/// Checks that a run has one dataset, and that an external one does not have an id of HoneyHive.
fn dataset_faults(body: &Value) -> Vec<String> {
    let is_external = |id: &str| id.starts_with("EXT-");
    let managed = body["dataset_id"].as_str();
    let external = body["metadata"]["offline_dataset_id"].as_str();
    let fault = match (managed, external) {
        (Some(id), None) if is_external(id) => "`dataset_id` is an external id",
        (None, Some(id)) if !is_external(id) => "`metadata.offline_dataset_id` is no external id",
        (Some(_), Some(_)) => "both `dataset_id` and `metadata.offline_dataset_id` are there",
        (None, None) => "neither `dataset_id` nor `metadata.offline_dataset_id` is there",
        _ => return Vec::new(),
    };
    vec![fault.to_owned()]
}
