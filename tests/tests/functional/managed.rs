//! Tests datasets that are kept in HoneyHive.

use std::sync::LazyLock;

use honeyhive_tests::{Fake, Project};
use insta::assert_snapshot;
use serde_json::json;

const EVALS: &str = r#"
use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = managed("66f1"), evaluators(correct))]
fn capital(country: &str) -> String {
    if country == "France" { "Paris".to_owned() } else { "Rome".to_owned() }
}

#[experiment(dataset = managed(name = "golden"), evaluators(correct))]
fn by_name(country: &str) -> String {
    capital(country)
}

honeyhive_harness::main!();
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| Project::with_evals("managed", EVALS));

fn server() -> honeyhive_tests::fake::Builder {
    let row = |id: &str, country: &str, capital: &str| json!({"id": id, "inputs": {"country": country}, "ground_truth": capital});
    let rows = [row("6701", "France", "Paris"), row("6702", "Italy", "Rome")];
    Fake::builder().dataset("66f1", "golden", &rows)
}

#[test]
fn it_is_fetched_run_and_named_in_the_run() {
    let fake = server().start();
    let cargo = PROJECT.evals([""]);
    let run = cargo.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let mut tests: Vec<String> = run.tests().into_keys().collect();
    tests.sort();
    assert_eq!(tests, ["by_name::6701", "by_name::6702", "capital::6701", "capital::6702"]);
    for stored in fake.runs() {
        assert_eq!(stored.created["dataset_id"], "66f1");
        assert_eq!(stored.created["datapoint_ids"], json!(["6701", "6702"]));
        assert!(stored.created["metadata"].get("offline_dataset_id").is_none());
    }
    for session in fake.sessions() {
        assert_eq!(session.body["metadata"]["dataset_id"], "66f1");
    }
}

#[test]
fn a_datapoint_that_is_gone_is_a_failing_case_and_the_others_run() {
    let fake = server().missing_datapoint("6702").start();
    let cargo = PROJECT.evals(["capital"]);
    let run = cargo.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.tests()["capital::6701"], "ok");
    let text = run.failure("capital::6702").replace(&fake.url(), "<fake>");
    assert_snapshot!(run.normalize(&text), @"
    HoneyHive's dataset golden row 2: it cannot be fetched: GET /v1/datapoints/6702: 404 Not Found: no datapoint 6702 [code FAKE_404]. There is no such thing on this server; is <fake> the right HH_API_URL, and is the id right?
    rerun: cargo test --test evals -- --exact capital::6702
    ");
}

#[test]
fn a_dataset_that_is_gone_fails_with_its_name() {
    let fake = Fake::start();
    let cargo = PROJECT.evals([""]);
    let run = cargo.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    assert_eq!(run.code, Some(101));
    assert_snapshot!(run.normalize(&run.failure("capital::dataset")), @r#"
    managed("66f1"): HoneyHive has no such dataset; it may be deleted, or of another project than HH_API_KEY's (a dataset can also be found by its name: `managed(name = "..")`)
    (dataset of `capital`, tests/evals.rs:<line>)
    "#);
    assert_snapshot!(run.normalize(&run.failure("by_name::dataset")), @r#"
    managed(name = "golden"): HoneyHive has no such dataset; it may be deleted, or of another project than HH_API_KEY's
    (dataset of `by_name`, tests/evals.rs:<line>)
    "#);
    assert!(fake.runs().is_empty());
}

#[test]
fn without_a_key_it_says_what_to_set() {
    let run = PROJECT.evals(["capital"]).run();
    assert_eq!(run.code, Some(101));
    assert_snapshot!(run.normalize(&run.failure("capital::dataset")), @r#"
    managed("66f1"): there is no API key: set HH_API_KEY, or give one to `HoneyHive::builder()`
    (dataset of `capital`, tests/evals.rs:<line>)
    "#);
}

#[test]
fn listing_and_offline_take_the_copy_that_was_fetched_last() {
    let fake = server().start();
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut cargo = PROJECT.evals(arguments.iter().copied());
        cargo = cargo.env("HH_DIR", directory.path()).env("HH_API_KEY", fake.key());
        for (name, value) in variables {
            cargo = cargo.env(name, value);
        }
        cargo.env("HH_API_URL", fake.url()).run()
    };
    let listed = |run: &honeyhive_tests::Run| -> Vec<String> {
        let lines = run.stdout.lines();
        lines.filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
    };
    let before = run(&["--list"], &[]);
    assert_eq!(listed(&before), ["capital::dataset", "by_name::dataset"]);
    assert_eq!(fake.requests().len(), 0, "listing asked the server");
    let offline = run(&["capital"], &[("HH_OFFLINE", "1")]);
    assert_eq!(offline.code, Some(101));
    assert!(offline.output().contains("was not fetched yet"), "{}", offline.output());

    assert_eq!(run(&["capital"], &[]).code, Some(0));
    let asked = fake.requests().len();
    assert_eq!(listed(&run(&["--list", "capital"], &[])), ["capital::6701", "capital::6702"]);
    let offline = run(&["capital"], &[("HH_OFFLINE", "1")]);
    assert_eq!(offline.code, Some(0), "{}", offline.output());
    assert_eq!(fake.requests().len(), asked, "something was sent or fetched while offline");
}
