//! Sessions: groups of spans that belong together, such as one conversation or one request of a server.
//!
//! A tracer has a session of its own. A program that serves many users at once gives each of them
//! another one: it is carried by the context, never by the tracer, so that what runs at the same
//! time cannot take it for its own.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::trace::{FutureExt, SpanContext, TraceContextExt, WithContext};
use opentelemetry::{Context, ContextGuard};

use super::{Enrichment, Tracer, new_session_id};
use crate::ids::session_uuid;

/// A session, shared by everything that belongs to it.
#[derive(Debug)]
pub(crate) struct SessionState {
    /// The id that the tracer gave to it.
    id: Arc<str>,
    /// The id to use, once that is certain: a server may answer another one.
    there: OnceLock<Arc<str>>,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    all: Enrichment,
    /// Set when some of the enrichment was not sent.
    news: bool,
}

impl SessionState {
    /// Creates a session that a server does not know yet.
    pub(crate) fn new(id: Arc<str>) -> Self {
        Self { id, there: OnceLock::new(), said: Mutex::default() }
    }

    /// Creates a session whose id will not change.
    pub(crate) fn settled(id: Arc<str>) -> Self {
        let session = Self::new(Arc::clone(&id));
        session.settle(id);
        session
    }

    pub(crate) fn settle(&self, id: Arc<str>) {
        // The first id wins, since spans with it may have been sent.
        let _ = self.there.set(id);
    }

    /// Returns the id to send things with, once it is certain.
    pub(crate) fn there(&self) -> Option<&Arc<str>> {
        self.there.get()
    }

    /// Returns the id that is certain, else the one that the tracer gave.
    pub(crate) fn id(&self) -> &Arc<str> {
        self.there.get().unwrap_or(&self.id)
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        // A panic while merging leaves a map with some of the keys.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an enrichment; returns whether it is to be sent and nothing else was.
    pub(crate) fn say(&self, enrichment: Enrichment) -> bool {
        let is_news = !enrichment.is_empty();
        let mut said = self.lock();
        said.all.merge(enrichment);
        is_news && !std::mem::replace(&mut said.news, true)
    }

    /// Returns the whole enrichment.
    pub(crate) fn said(&self) -> Enrichment {
        self.lock().all.clone()
    }

    /// Returns the whole enrichment, and notes that it is sent now.
    pub(crate) fn take_news(&self) -> Enrichment {
        let mut said = self.lock();
        said.news = false;
        said.all.clone()
    }

    /// Notes that the enrichment could not be sent; returns whether none was to be sent since.
    pub(crate) fn keep_news(&self) -> bool {
        !std::mem::replace(&mut self.lock().news, true)
    }
}

/// The session that a context belongs to, where that is not the one of its tracer.
pub(crate) struct CurrentSession(pub(crate) Arc<SessionState>);

/// A session beside the one of its [`Tracer`]; see [`Tracer::create_session`].
///
/// Cheap to clone; all clones are the same session. It has no end.
#[derive(Clone)]
pub struct Session {
    tracer: Tracer,
    state: Arc<SessionState>,
    cx: Context,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", self.state.id()).finish_non_exhaustive()
    }
}

impl Session {
    /// Returns its id, a UUID. A server may answer another one than it was asked for; from then on, that.
    pub fn id(&self) -> String {
        self.state.id().as_ref().to_owned()
    }

    /// Adds an enrichment to it; later values win, key by key.
    pub fn enrich(&self, enrichment: Enrichment) {
        self.tracer.say(&self.state, enrichment);
    }

    /// Returns the context in which spans belong to it, to carry into threads and tasks.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// Makes it the current session on this thread until the guard is dropped.
    pub fn enter(&self) -> ContextGuard {
        self.cx.clone().attach()
    }

    /// Makes it the current session whenever `future` is polled, on whichever thread.
    pub fn instrument<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.cx.clone())
    }
}

