use honeyhive_harness::experiment;

#[experiment(datset = "data.jsonl")]
fn greet() {}

#[experiment(dataset = "data.jsonl", repeat = 3, Timeout = "2s")]
fn twice() {}

fn main() {}
