//! From an attempt to the result of its case: recorded, decided, put up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::Context;

use super::attempt::{self, Attempted};
use super::board::{Outcome, lock};
use super::poison::is_consequence;
use super::schedule::{Job, Places, Shared};
use crate::datapoint::Datapoint;
use crate::gate::case::{self, Case, CaseScore, Decision, RowFacts};
use crate::gate::miss::Miss;
use crate::gate::snapshot::missed_before;
use crate::gate::verdict::Baseline;
use crate::journal::{AttemptError, AttemptRecord, CaseRecord, ErrorKind, Record, models};
use crate::text::one_line;

/// Columns of a reason in a failed test's text.
const LONGEST_REASON: usize = 300;

/// An evaluator that could read none of this many outputs stops the experiment.
const FIRST_OUTPUTS: usize = 5;

/// Hooks get this long for all texts of an attempt. One that takes longer is not asked again.
const HOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How much later than a child process this one may notice a signal to both.
const SIGNAL_LAG: Duration = Duration::from_millis(20);

/// By how much less severe a failure is that another one has caused: below every state of its own.
const CONSEQUENCE: f64 = 5_000.0;

/// A case whose attempts are under way.
#[derive(Debug)]
pub(super) struct Pending {
    job: usize,
    /// Its place in the selection.
    index: usize,
    row: usize,
    /// `None` when the row cannot be read.
    datapoint: Option<Arc<Datapoint>>,
    /// Why it is not run.
    fault: Option<AttemptError>,
    records: Mutex<Vec<AttemptRecord>>,
    left: AtomicUsize,
    unrecorded: AtomicBool,
    /// Some attempt was not made or was cut off: the case is not run.
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
            // A list that grows by itself begins with four, and records are large.
            records: Mutex::new(Vec::with_capacity(attempts)),
            left: AtomicUsize::new(attempts),
            unrecorded: AtomicBool::new(false),
            left_out: AtomicBool::new(false),
        }
    }
}

/// Runs one attempt and records it. The places are free as soon as the user's code is done, or
/// with `--fail-fast` and `stop = decided`, as soon as the verdict is known.
pub(super) async fn run_one(
    shared: &Arc<Shared>,
    pending: Arc<Pending>,
    attempt: u32,
    places: Places,
) {
    let spec = &shared.jobs[pending.job].spec;
    let key = (pending.job, pending.row, Instant::now());
    lock(&shared.in_flight).push(key);
    let halt = &shared.tools.halt;
    let attempted = match (&pending.datapoint, &pending.fault) {
        (Some(datapoint), None) => {
            let (tools, datapoint) = (&shared.tools, Arc::clone(datapoint));
            tokio::select! {
                biased;
                attempted = attempt::run(tools, spec, pending.row, attempt, datapoint) => {
                    if let Some(why) = attempted.cut_off().filter(|_| spec.replay.is_none()) {
                        // A run that skips cases without a reason would look like a whole one.
                        shared.stop(why);
                        None
                    } else {
                        Some(attempted)
                    }
                }
                () = halt.is_cut() => None,
            }
        }
        (datapoint, fault) => {
            let mut record = attempt::begin(spec, pending.row, attempt, datapoint.as_deref());
            record.error.clone_from(fault);
            Some(Attempted::not_made(record))
        }
    };
    // With --fail-fast or `stop = decided`, the next attempt waits for the verdict on this one.
    let waits = shared.options.fail_fast || shared.jobs[pending.job].stop_decided;
    let places = Some(places).filter(|_| waits);
    let attempted = match attempted {
        Some(attempted) if attempted.may_come_from_signal() => {
            // A child process of the call may have got a signal that is on its way to this one.
            tokio::time::sleep(SIGNAL_LAG).await;
            Some(attempted).filter(|_| !halt.is_interrupted())
        }
        attempted => attempted,
    };
    if let Some(attempted) = attempted {
        shared.tools.turns.to_record().await;
        settle(shared, &pending, attempted).await;
    } else {
        leave_out(shared, &pending);
    }
    drop(places);
    let mut in_flight = lock(&shared.in_flight);
    if let Some(at) = in_flight.iter().position(|other| *other == key) {
        in_flight.swap_remove(at);
    }
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
    // Nothing is not another type.
    let tells = !record.output.as_ref().is_some_and(serde_json::Value::is_null);
    let mut record = redacted(shared, record).await;
    record.in_order();
    if tells {
        note_readable(shared, pending.job, &record, &readable);
    }
    let mut entry = shared.journal.entry();
    let record = Record::Attempt(record);
    entry.push(&record);
    let Record::Attempt(record) = record else { return };
    note_models(shared, pending.job, &record);
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
    let earlier = &shared.jobs[pending.job].earlier;
    records.extend(earlier.get(&pending.row).into_iter().flatten().cloned());
    records.sort_by_key(|record| record.attempt);
    let mut decided = Decided::new(
        &shared.jobs[pending.job],
        pending.row,
        pending.datapoint.as_deref(),
        &records,
    );
    entry.push(&Record::Case(decided.record(&shared.jobs[pending.job])));
    let written = shared.journal.commit(entry).await;
    if written.is_err() || pending.unrecorded.load(Ordering::Acquire) {
        let error = shared.journal.failure().unwrap_or("the journal is closed");
        shared.unrecorded.fetch_add(1, Ordering::AcqRel);
        shared.stop(error);
        decided.outcome =
            Outcome { passed: false, skipped: false, message: format!("not recorded: {error}") };
    }
    if shared.options.keep_attempts {
        shared.board.lanes[pending.job].keep_attempts(pending.row, records);
    }
    decided.put_up(shared, pending.job, pending.index);
}

