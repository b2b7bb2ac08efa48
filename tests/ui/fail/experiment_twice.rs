use honeyhive_harness::experiment;

#[experiment(dataset = "a.jsonl")]
#[experiment(dataset = "b.jsonl")]
fn greet() {}

fn main() {}
