use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", model = "large")]
fn greet() {}

#[experiment(dataset = "data.jsonl", snapshot = "old.json")]
fn later() {}

fn main() {}
