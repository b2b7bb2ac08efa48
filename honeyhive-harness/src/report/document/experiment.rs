//! An experiment as reports show it.

use std::collections::HashMap;

use super::case::{self, Case, Change};
use super::evaluator::{Measured, Row, subject};
use super::{Counts, Outcome};
use crate::baseline::{self, RowChanges, ScoreComparison, Snapshot};
use crate::journal::{
    CaseResults, CaseState, ExperimentRecord, ExperimentResults, GateRecord, RuleRecord,
    Verdict as Says,
};
use crate::stats;
use crate::text::{count, thousands};

/// What an experiment is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Against<'a> {
    /// In words: `baseline of 2026-11-22`, `run 20261122T190158-3f2a`.
    pub(crate) label: String,
    /// What it came to then.
    pub(crate) before: &'a Snapshot,
    /// What it came to now.
    pub(crate) now: &'a Snapshot,
    /// The other run, where it is more than scores: its outputs are known.
    pub(crate) results: Option<&'a ExperimentResults>,
}

/// What came out of a comparison; that of each evaluator is in its [`Row`], that of each case in
/// [`Case::change`].
#[derive(Clone, Debug)]
pub(crate) struct Compared<'a> {
    /// As in [`Against`].
    pub(crate) label: String,
    /// When the other run was accepted (or started), RFC 3339.
    pub(crate) at: &'a str,
    /// The commit of its sources, 40 hex digits.
    pub(crate) commit: Option<&'a str>,
    /// What is different now, in words, most telling first: files, models, evaluators ..
    pub(crate) changed: Vec<String>,
    /// Rows that came, went, or were edited.
    pub(crate) rows: RowChanges,
    /// Cases by how their scores changed.
    pub(crate) fixed: usize,
    /// See `fixed`.
    pub(crate) regressed: usize,
    /// See `fixed`.
    pub(crate) same: usize,
    /// Cases that cannot be compared.
    pub(crate) new: usize,
}

/// An experiment.
#[derive(Clone, Debug)]
pub(crate) struct Experiment<'a> {
    /// Its name; the first segment of its test names.
    pub(crate) name: &'a str,
    /// `package/target`.
    pub(crate) target: &'a str,
    /// What the journal says of it before it ran.
    pub(crate) record: &'a ExperimentRecord,
    /// Its runs: one, unless several processes ran it.
    pub(crate) run_ids: &'a [String],
    /// `file:line` of the attribute, as rustc saw it; `None` when it could not run.
    pub(crate) place: Option<(&'a str, u32)>,
    /// What it comes to.
    pub(crate) outcome: Outcome,
    /// Why it is not a pass, one sentence each, most important first.
    pub(crate) causes: Vec<String>,
    /// Those of them that are no case's and no gate's fault: not run, nothing scored.
    pub(crate) broken: Vec<String>,
    /// What its gate said, where it was asked.
    pub(crate) gate: Option<&'a GateRecord>,
    /// The rules that are about no evaluator: latency, errors.
    pub(crate) other_rules: Vec<&'a RuleRecord>,
    /// Cases by what became of them, also those that were selected but not run.
    pub(crate) counts: Counts,
    /// One per evaluator.
    pub(crate) rows: Vec<Row<'a>>,
    /// The function alone, in seconds; over the cases with a result.
    pub(crate) latency: Option<Measured>,
    /// Nearest-rank percentiles of the attempts' latency, in seconds: 50th and 95th.
    pub(crate) percentiles: Option<(f64, f64)>,
    /// Those that ran, in the order of the dataset.
    pub(crate) cases: Vec<Case<'a>>,
    /// What came out of the comparison.
    pub(crate) compared: Option<Compared<'a>>,
    /// Runs the whole experiment again, with its gate where it has one.
    pub(crate) rerun: String,
}

impl<'a> Experiment<'a> {
    pub(super) fn new(results: &'a ExperimentResults, against: Option<&Against<'a>>) -> Self {
        let record = &results.record;
        let others: HashMap<&str, &CaseResults> = against
            .and_then(|against| against.results)
            .map(|other| other.cases.iter().map(|case| (case.id.as_str(), case)).collect())
            .unwrap_or_default();
        let mut cases: Vec<Case<'a>> = results
            .cases
            .iter()
            .map(|case| {
                Case::new(case, &record.evaluators, results, others.get(case.id.as_str()).copied())
            })
            .collect();
        let mut counts = Counts::default();
        for case in &cases {
            counts.add(case.state, 1);
        }
        counts.add(CaseState::Skipped, record.selected.saturating_sub(cases.len()));
        let mut comparisons = against.map(|against| compare(record, against, &mut cases));
        let rules: &[RuleRecord] = results.gate.as_ref().map_or(&[], |gate| &gate.rules);
        let rows: Vec<Row<'a>> = record
            .evaluators
            .iter()
            .enumerate()
            .map(|(index, evaluator)| {
                let comparison = comparisons.as_mut().and_then(|all| all.get_mut(index)?.take());
                Row::new(index, evaluator, &cases, rules, comparison)
            })
            .collect();
        let Verdict { outcome, causes, broken } = verdict(results, &cases, counts);
        let of_none = |rule: &&RuleRecord| {
            record.evaluators.iter().all(|evaluator| subject(&rule.rule) != evaluator.name)
        };
        let (latency, percentiles) = latency(&cases);
        Self {
            name: &record.experiment,
            target: &results.target,
            record,
            run_ids: &results.run_ids,
            place: record
                .place
                .rsplit_once(':')
                .and_then(|(file, line)| Some((file, line.parse().ok()?))),
            outcome,
            causes,
            broken,
            gate: results.gate.as_ref(),
            other_rules: rules.iter().filter(of_none).collect(),
            counts,
            rows,
            latency,
            percentiles,
            compared: against.map(|against| compared(against, &cases)),
            rerun: rerun(results),
            cases,
        }
    }

