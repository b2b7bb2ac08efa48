//! The delivery of one journal to one destination.
//!
//! The journal's file is read as it grows, so a slow or dead server costs neither memory nor the
//! time of a run. What a destination has taken is marked beside the journal; whatever has no mark
//! is sent again, now or by `cargo honeyhive push`.

mod answers;
mod ending;
mod reading;

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::path::Path;
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
use crate::api::ApiError;
use crate::journal::{AttemptRecord, GitRecord, InvocationRecord, Record, Tail};
use crate::send::{Batch, Breaker, Part, ResourceInfo, Shipment, Taken, Window};
use crate::text::seconds;

/// The most attempts whose sessions are started or updated at once.
const MOST_ATTEMPTS: usize = 32;

/// The most requests with spans at once.
const MOST_BATCHES: usize = 4;

/// The time at which a delivery ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Closing {
    /// The delivery goes on: the journal still grows.
    #[default]
    NotYet,
    /// The journal is complete, and the delivery may take until then.
    By(Instant),
    /// The journal is complete, and the delivery ends when nothing was taken for longer than this.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "for `cargo honeyhive push`"))]
    Patiently(Duration),
    /// The delivery ends now: the user does not want to wait any longer.
    AtOnce,
}

/// The state of an attempt at its destination.
enum Arrived {
    No,
    Whole,
    /// The destination refused it, for this reason.
    Refused(String),
}

/// A kind of request about attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Starts a session.
    Session,
    /// Says what came out of it.
    Update,
    /// Brings spans.
    Spans,
}

/// An attempt whose content was refused before anything of the kind was taken: the content may be
/// wrong, or the address of the destination.
struct Doubt {
    kind: Kind,
    session_id: String,
    error: ApiError,
}

/// The result of a task.
enum Done {
    /// An attempt's session was made known, or not.
    Attempt { begin: u64, record: Box<AttemptRecord>, introduced: Introduced },
    /// A run is known there by an id, or not.
    Run { run_id: String, there: Result<String, ApiError> },
    /// Spans were taken, or not.
    Spans { of: Vec<(u64, String)>, parts: Vec<Part> },
}

