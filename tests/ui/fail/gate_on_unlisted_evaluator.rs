use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(corect) >= 0.9,
        mean(polite) >= 0.9,
        mean(checks::correct) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
