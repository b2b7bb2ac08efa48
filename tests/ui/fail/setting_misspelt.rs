use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn long_enough(output: &str, #[setting] min: usize, #[setting] unit: &str) -> f64 {
    (output.len() / min + unit.len()) as f64
}

#[experiment(dataset = "data.jsonl", evaluators(long_enough(mni = 3, unit = "s")))]
fn greet() {}

fn main() {}
