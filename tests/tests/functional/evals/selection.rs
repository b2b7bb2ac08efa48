//! Experiments whose misses only their gate may forgive, for what command lines select.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn ten() -> Vec<Datapoint> {
    (0..10).map(|n| Datapoint::new().id(format!("r{n}")).input("n", n)).collect()
}

#[evaluator]
fn right(output: u32) -> bool {
    output < 100
}

/// Every case misses, and a full run's gate allows that.
#[experiment(dataset = ten, evaluators(right), gate(mean(right) >= 0.0))]
fn misses(n: u32) -> u32 {
    probe::note("calls", n);
    n + 100
}

#[experiment(dataset = ten, evaluators(right))]
fn fine(n: u32) -> u32 {
    n
}

#[experiment(dataset = "data/rows.jsonl", evaluators(right))]
#[ignore = "costs money"]
fn dear(n: u32) -> u32 {
    n
}

honeyhive_harness::main!();
