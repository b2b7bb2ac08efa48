//! Defines the rules that users write in `require(..)` and `gate(..)`, as data.
//!
//! The macros make constants of them. The journal keeps them, so that a verdict can be computed
//! again without the source. They are what generated code writes, and not part of the public surface.

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

/// One entry of `require(..)`, which must hold in every attempt of every case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequireRule {
    /// The place of the evaluator in the experiment's list.
    pub evaluator: usize,
    /// The limit of the rule; without one, the evaluator's own judgement counts.
    pub limit: Option<(Comparison, f64)>,
    /// The text of the rule, as written.
    pub text: Cow<'static, str>,
}

/// The way in which a rule takes the uncertainty of its value into account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The value itself must hold.
    #[default]
    Point,
    /// The one-sided 95 % bound on the worse side must hold, so that a value is shown to be good.
    Confident,
    /// The one-sided 95 % bound on the better side must hold, so that only a value that is shown to
    /// be bad fails.
    NotWorse,
}

/// The quantity that is computed from the scores, latencies or states of the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The arithmetic mean.
    Mean,
    /// The median, which is the same as `P50`.
    Median,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The nearest-rank 50th percentile.
    P50,
    /// The nearest-rank 90th percentile.
    P90,
    /// The nearest-rank 95th percentile.
    P95,
    /// The nearest-rank 99th percentile.
    P99,
    /// The sample standard deviation.
    Stddev,
    /// The share of cases that the evaluator judges good.
    PassRate,
    /// The share of cases that ended in an error.
    ErrorRate,
}

/// The values that a measure is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The scores of an evaluator, given by its place in the experiment's list.
    Evaluator(usize),
    /// The duration of the function alone, in seconds.
    Latency,
    /// The states of cases: whether they ended in an error.
    Errors,
}

/// The condition on which a run starts no further case, though some were not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Stops as soon as the gate can have no other verdict, whatever the other cases score.
    Decided,
}

/// The question that a rule of a gate asks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Asks whether a measure keeps within a limit.
    Limit {
        /// The way in which uncertainty is taken into account.
        mode: Mode,
        /// The quantity that is computed.
        measure: Measure,
        /// The values that it is computed from.
        of: Of,
        /// The side of the limit that is good.
        comparison: Comparison,
        /// The limit, in the unit of the measure; seconds for latency.
        limit: f64,
    },
    /// Asks whether an evaluator's scores are worse than in the baseline.
    NoRegression {
        /// The place of the evaluator in the experiment's list.
        evaluator: usize,
        /// The loss of the mean that is tolerated, in the unit of the score; a smaller one does not
        /// fail the rule.
        margin: f64,
        /// The probability that the rule fails although nothing but chance has changed.
        alpha: f64,
        /// The number of further attempts of the cases that got worse, made before the rule fails;
        /// it fails only if the loss is confirmed by them. 0 for no second look.
        #[serde(default)]
        confirm: u32,
    },
    /// Asks whether more cases that always held in the baseline never hold now than chance
    /// explains.
    NoCollapse {
        /// The place of the evaluator in the experiment's list.
        evaluator: usize,
        /// The probability that the rule fails although nothing but chance has changed.
        alpha: f64,
    },
    /// Asks whether any single case lost more of its attempts than chance explains, also a case
    /// that did not always hold in the baseline.
    NoLoss {
        /// The place of the evaluator in the experiment's list.
        evaluator: usize,
        /// The probability that the rule fails although nothing but chance has changed.
        alpha: f64,
    },
    /// Asks whether an evaluator's mean surely fell by more than a margin.
    NoWorseThan {
        /// The place of the evaluator in the experiment's list.
        evaluator: usize,
        /// The loss that is tolerated, in the unit of the score.
        margin: f64,
        /// The probability that the rule fails although the loss is the margin.
        alpha: f64,
    },
    /// Asks whether an evaluator's mean is shown not to have fallen by more than a margin.
    NonInferior {
        /// The place of the evaluator in the experiment's list.
        evaluator: usize,
        /// The loss that is tolerated, in the unit of the score.
        margin: f64,
        /// The probability that the rule holds although the loss is the margin.
        alpha: f64,
    },
}

/// One entry of `gate(..)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRule {
    /// The text of the rule, as written.
    pub text: Cow<'static, str>,
    /// The slice that the rule is limited to: `key:value` of metadata, or a tag; `None` for all
    /// cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Cow<'static, str>>,
    /// The number of scored units below which the rule is inconclusive; 0 for no such limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_n: u32,
    /// The share of the cases that must be comparable with the baseline; 0.95 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// The question that the rule asks.
    pub test: Test,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Test {
    /// Returns the evaluator of a rule that compares with the baseline; `None` for a limit.
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
    /// Returns the subject of the rule.
    pub fn of(&self) -> Of {
        match self.test {
            Test::Limit { of, .. } => of,
            other => Of::Evaluator(other.compares().unwrap_or_default()),
        }
    }

    /// Returns the subject that the rule decides about instead of the cases. A rule that compares
    /// with the baseline does not: a case that misses fails by itself, whether it missed before or
    /// not.
    pub fn takes_over(&self) -> Option<Of> {
        match self.test {
            Test::Limit { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Returns the number of further attempts that a second look takes; 0 for none.
    pub fn confirm(&self) -> u32 {
        match self.test {
            Test::NoRegression { confirm, .. } => confirm,
            _ => 0,
        }
    }

    /// Returns the probability that the rule errs by chance; `None` for a limit.
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

    /// Returns whether the rule compares with the baseline.
    pub fn needs_baseline(&self) -> bool {
        self.test.compares().is_some()
    }
}
