//! What still has to be sent, as far as the marks say. Nobody is asked.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::journals;
use super::marks::{Arrived, Begun, Marks};

/// What a destination that an invocation was sent to has not taken yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Unsent {
    /// Its name in the marks.
    #[serde(skip)]
    name: String,
    /// The destination, for people.
    pub(crate) to: String,
    /// Attempts that are meant for it.
    pub(crate) attempts: usize,
    /// Of these, how many may still arrive.
    pub(crate) left: usize,
    /// Runs whose end is not known there.
    pub(crate) unfinished_runs: usize,
}

impl Unsent {
    /// Whether it is about this destination.
    pub(crate) fn is_of(&self, to: &Destination) -> bool {
        self.name == to.name
    }
}

/// What the destinations that an invocation was sent to have not taken yet, without those that have
/// everything.
///
/// # Errors
/// When the directory or a file in it cannot be read.
pub(crate) fn unsent(directory: &Path) -> io::Result<Vec<Unsent>> {
    let mut all: Vec<Unsent> = Vec::new();
    for journal in journals(directory)? {
        let arrived = Marks::look(&journal);
        let begun = arrived.iter().filter_map(|(name, at)| Some((name, at.begun.as_ref()?, at)));
        let begun: Vec<(&String, &Begun, &Arrived)> = begun.collect();
        // Most were never meant to be sent, or it is done; reading takes its time.
        if begun.is_empty() {
            continue;
        }
        let text = std::fs::read(&journal)?;
        for (name, begun, at) in begun {
            let here = missing(&text, name, begun, at);
            match all.iter_mut().find(|other| other.name == here.name) {
                None => all.push(here),
                Some(other) => {
                    other.attempts += here.attempts;
                    other.left += here.left;
                    other.unfinished_runs += here.unfinished_runs;
                }
            }
        }
    }
    all.retain(|unsent| unsent.left + unsent.unfinished_runs > 0);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// What matters here of a line; the rest of it is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: String,
    run_id: String,
    session_id: String,
    rows: usize,
    selected: usize,
}

/// What a destination lacks of one journal.
fn missing(journal: &[u8], name: &str, begun: &Begun, at: &Arrived) -> Unsent {
    let to = begun.shown.clone();
    let mut unsent = Unsent { name: name.to_owned(), to, ..Unsent::default() };
    // By run: whether it is wanted, and has attempts.
    let mut runs: HashMap<String, (bool, bool)> = HashMap::new();
    for line in journal.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
        match line.r#type.as_str() {
            "experiment" => {
                let wanted = begun.partial || line.selected >= line.rows;
                runs.entry(line.run_id).or_default().0 = wanted;
            }
            "attempt" => {
                let Some((true, has_attempts)) = runs.get_mut(&line.run_id) else { continue };
                *has_attempts = true;
                unsent.attempts += 1;
                let is_settled = at.session(&line.session_id).is_some_and(|session| {
                    session.refused || (session.spans && (session.updated || !begun.sessions))
                });
                unsent.left += usize::from(!is_settled);
            }
            _ => {}
        }
    }
    if begun.sessions {
        let open = runs.iter().filter(|(id, run)| **run == (true, true) && !at.is_finished(id));
        unsent.unfinished_runs = open.count();
    }
    unsent
}
