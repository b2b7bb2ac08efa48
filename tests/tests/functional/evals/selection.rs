//! Experiments whose misses only their gate allows, for tests of command lines.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn ten() -> Vec<Datapoint> {
    (0..10).map(|n| Datapoint::new().id(format!("r{n}")).input("n", n)).collect()
}

#[evaluator]
fn right(output: u32) -> bool {
    output < 100
}

/// Misses in every case, which the gate of a full run allows.
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
