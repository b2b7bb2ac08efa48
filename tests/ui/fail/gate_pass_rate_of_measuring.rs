use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn similarity(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(similarity),
    gate(
        pass_rate(similarity) >= 0.9,
        mean(similarity) >= 0.9,
    ),
)]
fn greet() {}

fn main() {}
