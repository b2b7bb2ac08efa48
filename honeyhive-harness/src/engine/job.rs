//! Jobs: the cases of an experiment to run, and the options of the run.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::check::Faults;
use super::spec::Spec;
use crate::journal::AttemptRecord;
use crate::redact::Redactor;

/// An experiment to run and the rows of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) spec: Arc<Spec>,
    /// Rows, in the order in which they run.
    pub(crate) selected: Vec<usize>,
    pub(crate) faults: Faults,
    /// Cases that were scored before, by id: they are judged again, not run again.
    pub(crate) recorded: HashMap<String, Vec<AttemptRecord>>,
    /// The attempts of each case: `1..=repeats`, or those of a second look.
    pub(crate) attempts: RangeInclusive<u32>,
    /// The attempts of the first look, which the second one adds to, by row.
    pub(crate) earlier: HashMap<usize, Vec<AttemptRecord>>,
    /// Set when misses that the experiment's gate decides on do not fail cases: the gate judges in this run,
    /// or no gate judges at all, as in a sample.
    pub(crate) leave_to_gate: bool,
    /// Set when no further case is started once the gate is decided.
    pub(crate) stop_decided: bool,
}

/// The options of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The most attempts at once over all experiments, where that is set.
    pub(crate) concurrency: Option<usize>,
    /// The number of threads for asynchronous code, where there can be fewer than the attempts want.
    pub(crate) workers: Option<usize>,
    /// Set when the attempts are kept in memory.
    pub(crate) keep_attempts: bool,
    /// Set when no further attempt is started after the first failure.
    pub(crate) fail_fast: bool,
    /// The redactor that removes secrets from everything that is recorded.
    pub(crate) redactor: Redactor,
}

/// Returns how many attempts run at once over all jobs: no more than there are.
pub(crate) fn most_at_once(jobs: &[Job], options: &Options) -> usize {
    let attempts = |job: &Job| job.selected.len().saturating_mul(job.attempts.clone().count());
    let all = jobs.iter().map(attempts).fold(0, usize::saturating_add);
    let most = jobs.iter().map(|job| job.spec.concurrency).max().unwrap_or(1);
    options.concurrency.unwrap_or(most).min(all).max(1)
}
