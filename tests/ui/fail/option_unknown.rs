use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", model = "large")]
fn greet() {}

#[experiment(dataset = "data.jsonl", baseline = "old.json")]
fn later() {}

fn main() {}
