//! Running the user's code: on which thread, for how long, and what if it panics.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::current::Current;
use super::panics::PanicNote;
use super::threads::Threads;
use crate::journal::{AttemptError, ErrorKind};

/// How long a cancelled task may take to let go of its thread before it counts as stuck.
const LETTING_GO: Duration = Duration::from_millis(100);

/// As much stack as a main thread has; recursive code is used to it.
pub(crate) const STACK: usize = 8 << 20;

/// A worker costs a thread, and more of them than this cost more than they help.
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
    /// `None` once it was shut down; then its handle starts nothing more.
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

/// Workers for so many attempts at once.
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

    /// Starts synchronous code, step by step, on a thread where blocking is fine.
    pub(super) fn start_steps<T: Send + 'static>(
        self: &Arc<Self>,
        script: impl FnOnce(&Steps<T>) + Send + 'static,
    ) -> Script<T> {
        let notebook = Arc::new(Notebook::default());
        let steps = Steps { notebook: Arc::clone(&notebook), note: PanicNote::default() };
        let handle = self.handle();
        let started = self.synchronous.start(move || {
            if !steps.begin() {
                return;
            }
            // Synchronous code may want to wait for something asynchronous.
            let _entered = handle.enter();
            script(&steps);
        });
        if let Err(error) = started {
            notebook.page().refused = Some(error.to_string());
        }
        Script { notebook, read: VecDeque::new(), since: Instant::now() }
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

    /// Lets go of all threads without waiting for stuck ones.
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

/// What came of a call, and how long it took.
type Done<T> = (Result<T, AttemptError>, Duration);

/// Where synchronous code writes down what came of its steps. Whoever waits is woken once, at the
/// end: waking another thread takes longer than most steps do.
#[derive(Debug)]
struct Notebook<T> {
    page: Mutex<Page<T>>,
    bell: Notify,
}

#[derive(Debug)]
struct Page<T> {
    /// What came of each step, and when it ended.
    done: Vec<(Done<T>, Instant)>,
    /// The script has a thread.
    begun: bool,
    /// The script is over.
    over: bool,
    /// It has no thread, and none could be started.
    refused: Option<String>,
    /// Nobody waits any more: a step took too long.
    closed: bool,
}

impl<T> Default for Notebook<T> {
    fn default() -> Self {
        let page =
            Page { done: Vec::new(), begun: false, over: false, refused: None, closed: false };
        Self { page: Mutex::new(page), bell: Notify::new() }
    }
}

impl<T> Notebook<T> {
    fn page(&self) -> std::sync::MutexGuard<'_, Page<T>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing end of a script.
#[derive(Debug)]
pub(super) struct Steps<T> {
    notebook: Arc<Notebook<T>>,
    note: PanicNote,
}

impl<T> Steps<T> {
    /// Notes that there is a thread. `false` when nobody waits for the first step any more.
    fn begin(&self) -> bool {
        let mut page = self.notebook.page();
        page.begun = true;
        !page.closed
    }

    /// Runs one step in a context. `false` when nobody waits for the next step any more: this
    /// one took too long.
    pub(super) fn step(&self, cx: &Context, work: impl FnOnce() -> T) -> bool {
        let attached = cx.clone().attach();
        let started = Instant::now();
        let value = self.note.run(|| catch_unwind(AssertUnwindSafe(work)));
        let ended = Instant::now();
        drop(attached);
        let done = (value.map_err(|payload| panicked(&self.note, &*payload)), ended - started);
        let mut page = self.notebook.page();
        page.done.push((done, ended));
        !page.closed
    }

    /// Wakes whoever waits before the end, because there is something else to be done meanwhile.
    pub(super) fn ring(&self) {
        self.notebook.bell.notify_one();
    }
}

impl<T> Drop for Steps<T> {
    fn drop(&mut self) {
        self.notebook.page().over = true;
        self.ring();
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

/// Synchronous code under way.
#[derive(Debug)]
pub(super) struct Script<T> {
    notebook: Arc<Notebook<T>>,
    read: VecDeque<(Done<T>, Instant)>,
    /// When the step began that is waited for.
    since: Instant,
}

impl<T> Script<T> {
    /// Waits for the next step. After an error that is no panic, no further step comes.
    pub(super) async fn next(&mut self, limit: Duration) -> Done<T> {
        loop {
            let (over, refused) = {
                let mut page = self.notebook.page();
                self.read.extend(page.done.drain(..));
                (page.over, page.refused.take())
            };
            if let Some((done, ended)) = self.read.pop_front() {
                self.since = ended;
                return done;
            }
            if over {
                return (Err(cut_off(refused.as_deref())), self.since.elapsed());
            }
            let deadline = tokio::time::Instant::from_std(self.since) + limit;
            if timeout_at(deadline, self.notebook.bell.notified()).await.is_err() {
                let mut page = self.notebook.page();
                if page.done.is_empty() {
                    page.closed = true;
                    let tail = if page.begun {
                        "; it is not async, so its thread keeps running"
                    } else {
                        " of waiting for a thread: all are busy, and no more can be started"
                    };
                    return (Err(timed_out(limit, tail)), self.since.elapsed());
                }
                // It is a later step that takes so long.
            }
        }
    }
}

/// A task under way.
#[derive(Debug)]
pub(super) struct Started<T> {
    workers: Arc<Workers>,
    task: JoinHandle<(T, Duration)>,
    note: PanicNote,
    at: Instant,
}

/// A task that nobody waits for any more is cancelled: its calls cost money.
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
                Ok(payload) => panicked(&self.note, &*payload),
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
