//! Defines the comparison of two runs by one evaluator.

use super::pairs::Coverage;
use crate::stats::Interval;

/// The scores of a case in two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The id of the datapoint.
    pub case: String,
    /// The score of the case in the baseline.
    pub before: f64,
    /// The score of the case now.
    pub after: f64,
    /// The gain: by how much the case got better (worse, when negative), whichever direction is
    /// better.
    pub gain: f64,
}

/// The comparison of two runs by one evaluator.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreComparison {
    /// The name of the evaluator in the experiment.
    pub evaluator: String,
    /// The reason why the scores cannot be compared at all; then there are no pairs.
    pub incomparable: Option<String>,
    /// The cases that have a score in both runs, for the same row, in the order of their ids.
    pub pairs: Vec<Pair>,
    /// The mean of the pairs in the baseline.
    pub before: f64,
    /// The mean of the pairs now.
    pub after: f64,
    /// The mean gain: positive is better, whichever way the evaluator's numbers go.
    pub gain: f64,
    /// The 95 % interval of the mean gain; absent for too few pairs or without spread.
    pub interval: Option<Interval>,
    /// The number of pairs that got better.
    pub better: usize,
    /// The number of pairs that got worse.
    pub worse: usize,
    /// The one-sided p-value of a loss: the probability that chance alone would look at least this
    /// bad.
    pub p_worse: f64,
    /// The one-sided p-value of a gain: the probability that chance alone would look at least this
    /// good.
    pub p_better: f64,
    /// The number of clusters, where the p-values are of clusters of cases.
    pub clusters: Option<usize>,
    /// The cases that could be compared, and those that could not.
    pub coverage: Coverage,
}

impl ScoreComparison {
    /// Returns the two-sided p-value: the probability that chance alone would look at least this
    /// different, in either direction.
    pub fn p_two_sided(&self) -> f64 {
        (2.0 * self.p_worse.min(self.p_better)).min(1.0)
    }

    pub(super) fn incomparable(evaluator: &str, why: String) -> Self {
        Self {
            evaluator: evaluator.to_owned(),
            incomparable: Some(why),
            pairs: Vec::new(),
            before: f64::NAN,
            after: f64::NAN,
            gain: f64::NAN,
            interval: None,
            better: 0,
            worse: 0,
            p_worse: 1.0,
            p_better: 1.0,
            clusters: None,
            coverage: Coverage::default(),
        }
    }
}
