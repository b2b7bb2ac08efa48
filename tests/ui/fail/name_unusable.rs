use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", name = "two words", smoke)]
fn spaced() {}

#[experiment(dataset = "data.jsonl", name = "gate", smoke)]
fn reserved() {}

#[experiment(dataset = "data.jsonl", smoke)]
fn dataset() {}

fn main() {}
