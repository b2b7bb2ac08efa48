use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(correct),
        mean(correct) >=,
        correct >= 0.9,
        mean >= 0.9,
        latency <= "2s",
        mean() >= 0.9,
        0.9 <= mean(correct),
        mean(correct) 0.9,
    ),
)]
fn greet() {}

fn main() {}
