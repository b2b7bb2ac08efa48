//! One experiment per dataset. Most return their input, so that the journal shows it.

mod probe;

use std::path::Path;

use honeyhive_harness::{Datapoint, evaluator, experiment};
use serde_json::{Value, json};

#[evaluator]
fn fine(output: Option<Value>) -> Option<bool> {
    output.map(|_| true)
}

// ---- shapes ----

#[experiment(dataset = "data/shapes.jsonl", evaluators(fine))]
fn shapes(inputs: Value) -> Value {
    inputs
}

#[experiment(dataset = "data/array.json", evaluators(fine))]
fn array(inputs: Value) -> Value {
    inputs
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Speed {
    Fast,
    Slow,
}

#[derive(serde::Deserialize)]
struct Size {
    width: u32,
}

#[experiment(dataset = "data/cells.csv", evaluators(fine))]
#[allow(clippy::too_many_arguments)]
fn cells(
    zip: &str,
    count: u32,
    ratio: Option<f64>,
    flag: bool,
    words: &[String],
    speed: Speed,
    size: &Size,
    note: Option<&str>,
    #[input("file-name")] file: &Path,
) -> Value {
    json!([zip, count, ratio, flag, words, speed, size.width, note, file])
}

#[experiment(dataset = "data/cells.csv", evaluators(fine))]
fn cells_as_they_are(inputs: Value) -> Value {
    inputs
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Whole {
    zip: String,
    count: u32,
    ratio: Option<f64>,
}

#[experiment(dataset = "data/cells.csv", evaluators(fine))]
fn cells_as_struct(inputs: Whole) -> Whole {
    inputs
}

#[evaluator]
fn near(output: f64, ground_truth: f64) -> bool {
    (output - ground_truth).abs() < 0.01
}

#[experiment(dataset = "data/truths.csv", evaluators(near))]
fn truths(x: f64) -> f64 {
    x
}

// ---- functions ----

fn plain() -> impl Iterator<Item = Datapoint> {
    (1..=2).map(|n| Datapoint::new().input("n", n))
}

fn fallible() -> anyhow::Result<Vec<Datapoint>> {
    Ok(vec![Datapoint::new().id("only").input("n", 1)])
}

fn failing() -> anyhow::Result<Vec<Datapoint>> {
    anyhow::bail!("no database")
}

fn values() -> Vec<Value> {
    vec![json!({"id": "flat", "n": 1}), json!({"id": "deep", "inputs": {"n": 2}, "tags": ["t"]})]
}

fn wrong_values() -> Vec<Value> {
    vec![json!({"id": "good", "n": 1}), json!({"inputs": {"n": 2}, "ground_thruth": 3})]
}

#[experiment(dataset = plain, evaluators(fine))]
fn from_plain(n: u32) -> u32 {
    n
}

#[experiment(dataset = fallible, evaluators(fine))]
fn from_fallible(n: u32) -> u32 {
    n
}

#[experiment(dataset = failing, evaluators(fine))]
fn from_failing(n: u32) -> u32 {
    n
}

#[experiment(dataset = values, evaluators(fine))]
fn from_values(n: u32) -> u32 {
    n
}

#[experiment(dataset = wrong_values, evaluators(fine))]
fn from_wrong_values(n: u32) -> u32 {
    n
}

// ---- identity ----

#[experiment(dataset = "data/hashes.jsonl", evaluators(fine))]
fn before(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/hashes_later.jsonl", evaluators(fine))]
fn later(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/ids.jsonl", dataset_name = "names", evaluators(fine))]
fn names(q: &str) -> String {
    q.to_owned()
}

// ---- faults ----

#[experiment(dataset = "data/bad.jsonl", evaluators(fine))]
fn bad_lines(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/bad.csv", evaluators(fine))]
fn bad_records(q: &str, n: u32) -> Value {
    json!([q, n])
}

#[experiment(dataset = "data/shaeps.jsonl", evaluators(fine))]
fn no_file(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "dat/shapes.jsonl", evaluators(fine))]
fn no_directory(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/latin1.jsonl", evaluators(fine))]
fn not_utf8(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/twice.jsonl", evaluators(fine))]
fn duplicate_ids(q: &str) -> String {
    probe::note("duplicate_ids", q);
    q.to_owned()
}

#[experiment(dataset = "data/object.json", evaluators(fine))]
fn object_file(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = "data/header.csv", evaluators(fine))]
fn bad_header(q: &str) -> String {
    q.to_owned()
}

honeyhive_harness::main!();
