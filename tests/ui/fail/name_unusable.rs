use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", name = "two words")]
fn spaced() {}

#[experiment(dataset = "data.jsonl", name = "gate")]
fn reserved() {}

#[experiment(dataset = "data.jsonl")]
fn dataset() {}

fn main() {}
