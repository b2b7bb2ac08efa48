use honeyhive_harness::experiment;

#[experiment(dataset = 3, smoke)]
fn number() {}

#[experiment(dataset = remote("0f8e"), smoke)]
fn call() {}

#[experiment("data.jsonl", smoke)]
fn without_key() {}

#[experiment(dataset("data.jsonl"), smoke)]
fn in_parentheses() {}

fn main() {}
