use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(correct, slice = "") >= 0.9,
        mean(correct, slice = long) >= 0.9,
        mean(correct, "length:long") >= 0.8,
        error_rate(correct) <= 0.1,
        mean(correct, part = "a:b") >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
