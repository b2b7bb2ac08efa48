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
        no_regression,
        no_regression(),
        no_collapse,
        no_collapse(),
        no_regression("correct"),
    ),
)]
fn greet() {}

fn main() {}
