//! Pipelines to destinations: one thread for the process, one pipeline for each destination.
//!
//! All tracers with the same destination, that is, the same server and keys, share a pipeline: its
//! connections, its requests, its pauses. Its worker takes from their outboxes in rounds, at most
//! one a second unless a flush waits: new sessions, spans, updates of sessions. Code that only
//! records never waits for any of it.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::outbox::WorkerHandle;
use super::worker::Worker;
use crate::api::{ApiError, HoneyHive, Http, OtlpReceiver};
use crate::config::{Connection, OtlpTarget};
use crate::send::Receiver;

/// The key by which a pipeline is found: a destination with its settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PipelineKey {
    /// HoneyHive, with the keys.
    HoneyHive(Connection),
    /// Any other receiver of OTLP.
    Otlp(OtlpTarget),
}

/// All pipelines that exist.
static PIPELINES: Mutex<Vec<(PipelineKey, Weak<WorkerHandle>)>> = Mutex::new(Vec::new());

/// The HTTP client of all pipelines to HoneyHive: the connections to a server are few, however many keys
/// there are.
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

/// Returns the thread of all pipelines, or why there is none.
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

/// Makes the receiver of a destination, and the client that must live as long as it.
fn receiver(key: &PipelineKey) -> Result<(Receiver, Option<Arc<Http>>), ApiError> {
    match key {
        PipelineKey::HoneyHive(connection) => {
            let http = http()?;
            let client = HoneyHive::from_connection_over(connection, &http)?;
            let protocol = connection.protocol;
            Ok((Receiver::HoneyHive { client, protocol }, Some(http)))
        }
        PipelineKey::Otlp(target) => {
            Ok((Receiver::Otlp(Box::new(OtlpReceiver::new(target)?)), None))
        }
    }
}

/// Returns the worker of a destination; starts one where there is none.
///
/// # Errors
/// When the destination cannot be sent to with these settings.
pub(super) fn worker(mut key: PipelineKey) -> Result<Arc<WorkerHandle>, String> {
    if let PipelineKey::HoneyHive(connection) = &mut key {
        // Nothing here needs the project's key where there is one for writing.
        connection.api_key = connection.api_key.take().or_else(|| connection.ingestion_key.clone());
    }
    let mut all = PIPELINES.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, worker)| worker.strong_count() > 0);
    let known = all.iter().find(|(other, _)| *other == key);
    if let Some(worker) = known.and_then(|(_, worker)| worker.upgrade()) {
        return Ok(worker);
    }
    let (receiver, http) = receiver(&key).map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let (wakes, woken) = mpsc::unbounded_channel();
    let has_sessions = receiver.client().is_some();
    let handle = WorkerHandle { wakes, runtime, came: AtomicUsize::new(0), has_sessions };
    let handle = Arc::new(handle);
    all.push((key, Arc::downgrade(&handle)));
    let own = Arc::clone(&handle);
    handle.runtime.spawn(async move {
        Worker::new(receiver).run(woken, || forget(&own)).await;
        // The connections close with the last pipeline.
        drop(http);
    });
    Ok(handle)
}

/// Takes a pipeline off the list when only its own task knows it.
fn forget(handle: &Arc<WorkerHandle>) -> bool {
    let mut all = PIPELINES.lock().unwrap_or_else(PoisonError::into_inner);
    // A caller that looks for a pipeline holds the lock, so none can be found meanwhile.
    if Arc::strong_count(handle) > 1 {
        return false;
    }
    all.retain(|(_, other)| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(handle)));
    true
}
