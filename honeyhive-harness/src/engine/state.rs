//! The state of a run: what the schedule and the results of attempts share.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::attempt::Tools;
use super::board::{Board, Lane};
use super::current::Current;
use super::execute::workers;
use super::halt::Halt;
use super::in_flight::InFlight;
use super::job::{Job, Options, most_at_once};
use super::panics::{self, HookUse};
use super::places::Places;
use super::progress::Progress;
use crate::journal::Writer;

/// The state of a run.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) jobs: Vec<Job>,
    pub(crate) board: Board,
    pub(crate) journal: Arc<Writer>,
    pub(crate) options: Options,
    /// The number of cases whose record did not reach the disk.
    pub(crate) unrecorded: AtomicUsize,
    pub(super) tools: Tools,
    pub(super) places: Places,
    pub(super) in_flight: InFlight,
    /// The progress of each job, by job.
    pub(super) progress: Vec<Progress>,
    /// The use of the panic hook, since panics of attempts are their results.
    _hook: HookUse,
}

impl Shared {
    /// Creates the state of a run that has not begun.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub(super) fn new(
        jobs: Vec<Job>,
        options: Options,
        journal: Arc<Writer>,
        halt: Arc<Halt>,
    ) -> io::Result<Self> {
        let hook = panics::use_hook();
        let most = most_at_once(&jobs, &options);
        let wanted = workers(most);
        let threads = options.workers.map_or(wanted, |most| most.min(wanted));
        Ok(Self {
            board: Board { lanes: jobs.iter().map(|job| Lane::new(job.selected.len())).collect() },
            unrecorded: AtomicUsize::new(0),
            tools: Tools::new(threads, halt)?,
            places: Places::new(most, jobs.iter().map(|job| job.spec.concurrency)),
            in_flight: InFlight::default(),
            progress: jobs.iter().map(Progress::new).collect(),
            jobs,
            journal,
            options,
            _hook: hook,
        })
    }

    /// Starts nothing more; attempts under way go on.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        self.tools.halt.stop(reason);
    }

    /// Returns how far the run still goes.
    pub(crate) fn halt(&self) -> &Halt {
        &self.tools.halt
    }

    /// Returns whether every case has a result and no attempt is under way.
    pub(crate) fn is_over(&self) -> bool {
        self.board.lanes.iter().all(|lane| lane.done() == lane.total())
            && self.in_flight.oldest().0 == 0
    }

    /// Returns why nothing more is started.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.tools.halt.reason()
    }

    /// Returns the number of attempts under way, and the test and age of the oldest one.
    pub(crate) fn in_flight(&self) -> (usize, Option<(String, Duration)>) {
        let (count, oldest) = self.in_flight.oldest();
        (count, oldest.map(|(job, row, age)| (self.jobs[job].spec.test_name(row), age)))
    }

    /// Returns the tests of the cases under way, or `None` where another thread holds the list,
    /// which may be for ever when the process is ending.
    pub(crate) fn tests_in_flight(&self) -> Option<Vec<String>> {
        let cases = self.in_flight.cases()?;
        Some(cases.into_iter().map(|(job, row)| self.jobs[job].spec.test_name(row)).collect())
    }

    /// Returns the models that answered in a job so far.
    pub(crate) fn models(&self, job: usize) -> BTreeSet<String> {
        self.progress[job].models()
    }

    /// Returns the running mean of a job's first evaluator, and how many cases failed so far.
    pub(crate) fn running(&self, job: usize) -> (Option<f64>, usize) {
        self.progress[job].mean_and_failing()
    }
}

/// Returns which code of an attempt runs on this thread: `function `f` (src/a.rs:3) of the case
/// exp::c1`.
pub(crate) fn describe_current(shared: &Shared) -> Option<String> {
    let current = Current::of_thread()?;
    let spec = &shared.jobs.iter().find(|job| current.is_of(&job.spec))?.spec;
    Some(current.describe(spec))
}
