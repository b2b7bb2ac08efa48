//! Tracing of the attempts of an experiment, and of any program.
//!
//! Every attempt of every case has a [`Tracer`] of its own: its own provider, its own trace id,
//! its own buffer. Nothing is shared between two of them, so no span can end up in another
//! case's trace. The tracer travels in the OpenTelemetry [`Context`], which the engine attaches
//! around the function and its evaluators. Its spans go through the journal; it sends nothing.
//!
//! # Tracing any program
//!
//! A server or a batch job makes a tracer itself, and keeps it as long as it runs:
//!
//! ```
//! use std::time::Duration;
//! use honeyhive_harness::{Enrichment, Tracer, enrich_session, enrich_span, trace};
//!
//! #[trace(event_type = "model")]
//! fn ask(question: &str) -> String {
//!     enrich_span(Enrichment::new().metadata("model", "m-1"));
//!     format!("{question}?")
//! }
//!
//! // With `HH_API_KEY` set and without `local()`, spans go to HoneyHive.
//! let tracer = Tracer::builder().session_name("questions").local().build();
//!
//! // One session for each request, conversation or user.
//! tracer.with_session("request 7", || {
//!     tracer.in_span("answer", |_| {
//!         assert_eq!(ask("why"), "why?");
//!         enrich_session(Enrichment::new().feedback("stars", 5));
//!     });
//! });
//!
//! assert_eq!(tracer.trace().spans.len(), 2);
//! let flushed = tracer.shutdown(Duration::from_secs(5));
//! assert!(flushed.is_complete(), "{flushed:?}");
//! ```
//!
//! Any number of tracers can be alive at once, each with its own key, session, baggage, buffer,
//! filters and counters. There is no tracer of the process: [`#[trace]`](macro@crate::trace),
//! [`enrich_span`] and [`enrich_session`] mean the one in whose context they run, that is, inside
//! [`Tracer::in_span`], [`Span::enter`], [`Session::enter`], and what is instrumented with them. A
//! spawned thread or task does not inherit the context.
//!
//! The settings of a tracer come from its [builder](TracerBuilder), or from the environment:
//!
//! | variable | meaning |
//! |---|---|
//! | `HH_API_KEY`, `HH_INGESTION_API_KEY` | either lets spans go to HoneyHive |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` and the other `OTEL_EXPORTER_OTLP_*` | spans go to this receiver of OTLP over HTTP; with a key, too. Without either, the tracer is local |
//! | `HH_API_URL` | where HoneyHive is |
//! | `HH_PROJECT` | the project, for older keys that do not name one |
//! | `HH_SOURCE` | where spans come from; `dev`, or `evaluation` when run, dataset and datapoint are known |
//! | `HH_SESSION_NAME` | the name of its session; that of the program |
//! | `HH_SESSION_ID` | a session that other code has started |
//! | `HH_RUN_ID`, `HH_DATASET_ID`, `HH_DATAPOINT_ID` | what its spans belong to |
//! | `HH_TEST_MODE=1`, `HH_OFFLINE=1` | nothing is sent |
//! | `OTEL_SERVICE_NAME` | the name of the service on its spans; the project, or the program |
//!
//! ## Where it is sent
//!
//! To HoneyHive, to a [receiver of OTLP](TracerBuilder::otlp), or to both. The receiver gets the
//! spans; sessions and what is said of them exist in HoneyHive alone. Neither waits for the other:
//! each has a buffer, retries and [counts](Telemetry::otlp) of its own.
//!
//! ```no_run
//! # use std::time::Duration;
//! use honeyhive_harness::Tracer;
//!
//! let tracer = Tracer::builder().otlp("http://localhost:4318/v1/traces").build();
//! tracer.in_span("answer", |_| ());
//! assert_eq!(tracer.flush(Duration::from_secs(5)).sent, 1);
//! ```
//!
//! ## When it is sent
//!
//! One thread of the process sends in the background. Tracers with the same server and keys
//! share connections and requests. A request goes out with 512 spans, 2 MiB or after a second. Spans
//! of a session wait until HoneyHive has started it; where it answers another id for it, they carry
//! that one. [`Tracer::trace`] shows what is not on its way yet, to HoneyHive where it goes to both.
//!
//! The end of a process does not wait for it: call [`Tracer::shutdown`], or lose what the last
//! second brought. A tracer whose last clone is dropped is still sent, as long as the process lives.
//!
//! ## When it cannot be sent
//!
//! The program does not notice: nothing here panics, prints, blocks or grows without limit. It is
//! counted, and [`Tracer::telemetry`] tells.
//!
//! | what happens | what becomes of it |
//! |---|---|
//! | no key and no receiver, test mode, an invalid key or setting | the tracer is local, and says why |
//! | no connection, a timeout, 408, 429, most of 5xx, a wrong address | tried again, with pauses up to 30 s or as the server asks, as long as the tracer lives; 30 s after its end, given up |
//! | a refused key (401, 403) | those spans have failed; later ones are sent |
//! | refused content (400, 413, 422) | sent in smaller requests until the spans that are refused stand alone; those have failed |
//! | variables of OpenTelemetry that cannot be used | no spans go there; [`Telemetry::otlp`] says why |
//! | a session cannot be started | its spans are sent all the same, with our id of it |
//! | more spans than the [buffer](TracerBuilder::span_buffer) holds | the newest are dropped |
//! | [`Tracer::flush`] reaches its timeout | the rest is pending, and sent later |

