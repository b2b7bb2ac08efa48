//! Which cases of which experiments run, and how.

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
    /// By row: the attempts of the first look, which the second one adds to.
    pub(crate) earlier: HashMap<usize, Vec<AttemptRecord>>,
    /// What the experiment's gate decides on does not fail cases: the gate judges in this run, or
    /// nothing does, as in a sample.
    pub(crate) leave_to_gate: bool,
    /// Starts no further case once the gate is decided.
    pub(crate) stop_decided: bool,
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Attempts at once over all experiments, where that is asked for.
    pub(crate) concurrency: Option<usize>,
    /// Threads for asynchronous code, where there can be fewer than the attempts want.
    pub(crate) workers: Option<usize>,
    /// Keep the attempts in memory.
    pub(crate) keep_attempts: bool,
    /// Start nothing more after the first failure.
    pub(crate) fail_fast: bool,
    /// Takes secrets out of whatever is recorded.
    pub(crate) redactor: Redactor,
}

/// Returns how many attempts run at once over all jobs: no more than there are.
pub(crate) fn most_at_once(jobs: &[Job], options: &Options) -> usize {
    let attempts = |job: &Job| job.selected.len().saturating_mul(job.attempts.clone().count());
    let all = jobs.iter().map(attempts).fold(0, usize::saturating_add);
    let most = jobs.iter().map(|job| job.spec.concurrency).max().unwrap_or(1);
    options.concurrency.unwrap_or(most).min(all).max(1)
}