impl Tracer {
    /// Starts a session, for one user or one request of many. Does not wait for the server.
    ///
    /// The session carries over the baggage of the context that it is made in, and a caller's span from
    /// [`extract`](Self::extract); apart from that, its spans begin traces of their own.
    ///
    /// An attempt of an experiment is one session, whatever the code under test says: there, this
    /// gives the attempt's own one.
    ///
    /// ```
    /// use honeyhive_harness::{Enrichment, Tracer};
    ///
    /// # fn main() { tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()) }
    /// # async fn run() {
    /// let tracer = Tracer::builder().local().build();
    /// let session = tracer.create_session("chat with Ada");
    /// session
    ///     .instrument(async {
    ///         assert_eq!(tracer.session_id(), session.id());
    ///         tracer.in_span("answer", |_| ());
    ///     })
    ///     .await;
    /// session.enrich(Enrichment::new().feedback("stars", 5));
    /// # }
    /// ```
    pub fn create_session(&self, name: impl Into<String>) -> Session {
        let Some(sink) = self.sink() else { return self.own_session() };
        let state = Arc::new(SessionState::new(new_session_id()));
        sink.begin(&state, name.into(), None);
        self.session_of(state)
    }

    /// Returns a session that is known at the server already, or that other code makes known: nothing
    /// is sent for it. An id that is not a UUID is taken as it is.
    ///
    /// Returns the attempt's own session in an attempt of an experiment.
    pub fn adopt_session(&self, id: impl AsRef<str>) -> Session {
        let Some(sink) = self.sink() else { return self.own_session() };
        let id = session_uuid(id.as_ref()).unwrap_or_else(|| id.as_ref().to_owned());
        // One of ours that the server does not know yet: its spans must not come first.
        let ours = sink.beginning(&id);
        self.session_of(ours.unwrap_or_else(|| Arc::new(SessionState::settled(id.into()))))
    }

    /// Runs `work` in a new session; see [`create_session`](Self::create_session).
    pub fn with_session<T>(&self, name: impl Into<String>, work: impl FnOnce() -> T) -> T {
        let session = self.create_session(name);
        let _entered = session.enter();
        work()
    }

    /// Runs a future in a new session; see [`create_session`](Self::create_session).
    pub async fn with_session_async<F: Future>(
        &self,
        name: impl Into<String>,
        future: F,
    ) -> F::Output {
        self.create_session(name).instrument(future).await
    }

    /// Returns the id of the session that this code runs in, where it is one of this tracer's; else that
    /// of the tracer itself.
    pub fn session_id(&self) -> String {
        self.current_session().id().as_ref().to_owned()
    }

    /// Adds an enrichment to the session that this code runs in, where it is one of this tracer's; else
    /// to that of the tracer itself. Later values win, key by key.
    pub fn enrich_session(&self, enrichment: Enrichment) {
        self.say(&self.current_session(), enrichment);
    }

    /// Returns all enrichments so far of the session that [`enrich_session`](Self::enrich_session) means.
    pub fn session_enrichment(&self) -> Enrichment {
        self.current_session().said()
    }

    fn say(&self, session: &Arc<SessionState>, enrichment: Enrichment) {
        let news = session.say(enrichment);
        if let Some(sink) = self.sink().filter(|_| news) {
            sink.enriched(session);
        }
    }

    fn current_session(&self) -> Arc<SessionState> {
        let of_context = Context::map_current(|cx| {
            let session = cx.get::<CurrentSession>().filter(|_| self.owns(cx))?;
            Some(Arc::clone(&session.0))
        });
        of_context.unwrap_or_else(|| Arc::clone(self.session()))
    }

    fn own_session(&self) -> Session {
        Session { state: Arc::clone(self.session()), cx: self.parent(), tracer: self.clone() }
    }

