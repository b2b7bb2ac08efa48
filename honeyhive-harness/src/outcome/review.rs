//! Puts together a case beside the baseline, as `cargo honeyhive review` shows it.

use serde::Serialize;
use serde_json::Value;

use crate::baseline::{ScoreSnapshot, Snapshot};
use crate::journal::{AttemptRecord, CaseResults, CaseState, ExperimentResults};
use crate::score::Direction;

/// A case with the facts that a person needs to decide about it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reviewed {
    pub(crate) experiment: String,
    pub(crate) case: String,
    pub(crate) test: String,
    pub(crate) state: CaseState,
    pub(crate) reasons: Vec<String>,
    pub(crate) scores: Vec<ReviewedScore>,
    pub(crate) inputs: Value,
    pub(crate) expected: Option<Value>,
    pub(crate) outputs: Vec<ReviewedOutput>,
    /// The explanations of evaluators, by their names.
    pub(crate) explanations: Vec<(String, String)>,
}

/// A score beside that of the baseline.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReviewedScore {
    pub(crate) evaluator: String,
    pub(crate) score: f64,
    pub(crate) before: Option<f64>,
    pub(crate) direction: Direction,
    pub(crate) good: Option<u32>,
    pub(crate) attempts: u32,
}

/// The output or the error of an attempt.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReviewedOutput {
    Output(Value),
    Error(String),
}

impl From<Result<Value, String>> for ReviewedOutput {
    fn from(result: Result<Value, String>) -> Self {
        match result {
            Ok(output) => Self::Output(output),
            Err(error) => Self::Error(error),
        }
    }
}

impl ReviewedScore {
    /// Returns the gain of the score against the baseline; negative when it got worse.
    pub(crate) fn gain(&self) -> f64 {
        let change = self.score - self.before.unwrap_or(self.score);
        if self.direction == Direction::Minimize { -change } else { change }
    }
}

impl Reviewed {
    /// Puts a case together; `then` is the baseline, where there is one.
    pub(crate) fn new(
        experiment: &ExperimentResults,
        case: &CaseResults,
        then: Option<&Snapshot>,
        now: &Snapshot,
    ) -> Self {
        let record = case.record.as_ref();
        let then = then.and_then(|then| then.cases.get(&case.id));
        let own = now.cases.get(&case.id);
        let then = then.filter(|then| own.is_some_and(|own| own.row == then.row));
        let first: Option<&AttemptRecord> = case.attempts.first();
        Self {
            experiment: experiment.record.experiment.clone(),
            case: case.id.clone(),
            test: record.map(|record| record.test.clone()).unwrap_or_default(),
            state: case.state(),
            reasons: record.map(|record| record.reasons.clone()).unwrap_or_default(),
            scores: own
                .map(|own| {
                    let score = |(name, score): (&String, &ScoreSnapshot)| {
                        let before = then.and_then(|then| then.scores.get(name));
                        let direction = now.evaluators.get(name).map(|print| print.direction);
                        ReviewedScore {
                            evaluator: name.clone(),
                            score: score.score,
                            before: before.map(|before| before.score),
                            direction: direction.unwrap_or_default(),
                            good: score.good,
                            attempts: score.attempts,
                        }
                    };
                    own.scores.iter().map(score).collect()
                })
                .unwrap_or_default(),
            inputs: first.map(|first| Value::Object(first.inputs.clone())).unwrap_or_default(),
            expected: first.and_then(|first| first.ground_truth.clone()),
            outputs: case
                .attempts
                .iter()
                .map(|attempt| match (&attempt.error, &attempt.output) {
                    (Some(error), _) => Err(error.message.clone()),
                    (None, output) => Ok(output.clone().unwrap_or_default()),
                })
                .map(ReviewedOutput::from)
                .collect(),
            explanations: case
                .attempts
                .iter()
                .flat_map(|attempt| &attempt.scores)
                .filter_map(|score| Some((score.evaluator.clone(), score.explanation.clone()?)))
                .collect(),
        }
    }

    /// Returns the severity of the case, of which more is worse: errors, then the largest losses against
    /// the baseline, then misses.
    pub(crate) fn severity(&self) -> f64 {
        let state = match self.state {
            CaseState::Error => 3e9,
            CaseState::Unscored => 2e9,
            CaseState::Skipped => 1e9,
            CaseState::Fail => 0.5,
            CaseState::Pass => 0.0,
        };
        let lost: f64 = self.scores.iter().map(|score| (-score.gain()).clamp(0.0, 1e6)).sum();
        state + 10.0 * lost
    }

    /// Returns whether the case is not as it should be, or got worse.
    pub(crate) fn needs_a_look(&self) -> bool {
        self.state != CaseState::Pass || self.scores.iter().any(|score| score.gain() < -1e-12)
    }
}
