//! Rules as they are written: by the names of evaluators, each part with its place.

use super::{Measure, Mode};
use crate::score::Comparison;

/// The error of a rule: what was found, where, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleError {
    /// The text that was read.
    pub text: String,
    /// The place in it: the first character is 1.
    pub column: usize,
    /// The text that was found; empty at the end of the text.
    pub found: String,
    /// The reason why it is wrong, and what to write.
    pub message: String,
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { text, column, found, message } = self;
        if found.is_empty() {
            return write!(f, "`{text}`, at the end: {message}");
        }
        write!(f, "`{text}`, column {column} (`{found}`): {message}")
    }
}

impl std::error::Error for RuleError {}

/// A name in a rule, and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    /// The name as it is written: `correct`, `checks::correct`.
    pub(crate) text: String,
    /// Its name as it is written in a rule: quoted where it is not a path.
    pub(crate) written: String,
    pub(crate) at: Place,
}

/// A part of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) column: usize,
    pub(crate) found: String,
}

/// A value, and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Place,
}

/// The value on the right of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Limit {
    Number(f64),
    Text(String),
}

/// An entry of `require(..)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Required {
    pub(crate) evaluator: Name,
    pub(crate) limit: Option<(Comparison, At<f64>)>,
    pub(crate) text: String,
}

/// An entry of `gate(..)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gated {
    pub(crate) slice: Option<String>,
    pub(crate) min_n: u32,
    pub(crate) asks: Asks,
    /// The place of its first word.
    pub(crate) at: Place,
    /// The rule as the macros write it.
    pub(crate) text: String,
}

/// The question of a rule of a gate, with names for evaluators.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asks {
    Limit {
        mode: Mode,
        measure: Measure,
        /// The place of the measure.
        at: Place,
        /// An evaluator or `latency`; absent for the rate of errors.
        of: Option<Name>,
        comparison: Comparison,
        limit: At<Limit>,
    },
    Against {
        /// A name in [`AGAINST`].
        name: &'static str,
        evaluator: Name,
        margin: Option<At<f64>>,
        alpha: Option<f64>,
        confirm: Option<u32>,
        coverage: Option<f64>,
    },
}

/// The measures, as users write them.
pub(super) const MEASURES: [(&str, Measure); 10] = [
    ("mean", Measure::Mean),
    ("median", Measure::Median),
    ("min", Measure::Min),
    ("max", Measure::Max),
    ("p50", Measure::P50),
    ("p90", Measure::P90),
    ("p95", Measure::P95),
    ("p99", Measure::P99),
    ("stddev", Measure::Stddev),
    ("pass_rate", Measure::PassRate),
];

/// The names of the rules that compare with the baseline.
pub(super) const AGAINST: [&str; 5] =
    ["no_regression", "no_collapse", "no_loss", "no_worse_than", "non_inferior"];

/// The names of the measures of calls.
pub(crate) const OF_CALLS: [&str; 4] = ["latency", "first_token", "cost", "tokens"];

/// The message that `require(..)` takes no measure of calls.
pub(crate) const NOT_REQUIRED: &str = "`require` looks at evaluators; write a rule such as `p95(latency) <= \"2s\"` in `gate(..)`, or `timeout = \"2s\"` for each call";

impl Measure {
    /// Returns the measure as users write it.
    pub(crate) fn name(self) -> &'static str {
        let known = MEASURES.iter().find(|(_, measure)| *measure == self);
        known.map_or("error_rate", |(name, _)| name)
    }
}
