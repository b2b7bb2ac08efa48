//! Experiments that stop once their gate is decided. The variable `BAD` is the number of bad rows
//! of the 60: they are the first ones, as in a sorted dataset.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn rows() -> Vec<Datapoint> {
    (1..=60_u32)
        .map(|n| {
            let document = format!("d{}", n / 4);
            Datapoint::new().id(format!("{n:02}")).input("n", n).metadata("document", document)
        })
        .collect()
}

fn number(variable: &str) -> u32 {
    std::env::var(variable).map_or(0, |text| text.parse().unwrap())
}

#[evaluator]
fn correct(output: f64) -> bool {
    output >= 1.0
}

#[evaluator]
fn safe(output: f64) -> bool {
    output >= 0.0
}

/// Does not apply to every third row.
#[evaluator(range(0.0, 1.0))]
fn points(output: f64, n: u32) -> Option<f64> {
    (n % 3 > 0).then_some(output)
}

fn answer(n: u32) -> f64 {
    probe::note("calls", n);
    if n > number("BAD") { 1.0 } else { 0.0 }
}

#[experiment(
    dataset = rows,
    evaluators(correct),
    gate(mean(correct) >= 0.9),
    stop = decided,
    concurrency = 1,
)]
fn floor(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = rows,
    evaluators(points),
    gate(mean(points) >= 0.9, mean(points) <= 1.0, p95(latency) <= "10s"),
    cluster = "document",
    repeats = 3,
    stop = decided,
    concurrency = 4,
)]
fn repeated(n: u32) -> f64 {
    answer(n)
}

// A case that is not run might have failed by `safe`.
#[experiment(
    dataset = rows,
    evaluators(correct, safe),
    gate(mean(correct) >= 0.5),
    stop = decided,
    concurrency = 1,
)]
fn beside(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = rows,
    evaluators(correct),
    gate(error_rate <= 0.1, mean(correct) >= 0.5),
    stop = decided,
    concurrency = 1,
)]
fn erring(n: u32) -> Result<f64, String> {
    let answer = answer(n);
    if n <= number("ERRORS") { Err("no answer".to_owned()) } else { Ok(answer) }
}

honeyhive_harness::main!();
