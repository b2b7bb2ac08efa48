//! Experiments whose gates must not pass without evidence. The tests set by variables how many
//! cases are bad (`BAD`), which rows there are (`ROWS`), and how the experiment behaves (`MODE`).

mod probe;

use std::collections::HashMap;
use std::sync::Mutex;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn number(variable: &str, or: u32) -> u32 {
    std::env::var(variable).map_or(or, |text| text.parse().unwrap())
}

fn mode(wanted: &str) -> bool {
    std::env::var("MODE").is_ok_and(|mode| mode == wanted)
}

/// Returns rows that belong in turn to `documents` different documents.
fn rows(count: u32, documents: u32) -> Vec<Datapoint> {
    let count = number("ROWS", count);
    (1..=count)
        .map(|n| {
            let text = if mode("edited") && n > 10 { "edited" } else { "as it was" };
            Datapoint::new()
                .id(format!("{n:03}"))
                .input("n", n)
                .input("text", text)
                .metadata("document", n % documents)
        })
        .collect()
}

fn four_documents() -> Vec<Datapoint> {
    rows(20, 4)
}

fn five_documents() -> Vec<Datapoint> {
    rows(25, 5)
}

fn two_documents() -> Vec<Datapoint> {
    rows(6, 2)
}

fn twenty() -> Vec<Datapoint> {
    rows(20, 1)
}

fn two_hundred() -> Vec<Datapoint> {
    rows(200, 1)
}

fn two() -> Vec<Datapoint> {
    rows(2, 1)
}

/// Returns the number of the case's attempt in this process, from 1.
fn attempt(n: u32) -> u32 {
    static SEEN: Mutex<Option<HashMap<u32, u32>>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap();
    let attempt = seen.get_or_insert_default().entry(n).or_default();
    *attempt += 1;
    *attempt
}

/// Returns 1 for good and 0 for bad.
fn answer(n: u32) -> f64 {
    if n > number("BAD", 0) { 1.0 } else { 0.0 }
}

#[evaluator]
fn correct(output: f64) -> bool {
    output >= 1.0
}

/// Does not apply to most answers in the mode `gives up`.
#[evaluator]
fn parsed(output: f64, n: u32) -> Option<bool> {
    (!mode("gives up") || n <= 10).then_some(output >= 1.0)
}

#[evaluator]
fn score(output: f64) -> f64 {
    output
}

#[evaluator(range(0.0, 1.0))]
fn points(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = four_documents,
    cluster = "document",
    evaluators(correct),
    gate(mean(correct) >= 0, no_regression(correct)),
)]
fn four_clusters(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = five_documents,
    cluster = "document",
    evaluators(correct, other = correct),
    gate(
        mean(correct) >= 0,
        mean(other) >= 0,
        no_regression(correct),
        no_regression(other),
    ),
)]
fn five_clusters(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(correct),
    reduce(correct = at_least(2)),
    repeats = 3,
    gate(mean(correct) >= 0, no_regression(correct)),
)]
fn reduced(n: u32) -> f64 {
    // Every other attempt is good; for half of the cases, the first attempt is.
    f64::from((attempt(n) + n) % 2)
}

#[experiment(
    dataset = twenty,
    evaluators(points),
    reduce(points = min),
    repeats = 3,
    gate(no_regression(points)),
)]
fn lowest(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = two_documents,
    cluster = "document",
    evaluators(correct),
    gate(confident(mean(correct) >= 0.999), confident(error_rate <= 0.001)),
)]
fn sure_of_two_documents(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = two, evaluators(score), gate(confident(mean(score) >= 0.9)))]
fn sure_of_two_numbers(_n: u32) -> f64 {
    0.91
}

#[experiment(dataset = two, evaluators(score), gate(not_worse(mean(score) >= 0.9)))]
fn sure_that_it_is_bad(_n: u32) -> f64 {
    0.89
}

#[experiment(
    dataset = twenty,
    evaluators(correct),
    repeats = 3,
    gate(confident(mean(correct) >= 0.9)),
)]
fn flaky(n: u32) -> f64 {
    if mode("one attempt") && n == 7 && attempt(n) == 2 { 0.0 } else { 1.0 }
}

#[experiment(
    dataset = two_hundred,
    evaluators(parsed),
    gate(mean(parsed) >= 0.05, no_regression(parsed), no_collapse(parsed)),
)]
fn covered(n: u32) -> f64 {
    if mode("edited") && n > 10 { 0.0 } else { answer(n) }
}

#[experiment(
    dataset = two_hundred,
    evaluators(parsed),
    gate(mean(parsed) >= 0.05, no_regression(parsed, coverage = 0.04)),
)]
fn allowed(n: u32) -> f64 {
    if mode("edited") && n > 10 { 0.0 } else { answer(n) }
}

#[experiment(
    dataset = twenty,
    evaluators(correct),
    repeats = 3,
    gate(error_rate <= 1.0, mean(correct) >= 0.9),
)]
fn survivors(n: u32) -> Result<f64, String> {
    if attempt(n) > 1 { Err("the server is gone".to_owned()) } else { Ok(1.0) }
}

#[experiment(
    dataset = twenty,
    evaluators(correct),
    repeats = 3,
    gate(mean(correct) >= 0, no_regression(correct), no_collapse(correct)),
)]
fn company(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = two_hundred, evaluators(points), gate(no_regression(points)))]
fn slightly(_n: u32) -> f64 {
    if mode("worse") { 0.8 - 0.019 } else { 0.8 }
}

#[experiment(
    dataset = two_hundred,
    evaluators(points),
    gate(
        no_worse_than(points, margin = 0.05),
        non_inferior(points, margin = 0.1),
    ),
)]
fn tolerated(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(correct),
    repeats = 3,
    gate(mean(correct) >= 0, no_loss(correct)),
)]
fn single(n: u32) -> f64 {
    answer(n)
}

honeyhive_harness::main!();
