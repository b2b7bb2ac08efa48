//! Writes a journal with group commit.
//!
//! One thread owns the file. It takes all waiting lines, writes them in one call, calls `fdatasync`
//! once, and only then notifies the waiting attempts that they may be reported. Around each commit
//! it checks that the path still leads to this file and that the file is as long as the data that
//! was written: after a directory was removed during a run, writes to its files still succeed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{oneshot, watch};

use super::directory::invocation_dir;
use super::identity::Identity;
use super::kept::{self, Kept, Own};
use super::line::Lines;
use super::schema::{InvocationRecord, Record, SCHEMA};
use crate::files;
use crate::text::timestamp;

/// The time that a commit right after another one waits for more attempts: `fdatasync` takes as
/// long for one as for a hundred, and the places of the attempts are free meanwhile. Without the wait
/// the CPU time of the benchmark's rows is 0.97 (`noop_1_000`), 1.20 (`noop_100_000`) and 1.11
/// (`sync_100_000`) times as high (2 cores, 2026-11).
const GATHER: Duration = Duration::from_millis(1);

/// The capacity beyond which a buffer is not kept for reuse.
const LARGE: usize = 1 << 20;

/// Lines that are committed together.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    lines: Lines,
    /// The number of lines that are attempts or cases.
    results: usize,
    /// Set when the last line is the `end` record.
    ends: bool,
    /// The records of the lines, where the journal keeps them.
    records: Option<Vec<Record>>,
}

impl Entry {
    /// Adds a line.
    pub(crate) fn push(&mut self, record: &Record) {
        self.results += usize::from(matches!(record, Record::Attempt(_) | Record::Case(_)));
        self.ends |= matches!(record, Record::End(_));
        if let Some(records) = &mut self.records {
            records.push(kept::copy(record));
        }
        self.lines.push(record);
    }
}

type Outcome = Result<(), Arc<str>>;

/// The lines that wait for the next commit.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// The number of the last line of the file, including the waiting ones.
    number: u64,
    /// The size of the file, including the waiting lines.
    size: u64,
    /// The records of the file, including the waiting ones, while they are kept.
    kept: Option<Kept>,
    /// Set when the `end` record was taken: nothing is written after it.
    ended: bool,
    /// The number of attempts and cases that came after the `end` record.
    late: usize,
    /// The senders that report the outcome of the commit to its callers.
    done: Vec<oneshot::Sender<Outcome>>,
    /// Set when the [`Writer`] was dropped: no further lines will come.
    closed: bool,
    /// Set when the thread has ended: the lines will not be written.
    abandoned: bool,
}

impl Waiting {
    /// Takes the lines of an entry, and its records where they are kept.
    fn take(&mut self, entry: Entry) {
        let Self { lines, number, size, kept, .. } = self;
        let (waiting, before) = (lines.len(), *size);
        let mut begins = Vec::new();
        entry.lines.append_to(lines, number, |at| {
            if kept.is_some() {
                begins.push(before + (at - waiting) as u64);
            }
        });
        *size += (lines.len() - waiting) as u64;
        if let (Some(all), Some(records)) = (kept.as_mut(), entry.records)
            && !all.add(records, begins, *size)
        {
            *kept = None;
        }
    }
}

/// The queue of lines from the attempts to the journal's thread.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code panics while it holds the lock, so the state is consistent also after poisoning.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle that sends lines to the thread of a journal.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    failed: Arc<OnceLock<Arc<str>>>,
    /// The number of bytes on disk.
    length: watch::Receiver<u64>,
    identity: Identity,
    /// Set when the records that are written are kept in memory, too.
    keeps: bool,
}

impl Writer {
    /// Creates a journal that writes nothing, for programs that take the results as values.
    pub(crate) fn nowhere() -> Self {
        let (_, length) = watch::channel(0);
        Self {
            queue: Arc::default(),
            thread: None,
            path: PathBuf::new(),
            failed: Arc::default(),
            length,
            identity: Identity::default(),
            keeps: false,
        }
    }

