//! Counts cases by their states.

use std::iter::Sum;

use serde::Serialize;

use crate::journal::{CaseCounts, CaseState};

/// The numbers of cases in each state, and of the failed ones that a gate decides about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    #[serde(flatten)]
    pub(crate) states: CaseCounts,
    /// The number of failed cases whose own test passed, because a gate decides about them.
    #[serde(skip)]
    pub(crate) misses: usize,
}

impl Counts {
    /// Counts cases, each with its state and whether its test passed.
    pub(crate) fn of(cases: impl IntoIterator<Item = (CaseState, bool)>) -> Self {
        let mut counts = Self::default();
        for (state, passed) in cases {
            counts.states.add(state);
            counts.misses += usize::from(is_miss(state, passed));
        }
        counts
    }

    /// Adds the selected cases that are not among those that were counted: they were not run.
    pub(crate) fn out_of(mut self, selected: usize) -> Self {
        self.states.skipped += selected.saturating_sub(self.states.all());
        self
    }

    /// Returns the counts, each with the name of its class and its word for people. A failed case is
    /// a miss where the gate decides about it, and is counted once.
    pub(crate) const fn shown(self) -> [(&'static str, &'static str, usize); 6] {
        let CaseCounts { pass, fail, error, unscored, skipped } = self.states;
        [
            ("pass", "pass", pass),
            ("miss", if self.misses == 1 { "miss" } else { "misses" }, self.misses),
            ("fail", "fail", fail - self.misses),
            ("error", "error", error),
            ("unscored", "unscored", unscored),
            ("skipped", "skipped", skipped),
        ]
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            states: [sum.states, one.states].into_iter().sum(),
            misses: sum.misses + one.misses,
        })
    }
}

/// Returns whether a gate decides about a failed case: its own test passed.
pub(super) fn is_miss(state: CaseState, passed: bool) -> bool {
    state == CaseState::Fail && passed
}
