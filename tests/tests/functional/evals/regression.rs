//! Experiments under rules that compare with a baseline. The test sets the number of bad cases by
//! the variable `BAD`, and writes the file with the baseline.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

/// Returns rows numbered from 1; those up to `BAD` are bad.
fn numbered(count: u32) -> Vec<Datapoint> {
    (1..=count)
        .map(|n| {
            let size = if n <= 12 { "low" } else { "high" };
            Datapoint::new()
                .id(format!("{n:02}"))
                .input("n", n)
                .metadata("size", size)
                .metadata("document", n / 4)
        })
        .collect()
}

fn twenty() -> Vec<Datapoint> {
    numbered(20)
}

fn nine() -> Vec<Datapoint> {
    numbered(9)
}

fn number(variable: &str) -> u32 {
    std::env::var(variable).map_or(0, |text| text.parse().unwrap())
}

/// Returns 1 for good and 0 for bad.
fn answer(n: u32) -> f64 {
    if n > number("BAD") { 1.0 } else { 0.0 }
}

#[evaluator]
fn correct(output: f64) -> bool {
    output >= 1.0
}

#[evaluator]
fn brief(output: f64) -> bool {
    output >= 0.0
}

#[evaluator(range(0.0, 1.0))]
fn points(output: f64) -> f64 {
    output
}

/// Returns the distance; a smaller one is better.
#[evaluator(direction = minimize)]
fn distance(output: f64) -> f64 {
    10.0 - output
}

// These rules do not take over misses, so most of these experiments only measure.

#[experiment(dataset = twenty, evaluators(points), gate(no_regression(points)))]
fn plain(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    baseline = "data/minimal.json",
    evaluators(distance),
    gate(no_regression(distance)),
)]
fn minimal(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(points),
    gate(no_regression(points, margin = 0.25), no_regression(points, alpha = 0.01)),
)]
fn strict(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(points),
    gate(
        no_regression(points, slice = "size:low"),
        no_regression(points, slice = "size:high"),
        no_regression(points, slice = "size:medium"),
    ),
)]
fn sliced(n: u32) -> f64 {
    answer(n)
}

/// The last `BAD_HIGH` cases are bad, too.
#[experiment(
    dataset = twenty,
    evaluators(points),
    gate(mean(points, slice = "size:low") >= 0.0, no_regression(points, alpha = 0.000001)),
)]
fn sliced_by_size(n: u32) -> f64 {
    if n > 20 - number("BAD_HIGH") { 0.0 } else { answer(n) }
}

#[experiment(dataset = twenty, evaluators(points))]
fn drifting(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    cluster = "document",
    evaluators(points),
    gate(no_regression(points)),
)]
fn clustered(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    repeats = 3,
    evaluators(correct),
    gate(mean(correct) >= 0.1, no_collapse(correct)),
)]
fn collapsing(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(points, brief, other = points),
    gate(
        no_regression(points),
        no_regression(other),
        no_collapse(brief),
        not_worse(mean(points) >= 0.95),
    ),
)]
fn several(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(correct), gate(no_regression(correct)))]
fn judged(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(correct), gate(no_regression(correct)))]
fn improved(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = nine, evaluators(points), gate(no_regression(points)))]
fn few(n: u32) -> f64 {
    answer(n)
}

/// Returns twelve rows, of which the first `EDITED` are edited.
fn edited() -> Vec<Datapoint> {
    let mut rows = numbered(12);
    for row in &mut rows[..number("EDITED") as usize] {
        row.ground_truth = Some("another".into());
    }
    rows
}

#[experiment(
    dataset = edited,
    track("Cargo.toml"),
    metadata(model = "large"),
    evaluators(points),
    gate(no_regression(points, coverage = 0.7)),
)]
fn edited_rows(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(points), gate(no_regression(points), mean(points) >= 0.5))]
fn no_baseline(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(points), gate(no_regression(points)))]
fn wrong_file(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(points), gate(no_regression(points)))]
fn partial(n: u32) -> f64 {
    answer(n)
}

#[experiment(dataset = twenty, evaluators(points), gate(no_regression(points)))]
fn other_evaluator(n: u32) -> f64 {
    answer(n)
}

#[experiment(
    dataset = twenty,
    evaluators(points),
    gate(no_regression(points), no_regression(points, margin = 0.1), error_rate <= 1),
)]
fn erring(n: u32) -> Result<f64, String> {
    if n <= number("ERR") { Err("no answer".to_owned()) } else { Ok(answer(n)) }
}

honeyhive_harness::main!();
