//! Tests requests for runs, sessions, events and datasets: what is stored, answered and refused.

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::client::{
    Call, OTHER, RUN, SESSION, assert_refused, changed, get, ok, run, session, session_update,
    with_session,
};

/// A pointer into a body, the value that replaces the one there, and the expected reason.
type Rule = (&'static str, Value, &'static str);

/// Checks that each change of a body is refused.
fn assert_rules(fake: &Fake, kind: &str, body: &Value, rules: &[Rule]) {
    for (pointer, value, reason) in rules {
        let body = changed(body.clone(), pointer, value.clone());
        assert_refused(fake, &Call::rest(fake, kind, Some(&body)), 400, reason);
    }
}

#[test]
fn a_run_goes_its_way() {
    let fake = with_session(Fake::start());
    let created = ok(&fake, "POST /v1/runs", &run());
    assert_eq!(created["run_id"], RUN);
    assert_eq!(created["evaluation"]["status"], "pending");
    ok(&fake, "PUT /events", &session_update());
    let update = json!({"status": "completed", "event_ids": [SESSION], "name": "capitals",
        "metadata": run()["metadata"]});
    let kind = format!("PUT /v1/runs/{RUN}");
    for _ in 0..2 {
        ok(&fake, &kind, &update);
    }
    let stored = &fake.runs()[0];
    assert_eq!((stored.id.as_str(), stored.asked_id.as_str()), (RUN, RUN));
    assert_eq!((stored.created.clone(), stored.deliveries), (run(), 2));
    assert_eq!((stored.updates.len(), stored.updates[0].deliveries), (1, 2));
    assert_eq!(stored.updates[0].body, update);
    assert_eq!((stored.status.as_str(), stored.dataset_id()), ("completed", Some("EXT-cities")));
    let shown = get(&fake, &format!("/v1/runs/{RUN}"));
    assert_eq!(shown["evaluation"]["status"], "completed");
    assert_eq!(shown["evaluation"]["event_ids"], json!([SESSION]));
    let result = get(&fake, &format!("/v1/runs/{RUN}/result?aggregate_function=average"));
    assert_eq!(result["datapoints"][0]["session_id"], SESSION);
    assert_eq!(result["passed"], json!(["EXT-cities-paris"]));
    assert_eq!(result["run_object"]["run_id"], RUN);
    fake.assert_clean();
}

#[test]
fn a_run_is_created_in_one_way_only() {
    let fake = Fake::start();
    assert_rules(
        &fake,
        "POST /v1/runs",
        &run(),
        &[
            ("/run_id", json!("1"), "`run_id` is not a UUID"),
            ("/run_id", json!(RUN.replace('1', "A")), "`run_id` is not a UUID"),
            ("/run_id-", Value::Null, "`run_id` is missing"),
            ("/name", json!(" "), "`name` is not a string with something in it"),
            ("/name", Value::Null, "`name` is not a string"),
            ("/description", Value::Null, "`description` is not a string"),
            ("/status", json!("started"), "`status` is not one of the known words"),
            ("/metadata", json!([]), "`metadata` is not an object"),
            ("/metadata-", Value::Null, "`metadata` is missing"),
            ("/metadata/git/dirty", json!(true), "`dirty` is no field of this body"),
            ("/metadata/git/is_dirty", json!("no"), "`is_dirty` is not a bool"),
            ("/metadata/git/remote_url", json!("https://a:b@git.example/a"), "user or password"),
            ("/metadata/offline_dataset_id", json!("cities"), "is no external id"),
            ("/metadata/offline_dataset_id-", Value::Null, "neither `dataset_id` nor"),
            ("/dataset_id", json!("d-1"), "both `dataset_id` and"),
            ("/event_ids", json!([OTHER]), "no session 33333333"),
            ("/event_ids", json!(["1"]), "`event_ids[0]` is not a UUID"),
            ("/session_ids", json!([OTHER]), "no session 33333333"),
            ("/configuration/max_workers", json!("4"), "configuration.max_workers"),
            ("/configuration/evaluators", json!([1]), "configuration.evaluators"),
            ("/datapoint_ids", json!("EXT"), "`datapoint_ids` is not a list"),
            ("/datapoint_ids/0", json!(1), "`datapoint_ids[0]` is not"),
            ("/tags", json!([]), "`tags` is no field of this body"),
        ],
    );
    let external = changed(run(), "/metadata/offline_dataset_id-", Value::Null);
    let external = changed(external, "/dataset_id", json!("EXT-cities"));
    let call = Call::rest(&fake, "POST /v1/runs", Some(&external));
    assert_refused(&fake, &call, 400, "`dataset_id` is an external id");
    let mut call = Call::rest(&fake, "POST /v1/runs", None);
    call.body = b"{\"run_id\": ".to_vec();
    assert_refused(&fake, &call, 400, "the body is no JSON");
    assert!(fake.runs().is_empty(), "what is refused is not kept");
    ok(&fake, "POST /v1/runs", &run());
    let other = changed(run(), "/name", json!("other"));
    let call = Call::rest(&fake, "POST /v1/runs", Some(&other));
    assert_refused(&fake, &call, 400, "was created in another way");
}

