use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator]
fn similarity(output: &str) -> f64 {
    output.len() as f64
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct, similarity),
    repeats = 3,
    reduce(correct = at_least(2)),
    gate(mean(correct) >= 2, no_regression(correct, margin = 2)),
)]
fn greet() {}

fn main() {}
