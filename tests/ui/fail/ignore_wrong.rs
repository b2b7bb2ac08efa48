use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl")]
#[ignore(reason = "later")]
fn greet() {}

fn main() {}
