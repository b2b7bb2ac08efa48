use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn long_enough(output: &str, #[setting] min: usize, #[setting] unit: &str) -> f64 {
    (output.len() / min + unit.len()) as f64
}

#[experiment(dataset = "data.jsonl", evaluators(long_enough(unit = "s")))]
fn one() {}

#[experiment(dataset = "data.jsonl", evaluators(strict = self::long_enough))]
fn all() {}

fn main() {}
