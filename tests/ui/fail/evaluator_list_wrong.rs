use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators("correct", correct::<u8>, strict =, correct(3), correct correct, a = b = c, correct(n = 1, n = 2)),
)]
fn greet() {}

fn main() {}
