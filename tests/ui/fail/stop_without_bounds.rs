use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn similarity(output: f64) -> f64 {
    output
}

#[evaluator(range(0.0, 1.0))]
fn share(output: f64) -> f64 {
    output
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(similarity),
    gate(mean(similarity) >= 0.9),
    stop = decided,
)]
fn unbounded() {}

// One that can be decided will do.
#[experiment(
    dataset = "data.jsonl",
    evaluators(similarity, share),
    gate(mean(similarity) >= 0.9, mean(share) >= 0.9),
    stop = decided,
)]
fn one_is_bounded() {}

fn main() {}
