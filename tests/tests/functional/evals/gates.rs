//! Experiments whose scores are in their rows, under rules that hold and rules that do not.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

/// Returns a row with the score that the evaluators return.
fn row(id: &str, score: f64) -> Datapoint {
    Datapoint::new().id(id).input("score", score)
}

#[evaluator]
fn value(output: f64) -> f64 {
    output
}

#[evaluator(threshold = 0.5)]
fn half(output: f64) -> f64 {
    output
}

#[evaluator(direction = minimize, range(0.0, 10.0))]
fn distance(output: f64) -> f64 {
    output
}

#[evaluator]
fn whole(output: f64) -> bool {
    output >= 1.0
}

// ---- measures ----

/// Returns twenty rows with the scores 0.05, 0.10 .. 1.00.
fn twenty() -> Vec<Datapoint> {
    (1..=20)
        .map(|n| {
            let size = if n <= 10 { "low" } else { "high" };
            row(&format!("{n:02}"), f64::from(n) / 20.0).metadata("half", size).tag(format!("n{n}"))
        })
        .collect()
}

#[experiment(
    dataset = twenty,
    evaluators(value, half),
    gate(
        mean(value) >= 0.525,
        median(value) >= 0.5,
        min(value) >= 0.05,
        max(value) >= 1,
        p50(value) <= 0.5,
        p90(value) <= 0.9,
        p95(value) <= 0.95,
        p99(value) <= 1.0,
        stddev(value) <= 0.3,
        pass_rate(half) >= 0.55,
        error_rate <= 0.0,
        p95(latency) <= "60s",
    ),
)]
fn holds(score: f64) -> f64 {
    score
}

#[experiment(
    dataset = twenty,
    evaluators(value, half),
    gate(
        mean(value) >= 0.6,
        median(value) >= 0.6,
        min(value) >= 0.1,
        max(value) <= 0.9,
        p50(value) >= 0.6,
        p90(value) >= 0.95,
        p95(value) >= 1.0,
        p99(value) <= 0.99,
        stddev(value) <= 0.1,
        pass_rate(half) >= 0.75,
        mean(latency) <= "1ms",
        max(latency) <= "1ms",
    ),
)]
fn broken(score: f64) -> f64 {
    probe::sleep(3);
    score
}

#[experiment(
    dataset = twenty,
    evaluators(value),
    gate(
        mean(value, slice = "half:low") >= 0.27,
        mean(value, slice = "half:high") >= 0.77,
        mean(value, slice = "n20") >= 1.0,
        mean(value, slice = "half:hihg") >= 0.1,
        p95(latency, slice = "half:low") <= "60s",
        error_rate(slice = "half:low") <= 0.0,
    ),
)]
fn sliced(score: f64) -> f64 {
    score
}

#[experiment(
    dataset = twenty,
    evaluators(value, distance),
    gate(
        confident(mean(value) >= 0.4),
        confident(mean(value) >= 0.5),
        not_worse(mean(value) >= 0.6),
        not_worse(mean(value) >= 0.7),
        confident(mean(distance) <= 0.6),
        not_worse(mean(distance) <= 0.5),
        confident(mean(distance) <= 0.7),
        not_worse(mean(distance) <= 0.4),
    ),
)]
fn bounds(score: f64) -> f64 {
    score
}

fn ones() -> Vec<Datapoint> {
    (1..=5).map(|n| row(&n.to_string(), 1.0)).collect()
}

#[experiment(dataset = ones, evaluators(whole), gate(mean(whole) >= 1.0, confident(mean(whole) >= 0.9)))]
fn all_good(score: f64) -> f64 {
    score
}

#[experiment(dataset = ones, evaluators(value), gate(mean(value) >= 0.7, confident(mean(value) >= 0.7)))]
fn all_alike(score: f64) -> f64 {
    score * 0.7
}

fn one_is_slow() -> Vec<Datapoint> {
    vec![row("fast", 0.0), row("slow", 80.0), row("quick", 0.0)]
}

#[experiment(dataset = one_is_slow, repeats = 3, evaluators(value), gate(max(latency) <= "10ms"))]
fn one_slow_case(score: f64) -> f64 {
    probe::sleep(score as u64);
    score
}

fn one() -> Vec<Datapoint> {
    vec![row("only", 0.25)]
}

#[experiment(dataset = one, evaluators(value), gate(mean(value) >= 0.25, confident(mean(value) >= 0.1)))]
fn too_few(score: f64) -> f64 {
    score
}

/// Returns rows for an experiment whose attempts are averaged first.
fn coins() -> Vec<Datapoint> {
    (1..=4).map(|n| Datapoint::new().id(n.to_string()).input("heads", n)).collect()
}

#[experiment(
    dataset = coins,
    repeats = 4,
    concurrency = 1,
    evaluators(value),
    gate(mean(value) >= 0.625, min(value) >= 0.25, p50(latency) <= "60s"),
)]
fn attempts_are_averaged(heads: usize) -> f64 {
    if probe::nth(&heads.to_string()) <= heads { 1.0 } else { 0.0 }
}

// ---- who decides ----

/// Returns four rows, one good and one bad for each language.
fn languages() -> Vec<Datapoint> {
    let language = |id: &str, score, lang: &str| row(id, score).metadata("lang", lang);
    vec![
        language("de-1", 1.0, "de"),
        language("de-2", 0.0, "de"),
        language("fr-1", 1.0, "fr"),
        language("fr-2", 0.0, "fr"),
    ]
}

#[experiment(dataset = languages, evaluators(whole), gate(mean(whole) >= 0.5))]
fn forgiven(score: f64) -> f64 {
    probe::note("forgiven", score);
    score
}

#[experiment(dataset = languages, evaluators(whole), gate(mean(whole) >= 0.75))]
fn missed(score: f64) -> f64 {
    score
}

#[experiment(dataset = languages, evaluators(whole), gate(mean(whole, slice = "lang:de") >= 0.5))]
fn decides_slice(score: f64) -> f64 {
    score
}

#[experiment(dataset = languages, evaluators(whole, half), gate(mean(half) >= 0.5))]
fn decides_one(score: f64) -> f64 {
    score
}

/// Gives no result for one of twenty rows (in `one_error`) or two (in `two_errors`).
fn fallible(score: f64, limit: f64) -> Result<f64, String> {
    if score <= limit { Err("no answer".to_owned()) } else { Ok(score) }
}

#[experiment(dataset = twenty, evaluators(value), gate(error_rate <= 0.05, mean(value) >= 0.5))]
fn one_error(score: f64) -> Result<f64, String> {
    fallible(score, 0.06)
}

#[experiment(dataset = twenty, evaluators(value), gate(error_rate <= 0.2, mean(value) >= 0.5))]
fn two_errors(score: f64) -> Result<f64, String> {
    fallible(score, 0.11)
}

#[experiment(dataset = twenty, evaluators(value), gate(error_rate <= 0.05))]
fn too_many_errors(score: f64) -> Result<f64, String> {
    fallible(score, 0.11)
}

#[experiment(dataset = twenty, evaluators(value), gate(mean(value) >= 0.5))]
fn ungated_error(score: f64) -> Result<f64, String> {
    fallible(score, 0.06)
}

#[evaluator]
fn sometimes(output: f64) -> Result<f64, String> {
    fallible(output, 0.06)
}

#[experiment(dataset = twenty, evaluators(sometimes), gate(error_rate <= 0.05))]
fn unscored(score: f64) -> f64 {
    score
}

honeyhive_harness::main!();
