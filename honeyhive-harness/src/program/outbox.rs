//! The spans and sessions that one tracer has to send to one destination, and their counts.
//!
//! Each tracer has an outbox of its own for each destination. The pipeline of the destination
//! empties those of all tracers that send there.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use super::info::TracerInfo;
use super::session_queue::SessionQueue;
use crate::api::{EventUpdate, NewSession};
use crate::send::Batch;
use crate::tracer::SpanRecord;
use crate::tracer::buffer::{Ended, Full, SpanBuffer};
use crate::tracer::families::leaving;
use crate::tracer::session::SessionState;

/// The time for which spans of a dropped tracer are retried.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of spans with which a request is sent before its time.
const MANY: usize = 512;

/// The reason why the worker of a pipeline wakes.
#[derive(Debug)]
pub(super) enum Wake {
    /// An outbox has something to send.
    Ready(Arc<Outbox>),
    /// There are enough spans for a request.
    Soon,
    /// A flush waits: pauses that the server did not ask for end.
    Now,
}

/// The outboxes' connection to the worker of their pipeline.
pub(super) struct WorkerHandle {
    pub(super) wakes: UnboundedSender<Wake>,
    pub(super) runtime: Handle,
    /// The number of spans that came, over all outboxes.
    pub(super) came: AtomicUsize,
    /// Set when the receiver knows sessions beside spans.
    pub(super) has_sessions: bool,
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle").field("came", &self.came).finish_non_exhaustive()
    }
}

impl WorkerHandle {
    pub(super) fn wake(&self, wake: Wake) {
        // The worker listens as long as there is a handle.
        let _ = self.wakes.send(wake);
    }

    fn count_span(&self) {
        if self.came.fetch_add(1, Ordering::Relaxed) % MANY == MANY - 1 {
            self.wake(Wake::Soon);
        }
    }
}

/// The counts of spans, sessions and updates by how they ended, over the life of a tracer.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) sessions_started: AtomicU64,
    pub(super) sessions_failed: AtomicU64,
    pub(super) updates_sent: AtomicU64,
    pub(super) updates_failed: AtomicU64,
    error: Mutex<Option<String>>,
}

pub(super) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::AcqRel);
}

impl Counters {
    pub(super) fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn went_wrong(&self, text: &str) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }
}

/// The spans and sessions that one tracer has to send to one destination.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) buffer: Arc<SpanBuffer>,
    pub(super) counters: Counters,
    pub(super) info: Arc<TracerInfo>,
    pub(super) sessions: SessionQueue,
    pub(super) worker: Arc<WorkerHandle>,
    /// Set when the worker knows that there is something to send.
    listed: AtomicBool,
    /// The time to give up, once the tracer was dropped or shut down.
    gone: OnceLock<Instant>,
    /// The number of rounds in a row that failed with an error that does not pass by itself.
    pub(super) stuck: AtomicU32,
    pub(super) changed: Notify,
}

impl Outbox {
    pub(super) fn new(worker: Arc<WorkerHandle>, info: Arc<TracerInfo>, room: usize) -> Arc<Self> {
        Arc::new(Self {
            buffer: Arc::new(SpanBuffer::new(room, Full::Newest)),
            counters: Counters::default(),
            info,
            sessions: SessionQueue::default(),
            worker,
            listed: AtomicBool::new(false),
            gone: OnceLock::new(),
            stuck: AtomicU32::new(0),
            changed: Notify::new(),
        })
    }

    /// Returns whether the destination knows sessions beside spans.
    pub(super) fn has_sessions(&self) -> bool {
        self.worker.has_sessions
    }

