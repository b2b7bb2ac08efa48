//! How things leave: one thread for the process, one pipeline for each server and key.
//!
//! All tracers with the same server and keys share a pipeline: its connections, its requests, its
//! patience. It takes from their outboxes in rounds, at most one a second unless somebody is in a
//! hurry: new sessions, spans, what is said of sessions. Nothing here is ever waited for by code
//! that only records.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::outbox::Outbox;
use super::worker::Worker;
use crate::api::{ApiError, HoneyHive, Http};
use crate::config::{Connection, Protocol};

/// So many spans are worth a request before their time.
const MANY: usize = 512;

/// What a pipeline is told.
#[derive(Debug)]
pub(super) enum Word {
    /// There is something to send.
    Ready(Arc<Outbox>),
    /// There is enough to send.
    Soon,
    /// Somebody waits.
    Now,
}

/// The way to one server with one set of keys.
pub(super) struct Pipeline {
    connection: Connection,
    client: HoneyHive,
    /// Closes the connections when the last pipeline ends.
    _http: Arc<Http>,
    words: UnboundedSender<Word>,
    runtime: Handle,
    came: AtomicUsize,
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The pipelines that there are.
static PIPELINES: Mutex<Vec<Weak<Pipeline>>> = Mutex::new(Vec::new());

/// What all of them send with: the connections to a server are few, however many keys there are.
static HTTP: Mutex<Weak<Http>> = Mutex::new(Weak::new());

fn http() -> Result<Arc<Http>, ApiError> {
    let mut shared = HTTP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(http) = shared.upgrade() {
        return Ok(http);
    }
    let http = Arc::new(HoneyHive::shared_http()?);
    *shared = Arc::downgrade(&http);
    Ok(http)
}

/// The thread of all pipelines, or why there is none.
fn runtime() -> Result<Handle, String> {
    static RUNTIME: OnceLock<Result<Handle, String>> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("honeyhive-tracer".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(handle)
    };
    RUNTIME
        .get_or_init(|| {
            start().map_err(|error: std::io::Error| format!("no thread to send spans: {error}"))
        })
        .clone()
}

impl Pipeline {
    /// The pipeline of a connection.
    ///
    /// # Errors
    /// When the connection cannot be.
    pub(super) fn of(mut connection: Connection) -> Result<Arc<Self>, String> {
        // Nothing here needs the project's key where there is one for writing.
        connection.api_key = connection.api_key.or_else(|| connection.ingestion_key.clone());
        let mut all = PIPELINES.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|pipeline| pipeline.strong_count() > 0);
        let known = all.iter().filter_map(Weak::upgrade).find(|it| it.connection == connection);
        if let Some(pipeline) = known {
            return Ok(pipeline);
        }
        let http = http().map_err(|error| error.to_string())?;
        let client = HoneyHive::from_connection_over(&connection, &http)
            .map_err(|error| error.to_string())?;
        let runtime = runtime()?;
        let (words, heard) = mpsc::unbounded_channel();
        let came = AtomicUsize::new(0);
        let pipeline = Arc::new(Self { connection, client, _http: http, words, runtime, came });
        all.push(Arc::downgrade(&pipeline));
        pipeline.runtime.spawn(Worker::new(Arc::clone(&pipeline)).run(heard));
        Ok(pipeline)
    }

    pub(super) fn say(&self, word: Word) {
        // It listens as long as there is a pipeline.
        let _ = self.words.send(word);
    }

    pub(super) fn count_span(&self) {
        if self.came.fetch_add(1, Ordering::Relaxed) % MANY == MANY - 1 {
            self.say(Word::Soon);
        }
    }

    pub(super) fn client(&self) -> &HoneyHive {
        &self.client
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.connection.protocol
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Takes the pipeline off the list when only its worker knows it.
    pub(super) fn forget(self: &Arc<Self>) -> bool {
        let mut all = PIPELINES.lock().unwrap_or_else(PoisonError::into_inner);
        // Who looks for one holds the lock, so nobody can find it meanwhile.
        if Arc::strong_count(self) > 1 {
            return false;
        }
        all.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(self)));
        true
    }
}
