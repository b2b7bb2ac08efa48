//! One journal on its way to one destination.
//!
//! The journal's file is read as it grows, so a slow or dead server costs neither memory nor the
//! time of a run. What a destination has taken is marked beside the journal; whatever has no mark
//! is sent again, now or by `cargo honeyhive push`.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::destination::{Destination, Introduced};
use super::marks::{Marks, What};
use super::report::Sent;
use super::runs::Runs;
use super::spans::{self, Known};
use crate::api::{ApiError, ApiErrorKind};
use crate::journal::{AttemptRecord, GitRecord, InvocationRecord, Record, Tail};
use crate::tracer::otlp::{Batch, ResourceInfo};

/// Attempts under way at once.
const WINDOW: usize = 32;

/// Requests with spans under way at once.
const BATCHES: usize = 4;

/// Spans wait this long for others to share their request.
const GATHER: Duration = Duration::from_secs(1);

/// The first pause after a server turned out to be away; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// When to come to an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Closing {
    /// The journal still grows.
    #[default]
    NotYet,
    /// Nothing more will be written; there is time until then, if it is limited.
    By(Option<Instant>),
}

/// Whether an attempt is at its destination.
enum Arrived {
    No,
    Whole,
    /// It never will be.
    Refused,
}

/// What a task brings back.
enum Done {
    /// An attempt was introduced, or not.
    Attempt { begin: u64, record: Box<AttemptRecord>, introduced: Introduced },
    /// A run is known there by an id, or not.
    Run { run_id: String, there: Result<String, ApiError> },
    /// Spans were taken, or not.
    Spans { of: Vec<(u64, String)>, taken: Result<Option<String>, ApiError> },
}

/// One journal on its way to one destination.
pub(super) struct Delivery<'a> {
    to: Arc<Destination>,
    marks: &'a RefCell<Marks>,
    tail: Tail,
    pub(super) runs: Runs,
    invocation: Arc<InvocationRecord>,
    /// Attempts that did not get through, by their places in the journal.
    again: VecDeque<u64>,
    /// Attempts whose spans are sent in a request of their own, since one with others was refused.
    alone: HashSet<u64>,
    batch: Batch,
    in_batch: Vec<(u64, String)>,
    batch_since: Option<Instant>,
    tasks: JoinSet<Done>,
    attempts_under_way: usize,
    batches_under_way: usize,
    /// A run is being made known; its attempts wait.
    run_under_way: bool,
    /// The end of what was written so far has been reached.
    at_end: bool,
    /// The server is away; not before then is it tried again.
    away: Option<Instant>,
    pause: Duration,
    /// Nothing more will be written.
    ending: bool,
    /// After the journal's end, a server that is away gets one more chance.
    last_chance: bool,
    pub(super) sent: Sent,
}

impl<'a> Delivery<'a> {
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn new(
        to: Arc<Destination>,
        journal: &Path,
        marks: &'a RefCell<Marks>,
        git: &GitRecord,
    ) -> std::io::Result<Self> {
        let mut runs = Runs::default();
        runs.note(Record::Git(git.clone()));
        Ok(Self {
            sent: Sent::new(&to),
            to,
            marks,
            tail: Tail::open(journal)?,
            runs,
            invocation: Arc::default(),
            again: VecDeque::new(),
            alone: HashSet::new(),
            batch: Batch::default(),
            in_batch: Vec::new(),
            batch_since: None,
            tasks: JoinSet::new(),
            attempts_under_way: 0,
            batches_under_way: 0,
            run_under_way: false,
            at_end: false,
            away: None,
            pause: FIRST_PAUSE,
            ending: false,
            last_chance: false,
        })
    }

