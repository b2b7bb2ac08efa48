//! Parameters of an evaluator from every source.

use honeyhive_harness::__private::{Companion, Key};
use honeyhive_harness::{Trace, evaluator};

type Map = std::collections::BTreeMap<String, String>;

#[evaluator]
fn all(
    output: &str,
    ground_truth: Option<&str>,
    inputs: &Map,
    metadata: Map,
    trace: &Trace,
    question: &[String],
    _language: Option<u8>,
    #[input("expected")] wanted: bool,
    input: u8,
) -> bool {
    let _ = (output, ground_truth, inputs, metadata, trace, question, wanted, input);
    true
}

fn main() {
    let keys: Vec<Key> = all::INFO.params.iter().map(|param| param.key).collect();
    let expected = [
        Key::Output,
        Key::GroundTruth,
        Key::Inputs,
        Key::Metadata,
        Key::Input("question"),
        Key::Input("language"),
        Key::Input("expected"),
        Key::Input("input"),
    ];
    assert_eq!(keys, expected);
    assert!(all::INFO.reads_trace);
}