pub(crate) mod buffer;
pub(crate) mod call;
pub(crate) mod capture;
mod enrich;
mod event_type;
pub(crate) mod families;
mod flatten;
mod pool;
pub(crate) mod propagation;
mod routing;
pub(crate) mod session;
mod sink;
mod span;
mod trace;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, TraceContextExt, TraceId, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits, SpanProcessor};

use buffer::{Ended, SpanBuffer};
pub use enrich::{Enrichment, enrich_session, enrich_span};
use pool::Parts;
pub(crate) use pool::TracerPool;
pub(crate) use routing::{install_global, is_global};
pub use session::Session;
use session::SessionState;
pub(crate) use sink::SessionSink;
pub use span::Span;
pub(crate) use span::fail;
pub(crate) use trace::unix_ns;
pub use trace::{SpanEvent, SpanQuery, SpanRecord, SpanStatus, Trace};

pub use crate::program::{Flushed, Telemetry, TracerBuilder, TracerError};

/// The names of the attributes that this crate sets on spans.
#[doc(hidden)]
pub mod attributes {
    /// The kind of work of a span: `chain`, `model`, `tool`.
    pub const EVENT_TYPE: &str = "honeyhive_event_type";
    /// The name that the user gave to a traced function.
    pub const EVENT_NAME: &str = "honeyhive_event_name";
    /// The duration of a traced call, in milliseconds.
    pub const DURATION_MS: &str = "honeyhive_duration_ms";
    /// The text of an error.
    pub const ERROR: &str = "honeyhive_error";
    /// Set to `true` on a call that was dropped before it was done, such as the slower half of a race.
    pub const CANCELLED: &str = "honeyhive_cancelled";
    /// Set to `true` where values were too many or too long and are not all there.
    pub const TRUNCATED: &str = "honeyhive_truncated";
    /// The number of values of an enrichment that could not be recorded.
    pub const LEFT_OUT: &str = "honeyhive_left_out";
    /// The name of an evaluator.
    pub const EVALUATOR_NAME: &str = "evaluator.name";
    /// The type of the evaluator: `code`, a function.
    pub const EVALUATOR_TYPE: &str = "evaluator.type";
    /// The score's value as a number.
    pub const EVALUATOR_SCORE: &str = "evaluator.score";
    /// The score's label.
    pub const EVALUATOR_LABEL: &str = "evaluator.label";
    /// The score's explanation.
    pub const EVALUATOR_EXPLANATION: &str = "evaluator.explanation";
    /// Set to whether the score was good enough, where the evaluator judges.
    pub const EVALUATOR_PASSED: &str = "evaluator.passed";
    /// The class of an error on a span.
    pub const ERROR_TYPE: &str = "error.type";
}

