//! Tests that features of `serde_json` which other crates of a build turn on do not change the
//! results.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use honeyhive_tests::{Fake, Project, Run};
use serde_json::Value;

/// The features that an application with exact decimal numbers turns on.
const FEATURES: [&str; 5] =
    ["arbitrary_precision", "preserve_order", "raw_value", "float_roundtrip", "unbounded_depth"];

const ROWS: &str = r#"{"id":"half","inputs":{"x":0.5,"b":{"z":1,"a":2}},"ground_truth":0.5,"metadata":{"z":2.50,"a":1e2}}
{"id":"exp","inputs":{"x":1e2,"b":18446744073709551616},"ground_truth":100}
{"inputs":{"x":1.0,"b":-0},"ground_truth":1}
{"inputs":{"x":2.50,"b":[1E-7,0.1234567890123456789]},"ground_truth":2.5}
{"id":12345678901234567890123,"x":3,"b":null}
"#;

const CELLS: &str = "id,x,b\none,1.50,\"{\"\"z\"\":1e2,\"\"a\"\":2.50}\"\ntwo,1e2,12.0\n";

const EVALS: &str = r#"
use honeyhive_harness::{Datapoint, Enrichment, Score, enrich_session, enrich_span, evaluator, experiment};
use serde_json::{Value, json};

#[evaluator]
fn score(x: f64) -> f64 {
    if x == 0.5 { 0.5 } else { 0.75 }
}

#[evaluator(threshold = 0.1)]
fn judged(output: Value, x: f64) -> Score {
    let same = output["x"].as_f64() == Some(x);
    Score::new(if same { 0.9 } else { 0.0 }).metadata("weight", 2.5).metadata("a", json!({"z": 1, "a": 1e2}))
}

fn output(x: f64, b: Option<Value>) -> Value {
    enrich_span(Enrichment::new().metric("z", x).metric("a", 0.1_f32).metadata("m", json!({"z": x, "a": 1})));
    enrich_session(Enrichment::new().metadata("z", x).metadata("a", 1e2));
    json!({"x": x, "b": b, "list": [1.0, 1e300, u64::MAX, -0.0]})
}

#[experiment(
    dataset = "data/rows.jsonl",
    evaluators(score, judged),
    metadata(version = 2.5, model = "m", a = 1),
    gate(mean(score) >= 0.4, no_regression(score)),
    baseline = "data/accepted.json",
)]
fn rows(x: f64, b: Option<Value>) -> Value {
    output(x, b)
}

#[experiment(dataset = "data/cells.csv", evaluators(score, judged))]
fn cells(x: f64, b: Option<Value>) -> Value {
    output(x, b)
}

fn built() -> Vec<Datapoint> {
    let parsed: Value = serde_json::from_str("{\"z\":1e2,\"a\":2.50}").unwrap();
    vec![
        Datapoint::new().input("x", 1.5).input("b", parsed.clone()).metadata("m", parsed),
        serde_json::from_str("{\"x\":1e2,\"b\":{\"z\":1.0,\"a\":1}}").unwrap(),
    ]
}

#[experiment(dataset = built, evaluators(score, judged))]
fn functions(x: f64, b: Option<Value>) -> Value {
    output(x, b)
}

honeyhive_harness::main!();
"#;

fn project(name: &str, serde_json: &str) -> Project {
    Project::with_evals(name, EVALS)
        .manifest(&format!(
            "[dev-dependencies]\nhoneyhive-harness = {{ path = 'HARNESS' }}\nserde_json = {serde_json}\n"
        ))
        .file("data/rows.jsonl", ROWS)
        .file("data/cells.csv", CELLS)
}

static PLAIN: LazyLock<Project> = LazyLock::new(|| project("features-none", "\"1\""));

static FULL: LazyLock<Project> = LazyLock::new(|| {
    let features = FEATURES.map(|feature| format!("{feature:?}")).join(", ");
    project("features-all", &format!("{{ version = \"1\", features = [{features}] }}"))
});

/// Runs the project, and sends the results to a server.
fn run(project: &Project) -> (Run, Fake) {
    let fake = Fake::start();
    let run = project
        .evals([] as [&str; 0])
        .env("HH_API_KEY", fake.key())
        .env("HH_API_URL", fake.url())
        .env("HH_REPORT", "html,md,junit,json")
        .run();
    fake.assert_clean();
    (run, fake)
}

