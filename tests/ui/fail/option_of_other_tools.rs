use honeyhive_harness::{evaluator, experiment, trace};

#[experiment(data = "data.jsonl", scorers(correct), max_workers = 4, epochs = 3, setup = connect)]
fn greet() {}

#[experiment(dataset = "data.jsonl", smoke, samples = 10, models = ["a", "b"], task = greet, skip = true)]
fn later() {}

#[experiment(dataset = "data.jsonl", smoke, maxConcurrency = 4, num_repetitions = 2, threshold = 0.9)]
fn again() {}

#[evaluator(min = 0.0, lower_is_better = true, timeout = "2s")]
fn close(output: f64) -> f64 {
    output
}

#[trace(kind = "model", ignore(key))]
fn complete(key: &str) -> usize {
    key.len()
}

fn main() {}
