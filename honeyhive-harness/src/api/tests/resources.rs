//! Tests the paths, bodies and answers of each call.

use serde_json::{Value, json};

use super::server::{Answer, Seen, Server, answer};
use super::{KEY, client, client_of, ingestion_key};
use crate::api::{
    ApiErrorKind, ComparedEvents, DateRange, EventBatch, EventFilter, EventQuery, EventType,
    EventUpdate, Family, HoneyHive, Mapping, NewDatapoint, NewDatapointBatch, NewDataset, NewEvent,
    NewRun, NewSession, Object, RunFilter, RunStatus, RunUpdate,
};

fn object(value: Value) -> Option<Object> {
    serde_json::from_value(value).unwrap()
}

fn all_keys(server: &Server) -> Vec<(String, bool)> {
    let ingestion = format!("Bearer {}", ingestion_key());
    let project = format!("Bearer {KEY}");
    let which = |seen: &Seen| match seen.header("authorization") {
        key if key == ingestion => true,
        key => {
            assert_eq!(key, project);
            false
        }
    };
    server.seen().iter().map(|seen| (seen.line.clone(), which(seen))).collect()
}

fn echo_ids(_: &Seen, _: usize) -> Answer {
    answer(200, json!({"session_id": "theirs", "event_id": "e1", "success": true, "new": [1]}))
}

async fn write_everything(client: &HoneyHive) {
    let session = NewSession {
        session_id: Some("s1".to_owned()),
        session_name: Some("qa-1".to_owned()),
        source: Some("evaluation".to_owned()),
        inputs: object(json!({"q": "?"})),
        metadata: object(json!({"run_id": "r1"})),
        ..NewSession::default()
    };
    let started = client.sessions().start(&session).await.unwrap();
    assert_eq!(started.session_id, "theirs");
    let event = NewEvent {
        event_type: EventType::Chain,
        event_id: Some("e1".to_owned()),
        outputs: object(json!({"result": 1})),
        ..NewEvent::default()
    };
    assert_eq!(client.events().create(&event).await.unwrap(), "e1");
    let update = EventUpdate {
        event_id: "e1".to_owned(),
        feedback: object(json!({"ground_truth": "x"})),
        ..EventUpdate::default()
    };
    client.events().update(&update).await.unwrap();
    let batch = EventBatch { events: vec![event], ..EventBatch::default() };
    client.events().create_batch(&batch).await.unwrap();
    let query = EventQuery {
        filters: vec![EventFilter {
            field: "metadata.run_id".to_owned(),
            operator: "is".to_owned(),
            value: json!("r1"),
            kind: "string".to_owned(),
        }],
        date_range: Some(DateRange { from: Some("2026-01-01T00:00:00Z".to_owned()), to: None }),
        limit: Some(10),
        ..EventQuery::default()
    };
    client.events().export(&query).await.unwrap();
    client.events().search(&query).await.unwrap();
}

#[tokio::test]
async fn the_family_of_today_wraps_its_bodies() {
    let server = Server::start(echo_ids);
    write_everything(&client_of(&server, Family::Legacy)).await;
    let mine = |line: &str| (line.to_owned(), true);
    assert_eq!(
        all_keys(&server),
        [
            mine("POST /session/start"),
            mine("POST /events"),
            mine("PUT /events"),
            mine("POST /events/batch"),
            ("POST /v1/events/export".to_owned(), false),
            ("POST /v1/events/search".to_owned(), false),
        ]
    );
    let bodies: Vec<Value> = server.seen().iter().map(Seen::json).collect();
    assert_eq!(
        bodies[0],
        json!({"session": {
            "session_id": "s1", "session_name": "qa-1", "source": "evaluation",
            "inputs": {"q": "?"}, "metadata": {"run_id": "r1"},
        }})
    );
    let event = json!({
        "event_type": "chain", "event_id": "e1", "inputs": {}, "outputs": {"result": 1},
    });
    assert_eq!(bodies[1], json!({"event": event}));
    assert_eq!(bodies[2], json!({"event_id": "e1", "feedback": {"ground_truth": "x"}}));
    assert_eq!(bodies[3], json!({"events": [event]}));
    assert_eq!(
        bodies[4],
        json!({
            "filters": [
                {"field": "metadata.run_id", "operator": "is", "value": "r1", "type": "string"},
            ],
            "dateRange": {"$gte": "2026-01-01T00:00:00Z"},
            "limit": 10,
        })
    );
}

