//! What a run came to, as a baseline would have it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::baseline::{CaseSnapshot, EvaluatorPrint, SCHEMA, ScoreSnapshot, Snapshot};
use crate::datapoint::Datapoint;
use crate::journal::{AttemptRecord, CaseResults, ExperimentRecord, ExperimentResults};
use crate::tracer::SpanRecord;

use super::case::{self, Case, RowFacts, Rules};
use super::evaluator::Judge;

/// The snapshot of an experiment. What only the invocation knows (when, at which commit) is for
/// whoever knows the invocation.
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
        cases: cases
            .into_iter()
            .filter(|(_, case)| !case.row_hash.is_empty())
            .map(|(id, case)| (id, case_snapshot(&rules.judges, case)))
            .collect(),
        ..Snapshot::default()
    }
}

fn evaluator_print(judge: &Judge) -> EvaluatorPrint {
    EvaluatorPrint {
        source: judge.source.clone(),
        settings: judge.settings.clone(),
        direction: judge.case_direction(),
        reduce: judge.reduce.to_string(),
    }
}

fn case_snapshot(judges: &[Judge], case: &Case) -> CaseSnapshot {
    let scores: BTreeMap<String, ScoreSnapshot> = judges
        .iter()
        .zip(&case.scores)
        .filter_map(|(judge, score)| {
            let scored = score.scored()?;
            let snapshot =
                ScoreSnapshot { score: scored.score, attempts: scored.attempts, good: scored.good };
            Some((judge.name.clone(), snapshot))
        })
        .collect();
    CaseSnapshot { row: case.row_hash.clone(), scores, cluster: case.cluster.clone() }
}

/// A case as rules see it, from its records alone.
pub(crate) fn recorded_case(rules: &Rules, cluster: Option<&str>, case: &CaseResults) -> Case {
    let facts = match case.attempts.first() {
        Some(attempt) => {
            let datapoint = datapoint(attempt);
            let mut facts = RowFacts::new(rules, case.row, &datapoint, cluster);
            // What was recorded may have been taken out of the contents.
            if let Some(record) = &case.record
                && !record.row_hash.is_empty()
            {
                facts.row_hash.clone_from(&record.row_hash);
            }
            facts
        }
        None => RowFacts::unreadable(rules, case.row),
    };
    case::decide(rules, facts, &case.attempts).0
}

/// The row of an attempt, as far as it was recorded.
pub(crate) fn datapoint(attempt: &AttemptRecord) -> Datapoint {
    let mut datapoint = Datapoint::new().id(attempt.case.clone());
    datapoint.inputs.clone_from(&attempt.inputs);
    datapoint.ground_truth.clone_from(&attempt.ground_truth);
    datapoint.metadata.clone_from(&attempt.metadata);
    datapoint.tags.clone_from(&attempt.tags);
    datapoint.history.clone_from(&attempt.history);
    datapoint
}

/// The snapshot of an experiment that was recorded, by the rules it was recorded with.
pub(crate) fn recorded(results: &ExperimentResults) -> Snapshot {
    let rules = Rules::recorded(&results.record);
    let cluster = results.record.cluster.as_deref();
    let cases: Vec<(String, Case)> = results
        .cases
        .iter()
        .filter(|case| case.record.is_some() && !case.attempts.is_empty())
        .map(|case| (case.id.clone(), recorded_case(&rules, cluster, case)))
        .collect();
    let attempts = results.cases.iter().flat_map(|case| &case.attempts);
    let models = attempts.flat_map(|attempt| models(&attempt.spans)).map(str::to_owned).collect();
    let cases = cases.iter().map(|(id, case)| (id.clone(), case));
    snapshot(&results.record, &rules, models, cases)
}

/// The models that spans name as those that answered, or were asked.
pub(crate) fn models(spans: &[SpanRecord]) -> impl Iterator<Item = &str> {
    const KEYS: [&str; 3] = ["gen_ai.response.model", "gen_ai.request.model", "llm.model_name"];
    spans.iter().filter_map(|span| {
        KEYS.iter().find_map(|key| span.attributes.get(*key).and_then(Value::as_str))
    })
}
