use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        avg(correct) >= 0.9,
        p96(correct) >= 0.9,
        passrate(correct) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
