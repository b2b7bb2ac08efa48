//! Experiments with hooks, one of which panics.

mod probe;

use honeyhive_harness::{Datapoint, evaluator, experiment};

fn names(text: &str) -> Option<String> {
    text.contains("Ada").then(|| text.replace("Ada", "[name]"))
}

fn careless(text: &str) -> Option<String> {
    assert!(!text.contains("secret diary"), "cannot mask {text}");
    None
}

fn slow(text: &str) -> Option<String> {
    if text == "for ever" {
        probe::sleep(100_000);
    }
    None
}

honeyhive_harness::redact!(names);
honeyhive_harness::redact!(careless);
honeyhive_harness::redact!(slow);

#[evaluator]
fn real(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

fn people() -> Vec<Datapoint> {
    let row = |id: &str, text: &str| Datapoint::new().id(id).input("text", text).ground_truth(text);
    vec![row("name", "Ada and Ada"), row("diary", "a secret diary of Ada"), row("none", "nobody")]
}

#[experiment(dataset = people, evaluators(real))]
fn says(text: &str) -> String {
    text.to_owned()
}

fn endless() -> Vec<Datapoint> {
    vec![Datapoint::new().id("one").input("text", "for ever").ground_truth("for ever")]
}

#[experiment(dataset = endless, evaluators(real))]
fn stuck(text: &str) -> String {
    text.to_owned()
}

honeyhive_harness::main!();
