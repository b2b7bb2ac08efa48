//! Experiments that an editor works on.

use editors::long_enough;
use honeyhive_harness::{Datapoint, Evaluators, evaluator, experiment};

/// Returns whether it named the right language.
#[evaluator]
fn correct(output: &str, ground_truth: &str) -> bool {
    output == ground_truth
}

mod checks {
    use honeyhive_harness::evaluator;

    /// Returns whether the answer is short.
    #[evaluator]
    pub(crate) async fn brief(output: &str, #[setting] most: usize) -> bool {
        output.len() <= most
    }
}

fn rows() -> Vec<Datapoint> {
    let row = |n: u32| Datapoint::new().id(format!("row-{n}")).input("text", "Danke");
    (1..=3).map(|n| row(n).ground_truth("de")).collect()
}

/// Names the language.
#[experiment(
    dataset = rows,
    evaluators(correct, strict = long_enough(least = 2), checks::brief(most = 80)),
    require(correct, brief),
    reduce(correct = mean),
    gate(
        mean(correct) >= 0.9,
        pass_rate(strict) >= 0.9,
        pass_rate(checks::brief) >= 0.9,
        no_regression(correct),
    ),
)]
fn detect_language(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("nothing to read".to_owned()) } else { Ok("de".to_owned()) }
}

mod nested {
    use super::{correct, detect_language, rows};

    #[honeyhive_harness::experiment(dataset = rows, evaluators(correct), gate(mean(correct) >= 0.9))]
    async fn detect_later(text: &str) -> String {
        detect_language(text).unwrap_or_default()
    }
}

/// The evaluators as values.
#[allow(dead_code)]
fn in_code() -> Evaluators {
    Evaluators::new().with(correct {}).with(long_enough { least: 2 }).with(checks::brief { most: 80 })
}

honeyhive_harness::main!();
