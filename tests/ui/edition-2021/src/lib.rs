//! The macros in a crate of an older edition that knows the harness by another name.
//!
//! Being a crate of its own, it also shows clippy what the macros generate.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use std::collections::BTreeMap;
use std::path::Path;

use hh::{evaluator, experiment, trace, Datapoint, Score, Trace, Tracer};

/// Is it the right answer?
#[evaluator(crate = hh)]
#[must_use]
pub fn correct(output: &str, ground_truth: Option<&str>) -> Option<bool> {
    ground_truth.map(|truth| output == truth)
}

/// Is it long enough, and written in the words of `metadata`?
///
/// # Errors
/// Where there are no words.
#[evaluator(
    settings(min = 3, word = "x"),
    threshold = 0.5,
    range(0.0, 1.0),
    direction = maximize,
    crate = ::hh,
)]
pub fn long_enough(
    output: &str,
    metadata: &BTreeMap<String, String>,
    trace: &Trace,
    min: usize,
    word: &str,
    #[setting] unit: Option<char>,
) -> Result<f64, String> {
    if metadata.is_empty() || trace.errors() > 0 {
        return Err(format!("no words beside {word}"));
    }
    Ok(if output.len() >= min && unit.is_none() { 1.0 } else { 0.0 })
}

mod judges {
    /// Asks somebody.
    #[hh::evaluator(crate = hh)]
    pub(crate) async fn polite(output: &[String], #[setting] model: &str) -> hh::Score {
        std::future::ready(()).await;
        hh::Score::new(output.is_empty()).explanation(model)
    }
}

#[evaluator(crate = hh, name = "other")]
fn scored(#[input("a-key")] key: u8, _output: u8) -> Score {
    Score::new(key)
}

fn rows() -> Vec<Datapoint> {
    vec![Datapoint::new().input("name", "you")]
}

/// Greets.
#[experiment(
    dataset = rows,
    evaluators(
        correct,
        long_enough(min = 4),
        strict = self::long_enough(min = 5, word = "y", unit = Some('z')),
        judges::polite(model = "large"),
        crate::scored,
    ),
    require(correct, strict >= 0.25),
    gate(
        mean(correct, slice = "length:long") >= 0.9,
        confident(pass_rate(correct) >= 0.5),
        p95(latency) <= "2s",
        error_rate <= 0.05,
    ),
    repeats = 2,
    retries = 1,
    concurrency = 4,
    timeout = "10s",
    tags("nightly"),
    metadata(model = "large", temperature = 0.5),
    crate = hh,
)]
#[must_use]
pub fn greet(name: &str, all: &[String], file: Option<&Path>, _unused: u8) -> String {
    format!("{name}{}{}", all.len(), file.is_some())
}

#[experiment(dataset = "data.jsonl", crate = ::hh, smoke)]
#[cfg_attr(not(test), ignore = "only here")]
async fn wait(tracer: &Tracer, r#type: &str) -> Result<(), std::num::ParseIntError> {
    std::future::ready(tracer).await;
    let number: u8 = r#type.parse()?;
    drop(std::future::ready(number));
    Ok(())
}

/// Searches.
///
/// # Errors
/// Where there is no number.
#[trace(crate = hh, name = "search", event_type = "tool", skip(tracer))]
pub fn search(
    query: &str,
    _limit: Option<usize>,
    (low, high): (u8, u8),
    tracer: &Tracer,
) -> Result<u8, std::num::ParseIntError> {
    let _ = tracer;
    let number: u8 = query.parse()?;
    if number < low {
        return Ok(low);
    }
    Ok(number.min(high))
}

/// Asks, and does not wait.
#[trace(crate = ::hh)]
pub fn asked(words: &[&str]) -> impl Iterator<Item = String> {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().into_iter()
}

/// Asks and waits.
#[derive(Debug, Default)]
pub struct Model {
    calls: usize,
}

impl Model {
    /// Asks.
    #[trace(crate = hh, event_type = "model")]
    pub async fn ask(&mut self, question: String) -> Option<&usize> {
        std::future::ready(()).await;
        self.calls += question.len();
        Some(&self.calls)
    }

    /// Forgets.
    #[trace(crate = hh)]
    pub fn forget(&mut self) {
        self.calls = 0;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_is_registered() {
        #[hh::experiment(dataset = super::rows, evaluators(super::correct), crate = hh)]
        fn inner() {}

        let names: Vec<&str> =
            hh::__private::experiments().iter().map(|found| found.name).collect();
        assert_eq!(names, ["greet", "wait", "inner"]);
    }
}
