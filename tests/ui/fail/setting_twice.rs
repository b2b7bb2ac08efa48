use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn long_enough(output: &str, #[setting] min: usize, #[setting] unit: &str) -> f64 {
    (output.len() / min + unit.len()) as f64
}

#[experiment(dataset = "data.jsonl", evaluators(long_enough(min = 3, min = 4, unit = "s")))]
fn greet() {}

#[evaluator(settings(min, min))]
fn listed_twice(output: usize, min: usize) -> bool {
    output > min
}

#[evaluator(settings(min))]
fn marked_twice(output: usize, #[setting] min: usize) -> bool {
    output > min
}

fn main() {}
