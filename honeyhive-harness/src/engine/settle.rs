//! Runs an attempt, records it, and with the last one of a case puts the case on the board.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::Context;

use super::attempt::{self, Attempted};
use super::board::{Outcome, lock};
use super::case_result::CaseResult;
use super::job::Job;
use super::places::Place;
use super::record;
use super::state::Shared;
use crate::datapoint::Datapoint;
use crate::gate::case::Case;
use crate::journal::{AttemptError, AttemptRecord, ErrorKind, Record};

/// The time that hooks get for all texts of an attempt. One that takes longer is not called again.
const HOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// The time by which this process may notice a signal later than a child process that gets it, too.
const SIGNAL_LAG: Duration = Duration::from_millis(20);

/// A case whose attempts are under way.
#[derive(Debug)]
pub(super) struct Pending {
    job: usize,
    /// Its index in the selection.
    index: usize,
    row: usize,
    /// The datapoint; `None` when the row cannot be read.
    datapoint: Option<Arc<Datapoint>>,
    /// The reason why it is not run.
    fault: Option<AttemptError>,
    records: Mutex<Vec<AttemptRecord>>,
    left: AtomicUsize,
    unrecorded: AtomicBool,
    /// Set when some attempt was not made or was cut off: the case is not run.
    left_out: AtomicBool,
}

impl Pending {
    pub(super) fn new(shared: &Shared, job: usize, index: usize) -> Self {
        let Job { spec, selected, faults, attempts, .. } = &shared.jobs[job];
        let row = selected[index];
        let (datapoint, unreadable) = match spec.dataset.datapoint(&spec.dataset.rows[row]) {
            Ok(datapoint) => (Some(datapoint), None),
            Err(fault) => (None, Some(fault)),
        };
        let fault = unreadable.or_else(|| faults.get(row).cloned());
        let attempts = attempts.clone().count();
        Self {
            job,
            index,
            row,
            datapoint,
            fault: fault.map(|message| AttemptError { kind: ErrorKind::Datapoint, message }),
            // A list that grows by itself begins with room for four, and records are large.
            records: Mutex::new(Vec::with_capacity(attempts)),
            left: AtomicUsize::new(attempts),
            unrecorded: AtomicBool::new(false),
            left_out: AtomicBool::new(false),
        }
    }
}

/// Runs one attempt and records it. The place is free as soon as the user's code is done, or with
/// `--fail-fast` and `stop = decided`, as soon as the verdict is known.
pub(super) async fn run_one(
    shared: Arc<Shared>,
    pending: Arc<Pending>,
    attempt: u32,
    place: Place,
) {
    let job = &shared.jobs[pending.job];
    let entered = shared.in_flight.enter(pending.job, pending.row);
    let attempted = make(&shared, &pending, attempt).await;
    // With --fail-fast or `stop = decided`, the next attempt waits for the verdict on this one.
    let waits = shared.options.fail_fast || job.stop_decided;
    let place = Some(place).filter(|_| waits);
    let attempted = match attempted {
        Some(attempted) if attempted.may_come_from_signal() => {
            // A child process of the call may have got a signal that is on its way to this one.
            tokio::time::sleep(SIGNAL_LAG).await;
            Some(attempted).filter(|_| !shared.tools.halt.is_interrupted())
        }
        attempted => attempted,
    };
    if let Some(attempted) = attempted {
        settle(&shared, &pending, attempted).await;
    } else {
        leave_out(&shared, &pending);
    }
    drop(place);
    drop(entered);
}

/// Makes one attempt. Returns `None` where it was cut off.
async fn make(shared: &Shared, pending: &Pending, attempt: u32) -> Option<Attempted> {
    let spec = &shared.jobs[pending.job].spec;
    let (Some(datapoint), None) = (&pending.datapoint, &pending.fault) else {
        let mut record = record::begin(spec, pending.row, attempt, pending.datapoint.as_deref());
        record.error.clone_from(&pending.fault);
        return Some(Attempted::not_made(record));
    };
    let attempted = tokio::select! {
        biased;
        attempted =
            attempt::run(&shared.tools, spec, pending.row, attempt, Arc::clone(datapoint)) => attempted,
        () = shared.tools.halt.is_cut() => return None,
    };
    if let Some(why) = attempted.cut_off().filter(|_| spec.replay.is_none()) {
        // A run that skips cases without a reason would look like a whole one.
        shared.stop(why);
        return None;
    }
    Some(attempted)
}