    fn session_of(&self, state: Arc<SessionState>) -> Session {
        let mut cx = self.parent();
        if !cx.span().span_context().is_remote() {
            cx = cx.with_remote_span_context(SpanContext::NONE);
        }
        let others = cx.baggage().iter().filter(|(key, _)| key.as_str() != "session_id");
        let entries: Vec<_> = others
            .map(|(key, (value, metadata))| {
                KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            })
            .chain([KeyValueMetadata::new("session_id", state.id().as_ref().to_owned(), "")])
            .collect();
        let cx = cx.with_baggage(entries).with_value(CurrentSession(Arc::clone(&state)));
        Session { tracer: self.clone(), state, cx }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;

    use super::super::enrich_session;
    use super::*;

    fn local() -> Tracer {
        Tracer::builder().local().build()
    }

    #[test]
    fn a_session_is_where_its_context_is() {
        let tracer = local();
        let own = tracer.session_id();
        let (mut outer, mut inner) = (String::new(), String::new());
        tracer.with_session("outer", || {
            outer = tracer.session_id();
            tracer.with_session("inner", || {
                inner = tracer.session_id();
                enrich_session(Enrichment::new().metadata("at", "inner"));
                let said = serde_json::to_value(tracer.session_enrichment()).unwrap();
                assert_eq!(said, serde_json::json!({"metadata": {"at": "inner"}}));
            });
            assert_eq!(tracer.session_id(), outer);
            assert_eq!(tracer.session_enrichment(), Enrichment::new());
            // Another tracer knows nothing of it.
            let other = local();
            assert!(![&own, &outer, &inner].contains(&&other.session_id()));
        });
        assert!(own != outer && outer != inner && own != inner);
        assert_eq!(tracer.session_id(), own);
    }

    #[test]
    fn a_session_begins_a_trace_unless_a_caller_did() {
        let tracer = local();
        tracer.in_span("outside", |_| {
            tracer.with_session("one", || drop(tracer.start_span("inside")));
        });
        let trace = tracer.trace();
        assert_eq!(
            (trace.spans[0].name.as_str(), &trace.spans[0].parent_span_id),
            ("inside", &None)
        );

        let mut headers = std::collections::HashMap::new();
        tracer.in_span("call", |_| tracer.inject(&mut headers));
        let service = local();
        {
            let _caller = service.extract(&headers).attach();
            service.with_session("request", || drop(service.start_span("handle")));
        }
        let parent = tracer.trace().spans.last().map(|span| span.span_id.clone());
        assert_eq!(service.trace().spans[0].parent_span_id, parent);
    }

    #[test]
    fn baggage_goes_into_a_session_with_its_id() {
        let tracer = Tracer::builder().local().run_id("r").build();
        let work = tracer.start_span("work");
        let cx = work.context().with_baggage([KeyValue::new("tenant", "acme")]);
        let _attached = cx.attach();
        let session = tracer.create_session("one");
        let baggage = session.context().baggage();
        assert_eq!(baggage.get("tenant").unwrap().as_str(), "acme");
        assert_eq!(baggage.get("session_id").unwrap().as_str(), session.id());
        let adopted = tracer.adopt_session("9A3C6E0F-0000-4000-8000-00000000000A");
        assert_eq!(adopted.id(), "9a3c6e0f-0000-4000-8000-00000000000a");
    }

    #[test]
    fn an_attempt_is_one_session() {
        let tracer = Tracer::new(super::super::Ids {
            run_id: "r".into(),
            dataset_id: "d".into(),
            datapoint_id: "p".into(),
            session_id: "s".into(),
        });
        let root = tracer.start_root("answer");
        let entered = root.enter();
        tracer.with_session("of the code under test", || {
            assert_eq!(tracer.session_id(), "s");
            enrich_session(Enrichment::new().metric("m", 1));
            drop(tracer.start_span("inside"));
        });
        drop(entered);
        assert_eq!(tracer.adopt_session("other").id(), "s");
        assert_eq!(tracer.session_enrichment(), Enrichment::new().metric("m", 1));
        let span = &tracer.trace().spans[0];
        assert_eq!(
            span.parent_span_id,
            Some(root.context().span().span_context().span_id().to_string())
        );
    }
}
