use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", repeats = 0, concurrency = 0, timeout = "0s", retries = -1, smoke)]
fn too_small() {}

#[experiment(dataset = "data.jsonl", repeats = 5_000_000_000, timeout = "soon", name = "", smoke)]
fn odd() {}

fn main() {}
