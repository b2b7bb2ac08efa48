//! The marks beside a journal: what has arrived at which destination.
//!
//! `<journal>.sent`, one JSON object per line, append-only. What is not in it may not
//! have arrived, and `cargo honeyhive push` sends it. The file is locked while a process sends from
//! its journal.
//!
//! Each line ends with a checksum. A line that was changed is passed over like one that is missing:
//! then something is sent once more under the same ids, and nothing is taken for sent that is not.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Sending to the destination began.
    Begun(Begun),
    /// The destination knows the run by this id.
    Run { run_id: String, there: String },
    /// The destination knows the session by this id.
    Session { session_id: String, there: String },
    /// The outputs and scores of the session arrived.
    Update { session_id: String },
    /// The spans of the sessions arrived.
    Spans { session_ids: Vec<String> },
    /// The destination refused the content of the session, and took others: it is not sent again.
    Refused { session_id: String, why: String },
    /// Everything that was refused before this line is to be sent again.
    Again {},
    /// Sending ended, and something was not taken; the last reason.
    Stopped { why: String },
    /// The destination knows the end of the run.
    Finished { run_id: String },
}

/// A destination, as later processes need it to tell what has not arrived there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Its name for people.
    pub(super) shown: String,
    /// Set when it knows runs and sessions beside spans.
    pub(super) sessions: bool,
    /// Set when it wants attempts of partial selections, too.
    pub(super) partial: bool,
    /// A digest of its settings: keys, encoding, certificates.
    #[serde(default)]
    pub(super) settings: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// The destination.
    to: String,
    #[serde(flatten)]
    what: What,
}

/// The state of a session at a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// Its id there, once it is known there.
    pub(super) there: Option<String>,
    pub(super) updated: bool,
    pub(super) spans: bool,
    /// The reason why it was refused.
    pub(super) refused: Option<String>,
}

/// Everything that has arrived at one destination.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) begun: Option<Begun>,
    /// The reason why something was not taken, when it was last tried.
    pub(super) stopped: Option<String>,
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

/// The reason why marks cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MarksError {
    /// Another process is sending from this journal.
    #[error("somebody else is sending from this journal")]
    InUse,
    #[error("cannot use {}: {}", .0.display(), .1)]
    Io(PathBuf, #[source] io::Error),
}

fn beside(journal: &Path) -> PathBuf {
    journal.with_extension("sent")
}

