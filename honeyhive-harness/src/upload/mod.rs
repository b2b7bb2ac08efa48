//! Sends the journal's contents to destinations: beside a run, and later by `cargo honeyhive push`.
//!
//! Whatever is sent was read from a journal, so a run never waits for a server, nothing is held in
//! memory, and sending later is the same as sending now. Telemetry never fails a case.

mod deliver;
mod destination;
mod marks;
mod report;
mod runs;
mod scores;
mod spans;
#[cfg(feature = "cli")]
mod unsent;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use deliver::{Closing, Delivery};
pub(crate) use destination::Destination;
use marks::Marks;
pub(crate) use report::Sent;
#[cfg(feature = "cli")]
pub(crate) use spans::write_otlp;
#[cfg(feature = "cli")]
pub(crate) use unsent::{Unsent, unsent};

use crate::api::HoneyHive;
use crate::config::Config;
use crate::journal::{GitRecord, Writer};

/// The destinations that the environment names.
#[derive(Debug, Default)]
pub(crate) struct Destinations {
    /// The destinations that can be sent to.
    pub(crate) to: Vec<Destination>,
    /// The reason why spans cannot be sent to the receiver that the environment names.
    pub(crate) unusable: Option<String>,
}

/// Returns the destinations that the environment names. A receiver of spans that cannot be used is
/// not an error: its variables may be there for the program under test.
///
/// # Errors
/// When HoneyHive cannot be sent to as it is configured.
pub(crate) fn destinations(config: &Config) -> Result<Destinations, String> {
    let mut to = Vec::new();
    let mut unusable = config.otlp_fault.clone();
    if config.offline {
        return Ok(Destinations::default());
    }
    let connection = &config.connection;
    if connection.api_key.is_some() {
        let client = HoneyHive::from_connection(connection).map_err(|error| error.to_string())?;
        let (protocol, results) = (connection.protocol, config.results.clone());
        to.push(Destination::honeyhive(client, protocol, results, config.upload_partial));
    }
    if let Some(target) = &config.otlp {
        match Destination::otlp(target) {
            Ok(receiver) => to.push(receiver),
            Err(error) => unusable = Some(format!("{error}; no spans are sent")),
        }
    }
    Ok(Destinations { to, unusable })
}

/// The time that the first run waits for git to answer.
const GIT: Duration = Duration::from_secs(5);

/// Sending that goes on beside a run.
#[derive(Debug)]
pub(crate) struct Uplink {
    closing: watch::Sender<Closing>,
    over: oneshot::Receiver<Vec<Sent>>,
}