/// The limits of each span, whatever the environment says: a program that adds many attributes must not
/// push out the ones that identify the span.
pub(crate) const LIMITS: SpanLimits = SpanLimits {
    max_attributes_per_span: 1024,
    max_events_per_span: 1024,
    max_links_per_span: 128,
    max_attributes_per_event: 128,
    max_attributes_per_link: 128,
};

/// The ids that the spans of one attempt belong to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ids {
    /// The id of the run: one experiment in one invocation.
    pub run_id: Arc<str>,
    /// The id of the dataset, as HoneyHive knows it: `EXT-..` for a local one.
    pub dataset_id: Arc<str>,
    /// The id of the datapoint, likewise.
    pub datapoint_id: Arc<str>,
    /// The id of the session, which is this attempt: a UUID.
    pub session_id: Arc<str>,
}

/// The tracer of one attempt, or of a program. Cheap to clone; all clones are the same tracer.
///
/// An experiment's function gets it by taking `tracer: &Tracer`, any other code by
/// [`current_tracer`]. Other programs make one with [`Tracer::builder`]; see
/// [the module](self#tracing-any-program).
///
/// ```
/// use honeyhive_harness::Tracer;
///
/// fn answer(tracer: &Tracer) -> String {
///     let span = tracer.start_span("retrieve");
///     span.set_attribute("documents", 3);
///     drop(span); // ends it
///     tracer.in_span("generate", |_| "Paris".to_owned())
/// }
/// ```
#[derive(Clone)]
pub struct Tracer {
    inner: Arc<Inner>,
}

struct Inner {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    buffer: Arc<SpanBuffer>,
    ids: Ids,
    root: OnceLock<SpanContext>,
    trace_id: OnceLock<TraceId>,
    /// The session; that of an attempt is made at its first use, since most have no data to add to it.
    session: OnceLock<Arc<SessionState>>,
    /// The receiver of the sessions; `None` for an attempt, whose spans go through the journal.
    sink: Option<Box<dyn SessionSink>>,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("ids", &self.inner.ids).finish_non_exhaustive()
    }
}

/// The tracer that a context belongs to.
pub(crate) struct CurrentTracer(pub(crate) Tracer);

/// Returns the tracer in whose context this code runs: of the attempt, or of a program.
///
/// `None` outside of any, and in threads and tasks that do not carry the context on (see
/// [`Span::instrument`] and [`opentelemetry::Context`]).
pub fn current_tracer() -> Option<Tracer> {
    Context::map_current(|cx| cx.get::<CurrentTracer>().map(|current| current.0.clone()))
}

fn resource() -> Resource {
    static RESOURCE: OnceLock<Resource> = OnceLock::new();
    RESOURCE
        .get_or_init(|| Resource::builder_empty().with_service_name("honeyhive-harness").build())
        .clone()
}

fn scope() -> InstrumentationScope {
    static SCOPE: OnceLock<InstrumentationScope> = OnceLock::new();
    SCOPE
        .get_or_init(|| {
            InstrumentationScope::builder("honeyhive-harness")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build()
        })
        .clone()
}

impl Tracer {
    /// Returns the spans that have ended so far; of a tracer that sends, those that are not on their way
    /// yet.
    pub fn trace(&self) -> Trace {
        let spans: Vec<SpanRecord> = self.inner.buffer.read(|span| SpanRecord::from(span.clone()));
        Trace { trace_id: self.trace_id(), spans }
    }

    /// Creates a tracer for one attempt, with a provider and buffer of its own.
    pub(crate) fn new(ids: Ids) -> Self {
        let buffer = Arc::new(SpanBuffer::default());
        let processor = buffer::Processor(Arc::clone(&buffer));
        Self::assemble(ids, LIMITS, processor, buffer, OnceLock::new(), None)
    }

