use honeyhive_harness::experiment;

#[experiment(dataset = "a.jsonl", dataset = "b.jsonl", smoke)]
fn greet() {}

fn main() {}
