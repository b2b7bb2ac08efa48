use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
#[ignore(reason = "later")]
fn greet() {}

fn main() {}
