//! An experiment with very many rows.

use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn fine(output: &str) -> bool {
    !output.is_empty()
}

#[experiment(dataset = "data/large.jsonl", evaluators(fine))]
fn large(question: &str) -> String {
    question.to_owned()
}

honeyhive_harness::main!();
