//! Names that generated code could trip over mean something else here.
#![allow(dead_code, unused_macros)]

use honeyhive_harness::{evaluator, experiment};

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct String;
struct Vec;
struct Box;
struct Send;
struct Default;
struct Clone;
struct Arc;
struct Value;
struct Param;
struct Key;
struct Call;
struct Experiment;
struct Evaluator;
struct Companion;
struct Subject;
struct Fault;

mod std {}
mod core {}
mod honeyhive_harness_private {}

macro_rules! panic {
    () => {};
}
macro_rules! env {
    () => {};
}
macro_rules! file {
    () => {};
}

#[evaluator(settings(min, word = "x"))]
fn long_enough(output: &str, min: usize, word: &str) -> bool {
    output.len() >= min && output.contains(word)
}

#[evaluator]
async fn evaluator(output: &[u8]) -> f64 {
    f64::from(output[0])
}

#[experiment(
    dataset = "data.jsonl",
    evaluators(long_enough(min = 3), evaluator),
    require(long_enough),
    gate(mean(evaluator) >= 0.5),
    timeout = "2s",
)]
fn experiment(name: &str, all: &[u8], inputs: ::std::collections::BTreeMap<u8, u8>) -> u8 {
    let _ = (name, all, inputs);
    1
}

#[experiment(dataset = "data.jsonl", smoke)]
async fn run(call: u8, fields: u8, __hh_call: u8, returned: u8) -> u8 {
    call + fields + __hh_call + returned
}

fn main() {}