#[test]
fn a_run_is_updated_in_one_way_only() {
    let fake = with_session(Fake::start());
    let update = json!({"status": "completed", "event_ids": [SESSION],
        "metadata": run()["metadata"]});
    let kind = format!("PUT /v1/runs/{RUN}");
    assert_rules(
        &fake,
        &kind,
        &update,
        &[
            ("/run_id", json!(RUN), "`run_id` is no field"),
            ("/dataset_id", json!("d-1"), "`dataset_id` is no field"),
            ("/status", json!("done"), "`status` is not one of the known words"),
            ("/event_ids/0", json!(OTHER), "no session 33333333"),
            ("/event_ids", json!([SESSION, SESSION]), "twice"),
            ("/metadata/git-", Value::Null, "`metadata.git` of the run is lost"),
            ("/results", json!([]), "`results` is not an object"),
        ],
    );
    assert_refused(&fake, &Call::rest(&fake, &kind, Some(&json!({}))), 400, "changes nothing");
    let kind = format!("PUT /v1/runs/{OTHER}");
    assert_refused(&fake, &Call::rest(&fake, &kind, Some(&update)), 404, "there is no run 3333");
    assert!(fake.runs()[0].updates.is_empty());
}

#[test]
fn a_session_is_started_in_one_way_only() {
    let fake = Fake::start();
    ok(&fake, "POST /v1/runs", &run());
    let wrapped = json!({"session": session()});
    let rules: &[Rule] = &[
        ("/session_id", json!("s"), "session_id` is not a UUID"),
        ("/session_id-", Value::Null, "session_id` is missing"),
        ("/session_name", json!(""), "session_name` is not"),
        ("/session_name", json!("paris"), "does not end with the id EXT-cities-paris"),
        ("/session_name", json!("capitals-rome"), "does not end with the id EXT-cities-paris"),
        ("/session_name", json!("capitals-"), "does not end with the id EXT-cities-paris"),
        ("/source-", Value::Null, "source` is missing"),
        ("/inputs", json!("France"), "inputs` is not an object"),
        ("/outputs", json!("Paris"), "outputs` is not an object"),
        ("/duration", json!(-1), "duration` is not a number from 0"),
        ("/start_time", json!(false), "start_time` is not a point in time"),
        ("/error", json!("no"), "error` is no field"),
        ("/metadata-", Value::Null, "has not all of run_id, dataset_id, datapoint_id"),
        ("/metadata/run_id-", Value::Null, "has not all of run_id, dataset_id, datapoint_id"),
        ("/metadata/run_id", json!(OTHER), "there is no run 33333333"),
        ("/metadata/dataset_id", json!("EXT-other"), "dataset_id EXT-other is not that of"),
        ("/metadata/datapoint_id", json!("EXT-paris"), "datapoint_id EXT-paris is none of"),
    ];
    assert_rules(&fake, "POST /v1/sessions", &session(), rules);
    for (pointer, value, reason) in rules {
        let body = changed(wrapped.clone(), &format!("/session{pointer}"), value.clone());
        assert_refused(&fake, &Call::rest(&fake, "POST /session/start", Some(&body)), 400, reason);
    }
    // Each family of paths has its own wrapping.
    for (kind, body) in [("POST /session/start", session()), ("POST /v1/sessions", wrapped)] {
        let reply = Call::rest(&fake, kind, Some(&body)).send(&fake);
        assert_eq!(reply.status, 400);
    }
    assert!(fake.sessions().is_empty(), "what is refused is not kept");
}

