use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", repeats(3), evaluators = correct, tags = "a", timeout = 60)]
fn greet() {}

fn main() {}