/// The record without secrets. Whatever comes after, on disk, in reasons or elsewhere, is made of
/// this one.
async fn redacted(shared: &Shared, mut record: Box<AttemptRecord>) -> Box<AttemptRecord> {
    let redactor = &shared.options.redactor;
    if !redactor.has_hooks() {
        record.redact(redactor);
        return record;
    }
    // Hooks are the user's code, so not on this thread, which keeps the clock.
    if !redactor.has_given_up() {
        let (own, mut work) = (redactor.clone(), record.clone());
        let mut script = shared.tools.workers.start_steps(move |steps| {
            steps.step(&Context::new(), move || {
                work.redact(&own);
                work
            });
        });
        tokio::select! {
            biased;
            answer = script.next(HOOK_TIMEOUT) => {
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

/// Puts up a case that was scored before, judged again by the rules of today.
pub(super) fn replay(shared: &Shared, job: usize, index: usize, attempts: &[AttemptRecord]) {
    let Job { spec, selected, .. } = &shared.jobs[job];
    let row = selected[index];
    let datapoint = spec.dataset.datapoint(&spec.dataset.rows[row]).ok();
    Decided::new(&shared.jobs[job], row, datapoint.as_deref(), attempts).put_up(shared, job, index);
}

/// What became of a case.
struct Decided {
    case: Case,
    decision: Decision,
    miss: Option<Miss>,
    outcome: Outcome,
}

impl Decided {
    fn new(
        job: &Job,
        row: usize,
        datapoint: Option<&Datapoint>,
        attempts: &[AttemptRecord],
    ) -> Self {
        let Job { spec, leave_to_gate, .. } = job;
        let facts = match datapoint {
            Some(datapoint) => RowFacts::new(&spec.rules, row, datapoint, spec.cluster.as_deref()),
            None => RowFacts::unreadable(&spec.rules, row),
        };
        let (case, decision) = case::decide(&spec.rules, facts, attempts);
        let failed = !decision.failing.is_empty() || (!decision.gated.is_empty() && !leave_to_gate);
        let miss = decision.reasons().next().is_some().then(|| {
            let test = spec.test_name(row);
            let mut miss =
                Miss::new(&spec.rules, &spec.reads(), test, &case, &decision, failed, attempts);
            // The failure that others come from is shown before them.
            if miss.reasons.iter().any(|reason| is_consequence(reason)) {
                miss.severity -= CONSEQUENCE;
            }
            miss
        });
        let message = if failed { message(&decision, *leave_to_gate) } else { String::new() };
        Self { case, decision, miss, outcome: Outcome { passed: !failed, skipped: false, message } }
    }

    fn record(&self, job: &Job) -> CaseRecord {
        CaseRecord {
            experiment: job.spec.name.clone(),
            case: job.spec.dataset.rows[self.case.row].id.clone(),
            test: job.spec.test_name(self.case.row),
            state: self.case.state,
            passed: self.outcome.passed,
            reasons: self.decision.reasons().cloned().collect(),
            row_hash: self.case.row_hash.clone(),
        }
    }

    fn put_up(mut self, shared: &Shared, job: usize, index: usize) {
        let progress = &shared.progress[job];
        if let Some(miss) = &mut self.miss {
            let spec = &shared.jobs[job].spec;
            let read = || Some(Baseline::read(&spec.baseline, &spec.name).ok()?.snapshot);
            let before = shared.board.lanes[job].before(read);
            let id = &spec.dataset.rows[self.case.row].id;
            let judges = &spec.rules.judges;
            miss.compare(
                before.and_then(|before| missed_before(judges, before, id, &self.case.row_hash)),
            );
        }
        if !self.outcome.passed {
            progress.failing.fetch_add(1, Ordering::AcqRel);
            if shared.options.fail_fast {
                let test = shared.jobs[job].spec.test_name(self.case.row);
                shared.stop(format!("{test} failed, and --fail-fast is set"));
            }
        }
        if let Some(scored) = self.case.scores.first().and_then(CaseScore::scored) {
            let mut sum = lock(&progress.sum);
            *sum = (sum.0 + scored.score, sum.1 + 1);
        }
        note_decided(shared, job, &self.case);
        shared.board.lanes[job].put(index, self.case, self.miss, self.outcome);
    }
}

/// Starts no further case of an experiment once its gate can come to no other verdict.
fn note_decided(shared: &Shared, job: usize, case: &Case) {
    let Some(decided) = &shared.progress[job].decided else { return };
    let (rules, lane) = (&shared.jobs[job].spec.rules, &shared.board.lanes[job]);
    // Cases that were given up for another reason are not decided on, either.
    let left = lane.total().saturating_sub(lane.ran() + 1);
    if lane.is_decided() || left == 0 {
        return;
    }
    let mut decided = lock(decided);
    decided.add(rules, case);
    if decided.verdict(rules, left).is_some() {
        lane.decided.store(true, Ordering::Release);
        shared.freed.notify_one();
    }
}

/// Models that answered, for the comparison with the baseline.
fn note_models(shared: &Shared, job: usize, record: &AttemptRecord) {
    for model in models(&record.spans) {
        let mut known = lock(&shared.progress[job].models);
        if !known.contains(model) {
            known.insert(model.to_owned());
        }
    }
}

/// Stops an experiment whose evaluator reads none of the outputs: it was written for another
/// type, and every further call would be paid for nothing.
fn note_readable(shared: &Shared, job: usize, record: &AttemptRecord, readable: &[bool]) {
    let spec = &shared.jobs[job].spec;
    for (index, could) in readable.iter().enumerate() {
        let (fine, bad) = &shared.progress[job].readable[index];
        if *could {
            fine.fetch_add(1, Ordering::AcqRel);
        } else if bad.fetch_add(1, Ordering::AcqRel) + 1 >= FIRST_OUTPUTS
            && fine.load(Ordering::Acquire) == 0
        {
            let (judge, used) = (&spec.rules.judges[index], &spec.evaluators[index]);
            let score = record.scores.get(index);
            let error = score.and_then(|score| score.error.as_ref());
            let reason = format!(
                "evaluator `{}` ({}:{}) could read none of the first {FIRST_OUTPUTS} outputs of \
                 `{}`: {}",
                judge.name,
                used.info.file,
                used.info.line,
                spec.function,
                error.map_or("", |error| &error.message)
            );
            let _ = shared.board.lanes[job].stopped.set(reason);
            shared.freed.notify_one();
        }
    }
}

/// Puts up a case that will not be run.
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

/// What a failed case's test says: its worst reasons, how many more, and whether a gate might have
/// seen it otherwise. At most two lines.
fn message(decision: &Decision, leave_to_gate: bool) -> String {
    let forgivable = decision.failing.is_empty() && !leave_to_gate;
    let shown = if forgivable { 1 } else { 2 };
    let reasons: Vec<String> =
        decision.reasons().map(|reason| one_line(reason, LONGEST_REASON)).collect();
    let mut text = reasons[..reasons.len().min(shown)].join("\n");
    if reasons.len() > shown {
        text.push_str(&format!(" (and {} more)", reasons.len() - shown));
    }
    if forgivable {
        text.push_str("\na full run's gate may forgive this");
    }
    text
}