    /// Returns an empty entry for this journal.
    pub(crate) fn entry(&self) -> Entry {
        Entry { records: self.keeps.then(Vec::new), ..Entry::default() }
    }

    /// Takes the records that were kept, once.
    pub(crate) fn take_kept(&self) -> Option<Own> {
        let kept = self.queue.lock().kept.take();
        kept.map(Kept::into_own)
    }

    fn is_nowhere(&self) -> bool {
        self.path.as_os_str().is_empty()
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a channel with the number of bytes on disk, for readers of the growing file.
    pub(crate) fn length(&self) -> watch::Receiver<u64> {
        self.length.clone()
    }

    /// Returns the reason why the journal cannot be written any more; `None` while it can.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.get().map(AsRef::as_ref)
    }

    /// Returns the number of attempts and cases that came after the `end` record and are not in the
    /// journal.
    pub(crate) fn late(&self) -> usize {
        self.queue.lock().late
    }

    /// Checks that the file is still in its place, with all bytes that were written.
    ///
    /// # Errors
    /// Returns a description of what happened to the file.
    pub(crate) fn verify(&self) -> Result<(), Arc<str>> {
        if self.is_nowhere() {
            return Ok(());
        }
        if let Some(error) = self.failed.get() {
            return Err(Arc::clone(error));
        }
        let found = self.identity.check(&self.path, *self.length.borrow(), false);
        found.map_err(|text| Arc::clone(self.failed.get_or_init(|| text.into())))
    }

    /// Returns whether the file is no longer in its place, or does not have all bytes that were
    /// written.
    pub(crate) fn is_lost(&self) -> bool {
        !self.is_nowhere() && self.identity.check(&self.path, *self.length.borrow(), false).is_err()
    }

    fn order(&self, entry: Entry) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let mut waiting = self.queue.lock();
        // If the lines will not be written, `done` is dropped, and the receiver returns an error.
        if waiting.ended {
            waiting.late += entry.results;
        } else if !waiting.abandoned {
            waiting.ended = entry.ends;
            waiting.take(entry);
            waiting.done.push(done);
            if waiting.done.len() == 1 {
                self.queue.bell.notify_one();
            }
        }
        drop(waiting);
        outcome
    }

    fn outcome(&self, outcome: Result<Outcome, oneshot::error::RecvError>) -> Outcome {
        outcome.unwrap_or_else(|_| {
            Err(self.failed.get().cloned().unwrap_or_else(|| "the journal is closed".into()))
        })
    }

    /// Writes lines and waits until they are on disk.
    ///
    /// # Errors
    /// Returns the reason why they are not on disk.
    pub(crate) async fn commit(&self, entry: Entry) -> Outcome {
        if self.is_nowhere() {
            return Ok(());
        }
        self.outcome(self.order(entry).await)
    }

    /// Writes lines like [`Self::commit`], from a thread that may block.
    ///
    /// # Errors
    /// Returns the reason why they are not on disk.
    pub(crate) fn commit_blocking(&self, entry: Entry) -> Outcome {
        if self.is_nowhere() {
            return Ok(());
        }
        self.outcome(self.order(entry).blocking_recv())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.bell.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens the journal of this process below `root`. Returns its first lines, which the caller must
/// commit. With `keep`, the records that are written stay in memory, too, without spans, until the file
/// has more bytes than that.
///
/// # Errors
/// Returns an error when the directory or file cannot be made or written; the text says which and
/// why.
pub(crate) fn create(
    root: &Path,
    parent: Option<&str>,
    mut invocation: InvocationRecord,
    keep: Option<u64>,
) -> Result<(Writer, Entry), String> {
    let now = timestamp(SystemTime::now());
    let directory = invocation_dir(root, parent, &now)
        .map_err(|error| format!("cannot make a journal in {}: {error}", root.display()))?;
    let name = format!(
        "{}-{}-{}.jsonl",
        invocation.target,
        std::process::id(),
        &uuid::Uuid::new_v4().simple().to_string()[..6]
    );
    let path = directory.join(name);
    let fail = |error: io::Error| format!("cannot write the journal {}: {error}", path.display());
    let file = files::private().append(true).create_new(true).open(&path).map_err(fail)?;
    let identity = Identity::of(&file).map_err(fail)?;
    files::sync_directory(&directory);

    invocation.schema = SCHEMA;
    invocation.started_at = now;
    invocation.pid = std::process::id();
    env!("CARGO_PKG_VERSION").clone_into(&mut invocation.harness);
    invocation.invocation =
        directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();

    let kept = keep.map(|most| Kept::new(&path, most));
    let waiting = Mutex::new(Waiting { kept, ..Waiting::default() });
    let queue = Arc::new(Queue { waiting, bell: Condvar::new() });
    let failed = Arc::new(OnceLock::new());
    let (on_disk, length) = watch::channel(0);
    let worker = Worker {
        file,
        length: 0,
        on_disk,
        path: path.clone(),
        identity,
        failed: Arc::clone(&failed),
    };
    let thread = std::thread::Builder::new()
        .name("honeyhive-journal".to_owned())
        .spawn({
            let desk = Desk(Arc::clone(&queue));
            move || worker.run(&desk)
        })
        .map_err(|error| format!("cannot start the journal's thread: {error}"))?;
    let writer = Writer {
        queue,
        thread: Some(thread),
        path: path.clone(),
        failed,
        length,
        identity,
        keeps: keep.is_some(),
    };
    let mut first = writer.entry();
    first.push(&Record::Invocation(invocation));
    Ok((writer, first))
}

struct Worker {
    file: File,
    length: u64,
    on_disk: watch::Sender<u64>,
    path: PathBuf,
    identity: Identity,
    failed: Arc<OnceLock<Arc<str>>>,
}

/// The end of the queue on the journal's thread. When the thread ends, also by a panic, this
/// releases all waiting callers.
struct Desk(Arc<Queue>);

impl Drop for Desk {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.abandoned = true;
        waiting.done.clear();
    }
}