    /// Puts it on the worker's list.
    fn announce(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.worker.wake(Wake::Ready(Arc::clone(self)));
        }
    }

    /// Takes a finished span.
    pub(super) fn push(self: &Arc<Self>, ended: Ended) {
        if self.buffer.push(ended) {
            self.announce();
            self.worker.count_span();
        }
    }

    /// Takes a session that is to be started.
    pub(super) fn begin(
        self: &Arc<Self>,
        session: &Arc<SessionState>,
        name: String,
        inputs: Option<Map<String, Value>>,
    ) {
        let new = self.info.new_session(session.id(), name, inputs);
        if self.sessions.push_new(session, new) {
            self.announce();
            self.worker.wake(Wake::Soon);
        } else {
            add(&self.counters.sessions_failed, 1);
            session.settle(Arc::clone(session.id()));
        }
    }

    /// Takes a session that is to be updated.
    pub(super) fn enriched(self: &Arc<Self>, session: &Arc<SessionState>) {
        if self.sessions.push_enriched(session) {
            self.announce();
        } else {
            add(&self.counters.updates_failed, 1);
            // Later enrichments of it are to be sent again.
            let _ = session.take_news();
        }
    }

    /// Takes notice that the tracer was dropped.
    pub(super) fn abandon(&self) {
        self.give_up_after(PATIENCE);
    }

    /// Takes no more sessions, and retries for so long.
    pub(super) fn give_up_after(&self, patience: Duration) {
        let _ = self.gone.set(Instant::now() + patience);
        self.sessions.close();
    }

    /// Returns whether what cannot be sent now is given up.
    pub(super) fn is_over(&self) -> bool {
        self.gone.get().is_some_and(|until| Instant::now() >= *until)
    }

    /// Drops all that waits.
    pub(super) fn give_up(&self) {
        add(&self.counters.failed, self.buffer.close().len());
        let (new, enriched) = self.sessions.clear();
        add(&self.counters.sessions_failed, new);
        add(&self.counters.updates_failed, enriched);
    }

    /// Returns whether nothing waits and nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.sessions.is_idle() && self.buffer.pending() == (0, 0)
    }

    /// Takes it off the worker's list, unless there is something to send.
    pub(super) fn stays_listed(&self) -> bool {
        // Whatever comes after this is announced again.
        self.listed.store(false, Ordering::Release);
        !self.is_idle() && !self.listed.swap(true, Ordering::AcqRel)
    }

    /// Takes the sessions to start, without what is secret in their inputs.
    pub(super) fn take_new(&self) -> Vec<(Arc<SessionState>, NewSession)> {
        let mut new = self.sessions.take_new();
        let redactor = &self.info.redactor;
        for (_, session) in &mut new {
            // Without content there is nothing that goes in.
            session.inputs = session.inputs.take().filter(|_| redactor.captures());
            if let Some(inputs) = &mut session.inputs {
                redactor.map(inputs);
            }
        }
        new
    }

    /// Takes the sessions to update.
    pub(super) fn take_updates(&self) -> Vec<(Arc<SessionState>, EventUpdate)> {
        let ready = self.sessions.take_enriched().into_iter();
        ready
            .map(|session| {
                let update = self.info.update(session.id(), session.take_news());
                (session, update)
            })
            .collect()
    }

    /// Moves finished spans into a batch, as many as it holds, and returns how many. They are under
    /// way until the buffer [settles](SpanBuffer::settle) them.
    ///
    /// A destination that knows sessions gets a span when the id of its session is certain.
    pub(super) fn fill(&self, batch: &mut Batch) -> usize {
        let may_go = |ended: &Ended| {
            let is_known = || ended.session.as_ref().is_none_or(|it| it.there().is_some());
            !self.has_sessions() || is_known()
        };
        let mut taken = 0;
        while !batch.is_full()
            && let Some(Ended { span, session }) = self.buffer.take(may_go)
        {
            let session = session.as_ref().map_or(&self.info.ids.session_id, |it| it.id());
            let trace_id = span.span_context.trace_id().to_string();
            let mut record = SpanRecord::from(*span);
            record.redact(&self.info.redactor);
            let attributes = leaving(&mut record, self.info.belongs(session));
            if batch.push(&trace_id, record, attributes) {
                taken += 1;
            } else {
                // Its ids are not valid, so no receiver would take it.
                self.buffer.settle(1);
                add(&self.counters.failed, 1);
            }
        }
        taken
    }
}
