//! Puts together an experiment as outputs show it, alone or compared with another run.

use std::collections::HashMap;

use super::case::{Case, Change};
use super::counts::Counts;
use super::difference::{Difference, decided_by};
use super::ending::Outcome;
use super::figures::{Figures, Seen};
use crate::baseline::{self, RowChanges, ScoreComparison, Snapshot};
use crate::gate::case::{self as gate, Case as Decided, Rules};
use crate::gate::snapshot::{facts, missed_before};
use crate::journal::{
    CaseResults, CaseState, ExperimentRecord, ExperimentResults, SlicesRecord, StoppedRecord,
    Verdict as Says,
};
use crate::text::{count, thousands};

/// The other run of an experiment, which it is compared with.
#[derive(Clone, Debug)]
pub(crate) struct Against<'a> {
    /// The words for people: `baseline of 2026-11-22`, `run 20261122T190158-3f2a`.
    pub(crate) label: String,
    /// The scores of the other run.
    pub(crate) before: &'a Snapshot,
    /// The scores of this run.
    pub(crate) now: &'a Snapshot,
    /// The records of the other run, where its outputs are known, too.
    pub(crate) results: Option<&'a ExperimentResults>,
}

/// The result of a comparison. Those of single evaluators are in the figures, those of single cases in
/// [`Case::change`].
#[derive(Clone, Debug)]
pub(crate) struct Compared<'a> {
    /// The words for the other run; see [`Against`].
    pub(crate) label: String,
    /// The time when the other run was accepted (or started), RFC 3339.
    pub(crate) at: &'a str,
    /// The commit of its sources, 40 hex digits.
    pub(crate) commit: Option<&'a str>,
    /// The differences, in words, most telling first: files, models, evaluators ..
    pub(crate) changed: Vec<String>,
    /// The rows that were added, removed or edited.
    pub(crate) rows: RowChanges,
    /// The number of cases that got better.
    pub(crate) fixed: usize,
    /// The number of cases that got worse.
    pub(crate) regressed: usize,
    /// The number of cases whose scores are the same.
    pub(crate) same: usize,
    /// The number of cases that cannot be compared, with those whose rows were added.
    pub(crate) incomparable: usize,
    /// The gains of the slices that rules name.
    pub(crate) slices: Vec<SlicesRecord>,
}

/// An experiment with its cases, its figures and its outcome.
#[derive(Clone, Debug)]
pub(crate) struct Experiment<'a> {
    /// The name of the experiment, which is the first segment of its test names.
    pub(crate) name: &'a str,
    /// The test target, as `package/target`.
    pub(crate) target: &'a str,
    /// The record of the experiment as it was about to run.
    pub(crate) record: &'a ExperimentRecord,
    /// The ids of its runs: one, unless several processes ran it.
    pub(crate) run_ids: &'a [String],
    /// The file and line of the attribute, as rustc saw it; `None` when the experiment could not run.
    pub(crate) place: Option<(&'a str, u32)>,
    /// The outcome of its cases and its gate.
    pub(crate) outcome: Outcome,
    /// The reasons why it is not a pass, one sentence each, most important first.
    pub(crate) causes: Vec<String>,
    /// The reasons among them that are about neither a case nor the gate: not run, nothing scored.
    pub(crate) broken: Vec<String>,
    /// The numbers over all its cases.
    pub(crate) figures: Figures<'a>,
    /// The cases that are recorded, in the order of the dataset.
    pub(crate) cases: Vec<Case<'a>>,
    /// The result of the comparison with another run.
    pub(crate) compared: Option<Compared<'a>>,
    /// The command that runs the whole experiment again, with its gate where it has one.
    pub(crate) rerun: String,
}