#[test]
fn a_session_is_kept_once() {
    let fake = Fake::start();
    ok(&fake, "POST /v1/runs", &run());
    let answer = ok(&fake, "POST /session/start", &json!({"session": session()}));
    assert_eq!((&answer["session_id"], &answer["event_id"]), (&json!(SESSION), &json!(SESSION)));
    assert_eq!(ok(&fake, "POST /v1/sessions", &session())["project_id"], "project-1");
    // The name may contain the whole id, and a plain tracer does not belong to a run.
    let whole = changed(session(), "/session_name", json!("capitals-EXT-cities-paris"));
    ok(&fake, "POST /v1/sessions", &changed(whole, "/session_id", json!(OTHER)));
    let plain = json!({"session_id": RUN, "session_name": "my app", "source": "dev"});
    ok(&fake, "POST /v1/sessions", &plain);
    fake.assert_clean();
    // An update may add datapoints to a run.
    let oslo = json!({"datapoint_ids": ["EXT-cities-oslo"]});
    ok(&fake, &format!("PUT /v1/runs/{RUN}"), &oslo);
    let later = changed(session(), "/metadata/datapoint_id", json!("EXT-cities-oslo"));
    let later = changed(later, "/session_name", json!("capitals-oslo"));
    let id = Fake::server_session_id(OTHER);
    ok(&fake, "POST /v1/sessions", &changed(later, "/session_id", json!(id)));
    fake.assert_clean();
    let sessions = fake.sessions();
    assert_eq!(sessions.iter().map(|s| s.deliveries).collect::<Vec<_>>(), [2, 1, 1, 1]);
    assert_eq!((sessions[0].id.as_str(), &sessions[0].body), (SESSION, &session()));
    let other = changed(session(), "/inputs", json!({"country": "Italy"}));
    let call = Call::rest(&fake, "POST /v1/sessions", Some(&other));
    assert_refused(&fake, &call, 400, "was started otherwise");
    assert_eq!(fake.sessions()[0].body, session());
}

#[test]
fn a_session_is_updated_in_one_way_only() {
    let fake = with_session(Fake::start());
    let update = session_update();
    assert_rules(
        &fake,
        "PUT /events",
        &update,
        &[
            ("/event_id-", Value::Null, "`event_id` is missing"),
            ("/event_id", json!("e"), "`event_id` is not a UUID"),
            ("/event_id", json!(OTHER), "no session 33333333"),
            ("/outputs", json!("Paris"), "`outputs` is not an object"),
            ("/outputs", Value::Null, "`outputs` is not an object"),
            ("/metrics", json!([1]), "`metrics` is not an object"),
            ("/metrics/right", Value::Null, "`metrics.right` is not a bool, number or string"),
            ("/metrics/right", json!({"score": 1}), "`metrics.right` is not a bool"),
            ("/feedback", json!("good"), "`feedback` is not an object"),
            ("/error", json!("no"), "`error` is no field"),
            ("/session_id", json!(SESSION), "`session_id` is no field"),
        ],
    );
    let empty = json!({"event_id": SESSION});
    assert_refused(&fake, &Call::rest(&fake, "PUT /events", Some(&empty)), 400, "changes nothing");
    let kind = format!("PUT /v1/events/{OTHER}");
    let call = Call::rest(&fake, &kind, Some(&update));
    assert_refused(&fake, &call, 400, "the ids in path and body are not the same");
    assert!(fake.updates().is_empty(), "what is refused is not kept");

    let fake = with_session(Fake::start());
    let bare = changed(session_update(), "/event_id-", Value::Null);
    for _ in 0..2 {
        ok(&fake, "PUT /events", &update);
    }
    ok(&fake, &format!("PUT /v1/events/{SESSION}"), &bare);
    fake.assert_clean();
    let updates = &fake.updates()[SESSION];
    let deliveries: Vec<_> = updates.iter().map(|update| update.deliveries).collect();
    assert_eq!((deliveries, &updates[0].body), (vec![2, 1], &update));
}