impl Marks {
    /// Opens the marks of a journal, locked for this process.
    pub(super) fn open(journal: &Path) -> Result<Self, MarksError> {
        let path = beside(journal);
        let fail = |error| MarksError::Io(path.clone(), error);
        if path.exists() {
            // Opening a FIFO would wait for a reader.
            files::open_regular(&path).map_err(fail)?;
        }
        let opened = files::private().read(true).append(true).create(true).open(&path);
        let mut file = opened.map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(MarksError::InUse),
            // A file system without locks: users must take care not to send twice at once.
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

    /// Reads the marks of a journal as they are, without a lock.
    pub(super) fn look(journal: &Path) -> HashMap<String, Arrived> {
        files::read_regular(&beside(journal)).map(|text| read(&text)).unwrap_or_default()
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

    /// Notes that it is being sent there, unless that is known. With other settings than before, or
    /// where it is wanted `again`, what was refused is no longer so.
    pub(super) fn begin(&mut self, to: &str, begun: Begun, again: bool) {
        let known = self.arrived.get(to).and_then(|at| at.begun.as_ref());
        let others = known.is_some_and(|known| known.settings != begun.settings);
        if known != Some(&begun) {
            self.add(to, What::Begun(begun));
        }
        let refused = |at: &Arrived| at.sessions.values().any(|known| known.refused.is_some());
        if (others || again) && self.arrived.get(to).is_some_and(refused) {
            self.add(to, What::Again {});
        }
    }

    /// Returns what was taken with these settings before: a session, an update, spans.
    pub(super) fn took(&self, to: &str, settings: &str) -> [bool; 3] {
        let known = self
            .arrived
            .get(to)
            .filter(|at| at.begun.as_ref().is_some_and(|begun| begun.settings == settings));
        let Some(at) = known else { return [false; 3] };
        let any = |took: fn(&Session) -> bool| at.sessions.values().any(took);
        [any(|one| one.there.is_some()), any(|one| one.updated), any(|one| one.spans)]
    }

    pub(super) fn add(&mut self, to: &str, what: What) {
        let line = Line { to: to.to_owned(), what };
        // Strings only; none can fail to be written.
        if let Ok(text) = serde_json::to_vec(&line) {
            let body = text.strip_suffix(b"}").unwrap_or(&text);
            self.pending.extend_from_slice(body);
            let sum = format!(",\"crc\":\"{:08x}\"}}\n", crc32fast::hash(body));
            self.pending.extend_from_slice(sum.as_bytes());
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

    /// Returns whether anything of the journal has arrived.
    #[cfg(feature = "cli")]
    pub(super) fn has_any(&self) -> bool {
        self.sessions.values().any(|known| known.there.is_some() || known.spans)
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
            What::Refused { session_id, why } => {
                self.sessions.entry(session_id).or_default().refused = Some(why);
            }
            What::Again {} => {
                self.sessions.values_mut().for_each(|session| session.refused = None);
            }
            What::Stopped { why } => self.stopped = Some(why),
            What::Finished { run_id } => self.finished.push(run_id),
        }
    }
}

/// Reads marks. Lines that cannot be read are of a later version, torn, or damaged: what they mark is
/// sent again.
fn read(text: &[u8]) -> HashMap<String, Arrived> {
    let mut arrived: HashMap<String, Arrived> = HashMap::new();
    // Files of earlier versions begin without checksums.
    let mut summed = false;
    for line in text.split(|byte| *byte == b'\n') {
        match is_whole(line) {
            Some(true) => summed = true,
            Some(false) => continue,
            None if summed => continue,
            None => {}
        }
        if let Ok(Line { to, what }) = serde_json::from_slice(line) {
            arrived.entry(to).or_default().note(what);
        }
    }
    arrived
}

/// Returns whether the checksum at the end of a line is that of the line, where it has one.
fn is_whole(line: &[u8]) -> Option<bool> {
    const BEFORE: &[u8] = b",\"crc\":\"";
    let rest = line.strip_suffix(b"\"}")?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    let body = rest.strip_suffix(BEFORE)?;
    Some(sum == format!("{:08x}", crc32fast::hash(body)).as_bytes())
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
        let whole = Session { there, updated: true, spans: true, refused: None };
        assert_eq!(marks.session("h", "s1"), whole);
        assert!(marks.session("h", "s2").spans && !marks.session("h", "s3").spans);
        assert!(marks.session("o", "s3").spans);
        std::fs::remove_file(beside(&journal)).unwrap();
    }

    fn begun(settings: &str) -> Begun {
        let (shown, settings) = ("H".to_owned(), settings.to_owned());
        Begun { shown, sessions: true, partial: false, settings }
    }

    #[test]
    fn what_was_refused_is_sent_again_where_it_is_wanted_or_settings_change() {
        let journal = std::env::temp_dir().join(format!("again-{}.jsonl", std::process::id()));
        let refuse = |marks: &mut Marks| {
            marks.add("h", What::Refused { session_id: "s".into(), why: "400".into() });
        };
        let refused = |marks: &Marks| marks.session("h", "s").refused;
        let mut marks = Marks::open(&journal).unwrap();
        marks.begin("h", begun("one"), false);
        refuse(&mut marks);
        marks.begin("h", begun("one"), false);
        assert_eq!(refused(&marks).as_deref(), Some("400"));
        marks.begin("h", begun("one"), true);
        assert_eq!(refused(&marks), None);
        refuse(&mut marks);
        marks.begin("h", begun("two"), false);
        drop(marks);
        assert_eq!(Marks::look(&journal)["h"].session("s").unwrap().refused, None);
        std::fs::remove_file(beside(&journal)).unwrap();
    }

    #[test]
    fn no_changed_bit_makes_anything_look_sent() {
        let journal = std::env::temp_dir().join(format!("bits-{}.jsonl", std::process::id()));
        let mut marks = Marks::open(&journal).unwrap();
        marks.begin("h", begun("one"), false);
        marks.add("h", What::Spans { session_ids: vec!["s1".into()] });
        drop(marks);
        let text = std::fs::read(beside(&journal)).unwrap();
        std::fs::remove_file(beside(&journal)).unwrap();
        assert!(read(&text)["h"].session("s1").unwrap().spans);
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            for (to, at) in read(&damaged) {
                assert_eq!(to, "h", "bit {bit}");
                assert!(at.sessions.keys().all(|id| id == "s1"), "bit {bit}");
            }
        }
    }
}