#[tokio::test]
async fn the_family_to_come_does_not() {
    let server = Server::start(echo_ids);
    write_everything(&client_of(&server, Family::V1)).await;
    let lines = server.lines();
    assert_eq!(
        lines[..4],
        ["POST /v1/sessions", "POST /v1/events", "PUT /v1/events/e1", "POST /v1/events/batch"]
    );
    let bodies: Vec<Value> = server.seen().iter().map(Seen::json).collect();
    assert_eq!(bodies[0]["session_id"], "s1");
    assert_eq!(bodies[1]["event_id"], "e1");
}

#[tokio::test]
async fn runs() {
    let server = Server::start(|seen, _| {
        answer(
            200,
            match seen.line.as_str() {
                "POST /v1/runs" => json!({"run_id": null, "evaluation": {"run_id": "theirs"}}),
                line if line.starts_with("GET /v1/runs/r1/result") => json!({
                    "status": "archived", "success": null, "passed": ["d1"], "failed": null,
                    "metrics": {"aggregation_function": "average", "details": [
                        {"metric_name": "correct", "aggregate": 0.5, "values": [0, 1], "x": 1},
                        {"metric_name": "label", "aggregate": null, "datapoints": null},
                    ]},
                    "datapoints": [{"session_id": "s1", "passed": true, "metrics": [
                        {"name": "correct", "value": true},
                    ]}],
                    "run_object": {"run_id": "r1", "status": "running", "metadata": null},
                }),
                line if line.starts_with("GET /v1/runs/new/compare-with/old") => json!({
                    "metrics": [
                        {"metric_name": "a", "improved_count": 2, "degraded_count": null,
                         "old_aggregate": 0.1, "new_aggregate": 0.2, "found_count": 3},
                        {"metric_name": "b", "degraded_count": 1, "percentage_change": "n/a"},
                    ],
                    "commonDatapoints": ["d1", "d2"], "old_run": {}, "new_run": null,
                }),
                line if line.starts_with("GET /v1/runs/compare/events") => json!({
                    "events": [{"datapoint_id": "d1", "event_1": {"event_id": "e"},
                                "event_2": null}],
                    "totalEvents": 1,
                }),
                "GET /v1/runs/r1/metrics" => json!({"events": [
                    {"event_name": "f", "event_type": "chain", "session_id": "s1",
                     "metrics": {"correct": true}},
                ], "totalEvents": 1}),
                "GET /v1/runs/r1" => json!({"evaluation": {"run_id": "r1", "event_ids": null}}),
                line if line.starts_with("PUT") => json!({"evaluation": {}, "warning": "odd"}),
                _ => json!({"id": "r1", "deleted": true}),
            },
        )
    });
    let client = client(&server);
    let run = NewRun {
        run_id: Some("ours".to_owned()),
        status: Some(RunStatus::Pending),
        event_ids: Some(Vec::new()),
        metadata: object(json!({"offline_dataset_id": "EXT-qa"})),
        ..NewRun::default()
    };
    assert_eq!(client.runs().create(&run).await.unwrap().run_id, "theirs");
    let update = RunUpdate { status: Some(RunStatus::Failed), ..RunUpdate::default() };
    let updated = client.runs().update("r1", &update).await.unwrap();
    assert_eq!(updated.warning.as_deref(), Some("odd"));
    assert_eq!(client.runs().get("r1").await.unwrap().run_id, "r1");
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(
        bodies,
        [
            r#"{"run_id":"ours","status":"pending","metadata":{"offline_dataset_id":"EXT-qa"},"event_ids":[]}"#,
            r#"{"status":"failed"}"#,
            "",
        ]
    );

    let result = client.runs().result("r1", "p95").await.unwrap();
    assert_eq!(result.status, RunStatus::Other("archived".to_owned()));
    assert_eq!(result.metric("correct").unwrap().aggregate, Some(0.5));
    assert_eq!(result.metric("label").unwrap().aggregate, None);
    assert_eq!(result.datapoints[0].datapoint_id, None);
    assert_eq!(result.datapoints[0].metrics[0].value, true);
    assert_eq!(result.run_object.unwrap().status, RunStatus::Running);

    let change = client.runs().compare("new", "old", "average").await.unwrap();
    assert_eq!(change.common_datapoints.len(), 2);
    let names = |metrics: Vec<&crate::api::MetricChange>| -> Vec<String> {
        metrics.iter().map(|metric| metric.metric_name.clone()).collect()
    };
    assert_eq!(names(change.improved().collect()), ["a"]);
    assert_eq!(names(change.degraded().collect()), ["b"]);
    let which = ComparedEvents { event_type: Some(EventType::Chain), ..ComparedEvents::default() };
    let pairs = client.runs().compare_events("new", "old", &which).await.unwrap();
    assert!(pairs.events[0].event_1.is_some() && pairs.events[0].event_2.is_none());
    let metrics = client.runs().metrics("r1").await.unwrap();
    assert_eq!(metrics.events[0].metrics["correct"], true);
    client.runs().delete("r1").await.unwrap();
    assert_eq!(
        server.lines()[3..],
        [
            "GET /v1/runs/r1/result?aggregate_function=p95",
            "GET /v1/runs/new/compare-with/old?aggregate_function=average",
            "GET /v1/runs/compare/events?run_id_1=new&run_id_2=old&event_type=chain",
            "GET /v1/runs/r1/metrics",
            "DELETE /v1/runs/r1",
        ]
    );
}

