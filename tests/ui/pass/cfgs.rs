//! Items that are configured away leave nothing behind, wherever the `cfg` stands.

use honeyhive_harness::{evaluator, experiment};

#[evaluator]
#[cfg(any())]
fn away_below(output: Missing) -> bool {}

#[cfg(any())]
#[evaluator]
fn away_above(output: Missing) -> bool {}

#[evaluator]
#[cfg(all())]
fn stays(output: bool) -> bool {
    output
}

#[experiment(dataset = "data.jsonl", evaluators(away_below))]
#[cfg(any())]
fn gone(name: Missing) {}

#[experiment(dataset = "data.jsonl", evaluators(stays))]
#[cfg(all())]
#[cfg_attr(any(), ignore = "not this one")]
#[cfg_attr(all(), ignore, must_use)]
fn here() -> u8 {
    1
}

#[experiment(dataset = "data.jsonl", smoke)]
#[cfg_attr(any(), ignore = "neither this one")]
fn also_here() {}

fn main() {
    assert_eq!(here(), 1);
    let all = honeyhive_harness::__private::experiments();
    let found: Vec<_> = all.iter().map(|experiment| (experiment.name, experiment.ignore)).collect();
    assert_eq!(found, [("here", Some("")), ("also_here", None)]);
}
