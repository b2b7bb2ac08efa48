//! A strict HoneyHive server for tests, which runs in the process of the test.
//!
//! The real server accepts many errors and drops fields that it does not know. This one accepts a
//! request only when all of it is right: key, headers, every field and its type, ids that exist.
//! Everything else is an error for the client and a complaint, and [`Fake::assert_clean`] fails the
//! test with all complaints. The server stores what it received, once, with the number of
//! deliveries, so that a test can check for "exactly once" while faults ([`Fault`]) happen.
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

/// The keys have the shape of real ones, so that redaction recognises them.
const KEY: &str = "hh_test_fAkEpRoJeCtKeY0123456789";
const INGESTION_KEY: &str = "hh_ingst_fAkEiNgEsTiOnKeY01234567_\
     0123456789abcdefABCDEF-_0123456789abcdefABCDEF-_0123456789abcdef";

/// The options of a [`Fake`].
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

/// A builder for the options of a server.
#[derive(Debug, Default)]
pub struct Builder {
    options: Options,
    port: u16,
}

impl Builder {
    /// Demands an ingestion key for sessions, events and spans, and the project's key for all
    /// others.
    #[must_use]
    pub fn ingestion_key(mut self) -> Self {
        self.options.ingestion_key = Some(INGESTION_KEY.to_owned());
        self
    }

    /// Accepts and records every request, whoever sends it.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.options.lenient = true;
        self
    }

    /// Gives the first run this id instead of the one that the client asks for.
    #[must_use]
    pub fn server_run_id(mut self, id: &str) -> Self {
        self.options.server_run_id = Some(id.to_owned());
        self
    }

    /// Gives every session another id than the client asks for.
    #[must_use]
    pub fn server_session_ids(mut self) -> Self {
        self.options.server_session_ids = true;
        self
    }

    /// Adds a dataset. Its datapoints are objects with an `id` and any other fields (`inputs`,
    /// `ground_truth`, ..).
    #[must_use]
    pub fn dataset(mut self, id: &str, name: &str, datapoints: &[Value]) -> Self {
        let datapoints = datapoints.to_vec();
        let (id, name) = (id.to_owned(), name.to_owned());
        self.options.datasets.push(datasets::Dataset { id, name, datapoints });
        self
    }

    /// Adds a datapoint that its dataset lists, but that cannot be fetched.
    #[must_use]
    pub fn missing_datapoint(mut self, id: &str) -> Self {
        self.options.missing.push(id.to_owned());
        self
    }

    /// Sets the result of every run; by default it is computed from the sessions.
    #[must_use]
    pub fn result(mut self, body: Value) -> Self {
        self.options.result = Some(body);
        self
    }

    /// Sets how often a run's result must be requested until it is there. Until then its status is
    /// `pending` and it has no datapoints.
    #[must_use]
    pub fn result_after(mut self, polls: usize) -> Self {
        self.options.polls = polls;
        self
    }

    /// Sets a header that the plain receiver at `/v1/traces` requires.
    #[must_use]
    pub fn otlp_header(mut self, name: &str, value: &str) -> Self {
        self.options.otlp_headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the largest size of requests with spans; larger ones are answered with 413.
    #[must_use]
    pub fn largest_spans(mut self, bytes: usize) -> Self {
        self.options.largest = Some(bytes);
        self
    }

    /// Sets the port to listen on; the default is any free port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts the server.
    pub fn start(mut self) -> Fake {
        KEY.clone_into(&mut self.options.key);
        let shared = Arc::new(Shared::new(self.options));
        let listening = Listening::start(&shared, self.port);
        let port = listening.port();
        Fake { shared, listening: Mutex::new(Some(listening)), port }
    }
}

/// A HoneyHive server that listens on a port of this machine until it is dropped.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Shared>,
    listening: Mutex<Option<Listening>>,
    port: u16,
}

impl Fake {
    /// Starts a server with the default options.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Starts a server that distinguishes ingestion keys from project keys.
    pub fn with_ingestion_key() -> Self {
        Self::builder().ingestion_key().start()
    }

