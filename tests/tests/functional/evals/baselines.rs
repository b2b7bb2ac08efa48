//! Experiments whose scores are set by variables, under rules that compare with a baseline.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

/// Returns whether a case is right: of each ten cases, the first `GOOD` are, 8 by default.
fn is_good(n: u32) -> bool {
    let good = std::env::var("GOOD").map_or(8, |good| good.parse().expect("a number"));
    n % 10 < good
}

fn forty() -> Vec<Datapoint> {
    (0..40).map(|n| Datapoint::new().id(format!("n{n:02}")).input("n", n)).collect()
}

#[evaluator]
fn right(output: bool) -> bool {
    output
}

#[evaluator(direction = minimize)]
fn length(output: bool) -> u32 {
    if output { 1 } else { 3 }
}

#[experiment(
    dataset = forty,
    evaluators(right, length),
    gate(mean(right) >= 0.3, no_regression(right), no_regression(length, margin = 0.1)),
    metadata(model = "small"),
    track("prompts/*.md"),
)]
fn moves(n: u32) -> bool {
    is_good(n)
}

#[experiment(dataset = forty, evaluators(right), gate(mean(right) >= 0.3), repeats = 3)]
fn plain(n: u32) -> bool {
    is_good(n)
}

#[experiment(
    dataset = forty,
    evaluators(right),
    gate(mean(right) >= 0.3, no_collapse(right)),
    repeats = 3,
    baseline = "kept/collapses.json",
)]
fn collapses(n: u32) -> bool {
    is_good(n)
}

#[experiment(dataset = forty, evaluators(right))]
fn ungated(n: u32) -> bool {
    if std::env::var("BREAK").is_ok() && n == 5 {
        panic!("broken on purpose");
    }
    is_good(n)
}

/// Gives no result for one of ten cases.
#[experiment(dataset = forty, evaluators(right))]
fn broken(n: u32) -> Result<bool, String> {
    if n % 10 == 3 { Err("no answer".to_owned()) } else { Ok(is_good(n)) }
}

#[experiment(
    dataset = forty,
    evaluators(right),
    gate(mean(right) >= 0.3, no_regression(right, confirm = 4)),
)]
fn confirmed(n: u32) -> bool {
    probe::note("confirmed.txt", n);
    is_good(n)
}

/// Fails for six cases on their first call, and passes afterwards.
#[experiment(
    dataset = forty,
    evaluators(right),
    gate(mean(right) >= 0.3, no_regression(right, margin = 0.1, confirm = 5)),
)]
fn unlucky(n: u32) -> bool {
    let is_down = std::env::var("DOWN").is_ok() && probe::nth(&format!("d{n}")) > 1;
    assert!(!is_down, "the server is down");
    !(std::env::var("UNLUCKY").is_ok() && n < 6 && probe::nth(&format!("u{n}")) == 1)
}

/// The experiment whose rules and labels a test edits.
#[experiment(dataset = "data/edited.jsonl", evaluators(same), gate(mean(same) >= 0.6))]
fn edited(text: &str) -> String {
    probe::note("called.txt", text);
    text.to_uppercase()
}

#[evaluator]
fn same(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

honeyhive_harness::main!();
