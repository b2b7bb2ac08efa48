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
    gate(
        no_regression(correct, 0.02),
        no_regression(correct, margn = 0.02),
        no_regression(correct, tolerance = 0.02),
        no_collapse(correct, margin = 0.02),
        no_collapse(correct, confirm = 2),
        no_regression(correct, margin = 0.02, margin = 0.03),
        no_regression(correct margin = 0.02),
    ),
)]
fn greet() {}

fn main() {}
