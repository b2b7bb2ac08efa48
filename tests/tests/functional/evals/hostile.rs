//! Experiments with rows whose fields contain commands for a terminal or a CI runner.

use honeyhive_harness::{Score, evaluator, experiment, trace};

#[evaluator]
fn right(output: &serde_json::Value, ground_truth: &str) -> Score {
    let said = output["said"].as_str().unwrap_or_default();
    Score::new(said == ground_truth && said == "never")
        .explanation(format!("it said {said}"))
        .label(said)
        .metadata("said", said)
}

#[evaluator]
fn talks(output: &serde_json::Value) -> Result<f64, String> {
    let said = output["said"].as_str().unwrap_or_default();
    if said.len() % 2 == 0 { Err(format!("cannot judge {said}")) } else { Ok(0.5) }
}

#[trace(event_type = "tool")]
fn look_up(text: &str) -> String {
    text.to_owned()
}

/// Returns its input, also as the name of a field.
#[experiment(
    dataset = "data/rows.jsonl",
    evaluators(right, talks),
    gate(mean(right) >= 0.9, no_regression(right), error_rate <= 0.1),
    metadata(model = "a\n::error::model\u{1b}[31m"),
    tags("##[group]tag\u{9b}31m"),
)]
fn says(text: &str) -> serde_json::Value {
    let text = look_up(text);
    serde_json::json!({ "said": text, text.as_str(): text })
}

#[experiment(dataset = "data/rows.jsonl", evaluators(right))]
fn fails(text: &str) -> Result<serde_json::Value, String> {
    Err(text.to_owned())
}

#[experiment(dataset = "data/rows.jsonl", evaluators(right))]
fn panics(text: &str) -> serde_json::Value {
    panic!("{text}")
}

/// An experiment with a hostile file name and a row that cannot be read.
#[experiment(dataset = "data/\u{1b}[31m\n::error::name\u{9b}##[x].jsonl", evaluators(right))]
fn named(text: &str) -> serde_json::Value {
    text.into()
}

#[experiment(dataset = "data/no\n::error::such\u{1b}[31m.jsonl", evaluators(right))]
fn missing(text: &str) -> serde_json::Value {
    text.into()
}

honeyhive_harness::main!();