    /// Creates a builder for a server with other options.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the value for `HH_API_KEY`.
    pub fn key(&self) -> &str {
        &self.shared.options.key
    }

    /// Returns the value for `HH_INGESTION_API_KEY`, where the server demands one.
    pub fn ingestion_key(&self) -> Option<&str> {
        self.shared.options.ingestion_key.as_deref()
    }

    /// Returns the value for `HH_API_URL`, and for `OTEL_EXPORTER_OTLP_ENDPOINT` of the plain
    /// receiver.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the port that the server listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the id that a session gets for one that a client asks for, with
    /// [`Builder::server_session_ids`].
    pub fn server_session_id(asked: &str) -> String {
        sessions::other_id(asked)
    }

    /// Closes all connections and frees the port, so that new connections are refused. When this
    /// returns, no request is being processed any more.
    pub fn stop(&self) {
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Listens again on the same port, with all stored data.
    pub fn restart(&self) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        // The old server must free the port before the new one can listen on it.
        *listening = None;
        self.state().forgive_old_stamps();
        *listening = Some(Listening::start(&self.shared, self.port));
    }

    /// Returns all requests in the order of their arrival, including failed and refused ones.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// Returns the number of requests of each kind.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.state().requests {
            *counts.entry(request.kind).or_default() += 1;
        }
        counts
    }

    /// Returns the number of requests of a kind.
    ///
    /// # Panics
    /// Panics for a kind that is not one of [`KINDS`].
    pub fn count(&self, kind: &str) -> usize {
        assert!(KINDS.contains(&kind), "{kind} is no kind of request");
        self.counts().get(kind).copied().unwrap_or(0)
    }

    /// Returns the number of TCP connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns the runs in the order of their creation.
    pub fn runs(&self) -> Vec<StoredRun> {
        self.state().runs.clone()
    }

    /// Returns the sessions in the order in which they first came.
    pub fn sessions(&self) -> Vec<StoredSession> {
        self.state().sessions.all.clone()
    }

    /// Returns the updates by the id of their session or event, in their order.
    pub fn updates(&self) -> BTreeMap<String, Vec<StoredUpdate>> {
        self.state().updates.clone()
    }

    /// Returns the events that were created, with the ids that they got.
    pub fn events(&self) -> Vec<Value> {
        self.state().events.clone()
    }

    /// Returns the spans that came to HoneyHive, in the order in which they first came.
    pub fn spans(&self) -> Vec<StoredSpan> {
        self.state().spans.spans.clone()
    }

    /// Returns the spans that came to the plain receiver.
    pub fn otlp_spans(&self) -> Vec<StoredSpan> {
        self.state().otlp.spans.clone()
    }

    /// Returns all complaints so far, and the spans whose parents have not come.
    pub fn complaints(&self) -> Vec<String> {
        let state = self.state();
        let orphans = state.spans.orphans().chain(state.otlp.orphans());
        state.complaints.iter().cloned().chain(orphans).collect()
    }

    /// Checks that no request broke the protocol.
    ///
    /// # Panics
    /// Panics when one did, with every complaint.
    #[track_caller]
    pub fn assert_clean(&self) {
        let complaints = self.complaints();
        let count = complaints.len();
        assert!(count == 0, "the protocol was broken ({count}):\n{}", complaints.join("\n"));
    }

    /// Checks, for a client that makes one call after the other, that `hh-client-timestamp` never
    /// goes back, except for repeated calls. Calls at the same time may overtake each other on
    /// their way here, so [`Fake::assert_clean`] accepts those that are less than some seconds
    /// behind.
    ///
    /// # Panics
    /// Panics when a timestamp goes back.
    #[track_caller]
    pub fn assert_stamps_in_order(&self) {
        let state = self.state();
        let first_tries = state.requests.iter().filter(|request| !request.retry);
        let stamps: Vec<u64> = first_tries.filter_map(Request::stamp).collect();
        assert!(stamps.is_sorted(), "timestamps go back: {stamps:?}");
    }
}
