//! What an evaluator says of all cases.

use super::difference::Difference;
use crate::baseline::ScoreComparison;
use crate::gate::case::{Case, CaseScore};
use crate::gate::counted::of_all;
use crate::gate::evaluator::Judge;
use crate::gate::judge::mean_interval;
use crate::journal::{EvaluatorRecord, RuleRecord};
use crate::rule::{GateRule, Of};
use crate::score::Comparison;
use crate::stats::{self, Spread};

/// A mean with what is known about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) mean: f64,
    /// The 95 % interval, or why there is none.
    pub(crate) spread: Spread,
    /// Of how many cases.
    pub(crate) n: usize,
    /// How many cases there are.
    pub(crate) cases: usize,
}

impl Measured {
    /// The mean of one value per case, as the terminal has it.
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

    /// `30`, or `1 of 30`.
    pub(crate) fn of_all(&self) -> String {
        of_all(self.n, self.cases)
    }

    /// The ends of the interval, where there is one.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        match self.spread {
            Spread::Interval(interval) => Some((interval.low, interval.high)),
            Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
        }
    }
}

/// An evaluator of an experiment, over all its cases.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// Its place in the experiment's list, and in the `scores` of a case.
    pub(crate) index: usize,
    pub(crate) record: &'a EvaluatorRecord,
    /// What the score of a case must hold to be good, where the evaluator judges.
    pub(crate) limit: Option<(Comparison, f64)>,
    /// The values that the score of a case can have, where that is known.
    pub(crate) range: Option<(f64, f64)>,
    /// The mean of the cases' scores; absent when no case has one.
    pub(crate) measured: Option<Measured>,
    /// Cases without a score because the function or the evaluator failed.
    pub(crate) missing: usize,
    /// Cases that it does not apply to.
    pub(crate) not_applicable: usize,
    /// Cases whose score is good, where the evaluator judges.
    pub(crate) good: usize,
    /// What the gate's rules about it say, in the order of the attribute.
    pub(crate) rules: Vec<&'a RuleRecord>,
    /// What changed against what the experiment is compared with.
    pub(crate) comparison: Option<ScoreComparison>,
    /// What that comes to.
    pub(crate) difference: Option<Difference>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        index: usize,
        record: &'a EvaluatorRecord,
        judges: &[Judge],
        cases: &[Case],
        rules: Vec<&'a RuleRecord>,
        comparison: Option<ScoreComparison>,
        decided: Option<(&GateRule, &RuleRecord)>,
    ) -> Self {
        let judge = &judges[index];
        let scores = || cases.iter().filter_map(|case| Some((case.scores.get(index)?, case)));
        let values: Vec<(f64, &Case)> =
            scores().filter_map(|(score, case)| Some((score.scored()?.score, case))).collect();
        let holds = || scores().filter_map(|(score, _)| score.scored()?.holds);
        let count = |wanted: CaseScore| scores().filter(|(score, _)| **score == wanted).count();
        Self {
            index,
            record,
            limit: holds().next().map(|_| judge.case_limit()),
            range: judge.case_range(),
            measured: Measured::new(Of::Evaluator(index), judges, &values, cases.len()),
            missing: count(CaseScore::Missing),
            not_applicable: count(CaseScore::NotApplicable),
            good: holds().filter(|holds| *holds).count(),
            rules,
            difference: comparison.as_ref().map(|one| Difference::new(one, decided)),
            comparison,
        }
    }

    /// Its scores decide cases.
    pub(crate) fn judges(&self) -> bool {
        self.limit.is_some()
    }
}
