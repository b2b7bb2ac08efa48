//! What one tracer has to send, and what became of it.
//!
//! Each tracer has an outbox of its own; the pipeline empties those of all tracers that it serves.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::pipeline::{Pipeline, Word};
use crate::api::{EventUpdate, NewSession, Object};
use crate::redact::Redactor;
use crate::tracer::buffer::{Ended, Full, SpanBuffer};
use crate::tracer::families::{Belongs, leaving};
use crate::tracer::otlp::{Batch, ResourceInfo};
use crate::tracer::session::SessionState;
use crate::tracer::{Enrichment, Ids, SpanRecord, unix_ns};

/// What nobody waits for any more is tried for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sessions that wait to be started, or to be told of. A server that is down must not make a busy
/// program grow.
const MOST_SESSIONS: usize = 10_000;

/// What all spans of a tracer have in common.
#[derive(Debug)]
pub(super) struct About {
    pub(super) resource: ResourceInfo,
    pub(super) ids: Ids,
    pub(super) source: String,
    pub(super) project: Option<String>,
    pub(super) redactor: Redactor,
}

/// How much came to which end, over the life of a tracer.
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

#[derive(Debug, Default)]
struct Sessions {
    /// To be started.
    new: Vec<(Arc<SessionState>, NewSession)>,
    /// Being started.
    starting: Vec<Arc<SessionState>>,
    /// Of which there is news.
    enriched: Vec<Arc<SessionState>>,
    /// Whose news is being told.
    telling: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) buffer: Arc<SpanBuffer>,
    pub(super) counters: Counters,
    pub(super) about: About,
    sessions: Mutex<Sessions>,
    pub(super) pipeline: Arc<Pipeline>,
    /// The pipeline knows that there is something.
    listed: AtomicBool,
    /// When the tracer was dropped or shut down, and how long to go on from there.
    gone: OnceLock<Instant>,
    /// Rounds in a row that failed with what does not pass by itself.
    pub(super) stuck: AtomicU32,
    pub(super) changed: Notify,
}

impl Outbox {
    pub(super) fn new(pipeline: Arc<Pipeline>, about: About, room: usize) -> Arc<Self> {
        Arc::new(Self {
            buffer: Arc::new(SpanBuffer::new(room, Full::Newest)),
            counters: Counters::default(),
            about,
            sessions: Mutex::default(),
            pipeline,
            listed: AtomicBool::new(false),
            gone: OnceLock::new(),
            stuck: AtomicU32::new(0),
            changed: Notify::new(),
        })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the pipeline that there is something.
    fn announce(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.pipeline.say(Word::Ready(Arc::clone(self)));
        }
    }

    pub(super) fn span_came(self: &Arc<Self>) {
        self.announce();
        self.pipeline.count_span();
    }

    pub(super) fn begin(
        self: &Arc<Self>,
        session: &Arc<SessionState>,
        name: String,
        inputs: Option<Object>,
    ) {
        let new = NewSession {
            session_id: Some(session.id().as_ref().to_owned()),
            session_name: Some(name),
            source: Some(self.about.source.clone()),
            project: self.about.project.clone(),
            start_time: Some(unix_ns(SystemTime::now()) / 1_000_000),
            inputs,
            metadata: Some(self.about.metadata()).filter(|metadata| !metadata.is_empty()),
            ..NewSession::default()
        };
        let mut sessions = self.sessions();
        if self.gone.get().is_some() || sessions.new.len() >= MOST_SESSIONS {
            add(&self.counters.sessions_failed, 1);
            session.settle(Arc::clone(session.id()));
            return;
        }
        sessions.new.push((Arc::clone(session), new));
        drop(sessions);
        self.announce();
        self.pipeline.say(Word::Soon);
    }

    pub(super) fn enriched(self: &Arc<Self>, session: &Arc<SessionState>) {
        let mut sessions = self.sessions();
        if self.gone.get().is_some() || sessions.enriched.len() >= MOST_SESSIONS {
            add(&self.counters.updates_failed, 1);
            // What is said of it next is news again.
            let _ = session.take_news();
            return;
        }
        sessions.enriched.push(Arc::clone(session));
        drop(sessions);
        self.announce();
    }

    /// Nobody waits for it any more.
    pub(super) fn abandon(self: &Arc<Self>) {
        self.give_up_after(PATIENCE);
    }

    pub(super) fn give_up_after(self: &Arc<Self>, patience: Duration) {
        let _ = self.gone.set(Instant::now() + patience);
    }

    /// Whether what cannot be sent now is not to be tried again.
    pub(super) fn is_over(&self) -> bool {
        self.gone.get().is_some_and(|until| Instant::now() >= *until)
    }

    /// Drops all that waits.
    pub(super) fn give_up(&self) {
        add(&self.counters.failed, self.buffer.close().len());
        let mut sessions = self.sessions();
        let (new, enriched) =
            (std::mem::take(&mut sessions.new), std::mem::take(&mut sessions.enriched));
        drop(sessions);
        add(&self.counters.sessions_failed, new.len());
        add(&self.counters.updates_failed, enriched.len());
    }

    /// Whether there is nothing to send and nothing on its way.
    pub(super) fn is_idle(&self) -> bool {
        let sessions = self.sessions();
        let Sessions { new, starting, enriched, telling } = &*sessions;
        let told = enriched.is_empty() && *telling == 0;
        new.is_empty() && starting.is_empty() && told && self.buffer.pending() == (0, 0)
    }