impl<'a> Experiment<'a> {
    /// Puts an experiment together, compared with another run of it where there is one.
    pub(crate) fn new(results: &'a ExperimentResults, against: Option<&Against<'a>>) -> Self {
        let record = &results.record;
        let others: HashMap<&str, &CaseResults> = against
            .and_then(|against| against.results)
            .map(|other| other.cases.iter().map(|case| (case.id.as_str(), case)).collect())
            .unwrap_or_default();
        let rules = Rules::recorded(record);
        let decided: Vec<Decided> =
            results.cases.iter().map(|one| decide(&rules, results, one)).collect();
        let mut cases: Vec<Case<'a>> = results
            .cases
            .iter()
            .zip(&decided)
            .map(|(case, decided)| {
                let before = others.get(case.id.as_str()).copied();
                Case::new(case, &rules.judges, decided, results, before)
            })
            .collect();
        let comparisons = against.map(|against| compare(record, against, &mut cases));
        let compared = against.map(|against| compared(against, &rules, &cases));
        if let Some(Against { before, now, .. }) = against {
            for case in &mut cases {
                let row = now.cases.get(case.id).map(|now| now.row.as_str());
                case.missed_before =
                    row.and_then(|row| missed_before(&rules.judges, before, case.id, row));
            }
        }
        let states = cases.iter().map(|case| (case.state, case.passed));
        let names: HashMap<usize, &str> =
            cases.iter().map(|case| (case.row, case.name())).collect();
        let mut figures = Figures::new(Seen {
            counts: Counts::of(states).out_of(record.selected),
            rules,
            cases: &decided,
            is_whole: record.selected == record.rows,
            gate: results.gate.as_ref(),
            name: &|row| names.get(&row).copied().unwrap_or_default().to_owned(),
        });
        for (evaluator, comparison) in
            figures.evaluators.iter_mut().zip(comparisons.into_iter().flatten())
        {
            let decides = against.and_then(|against| {
                decided_by(&figures.rules, figures.gate, against.before, evaluator.index)
            });
            evaluator.difference = Some(Difference::new(&comparison, decides));
            evaluator.comparison = Some(comparison);
        }
        let Verdict { outcome, causes, broken } = verdict(results, &cases, &figures);
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
            figures,
            compared,
            rerun: results.rerun(&record.experiment),
            cases,
        }
    }

    /// Returns the cases that are not as they should be: those that fail first, then those that a gate
    /// decides about; among them those that did not miss in the other run before those whose rows were
    /// added and those that missed there, too; then regressions, errors, and the order of the dataset.
    pub(crate) fn worst(&self) -> Vec<&Case<'a>> {
        let mut bad: Vec<&Case<'a>> = self.cases.iter().filter(|case| case.is_bad()).collect();
        bad.sort_by_key(|case| {
            let state = match case.state {
                CaseState::Error => 0,
                CaseState::Unscored => 1,
                _ => 2,
            };
            let is_same = case.change != Some(Change::Regressed);
            (case.passed, case.novelty(), is_same, state, case.row)
        });
        bad
    }
}

/// Compares evaluator by evaluator, and notes in the cases how they changed.
fn compare(
    record: &ExperimentRecord,
    against: &Against<'_>,
    cases: &mut [Case<'_>],
) -> Vec<ScoreComparison> {
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
        found.push(one);
    }
    for case in cases {
        let then = against.before.cases.get(case.id);
        let now = against.now.cases.get(case.id);
        case.compare(then.is_none_or(|then| now.is_some_and(|now| now.row != then.row)));
    }
    found
}

fn compared<'a>(against: &Against<'a>, rules: &Rules, cases: &[Case<'_>]) -> Compared<'a> {
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
        incomparable: of(Change::Added) + of(Change::Incomparable),
        slices: baseline::slices(against.before, against.now, &rules.sliced()),
    }
}

/// The outcome of an experiment, and the reasons for it.
struct Verdict {
    outcome: Outcome,
    causes: Vec<String>,
    broken: Vec<String>,
}

fn verdict(results: &ExperimentResults, cases: &[Case<'_>], figures: &Figures<'_>) -> Verdict {
    let states = figures.counts.states;
    let mut outcome = Outcome::Pass;
    let mut causes = Vec::new();
    if let Some(gate) = &results.gate {
        if !gate.passed {
            outcome = Outcome::Fail;
        } else if figures.is_inconclusive() {
            outcome = Outcome::Inconclusive;
        }
        let told = gate.rules.iter().filter(|rule| rule.verdict == gate.verdict);
        match &gate.reason {
            _ if gate.verdict == Says::Pass => {}
            Some(reason) => causes.push(format!("gate not judged: {reason}")),
            None => causes.extend(told.map(|rule| rule.text.clone())),
        }
    }
    let failed = cases.iter().filter(|case| case.state.has_run() && !case.passed).count();
    if failed > 0 {
        outcome = Outcome::Fail;
        causes.push(format!("{} of {} failed", thousands(failed), count(states.all(), "case")));
    }
    let mut broken = Vec::new();
    if figures.nothing_scored {
        outcome = Outcome::Fail;
        broken.push("no case has a score".to_owned());
    }
    let accounted = figures.stopped().map_or(0, StoppedRecord::not_run);
    if states.skipped > accounted {
        outcome = outcome.max(Outcome::Unfinished);
        broken.push(format!("{} not run", count(states.skipped, "case")));
    }
    causes.extend(broken.iter().cloned());
    Verdict { outcome, causes, broken }
}

/// Decides a case as the gate did; a case that was not run to its end is skipped.
fn decide(rules: &Rules, experiment: &ExperimentResults, case: &CaseResults) -> Decided {
    if !case.has_run() {
        return Decided::skipped(case.row, rules);
    }
    let facts = facts(rules, experiment.record.cluster.as_deref(), case);
    gate::decide(rules, facts, &case.attempts).0
}
