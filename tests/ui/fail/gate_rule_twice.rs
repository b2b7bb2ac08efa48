use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(correct) >= 0.9,
        error_rate <= 0.1,
        mean(correct) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
