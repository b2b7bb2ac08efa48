//! Puts together a case as outputs show it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::counts::is_miss;
use crate::gate::case as gate;
use crate::gate::evaluator::Judge;
use crate::journal::{AttemptRecord, CaseResults, CaseState, ExperimentResults};
use crate::score::{Judges, ScoreValue};

/// The difference up to which two scores are the same: averages in another order differ by less.
const ROUNDING: f64 = 1e-12;

/// A case with its attempts, its scores and its change.
#[derive(Clone, Debug)]
pub(crate) struct Case<'a> {
    /// The id of the datapoint.
    pub(crate) id: &'a str,
    /// The name of its test: `detect::en-07`.
    pub(crate) test: String,
    /// The place of its row in the dataset, from 0.
    pub(crate) row: usize,
    /// The state; `Skipped` where the process was killed before that was known.
    pub(crate) state: CaseState,
    /// Set when its test passed: a miss that a gate decides on does not fail its case.
    pub(crate) passed: bool,
    /// The reasons why it is not a pass, worst first.
    pub(crate) reasons: &'a [String],
    /// The attempts, in their order; they have inputs, outputs and spans.
    pub(crate) attempts: &'a [AttemptRecord],
    /// The scores, one per evaluator, in the experiment's order.
    pub(crate) scores: Vec<CaseScore>,
    /// Set when attempts disagree about a score that judges.
    pub(crate) flaky: bool,
    /// The change against the other run, where there is one.
    pub(crate) change: Option<Change>,
    /// Set when it missed in the other run, too; `None` where that does not know it.
    pub(crate) missed_before: Option<bool>,
    /// The output in the other run, of the first attempt that has one, where the records of that are known.
    pub(crate) output_before: Option<&'a Value>,
    /// The command that runs exactly this case.
    pub(crate) rerun: String,
}

/// The change of a case against the other run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A score that judges (any score, where none does) got better, and none got worse.
    Fixed,
    /// A score got worse.
    Regressed,
    /// The scores did not change.
    Same,
    /// The other run does not have its row, or has another row under this id.
    Added,
    /// The case has no score that can be compared in both runs.
    Incomparable,
}

/// The score of a case by one evaluator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaseScore {
    /// The score over its attempts, by the evaluator's reducer.
    pub(crate) score: gate::CaseScore,
    /// The scores of the attempts, in their order.
    pub(crate) attempts: Vec<AttemptScore>,
    /// The score in the other run, where the two can be compared.
    pub(crate) before: Option<f64>,
    /// The gain (a loss, when negative), whichever direction is better.
    pub(crate) gain: Option<f64>,
}

/// The score of an attempt by one evaluator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AttemptScore {
    pub(crate) value: Option<ScoreValue>,
    /// Set when the score is good enough; absent when the evaluator only measures.
    pub(crate) good: Option<bool>,
}

impl CaseScore {
    /// Returns the score of the case, where there is one.
    pub(crate) fn value(&self) -> Option<f64> {
        self.score.scored().map(|scored| scored.score)
    }

    /// Returns whether the score is good enough; `None` when the evaluator only measures.
    pub(crate) fn good(&self) -> Option<bool> {
        self.score.scored()?.holds
    }

    /// Returns whether the score is missing because the function or the evaluator failed. Otherwise,
    /// without a value, the evaluator did not apply.
    pub(crate) fn is_missing(&self) -> bool {
        self.score == gate::CaseScore::Missing
    }
}

/// Returns a text as it is, anything else as JSON.
pub(crate) fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Returns inputs in one text: `text: Bom dia, words: 2`; the value alone where there is one.
pub(crate) fn shown_inputs(inputs: &Map<String, Value>) -> String {
    if inputs.len() == 1 {
        return inputs.values().map(shown).collect();
    }
    let parts = inputs.iter().map(|(name, value)| format!("{name}: {}", shown(value)));
    parts.collect::<Vec<_>>().join(", ")
}

