use honeyhive_harness::{evaluator, experiment, trace};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data.jsonl", evaluators())]
fn nothing() {}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct),
    require(),
    gate(),
    reduce(),
    tags(),
    track(),
    metadata(),
)]
fn empty() {}

#[evaluator(settings(), range())]
fn close(output: f64) -> f64 {
    output
}

#[trace(skip())]
fn search() {}

fn main() {}
