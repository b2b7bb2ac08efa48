use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator(range(1, 5))]
fn five_stars(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct, five_stars),
    gate(
        mean(correct) >= 90,
        p50(five_stars) >= 6,
        min(five_stars) >= 1,
    ),
)]
fn greet() {}

fn main() {}
