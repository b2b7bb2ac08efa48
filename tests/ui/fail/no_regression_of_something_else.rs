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
        no_regression(latency),
        no_collapse(latency),
        no_regression(cost),
        no_regression(error_rate),
        no_regression(corect),
        no_collapse(grounded),
        no_regression(mean(correct)),
    ),
)]
fn greet() {}

fn main() {}
