//! Tests sessions: one per attempt, and the update at its end.

use std::collections::HashSet;

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::{CAPITALS, evals, root, sent, update, without_line};

/// Returns the body of the session of a datapoint, without its times.
fn session(fake: &Fake, datapoint: &str) -> Value {
    let found = fake
        .sessions()
        .into_iter()
        .find(|session| session.body["metadata"]["datapoint_id"] == datapoint);
    let mut body = found.unwrap_or_else(|| panic!("no session of {datapoint}")).body;
    let start = body["start_time"].take();
    assert!(start.as_u64().is_some_and(|start| start > 1_600_000_000_000), "milliseconds: {start}");
    body
}

#[test]
fn check_11_the_body_of_a_session() {
    let (fake, run) = &*CAPITALS;
    let attempt = run.attempt("fr");
    // Differs from the SDK: the name contains experiment and datapoint, and the metadata includes
    // that of the row.
    assert_eq!(
        session(fake, "EXT-rows-fr"),
        json!({
            "session_id": attempt.session_id,
            "session_name": "capitals-fr",
            "source": "evaluation",
            "start_time": null,
            "inputs": {"country": "France"},
            "metadata": {
                "run_id": fake.runs()[0].id,
                "dataset_id": "EXT-rows",
                "datapoint_id": "EXT-rows-fr",
                "attempt": 1,
                "region": "eu",
                "tags": ["easy"],
            },
        })
    );
}

#[test]
fn check_12_one_session_for_each_datapoint() {
    let (fake, _) = &*CAPITALS;
    let sessions = fake.sessions();
    let distinct: HashSet<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!((sessions.len(), distinct.len()), (3, 3));
    assert!(sessions.iter().all(|session| session.deliveries == 1));
}

#[test]
fn check_12_the_id_that_the_server_answers_is_used_everywhere() {
    let fake = Fake::builder().server_session_ids().start();
    let run = evals(&fake, "capitals").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let ids: HashSet<String> = fake.sessions().into_iter().map(|session| session.id).collect();
    assert!(ids.iter().all(|id| id.starts_with("5e55")), "{ids:?}");
    let of_spans: HashSet<String> = fake
        .spans()
        .iter()
        .filter_map(|span| span.attributes["honeyhive.session_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(of_spans, ids);
    let updated: HashSet<String> = fake.updates().into_keys().collect();
    assert_eq!(updated, ids);
    let in_run = fake.runs()[0].updates[0].body["event_ids"].clone();
    let in_run: HashSet<String> = serde_json::from_value(in_run).expect("a list of ids");
    assert_eq!(in_run, ids);
}

#[test]
fn check_28_what_a_session_is_told_at_its_end() {
    let (fake, _) = &*CAPITALS;
    let told = update(fake, "it");
    // Differs from the SDK: every output is wrapped, and scores and times are sent as well.
    assert_eq!(told["outputs"], json!({"result": "Milan"}));
    assert_eq!(told["feedback"], json!({"ground_truth": "Rome"}));
    assert_eq!(told["metrics"], json!({"correct": false}));
    assert!(told["duration"].is_number() && told["end_time"].is_u64(), "{told}");

    let fake = Fake::start();
    evals(&fake, "some_fail").run();
    fake.assert_clean();
    let failed = update(&fake, "0002");
    assert_eq!(failed.get("outputs"), None);
    assert_eq!(failed["feedback"], json!({"ground_truth": 2}));
}

/// A server may replace the metadata with that of an update, so each update has all of it.
#[test]
fn no_update_takes_a_session_out_of_its_run() {
    let (fake, run) = &*CAPITALS;
    let started = session(fake, "EXT-rows-fr");
    let told = update(fake, "fr");
    for key in ["run_id", "dataset_id", "datapoint_id", "attempt", "region", "tags"] {
        assert_eq!(told["metadata"][key], started["metadata"][key], "{key}");
    }
    assert_eq!(told["metadata"]["run_id"], fake.runs()[0].id);
    assert_eq!(run.code, Some(0));
}

#[test]
fn the_history_of_a_row_is_sent_with_its_inputs() {
    let (fake, _) = sent("remembers");
    let history = json!([{"role": "user", "content": "hello"}]);
    assert_eq!(session(&fake, "EXT-chats-own")["inputs"], json!({"n": 1, "history": history}));
    let attributes = root(&fake, "EXT-chats-own").attributes;
    assert_eq!(attributes["honeyhive_inputs.history"], history.to_string());
    let input: Value =
        serde_json::from_str(attributes["input.value"].as_str().expect("a text")).expect("JSON");
    assert_eq!(input, json!({"n": 1, "history": history}));
    // An input with that name keeps its value.
    let other = session(&fake, "EXT-chats-taken");
    assert_eq!(other["inputs"], json!({"n": 2, "history": "mine"}));
    assert_eq!(other["metadata"]["history"], history);
}

#[test]
fn check_29_outputs_of_every_shape_arrive_with_their_ground_truths() {
    let (fake, _) = sent("shaped");
    let expected = [
        ("object", json!({"a": {"b": 1, "gone": null}, "list": [true, 0.5], "t": "x"})),
        ("text", json!({"result": "just text"})),
        ("list", json!({"result": ["a", "b"]})),
        ("number", json!({"result": 1.5})),
    ];
    for (id, outputs) in expected {
        let told = update(&fake, &format!("-{id}"));
        assert_eq!(told["outputs"], outputs);
        assert_eq!(told["feedback"], json!({"ground_truth": format!("truth of {id}")}));
    }
}

#[test]
fn check_25_and_26_a_function_that_fails() {
    let fake = Fake::start();
    let run = evals(&fake, "some_fail").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let mut judged = run.notes("noted");
    judged.sort();
    assert_eq!(judged, ["1", "4"], "no evaluator judges what is not there");
    for (id, kind, message) in [
        ("0002", "returned", "boom raised"),
        ("0003", "panic", "panicked at tests/evals.rs:<line>: boom panicked"),
    ] {
        let span = root(&fake, id);
        let normal = |text: &Value| without_line(&run, text);
        assert_eq!((span.status, normal(&json!(span.status_message)).as_str()), ("ERROR", message));
        let exceptions: Vec<String> = span
            .events
            .iter()
            .filter(|event| event.name == "exception")
            .map(|event| normal(&event.attributes["exception.message"]))
            .collect();
        assert_eq!(exceptions, [message], "one event, and no more");
        assert_eq!(normal(&span.attributes["honeyhive_error"]), message);
        assert_eq!(span.attributes["honeyhive_error_type"], kind);
        let told = update(&fake, id);
        assert_eq!(normal(&told["metadata"]["error"]), message);
        assert_eq!(told["metadata"]["error_type"], kind);
        // The error is on the span itself, and not on another span in its own trace.
        let of_trace = fake.spans().iter().filter(|other| other.trace_id == span.trace_id).count();
        assert_eq!(of_trace, 1);
    }
    let traces: HashSet<String> = fake.spans().into_iter().map(|span| span.trace_id).collect();
    assert_eq!(traces.len(), 4);
    // The other cases are not affected, and the run is complete.
    assert_eq!(root(&fake, "0004").status, "UNSET");
    assert_eq!(fake.runs()[0].status, "completed");
}
