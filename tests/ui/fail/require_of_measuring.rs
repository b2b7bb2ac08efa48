use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn similarity(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(similarity),
    require(
        similarity,
    ),
)]
fn greet() {}

fn main() {}