impl Uplink {
    /// Starts to send what a journal holds and will hold.
    ///
    /// # Errors
    /// When there can be no thread, or no marks.
    pub(crate) fn start(
        to: Vec<Destination>,
        journal: &Writer,
        git: oneshot::Receiver<GitRecord>,
    ) -> Result<Self, String> {
        let (closing, closed) = watch::channel(Closing::NotYet);
        let (path, length) = (journal.path().to_owned(), journal.length());
        let marks = Marks::open(&path).map_err(|error| error.to_string())?;
        let runtime = runtime().map_err(|error| format!("cannot send: {error}"))?;
        let (finished, over) = oneshot::channel();
        let work = move || {
            let sent = runtime.block_on(async {
                let git = tokio::time::timeout(GIT, git).await;
                let git = git.ok().and_then(Result::ok).unwrap_or_default();
                along(&path, marks, to, &git, Some(&length), &closed, false).await
            });
            let _ = finished.send(sent);
        };
        let thread = std::thread::Builder::new().name("honeyhive-upload".to_owned()).spawn(work);
        thread.map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Self { closing, over })
    }

    fn close(&self, within: Duration) {
        self.closing.send_replace(Closing::By(Instant::now() + within));
    }

    /// Sends the rest for at most `within`, or until `hurried`, and returns what became of each
    /// destination. `waiting` is called when that takes long enough to need an explanation.
    pub(crate) fn finish(
        mut self,
        within: Duration,
        waiting: impl FnOnce(),
        hurried: impl Fn() -> bool,
    ) -> Vec<Sent> {
        self.close(within);
        let begin = Instant::now();
        let mut waiting = Some(waiting);
        loop {
            match self.over.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => std::thread::sleep(LOOK),
                over => return over.unwrap_or_default(),
            }
            if hurried() {
                self.closing.send_if_modified(|closing| {
                    std::mem::replace(closing, Closing::AtOnce) != Closing::AtOnce
                });
            } else if begin.elapsed() >= UNSEEN
                && let Some(waiting) = waiting.take()
            {
                waiting();
            }
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Sends what an invocation's journals hold and no destination has taken yet. Ends when everything
/// has arrived, or nothing more does for the length of `pause`. What was refused before is sent only
/// where it is wanted `again`.
///
/// # Errors
/// When the directory has no journal that can be read.
#[cfg(feature = "cli")]
pub(crate) fn push(
    directory: &Path,
    to: impl Fn() -> Vec<Destination>,
    pause: Duration,
    again: bool,
) -> Result<Vec<Sent>, String> {
    let fail = |error: std::io::Error| format!("cannot read {}: {error}", directory.display());
    let journals = journals(directory).map_err(fail)?;
    if journals.is_empty() {
        return Err(format!("no journal in {}", directory.display()));
    }
    let runtime = runtime().map_err(|error| format!("cannot start: {error}"))?;
    let (_closing, closed) = watch::channel(Closing::Patiently(pause));
    let mut all: Vec<Sent> = Vec::new();
    for journal in journals {
        let marks =
            Marks::open(&journal).map_err(|error| format!("{}: {error}", journal.display()))?;
        let sent = runtime.block_on(along(
            &journal,
            marks,
            to(),
            &GitRecord::default(),
            None,
            &closed,
            again,
        ));
        if all.is_empty() {
            all = sent;
        } else {
            all.iter_mut().zip(sent).for_each(|(all, sent)| all.add(sent));
        }
    }
    Ok(all)
}

/// Sends one journal to each destination, side by side.
async fn along(
    journal: &Path,
    marks: Marks,
    to: Vec<Destination>,
    git: &GitRecord,
    length: Option<&watch::Receiver<u64>>,
    closing: &watch::Receiver<Closing>,
    again: bool,
) -> Vec<Sent> {
    let marks = RefCell::new(marks);
    let others: Vec<PathBuf> = journal
        .parent()
        .and_then(|directory| journals(directory).ok())
        .unwrap_or_default()
        .into_iter()
        .filter(|other| other != journal)
        .collect();
    let each = to.into_iter().map(Arc::new).map(|to| {
        let (marks, others) = (&marks, &others);
        async move {
            let mut delivery = match Delivery::new(Arc::clone(&to), journal, marks, git, again) {
                Ok(delivery) => delivery,
                Err(error) => {
                    return Sent::failed(&to, format!("cannot read the journal: {error}"));
                }
            };
            delivery.run(length.cloned(), closing.clone()).await;
            // Finishing takes a request per run; a server that is gone by now is not waited for. The
            // requests themselves know the limit, and say so.
            let now = Instant::now();
            let last = match *closing.borrow() {
                Closing::By(until) => until.max(now + LEAST),
                Closing::Patiently(pause) => now + pause,
                // The caller was dropped.
                Closing::AtOnce => now,
                Closing::NotYet => now + LEAST,
            };
            let _ =
                tokio::time::timeout_at(last + GUARD, delivery.finish(others, Some(last))).await;
            delivery.sent
        }
    });
    futures_util::future::join_all(each).await
}

/// The longest wait that needs no explanation.
const UNSEEN: Duration = Duration::from_millis(1500);

/// The pause between two looks whether sending is over.
const LOOK: Duration = Duration::from_millis(5);

/// The shortest time that the ends of runs may take.
const LEAST: Duration = Duration::from_secs(1);

/// The further time for a request that does not keep to its limit.
const GUARD: Duration = Duration::from_millis(500);

/// Returns the journals of an invocation, in the order in which they are sent.
fn journals(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;
    use crate::config::{Connection, Protocol, Secret};

    #[test]
    fn a_push_that_nobody_answers_ends_after_a_pause() {
        let directory = std::env::temp_dir().join(format!("push-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let lines = [
            r#"{"type":"invocation","schema":1,"invocation":"i"}"#,
            r#"{"type":"experiment","experiment":"e","run_id":"r","rows":1,"selected":1}"#,
            r#"{"type":"attempt","experiment":"e","case":"c","run_id":"r","session_id":"s"}"#,
        ];
        std::fs::write(directory.join("x.jsonl"), lines.join("\n") + "\n").unwrap();
        // Connections wait there, since nothing accepts them.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection {
            api_key: Some(Secret::new("hh_key")),
            server: format!("http://{}", listener.local_addr().unwrap()),
            timeout: Duration::from_secs(60),
            ..Connection::default()
        };
        let client = HoneyHive::from_connection(&connection).unwrap();
        let to = || vec![Destination::honeyhive(client.clone(), Protocol::default(), None, false)];
        let begin = Instant::now();
        let pause = Duration::from_millis(300);
        let sent = push(&directory, to, pause, false).unwrap();
        assert!(begin.elapsed() >= pause && begin.elapsed() < Duration::from_secs(20));
        let [sent] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((sent.attempts, sent.left(), sent.unfinished), (1, 1, 1));
        let line = sent.line("push");
        assert!(line.contains("; 1 run not finished: no answer within 300 ms; `push` "), "{line}");
        // And that is known afterwards.
        let [left] = &unsent(&directory).unwrap()[..] else { panic!() };
        assert!(left.is_for(&to()[0]));
        assert_eq!((left.attempts, left.left, left.unfinished_runs), (1, 1, 1));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
