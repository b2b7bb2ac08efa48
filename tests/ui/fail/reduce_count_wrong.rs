use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator]
fn similarity(output: &str) -> f64 {
    output.len() as f64
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct, similarity),
    repeats = 3,
    reduce(
        correct = at_least,
        correct = at_least(),
        correct = pass_at(0),
        correct = pass_all("2"),
        correct = at_least(2, 3),
        correct = at_least(1.5),
        correct = at_least(-1),
        similarity = median(2),
    ),
)]
fn greet() {}

fn main() {}
