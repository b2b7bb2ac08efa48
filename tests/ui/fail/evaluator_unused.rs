#![deny(dead_code)]

use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn forgotten(output: bool) -> bool {
    output
}

#[evaluator]
fn listed(output: bool) -> bool {
    output
}

#[experiment(dataset = "data.jsonl", evaluators(listed))]
fn greet() {}

fn main() {}