    /// Takes it off the pipeline's list, unless there is something.
    pub(super) fn stays_listed(&self) -> bool {
        // Whatever comes after this is announced again.
        self.listed.store(false, Ordering::Release);
        !self.is_idle() && !self.listed.swap(true, Ordering::AcqRel)
    }

    /// A session of this id that nobody but this tracer can know yet.
    pub(super) fn beginning(&self, id: &str) -> Option<Arc<SessionState>> {
        let sessions = self.sessions();
        let new = sessions.new.iter().map(|(session, _)| session);
        new.chain(&sessions.starting).find(|session| session.id().as_ref() == id).cloned()
    }

    /// Sessions to be started, each until [`started`](Self::started).
    pub(super) fn take_new(&self) -> Vec<(Arc<SessionState>, NewSession)> {
        let mut sessions = self.sessions();
        let mut new = std::mem::take(&mut sessions.new);
        sessions.starting.extend(new.iter().map(|(session, _)| Arc::clone(session)));
        drop(sessions);
        for (_, session) in &mut new {
            let redactor = &self.about.redactor;
            // Without content there is nothing that goes in.
            session.inputs = session.inputs.take().filter(|_| redactor.captures());
            if let Some(inputs) = &mut session.inputs {
                redactor.map(inputs);
            }
        }
        new
    }

    /// A session has its id.
    pub(super) fn started(&self, session: &Arc<SessionState>) {
        self.sessions().starting.retain(|other| !Arc::ptr_eq(other, session));
    }

    /// What is to be said of sessions, of each until it is [`told`](Self::told).
    pub(super) fn take_updates(&self) -> Vec<(Arc<SessionState>, EventUpdate)> {
        let mut sessions = self.sessions();
        let enriched = std::mem::take(&mut sessions.enriched);
        let (ready, waiting): (Vec<_>, Vec<_>) =
            enriched.into_iter().partition(|session| session.there().is_some());
        sessions.enriched = waiting;
        sessions.telling += ready.len();
        drop(sessions);
        ready
            .into_iter()
            .map(|session| {
                let update = self.about.update(session.id(), session.take_news());
                (session, update)
            })
            .collect()
    }

    /// The news of one session is told, or is to be told `again`.
    pub(super) fn told(&self, again: Option<Arc<SessionState>>) {
        let mut sessions = self.sessions();
        sessions.telling = sessions.telling.saturating_sub(1);
        if let Some(session) = again
            && session.keep_news()
        {
            sessions.enriched.push(session);
        }
    }

    /// Moves finished spans of sessions that are settled into a batch, as many as it holds. How
    /// many were taken; they are under way until the buffer is told how it ended.
    pub(super) fn fill(&self, batch: &mut Batch) -> usize {
        let may_go =
            |ended: &Ended| ended.session.as_ref().is_none_or(|session| session.there().is_some());
        let mut taken = 0;
        while !batch.is_full()
            && let Some(Ended { span, session }) = self.buffer.take(may_go)
        {
            let session = session.as_ref().map_or(&self.about.ids.session_id, |it| it.id());
            let trace_id = span.span_context.trace_id().to_string();
            let mut record = SpanRecord::from(*span);
            record.redact(&self.about.redactor);
            let attributes = leaving(&mut record, self.about.belongs(session));
            if batch.push(&trace_id, record, attributes) {
                taken += 1;
            } else {
                // Its ids are none, so no receiver would take it.
                self.buffer.settle(1);
                add(&self.counters.failed, 1);
            }
        }
        taken
    }
}

impl About {
    /// The ids, as sessions have them.
    fn metadata(&self) -> Map<String, Value> {
        let Ids { run_id, dataset_id, datapoint_id, .. } = &self.ids;
        [("run_id", run_id), ("dataset_id", dataset_id), ("datapoint_id", datapoint_id)]
            .into_iter()
            .filter(|(_, id)| !id.is_empty())
            .map(|(key, id)| (key.to_owned(), Value::from(id.as_ref())))
            .collect()
    }

    fn belongs<'a>(&'a self, session_id: &'a str) -> Belongs<'a> {
        Belongs {
            run_id: &self.ids.run_id,
            dataset_id: &self.ids.dataset_id,
            datapoint_id: &self.ids.datapoint_id,
            session_id,
            source: &self.source,
            project: self.project.as_deref().unwrap_or_default(),
        }
    }

    /// All that was said of a session, as its update: a server may merge it with what it has, or
    /// put it in its place. It has no field for inputs and errors, so they are metadata.
    fn update(&self, id: &str, mut said: Enrichment) -> EventUpdate {
        said.redact(&self.redactor);
        let mut metadata = said.metadata;
        if !said.inputs.is_empty() {
            metadata.insert("inputs".to_owned(), said.inputs.into());
        }
        if let Some(error) = said.error {
            metadata.insert("error".to_owned(), error.into());
        }
        let some = |fields: Object| (!fields.is_empty()).then_some(fields);
        let metadata = some(metadata).map(|mut metadata| {
            for (key, value) in self.metadata() {
                metadata.entry(key).or_insert(value);
            }
            metadata
        });
        EventUpdate {
            event_id: id.to_owned(),
            metadata,
            metrics: some(said.metrics),
            feedback: some(said.feedback),
            outputs: some(said.outputs),
            config: some(said.config),
            user_properties: some(said.user_properties),
            ..EventUpdate::default()
        }
    }

    /// Whether spans of both can go in one request.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.source == other.source && self.resource == other.resource
    }
}
