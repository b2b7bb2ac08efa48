//! Generated code works without the prelude.
#![no_implicit_prelude]

use ::honeyhive_harness::{Tracer, evaluator, experiment};
use ::std::option::Option::{self, None};
use ::std::result::Result::{self, Ok};
use ::std::string::String;

#[evaluator(settings(min = 3, word), name = "long", threshold = 0.5, range(0, 1))]
fn long_enough(output: &str, min: usize, word: &str) -> Result<Option<f64>, String> {
    let _ = (output, min, word);
    Ok(None)
}

#[evaluator]
async fn later(output: Option<&[u8]>) -> bool {
    output.is_none()
}

fn rows() -> ::std::vec::Vec<::honeyhive_harness::Datapoint> {
    ::std::vec::Vec::new()
}

#[experiment(
    dataset = rows,
    evaluators(long_enough(word = "x"), later),
    require(later),
    gate(mean(long_enough) >= 0.5, error_rate <= 0.1),
    timeout = "2s",
    metadata(a = "b"),
    tags("c"),
)]
#[ignore = "later"]
fn greet(name: &str, all: &[u8], file: Option<&::std::path::Path>) -> Result<String, String> {
    let _ = (all, file);
    Ok(::std::convert::From::from(name))
}

#[experiment(dataset = "data.jsonl", smoke)]
async fn nothing(tracer: &Tracer) {
    let _ = tracer;
}

fn main() {}