#[test]
fn events_are_created_in_sessions() {
    let fake = with_session(Fake::start());
    let event = json!({"event_type": "model", "event_name": "llm", "session_id": SESSION,
        "event_id": OTHER, "inputs": {}, "outputs": {"text": "Paris"}, "duration": 1.5});
    assert_eq!(ok(&fake, "POST /events", &json!({"event": event}))["event_id"], OTHER);
    let batch = json!({"events": [event, changed(event.clone(), "/event_id-", Value::Null)],
        "single_session": true});
    let answer = ok(&fake, "POST /events/batch", &batch);
    assert_eq!((&answer["session_id"], &answer["event_ids"][0]), (&json!(SESSION), &json!(OTHER)));
    ok(&fake, "PUT /events", &json!({"event_id": OTHER, "feedback": {"good": true}}));
    assert_eq!(fake.events().len(), 2);
    fake.assert_clean();
    for (pointer, value, reason) in [
        ("/event_type", json!("llm"), "event_type` is not one of the known words"),
        ("/session_id", json!(RUN), "no session 11111111"),
        ("/inputs-", Value::Null, "inputs` is missing"),
        ("/children", json!([]), "children` is no field"),
        ("/outputs", json!({"text": "Rome"}), "was created otherwise"),
    ] {
        let event = changed(event.clone(), pointer, value);
        for (kind, body) in [
            ("POST /events", json!({"event": event})),
            ("POST /events/batch", json!({"events": [event]})),
        ] {
            assert_refused(&fake, &Call::rest(&fake, kind, Some(&body)), 400, reason);
        }
    }
    let call = Call::rest(&fake, "POST /events/batch", Some(&json!({"events": []})));
    assert_refused(&fake, &call, 400, "a batch of nothing");
}

#[test]
fn datasets_are_served() {
    let rows = [
        json!({"id": "p-1", "inputs": {"a": 1}, "ground_truth": {"b": 2}}),
        json!({"id": "p 2", "inputs": {"a": 2}}),
        json!({"id": "p-3"}),
    ];
    let fake = Fake::builder()
        .dataset("d-1", "cities", &rows)
        .dataset("d-2", "rivers", &[])
        .missing_datapoint("p-3")
        .start();
    let found = get(&fake, "/v1/datasets?dataset_id=d-1");
    assert_eq!(found["datasets"][0]["datapoints"], json!(["p-1", "p 2", "p-3"]));
    assert_eq!(found["datasets"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&fake, "/v1/datasets?name=rivers")["datasets"][0]["id"], "d-2");
    assert_eq!(get(&fake, "/v1/datasets")["datasets"].as_array().map(Vec::len), Some(2));
    assert_eq!(get(&fake, "/v1/datasets?dataset_id=d-3")["datasets"], json!([]));
    let found = get(&fake, "/v1/datapoints/p%202");
    assert_eq!(found["datapoint"][0]["inputs"]["a"], 2);
    assert_eq!(found["datapoint"][0]["ground_truth"], Value::Null);
    let found = get(&fake, "/v1/datapoints?datapoint_ids[]=p-1&datapoint_ids%5B%5D=p-3");
    assert_eq!(found["datapoints"][0]["ground_truth"], json!({"b": 2}));
    assert_eq!(found["datapoints"].as_array().map(Vec::len), Some(1));
    let found = get(&fake, "/v1/datapoints?dataset_name=cities");
    assert_eq!(found["datapoints"].as_array().map(Vec::len), Some(2));
    for target in ["GET /v1/datapoints/p-3".to_owned(), format!("GET /v1/runs/{RUN}")] {
        assert_eq!(Call::rest(&fake, &target, None).send(&fake).status, 404);
    }
    fake.assert_clean();
    let ids = ["datapoint_ids[]=p-1&"; 101].concat();
    let call = Call::rest(&fake, &format!("GET /v1/datapoints?{ids}"), None);
    assert_refused(&fake, &call, 400, "101 ids at once");
}

