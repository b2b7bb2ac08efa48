//! Computes the figures of an evaluator over all cases of an experiment.

use super::difference::Difference;
use crate::baseline::ScoreComparison;
use crate::gate::case::{Case, CaseScore};
use crate::gate::counted::of_all;
use crate::gate::evaluator::Judge;
use crate::gate::judge::mean_interval;
use crate::journal::{EvaluatorRecord, RuleRecord};
use crate::rule::Of;
use crate::score::Comparison;
use crate::stats::{self, Spread};

/// A mean with its interval and the number of its cases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) mean: f64,
    /// The 95 % interval, or why there is none.
    pub(crate) spread: Spread,
    /// The number of cases that have a value.
    pub(crate) n: usize,
    /// The number of all cases.
    pub(crate) cases: usize,
}

impl Measured {
    /// Computes the mean of one value per case, and its interval.
    pub(super) fn new(
        of: Of,
        judges: &[Judge],
        values: &[(f64, &Case)],
        cases: usize,
    ) -> Option<Self> {
        let numbers: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        let mean = stats::mean(&numbers)?;
        Some(Self { mean, spread: mean_interval(of, judges, values), n: values.len(), cases })
    }

    /// Returns `30`, or `1 of 30` where not all cases have a value.
    pub(crate) fn of_all(&self) -> String {
        of_all(self.n, self.cases)
    }

    /// Returns the ends of the interval, where there is one.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        match self.spread {
            Spread::Interval(interval) => Some((interval.low, interval.high)),
            Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
        }
    }
}

/// An evaluator of an experiment, over all its cases.
#[derive(Clone, Debug)]
pub(crate) struct Evaluated<'a> {
    /// The place of the evaluator in the experiment's list, and in the `scores` of a case.
    pub(crate) index: usize,
    pub(crate) record: EvaluatorRecord,
    /// The limit that the score of a case must hold to be good, where the evaluator judges.
    pub(crate) limit: Option<(Comparison, f64)>,
    /// The lowest and highest value that the score of a case can have, where that is known.
    pub(crate) range: Option<(f64, f64)>,
    /// The mean of the cases' scores; absent when no case has one.
    pub(crate) measured: Option<Measured>,
    /// The number of cases without a score because the function or the evaluator failed.
    pub(crate) missing: usize,
    /// The number of cases that it does not apply to.
    pub(crate) not_applicable: usize,
    /// The number of cases whose score is judged as good or not, where the evaluator judges.
    pub(crate) judged: usize,
    /// The number of these whose score is good.
    pub(crate) good: usize,
    /// The mean standard deviation of the attempts of a case; absent for single attempts.
    pub(crate) spread_within: Option<f64>,
    /// The gate's verdicts on its rules about this evaluator, in the order of the attribute.
    pub(crate) rules: Vec<&'a RuleRecord>,
    /// The change against the run that the experiment is compared with.
    pub(crate) comparison: Option<ScoreComparison>,
    /// The kind of that change.
    pub(crate) difference: Option<Difference>,
}

impl<'a> Evaluated<'a> {
    pub(super) fn new(
        index: usize,
        judges: &[Judge],
        cases: &[Case],
        rules: Vec<&'a RuleRecord>,
    ) -> Self {
        let judge = &judges[index];
        let scores = || cases.iter().filter_map(|case| Some((case.scores.get(index)?, case)));
        let values: Vec<(f64, &Case)> =
            scores().filter_map(|(score, case)| Some((score.scored()?.score, case))).collect();
        let holds = || scores().filter_map(|(score, _)| score.scored()?.holds);
        let count = |wanted: CaseScore| scores().filter(|(score, _)| **score == wanted).count();
        let spreads: Vec<f64> = scores().filter_map(|(score, _)| score.scored()?.spread).collect();
        Self {
            index,
            record: judge.record(),
            limit: holds().next().map(|_| judge.case_limit()),
            range: judge.case_range(),
            measured: Measured::new(Of::Evaluator(index), judges, &values, cases.len()),
            missing: count(CaseScore::Missing),
            not_applicable: count(CaseScore::NotApplicable),
            judged: holds().count(),
            good: holds().filter(|holds| *holds).count(),
            spread_within: stats::mean(&spreads),
            rules,
            comparison: None,
            difference: None,
        }
    }

    /// Returns whether its scores decide cases.
    pub(crate) fn judges(&self) -> bool {
        self.limit.is_some()
    }
}
