use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", smoke)]
fn pattern((_a, _b): (u8, u8)) {}

#[experiment(dataset = "data.jsonl", smoke)]
fn wildcard(_: u8) {}

fn main() {}
