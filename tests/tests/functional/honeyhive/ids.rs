//! Tests external ids: those of this crate, and those of the Python SDK.

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::{CAPITALS, bodies, evals};

/// Returns the ids of the dataset and of its rows, from the request that creates the run.
fn ids(variables: &[(&str, &str)]) -> (Value, Value) {
    let fake = Fake::start();
    let mut cargo = evals(&fake, "ids");
    for (name, value) in variables {
        cargo = cargo.env(name, *value);
    }
    let run = cargo.run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let body = bodies(&fake, "POST /v1/runs").remove(0);
    (body["metadata"]["offline_dataset_id"].clone(), body["datapoint_ids"].clone())
}

#[test]
fn check_06_ids_as_the_python_sdk_makes_them() {
    // The expected ids come from `hashlib` and `json.dumps(.., sort_keys=True)`;
    // `tests/identity.rs` compares many more with Python.
    let (dataset, rows) = ids(&[("HH_EXT_IDS", "python")]);
    assert_eq!(dataset, "EXT-b9c10dbbe5b1ae4e");
    assert_eq!(rows, json!(["EXT-own", "EXT-own-2", "EXT-second", "EXT-a9dc2ee4b4347528"]));
}

#[test]
fn check_07_ids_of_rows() {
    // Differs from the SDK (see above): an id contains the dataset, and a row without an id has the
    // hash of its inputs.
    let (dataset, rows) = ids(&[]);
    assert_eq!(dataset, "EXT-ids");
    assert_eq!(rows[0], "EXT-ids-own");
    assert_eq!(rows[1], "EXT-own-2");
    assert_eq!(rows[2], "EXT-ids-second");
    let hash = rows[3].as_str().and_then(|id| id.strip_prefix("EXT-ids-")).unwrap_or_default();
    assert!(hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{rows}");
}

#[test]
fn an_external_id_is_never_a_dataset_of_honeyhive() {
    let (fake, _) = &*CAPITALS;
    assert_eq!(fake.runs()[0].created.get("dataset_id"), None);
}

#[test]
fn check_44_bare_variables_do_nothing() {
    let fake = Fake::start();
    let other = "99999999-2222-4333-8444-555555555555";
    let run = evals(&fake, "capitals")
        .env("RUN_ID", other)
        .env("SESSION_ID", other)
        .env("DATASET_ID", other)
        .env("DATAPOINT_ID", other)
        .env("HH_SESSION_ID", other)
        .env("HH_DATASET_ID", other)
        .env("HH_DATAPOINT_ID", other)
        .run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    for request in fake.requests() {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!text.contains(other), "{} has it", request.kind);
    }
    assert_eq!(fake.sessions().len(), 3);
}
