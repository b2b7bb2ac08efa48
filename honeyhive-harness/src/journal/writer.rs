//! Writing with group commit.
//!
//! One thread owns the file. It takes everything that waits, writes it in one go, calls
//! `fdatasync` once, and only then tells the waiting attempts that they may be reported.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{oneshot, watch};

use super::schema::{InvocationRecord, Record, SCHEMA};
use crate::ids::short_hash;
use crate::text::timestamp;

/// While attempts come thick and fast, the next commit waits this long for more of them: a commit
/// costs the same for one as for a hundred, and nobody's place is taken meanwhile.
const GATHER: Duration = Duration::from_millis(1);

/// A buffer that grew beyond this is not kept for what comes next.
const LARGE: usize = 1 << 20;

/// Lines that belong together.
#[derive(Debug)]
pub(crate) struct Entry(Vec<u8>);

thread_local! {
    /// The buffer of the thread's last entry: there is one for every attempt, of some kilobytes.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Default for Entry {
    fn default() -> Self {
        Self(SPARE.take())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        if buffer.capacity() <= LARGE {
            buffer.clear();
            // Without thread-locals, at the end of a thread, it is not kept.
            let _ = SPARE.try_with(|spare| spare.set(buffer));
        }
    }
}

impl Entry {
    /// Adds a line.
    pub(crate) fn push(&mut self, record: &Record) {
        // Records hold strings, numbers and JSON values; none of these can fail to be written.
        if serde_json::to_writer(&mut self.0, record).is_ok() {
            self.0.push(b'\n');
        }
    }
}

type Outcome = Result<(), Arc<str>>;

/// What waits for the next commit.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Those who wait for it.
    done: Vec<oneshot::Sender<Outcome>>,
    /// Nothing more will come.
    closed: bool,
    /// Nobody will write it.
    abandoned: bool,
}

/// Where the attempts and the journal's thread meet.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is done under the lock that could panic halfway.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing end of a journal.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    failed: Arc<OnceLock<Arc<str>>>,
    /// How many bytes are on disk.
    length: watch::Receiver<u64>,
}

impl Writer {
    /// A journal that keeps nothing, for programs that take the results as values.
    pub(crate) fn nowhere() -> Self {
        let (_, length) = watch::channel(0);
        Self {
            queue: Arc::default(),
            thread: None,
            path: PathBuf::new(),
            failed: Arc::default(),
            length,
        }
    }

    fn is_nowhere(&self) -> bool {
        self.path.as_os_str().is_empty()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are on disk, for whoever reads along.
    pub(crate) fn length(&self) -> watch::Receiver<u64> {
        self.length.clone()
    }

    /// Why the journal cannot be written any more, once that is so.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.get().map(AsRef::as_ref)
    }

    fn order(&self, entry: Entry) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        let mut waiting = self.queue.lock();
        // Where nobody will write it, `done` is dropped, which the receiver sees.
        if !waiting.abandoned {
            waiting.lines.extend_from_slice(&entry.0);
            waiting.done.push(done);
            if waiting.done.len() == 1 {
                self.queue.bell.notify_one();
            }
        }
        drop((waiting, entry));
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
    /// Why they are not.
    pub(crate) async fn commit(&self, entry: Entry) -> Outcome {
        if self.is_nowhere() {
            return Ok(());
        }
        self.outcome(self.order(entry).await)
    }

    /// The same from a thread that may block.
    ///
    /// # Errors
    /// Why they are not on disk.
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

/// Opens the journal of this process below `root`; its first lines are given back to be committed.
///
/// # Errors
/// When the directory or file cannot be made or written; the text says which and why.
pub(crate) fn create(
    root: &Path,
    parent: Option<&str>,
    mut invocation: InvocationRecord,
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
    let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(fail)?;

    invocation.schema = SCHEMA;
    invocation.started_at = now;
    invocation.pid = std::process::id();
    env!("CARGO_PKG_VERSION").clone_into(&mut invocation.harness);
    invocation.invocation =
        directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();

    let queue = Arc::<Queue>::default();
    let failed = Arc::new(OnceLock::new());
    let (on_disk, length) = watch::channel(0);
    let worker =
        Worker { file, length: 0, on_disk, path: path.clone(), failed: Arc::clone(&failed) };
    let thread = std::thread::Builder::new()
        .name("honeyhive-journal".to_owned())
        .spawn({
            let desk = Desk(Arc::clone(&queue));
            move || worker.run(&desk)
        })
        .map_err(|error| format!("cannot start the journal's thread: {error}"))?;
    let writer = Writer { queue, thread: Some(thread), path: path.clone(), failed, length };
    let mut first = Entry::default();
    first.push(&Record::Invocation(invocation));
    Ok((writer, first))
}

/// The directory of the invocation. Processes with the same parent (one `cargo test` with several
/// test targets, one `cargo nextest run`) share it; without a parent, each has its own.
fn invocation_dir(root: &Path, parent: Option<&str>, now: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(root)?;
    let stamp: String = now.chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    let name = match parent {
        None => format!("{stamp}-{}", &uuid::Uuid::new_v4().simple().to_string()[..6]),
        Some(parent) => {
            let key = short_hash(parent.as_bytes(), 6);
            elect(&root.join(".invocations"), parent, &format!("{stamp}-{key}"))?
        }
    };
    let directory = root.join(name);
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// The first process to ask names the directory for all that share the parent.
fn elect(ballots: &Path, parent: &str, mine: &str) -> io::Result<String> {
    fs::create_dir_all(ballots)?;
    let ballot = ballots.join(short_hash(parent.as_bytes(), 32));
    // Linking a complete file is atomic: nobody reads half a name.
    let draft = ballots.join(uuid::Uuid::new_v4().simple().to_string());
    fs::write(&draft, mine)?;
    let linked = fs::hard_link(&draft, &ballot);
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(&ballot),
        // On a file system without links, each process has a directory of its own.
        Ok(()) | Err(_) => Ok(mine.to_owned()),
    }
}

struct Worker {
    file: File,
    length: u64,
    on_disk: watch::Sender<u64>,
    path: PathBuf,
    failed: Arc<OnceLock<Arc<str>>>,
}

/// The journal's end of the queue. Whatever happens to its thread, nobody waits for ever.
struct Desk(Arc<Queue>);

impl Drop for Desk {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.abandoned = true;
        waiting.done.clear();
    }
}

impl Desk {
    /// Waits until there is something to write. `false` when nothing more will come.
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

    /// Takes what waits, and leaves empty buffers for what comes next.
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
                // An attempt that was cut off no longer waits.
                let _ = waiter.send(outcome.clone());
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> Outcome {
        if let Some(error) = self.failed.get() {
            return Err(Arc::clone(error));
        }
        match self.file.write_all(lines).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.length += lines.len() as u64;
                self.on_disk.send_replace(self.length);
                Ok(())
            }
            Err(error) => {
                // What did get through is cut off again, so that the file ends with a whole line.
                let _ = self.file.set_len(self.length);
                let text: Arc<str> =
                    format!("cannot write the journal {}: {error}", self.path.display()).into();
                Err(Arc::clone(self.failed.get_or_init(|| text)))
            }
        }
    }
}
