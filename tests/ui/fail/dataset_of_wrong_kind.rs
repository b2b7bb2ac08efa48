use honeyhive_harness::experiment;

#[experiment(dataset = 3)]
fn number() {}

#[experiment(dataset = remote("0f8e"))]
fn call() {}

#[experiment("data.jsonl")]
fn without_key() {}

#[experiment(dataset("data.jsonl"))]
fn in_parentheses() {}

fn main() {}
