//! Running the user's code: on which thread, for how long, and what if it panics.

use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::panics::PanicNote;
use crate::journal::{AttemptError, ErrorKind};

/// How long a cancelled task may take to let go of its thread before it counts as stuck.
const LETTING_GO: Duration = Duration::from_millis(100);

/// The threads that the user's code runs on.
///
/// Synchronous code has a thread of its own per call. Asynchronous code shares a few workers; a
/// task that blocks one for ever takes it away from everybody. So the stuck ones are counted,
/// and before the last worker is gone, new tasks go to a fresh runtime.
#[derive(Debug)]
pub(super) struct Workers {
    pool: Mutex<Pool>,
    threads: usize,
}

#[derive(Debug)]
struct Pool {
    /// `None` once it was shut down; then its handle starts nothing more.
    current: Option<Runtime>,
    handle: Handle,
    stuck: usize,
    /// Runtimes with stuck workers. Others of their tasks may still be running.
    retired: Vec<Runtime>,
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        // Threads of timed-out synchronous calls never come back; they must not run out.
        .max_blocking_threads(1 << 16)
        .thread_name("honeyhive-worker")
        .enable_all()
        .build()
}

impl Workers {
    pub(super) fn new() -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(4, usize::from).max(4);
        let current = runtime(threads)?;
        let handle = current.handle().clone();
        let pool = Pool { current: Some(current), handle, stuck: 0, retired: Vec::new() };
        Ok(Self { pool: Mutex::new(pool), threads })
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self) -> Handle {
        self.pool().handle.clone()
    }

    /// Starts synchronous code on a thread where blocking is fine.
    pub(super) fn start_sync<T: Send + 'static>(
        self: &Arc<Self>,
        cx: &Context,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Started<T> {
        let note = PanicNote::default();
        let cx = cx.with_value(note.clone());
        let task = self.handle().spawn_blocking(move || {
            let _attached = cx.attach();
            let started = Instant::now();
            let value = work();
            (value, started.elapsed())
        });
        Started { workers: Arc::clone(self), task, note, at: Instant::now(), blocking: true }
    }

    /// Starts asynchronous code as a task.
    pub(super) fn start_async<T: Send + 'static>(
        self: &Arc<Self>,
        cx: &Context,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Started<T> {
        let note = PanicNote::default();
        let cx = cx.with_value(note.clone());
        let timed = async move {
            let started = Instant::now();
            let value = work.await;
            (value, started.elapsed())
        };
        let task = self.handle().spawn(timed.with_context(cx));
        Started { workers: Arc::clone(self), task, note, at: Instant::now(), blocking: false }
    }

    fn count_stuck(&self) {
        let mut pool = self.pool();
        pool.stuck += 1;
        if pool.stuck + 1 >= self.threads
            && let Ok(fresh) = runtime(self.threads)
        {
            pool.handle = fresh.handle().clone();
            let old = pool.current.replace(fresh);
            pool.retired.extend(old);
            pool.stuck = 0;
        }
    }

    /// Lets go of all threads without waiting for stuck ones.
    pub(super) fn shutdown(&self) {
        let mut pool = self.pool();
        let Pool { current, retired, .. } = &mut *pool;
        for runtime in retired.drain(..).chain(current.take()) {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Dropping a runtime the plain way waits, and panics inside another runtime.
        self.shutdown();
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Started<T> {
    workers: Arc<Workers>,
    task: JoinHandle<(T, Duration)>,
    note: PanicNote,
    at: Instant,
    blocking: bool,
}

impl<T: Send + 'static> Started<T> {
    /// Waits for the value and how long the code took. `what` names it in the error.
    pub(super) async fn finish(
        mut self,
        limit: Duration,
        what: impl Display,
    ) -> (Result<T, AttemptError>, Duration) {
        let deadline = tokio::time::Instant::from_std(self.at) + limit;
        let error = match timeout_at(deadline, &mut self.task).await {
            Ok(Ok((value, took))) => return (Ok(value), took),
            Ok(Err(error)) if error.is_panic() => {
                let message = format!("{what}{}", self.note.take());
                AttemptError { kind: ErrorKind::Panic, message }
            }
            Ok(Err(_)) => AttemptError {
                kind: ErrorKind::NotRun,
                message: format!("{what}was cut off by the end of the run"),
            },
            Err(_) => self.give_up(limit, what).await,
        };
        (Err(error), self.at.elapsed())
    }

    async fn give_up(&mut self, limit: Duration, what: impl Display) -> AttemptError {
        self.task.abort();
        let tail = if self.blocking {
            "; it is not async, so its thread keeps running"
        } else if timeout(LETTING_GO, &mut self.task).await.is_err() {
            self.workers.count_stuck();
            "; it blocks its thread instead of awaiting"
        } else {
            ""
        };
        AttemptError {
            kind: ErrorKind::Timeout,
            message: format!("{what}timed out after {}{tail}", humantime::format_duration(limit)),
        }
    }
}