#[test]
fn ids_of_the_servers_are_the_ones_that_count() {
    let fake = Fake::builder().server_run_id(OTHER).server_session_ids().start();
    assert_eq!(ok(&fake, "POST /v1/runs", &run())["run_id"], OTHER);
    assert_eq!(ok(&fake, "POST /v1/runs", &run())["run_id"], OTHER);
    let reason = format!("run {RUN} was told that its id is {OTHER}");
    let call = Call::rest(&fake, "POST /v1/sessions", Some(&session()));
    assert_refused(&fake, &call, 400, &reason);
    let kind = format!("PUT /v1/runs/{RUN}");
    let call = Call::rest(&fake, &kind, Some(&json!({"status": "completed"})));
    assert_refused(&fake, &call, 404, &reason);
    let session = changed(session(), "/metadata/run_id", json!(OTHER));
    let id = Fake::server_session_id(SESSION);
    assert_ne!(id, SESSION);
    for _ in 0..2 {
        assert_eq!(ok(&fake, "POST /v1/sessions", &session)["session_id"], *id);
    }
    let call = Call::rest(&fake, "PUT /events", Some(&session_update()));
    assert_refused(&fake, &call, 400, &format!("session {SESSION} was told that its id is {id}"));
    ok(&fake, "PUT /events", &changed(session_update(), "/event_id", json!(id)));
    assert_eq!(fake.sessions().len(), 1);
    assert_eq!(fake.updates().keys().collect::<Vec<_>>(), [&id]);
}

#[test]
fn a_result_may_take_its_time() {
    let body = json!({"status": "completed", "success": true, "surprise": [null]});
    let fake = with_session(Fake::builder().result(body.clone()).result_after(2).start());
    let target = format!("/v1/runs/{RUN}/result?aggregate_function=p95");
    for _ in 0..2 {
        let early = get(&fake, &target);
        assert_eq!((&early["status"], &early["datapoints"]), (&json!("pending"), &json!([])));
        assert_eq!(early["metrics"]["aggregation_function"], "p95");
    }
    assert_eq!(get(&fake, &target), body);
    assert_eq!(fake.runs()[0].polls, 3);
}

#[test]
fn runs_are_compared() {
    let fake = with_session(Fake::start());
    let other = changed(run(), "/run_id", json!(OTHER));
    let other = changed(other, "/datapoint_ids", json!(["EXT-cities-rome", "EXT-cities-oslo"]));
    ok(&fake, "POST /v1/runs", &other);
    let found = get(&fake, &format!("/v1/runs/{OTHER}/compare-with/{RUN}"));
    assert_eq!(found["commonDatapoints"], json!(["EXT-cities-rome"]));
    assert_eq!(
        (&found["old_run"]["run_id"], &found["new_run"]["run_id"]),
        (&json!(RUN), &json!(OTHER))
    );
    let missing = Call::rest(&fake, &format!("GET /v1/runs/{RUN}/compare-with/{SESSION}"), None);
    assert_eq!(missing.send(&fake).status, 404);
    fake.assert_clean();
}
