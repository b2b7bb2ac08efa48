//! The rules that users write in `require(..)` and `gate(..)`, as data.

use serde::Serialize;

use crate::score::Comparison;

/// One entry of `require(..)`: must hold in every attempt of every case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequireRule {
    /// The evaluator, by its place in the experiment's list.
    pub evaluator: usize,
    /// A limit of its own; without one, the evaluator's judgement counts.
    pub limit: Option<(Comparison, f64)>,
    /// The rule as written.
    pub text: &'static str,
}

/// How a rule looks at the uncertainty of its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The value itself must hold.
    #[default]
    Point,
    /// The one-sided 95 % bound must hold: we are sure that it is good.
    Confident,
    /// Fails only when even the other bound does not hold: we are sure that it is bad.
    NotWorse,
}

/// What is computed from the scores, latencies or states of the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Arithmetic mean.
    Mean,
    /// The same as `P50`.
    Median,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Nearest-rank 50th percentile.
    P50,
    /// Nearest-rank 90th percentile.
    P90,
    /// Nearest-rank 95th percentile.
    P95,
    /// Nearest-rank 99th percentile.
    P99,
    /// Sample standard deviation.
    Stddev,
    /// Share of cases that the evaluator judges good.
    PassRate,
    /// Share of cases that ended in an error.
    ErrorRate,
}

/// What a measure is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The scores of an evaluator, by its place in the experiment's list.
    Evaluator(usize),
    /// The duration of the function alone, in seconds.
    Latency,
    /// Cases that ended in an error.
    Errors,
}

/// One entry of `gate(..)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GateRule {
    /// The rule as written, for people.
    pub text: &'static str,
    /// How it looks at uncertainty.
    pub mode: Mode,
    /// What is computed.
    pub measure: Measure,
    /// Of what.
    pub of: Of,
    /// Only cases in this slice (`key:value` of metadata, or a tag).
    pub slice: Option<&'static str>,
    /// Which side of the limit is good.
    pub comparison: Comparison,
    /// The limit; seconds for latency.
    pub limit: f64,
}