/// Removes the parts of a value that differ from run to run.
fn steady(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                let parts =
                    ["_ms", "_at", "_id", "hash", "time", "duration", "latency", "invocation"];
                let names = [
                    "start",
                    "end",
                    "package",
                    "service",
                    "target",
                    "targets",
                    "spans",
                    "directory",
                    "pid",
                ];
                let is_datapoint = key.starts_with("datapoint_id") || key == "dataset_id";
                if !is_datapoint
                    && (parts.iter().any(|part| key.contains(part))
                        || names.contains(&key.as_str())
                        || key.ends_with("_s"))
                {
                    *value = Value::Null;
                }
                steady(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        _ => {}
    }
}

/// Returns each attempt of the journal as text, so that digits and the order of keys count.
fn attempts(run: &Run) -> BTreeMap<String, String> {
    let attempts = run.attempts().into_iter().map(|attempt| {
        let name = format!("{}::{}", attempt.experiment, attempt.case);
        let spans: Vec<String> = attempt
            .spans
            .iter()
            .map(|span| {
                let own = span.attributes.iter().filter(|(key, _)| {
                    ["metrics", "metadata", "score", "inputs", "outputs"]
                        .iter()
                        .any(|part| key.contains(part))
                        && !key.contains("duration")
                        && !key.contains("_id")
                });
                format!("{} {:?}", span.name, own.collect::<Vec<_>>())
            })
            .collect();
        let mut value = serde_json::to_value(&attempt).expect("a record");
        steady(&mut value);
        (name, format!("{value} {spans:?}"))
    });
    attempts.collect()
}

/// Returns all lines of the journal, as they were written.
fn journal_text(run: &Run) -> String {
    let files = run.invocations().into_iter().flat_map(|directory| {
        let entries = fs::read_dir(directory).expect("a directory");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let journals = files.filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"));
    journals.map(|path| fs::read_to_string(path).expect("a journal")).collect()
}

#[test]
fn features_of_serde_json_change_nothing() {
    let ((plain, plain_fake), (full, full_fake)) = (run(&PLAIN), run(&FULL));
    assert_eq!(plain.tests(), full.tests(), "{}\n{}", plain.output(), full.output());
    assert_eq!(plain.code, full.code);
    // This process parses the files, so the written bytes are compared, too.
    let (one, other) = (attempts(&plain), attempts(&full));
    assert_eq!(one.len(), 9);
    for (name, attempt) in &one {
        assert_eq!(attempt, &other[name], "{name}");
    }
    let lines = |run: &Run| -> Vec<String> {
        let text = journal_text(run);
        let attempts = text.lines().filter(|line| line.contains("\"type\":\"attempt\""));
        let part = |line: &str, key: &str, end: &str| {
            let from = line.find(key).unwrap_or_else(|| panic!("no {key} in {line}"));
            line[from..].split(end).next().unwrap_or_default().to_owned()
        };
        let mut lines: Vec<String> = attempts
            .map(|line| {
                part(line, "\"inputs\":", ",\"enrichment\"")
                    + &part(line, "\"enrichment\":", ",\"scores\"")
            })
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&plain), lines(&full));
    // The reports are compared.
    let report = |run: &Run, file: &str| run.report_file(file);
    for file in ["report.html", "junit.xml", "summary.md"] {
        assert!(!report(&plain, file).is_empty() && !report(&full, file).is_empty(), "{file}");
    }
    let results = |run: &Run| -> Vec<String> {
        let text = report(run, "results.jsonl");
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| {
                let mut value: Value = serde_json::from_str(line).expect("a line of JSON");
                steady(&mut value);
                value.to_string()
            })
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(results(&plain), results(&full));
    // The requests to the server are compared.
    let sessions = |fake: &Fake| -> Vec<String> {
        let mut told: Vec<String> = fake
            .requests()
            .iter()
            .filter(|request| !request.kind.contains("traces"))
            .filter_map(|request| {
                let mut body: Value = serde_json::from_slice(&request.body).ok()?;
                steady(&mut body);
                Some(format!("{} {body}", request.kind))
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(sessions(&plain_fake), sessions(&full_fake));
    assert_eq!(plain_fake.spans().len(), full_fake.spans().len());
    assert!(!full_fake.spans().is_empty());
}