    /// The cases that are not as they should be: those that fail first, then what a gate decides
    /// about; among them regressions, errors, and then the order of the dataset.
    pub(crate) fn worst(&self) -> Vec<&Case<'a>> {
        let mut bad: Vec<&Case<'a>> = self.cases.iter().filter(|case| case.is_bad()).collect();
        bad.sort_by_key(|case| {
            let state = match case.state {
                CaseState::Error => 0,
                CaseState::Unscored => 1,
                _ => 2,
            };
            (case.passed, case.change != Some(Change::Regressed), state, case.row)
        });
        bad
    }
}

/// Asking for the gate runs all cases. Without one, the name is a filter: all cases begin with it.
fn rerun(results: &ExperimentResults) -> String {
    let name = &results.record.experiment;
    if results.record.gates.is_empty() {
        case::rerun(&results.target, &format!("{name}::")).replace("-- --exact ", "-- ")
    } else {
        case::rerun(&results.target, &format!("{name}::gate"))
    }
}

/// Compares evaluator by evaluator, and tells the cases.
fn compare(
    record: &ExperimentRecord,
    against: &Against<'_>,
    cases: &mut [Case<'_>],
) -> Vec<Option<ScoreComparison>> {
    let mut found = Vec::with_capacity(record.evaluators.len());
    let places: HashMap<String, usize> =
        cases.iter().enumerate().map(|(place, case)| (case.id.to_owned(), place)).collect();
    for (index, evaluator) in record.evaluators.iter().enumerate() {
        let one = baseline::compare(against.before, against.now, &evaluator.name, &|_| true);
        for pair in &one.pairs {
            let case = places.get(&pair.case).and_then(|place| cases.get_mut(*place));
            if let Some(score) = case.and_then(|case| case.scores.get_mut(index)) {
                score.before = Some(pair.before);
                score.gain = Some(pair.gain);
            }
        }
        found.push(Some(one));
    }
    cases.iter_mut().for_each(Case::compare);
    found
}

fn compared<'a>(against: &Against<'a>, cases: &[Case<'_>]) -> Compared<'a> {
    let of = |change| cases.iter().filter(|case| case.change == Some(change)).count();
    Compared {
        label: against.label.clone(),
        at: &against.before.accepted_at,
        commit: against.before.commit.as_deref(),
        changed: baseline::changed(against.before, against.now),
        rows: RowChanges::between(against.before, against.now),
        fixed: of(Change::Fixed),
        regressed: of(Change::Regressed),
        same: of(Change::Same),
        new: of(Change::New),
    }
}

/// What an experiment comes to, and why.
struct Verdict {
    outcome: Outcome,
    causes: Vec<String>,
    broken: Vec<String>,
}

fn verdict(results: &ExperimentResults, cases: &[Case<'_>], counts: Counts) -> Verdict {
    let mut outcome = Outcome::Pass;
    let mut causes = Vec::new();
    if let Some(gate) = &results.gate {
        if !gate.passed {
            outcome = Outcome::Fail;
        } else if gate.verdict == Says::Inconclusive && gate.reason.is_none() {
            outcome = Outcome::Inconclusive;
        }
        let told = gate.rules.iter().filter(|rule| rule.verdict == gate.verdict);
        match &gate.reason {
            _ if gate.verdict == Says::Pass => {}
            Some(reason) => causes.push(format!("gate not judged: {reason}")),
            None => causes.extend(told.map(|rule| rule.text.clone())),
        }
    }
    let ran = || cases.iter().filter(|case| case.state != CaseState::Skipped);
    let failed = ran().filter(|case| !case.passed).count();
    if failed > 0 {
        outcome = Outcome::Fail;
        causes.push(format!("{} of {} failed", thousands(failed), count(counts.all(), "case")));
    }
    let mut broken = Vec::new();
    let nothing = ran().all(|case| case.scores.iter().all(|score| score.value.is_none()));
    let record = &results.record;
    let full = record.selected == record.rows && !record.evaluators.is_empty();
    if full && ran().next().is_some() && nothing {
        outcome = Outcome::Fail;
        broken.push("no case has a score".to_owned());
    }
    if counts.skipped > 0 {
        outcome = outcome.max(Outcome::Unfinished);
        broken.push(format!("{} not run", count(counts.skipped, "case")));
    }
    causes.extend(broken.iter().cloned());
    Verdict { outcome, causes, broken }
}

/// What a function took, as gates see it: attempts with a result, averaged by case.
fn latency(cases: &[Case<'_>]) -> (Option<Measured>, Option<(f64, f64)>) {
    let mut all = Vec::new();
    let mut means = Vec::new();
    for case in cases {
        let good = case.attempts.iter().filter(|attempt| attempt.error.is_none());
        let own: Vec<f64> = good.map(|attempt| attempt.duration_ms / 1000.0).collect();
        means.extend(stats::mean(&own));
        all.extend(own);
    }
    all.sort_unstable_by(f64::total_cmp);
    let percentiles = stats::quantile(&all, 0.5).zip(stats::quantile(&all, 0.95));
    (Measured::new(&means, Some((0.0, f64::INFINITY))), percentiles)
}
