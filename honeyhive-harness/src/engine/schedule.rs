//! In which order attempts run, how many at once, and when to stop.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::attempt::{self, Attempted};
use super::board::{Board, Lane, Outcome};
use super::check::Faults;
use super::execute::Workers;
use super::panics;
use super::spec::Spec;
use crate::datapoint::Datapoint;
use crate::gate::case::{self, Case, CaseScore, Decision};
use crate::gate::miss::Miss;
use crate::journal::{
    AttemptError, AttemptRecord, CaseRecord, CaseState, Entry, ErrorKind, Record, Writer,
};
use crate::text::one_line;

/// An evaluator that could read none of this many outputs stops the experiment.
const FIRST_OUTPUTS: usize = 5;

/// An experiment to run and the rows of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) spec: Arc<Spec>,
    /// Rows, in the order in which they run.
    pub(crate) selected: Vec<usize>,
    pub(crate) faults: Faults,
    /// The experiment's gate judges in this run, so what it decides on does not fail cases.
    pub(crate) gate_judges: bool,
}

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Attempts at once over all experiments, where that is asked for.
    pub(crate) concurrency: Option<usize>,
    /// Start nothing more after the first failure.
    pub(crate) fail_fast: bool,
}

/// What all of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) jobs: Vec<Job>,
    pub(crate) board: Board,
    pub(crate) journal: Arc<Writer>,
    workers: Arc<Workers>,
    options: Options,
    stop: OnceLock<String>,
    /// Cases whose record did not reach the disk.
    pub(crate) unrecorded: AtomicUsize,
    /// Attempts that are not recorded yet: job, row, start.
    in_flight: Mutex<Vec<(usize, usize, Instant)>>,
    progress: Vec<Progress>,
    freed: Notify,
}

