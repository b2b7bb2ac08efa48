//! The rules that users write in `require(..)` and `gate(..)`, as data.
//!
//! The macros make constants of them; the journal keeps them, so that what was decided can be
//! decided again where there is no source.

mod against;
mod lexer;
mod parse;
mod reader;
mod typed;
mod written;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(crate) use parse::{gates, requirements};
pub(crate) use reader::quoted;
pub use typed::{Limit, Measured, Requirement, Rule};
pub use written::RuleError;
pub(crate) use written::{
    Asks, At, Gated, Limit as WrittenLimit, NOT_REQUIRED, Name, OF_CALLS, Place, Required,
};

use crate::score::Comparison;

/// One entry of `require(..)`: must hold in every attempt of every case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequireRule {
    /// The evaluator, by its place in the experiment's list.
    pub evaluator: usize,
    /// A limit of its own; without one, the evaluator's judgement counts.
    pub limit: Option<(Comparison, f64)>,
    /// The rule as written.
    pub text: Cow<'static, str>,
}

/// How a rule looks at the uncertainty of its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The scores of an evaluator, by its place in the experiment's list.
    Evaluator(usize),
    /// The duration of the function alone, in seconds.
    Latency,
    /// Cases that ended in an error.
    Errors,
}

/// When a run starts no further case, though some were not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// As soon as the gate can come to no other verdict, whatever the other cases score.
    Decided,
}

/// What a rule of a gate asks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Whether a measure keeps within a limit.
    Limit {
        /// How it looks at uncertainty.
        mode: Mode,
        /// What is computed.
        measure: Measure,
        /// Of what.
        of: Of,
        /// Which side of the limit is good.
        comparison: Comparison,
        /// The limit; seconds for latency.
        limit: f64,
    },
    /// Whether an evaluator's scores are worse than in the baseline.
    NoRegression {
        /// The evaluator, by its place in the experiment's list.
        evaluator: usize,
        /// A smaller loss of the mean is none, in the unit of the score.
        margin: f64,
        /// How often it may fail although nothing but chance has changed.
        alpha: f64,
        /// Before it fails, the cases that got worse are run so many times more, and it fails only
        /// if they still say so; 0 for no second look.
        #[serde(default)]
        confirm: u32,
    },
    /// Whether more cases that always held in the baseline never hold now than chance explains.
    NoCollapse {
        /// The evaluator, by its place in the experiment's list.
        evaluator: usize,
        /// How often it may fail although nothing but chance has changed.
        alpha: f64,
    },
    /// Whether any single case lost more than chance explains, whatever its attempts in the
    /// baseline say of it.
    NoLoss {
        /// The evaluator, by its place in the experiment's list.
        evaluator: usize,
        /// How often it may fail although nothing but chance has changed.
        alpha: f64,
    },
    /// Whether an evaluator's mean surely fell by more than a margin.
    NoWorseThan {
        /// The evaluator, by its place in the experiment's list.
        evaluator: usize,
        /// The loss that is tolerated, in the unit of the score.
        margin: f64,
        /// How often it may fail although the loss is the margin.
        alpha: f64,
    },
    /// Whether an evaluator's mean is shown not to have fallen by more than a margin.
    NonInferior {
        /// The evaluator, by its place in the experiment's list.
        evaluator: usize,
        /// The loss that is tolerated, in the unit of the score.
        margin: f64,
        /// How often it may hold although the loss is the margin.
        alpha: f64,
    },
}

/// One entry of `gate(..)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRule {
    /// The rule as written, for people.
    pub text: Cow<'static, str>,
    /// Only cases in this slice (`key:value` of metadata, or a tag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Cow<'static, str>>,
    /// With fewer scored units than this, the rule is inconclusive; 0 asks for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_n: u32,
    /// The share of the cases that must be comparable with the baseline; 0.95 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// What it asks.
    pub test: Test,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Test {
    /// The evaluator of a rule that compares with the baseline.
    pub(crate) const fn compares(self) -> Option<usize> {
        match self {
            Self::Limit { .. } => None,
            Self::NoRegression { evaluator, .. }
            | Self::NoCollapse { evaluator, .. }
            | Self::NoLoss { evaluator, .. }
            | Self::NoWorseThan { evaluator, .. }
            | Self::NonInferior { evaluator, .. } => Some(evaluator),
        }
    }
}

impl GateRule {
    /// The subject of the rule.
    pub fn of(&self) -> Of {
        match self.test {
            Test::Limit { of, .. } => of,
            other => Of::Evaluator(other.compares().unwrap_or_default()),
        }
    }

    /// The subject that the rule decides about instead of the cases. A rule that compares with the
    /// baseline leaves that to them: a case that misses is a miss, whether it did before or not.
    pub fn takes_over(&self) -> Option<Of> {
        match self.test {
            Test::Limit { of, .. } => Some(of),
            _ => None,
        }
    }

    /// The number of further attempts that a second look takes; 0 for none.
    pub fn confirm(&self) -> u32 {
        match self.test {
            Test::NoRegression { confirm, .. } => confirm,
            _ => 0,
        }
    }

    /// How often the rule may err by chance; absent for a limit.
    pub fn alpha(&self) -> Option<f64> {
        match self.test {
            Test::Limit { .. } => None,
            Test::NoRegression { alpha, .. }
            | Test::NoCollapse { alpha, .. }
            | Test::NoLoss { alpha, .. }
            | Test::NoWorseThan { alpha, .. }
            | Test::NonInferior { alpha, .. } => Some(alpha),
        }
    }

    /// Whether the rule compares with the baseline.
    pub fn needs_baseline(&self) -> bool {
        self.test.compares().is_some()
    }
}
