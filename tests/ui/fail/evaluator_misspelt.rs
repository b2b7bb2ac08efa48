use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data.jsonl", evaluators(corect, self::corect, checks::polite))]
fn greet() {}

fn main() {}
