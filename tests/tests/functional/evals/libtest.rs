//! Small experiments that command lines select.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn letters() -> Vec<Datapoint> {
    ["a", "b", "c"].map(|id| Datapoint::new().id(id).input("letter", id)).into()
}

#[evaluator]
fn early(output: &str) -> bool {
    output < "c"
}

#[experiment(dataset = letters, evaluators(early))]
fn first(letter: &str) -> String {
    probe::note("calls", format!("first {letter}"));
    letter.to_owned()
}

#[experiment(dataset = letters, evaluators(early), gate(mean(early) >= 0.6))]
fn second(letter: &str) -> String {
    probe::note("calls", format!("second {letter}"));
    letter.to_owned()
}

#[experiment(dataset = letters, evaluators(early))]
#[ignore = "costs money"]
fn dear(letter: &str) -> String {
    probe::note("calls", format!("dear {letter}"));
    letter.to_owned()
}

#[cfg(any())]
#[experiment(dataset = letters, evaluators(early))]
fn left_out(letter: &str) -> String {
    letter.to_owned()
}

honeyhive_harness::main!();
