//! Computes the numbers over all cases of an experiment.

use super::counts::Counts;
use super::evaluated::{Evaluated, Measured};
use crate::gate::case::{Case, CaseScore, Rules};
use crate::gate::evaluator::Scored;
use crate::journal::{GateRecord, RuleRecord, StoppedRecord};
use crate::rule::Of;
use crate::stats;

/// The input for figures: decided cases, and the verdict on them where there is one.
pub(crate) struct Seen<'a, 'b> {
    /// The rules that the cases were decided by.
    pub(crate) rules: Rules,
    /// The cases that have a result, in the order of the dataset.
    pub(crate) cases: &'b [Case],
    /// The numbers of cases in each state, also of those that were selected but not run.
    pub(crate) counts: Counts,
    /// Set when all rows of the dataset were selected.
    pub(crate) is_whole: bool,
    /// The verdict of the gate, where it was asked.
    pub(crate) gate: Option<&'a GateRecord>,
    /// The name of a case by its row, for people.
    pub(crate) name: &'b dyn Fn(usize) -> String,
}

/// The numbers over all cases of an experiment.
#[derive(Clone, Debug)]
pub(crate) struct Figures<'a> {
    /// The rules that the cases were decided by.
    pub(crate) rules: Rules,
    /// The verdict of the gate, where it was asked.
    pub(crate) gate: Option<&'a GateRecord>,
    /// The numbers of cases in each state, also of those that were selected but not run.
    pub(crate) counts: Counts,
    /// The number of cases that have a result, also those that were skipped: those of the means.
    pub(crate) cases: usize,
    /// The evaluators, in the experiment's order.
    pub(crate) evaluators: Vec<Evaluated<'a>>,
    /// The time that the function took, alone; absent when no case has a result.
    pub(crate) latency: Option<Latency<'a>>,
    /// The share of cases that ended in an error, of those that ran.
    pub(crate) error_rate: Option<Measured>,
    /// The gate's verdicts on its rules about errors.
    pub(crate) error_rules: Vec<&'a RuleRecord>,
    /// The cases whose attempts disagree about a score that judges, in the order of the dataset.
    pub(crate) flaky: Vec<Flaky>,
    /// Set when all rows were selected, some were run, and none has a score.
    pub(crate) nothing_scored: bool,
}

/// The time that the function of an experiment took, alone, in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Latency<'a> {
    /// The mean over the cases, their attempts averaged.
    pub(crate) measured: Measured,
    /// The nearest-rank percentile 50 over all attempts.
    pub(crate) p50: f64,
    /// The nearest-rank percentile 95 over all attempts.
    pub(crate) p95: f64,
    /// The gate's verdicts on its rules about latency.
    pub(crate) rules: Vec<&'a RuleRecord>,
}

/// A case whose attempts disagree about a score that judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaky {
    /// The name of the case.
    pub(crate) name: String,
    /// The number of good attempts, of the evaluator that has fewest.
    pub(crate) good: u32,
    /// The number of attempts that have a score.
    pub(crate) attempts: u32,
}

impl<'a> Figures<'a> {
    /// Computes the figures of an experiment.
    pub(crate) fn new(seen: Seen<'a, '_>) -> Self {
        let Seen { rules, cases, counts, is_whole, gate, name } = seen;
        let said: &[RuleRecord] = gate.map_or(&[], |gate| &gate.rules);
        let about = |of: Of| {
            let rules = rules.gates.iter().zip(said).filter(move |(rule, _)| rule.of() == of);
            rules.map(|(_, record)| record).collect::<Vec<&RuleRecord>>()
        };
        let evaluators: Vec<Evaluated<'a>> = (0..rules.judges.len())
            .map(|index| Evaluated::new(index, &rules.judges, cases, about(Of::Evaluator(index))))
            .collect();
        let has_score = |case: &Case| case.scores.iter().any(|score| score.scored().is_some());
        let any_ran = cases.iter().any(Case::has_run);
        Self {
            gate,
            counts,
            cases: cases.len(),
            latency: Latency::new(&rules, cases, about(Of::Latency)),
            error_rate: error_rate(&rules, cases),
            error_rules: about(Of::Errors),
            flaky: cases.iter().filter_map(|case| flaky(case, name)).collect(),
            nothing_scored: is_whole
                && !evaluators.is_empty()
                && any_ran
                && !cases.iter().any(has_score),
            evaluators,
            rules,
        }
    }

    /// Returns the number of cases that ran, where the gate was decided before the last one.
    pub(crate) fn stopped(&self) -> Option<StoppedRecord> {
        self.gate.and_then(|gate| gate.stopped)
    }

    /// Returns whether the gate was asked, judged, and is inconclusive.
    pub(crate) fn is_inconclusive(&self) -> bool {
        self.gate.is_some_and(GateRecord::is_inconclusive)
    }
}

impl<'a> Latency<'a> {
    fn new(rules: &Rules, cases: &[Case], about: Vec<&'a RuleRecord>) -> Option<Self> {
        let means: Vec<(f64, &Case)> =
            cases.iter().filter_map(|case| Some((stats::mean(&case.latencies)?, case))).collect();
        let mut all: Vec<f64> = cases.iter().flat_map(|case| &case.latencies).copied().collect();
        all.sort_unstable_by(f64::total_cmp);
        Some(Self {
            measured: Measured::new(Of::Latency, &rules.judges, &means, cases.len())?,
            p50: stats::quantile(&all, 0.50)?,
            p95: stats::quantile(&all, 0.95)?,
            rules: about,
        })
    }
}

fn error_rate(rules: &Rules, cases: &[Case]) -> Option<Measured> {
    let ran = cases.iter().filter(|case| case.has_run());
    let errors: Vec<(f64, &Case)> =
        ran.map(|case| (f64::from(u8::from(case.is_error())), case)).collect();
    Measured::new(Of::Errors, &rules.judges, &errors, cases.len())
}

fn flaky(case: &Case, name: &dyn Fn(usize) -> String) -> Option<Flaky> {
    let scored = case.scores.iter().filter_map(CaseScore::scored);
    let flaky = scored.filter(Scored::is_flaky).min_by_key(|one| one.good)?;
    let good = flaky.good.unwrap_or_default();
    Some(Flaky { name: name(case.row), good, attempts: flaky.attempts })
}
