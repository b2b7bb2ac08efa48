//! A small run with cases in several states, and a slow one.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn numbers() -> impl Iterator<Item = Datapoint> {
    (0..4).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n))
}

#[evaluator]
fn right(output: u32, ground_truth: u32) -> bool {
    output == ground_truth
}

#[experiment(dataset = numbers, evaluators(right), gate(mean(right) >= 0.5, error_rate <= 0.5))]
fn counts(n: u32) -> Result<u32, String> {
    match n {
        0 => Err("nothing".to_owned()),
        1 => Ok(7),
        n => Ok(n),
    }
}

#[experiment(dataset = numbers, evaluators(right), concurrency = 1)]
fn waits(n: u32) -> u32 {
    probe::note("waits", n);
    if n == 1 {
        probe::sleep(60_000);
    }
    n
}

honeyhive_harness::main!();
