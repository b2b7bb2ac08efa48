//! An experiment as reports show it.

use std::collections::HashMap;

use super::case::{Case, Change};
use super::difference::decided_by;
use super::evaluator::{Measured, Row};
use super::{Counts, Outcome};
use crate::baseline::{self, RowChanges, ScoreComparison, Snapshot};
use crate::gate::case::{self as gate, Case as Decided, Rules};
use crate::gate::snapshot::{facts, missed_before};
use crate::journal::{
    CaseResults, CaseState, ExperimentRecord, ExperimentResults, GateRecord, RuleRecord,
    SlicesRecord, StoppedRecord, Verdict as Says,
};
use crate::rule::Of;
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
    /// How the slices that rules name differ in what they gained.
    pub(crate) slices: Vec<SlicesRecord>,
}

/// What the function of an experiment took, alone, in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Latency<'a> {
    /// Over the cases, their attempts averaged.
    pub(crate) measured: Measured,
    /// Nearest-rank, over all attempts.
    pub(crate) p50: f64,
    /// See `p50`.
    pub(crate) p95: f64,
    /// What the gate's rules about it say.
    pub(crate) rules: Vec<&'a RuleRecord>,
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
    /// The cases that ran, where the gate was decided before the last one.
    pub(crate) stopped: Option<StoppedRecord>,
    /// Cases by what became of them, also those that were selected but not run.
    pub(crate) counts: Counts,
    /// One per evaluator.
    pub(crate) rows: Vec<Row<'a>>,
    /// What the function took, alone; absent when no case has a result.
    pub(crate) latency: Option<Latency<'a>>,
    /// The share of cases that ended in an error, of those that ran.
    pub(crate) error_rate: Option<Measured>,
    /// What the gate's rules about errors say.
    pub(crate) error_rules: Vec<&'a RuleRecord>,
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
        let mut counts = Counts::default();
        for case in &cases {
            counts.add(case.state, 1);
            counts.misses += usize::from(case.is_miss());
        }
        counts.add(CaseState::Skipped, record.selected.saturating_sub(cases.len()));
        let mut comparisons = against.map(|against| compare(record, against, &mut cases));
        if let Some(Against { before, now, .. }) = against {
            for case in &mut cases {
                let row = now.cases.get(case.id).map(|now| now.row.as_str());
                case.missed_before =
                    row.and_then(|row| missed_before(&rules.judges, before, case.id, row));
            }
        }
        let said: &[RuleRecord] = results.gate.as_ref().map_or(&[], |gate| &gate.rules);
        let about = |of: Of| {
            let rules = rules.gates.iter().zip(said).filter(move |(rule, _)| rule.of() == of);
            rules.map(|(_, record)| record).collect::<Vec<&RuleRecord>>()
        };
        let rows: Vec<Row<'a>> = record
            .evaluators
            .iter()
            .enumerate()
            .map(|(index, evaluator)| {
                let comparison = comparisons.as_mut().and_then(|all| all.get_mut(index)?.take());
                let about = about(Of::Evaluator(index));
                let decides = against.and_then(|against| {
                    decided_by(&rules, results.gate.as_ref(), against.before, index)
                });
                Row::new(index, evaluator, &rules.judges, &decided, about, comparison, decides)
            })
            .collect();
        let Verdict { outcome, causes, broken } = verdict(results, &cases, counts);
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
            stopped: results.gate.as_ref().and_then(|gate| gate.stopped),
            latency: Latency::new(&rules, &decided, about(Of::Latency)),
            error_rate: error_rate(&rules, &decided),
            error_rules: about(Of::Errors),
            counts,
            rows,
            compared: against.map(|against| compared(against, &rules, &cases)),
            rerun: results.rerun(&record.experiment),
            cases,
        }
    }

    /// The cases that are not as they should be: those that fail first, then what a gate decides
    /// about; among them those that did not miss in the other run, regressions, errors, and then the
    /// order of the dataset.
    pub(crate) fn worst(&self) -> Vec<&Case<'a>> {
        let mut bad: Vec<&Case<'a>> = self.cases.iter().filter(|case| case.is_bad()).collect();
        bad.sort_by_key(|case| {
            let state = match case.state {
                CaseState::Error => 0,
                CaseState::Unscored => 1,
                _ => 2,
            };
            let also_before = case.missed_before == Some(true);
            (case.passed, also_before, case.change != Some(Change::Regressed), state, case.row)
        });
        bad
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
        new: of(Change::New),
        slices: baseline::slices(against.before, against.now, &rules.sliced()),
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
    let nothing = ran().all(|case| case.scores.iter().all(|score| score.value().is_none()));
    let record = &results.record;
    let full = record.selected == record.rows && !record.evaluators.is_empty();
    if full && ran().next().is_some() && nothing {
        outcome = Outcome::Fail;
        broken.push("no case has a score".to_owned());
    }
    let stopped = results.gate.as_ref().and_then(|gate| gate.stopped);
    let accounted = stopped.map_or(0, StoppedRecord::not_run);
    if counts.skipped > accounted {
        outcome = outcome.max(Outcome::Unfinished);
        broken.push(format!("{} not run", count(counts.skipped, "case")));
    }
    causes.extend(broken.iter().cloned());
    Verdict { outcome, causes, broken }
}

impl<'a> Latency<'a> {
    fn new(rules: &Rules, cases: &[Decided], about: Vec<&'a RuleRecord>) -> Option<Self> {
        let means: Vec<(f64, &Decided)> =
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

fn error_rate(rules: &Rules, cases: &[Decided]) -> Option<Measured> {
    let ran = cases.iter().filter(|case| case.state != CaseState::Skipped);
    let errors: Vec<(f64, &Decided)> =
        ran.map(|case| (f64::from(u8::from(case.is_error())), case)).collect();
    Measured::new(Of::Errors, &rules.judges, &errors, cases.len())
}

/// A case as the gate saw it.
fn decide(rules: &Rules, experiment: &ExperimentResults, case: &CaseResults) -> Decided {
    match &case.record {
        Some(record) if !case.attempts.is_empty() && record.state != CaseState::Skipped => {
            let facts = facts(rules, experiment.record.cluster.as_deref(), case);
            gate::decide(rules, facts, &case.attempts).0
        }
        // It was not run, or not to its end.
        _ => Decided::skipped(case.row, rules),
    }
}
