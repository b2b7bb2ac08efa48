//! The record of a case, and the numbers of cases in each state.

use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// The state of a case, also of one that never ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CaseState {
    /// All judged scores of the case are good, and none is missing.
    #[default]
    Pass,
    /// A score is not good enough.
    Fail,
    /// The function gave no result.
    Error,
    /// The function gave a result, but an evaluator no score.
    Unscored,
    /// The case was not run.
    Skipped,
}

impl CaseState {
    /// Returns the name of the state, as it stands in the journal.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Unscored => "unscored",
            Self::Skipped => "skipped",
        }
    }

    /// Returns whether the case was run to its end, whatever came of it.
    pub(crate) const fn has_run(self) -> bool {
        !matches!(self, Self::Skipped)
    }

    /// Returns the place of the state in the order above, for lists of states.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// The result of a datapoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseRecord {
    /// The name of the experiment.
    pub experiment: String,
    /// The datapoint's id.
    pub case: String,
    /// The name of the test of the case.
    pub test: String,
    /// The state of the case.
    pub state: CaseState,
    /// Set when the test passed: a miss that a gate decides on does not fail its case.
    pub passed: bool,
    /// The reasons why the case is not good, worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The hash of the row's inputs, ground truth and history, which define the question.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub row_hash: String,
}

/// The number of cases in each [`CaseState`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CountsOfAnySchema")]
pub struct CaseCounts {
    /// The number of cases that nothing is wrong with.
    pub pass: usize,
    /// The number of cases with a score that is not good enough.
    pub fail: usize,
    /// The number of cases for which the function gave no result.
    pub error: usize,
    /// The number of cases for which an evaluator gave no score.
    pub unscored: usize,
    /// The number of cases that were not run.
    pub skipped: usize,
}

/// The counts in any schema. Schema 1 had a list: pass, fail, error, unscored, skipped.
#[derive(Deserialize)]
#[serde(untagged)]
enum CountsOfAnySchema {
    List([usize; 5]),
    Named {
        #[serde(default)]
        pass: usize,
        #[serde(default)]
        fail: usize,
        #[serde(default)]
        error: usize,
        #[serde(default)]
        unscored: usize,
        #[serde(default)]
        skipped: usize,
    },
}

impl From<CountsOfAnySchema> for CaseCounts {
    fn from(counts: CountsOfAnySchema) -> Self {
        match counts {
            CountsOfAnySchema::List([pass, fail, error, unscored, skipped])
            | CountsOfAnySchema::Named { pass, fail, error, unscored, skipped } => {
                Self { pass, fail, error, unscored, skipped }
            }
        }
    }
}

impl CaseCounts {
    /// Counts one more case.
    pub(crate) fn add(&mut self, state: CaseState) {
        *match state {
            CaseState::Pass => &mut self.pass,
            CaseState::Fail => &mut self.fail,
            CaseState::Error => &mut self.error,
            CaseState::Unscored => &mut self.unscored,
            CaseState::Skipped => &mut self.skipped,
        } += 1;
    }

    /// Returns the number of all cases.
    pub(crate) const fn all(self) -> usize {
        self.ran() + self.skipped
    }

    /// Returns the number of cases that were run to their end.
    pub(crate) const fn ran(self) -> usize {
        self.pass + self.bad()
    }

    /// Returns the number of cases that ran and that something is wrong with.
    pub(crate) const fn bad(self) -> usize {
        self.fail + self.error + self.unscored
    }

    /// Returns the counts with the names of the states, in the order of [`CaseState`].
    pub(crate) const fn named(self) -> [(&'static str, usize); 5] {
        [
            (CaseState::Pass.name(), self.pass),
            (CaseState::Fail.name(), self.fail),
            (CaseState::Error.name(), self.error),
            (CaseState::Unscored.name(), self.unscored),
            (CaseState::Skipped.name(), self.skipped),
        ]
    }
}

impl FromIterator<CaseState> for CaseCounts {
    fn from_iter<T: IntoIterator<Item = CaseState>>(states: T) -> Self {
        let mut counts = Self::default();
        states.into_iter().for_each(|state| counts.add(state));
        counts
    }
}

impl Sum for CaseCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            pass: sum.pass + one.pass,
            fail: sum.fail + one.fail,
            error: sum.error + one.error,
            unscored: sum.unscored + one.unscored,
            skipped: sum.skipped + one.skipped,
        })
    }
}
