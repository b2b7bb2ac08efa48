use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", model = "large", smoke)]
fn greet() {}

#[experiment(dataset = "data.jsonl", snapshot = "old.json", smoke)]
fn later() {}

fn main() {}