impl<'a> Case<'a> {
    pub(super) fn new(
        case: &'a CaseResults,
        judges: &[Judge],
        decided: &gate::Case,
        experiment: &'a ExperimentResults,
        before: Option<&'a CaseResults>,
    ) -> Self {
        let scores: Vec<CaseScore> = judges
            .iter()
            .zip(&decided.scores)
            .enumerate()
            .map(|(index, (judge, score))| CaseScore {
                score: *score,
                attempts: case.attempts.iter().map(|one| attempt(judge, index, one)).collect(),
                before: None,
                gain: None,
            })
            .collect();
        let test = match &case.record {
            Some(record) => record.test.clone(),
            None => format!("{}::{}", experiment.record.experiment, crate::ids::slug(&case.id)),
        };
        Self {
            id: &case.id,
            row: case.row,
            state: case.state(),
            passed: case.record.as_ref().is_some_and(|record| record.passed),
            reasons: case.record.as_ref().map_or(&[], |record| &record.reasons),
            attempts: &case.attempts,
            flaky: decided
                .scores
                .iter()
                .filter_map(gate::CaseScore::scored)
                .any(|one| one.is_flaky()),
            scores,
            change: None,
            missed_before: None,
            output_before: before.and_then(first_output),
            rerun: experiment.rerun(&test),
            test,
        }
    }

    /// Decides how the case changed, from the gains of its scores. `is_added` is set where the other run
    /// does not have its row.
    pub(super) fn compare(&mut self, is_added: bool) {
        let judged = self.scores.iter().any(|score| score.good().is_some() && score.gain.is_some());
        let gains = || {
            let scores = self.scores.iter().filter(|score| !judged || score.good().is_some());
            scores.filter_map(|score| score.gain)
        };
        self.change = Some(if is_added {
            Change::Added
        } else if gains().next().is_none() {
            Change::Incomparable
        } else if gains().any(|gain| gain < -ROUNDING) {
            Change::Regressed
        } else if gains().any(|gain| gain > ROUNDING) {
            Change::Fixed
        } else {
            Change::Same
        });
    }

    /// Returns the name of the case within its experiment, as tests have it.
    pub(crate) fn name(&self) -> &str {
        self.test.split_once("::").map_or(&self.test, |(_, name)| name)
    }

    /// Returns whether a gate decides about it: its own test passed.
    pub(crate) fn is_miss(&self) -> bool {
        is_miss(self.state, self.passed)
    }

    /// Returns the rank of the case among those that are not as they should be: those that did not miss
    /// in the other run come first, then those that it does not have, then those that missed there, too.
    pub(crate) fn novelty(&self) -> u8 {
        match self.missed_before {
            Some(true) => 2,
            None if self.change == Some(Change::Added) => 1,
            Some(false) | None => 0,
        }
    }

    /// Returns whether something is wrong with it: it failed, or a gate decides about its miss.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.state, CaseState::Fail | CaseState::Error | CaseState::Unscored)
    }

    /// Returns the attempt to look at: the first with an error, else the one with the worst scores.
    pub(crate) fn worst_attempt(&self) -> Option<&'a AttemptRecord> {
        let misses = |index: usize| {
            let scores = self.scores.iter().filter_map(|score| score.attempts.get(index));
            scores.filter(|score| score.good == Some(false)).count()
        };
        let with_error = self.attempts.iter().find(|attempt| attempt.error.is_some());
        with_error.or_else(|| {
            let worst = (0..self.attempts.len()).rev().max_by_key(|index| misses(*index))?;
            self.attempts.get(worst)
        })
    }
}

/// Returns the score of one attempt by one evaluator.
fn attempt(judge: &Judge, index: usize, attempt: &AttemptRecord) -> AttemptScore {
    let value = attempt.scores.get(index).and_then(|score| score.value);
    let judges = |value: &ScoreValue| match judge.judges() {
        Judges::Always => true,
        Judges::Never => false,
        Judges::WhenBool => matches!(value, ScoreValue::Bool(_)),
    };
    AttemptScore { value, good: value.filter(judges).map(|value| judge.is_good(value)) }
}

fn first_output(case: &CaseResults) -> Option<&Value> {
    case.attempts.iter().find_map(|attempt| attempt.output.as_ref())
}