    /// Makes the tracer of a program: `processor` fills `buffer`, and `sink` takes the sessions.
    pub(crate) fn of_program(
        ids: Ids,
        limits: SpanLimits,
        processor: impl SpanProcessor + 'static,
        buffer: Arc<SpanBuffer>,
        session: Arc<SessionState>,
        sink: Box<dyn SessionSink>,
    ) -> Self {
        Self::assemble(ids, limits, processor, buffer, session.into(), Some(sink))
    }

    fn assemble(
        ids: Ids,
        limits: SpanLimits,
        processor: impl SpanProcessor + 'static,
        buffer: Arc<SpanBuffer>,
        session: OnceLock<Arc<SessionState>>,
        sink: Option<Box<dyn SessionSink>>,
    ) -> Self {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_span_limits(limits)
            .with_resource(resource())
            .with_span_processor(processor)
            .build();
        let tracer = provider.tracer_with_scope(scope());
        Self::put_together(ids, Parts { provider, tracer, buffer }, session, sink)
    }

    /// Creates a tracer for one attempt from the parts of an earlier one.
    fn of_parts(ids: Ids, parts: Parts) -> Self {
        Self::put_together(ids, parts, OnceLock::new(), None)
    }

    fn put_together(
        ids: Ids,
        Parts { provider, tracer, buffer }: Parts,
        session: OnceLock<Arc<SessionState>>,
        sink: Option<Box<dyn SessionSink>>,
    ) -> Self {
        let (root, trace_id) = (OnceLock::new(), OnceLock::new());
        let inner = Inner { provider, tracer, buffer, ids, root, trace_id, session, sink };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the receiver of the sessions; `None` for the tracer of an attempt.
    pub(crate) fn sink(&self) -> Option<&dyn SessionSink> {
        self.inner.sink.as_deref()
    }

    /// Ends recording: spans that begin or end later are not kept.
    pub(crate) fn stop_recording(&self) {
        // It fails only where it was shut down before.
        let _ = self.inner.provider.shutdown();
    }

    /// Returns the session that the tracer has of its own.
    fn session(&self) -> &Arc<SessionState> {
        let of_attempt = || Arc::new(SessionState::settled(Arc::clone(&self.inner.ids.session_id)));
        self.inner.session.get_or_init(of_attempt)
    }

    /// Returns the ids that the spans belong to. A server may answer another id of the session than this one,
    /// which [`session_id`](Self::session_id) then returns.
    pub fn ids(&self) -> &Ids {
        &self.inner.ids
    }

    /// Returns the trace id of the first span, as 32 hex digits; all zeros before it.
    pub fn trace_id(&self) -> String {
        self.inner.trace_id.get().copied().unwrap_or(TraceId::INVALID).to_string()
    }

    /// Opens the root span of the attempt and the context that everything else runs in.
    pub(crate) fn start_root(&self, name: impl Into<Cow<'static, str>>) -> Span {
        let base = self.base_context();
        let span =
            self.start_in(name.into(), &base, [KeyValue::new(attributes::EVENT_TYPE, "chain")]);
        let _ = self.inner.root.set(span.cx.span().span_context().clone());
        span
    }

    /// Returns a context of this tracer, with its ids as baggage and no span.
    fn base_context(&self) -> Context {
        let Ids { run_id, dataset_id, datapoint_id, session_id } = self.ids();
        let session_id = self.inner.session.get().map_or(session_id, |session| session.id());
        let ids = [
            ("run_id", run_id),
            ("dataset_id", dataset_id),
            ("datapoint_id", datapoint_id),
            ("session_id", session_id),
        ];
        let known = ids.into_iter().filter(|(_, id)| !id.is_empty());
        Context::new()
            .with_value(CurrentTracer(self.clone()))
            .with_baggage(known.map(|(key, id)| KeyValue::new(key, Arc::clone(id))))
    }

    fn start_in<const N: usize>(
        &self,
        name: Cow<'static, str>,
        parent: &Context,
        attributes: [KeyValue; N],
    ) -> Span {
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Internal).with_attributes(attributes);
        let span = self.inner.tracer.build_with_context(builder, parent);
        self.inner.trace_id.get_or_init(|| span.span_context().trace_id());
        Span { cx: parent.with_span(span) }
    }

