use honeyhive_harness::{evaluator, experiment};

#[evaluator(treshold = 0.5)]
fn similar(output: f64, #[setting] min: f64) -> f64 {
    output - min
}

#[evaluator]
#[evaluator]
fn twice(output: &str, #[setting] _min: u8) -> bool {
    output.is_empty()
}

// Only what is wrong above is reported.
#[experiment(
    dataset = "data.jsonl",
    evaluators(similar(min = 0.5), twice(min = 1)),
    require(similar),
    gate(mean(similar) >= 30),
)]
fn greet() {}

fn main() {}
