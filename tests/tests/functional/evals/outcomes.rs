//! Experiments whose outcome is known. Most functions return one of their inputs.

mod probe;

use std::time::Duration;

use honeyhive_harness::{Datapoint, Score, evaluator, experiment};
use serde_json::{Value, json};

fn rows(ids: &[&str]) -> Vec<Datapoint> {
    ids.iter().map(|id| Datapoint::new().id(*id).input("answer", *id)).collect()
}

// ---- who judges ----

fn answers() -> Vec<Datapoint> {
    rows(&["bad", "down", "good", "na"])
}

#[evaluator]
fn bare(output: &str) -> bool {
    output != "bad"
}

#[evaluator]
fn optional(output: &str) -> Option<bool> {
    (output != "na").then_some(output != "bad")
}

#[evaluator]
fn fallible(output: &str) -> Result<bool, String> {
    if output == "down" { Err("the judge is down".into()) } else { Ok(output != "bad") }
}

#[evaluator]
fn fallible_option(output: &str) -> anyhow::Result<Option<bool>> {
    Ok((output != "na").then_some(output != "bad"))
}

#[evaluator]
fn scored(output: &str) -> Score {
    Score::new(output != "bad").label("a label").explanation("so it is")
}

#[evaluator]
fn optional_score(output: &str) -> Option<Score> {
    (output != "na").then(|| Score::new(output != "bad"))
}

#[evaluator]
async fn fallible_score(output: &str) -> Result<Score, String> {
    Ok(Score::new(output != "bad"))
}

#[experiment(
    dataset = answers,
    evaluators(bare, optional, fallible, fallible_option, scored, optional_score, fallible_score),
)]
fn booleans(answer: &str) -> String {
    answer.to_owned()
}

#[evaluator]
fn length(output: &str) -> usize {
    output.len()
}

#[evaluator]
fn number_score(output: &str) -> Score {
    Score::new(output.len())
}

#[experiment(dataset = answers, evaluators(length, number_score))]
fn measures(answer: &str) -> String {
    answer.to_owned()
}

#[evaluator(threshold = 4)]
fn long_enough(output: &str) -> usize {
    output.len()
}

#[evaluator(threshold = 2, direction = minimize)]
fn short_enough(output: &str) -> Option<f64> {
    (output != "down").then_some(output.len() as f64)
}

#[evaluator(threshold = 4)]
fn score_with_threshold(output: &str) -> Result<Score, String> {
    Ok(Score::new(output.len()).explanation("counted"))
}

#[experiment(dataset = answers, evaluators(long_enough, short_enough, score_with_threshold))]
fn thresholds(answer: &str) -> String {
    answer.to_owned()
}

// ---- repeats and require ----

/// Returns rows with the number of four attempts that are good.
fn shares() -> Vec<Datapoint> {
    (1..=4).map(|good| Datapoint::new().id(format!("{good}-of-4")).input("good", good)).collect()
}

fn attempt(name: &str, good: usize) -> bool {
    probe::nth(&format!("{name} {good}")) <= good
}

#[evaluator]
fn strict(output: bool) -> bool {
    output
}

#[evaluator(threshold = 0.6)]
fn loose(output: bool) -> bool {
    output
}

#[experiment(dataset = shares, repeats = 4, concurrency = 1, evaluators(strict))]
fn repeated(good: usize) -> bool {
    attempt("repeated", good)
}

#[experiment(dataset = shares, repeats = 4, concurrency = 1, evaluators(loose))]
fn loosened(good: usize) -> bool {
    attempt("loosened", good)
}

#[experiment(dataset = shares, repeats = 4, concurrency = 1, evaluators(loose), require(loose))]
fn required(good: usize) -> bool {
    attempt("required", good)
}

#[evaluator]
fn share(output: bool) -> f64 {
    if output { 0.9 } else { 0.2 }
}

#[experiment(dataset = shares, repeats = 4, concurrency = 1, evaluators(share), require(share >= 0.5))]
fn required_number(good: usize) -> bool {
    attempt("required_number", good)
}

