//! Runs the user's code: on which thread, for how long, and what happens if it panics.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::current::Current;
use super::panics::PanicNote;
use super::threads::{STACK, Threads};
use crate::journal::{AttemptError, ErrorKind};
use crate::unwind::{self, Payload};

/// The time that a cancelled task may take to yield its thread before it counts as stuck.
const LETTING_GO: Duration = Duration::from_millis(100);

/// The most workers: each costs a thread, and more of them than this cost more than they help.
const MOST_WORKERS: usize = 64;

/// The threads that the user's code runs on.
///
/// Synchronous code has a thread of its own per call. Asynchronous code shares workers; a task
/// that blocks one takes it away from the others. So there is a worker for every attempt that may
/// be under way, up to [`MOST_WORKERS`]; those that never come back are counted, and when half
/// are gone, new tasks go to a fresh runtime.
#[derive(Debug)]
pub(super) struct Workers {
    synchronous: Threads,
    pool: Mutex<Pool>,
    threads: usize,
}

#[derive(Debug)]
struct Pool {
    /// The runtime; `None` once it was shut down; then its handle starts nothing more.
    current: Option<Runtime>,
    handle: Handle,
    stuck: usize,
    /// Runtimes with stuck workers. Others of their tasks may still be running.
    retired: Vec<Runtime>,
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(threads)
        // Threads on which a program blocks for ever never come back; they must not run out.
        .max_blocking_threads(1 << 16)
        .thread_stack_size(STACK)
        .thread_name("honeyhive-worker")
        .enable_all();
    // Tokio panics where it cannot start a thread.
    catch_unwind(AssertUnwindSafe(|| builder.build()))
        .unwrap_or_else(|_| Err(std::io::Error::other("no worker thread can be started")))
}

/// Returns how many threads asynchronous code gets where up to `attempts` attempts run at once: one
/// for each, so that calls which block their threads do not stop the others, and one more.
///
/// Fewer would cost no row of the benchmark anything. As many as the selected attempts need, and no
/// more, save 2 to 6 ms at the start of `--exact` with a concurrency of 256 (2 cores, 2026-11).
pub(crate) fn workers(attempts: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(4, usize::from);
    attempts.saturating_add(1).clamp(cores.max(4), MOST_WORKERS.max(cores))
}

impl Workers {
    pub(super) fn new(threads: usize) -> std::io::Result<Self> {
        let current = runtime(threads)?;
        let handle = current.handle().clone();
        let pool = Pool { current: Some(current), handle, stuck: 0, retired: Vec::new() };
        Ok(Self { synchronous: Threads::new(), pool: Mutex::new(pool), threads })
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self) -> Handle {
        self.pool().handle.clone()
    }

    /// Starts synchronous code on a thread where blocking is fine. The code makes calls through the
    /// [`Caller`] and sends the result of each to the task that waits for it.
    pub(super) fn start_sync(
        self: &Arc<Self>,
        code: impl FnOnce(&Caller) + Send + 'static,
    ) -> SyncCalls {
        let stage = Arc::new(AtomicU8::new(QUEUED));
        let (own_stage, handle) = (Arc::clone(&stage), self.handle());
        let started = self.synchronous.start(move || {
            if own_stage
                .compare_exchange(QUEUED, BEGUN, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                // Synchronous code may want to wait for something asynchronous.
                let _entered = handle.enter();
                code(&Caller { note: PanicNote::default() });
            }
        });
        let refused = started.err().map(|error| error.to_string());
        SyncCalls { stage, refused, since: Instant::now() }
    }

    /// Starts a single synchronous call in a context, on a thread where blocking is fine.
    pub(super) fn start_call<T: Send + 'static>(
        self: &Arc<Self>,
        cx: Context,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> SyncCall<T> {
        let (ended, result) = oneshot::channel();
        let calls = self.start_sync(move |caller| {
            let _ = ended.send(caller.call(&cx, work));
        });
        SyncCall { calls, result }
    }

    /// Starts asynchronous code as a task.
    pub(super) fn start_async<T: Send + 'static>(
        self: &Arc<Self>,
        cx: &Context,
        current: Current,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Started<T> {
        let note = PanicNote::default();
        let timed = async move {
            let started = Instant::now();
            let value = work.await;
            (value, started.elapsed())
        };
        let task =
            self.handle().spawn(current.poll(note.clone().poll(timed.with_context(cx.clone()))));
        Started { workers: Arc::clone(self), task, note, at: Instant::now() }
    }

    fn count_stuck(&self) {
        let mut pool = self.pool();
        pool.stuck += 1;
        if pool.stuck * 2 >= self.threads
            && let Ok(fresh) = runtime(self.threads)
        {
            pool.handle = fresh.handle().clone();
            let old = pool.current.replace(fresh);
            pool.retired.extend(old);
            pool.stuck = 0;
        }
    }

