//! A HoneyHive for tests: on this machine, in the test's own process, and strict.
//!
//! The real server forgives much and drops what it does not understand. This one takes a request
//! only when all of it is right: key, headers, every field and its type, ids that exist. Whatever
//! is not becomes an error for the client and a complaint, and [`Fake::assert_clean`] fails the
//! test with all of them. It keeps what it was given, once, with the number of deliveries, so
//! that a test can ask for "exactly once" while faults ([`Fault`]) happen.
//!
//! ```no_run
//! # use honeyhive_tests::{Fake, Project};
//! # let project = Project::with_evals("doc", "");
//! let fake = Fake::start();
//! project.evals([""]).env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url()).run();
//! fake.assert_clean();
//! assert_eq!(fake.runs()[0].status, "completed");
//! ```

mod bodies;
mod datasets;
mod fault;
mod http;
mod lenient;
mod otlp;
mod otlp_json;
mod route;
mod runs;
mod server;
mod sessions;
mod shape;
mod span;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

pub use fault::{Fault, Planned};
pub use route::KINDS;
pub use span::{StoredSpan, StoredSpanEvent};
pub use state::{Request, StoredRun, StoredSession, StoredUpdate};

use server::{Listening, Shared};

/// The keys look like real ones, so that whatever hides keys knows them.
const KEY: &str = "hh_test_fAkEpRoJeCtKeY0123456789";
const INGESTION_KEY: &str = "hh_ingst_fAkEiNgEsTiOnKeY01234567_\
     0123456789abcdefABCDEF-_0123456789abcdefABCDEF-_0123456789abcdef";

/// How a [`Fake`] behaves.
#[derive(Debug, Default)]
struct Options {
    lenient: bool,
    key: String,
    ingestion_key: Option<String>,
    server_run_id: Option<String>,
    server_session_ids: bool,
    datasets: Vec<datasets::Dataset>,
    missing: Vec<String>,
    result: Option<Value>,
    polls: usize,
    otlp_headers: Vec<(String, String)>,
    largest: Option<usize>,
}

impl Options {
    fn keys(&self) -> impl Iterator<Item = &str> {
        [&self.key].into_iter().chain(&self.ingestion_key).map(String::as_str)
    }
}

/// A server to be started.
#[derive(Debug, Default)]
pub struct Builder {
    options: Options,
    port: u16,
}

impl Builder {
    /// Sessions, events and spans take an ingestion key, everything else the project's.
    #[must_use]
    pub fn ingestion_key(mut self) -> Self {
        self.options.ingestion_key = Some(INGESTION_KEY.to_owned());
        self
    }

    /// Whatever comes is taken and written down, whoever sends it.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.options.lenient = true;
        self
    }

    /// The first run gets this id, whichever the client asks for.
    #[must_use]
    pub fn server_run_id(mut self, id: &str) -> Self {
        self.options.server_run_id = Some(id.to_owned());
        self
    }

    /// Every session gets another id than the client asks for.
    #[must_use]
    pub fn server_session_ids(mut self) -> Self {
        self.options.server_session_ids = true;
        self
    }

    /// A dataset to serve. Its datapoints are objects with an `id` and whatever else they have
    /// (`inputs`, `ground_truth`, ..).
    #[must_use]
    pub fn dataset(mut self, id: &str, name: &str, datapoints: &[Value]) -> Self {
        let datapoints = datapoints.to_vec();
        let (id, name) = (id.to_owned(), name.to_owned());
        self.options.datasets.push(datasets::Dataset { id, name, datapoints });
        self
    }

    /// A datapoint that its dataset lists and nobody can get.
    #[must_use]
    pub fn missing_datapoint(mut self, id: &str) -> Self {
        self.options.missing.push(id.to_owned());
        self
    }

    /// The result of every run; without this it is put together from the sessions.
    #[must_use]
    pub fn result(mut self, body: Value) -> Self {
        self.options.result = Some(body);
        self
    }

    /// How often a run's result is asked for before it is there. Until then its status is
    /// `pending` and it has no datapoints.
    #[must_use]
    pub fn result_after(mut self, polls: usize) -> Self {
        self.options.polls = polls;
        self
    }

    /// A header that the plain receiver at `/v1/traces` expects.
    #[must_use]
    pub fn otlp_header(mut self, name: &str, value: &str) -> Self {
        self.options.otlp_headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Requests with spans that have more bytes are answered with 413.
    #[must_use]
    pub fn largest_spans(mut self, bytes: usize) -> Self {
        self.options.largest = Some(bytes);
        self
    }

    /// The port to listen on; without this, any.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Fake {
        KEY.clone_into(&mut self.options.key);
        let shared = Arc::new(Shared::new(self.options));
        let listening = Listening::start(&shared, self.port);
        let port = listening.port();
        Fake { shared, listening: Mutex::new(Some(listening)), port }
    }
}

