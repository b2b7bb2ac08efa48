use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn latency(output: f64) -> f64 {
    output
}

#[evaluator(name = "cost")]
fn price(output: f64) -> f64 {
    output
}

#[experiment(dataset = "data.jsonl", evaluators(tokens = price, checks::error_rate))]
fn greet() {}

fn main() {}
