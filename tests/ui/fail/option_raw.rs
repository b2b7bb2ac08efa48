use honeyhive_harness::experiment;

#[experiment(r#dataset = "data.jsonl", smoke)]
fn greet() {}

fn main() {}
