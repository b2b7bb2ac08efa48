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
        no_regression(correct, margin = "2%"),
        no_regression(correct, margin = 2%),
        no_regression(correct, margin = -0.02),
        no_regression(correct, margin =),
        no_regression(correct, alpha = 0),
        no_regression(correct, alpha = 5),
        no_collapse(correct, alpha = STRICT),
        no_regression(correct, slice = ""),
        no_regression(correct, slice = long),
        no_regression(correct, confirm = 0),
        no_regression(correct, confirm = 1.5),
        no_regression(correct, confirm = true),
        no_regression(correct, confirm =),
    ),
)]
fn greet() {}

fn main() {}
