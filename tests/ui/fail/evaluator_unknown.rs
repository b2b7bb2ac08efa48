use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data.jsonl", evaluators(exact_match, corect))]
fn greet() {}

#[experiment(dataset = "data.jsonl", evaluators("correct", contains("x"), |output: &str| true, correct()))]
fn later() {}

mod inner {
    use super::*;

    #[experiment(dataset = "data.jsonl", evaluators(similarity))]
    fn deeper() {}
}

fn main() {}
