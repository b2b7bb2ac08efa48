use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

#[evaluator(name = "correct")]
fn also_correct(output: &str) -> bool {
    output.is_empty()
}

#[experiment(dataset = "data.jsonl", evaluators(correct, also_correct))]
fn by_name() {}

#[experiment(dataset = "data.jsonl", evaluators(correct, self::correct))]
fn by_path() {}

fn main() {}
