use honeyhive_harness::experiment;

#[experiment(dataset = "a.jsonl", smoke)]
#[experiment(dataset = "b.jsonl", smoke)]
fn greet() {}

fn main() {}