    /// Sends until the journal is at its end and everything has arrived, or there is no use or no
    /// time to go on.
    pub(super) async fn run(
        &mut self,
        mut length: Option<watch::Receiver<u64>>,
        mut closing: watch::Receiver<Closing>,
    ) {
        loop {
            let now = *closing.borrow_and_update();
            self.ending = now != Closing::NotYet;
            self.fill(now);
            self.marks.borrow_mut().flush();
            if self.sent.fatal.is_some() {
                self.tasks.abort_all();
                // What is recorded from here on is not sent, but counted.
                let _ = closing.wait_for(|closing| *closing != Closing::NotYet).await;
                break;
            }
            if self.is_over(now) {
                break;
            }
            let deadline = match now {
                Closing::By(deadline) => deadline,
                Closing::NotYet => None,
            };
            let wake = self.wake(now);
            tokio::select! {
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if let Ok(done) = done {
                        self.settle(done);
                    }
                }
                grown = changed(&mut length), if self.at_end => {
                    self.at_end = false;
                    if !grown {
                        length = None;
                    }
                }
                // Whoever started this has gone away.
                changed = closing.changed() => if changed.is_err() { break },
                () = until(wake) => {}
                () = until(deadline) => break,
            }
        }
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.count_rest();
        self.marks.borrow_mut().flush();
    }

    /// Whether nothing is left to do, or nothing that could be done.
    fn is_over(&self, closing: Closing) -> bool {
        if closing == Closing::NotYet || !self.tasks.is_empty() {
            return false;
        }
        let nothing_left = self.at_end && self.again.is_empty() && self.in_batch.is_empty();
        nothing_left || (self.away.is_some() && self.last_chance)
    }

    /// The next moment at which there is something to do by the clock.
    fn wake(&self, closing: Closing) -> Option<Instant> {
        match (self.away, closing) {
            // Whether it is back is seen by what is under way.
            (Some(_), _) if !self.tasks.is_empty() => None,
            (Some(then), Closing::NotYet) => Some(then),
            (Some(_), Closing::By(_)) => None,
            (None, _) => self.batch_since.map(|since| since + GATHER),
        }
    }

    /// Starts whatever can be started.
    fn fill(&mut self, closing: Closing) {
        if let Some(then) = self.away {
            if !self.tasks.is_empty() {
                return;
            }
            match closing {
                Closing::By(_) if self.last_chance => return,
                Closing::By(_) => self.last_chance = true,
                Closing::NotYet if Instant::now() < then => return,
                Closing::NotYet => {}
            }
        }
        // A server that was away is tried with one attempt.
        let window = if self.away.is_some() { 1 } else { WINDOW };
        while !self.run_under_way
            && self.attempts_under_way < window
            && self.batches_under_way < BATCHES
        {
            let Some((begin, record)) = self.next() else { break };
            if !self.start(begin, record) {
                break;
            }
            if self.batch.is_full() {
                self.send_batch();
            }
        }
        let nothing_more = self.at_end && self.attempts_under_way == 0 && self.again.is_empty();
        let old = self.batch_since.is_some_and(|since| since.elapsed() >= GATHER);
        let probe = self.away.is_some() && self.attempts_under_way == 0;
        if self.batch.is_full() || old || probe || (nothing_more && closing != Closing::NotYet) {
            self.send_batch();
        }
    }

    /// The next attempt that has not arrived yet. Other records are taken notice of.
    fn next(&mut self) -> Option<(u64, Box<AttemptRecord>)> {
        if let Some(begin) = self.again.pop_front() {
            return match self.tail.again(begin) {
                Ok(Record::Attempt(record)) => Some((begin, record)),
                Ok(_) | Err(_) => None,
            };
        }
        while !self.at_end {
            match self.tail.next() {
                Ok(Some((begin, Record::Attempt(record)))) => {
                    self.runs.attempt(&record);
                    if self.is_wanted(&record) {
                        self.sent.attempts += 1;
                        match self.arrived(&record) {
                            Arrived::No => return Some((begin, record)),
                            Arrived::Whole => self.sent.before += 1,
                            Arrived::Refused => self.sent.refused += 1,
                        }
                    }
                }
                Ok(Some((_, Record::Invocation(invocation)))) => {
                    self.invocation = Arc::new(invocation.clone());
                    self.runs.note(Record::Invocation(invocation));
                }
                Ok(Some((_, record))) => self.runs.note(record),
                Ok(None) => self.at_end = true,
                Err(error) => {
                    self.sent.problem(format!("cannot read the journal: {error}"));
                    self.at_end = true;
                }
            }
        }
        None
    }

    fn is_wanted(&self, record: &AttemptRecord) -> bool {
        let partial = self.runs.get(&record.run_id).is_none_or(super::runs::Run::is_partial);
        !partial || self.to.takes_partial()
    }

    fn arrived(&mut self, record: &AttemptRecord) -> Arrived {
        let known = self.marks.borrow().session(&self.to.name, &record.session_id);
        if let Some(there) = &known.there {
            self.runs.session(&record.run_id, record.row, record.attempt, there);
        }
        if known.refused {
            Arrived::Refused
        } else if known.spans && (known.updated || !self.to.has_sessions()) {
            Arrived::Whole
        } else {
            Arrived::No
        }
    }

    /// Starts one attempt; `false` when its run must be made known first.
    fn start(&mut self, begin: u64, record: Box<AttemptRecord>) -> bool {
        let known = self.marks.borrow().session(&self.to.name, &record.session_id);
        if !self.to.has_sessions() {
            let (run_id, session_id) = (record.run_id.clone(), record.session_id.clone());
            self.add_spans(begin, record, &run_id, &session_id);
            return true;
        }
        let Some(run) = self.run_there(&record.run_id) else {
            self.again.push_front(begin);
            self.create_run(&record.run_id);
            return false;
        };
        // Nothing of it is missing but spans.
        if let Some(there) = known.there.as_deref().filter(|_| known.updated || known.refused) {
            self.add_spans(begin, record, &run, there);
            return true;
        }
        let (to, invocation) = (Arc::clone(&self.to), Arc::clone(&self.invocation));
        self.attempts_under_way += 1;
        self.tasks.spawn(async move {
            let introduced = to.introduce(&record, &invocation, &run, known).await;
            Done::Attempt { begin, record, introduced }
        });
        true
    }

    /// The id of a run there, once it is known there.
    fn run_there(&self, run_id: &str) -> Option<String> {
        self.marks.borrow().run(&self.to.name, run_id).map(str::to_owned)
    }

    fn create_run(&mut self, run_id: &str) {
        let Some(run) = self.runs.get(run_id) else { return };
        let (to, new) = (Arc::clone(&self.to), self.to.new_run(run, &self.runs));
        let run_id = run_id.to_owned();
        self.run_under_way = true;
        self.tasks.spawn(async move {
            let there = to.create_run(&run_id, &new).await;
            Done::Run { run_id, there }
        });
    }

    fn run_created(&mut self, run_id: String, there: Result<String, ApiError>) {
        self.run_under_way = false;
        match there {
            Ok(there) => {
                self.back();
                self.marks.borrow_mut().add(&self.to.name, What::Run { run_id, there });
            }
            Err(error) if error.is_transient() => self.gone(&error),
            Err(error) => self.sent.fatal = Some(error.to_string()),
        }
    }

    fn settle(&mut self, done: Done) {
        match done {
            Done::Attempt { begin, record, introduced } => {
                self.attempts_under_way -= 1;
                self.introduced(begin, record, introduced);
            }
            Done::Run { run_id, there } => self.run_created(run_id, there),
            Done::Spans { of, taken } => {
                self.batches_under_way -= 1;
                self.taken(of, taken);
            }
        }
    }

    fn introduced(&mut self, begin: u64, record: Box<AttemptRecord>, introduced: Introduced) {
        let Introduced { there, updated, error } = introduced;
        let session_id = record.session_id.clone();
        let to = self.to.name.clone();
        let known = self.marks.borrow().session(&to, &session_id);
        if let Some(there) = &there {
            self.runs.session(&record.run_id, record.row, record.attempt, there);
            if known.there.is_none() {
                let (session_id, there) = (session_id.clone(), there.clone());
                self.marks.borrow_mut().add(&to, What::Session { session_id, there });
            }
        }
        if updated && !known.updated {
            self.marks.borrow_mut().add(&to, What::Update { session_id: session_id.clone() });
        }
        if let Some(error) = error {
            if !self.refused(&error, std::slice::from_ref(&session_id)) {
                self.again.push_back(begin);
                return;
            }
            // A session without its outputs still has spans that tell what happened.
            if there.is_none() {
                return;
            }
        }
        self.back();
        let run = self.run_there(&record.run_id).unwrap_or_else(|| record.run_id.clone());
        if known.spans {
            self.sent.now += 1;
        } else if let Some(there) = there {
            self.add_spans(begin, record, &run, &there);
        }
    }

    fn add_spans(&mut self, begin: u64, record: Box<AttemptRecord>, run: &str, session: &str) {
        let alone = self.alone.contains(&begin);
        if alone {
            self.send_batch();
        }
        let session_id = record.session_id.clone();
        let known = Known { run_id: run, session_id: session };
        spans::add(&mut self.batch, *record, &self.invocation, known);
        self.in_batch.push((begin, session_id));
        self.batch_since.get_or_insert_with(Instant::now);
        if alone {
            self.send_batch();
        }
    }

    fn send_batch(&mut self) {
        self.batch_since = None;
        if self.in_batch.is_empty() {
            return;
        }
        let of = std::mem::take(&mut self.in_batch);
        let batch = std::mem::take(&mut self.batch);
        if batch.len() == 0 {
            // Attempts that never ran have no spans.
            self.taken(of, Ok(None));
            return;
        }
        let resource = ResourceInfo {
            service: self.invocation.service.clone(),
            project: self.invocation.project.clone(),
        };
        let source = self.invocation.source.clone();
        let to = Arc::clone(&self.to);
        self.batches_under_way += 1;
        self.tasks.spawn(async move {
            let taken = to.send_spans(batch, &resource, &source).await;
            Done::Spans { of, taken }
        });
    }

    fn taken(&mut self, of: Vec<(u64, String)>, taken: Result<Option<String>, ApiError>) {
        match taken {
            Ok(complaint) => {
                self.back();
                if let Some(complaint) = complaint {
                    self.sent.problem(complaint);
                }
                self.sent.now += of.iter().filter(|(_, id)| !self.is_refused(id)).count();
                let session_ids = of.into_iter().map(|(_, id)| id).collect();
                self.marks.borrow_mut().add(&self.to.name, What::Spans { session_ids });
            }
            // One attempt whose spans are not liked must not take the others with it.
            Err(error) if !may_pass(&error) && !is_key(&error) && of.len() > 1 => {
                for (begin, _) in of {
                    self.alone.insert(begin);
                    self.again.push_back(begin);
                }
            }
            Err(error) => {
                let ids: Vec<String> = of.iter().map(|(_, id)| id.clone()).collect();
                if !self.refused(&error, &ids) {
                    self.again.extend(of.iter().map(|(begin, _)| *begin));
                }
            }
        }
    }

    /// Whether a destination will never take these sessions. If it may, they are sent again.
    fn refused(&mut self, error: &ApiError, session_ids: &[String]) -> bool {
        if may_pass(error) {
            self.gone(error);
            return false;
        }
        if is_key(error) {
            self.sent.fatal = Some(error.to_string());
            return false;
        }
        self.sent.problem(error.to_string());
        for session_id in session_ids {
            if self.is_refused(session_id) {
                continue;
            }
            self.sent.refused += 1;
            let what = What::Refused { session_id: session_id.clone(), why: error.to_string() };
            self.marks.borrow_mut().add(&self.to.name, what);
        }
        true
    }

    fn is_refused(&self, session_id: &str) -> bool {
        self.marks.borrow().session(&self.to.name, session_id).refused
    }

    /// The server is away.
    fn gone(&mut self, error: &ApiError) {
        self.sent.problem(error.to_string());
        let asked = error.retry_after().unwrap_or_default();
        self.away = Some(Instant::now() + self.pause.max(asked));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        // Where nobody listens, the tries of this request were the last chance: nobody likes to
        // wait for a server that is not there.
        self.last_chance |= self.ending && matches!(error.kind(), ApiErrorKind::Connect(_));
    }

    /// The server is there.
    fn back(&mut self) {
        self.away = None;
        self.pause = FIRST_PAUSE;
        self.last_chance = false;
    }

    /// Makes the ends of the runs known whose attempts have all arrived. `others` are the other
    /// journals of the invocation.
    pub(super) async fn finish(&mut self, others: &[PathBuf], until: Option<Instant>) {
        if !self.to.has_sessions() || self.sent.fatal.is_some() {
            return;
        }
        for journal in others {
            self.runs.look_at(journal, &self.to.name);
        }
        for run_id in self.runs.ids().to_vec() {
            let Some(run) = self.runs.get(&run_id) else { continue };
            let wanted = !run.is_partial() || self.to.takes_partial();
            if !wanted || !run.has_attempts() {
                continue;
            }
            let finished = self.marks.borrow().is_finished(&self.to.name, &run_id);
            if finished && self.sent.now == 0 {
                continue;
            }
            let there = self.run_there(&run_id).filter(|_| self.sent.left() == 0);
            let Some(there) = there else {
                self.sent.unfinished += 1;
                continue;
            };
            match self.to.finish_run(&there, run, &self.runs, until).await {
                Ok(()) => {
                    self.sent.runs.push((run.experiment.experiment.clone(), there.clone()));
                    self.marks.borrow_mut().add(&self.to.name, What::Finished { run_id });
                    self.sent.results.extend(self.to.results(&there, run, until).await);
                }
                Err(error) => {
                    self.sent.unfinished += 1;
                    self.sent.problem(error.to_string());
                }
            }
        }
        self.marks.borrow_mut().flush();
    }

    /// Reads on to the end, so that what is left can be counted.
    fn count_rest(&mut self) {
        self.again.clear();
        self.at_end = false;
        while self.next().is_some() {}
    }
}

/// Whether another try may go well. HoneyHive took the run, so an answer that is none of its own is
/// that of something in between.
fn may_pass(error: &ApiError) -> bool {
    error.is_transient() || matches!(error.kind(), ApiErrorKind::Decode(_))
}

fn is_key(error: &ApiError) -> bool {
    matches!(error.status(), Some(401 | 403))
}

async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Waits until the journal has grown; `false` when it never will.
async fn changed(length: &mut Option<watch::Receiver<u64>>) -> bool {
    match length {
        Some(length) => length.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}