    /// Ends all threads without waiting for stuck ones.
    pub(super) fn shutdown(&self) {
        self.synchronous.close();
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

/// The result of a call and how long it took.
pub(super) type Done<T> = (Result<T, AttemptError>, Duration);

/// The result of a call on a thread that may make further calls.
#[derive(Debug)]
pub(super) struct Ended<T> {
    pub(super) done: Done<T>,
    /// The time when it ended, which is when the next call begins.
    at: Instant,
}

/// Makes calls on the current thread.
#[derive(Debug)]
pub(super) struct Caller {
    note: PanicNote,
}

impl Caller {
    /// Makes and times a call in a context. A panic is an error of the call.
    pub(super) fn call<T>(&self, cx: &Context, work: impl FnOnce() -> T) -> Ended<T> {
        let attached = cx.clone().attach();
        let started = Instant::now();
        let value = self.note.run(|| unwind::catch(work));
        let at = Instant::now();
        drop(attached);
        Ended { done: (value.map_err(|payload| panicked(&self.note, &*payload)), at - started), at }
    }
}

fn panicked(note: &PanicNote, payload: &(dyn Any + Send)) -> AttemptError {
    AttemptError { kind: ErrorKind::Panic, message: note.take(payload) }
}

fn cut_off(refused: Option<&str>) -> AttemptError {
    let message = match refused {
        None => "the run ended before the call did".to_owned(),
        Some(error) => format!("no thread can be started for a call: {error}"),
    };
    AttemptError { kind: ErrorKind::NotRun, message }
}

fn timed_out(limit: Duration, tail: &str) -> AttemptError {
    let message = format!("timed out after {}{tail}", humantime::format_duration(limit));
    AttemptError { kind: ErrorKind::Timeout, message }
}

/// The stage of synchronous code that has no thread yet.
const QUEUED: u8 = 0;
/// The stage of synchronous code that has a thread.
const BEGUN: u8 = 1;
/// The stage of synchronous code that timed out before it had a thread and is not run.
const GIVEN_UP: u8 = 2;

/// Synchronous calls under way on one thread, one after another.
#[derive(Debug)]
pub(super) struct SyncCalls {
    stage: Arc<AtomicU8>,
    /// The reason why no thread could be started.
    refused: Option<String>,
    /// The time when the call began whose result comes next.
    since: Instant,
}

impl SyncCalls {
    /// Waits until `next` receives the result of the next call, but no longer than the call may
    /// take. After an error other than a panic no further result comes, and the receiver is to be
    /// dropped, which ends the thread's work after the current call.
    pub(super) async fn result<T>(
        &mut self,
        next: impl Future<Output = Option<Ended<T>>>,
        limit: Duration,
    ) -> Done<T> {
        let deadline = tokio::time::Instant::from_std(self.since) + limit;
        let error = match timeout_at(deadline, next).await {
            Ok(Some(Ended { done, at })) => {
                self.since = at;
                return done;
            }
            Ok(None) => cut_off(self.refused.as_deref()),
            Err(_) => timed_out(limit, self.give_up()),
        };
        (Err(error), self.since.elapsed())
    }

    /// Keeps the code from getting a thread from now on, and says whether it has one.
    fn give_up(&self) -> &'static str {
        let (acquire, release) = (Ordering::Acquire, Ordering::AcqRel);
        match self.stage.compare_exchange(QUEUED, GIVEN_UP, release, acquire) {
            Ok(_) => " of waiting for a thread: all are busy, and no more can be started",
            Err(_) => "; it is not async, so its thread keeps running",
        }
    }
}

/// A single synchronous call under way.
#[derive(Debug)]
pub(super) struct SyncCall<T> {
    calls: SyncCalls,
    result: oneshot::Receiver<Ended<T>>,
}

impl<T> SyncCall<T> {
    /// Waits for the result.
    pub(super) async fn finish(mut self, limit: Duration) -> Done<T> {
        let result = self.result;
        self.calls.result(async { result.await.ok() }, limit).await
    }
}

/// An asynchronous call under way, which is a task.
#[derive(Debug)]
pub(super) struct Started<T> {
    workers: Arc<Workers>,
    task: JoinHandle<(T, Duration)>,
    note: PanicNote,
    at: Instant,
}

/// Cancels a task whose result is not needed any more: its calls cost money.
impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T: Send + 'static> Started<T> {
    /// Waits for the value and how long the code took.
    pub(super) async fn finish(mut self, limit: Duration) -> Done<T> {
        let deadline = tokio::time::Instant::from_std(self.at) + limit;
        let error = match timeout_at(deadline, &mut self.task).await {
            Ok(Ok((value, took))) => return (Ok(value), took),
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(payload) => panicked(&self.note, &Payload::from(payload)),
                Err(_) => cut_off(None),
            },
            Err(_) => {
                self.task.abort();
                if timeout(LETTING_GO, &mut self.task).await.is_err() {
                    self.workers.count_stuck();
                    timed_out(limit, "; it blocks its thread instead of awaiting")
                } else {
                    timed_out(limit, "")
                }
            }
        };
        (Err(error), self.at.elapsed())
    }
}
