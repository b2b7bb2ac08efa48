//! What has arrived where, beside the journal that it was read from.
//!
//! `<journal>.sent`, one JSON object per line, append-only. What is not in it has not arrived, as
//! far as anybody knows, and `cargo honeyhive push` sends it. The file is locked while somebody
//! sends from its journal.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// It is being sent there.
    Begun(Begun),
    /// The run is known there, by this id.
    Run { run_id: String, there: String },
    /// The session is known there, by this id.
    Session { session_id: String, there: String },
    /// Its outputs and scores are there.
    Update { session_id: String },
    /// Its spans are there.
    Spans { session_ids: Vec<String> },
    /// It will never get there.
    Refused { session_id: String, why: String },
    /// The run's end is known there.
    Finished { run_id: String },
}

/// A destination, for whoever wants to know later what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Its name for people.
    pub(super) shown: String,
    /// It knows runs and sessions beside spans.
    pub(super) sessions: bool,
    /// It wants attempts of partial selections, too.
    pub(super) partial: bool,
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// The destination.
    to: String,
    #[serde(flatten)]
    what: What,
}

/// What is known of a session at a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// Its id there, once it is known there.
    pub(super) there: Option<String>,
    pub(super) updated: bool,
    pub(super) spans: bool,
    pub(super) refused: bool,
}

/// What has arrived at one destination.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) begun: Option<Begun>,
    sessions: HashMap<String, Session>,
    runs: HashMap<String, String>,
    finished: Vec<String>,
}

/// The marks of one journal.
#[derive(Debug)]
pub(super) struct Marks {
    file: File,
    arrived: HashMap<String, Arrived>,
    /// Lines that are not written yet.
    pending: Vec<u8>,
}

/// Why marks cannot be made.
#[derive(Debug)]
pub(super) enum MarksError {
    /// Somebody else is sending from this journal.
    InUse,
    Io(PathBuf, io::Error),
}

impl std::fmt::Display for MarksError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse => f.write_str("somebody else is sending from this journal"),
            Self::Io(path, error) => write!(f, "cannot use {}: {error}", path.display()),
        }
    }
}

fn beside(journal: &Path) -> PathBuf {
    journal.with_extension("sent")
}

impl Marks {
    /// The marks of a journal, locked for this process.
    pub(super) fn open(journal: &Path) -> Result<Self, MarksError> {
        let path = beside(journal);
        let fail = |error| MarksError::Io(path.clone(), error);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = file.map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(MarksError::InUse),
            // A file system without locks: then people must see to it themselves.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail)?;
        let mut pending = Vec::new();
        if text.last().is_some_and(|byte| *byte != b'\n') {
            // A torn last line must not swallow the next one.
            pending.push(b'\n');
        }
        Ok(Self { file, arrived: read(&text), pending })
    }

    /// The marks of a journal as they stand, for looking only.
    pub(super) fn look(journal: &Path) -> HashMap<String, Arrived> {
        std::fs::read(beside(journal)).map(|text| read(&text)).unwrap_or_default()
    }

    pub(super) fn session(&self, to: &str, session_id: &str) -> Session {
        let arrived = self.arrived.get(to);
        arrived.and_then(|arrived| arrived.sessions.get(session_id)).cloned().unwrap_or_default()
    }

    pub(super) fn run(&self, to: &str, run_id: &str) -> Option<&str> {
        self.arrived.get(to)?.runs.get(run_id).map(String::as_str)
    }

    pub(super) fn is_finished(&self, to: &str, run_id: &str) -> bool {
        self.arrived.get(to).is_some_and(|at| at.is_finished(run_id))
    }

    /// Notes that it is being sent there, unless that is known.
    pub(super) fn begin(&mut self, to: &str, begun: Begun) {
        if self.arrived.get(to).and_then(|at| at.begun.as_ref()) != Some(&begun) {
            self.add(to, What::Begun(begun));
        }
    }

    pub(super) fn add(&mut self, to: &str, what: What) {
        let line = Line { to: to.to_owned(), what };
        // Strings only; none can fail to be written.
        if serde_json::to_writer(&mut self.pending, &line).is_ok() {
            self.pending.push(b'\n');
        }
        self.arrived.entry(line.to).or_default().note(line.what);
    }

    /// Writes what was added. A disk that is full makes nothing arrive twice by itself: it is sent
    /// again at most, under the same ids.
    pub(super) fn flush(&mut self) {
        if !self.pending.is_empty() && self.file.write_all(&self.pending).is_ok() {
            self.pending.clear();
        }
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Arrived {
    pub(super) fn session(&self, session_id: &str) -> Option<&Session> {
        self.sessions.get(session_id)
    }

    pub(super) fn is_finished(&self, run_id: &str) -> bool {
        self.finished.iter().any(|id| id == run_id)
    }

    fn note(&mut self, what: What) {
        match what {
            What::Begun(begun) => self.begun = Some(begun),
            What::Run { run_id, there } => {
                self.runs.insert(run_id, there);
            }
            What::Session { session_id, there } => {
                self.sessions.entry(session_id).or_default().there = Some(there);
            }
            What::Update { session_id } => {
                self.sessions.entry(session_id).or_default().updated = true;
            }
            What::Spans { session_ids } => {
                for id in session_ids {
                    self.sessions.entry(id).or_default().spans = true;
                }
            }
            What::Refused { session_id, .. } => {
                self.sessions.entry(session_id).or_default().refused = true;
            }
            What::Finished { run_id } => self.finished.push(run_id),
        }
    }
}

/// Lines that cannot be read are of a later version, or torn: what they say is sent again.
fn read(text: &[u8]) -> HashMap<String, Arrived> {
    let mut arrived: HashMap<String, Arrived> = HashMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        if let Ok(Line { to, what }) = serde_json::from_slice(line) {
            arrived.entry(to).or_default().note(what);
        }
    }
    arrived
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_outlive_the_process_and_a_torn_line() {
        let journal = std::env::temp_dir().join(format!("marks-{}.jsonl", std::process::id()));
        let mut marks = Marks::open(&journal).unwrap();
        assert!(matches!(Marks::open(&journal), Err(MarksError::InUse)));
        let session_id = || "s1".to_owned();
        marks.add("h", What::Run { run_id: "r".into(), there: "R".into() });
        marks.add("h", What::Session { session_id: session_id(), there: "S1".into() });
        marks.add("h", What::Spans { session_ids: vec![session_id(), "s2".into()] });
        marks.add("o", What::Spans { session_ids: vec!["s3".into()] });
        marks.flush();
        marks.file.write_all(b"{\"to\":\"h\",\"upd").unwrap();
        drop(marks);
        let mut marks = Marks::open(&journal).unwrap();
        marks.add("h", What::Update { session_id: session_id() });
        marks.add("h", What::Finished { run_id: "r".into() });
        drop(marks);
        let marks = Marks::open(&journal).unwrap();
        assert_eq!(marks.run("h", "r"), Some("R"));
        assert!(marks.is_finished("h", "r") && !marks.is_finished("o", "r"));
        let there = Some("S1".to_owned());
        let whole = Session { there, updated: true, spans: true, refused: false };
        assert_eq!(marks.session("h", "s1"), whole);
        assert!(marks.session("h", "s2").spans && !marks.session("h", "s3").spans);
        assert!(marks.session("o", "s3").spans);
        std::fs::remove_file(beside(&journal)).unwrap();
    }
}