    /// Returns the context that a new span belongs in: the current one where it is of this attempt,
    /// else that of the root span.
    fn parent(&self) -> Context {
        let current = Context::current();
        if self.owns(&current) { current } else { self.detached() }
    }

    fn owns(&self, cx: &Context) -> bool {
        cx.get::<CurrentTracer>().is_some_and(|current| Arc::ptr_eq(&current.0.inner, &self.inner))
    }

    /// Returns the context that belongs to this attempt and to no span within it but the root: that of the
    /// root span, if there is one.
    fn detached(&self) -> Context {
        let context = self.base_context();
        match self.inner.root.get() {
            Some(root) => context.with_remote_span_context(root.clone()),
            None => context,
        }
    }

    /// Starts a span below the current one. It ends when the returned value is dropped.
    ///
    /// Without a current one, it is a child of the attempt's root; in a program that is no
    /// experiment it is a root itself.
    pub fn start_span(&self, name: impl Into<Cow<'static, str>>) -> Span {
        self.start_in(name.into(), &self.parent(), [])
    }

    pub(crate) fn start_evaluator_span(&self, parent: &Context, name: &str) -> Span {
        let attributes = [
            KeyValue::new(attributes::EVENT_TYPE, "evaluator"),
            KeyValue::new(attributes::EVALUATOR_NAME, name.to_owned()),
            KeyValue::new(attributes::EVALUATOR_TYPE, "code"),
        ];
        self.start_in(format!("evaluator.{name}").into(), parent, attributes)
    }

    /// Runs `work` inside a new span, which is the current one meanwhile.
    pub fn in_span<T>(
        &self,
        name: impl Into<Cow<'static, str>>,
        work: impl FnOnce(&Span) -> T,
    ) -> T {
        let span = self.start_span(name);
        let _entered = span.enter();
        work(&span)
    }

    /// Returns the spans finished so far, with a snapshot of the open root.
    pub(crate) fn snapshot(&self, root_name: &str, started: SystemTime) -> Trace {
        let mut spans: Vec<SpanRecord> =
            self.inner.buffer.read(|span| SpanRecord::from(span.clone()));
        if let Some(root) = self.inner.root.get() {
            spans.push(SpanRecord::open_root(root_name, root, started));
        }
        Trace { trace_id: self.trace_id(), spans }
    }

    /// Closes the tracer: returns all finished spans, and how many were lost because they were still
    /// open (a thread that outlives its attempt) or beyond the buffer's limit.
    pub(crate) fn finish(&self) -> Finished {
        let spans = self.inner.buffer.close();
        let (open, dropped) = self.inner.buffer.lost();
        Finished { trace_id: self.trace_id(), spans, open, dropped }
    }

    fn sdk(&self) -> &SdkTracer {
        &self.inner.tracer
    }
}

/// The spans of a finished tracer, and the numbers of those that were lost.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) trace_id: String,
    spans: VecDeque<Ended>,
    /// The number of spans that were started but had not ended.
    pub(crate) open: usize,
    /// The number of spans beyond the limit of an attempt.
    pub(crate) dropped: usize,
}

impl Finished {
    /// Takes the spans, as they are recorded.
    pub(crate) fn take_spans(&mut self) -> Vec<SpanRecord> {
        self.spans.drain(..).map(|ended| SpanRecord::from(*ended.span)).collect()
    }
}

/// Returns a new session id, a random UUID.
pub(crate) fn new_session_id() -> Arc<str> {
    uuid::Uuid::new_v4().to_string().into()
}

#[cfg(test)]
mod tests;
