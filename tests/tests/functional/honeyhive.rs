//! What HoneyHive is told of a run.

use honeyhive_tests::{Fake, Project};

const EVALS: &str = r#"
use honeyhive_harness::{evaluator, experiment, Tracer};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data/rows.jsonl", evaluators(correct), gate(mean(correct) >= 0.1))]
fn capital(country: &str, tracer: &Tracer) -> String {
    drop(tracer.start_span("lookup"));
    if country == "France" { "Paris".to_owned() } else { "Milan".to_owned() }
}

honeyhive_harness::main!();
"#;

const ROWS: &str = r#"{"id": "fr", "inputs": {"country": "France"}, "ground_truth": "Paris"}
{"id": "it", "inputs": {"country": "Italy"}, "ground_truth": "Rome"}
"#;

#[test]
fn a_run_appears_with_its_sessions_and_spans() {
    let fake = Fake::start();
    let project = Project::with_evals("honeyhive", EVALS).file("data/rows.jsonl", ROWS);
    let run = project.evals([""]).env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.runs().len(), 1);
    assert_eq!(fake.runs()[0].status, "completed");
    assert_eq!(fake.sessions().len(), 2);
    // Function, lookup, evaluator.
    assert_eq!(fake.spans().len(), 6);
    assert_eq!(fake.updates().len(), 2);
}
