//! Measures how well languages are detected, on messages that customers might write.

use honeyhive_harness::{evaluator, experiment};
use quickstart::Detection;

/// Returns whether the right language was found. No answer counts as wrong.
#[evaluator]
fn correct(output: Option<Detection>, ground_truth: &str) -> bool {
    output.is_some_and(|found| found.lang == ground_truth)
}

/// Returns whether the confidence is high enough to be useful.
#[evaluator]
fn sure_enough(output: Option<Detection>, #[setting] min: f64) -> bool {
    output.is_some_and(|found| found.confidence >= min)
}

/// Returns whether a detection that is marked as reliable is right, since such messages are routed
/// without asking. Does not apply to others.
#[evaluator]
fn reliable_is_right(output: Option<Detection>, ground_truth: &str) -> Option<bool> {
    let found = output.filter(|found| found.reliable)?;
    Some(found.lang == ground_truth)
}

/// Returns the confidence. Without a limit it is measured and shown, but fails no case.
#[evaluator]
fn confidence(output: Option<Detection>) -> Option<f64> {
    output.map(|found| found.confidence)
}

// Greetings and two-word messages are often ambiguous, so that single misses are no reason to fail.
// `correct` and `sure_enough` are judged over the whole suite, by the gate. `reliable_is_right` is
// not named there: a single false fails its case.
#[experiment(
    dataset = "data/sentences.jsonl",
    evaluators(correct, sure_enough(min = 0.5), reliable_is_right, confidence),
    gate(
        mean(correct) >= 0.85,
        mean(correct, slice = "length:long") >= 0.95,
        mean(correct, slice = "length:short") >= 0.6,
        mean(sure_enough) >= 0.7,
        p95(latency) <= "50ms",
    ),
)]
fn detect_language(text: &str) -> Option<Detection> {
    quickstart::detect(text)
}

honeyhive_harness::main!();
