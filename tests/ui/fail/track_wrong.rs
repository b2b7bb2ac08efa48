use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator]
fn similarity(output: &str) -> f64 {
    output.len() as f64
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(correct, similarity),
    track(prompts, "prompts/*.md", "", "prompts/*.md", 3),
)]
fn greet() {}

fn main() {}
