use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        mean(correct, min_n = 0) >= 0.9,
        mean(correct, min_n = "20") >= 0.8,
        mean(correct, min_n =) >= 0.7,
        mean(correct, min_n = 2, min_n = 3) >= 0.6,
        mean(correct, n = 20) >= 0.5,
        mean(correct, 20) >= 0.4,
        p95(latency, min_n = 5_000_000_000) <= "2s",
        error_rate(min_n = -1) <= 0.1,
        error_rate() <= 0.2,
        no_regression(correct, min_n = 1.5),
        no_collapse(correct, margin = 20),
    ),
)]
fn greet() {}

fn main() {}
