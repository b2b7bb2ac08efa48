use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(correct) >= "0.9",
        mean(correct) >= 90%,
        mean(correct) >= LIMIT,
        p95(latency) <= 2,
        p95(latency) <= "fast",
        pass_rate(correct) >= 90,
        error_rate <= 5,
        pass_rate(latency) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