/// Leaves out an attempt that was not made or was cut off: its case is not run. The journal says
/// nothing of either, as after a kill; attempts of the case that were made stay recorded.
pub(super) fn leave_out(shared: &Arc<Shared>, pending: &Pending) {
    pending.left_out.store(true, Ordering::Release);
    if pending.left.fetch_sub(1, Ordering::AcqRel) == 1 {
        skip(shared, pending.job, pending.index);
    }
}

/// Records an attempt, and with the last one decides the case.
async fn settle(shared: &Arc<Shared>, pending: &Pending, attempted: Attempted) {
    let (record, readable) = attempted.record();
    // A null output says nothing about whether an evaluator can read the function's type.
    let tells = !record.output.as_ref().is_some_and(serde_json::Value::is_null);
    let mut record = redacted(shared, record).await;
    record.in_order();
    let (job, progress) = (&shared.jobs[pending.job], &shared.progress[pending.job]);
    if tells && let Some(reason) = progress.note_readable(&job.spec, &record, &readable) {
        let _ = shared.board.lanes[pending.job].stopped.set(reason);
        shared.places.notify();
    }
    let mut entry = shared.journal.entry();
    let record = Record::Attempt(record);
    entry.push(&record);
    let Record::Attempt(record) = record else { return };
    progress.note_models(&record);
    lock(&pending.records).push(*record);
    let is_last = pending.left.fetch_sub(1, Ordering::AcqRel) == 1;
    if !is_last {
        if shared.journal.commit(entry).await.is_err() {
            pending.unrecorded.store(true, Ordering::Release);
        }
        return;
    }
    if pending.left_out.load(Ordering::Acquire) {
        // A journal that cannot be written stops the run and says so elsewhere.
        let _ = shared.journal.commit(entry).await;
        skip(shared, pending.job, pending.index);
        return;
    }
    let mut records = std::mem::take(&mut *lock(&pending.records));
    records.extend(job.earlier.get(&pending.row).into_iter().flatten().cloned());
    records.sort_by_key(|record| record.attempt);
    let mut result = CaseResult::new(job, pending.row, pending.datapoint.as_deref(), &records);
    entry.push(&Record::Case(result.record(job)));
    let written = shared.journal.commit(entry).await;
    if written.is_err() || pending.unrecorded.load(Ordering::Acquire) {
        let error = shared.journal.failure().unwrap_or("the journal is closed");
        shared.unrecorded.fetch_add(1, Ordering::AcqRel);
        shared.stop(error);
        result.outcome =
            Outcome { passed: false, skipped: false, message: format!("not recorded: {error}") };
    }
    if shared.options.keep_attempts {
        shared.board.lanes[pending.job].keep_attempts(pending.row, records);
    }
    result.put_up(shared, pending.job, pending.index);
}

/// Returns the record without secrets. Whatever comes after, on disk, in reasons or elsewhere, is
/// made of this one.
async fn redacted(shared: &Shared, mut record: Box<AttemptRecord>) -> Box<AttemptRecord> {
    let redactor = &shared.options.redactor;
    if !redactor.has_hooks() {
        record.redact(redactor);
        return record;
    }
    // Hooks are the user's code, so not on this thread, which keeps the clock.
    if !redactor.has_given_up() {
        let (own, mut work) = (redactor.clone(), record.clone());
        let call = shared.tools.workers.start_call(Context::new(), move || {
            work.redact(&own);
            work
        });
        tokio::select! {
            biased;
            answer = call.finish(HOOK_TIMEOUT) => {
                if let (Ok(redacted), _) = answer {
                    return redacted;
                }
            }
            () = shared.tools.halt.is_cut() => {}
        }
        redactor.give_up_on_hooks();
    }
    record.redact(&redactor.of_everything());
    record
}

/// Puts a case on the board that was scored before, judged again by the rules of today.
pub(super) fn replay(shared: &Shared, job: usize, index: usize, attempts: &[AttemptRecord]) {
    let Job { spec, selected, .. } = &shared.jobs[job];
    let row = selected[index];
    let datapoint = spec.dataset.datapoint(&spec.dataset.rows[row]).ok();
    let result = CaseResult::new(&shared.jobs[job], row, datapoint.as_deref(), attempts);
    result.put_up(shared, job, index);
}

/// Puts a case on the board that will not be run.
pub(super) fn skip(shared: &Shared, job: usize, index: usize) {
    let Job { spec, selected, .. } = &shared.jobs[job];
    let decided = shared.board.lanes[job].is_decided();
    let message = if decided {
        "not run: the gate is decided without it (stop = decided)"
    } else {
        "not run, see the summary"
    };
    let outcome = Outcome { passed: decided, skipped: true, message: message.to_owned() };
    let case = Case::skipped(selected[index], &spec.rules);
    shared.board.lanes[job].put(index, case, None, outcome);
}
