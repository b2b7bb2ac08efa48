use honeyhive_harness::experiment;

#[experiment(datset = "data.jsonl", smoke)]
fn greet() {}

#[experiment(dataset = "data.jsonl", repeat = 3, Timeout = "2s", smoke)]
fn twice() {}

fn main() {}