/// What the stop rules and the live line need to know of a job.
#[derive(Debug, Default)]
struct Progress {
    /// Per evaluator: outputs that it could read, and could not.
    readable: Vec<(AtomicUsize, AtomicUsize)>,
    /// The sum of the first evaluator's case means, in millionths, and how many.
    sum: Mutex<(f64, usize)>,
    failing: AtomicUsize,
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a run in the background.
///
/// # Errors
/// When threads cannot be started.
pub(crate) fn start(jobs: Vec<Job>, options: Options, journal: Arc<Writer>) -> io::Result<Running> {
    panics::install_hook();
    crate::tracer::install_global();
    let board = Board { lanes: jobs.iter().map(|job| Lane::new(job.selected.len())).collect() };
    let progress = jobs
        .iter()
        .map(|job| Progress {
            readable: job.spec.evaluators.iter().map(|_| Default::default()).collect(),
            ..Progress::default()
        })
        .collect();
    let shared = Arc::new(Shared {
        jobs,
        board,
        journal,
        workers: Arc::new(Workers::new()?),
        options,
        stop: OnceLock::new(),
        unrecorded: AtomicUsize::new(0),
        in_flight: Mutex::default(),
        progress,
        freed: Notify::new(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let engine = Arc::clone(&shared);
    let thread = std::thread::Builder::new()
        .name("honeyhive-engine".to_owned())
        .spawn(move || runtime.block_on(run(engine)))?;
    Ok(Running { shared, thread: Some(thread) })
}

impl Running {
    /// Waits until everything that was started is recorded, and lets go of the threads.
    pub(crate) fn finish(mut self) -> Arc<Shared> {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.shared.workers.shutdown();
        Arc::clone(&self.shared)
    }
}

impl Shared {
    /// Starts nothing more; attempts under way go on.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        let _ = self.stop.set(reason.into());
        self.freed.notify_one();
    }

    /// Why nothing more is started.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stop.get().map(String::as_str)
    }

    /// The number of attempts under way, and the one that has been so for longest.
    pub(crate) fn in_flight(&self) -> (usize, Option<(String, Duration)>) {
        let in_flight = lock(&self.in_flight);
        let oldest = in_flight.iter().min_by_key(|(.., at)| *at);
        let oldest = oldest.map(|(job, row, at)| (self.jobs[*job].spec.test_name(*row), at.elapsed()));
        (in_flight.len(), oldest)
    }

    /// The running mean of a job's first evaluator, and how many cases failed so far.
    pub(crate) fn running(&self, job: usize) -> (Option<f64>, usize) {
        let progress = &self.progress[job];
        let (sum, n) = *lock(&progress.sum);
        ((n > 0).then(|| sum / n as f64), progress.failing.load(Ordering::Acquire))
    }
}

/// A case whose attempts are under way.
struct Pending {
    job: usize,
    /// Its place in the selection.
    index: usize,
    row: usize,
    datapoint: Result<Arc<Datapoint>, AttemptError>,
    records: Mutex<Vec<AttemptRecord>>,
    left: AtomicUsize,
    unrecorded: AtomicBool,
}

async fn run(shared: Arc<Shared>) {
    let limit = |job: &Job| job.spec.concurrency;
    let most = shared.jobs.iter().map(limit).max().unwrap_or(1);
    let all = Arc::new(Semaphore::new(shared.options.concurrency.unwrap_or(most)));
    let each: Vec<Arc<Semaphore>> =
        shared.jobs.iter().map(|job| Arc::new(Semaphore::new(limit(job)))).collect();
    let mut next: Vec<(usize, u32, Option<Arc<Pending>>)> = vec![(0, 0, None); shared.jobs.len()];
    let mut tasks = tokio::task::JoinSet::new();
    'attempts: loop {
        // Cases that will not be run are put up without waiting for a place.
        for (job, cursor) in next.iter_mut().enumerate() {
            let reason = shared.stopped().or(shared.board.lanes[job].stopped.get().map(String::as_str));
            if let Some(reason) = reason.map(str::to_owned) {
                if let (_, attempt @ 1.., Some(pending)) = cursor {
                    // Attempts of this case are under way; the rest of them are left out.
                    for number in *attempt + 1..=shared.jobs[job].spec.repeats {
                        let record = not_run(&shared, pending, number, &reason);
                        settle(&shared, pending, Attempted { record, readable: Vec::new() }).await;
                    }
                    *cursor = (cursor.0 + 1, 0, None);
                }
                for index in cursor.0..shared.jobs[job].selected.len() {
                    skip(&shared, job, index, &reason);
                }
                cursor.0 = shared.jobs[job].selected.len();
            }
        }
        let left = |job: usize, cursor: &(usize, u32, Option<Arc<Pending>>)| {
            cursor.0 < shared.jobs[job].selected.len()
        };
        if !next.iter().enumerate().any(|(job, cursor)| left(job, cursor)) {
            break;
        }
        let Ok(place) = Arc::clone(&all).acquire_owned().await else { break };
        if shared.stopped().is_some() {
            continue;
        }
        // The first experiment, in order, that has work and a place.
        let (job, own_place) = loop {
            let found = next.iter().enumerate().find_map(|(job, cursor)| {
                let stopped = shared.board.lanes[job].stopped.get().is_some();
                let free = || Arc::clone(&each[job]).try_acquire_owned().ok();
                (left(job, cursor) && !stopped).then(free).flatten().map(|own| (job, own))
            });
            match found {
                Some(found) => break found,
                None => {
                    shared.freed.notified().await;
                    // What was waited for may as well have been a reason to stop.
                    continue 'attempts;
                }
            }
        };
        let cursor = &mut next[job];
        let pending = match &cursor.2 {
            Some(pending) => Arc::clone(pending),
            None => Arc::new(pending(&shared, job, cursor.0)),
        };
        cursor.1 += 1;
        let attempt = cursor.1;
        if attempt == shared.jobs[job].spec.repeats {
            *cursor = (cursor.0 + 1, 0, None);
        } else {
            cursor.2 = Some(Arc::clone(&pending));
        }
        lock(&shared.board.lanes[job].times).0.get_or_insert_with(Instant::now);
        tasks.spawn(run_one(Arc::clone(&shared), pending, attempt, place, own_place));
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

fn pending(shared: &Shared, job: usize, index: usize) -> Pending {
    let Job { spec, selected, faults, .. } = &shared.jobs[job];
    let row = selected[index];
    let datapoint = match faults.get(row) {
        Some(fault) => Err(fault.clone()),
        None => spec.dataset.datapoint(&spec.dataset.rows[row]),
    };
    Pending {
        job,
        index,
        row,
        datapoint: datapoint
            .map_err(|message| AttemptError { kind: ErrorKind::Datapoint, message }),
        records: Mutex::default(),
        left: AtomicUsize::new(usize::try_from(spec.repeats).unwrap_or(usize::MAX)),
        unrecorded: AtomicBool::new(false),
    }
}

async fn run_one(
    shared: Arc<Shared>,
    pending: Arc<Pending>,
    attempt: u32,
    place: OwnedSemaphorePermit,
    own_place: OwnedSemaphorePermit,
) {
    let spec = &shared.jobs[pending.job].spec;
    let key = (pending.job, pending.row, Instant::now());
    lock(&shared.in_flight).push(key);
    let attempted = match &pending.datapoint {
        Err(error) => {
            let mut record = attempt::begin(spec, pending.row, attempt, None);
            record.error = Some(error.clone());
            Attempted { record, readable: Vec::new() }
        }
        Ok(datapoint) => {
            attempt::run(&shared.workers, spec, pending.row, attempt, Arc::clone(datapoint)).await
        }
    };
    drop((place, own_place));
    shared.freed.notify_one();
    settle(&shared, &pending, attempted).await;
    let mut in_flight = lock(&shared.in_flight);
    if let Some(at) = in_flight.iter().position(|other| *other == key) {
        in_flight.swap_remove(at);
    }
}

fn not_run(shared: &Shared, pending: &Pending, attempt: u32, reason: &str) -> AttemptRecord {
    let spec = &shared.jobs[pending.job].spec;
    let datapoint = pending.datapoint.as_ref().ok().map(Arc::as_ref);
    let mut record = attempt::begin(spec, pending.row, attempt, datapoint);
    record.error = Some(AttemptError { kind: ErrorKind::NotRun, message: format!("not run: {reason}") });
    record
}

/// Records an attempt, and with the last one decides the case.
async fn settle(shared: &Arc<Shared>, pending: &Pending, attempted: Attempted) {
    note_readable(shared, pending.job, &attempted.readable);
    let mut entry = Entry::default();
    let record = Record::Attempt(Box::new(attempted.record));
    entry.push(&record);
    let Record::Attempt(record) = record else { return };
    lock(&pending.records).push(*record);
    let is_last = pending.left.fetch_sub(1, Ordering::AcqRel) == 1;
    if !is_last {
        if shared.journal.commit(entry).await.is_err() {
            pending.unrecorded.store(true, Ordering::Release);
        }
        return;
    }
    let mut records = std::mem::take(&mut *lock(&pending.records));
    records.sort_by_key(|record| record.attempt);
    let Job { spec, gate_judges, .. } = &shared.jobs[pending.job];
    let in_slice = slices(spec, pending.datapoint.as_deref().ok());
    let (mut case, decision) = case::decide(&spec.rules, pending.row, in_slice, &records);
    if pending.datapoint.is_err() {
        case.state = CaseState::Error;
    }
    let failed = !decision.failing.is_empty() || (!decision.gated.is_empty() && !gate_judges);
    let test = spec.test_name(pending.row);
    entry.push(&Record::Case(CaseRecord {
        experiment: spec.name.clone(),
        case: spec.dataset.rows[pending.row].id.clone(),
        test: test.clone(),
        state: case.state,
        passed: !failed,
        reasons: decision.reasons().cloned().collect(),
    }));
    let written = shared.journal.commit(entry).await;

    let miss = decision.reasons().next().is_some().then(|| {
        Miss::new(&spec.rules, test, &case, &decision, failed, &records)
    });
    let mut outcome = Outcome { passed: !failed, message: String::new() };
    if failed {
        outcome.message = message(&decision, *gate_judges);
    }
    if written.is_err() || pending.unrecorded.load(Ordering::Acquire) {
        let error = shared.journal.failure().unwrap_or("the journal is closed");
        shared.unrecorded.fetch_add(1, Ordering::AcqRel);
        shared.stop(error);
        outcome = Outcome { passed: false, message: format!("not recorded: {error}") };
    }
    if !outcome.passed {
        shared.progress[pending.job].failing.fetch_add(1, Ordering::AcqRel);
        if shared.options.fail_fast {
            shared.stop(format!("{} failed, and --fail-fast is set", spec.test_name(pending.row)));
        }
    }
    if let Some(CaseScore::Mean(mean, _)) = case.scores.first() {
        let mut sum = lock(&shared.progress[pending.job].sum);
        *sum = (sum.0 + mean, sum.1 + 1);
    }
    shared.board.lanes[pending.job].put(pending.index, case, miss, outcome);
}

/// Stops an experiment whose evaluator reads none of the outputs: it was written for another
/// type, and every further call would be paid for nothing.
fn note_readable(shared: &Shared, job: usize, readable: &[bool]) {
    let spec = &shared.jobs[job].spec;
    for (index, could) in readable.iter().enumerate() {
        let (fine, bad) = &shared.progress[job].readable[index];
        if *could {
            fine.fetch_add(1, Ordering::AcqRel);
        } else if bad.fetch_add(1, Ordering::AcqRel) + 1 >= FIRST_OUTPUTS
            && fine.load(Ordering::Acquire) == 0
        {
            let reason = format!(
                "evaluator `{}` could read none of the first {FIRST_OUTPUTS} outputs; \
                 its `output` has another type than `{}` returns",
                spec.rules.judges[index].name, spec.function
            );
            let _ = shared.board.lanes[job].stopped.set(reason);
            shared.freed.notify_one();
        }
    }
}

fn skip(shared: &Shared, job: usize, index: usize, reason: &str) {
    let Job { spec, selected, .. } = &shared.jobs[job];
    let outcome = Outcome { passed: false, message: format!("not run: {reason}") };
    let case = Case::skipped(selected[index], &spec.rules);
    shared.board.lanes[job].put(index, case, None, outcome);
}

fn slices(spec: &Spec, datapoint: Option<&Datapoint>) -> Box<[bool]> {
    let gates = &spec.rules.gates;
    if gates.iter().all(|rule| rule.slice.is_none()) {
        return Box::default();
    }
    gates
        .iter()
        .map(|rule| match (rule.slice, datapoint) {
            (None, _) => true,
            (Some(slice), Some(datapoint)) => datapoint.in_slice(slice),
            (Some(_), None) => false,
        })
        .collect()
}

/// What a failed case's test says: its worst reason, how many more, and whether a gate might
/// have seen it otherwise.
fn message(decision: &Decision, gate_judges: bool) -> String {
    let mut reasons = decision.reasons();
    let mut text = reasons.next().map(|reason| one_line(reason, 300)).unwrap_or_default();
    let more = reasons.count();
    if more > 0 {
        text.push_str(&format!(" (and {more} more)"));
    }
    if decision.failing.is_empty() && !gate_judges {
        text.push_str("\na full run's gate may forgive this");
    }
    text
}
