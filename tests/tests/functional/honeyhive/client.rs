//! Tests the API client without a run.

use std::time::Duration;

use honeyhive_harness::HoneyHive;
use honeyhive_harness::api::{NewRun, RunStatus};
use honeyhive_tests::Fake;
use serde_json::json;

fn client(fake: &Fake) -> HoneyHive {
    HoneyHive::builder()
        .api_key(fake.key())
        .server_url(fake.url())
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client")
}

fn new_run(number: u8, datapoints: &[&str]) -> NewRun {
    let object = |value: serde_json::Value| value.as_object().cloned();
    NewRun {
        run_id: Some(format!("{number:08}-2222-4333-8444-555555555555")),
        name: Some(format!("run {number}")),
        status: Some(RunStatus::Pending),
        metadata: object(json!({"offline_dataset_id": "EXT-d"})),
        event_ids: Some(Vec::new()),
        configuration: object(json!({})),
        datapoint_ids: Some(datapoints.iter().map(|id| (*id).to_owned()).collect()),
        ..NewRun::default()
    }
}

#[tokio::test]
async fn check_10_headers_of_every_request() {
    let fake = Fake::start();
    let client = client(&fake);
    let created = client.runs().create(&new_run(1, &["a"])).await.expect("a run");
    client.runs().get(&created.run_id).await.expect("the run");
    client.runs().result(&created.run_id, "average").await.expect("its result");
    fake.assert_clean();
    fake.assert_stamps_in_order();
    for request in fake.requests() {
        let header = |name| request.header(name);
        assert_eq!(header("authorization"), Some(&*format!("Bearer {}", fake.key())));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(header("accept"), Some("application/json"));
        assert_eq!(header("hh-client-version"), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(header("hh-client-language"), Some("rust"));
        assert_eq!(header("hh-client-package"), Some("honeyhive-harness"));
        let stamp = header("hh-client-timestamp").unwrap_or_default();
        assert!(stamp.len() == 19 && stamp.bytes().all(|b| b.is_ascii_digit()), "{stamp}");
    }
    assert_eq!(fake.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn check_48_two_runs_are_compared() {
    let fake = Fake::start();
    let client = client(&fake);
    let old = client.runs().create(&new_run(1, &["a", "b", "c"])).await.expect("a run");
    let new = client.runs().create(&new_run(2, &["b", "c", "d"])).await.expect("a run");
    let compared =
        client.runs().compare(&new.run_id, &old.run_id, "average").await.expect("a comparison");
    fake.assert_clean();
    assert_eq!(compared.common_datapoints, ["b", "c"]);
    let body = json!({
        "metrics": [
            {"metric_name": "up", "improved_count": 2, "degraded_count": 0, "later": 1},
            {"metric_name": "down", "improved_count": 0, "degraded_count": 1, "old_aggregate": null},
            {"metric_name": "both", "improved_count": 1, "degraded_count": 1},
            {"metric_name": "same", "improved_count": 0, "degraded_count": 0, "same_count": 3},
        ],
        "commonDatapoints": ["a"], "event_details": [], "old_run": {}, "new_run": {},
    });
    let compared: honeyhive_harness::api::RunComparison =
        serde_json::from_value(body).expect("a comparison");
    let names = |changes: Vec<&honeyhive_harness::api::MetricChange>| -> Vec<String> {
        changes.iter().map(|change| change.metric_name.clone()).collect()
    };
    assert_eq!(names(compared.improved().collect()), ["up", "both"]);
    assert_eq!(names(compared.degraded().collect()), ["down", "both"]);
}

#[tokio::test]
async fn check_52_a_result_may_have_more_and_less() {
    let fake = Fake::builder()
        .result(json!({
            "status": "completed", "success": true, "surprise": [1],
            "passed": ["a"], "failed": [],
            "metrics": {"aggregation_function": "average", "details": [
                {"metric_name": "m", "aggregate": null, "values": [], "more": {}},
            ]},
            "datapoints": [{"session_id": "s", "passed": true, "metrics": null}],
            "event_details": [], "run_object": {"anything": 1},
        }))
        .start();
    let client = client(&fake);
    let created = client.runs().create(&new_run(1, &["a"])).await.expect("a run");
    let result = client.runs().result(&created.run_id, "average").await.expect("a result");
    fake.assert_clean();
    assert_eq!(result.metric("m").map(|metric| metric.aggregate), Some(None));
    assert_eq!(result.datapoints[0].datapoint_id, None);
}
