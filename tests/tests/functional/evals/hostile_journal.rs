//! Experiments whose runs or journals are disturbed.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn numbered(count: u32) -> Vec<Datapoint> {
    (0..count).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n)).collect()
}

fn three() -> Vec<Datapoint> {
    numbered(3)
}

fn hundreds() -> Vec<Datapoint> {
    numbered(400)
}

#[evaluator]
fn right(output: u32, ground_truth: u32) -> bool {
    output == ground_truth
}

#[experiment(dataset = three, evaluators(right), gate(mean(right) >= 0.9))]
fn good(n: u32) -> u32 {
    n
}

#[experiment(dataset = three, evaluators(right), gate(mean(right) >= 0.9))]
fn bad(n: u32) -> u32 {
    if n == 1 { 7 } else { n }
}

#[experiment(dataset = hundreds, evaluators(right), concurrency = 4)]
fn takes_its_time(n: u32) -> u32 {
    probe::note("takes_its_time", n);
    probe::sleep(10);
    n
}

honeyhive_harness::main!();
