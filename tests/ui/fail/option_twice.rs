use honeyhive_harness::experiment;

#[experiment(dataset = "a.jsonl", dataset = "b.jsonl")]
fn greet() {}

fn main() {}
