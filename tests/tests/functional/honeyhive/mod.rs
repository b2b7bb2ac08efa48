//! Tests the data that HoneyHive receives of a run: the real `cargo test` against a strict server.
//!
//! `check_<number>_..` are the checks by which this crate and HoneyHive's Python SDK are compared.
//! Where this crate intentionally differs, the test checks its own behaviour, and a comment says
//! so.

mod again;
mod client;
mod failures;
mod ids;
mod processes;
mod push;
mod runs;
mod scores;
mod sessions;
mod settings;
mod spans;

use std::sync::LazyLock;
use std::time::Instant;

use honeyhive_tests::fake::StoredSpan;
use honeyhive_tests::{Cargo, Fake, Project, Run};
use serde_json::Value;

const ROWS: &str = r#"{"id": "fr", "inputs": {"country": "France"}, "ground_truth": "Paris", "metadata": {"region": "eu"}, "tags": ["easy"]}
{"id": "it", "inputs": {"country": "Italy"}, "ground_truth": "Rome"}
{"id": "EXT-de", "inputs": {"country": "Germany"}, "ground_truth": "Berlin"}
"#;

/// Rows with ids of all kinds; their values are those that Python and other languages print
/// differently.
const IDS: &str = r#"{"id": "own", "inputs": {"n": 1}}
{"id": "EXT-own-2", "inputs": {"n": 2}}
{"datapoint_id": "second", "inputs": {"n": 3}}
{"inputs": {"n": 4, "text": "\u00fc 😀", "deep": {"b": [1.0, 1e-7], "a": null}}}
"#;

const CHATS: &str = r#"{"id": "own", "inputs": {"n": 1}, "history": [{"role": "user", "content": "hello"}]}
{"id": "taken", "inputs": {"n": 2, "history": "mine"}, "history": [{"role": "user", "content": "hello"}]}
"#;

/// A project with the experiments of `evals`, and a target with a single experiment. It is built in
/// advance, since tests measure how long a run takes.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let project = Project::with_evals("honeyhive", include_str!("../evals/honeyhive.rs"))
        .target("single", SINGLE)
        .file("data/rows.jsonl", ROWS)
        .file("data/ids.jsonl", IDS)
        .file("data/chats.jsonl", CHATS)
        .file("data/empty.jsonl", "");
    project.cargo(["metadata", "--no-deps", "--format-version=1"]);
    project
});

const SINGLE: &str = r#"
use honeyhive_harness::{Datapoint, evaluator, experiment};

fn two() -> Vec<Datapoint> {
    (1..=2).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n)).collect()
}

#[evaluator]
fn fine(output: u32) -> bool {
    output > 0
}

#[experiment(dataset = two, evaluators(fine))]
fn alone(n: u32) -> u32 {
    n
}

honeyhive_harness::main!();
"#;

/// Builds the project if necessary, and returns the time.
fn begin() -> Instant {
    LazyLock::force(&PROJECT);
    Instant::now()
}

/// Creates the `cargo test` of one experiment, with this server.
fn evals(fake: &Fake, experiment: &str) -> Cargo<'static> {
    to(fake, PROJECT.evals([format!("{experiment}::")]))
}

/// Creates the `cargo test` of the target with one experiment, with this server.
fn single(fake: &Fake) -> Cargo<'static> {
    to(fake, PROJECT.cargo_test(["--test", "single"]))
}

fn to(fake: &Fake, cargo: Cargo<'static>) -> Cargo<'static> {
    cargo.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url())
}

/// Runs an experiment whose data must all arrive without a fault.
fn sent(experiment: &str) -> (Fake, Run) {
    let fake = Fake::start();
    let run = evals(&fake, experiment).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    (fake, run)
}

/// The run that most tests use.
static CAPITALS: LazyLock<(Fake, Run)> = LazyLock::new(|| sent("capitals"));

/// Returns the line at the end that says what was sent.
fn line(run: &Run) -> String {
    let mut lines = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("sent ") || line.starts_with("nothing to send "));
    let found = lines.next().unwrap_or_else(|| panic!("nothing about sending:\n{}", run.output()));
    assert_eq!(lines.next(), None, "one line is enough:\n{}", run.output());
    found.to_owned()
}

/// Returns the line about sending, with placeholders for the server and the ids.
fn normal_line(fake: &Fake, run: &Run) -> String {
    let mut text = line(run).replace(&fake.url(), "<url>");
    for stored in fake.runs() {
        text = text.replace(&stored.id, "<run>");
    }
    let invocation = run.invocations();
    let name = invocation[0].file_name().expect("a name").to_string_lossy();
    text.replace(&*name, "<invocation>")
}

/// Returns the text on standard error, without cargo's messages about the crates.
fn aside(run: &Run) -> &str {
    let after = |text: &str| run.stderr.rsplit_once(text).map(|(_, rest)| rest);
    after("generated 1 warning\n").or(after(" warnings\n")).unwrap_or(&run.stderr)
}

/// Returns the text of a panic without its line.
fn without_line(run: &Run, text: &Value) -> String {
    run.normalize(text.as_str().unwrap_or_default()).trim_end().to_owned()
}

/// Returns the bodies of all requests of a kind.
fn bodies(fake: &Fake, kind: &str) -> Vec<Value> {
    let requests = fake.requests().into_iter().filter(|request| request.kind == kind);
    requests.map(|request| request.json().expect("a JSON body")).collect()
}

/// Returns the root span of the session of a datapoint.
fn root(fake: &Fake, datapoint: &str) -> StoredSpan {
    let of = |span: &StoredSpan| {
        let id = span.attributes["honeyhive_metadata.datapoint_id"].as_str();
        span.parent_span_id.is_none() && id.is_some_and(|id| id.ends_with(datapoint))
    };
    fake.spans().into_iter().find(of).unwrap_or_else(|| panic!("no root span of {datapoint}"))
}

fn span(fake: &Fake, name: &str) -> StoredSpan {
    let found = fake.spans().into_iter().find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("no span {name}"))
}

/// Returns the update at the end of the session of a datapoint.
fn update(fake: &Fake, datapoint: &str) -> Value {
    let of = |id: &&str| id.ends_with(datapoint);
    let session = fake
        .sessions()
        .into_iter()
        .find(|session| session.body["metadata"]["datapoint_id"].as_str().as_ref().is_some_and(of));
    let session = session.unwrap_or_else(|| panic!("no session of {datapoint}"));
    let updates = fake.updates();
    let of_session = &updates[&session.id];
    assert_eq!(of_session.len(), 1, "{of_session:?}");
    of_session[0].body.clone()
}
