use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    gate(
        confident(median(correct) >= 0.9),
        not_worse(p95(latency) <= "2s"),
        confident(mean(correct)) >= 0.9,
        confident,
        not_worse(confident(mean(correct) >= 0.9)),
        confident(mean(correct) >= 0.9, error_rate <= 0.1),
    ),
)]
fn greet() {}

fn main() {}
