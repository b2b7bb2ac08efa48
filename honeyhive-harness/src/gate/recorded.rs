//! Judges recorded runs: computes the same verdicts as the live run from the journal alone.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::journal::{
    AttemptRecord, ExperimentRecord, ExperimentResults, GateRecord, StoppedRecord, Verdict,
};
use crate::text::{count, thousands};

use super::case::{self, Case, Rules};
use super::decided::{judge_gate, others_judge};
use super::input::{Baseline, GateInput};
use super::snapshot::{facts, snapshot_of};

/// The verdict on a recorded experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) target: String,
    pub(crate) experiment: String,
    /// The verdict on the whole experiment: its gate and the cases that no gate decides about.
    pub(crate) verdict: Verdict,
    /// The record of the gate; without rules where the experiment has none.
    pub(crate) gate: GateRecord,
    /// The cases that fail by themselves, each with its worst reason.
    pub(crate) failing: Vec<(String, String)>,
    /// The notes for the reader of the verdict.
    pub(crate) notes: Vec<String>,
    /// The number of cases that were judged, and of rows of the dataset.
    pub(crate) cases: usize,
    pub(crate) rows: usize,
}

/// Judges an experiment by these rules, which may be others than those it ran with. A gate judges all
/// rows that the dataset had in the run, and those that it has today, or is inconclusive; `today` holds
/// the ids of the latter, where they are known.
pub(crate) fn judge_recorded(
    results: &ExperimentResults,
    mut rules: Rules,
    baseline: &Path,
    today: Option<&[&str]>,
) -> Judged {
    let record = &results.record;
    let mut notes = as_scored(&mut rules, record);
    let decided = results.cases.iter().filter(|case| case.has_run());
    let mut cases: Vec<Case> = Vec::new();
    let (mut ids, mut names) = (HashMap::new(), HashMap::new());
    let mut failing = Vec::new();
    for recorded in decided {
        let attempts: Vec<AttemptRecord> =
            recorded.attempts.iter().map(|attempt| in_order(attempt, &rules)).collect();
        let facts = facts(&rules, record.cluster.as_deref(), recorded);
        let (case, decision) = case::decide(&rules, facts, &attempts);
        if let Some(reason) = decision.failing.first() {
            failing.push((recorded.id.clone(), reason.clone()));
        }
        ids.insert(case.row, recorded.id.clone());
        let slug = recorded.record.as_ref().and_then(|record| record.test.split_once("::"));
        names.insert(
            case.row,
            slug.map_or_else(|| recorded.id.clone(), |(_, slug)| slug.to_owned()),
        );
        cases.push(case);
    }
    let (added, removed) = today.map_or((0, 0), |today| changed(today, record.rows, &ids));
    let rows = record.rows + added;
    if added + removed > 0 {
        notes.push(format!(
            "the dataset has {} today and had {} in the run: {} new, {} gone",
            count(today.map_or(0, <[_]>::len), "row"),
            thousands(record.rows),
            thousands(added),
            thousands(removed)
        ));
    }
    let not_run = results.cases.iter().find(|case| {
        case.attempts.is_empty() && case.record.as_ref().is_some_and(|record| !record.passed)
    });
    if let Some(fault) = not_run.and_then(|case| case.record.as_ref()) {
        failing.push((fault.case.clone(), fault.reasons.join("; ")));
    }
    let name = |row: usize| names.get(&row).cloned().unwrap_or_default();
    let id = |row: usize| ids.get(&row).cloned().unwrap_or_default();
    let input = GateInput::new(&rules, &name, &id).compared_with(
        || Baseline::read(baseline, &record.experiment),
        || snapshot_of(results, &rules, &cases, &id),
    );
    let stopped = stopped(results, cases.len(), rows).filter(|_| !rules.gates.is_empty());
    let mut gate = judge_gate(&input, &record.experiment, &cases, stopped, true);
    let incomplete = match stopped {
        None => incomplete(results, cases.len(), rows),
        Some(stopped) => (gate.verdict == Verdict::Pass && others_judge(&rules)).then(|| {
            format!(
                "{}, and one of the others could fail by itself; run it with HH_STOP=never",
                stopped.text()
            )
        }),
    };
    if let Some(why) = incomplete {
        gate.verdict = Verdict::Inconclusive;
        gate.passed = false;
        gate.reason = Some(why);
    }
    let verdict = match gate.verdict {
        _ if !failing.is_empty() => Verdict::Fail,
        verdict => verdict,
    };
    Judged {
        target: results.target.clone(),
        experiment: record.experiment.clone(),
        verdict,
        gate,
        failing,
        notes,
        cases: cases.len(),
        rows,
    }
}

