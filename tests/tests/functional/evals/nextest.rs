//! Experiments for nextest: each is one test there.

mod probe;

use std::sync::atomic::AtomicUsize;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn numbers() -> Vec<Datapoint> {
    probe::note("datasets", "read");
    (0..5)
        .map(|n| Datapoint::new().id(format!("n{n}")).input("n", n).ground_truth(n))
        .collect()
}

#[evaluator]
fn same(output: i64, ground_truth: i64) -> bool {
    output == ground_truth
}

#[evaluator]
fn never_applies(_output: i64) -> Option<bool> {
    None
}

#[experiment(dataset = numbers, evaluators(same), gate(mean(same) >= 0.9))]
fn green(n: i64) -> i64 {
    n
}

#[experiment(dataset = numbers, evaluators(same))]
fn one_case_fails(n: i64) -> i64 {
    if n == 1 { 7 } else { n }
}

#[experiment(dataset = numbers, evaluators(same), gate(mean(same) >= 0.9))]
fn the_gate_fails(n: i64) -> i64 {
    if n == 1 { 7 } else { n }
}

#[experiment(dataset = numbers, evaluators(same), gate(mean(same) >= 0.5))]
fn the_gate_forgives(n: i64) -> i64 {
    if n == 1 { 7 } else { n }
}

#[experiment(dataset = numbers, evaluators(never_applies), gate(mean(never_applies) >= 0.5))]
fn the_gate_cannot_judge(n: i64) -> i64 {
    n
}

#[experiment(dataset = "data/none.jsonl", evaluators(same))]
fn no_dataset(n: i64) -> i64 {
    n
}

#[experiment(dataset = numbers, evaluators(same))]
#[ignore = "costs money"]
fn dear(n: i64) -> i64 {
    n
}

/// Fails for two rows in the first attempt of nextest; one row is always wrong.
#[experiment(dataset = numbers, evaluators(same), gate(mean(same) >= 0.7))]
fn errs_at_first(n: i64) -> Result<i64, String> {
    probe::note("calls", n);
    let first = std::env::var("NEXTEST_ATTEMPT").as_deref() == Ok("1");
    if first && n >= 3 {
        return Err("the provider is down".to_owned());
    }
    Ok(if n == 1 { 7 } else { n })
}

#[experiment(dataset = numbers, evaluators(same))]
fn wrong_for_ever(n: i64) -> i64 {
    probe::note("wrong_for_ever", n);
    if n == 1 { 7 } else { n }
}

static AT_ONCE: AtomicUsize = AtomicUsize::new(0);

#[experiment(dataset = numbers, evaluators(same))]
fn at_once(n: i64) -> i64 {
    let _in_flight = probe::InFlight::enter(&AT_ONCE, "at_once");
    probe::sleep(300);
    n
}

honeyhive_harness::main!();
