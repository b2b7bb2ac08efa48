use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(cost) <= 0.9,
        max(tokens) <= 500,
        mean(error_rate) <= 0.1,
    ),
)]
fn greet() {}

fn main() {}
