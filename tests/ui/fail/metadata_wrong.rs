use honeyhive_harness::experiment;

#[experiment(dataset = "data.jsonl", metadata(model, top = [1], n = 1 + 2, model = "x", model = "y"))]
fn greet() {}

const SIZE: usize = 3;

#[experiment(dataset = "data.jsonl", metadata(size = SIZE))]
fn constant_of_wrong_type() {}

fn main() {}
