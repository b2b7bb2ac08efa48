//! Builds snapshots: the results of a run in the form in which a baseline stores them.

use std::collections::BTreeSet;

use crate::baseline::{CaseSnapshot, EvaluatorPrint, SCHEMA, ScoreSnapshot, Snapshot};
use crate::datapoint::Datapoint;
use crate::journal::{AttemptRecord, CaseResults, ExperimentRecord, ExperimentResults};
use crate::rule::GateRule;

use super::case::{self, Case, CaseScore, RowFacts, Rules};
use super::evaluator::Judge;
use super::evaluator::Scored;

/// Returns the snapshot of an experiment. The caller fills in what belongs to the invocation, such as
/// the time and the commit.
pub(crate) fn snapshot<'a>(
    record: &ExperimentRecord,
    rules: &Rules,
    models: BTreeSet<String>,
    cases: impl IntoIterator<Item = (String, &'a Case)>,
) -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        experiment: record.experiment.clone(),
        dataset: record.dataset.clone(),
        evaluators: rules
            .judges
            .iter()
            .map(|judge| (judge.name.clone(), evaluator_print(judge)))
            .collect(),
        files: record.files.clone(),
        metadata: record.metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        models,
        slices: rules.gates.iter().filter_map(slice_of).collect(),
        cases: cases
            .into_iter()
            .filter(|(_, case)| !case.row_hash.is_empty())
            .map(|(id, case)| (id, case_snapshot(rules, case)))
            .collect(),
        ..Snapshot::default()
    }
}

fn slice_of(rule: &GateRule) -> Option<String> {
    rule.slice.as_ref().map(|slice| slice.clone().into_owned())
}

fn evaluator_print(judge: &Judge) -> EvaluatorPrint {
    EvaluatorPrint {
        source: judge.source.clone(),
        settings: judge.settings.clone(),
        direction: judge.case_direction(),
        reduce: judge.reduce.to_string(),
        good: judge.good_when(),
        range: judge.range,
    }
}

fn case_snapshot(rules: &Rules, case: &Case) -> CaseSnapshot {
    let mut snapshot = CaseSnapshot {
        row: case.row_hash.clone(),
        cluster: case.cluster.clone(),
        ..CaseSnapshot::default()
    };
    for (judge, score) in rules.judges.iter().zip(&case.scores) {
        match score {
            CaseScore::Scored(scored) => {
                let Scored { score, attempts, good, .. } = *scored;
                let score = ScoreSnapshot { score, attempts, good };
                snapshot.scores.insert(judge.name.clone(), score);
            }
            CaseScore::Missing => {
                snapshot.missing.insert(judge.name.clone());
            }
            CaseScore::NotApplicable => {}
        }
    }
    snapshot.slices = case.slices.iter().cloned().collect();
    snapshot
}

/// Returns whether a case that misses now missed in an earlier run, too: a score that judges was not
/// good, or there was none that should have been. `None` where the earlier run does not have the case,
/// or has another row under its id.
pub(crate) fn missed_before(
    judges: &[Judge],
    before: &Snapshot,
    id: &str,
    row_hash: &str,
) -> Option<bool> {
    let then = before.cases.get(id).filter(|then| then.row == row_hash)?;
    let missed = |judge: &Judge| {
        let (comparison, limit) = judge.case_limit();
        let score = then.scores.get(&judge.name).filter(|score| score.good.is_some());
        score.is_some_and(|score| !comparison.holds(score.score, limit))
            || then.missing.contains(&judge.name)
    };
    // A file of schema 1 does not say why a case has no score.
    let is_known = !then.scores.is_empty() || !then.missing.is_empty();
    is_known.then(|| judges.iter().any(missed))
}

/// Returns the facts about the row of a recorded case.
pub(crate) fn facts(rules: &Rules, cluster: Option<&str>, case: &CaseResults) -> RowFacts {
    let Some(attempt) = case.attempts.first() else {
        return RowFacts::unreadable(rules, case.row);
    };
    // The recorded hash is preferred: the contents may have had secrets taken out or not be read from
    // the file, and hashing inputs of some megabytes takes time.
    let known = case.record.as_ref().map(|record| &record.row_hash);
    match known.filter(|hash| !hash.is_empty() || attempt.inputs.is_empty()) {
        Some(hash) => {
            let mut datapoint = Datapoint::new().id(attempt.case.clone());
            datapoint.metadata.clone_from(&attempt.metadata);
            datapoint.tags.clone_from(&attempt.tags);
            RowFacts::hashed(rules, case.row, &datapoint, cluster, hash.clone())
        }
        None => RowFacts::new(rules, case.row, &datapoint(attempt), cluster),
    }
}

/// Returns the row of an attempt, as far as it was recorded.
fn datapoint(attempt: &AttemptRecord) -> Datapoint {
    let mut datapoint = Datapoint::new().id(attempt.case.clone());
    datapoint.inputs.clone_from(&attempt.inputs);
    datapoint.ground_truth.clone_from(&attempt.ground_truth);
    datapoint.metadata.clone_from(&attempt.metadata);
    datapoint.tags.clone_from(&attempt.tags);
    datapoint.history.clone_from(&attempt.history);
    datapoint
}

/// Returns the snapshot of a recorded experiment, by the rules it was recorded with.
pub(crate) fn recorded(results: &ExperimentResults) -> Snapshot {
    let rules = Rules::recorded(&results.record);
    let cluster = results.record.cluster.as_deref();
    let decided = || results.cases.iter().filter(|case| case.has_run());
    let cases: Vec<Case> = decided()
        .map(|case| case::decide(&rules, facts(&rules, cluster, case), &case.attempts).0)
        .collect();
    let named = decided().map(|case| case.id.clone()).zip(&cases);
    Snapshot {
        stopped: results.gate.as_ref().and_then(|gate| gate.stopped),
        ..snapshot(&results.record, &rules, results.models.clone(), named)
    }
}

/// Returns the snapshot of cases that were judged by other rules than they were recorded with.
pub(super) fn snapshot_of(
    results: &ExperimentResults,
    rules: &Rules,
    cases: &[Case],
    id: &dyn Fn(usize) -> String,
) -> Snapshot {
    let named = cases.iter().map(|case| (id(case.row), case));
    snapshot(&results.record, rules, results.models.clone(), named)
}
