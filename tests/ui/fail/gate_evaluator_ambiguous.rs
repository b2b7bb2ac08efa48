use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(strict = correct, loose = correct),
    gate(
        mean(correct) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