/// The delivery of one journal to one destination.
pub(super) struct Delivery<'a> {
    to: Arc<Destination>,
    marks: &'a RefCell<Marks>,
    tail: Tail,
    pub(super) runs: Runs,
    invocation: Arc<InvocationRecord>,
    /// Attempts that did not get through, by their places in the journal.
    again: VecDeque<u64>,
    /// Sessions whose spans are in the batch or under way.
    spans_out: HashSet<String>,
    /// Kinds of requests that were taken with these settings, in the order of [`Kind`].
    took: [bool; 3],
    doubts: Vec<Doubt>,
    batch: Batch,
    /// The attempts in it, and how many spans each has.
    in_batch: Vec<(u64, String)>,
    sizes: Vec<usize>,
    window: Window,
    tasks: JoinSet<Done>,
    attempts_under_way: usize,
    batches_under_way: usize,
    /// Set while a run is being made known; its attempts wait.
    run_under_way: bool,
    /// Set when the end of what was written so far has been reached.
    at_end: bool,
    breaker: Breaker,
    /// Set when the journal is complete.
    ending: bool,
    /// The time when something was last taken, or refused permanently.
    moved: Instant,
    /// Set once the one try after the journal's end is used, which a server that cannot be reached gets.
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
        again: bool,
    ) -> std::io::Result<Self> {
        let mut runs = Runs::default();
        runs.note(Record::Git(git.clone()));
        let begun = to.begun();
        let took = marks.borrow().took(&to.name, &begun.settings);
        marks.borrow_mut().begin(&to.name, begun, again);
        Ok(Self {
            sent: Sent::new(&to),
            marks,
            tail: Tail::open(journal)?,
            runs,
            invocation: Arc::default(),
            again: VecDeque::new(),
            spans_out: HashSet::new(),
            took,
            doubts: Vec::new(),
            batch: Batch::new(to.receiver.protocol()),
            to,
            in_batch: Vec::new(),
            sizes: Vec::new(),
            window: Window::default(),
            tasks: JoinSet::new(),
            attempts_under_way: 0,
            batches_under_way: 0,
            run_under_way: false,
            at_end: false,
            breaker: Breaker::default(),
            ending: false,
            moved: Instant::now(),
            last_chance: false,
        })
    }

    /// Sends until the journal is at its end and everything has arrived, the destination refuses
    /// everything, or the time is over.
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
                Closing::NotYet => None,
                Closing::By(deadline) => Some(deadline),
                Closing::Patiently(pause) => Some(self.moved + pause),
                Closing::AtOnce => Some(Instant::now()),
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
                // The caller was dropped.
                changed = closing.changed() => if changed.is_err() { break },
                () = until(wake) => {}
                () = until(deadline) => {
                    self.out_of_time(now);
                    break;
                }
            }
        }
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.count_rest();
        if let Some(Doubt { error, .. }) = self.doubts.first() {
            self.sent.problem(error.to_string());
        }
        self.note_stop();
        self.marks.borrow_mut().flush();
    }

    /// Says why sending ends although something is left: what requests under way failed with says
    /// more than that there was no time for more tries.
    fn out_of_time(&mut self, closing: Closing) {
        if closing == Closing::AtOnce {
            return self.sent.out_of_time("stopped by Ctrl-C".to_owned());
        }
        if let Some(error) = self.to.trouble.last() {
            return self.sent.problem(error.to_string());
        }
        self.sent.out_of_time(match closing {
            Closing::Patiently(pause) => {
                format!("no answer within {}", seconds(pause.as_secs_f64()))
            }
            _ => "no answer within HH_FLUSH_TIMEOUT".to_owned(),
        });
    }

    /// Notes beside the journal why something is left.
    fn note_stop(&mut self) {
        if self.sent.left() > 0
            && let Some(why) = self.sent.why()
        {
            let why = why.to_owned();
            self.marks.borrow_mut().add(&self.to.name, What::Stopped { why });
        }
    }

    /// Returns whether nothing is left to send, or the last try has failed.
    fn is_over(&self, closing: Closing) -> bool {
        if closing == Closing::NotYet || !self.tasks.is_empty() {
            return false;
        }
        let nothing_left = self.at_end && self.again.is_empty() && self.in_batch.is_empty();
        nothing_left || (self.breaker.is_open() && self.last_chance && self.in_batch.is_empty())
    }

    /// Returns the next moment at which the clock alone makes something due.
    fn wake(&self, closing: Closing) -> Option<Instant> {
        match (self.breaker.retry_at(), closing) {
            // The requests under way show whether it can be reached again.
            (Some(_), _) if !self.tasks.is_empty() => None,
            (Some(then), Closing::NotYet) => Some(then),
            (Some(_), Closing::By(_) | Closing::Patiently(_) | Closing::AtOnce) => None,
            (None, _) => self.window.closes_at(),
        }
    }

    /// Starts all requests that can be started now.
    fn fill(&mut self, closing: Closing) {
        if let Some(then) = self.breaker.retry_at() {
            if !self.tasks.is_empty() {
                return;
            }
            match closing {
                Closing::NotYet if Instant::now() < then => return,
                Closing::NotYet => {}
                _ if self.last_chance => return self.send_batch(),
                _ => self.last_chance = true,
            }
        }
        // A server that could not be reached is tried with one attempt.
        let most = if self.breaker.is_open() { 1 } else { MOST_ATTEMPTS };
        while !self.run_under_way
            && self.attempts_under_way < most
            && self.batches_under_way < MOST_BATCHES
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
        let old = self.window.is_over();
        let probe = self.breaker.is_open() && self.attempts_under_way == 0;
        if self.batch.is_full() || old || probe || (nothing_more && closing != Closing::NotYet) {
            self.send_batch();
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
        let is_settled = known.updated || known.refused.is_some();
        if let Some(there) = known.there.as_deref().filter(|_| is_settled) {
            if !self.spans_out.contains(&record.session_id) {
                self.add_spans(begin, record, &run, there);
            }
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

    /// Returns the id of a run at the destination, once that knows it.
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

    fn add_spans(&mut self, begin: u64, record: Box<AttemptRecord>, run: &str, session: &str) {
        let session_id = record.session_id.clone();
        let known = Known { run_id: run, session_id: session };
        let before = self.batch.len();
        spans::add(&mut self.batch, *record, &self.invocation, known);
        self.sizes.push(self.batch.len() - before);
        self.spans_out.insert(session_id.clone());
        self.in_batch.push((begin, session_id));
        self.window.open();
    }

    fn send_batch(&mut self) {
        self.window.clear();
        if self.in_batch.is_empty() {
            return;
        }
        let of = std::mem::take(&mut self.in_batch);
        let sizes = std::mem::take(&mut self.sizes);
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.to.receiver.protocol()));
        if batch.len() == 0 {
            // Attempts that never ran have no spans.
            let parts = vec![Part { owners: 0..of.len(), taken: Taken::Yes(None) }];
            self.taken(&of, parts);
            return;
        }
        let resource = ResourceInfo {
            service: self.invocation.service.clone(),
            project: self.invocation.project.clone(),
        };
        let source = self.invocation.source.clone();
        let to = Arc::clone(&self.to);
        let is_trusted = self.took[Kind::Spans as usize];
        self.batches_under_way += 1;
        self.tasks.spawn(async move {
            let (sizes, resource, source) = (&*sizes, &resource, &*source);
            let shipment = Shipment { batch, sizes, resource, source, is_trusted };
            let parts = to.receiver.settle(shipment).await;
            Done::Spans { of, parts }
        });
    }
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
