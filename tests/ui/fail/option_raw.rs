use honeyhive_harness::experiment;

#[experiment(r#dataset = "data.jsonl")]
fn greet() {}

fn main() {}
