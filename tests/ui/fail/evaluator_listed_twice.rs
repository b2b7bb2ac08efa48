use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[experiment(dataset = "data.jsonl", evaluators(correct, correct))]
fn same_path() {}

#[experiment(dataset = "data.jsonl", evaluators(strict = correct, strict = self::correct))]
fn same_alias() {}

fn main() {}