#[tokio::test]
async fn lists_of_runs() {
    let server = Server::always(answer(
        200,
        json!({
            "evaluations": [{"run_id": "r1", "name": null, "status": null}],
            "pagination": {"page": 2, "total": 7, "has_next": false, "later": 1},
            "metrics": ["a"],
        }),
    ));
    let client = client(&server);
    let filter = RunFilter {
        name: Some("a & b=c".to_owned()),
        status: Some(RunStatus::Completed),
        page: Some(2),
        ..RunFilter::default()
    };
    let list = client.runs().list(&filter).await.unwrap();
    assert_eq!(list.evaluations[0].status, RunStatus::Pending);
    assert_eq!(list.pagination.unwrap().total, Some(7));
    let many = RunFilter {
        run_ids: (0..150).map(|n| n.to_string()).collect(),
        page: Some(1),
        ..RunFilter::default()
    };
    let list = client.runs().list(&many).await.unwrap();
    assert_eq!((list.evaluations.len(), list.metrics.len()), (2, 1));
    assert_eq!(list.pagination, None);
    let lines = server.lines();
    assert_eq!(lines[0], "GET /v1/runs?name=a+%26+b%3Dc&status=completed&page=2");
    assert!(lines[2].ends_with("run_ids%5B%5D=149"), "{}", lines[2]);
}

