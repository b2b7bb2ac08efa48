use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data.jsonl")]
fn without_anything() {}

#[experiment(dataset = "data.jsonl", smoke = true)]
fn with_a_value() {}

#[experiment(dataset = "data.jsonl", smoke(), smoke)]
fn with_parentheses() {}

#[experiment(dataset = "data.jsonl", evaluators(correct), smoke)]
fn with_evaluators() {}

fn main() {}
