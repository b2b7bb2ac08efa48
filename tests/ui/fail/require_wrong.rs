use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    require(
        corect,
        mean(correct) >= 0.9,
        latency <= "2s",
        correct > 0.5,
        correct >= 3,
        correct,
        correct,
    ),
)]
fn greet() {}

fn main() {}