#[tokio::test]
async fn datasets() {
    let server = Server::start(|seen, _| {
        let body = match seen.line.split(['?', ' ']).next().unwrap_or_default() {
            "GET" => json!({"datasets": [{"id": "ds", "name": null, "datapoints": ["d1"]}]}),
            "PUT" => json!({"result": {"id": "ds", "name": "n"}}),
            "POST" if seen.line.ends_with("/datapoints") => {
                json!({"inserted": true, "datapoint_ids": ["d1", "d2"]})
            }
            "POST" => json!({"inserted": true, "result": {"insertedId": "ds"}}),
            _ => json!({"dereferenced": true, "message": "fine"}),
        };
        answer(200, body)
    });
    let client = client(&server);
    let datasets = client.datasets();
    assert_eq!(datasets.list(Some("ds"), None).await.unwrap()[0].datapoints, ["d1"]);
    datasets.list(None, Some("ü")).await.unwrap();
    let new = NewDataset { name: Some("n".to_owned()), ..NewDataset::default() };
    assert_eq!(datasets.create(&new).await.unwrap(), "ds");
    assert_eq!(datasets.update("ds", &new).await.unwrap().unwrap().name, "n");
    datasets.delete("ds").await.unwrap();
    let rows = [object(json!({"q": 1})).unwrap()];
    let mapping = Mapping { inputs: vec!["q".to_owned()], ..Mapping::default() };
    let added = datasets.add_datapoints("ds", &rows, &mapping).await.unwrap();
    assert_eq!(added, ["d1", "d2"]);
    datasets.remove_datapoint("ds", "d1").await.unwrap();
    let error = datasets.remove_datapoint("ds", "..").await.unwrap_err();
    assert!(matches!(error.kind(), ApiErrorKind::Address(_)), "{error}");
    assert_eq!(
        server.lines(),
        [
            "GET /v1/datasets?dataset_id=ds",
            "GET /v1/datasets?name=%C3%BC",
            "POST /v1/datasets",
            "PUT /v1/datasets",
            "DELETE /v1/datasets?dataset_id=ds",
            "POST /v1/datasets/ds/datapoints",
            "DELETE /v1/datasets/ds/d1",
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[3].json(), json!({"dataset_id": "ds", "name": "n"}));
    assert_eq!(
        seen[5].json(),
        json!({
            "data": [{"q": 1}], "mapping": {"inputs": ["q"], "history": [], "ground_truth": []},
        })
    );
}

#[tokio::test]
async fn datapoints() {
    let server = Server::start(|seen, n| {
        let one = json!({"id": "d1", "inputs": {"q": 1}, "ground_truth": null, "metadata": null});
        let body = match (seen.line.split(' ').next().unwrap_or_default(), n) {
            (_, 0) => json!({"datapoint": [one]}),
            (_, 1) => json!({"datapoint": one}),
            (_, 2) => json!({"datapoint": []}),
            ("POST", _) if seen.line.ends_with("batch") => json!({"insertedIds": ["d7", "d8"]}),
            ("POST", _) => json!({"inserted": true, "result": {"insertedIds": ["d9"]}}),
            _ => json!({"updated": true, "deleted": true}),
        };
        answer(200, body)
    });
    let client = client(&server);
    let datapoints = client.datapoints();
    for _ in 0..2 {
        let one = datapoints.get("d1").await.unwrap();
        assert_eq!((one.inputs["q"].as_i64(), one.metadata.len()), (Some(1), 0));
    }
    let error = datapoints.get("d1").await.unwrap_err();
    assert!(error.to_string().contains("GET /v1/datapoints/d1: "), "{error}");
    let new = NewDatapoint { ground_truth: Some(json!({"a": 1})), ..NewDatapoint::default() };
    assert_eq!(datapoints.create(&new).await.unwrap(), "d9");
    let batch = NewDatapointBatch { select_all: Some(true), ..NewDatapointBatch::default() };
    assert_eq!(datapoints.create_batch(&batch).await.unwrap(), ["d7", "d8"]);
    datapoints.update("d9", &new).await.unwrap();
    datapoints.delete("d9").await.unwrap();
    assert_eq!(
        server.lines()[3..],
        [
            "POST /v1/datapoints",
            "POST /v1/datapoints/batch",
            "PUT /v1/datapoints/d9",
            "DELETE /v1/datapoints/d9",
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[3].body, r#"{"ground_truth":{"a":1}}"#);
    assert_eq!(seen[4].body, r#"{"selectAll":true}"#);
}

#[tokio::test]
async fn many_ids_are_asked_for_in_parts() {
    let server = Server::start(|seen, _| {
        let ids = seen.line.split("datapoint_ids%5B%5D=").skip(1);
        let found: Vec<Value> = ids.map(|id| json!({"id": id.trim_end_matches('&')})).collect();
        answer(200, json!({"datapoints": found}))
    });
    let client = client(&server);
    let ids: Vec<String> = (0..250).map(|n| format!("d{n}")).collect();
    let found = client.datapoints().list(&ids, None).await.unwrap();
    let got: Vec<String> = found.into_iter().map(|one| one.id).collect();
    assert_eq!(got, ids);
    assert_eq!(server.seen().len(), 3);
    client.datapoints().list(&[], Some("qa")).await.unwrap();
    assert_eq!(server.lines()[3], "GET /v1/datapoints?dataset_name=qa");
}
