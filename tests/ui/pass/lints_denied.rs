//! Generated code trips no lint.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

use honeyhive_harness::{Datapoint, evaluator, experiment};

/// Public, and documented.
pub mod checks {
    use honeyhive_harness::{Trace, evaluator};

    /// Long enough?
    #[evaluator(settings(min = 3))]
    pub fn long_enough(output: &str, min: usize, #[setting] _unit: &str) -> bool {
        output.len() >= min
    }

    /// Asks somebody.
    #[evaluator(threshold = 0.5)]
    pub async fn judged(output: u8, trace: &Trace) -> Option<f64> {
        tick().await;
        (trace.errors() == 0).then_some(f64::from(output))
    }

    async fn tick() {}

    /// Not recommended.
    #[evaluator]
    #[deprecated = "use another"]
    pub fn old(output: bool) -> bool {
        output
    }
}

#[derive(Clone, Copy)]
struct Private(u8);

#[evaluator]
fn private_type(output: u8, #[setting] limit: Private) -> bool {
    output < limit.0
}

fn rows() -> Vec<Datapoint> {
    Vec::new()
}

/// Greets.
#[experiment(
    dataset = rows,
    evaluators(checks::judged, checks::long_enough(unit = "s"), private_type(limit = Private(3))),
    require(private_type),
    gate(mean(judged) >= 0.5, p95(latency) <= "2s"),
)]
pub fn greet(name: &str, _unused: u8) -> String {
    name.to_owned()
}

#[experiment(dataset = rows, smoke)]
async fn nothing() {}

#[experiment(dataset = rows, smoke)]
#[deprecated = "use another"]
fn old() {}

fn main() {}
