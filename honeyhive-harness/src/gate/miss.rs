//! A case that is not as it should be, with what a person needs to see.

use serde_json::{Map, Value};

use super::case::{Case, Decision, Rules};
use super::evaluator::Judge;
use crate::journal::{AttemptRecord, CaseState};
use crate::score::Judges;
use crate::text::{middle, one_line};

/// Columns of inputs and outputs that a summary may want.
const SHOWN: usize = 400;

/// A case that is not as it should be.
#[derive(Clone, Debug)]
pub(crate) struct Miss {
    pub(crate) row: usize,
    pub(crate) test: String,
    /// Its test fails; otherwise a gate decides.
    pub(crate) failed: bool,
    /// Worst first.
    pub(crate) reasons: Vec<String>,
    pub(crate) inputs: String,
    pub(crate) expected: Option<String>,
    pub(crate) output: Option<String>,
    /// For sorting: more is worse.
    pub(crate) severity: f64,
}

impl Miss {
    /// `reads` are the inputs that the function takes; empty when it takes them all.
    pub(crate) fn new(
        rules: &Rules,
        reads: &[&str],
        test: String,
        case: &Case,
        decision: &Decision,
        failed: bool,
        records: &[AttemptRecord],
    ) -> Self {
        let shown = |value: &Value| match value {
            Value::String(text) => middle(text, SHOWN),
            other => middle(&other.to_string(), SHOWN),
        };
        let worst = |record: &AttemptRecord| shortfall(&rules.judges, record);
        // With repeats, the attempt that went wrong is the one to look at.
        let record = records
            .iter()
            .find(|record| record.error.is_some())
            .or_else(|| records.iter().max_by(|a, b| worst(a).total_cmp(&worst(b))));
        let rank = match case.state {
            CaseState::Error => 3000.0,
            CaseState::Unscored => 2000.0,
            _ => 1000.0,
        };
        let severity =
            if failed { 10_000.0 } else { 0.0 } + rank + record.map_or(0.0, worst).min(999.0);
        Self {
            row: case.row,
            test,
            failed,
            reasons: decision.reasons().map(|reason| one_line(reason, SHOWN)).collect(),
            inputs: record.map(|record| inputs(reads, &record.inputs)).unwrap_or_default(),
            expected: record.and_then(|record| record.ground_truth.as_ref()).map(shown),
            output: record.and_then(|record| record.output.as_ref()).map(shown),
            severity,
        }
    }
}

/// `text: Bom dia, words: 2`
fn inputs(reads: &[&str], inputs: &Map<String, Value>) -> String {
    let known = |name: &&str| inputs.contains_key(*name);
    let names: Vec<&str> = if reads.is_empty() {
        inputs.keys().map(String::as_str).collect()
    } else {
        reads.iter().copied().filter(known).collect()
    };
    let parts: Vec<String> = names
        .into_iter()
        .map(|name| match &inputs[name] {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    middle(&parts.join(", "), SHOWN)
}

/// By how much the scores of an attempt miss their limits, in all.
fn shortfall(judges: &[Judge], record: &AttemptRecord) -> f64 {
    judges
        .iter()
        .zip(&record.scores)
        .filter_map(|(judge, score)| {
            let value = score.value?;
            let judged = judge.judges() != Judges::Never;
            (judged && !judge.is_good(value)).then(|| (value.as_f64() - judge.limit()).abs())
        })
        .sum()
}
