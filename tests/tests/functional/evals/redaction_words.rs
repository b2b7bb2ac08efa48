//! Experiments with a secret that is a word of the dataset.

use honeyhive_harness::{Datapoint, evaluator, experiment};

#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

/// Returns whether the output does not contain the secret.
#[evaluator]
fn discreet(output: &str) -> bool {
    !output.contains("swordfish")
}

fn rows() -> Vec<Datapoint> {
    let row = |id: &str, word: &str| Datapoint::new().id(id).input("q", word).ground_truth(word);
    vec![row("pg", "swordfish"), row("other", "mackerel")]
}

#[experiment(dataset = rows, evaluators(correct))]
fn answers(q: &str) -> String {
    q.to_owned()
}

#[experiment(dataset = rows, evaluators(discreet))]
fn talks(q: &str) -> String {
    format!("it is {q}")
}

honeyhive_harness::main!();