/// Sets the sources and settings of the evaluators to those that made the recorded scores. Returns
/// notes on the evaluators that have changed since.
fn as_scored(rules: &mut Rules, record: &ExperimentRecord) -> Vec<String> {
    let mut notes = Vec::new();
    for judge in &mut rules.judges {
        let Some(then) = record.evaluators.iter().find(|one| one.name == judge.name) else {
            continue;
        };
        if then.source_hash != judge.source || then.settings != judge.settings {
            notes.push(format!(
                "evaluator `{}` has changed since; its scores are those of then \
                 (`cargo honeyhive rejudge` makes new ones)",
                judge.name
            ));
        }
        judge.source.clone_from(&then.source_hash);
        judge.settings.clone_from(&then.settings);
    }
    notes
}

/// Returns how many rows of today's dataset the run did not have, and how many of its rows are gone.
/// The rows of a run that is not complete are known by their number alone.
fn changed(today: &[&str], rows: usize, ran: &HashMap<usize, String>) -> (usize, usize) {
    if ran.len() < rows {
        return (today.len().saturating_sub(rows), rows.saturating_sub(today.len()));
    }
    let then: HashSet<&str> = ran.values().map(String::as_str).collect();
    let kept = today.iter().filter(|id| then.contains(**id)).count();
    (today.len() - kept, then.len() - kept)
}

/// Returns how many cases ran, for an experiment whose gate was decided before its last case;
/// `None` for others.
fn stopped(results: &ExperimentResults, cases: usize, rows: usize) -> Option<StoppedRecord> {
    let gate = results.gate.as_ref().filter(|_| results.record.sample.is_none())?;
    gate.stopped.filter(|_| cases < rows).map(|_| StoppedRecord { ran: cases, of: rows })
}

/// Returns why a gate cannot be judged; `None` where it can.
fn incomplete(results: &ExperimentResults, cases: usize, rows: usize) -> Option<String> {
    if let Some((size, seed)) = results.record.sample {
        let size = count(size, "case");
        return Some(format!("a sample of {size} (seed {seed}) is not final"));
    }
    if cases < rows {
        let (cases, rows) = (thousands(cases), count(rows, "case"));
        return Some(format!("only {cases} of {rows} are recorded; a gate judges all"));
    }
    (cases == 0).then(|| "no case is recorded".to_owned())
}

/// Returns the attempt with its scores in the order of the rules' evaluators. An evaluator without
/// a recorded score gets one with an error.
fn in_order(attempt: &AttemptRecord, rules: &Rules) -> AttemptRecord {
    let mut ordered = attempt.clone();
    ordered.scores.clear();
    if attempt.error.is_some() {
        return ordered;
    }
    for judge in &rules.judges {
        let score = attempt.scores.iter().find(|score| score.evaluator == judge.name);
        ordered.scores.push(score.cloned().unwrap_or_else(|| crate::journal::ScoreRecord {
            evaluator: judge.name.clone(),
            error: Some(crate::journal::AttemptError {
                message: "it has no recorded score; `cargo honeyhive rejudge` makes one".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        }));
    }
    ordered
}