// ---- errors ----

fn ways_to_fail() -> Vec<Datapoint> {
    rows(&["chain", "err", "fine", "panic", "payload", "slow"])
}

#[experiment(dataset = ways_to_fail, evaluators(bare), timeout = "1s")]
async fn functions(answer: String) -> anyhow::Result<String> {
    use anyhow::Context as _;
    match answer.as_str() {
        "err" => anyhow::bail!("no answer"),
        "chain" => Err(anyhow::anyhow!("connection refused")).context("cannot ask the model")?,
        "panic" => panic!("index {} out of bounds", 7),
        "payload" => std::panic::panic_any(42_u8),
        "slow" => tokio::time::sleep(Duration::from_secs(3600)).await,
        _ => {}
    }
    Ok(answer)
}

fn ways_to_misjudge() -> Vec<Datapoint> {
    rows(&["err", "fine", "infinite", "nan", "outside", "panic"])
}

#[evaluator(range(0.0, 1.0))]
fn faulty(output: &str) -> Result<f64, String> {
    match output {
        "err" => Err("the judge is down".into()),
        "infinite" => Ok(f64::INFINITY),
        "nan" => Ok(f64::NAN),
        "outside" => Ok(1.5),
        "panic" => panic!("cannot judge"),
        _ => Ok(1.0),
    }
}

#[experiment(dataset = ways_to_misjudge, evaluators(faulty, bare))]
fn evaluators(answer: &str) -> String {
    answer.to_owned()
}

fn with_and_without_truth() -> Vec<Datapoint> {
    vec![
        Datapoint::new().id("complete").input("answer", "x").ground_truth("x"),
        Datapoint::new().id("missing").input("answer", "x"),
        Datapoint::new().id("null").input("answer", Value::Null).ground_truth("x"),
        Datapoint::new().id("nothing").input("answer", "nothing").ground_truth("x"),
    ]
}

#[evaluator]
fn same(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = with_and_without_truth, evaluators(same))]
fn missing_values(answer: &str) -> Option<String> {
    probe::note("missing_values", answer);
    (answer != "nothing").then(|| answer.to_owned())
}

#[evaluator]
fn same_if_any(output: Option<&str>, ground_truth: Option<&str>) -> Option<bool> {
    Some(output? == ground_truth?)
}

#[experiment(dataset = with_and_without_truth, evaluators(same_if_any))]
fn optional_values(answer: Option<&str>) -> Option<String> {
    answer.map(str::to_owned)
}

// ---- the row check ----

fn texts() -> Vec<Datapoint> {
    (1..=100).map(|n| Datapoint::new().id(format!("{n:03}")).input("text", "hi")).collect()
}

#[experiment(dataset = texts, evaluators(bare))]
fn misspelt_input(txt: &str) -> String {
    probe::note("misspelt_input", txt);
    txt.to_owned()
}

#[evaluator]
fn wants_topic(output: &str, topic: &str) -> bool {
    output == topic
}

#[experiment(dataset = texts, evaluators(wants_topic))]
fn misspelt_in_evaluator(text: &str) -> String {
    probe::note("misspelt_in_evaluator", text);
    text.to_owned()
}

#[experiment(dataset = texts, evaluators(bare), concurrency = 2)]
fn unreadable_output(text: &str) -> Value {
    probe::note("unreadable_output", text);
    json!({ "text": text })
}

// ---- nothing to run ----

#[evaluator]
fn never_applies(output: &str) -> Option<bool> {
    (output == "something else").then_some(true)
}

#[experiment(dataset = answers, evaluators(never_applies))]
fn nothing_scored(answer: &str) -> String {
    answer.to_owned()
}

#[experiment(dataset = "data/empty.jsonl", evaluators(bare))]
fn empty_file(answer: &str) -> String {
    answer.to_owned()
}

fn no_rows() -> Vec<Datapoint> {
    Vec::new()
}

#[experiment(dataset = no_rows, evaluators(bare))]
fn empty_function(answer: &str) -> String {
    answer.to_owned()
}

honeyhive_harness::main!();
