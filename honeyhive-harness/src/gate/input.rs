//! Everything that a gate is judged from, beside the cases.

use std::path::Path;

use crate::baseline::{self, Snapshot};
use crate::text::accepted;

use super::case::Rules;
use super::evaluator::Judge;

/// The input of a gate: its rules, the names of the cases, and what the run is compared with.
pub(crate) struct GateInput<'a> {
    pub(super) rules: &'a Rules,
    /// Returns the name of a row, for people.
    pub(super) name: &'a dyn Fn(usize) -> String,
    /// Returns the id of a row.
    pub(super) id: &'a dyn Fn(usize) -> String,
    /// The baseline, or why there is none; absent where no rule needs one.
    pub(super) baseline: Option<Result<Baseline, String>>,
    /// This run as it would be accepted; absent where no rule needs a baseline.
    pub(super) now: Option<Snapshot>,
}

impl<'a> GateInput<'a> {
    /// Creates the input of a gate that is compared with nothing. Rules that need a baseline are
    /// inconclusive then.
    pub(crate) fn new(
        rules: &'a Rules,
        name: &'a dyn Fn(usize) -> String,
        id: &'a dyn Fn(usize) -> String,
    ) -> Self {
        Self { rules, name, id, baseline: None, now: None }
    }

    /// Adds the baseline and this run as it would be accepted. Neither is asked for unless a rule
    /// needs it.
    #[must_use]
    pub(crate) fn compared_with(
        mut self,
        baseline: impl FnOnce() -> Result<Baseline, String>,
        now: impl FnOnce() -> Snapshot,
    ) -> Self {
        if self.rules.need_baseline() {
            (self.baseline, self.now) = (Some(baseline()), Some(now()));
        }
        self
    }

    pub(super) fn judges(&self) -> &[Judge] {
        &self.rules.judges
    }
}

/// An accepted run.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    pub(crate) snapshot: Snapshot,
    /// Its file, for people.
    pub(crate) file: String,
}

impl Baseline {
    /// Reads the baseline of an experiment from its file.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    pub(crate) fn read(path: &Path, experiment: &str) -> Result<Self, String> {
        let snapshot = baseline::read(path, experiment).map_err(|error| error.to_string())?;
        Ok(Self { snapshot, file: path.display().to_string() })
    }

    /// Describes the baseline: `the baseline accepted 2 days ago (2026-11-20, at 9f3e1c2)`
    pub(crate) fn words(&self) -> String {
        let Snapshot { accepted_at, commit, dirty, .. } = &self.snapshot;
        format!("the baseline {}", accepted(accepted_at, commit.as_deref(), *dirty))
    }
}
