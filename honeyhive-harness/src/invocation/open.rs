//! Opens an invocation: its journal, its sending, its engine.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::sending::Sending;
use super::{NotJudging, Target, Terminal};
use crate::config::Reports;
use crate::engine::{self, Job, Options, Running, Shared};
use crate::journal::{self, Entry, GateRecord, InvocationRecord, Record, Recorded, Writer};
use crate::report::Fault;
use crate::report::files::{AfterRun, most_kept};
use crate::upload::Destination;

/// Everything that an invocation needs beside its experiments.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The directory below which the journal is kept; without one there is no journal.
    pub(crate) root: Option<PathBuf>,
    /// A text that the processes of this invocation have in common, and no other process has.
    pub(crate) parent: Option<String>,
    /// The journal's record of this process.
    pub(crate) record: InvocationRecord,
    /// The directory for files that can be made again, and the package under test: where the path of
    /// the journal is noted for `cargo honeyhive`.
    pub(crate) noted: Option<(PathBuf, PathBuf)>,
    /// The directory whose repository git is asked about.
    pub(crate) sources: PathBuf,
    pub(crate) target: Target,
    /// The destinations of results.
    pub(crate) destinations: Vec<Destination>,
    /// The time that the end of the invocation waits for what is still to be sent.
    pub(crate) patience: Duration,
    /// Set when results that could not be sent are a failure.
    pub(crate) require_upload: bool,
    /// The reason why an inconclusive gate fails; empty where it is ignored.
    pub(crate) strict: &'static str,
    /// The reports after the run.
    pub(crate) reports: Reports,
    /// The directory of the package under test, for reports.
    pub(crate) package: PathBuf,
    pub(crate) options: Options,
    pub(crate) terminal: Terminal,
}

/// An invocation whose journal is open and that has not started yet.
#[derive(Debug)]
pub(crate) struct Opened {
    setup: Setup,
    journal: Arc<Writer>,
    /// The first lines of the journal, which are not committed yet.
    entry: Entry,
}

/// A run of experiments under way, with the verdicts of its gates.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
    /// The reason why its gate does not judge, per job.
    pub(super) not_judging: Vec<NotJudging>,
    /// The verdict of its gate, per job, once that is recorded.
    pub(super) verdicts: Vec<OnceLock<GateRecord>>,
    /// The reason why an inconclusive gate fails; see [`Setup`].
    pub(super) strict: &'static str,
    pub(super) target: Target,
    pub(super) faults: Vec<Fault>,
    pub(super) terminal: Terminal,
    pub(super) git: Recorded,
    pub(super) sending: Mutex<Option<Sending>>,
    pub(super) after_run: AfterRun,
    pub(super) interrupted: AtomicBool,
    /// A lock that is held while a gate is recorded, and from the moment on when none may be any more.
    pub(super) recording: Mutex<()>,
    /// The number of gates that are being judged.
    pub(super) judging: AtomicUsize,
    pub(super) closed: AtomicBool,
    /// Set when the user does not want to wait for what is still being sent.
    pub(super) hurried: AtomicBool,
    pub(super) started: Instant,
}

impl Opened {
    /// Opens the journal for this many cases.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub(crate) fn new(mut setup: Setup, cases: usize) -> Result<Self, String> {
        let Some(root) = &setup.root else {
            let (journal, entry) = (Arc::new(Writer::nowhere()), Entry::default());
            return Ok(Self { setup, journal, entry });
        };
        let mut record = std::mem::take(&mut setup.record);
        record.redact(&setup.options.redactor);
        let keep = most_kept(&setup.reports, cases);
        let (journal, entry) = journal::create(root, setup.parent.as_deref(), record, keep)?;
        if let (Some((cache, package)), Some(run)) = (&setup.noted, journal.path().parent()) {
            journal::note_elsewhere(cache, package, run);
        }
        Ok(Self { setup, journal: Arc::new(journal), entry })
    }

    /// Returns the file of the journal; an empty path where there is none.
    pub(crate) fn journal(&self) -> &Path {
        self.journal.path()
    }

    /// Records the experiments, starts to send, and starts the engine. `not_judging` says per job why
    /// its gate does not judge; `faults` are experiments that cannot run.
    ///
    /// # Errors
    /// When the journal cannot be written, or threads cannot be started.
    pub(crate) fn start(
        self,
        jobs: Vec<Job>,
        not_judging: Vec<NotJudging>,
        faults: Vec<Fault>,
    ) -> Result<Arc<Invocation>, String> {
        let Self { setup, journal, mut entry } = self;
        let redactor = &setup.options.redactor;
        for job in &jobs {
            let mut experiment = job.spec.record(&job.selected);
            experiment.redact(redactor);
            entry.push(&Record::Experiment(Box::new(experiment)));
        }
        for fault in &faults {
            entry.push(&Record::Case(fault.record()));
        }
        journal.commit_blocking(entry).map_err(|error| error.to_string())?;

        // A few cases that are tried by hand are not worth the question.
        let worth_it = setup.root.is_some()
            && (!setup.destinations.is_empty() || !jobs.iter().all(is_partial));
        let git = journal::ask_git(&setup.sources, &journal, redactor, worth_it);
        let (patience, required) = (setup.patience, setup.require_upload);
        let sending =
            Sending::start(setup.destinations, &journal, git.answer, (patience, required))?;
        let running = engine::start(jobs, setup.options, journal)
            .map_err(|error| format!("cannot start the engine: {error}"))?;
        let shared = Arc::clone(&running.shared);
        Ok(Arc::new(Invocation {
            after_run: AfterRun {
                reports: setup.reports,
                package: setup.package,
                target: setup.target.path(),
                experiments: shared.jobs.iter().map(|job| job.spec.name.clone()).collect(),
                cases: shared.jobs.iter().map(|job| job.selected.len()).sum(),
            },
            verdicts: not_judging.iter().map(|_| OnceLock::new()).collect(),
            shared,
            running: Mutex::new(Some(running)),
            not_judging,
            strict: setup.strict,
            target: setup.target,
            faults,
            terminal: setup.terminal,
            git: git.recorded,
            sending: Mutex::new(sending),
            interrupted: AtomicBool::new(false),
            recording: Mutex::default(),
            judging: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            started: Instant::now(),
        }))
    }
}

impl Invocation {
    /// Waits until everything that was started is recorded, and ends the engine's threads.
    pub(crate) fn join(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.finish();
        }
    }

    /// Returns whether every case has a result, no attempt is under way and no gate is being judged.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.is_over() && self.judging.load(Ordering::Acquire) == 0
    }

    /// Notes that a signal ends the run: tests get no answer from now on, and nothing more is started.
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        self.shared.halt().interrupt();
    }

    /// Ends the sending of results, where all else is done and recorded; returns whether it is.
    pub(crate) fn hurry(&self) -> bool {
        let closed = self.closed.load(Ordering::Acquire);
        if closed {
            self.hurried.store(true, Ordering::Release);
        }
        closed
    }
}

/// Returns whether a job runs only some of the rows of its dataset.
pub(crate) fn is_partial(job: &Job) -> bool {
    job.selected.len() < job.spec.dataset.rows.len()
}
