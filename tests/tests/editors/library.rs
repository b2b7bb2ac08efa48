//! Evaluators of a library.

use honeyhive_harness::evaluator;

/// Returns whether the answer has enough characters.
#[evaluator(threshold = 0.5, settings(least = 1))]
pub fn long_enough(output: &str, least: usize) -> f64 {
    if output.len() >= least { 1.0 } else { 0.0 }
}