/// A HoneyHive that listens on a port of this machine until it is dropped.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Shared>,
    listening: Mutex<Option<Listening>>,
    port: u16,
}

impl Fake {
    /// A server as plain as can be.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server that tells ingestion keys from project keys.
    pub fn with_ingestion_key() -> Self {
        Self::builder().ingestion_key().start()
    }

    /// A server with more to it.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What goes into `HH_API_KEY`.
    pub fn key(&self) -> &str {
        &self.shared.options.key
    }

    /// What goes into `HH_INGESTION_API_KEY`, where the server takes one.
    pub fn ingestion_key(&self) -> Option<&str> {
        self.shared.options.ingestion_key.as_deref()
    }

    /// What goes into `HH_API_URL`, and into `OTEL_EXPORTER_OTLP_ENDPOINT` for the plain receiver.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id that a session gets for one that a client asks for, with
    /// [`Builder::server_session_ids`].
    pub fn server_session_id(asked: &str) -> String {
        sessions::other_id(asked)
    }

    /// Cuts all connections and frees the port: whoever comes now is refused. When this returns,
    /// no request is under way any more.
    pub fn stop(&self) {
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Listens again on the same port, with all that it knew.
    pub fn restart(&self) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        // Two cannot have one port.
        *listening = None;
        self.state().forgive_old_stamps();
        *listening = Some(Listening::start(&self.shared, self.port));
    }

    /// Everything that arrived, in its order, faults and refusals included.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// How many requests of each kind arrived.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.state().requests {
            *counts.entry(request.kind).or_default() += 1;
        }
        counts
    }

    /// How many requests of a kind arrived.
    ///
    /// # Panics
    /// For a kind that is none of [`KINDS`].
    pub fn count(&self, kind: &str) -> usize {
        assert!(KINDS.contains(&kind), "{kind} is no kind of request");
        self.counts().get(kind).copied().unwrap_or(0)
    }

    /// How many TCP connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Runs in the order of their creation.
    pub fn runs(&self) -> Vec<StoredRun> {
        self.state().runs.clone()
    }

    /// Sessions in the order in which they first came.
    pub fn sessions(&self) -> Vec<StoredSession> {
        self.state().sessions.all.clone()
    }

    /// Updates by the id of their session or event, in their order.
    pub fn updates(&self) -> BTreeMap<String, Vec<StoredUpdate>> {
        self.state().updates.clone()
    }

    /// Events that were created, with the ids that they got.
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// Spans that came to HoneyHive, in the order in which they first came.
    pub fn spans(&self) -> Vec<StoredSpan> {
        self.state().spans.spans.clone()
    }

    /// Spans that came to the plain receiver.
    pub fn otlp_spans(&self) -> Vec<StoredSpan> {
        self.state().otlp.spans.clone()
    }

    /// All that was wrong so far, and spans whose parents have not come.
    pub fn complaints(&self) -> Vec<String> {
        let state = self.state();
        let orphans = state.spans.orphans().chain(state.otlp.orphans());
        state.complaints.iter().cloned().chain(orphans).collect()
    }

    /// # Panics
    /// When a request broke the protocol, with every complaint.
    #[track_caller]
    pub fn assert_clean(&self) {
        let complaints = self.complaints();
        let count = complaints.len();
        assert!(count == 0, "the protocol was broken ({count}):\n{}", complaints.join("\n"));
    }

    /// For a client that makes one call after the other: `hh-client-timestamp` never goes back,
    /// but for repeated calls. Calls at the same time may overtake each other on their way here,
    /// so [`Fake::assert_clean`] is content when none is seconds behind.
    ///
    /// # Panics
    /// When it goes back.
    #[track_caller]
    pub fn assert_stamps_in_order(&self) {
        let state = self.state();
        let first_tries = state.requests.iter().filter(|request| !request.retry);
        let stamps: Vec<u64> = first_tries.filter_map(Request::stamp).collect();
        assert!(stamps.is_sorted(), "timestamps go back: {stamps:?}");
    }
}