impl Desk {
    /// Waits until there are lines to write. Returns `false` when no more will come.
    fn wait(&self) -> bool {
        let mut waiting = self.0.lock();
        while waiting.done.is_empty() {
            if waiting.closed {
                return false;
            }
            waiting = self.0.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// Takes the waiting lines, and leaves empty buffers in their place.
    fn take(&self, lines: &mut Vec<u8>, done: &mut Vec<oneshot::Sender<Outcome>>) {
        lines.clear();
        lines.shrink_to(LARGE);
        let mut waiting = self.0.lock();
        std::mem::swap(&mut waiting.lines, lines);
        std::mem::swap(&mut waiting.done, done);
    }
}

impl Worker {
    fn run(mut self, desk: &Desk) {
        let (mut lines, mut done) = (Vec::new(), Vec::new());
        let mut busy_until = Instant::now();
        while desk.wait() {
            if Instant::now() < busy_until {
                std::thread::sleep(GATHER);
            }
            desk.take(&mut lines, &mut done);
            let outcome = self.write(&lines);
            busy_until = Instant::now() + GATHER * 2;
            for waiter in done.drain(..) {
                // The receiver is gone where an attempt was cut off.
                let _ = waiter.send(outcome.clone());
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> Outcome {
        if let Some(error) = self.failed.get() {
            return Err(Arc::clone(error));
        }
        if let Err(text) = self.identity.check(&self.path, self.length, true) {
            return Err(Arc::clone(self.failed.get_or_init(|| text.into())));
        }
        match self.file.write_all(lines).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.length += lines.len() as u64;
                // A file that was removed during the write is not on disk, although the sync
                // succeeded.
                if let Err(text) = self.identity.check(&self.path, self.length, true) {
                    return Err(Arc::clone(self.failed.get_or_init(|| text.into())));
                }
                self.on_disk.send_replace(self.length);
                Ok(())
            }
            Err(error) => {
                // The part that was written is cut off again, so that the file ends with a whole
                // line.
                let _ = self.file.set_len(self.length);
                let text: Arc<str> =
                    format!("cannot write the journal {}: {error}", self.path.display()).into();
                Err(Arc::clone(self.failed.get_or_init(|| text)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
