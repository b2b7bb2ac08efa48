//! Counts what still has to be sent, from the marks alone, without a request to any server.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::journals;
use super::marks::{Arrived, Begun, Marks};
use crate::files;

/// The counts of what a destination that an invocation was sent to has not taken yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Unsent {
    /// Its name in the marks.
    #[serde(skip)]
    name: String,
    /// Set when it knows runs and sessions beside spans.
    #[serde(skip)]
    sessions: bool,
    /// Set when something of the invocation has arrived there.
    #[serde(skip)]
    any: bool,
    /// The destination's name for people.
    pub(crate) to: String,
    /// The number of attempts that are meant for it.
    pub(crate) attempts: usize,
    /// The number of attempts that may still arrive.
    pub(crate) left: usize,
    /// The number of runs whose end is not known there.
    pub(crate) unfinished_runs: usize,
    /// The number of attempts that were refused although others were taken.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) refused: usize,
    /// The reason why the last of them was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<String>,
    /// The reason why the rest was not taken, when it was last tried.
    #[serde(skip)]
    pub(crate) why: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Unsent {
    /// Returns whether a destination is to get it: the one that it was meant for, or another of the kind
    /// where that one took nothing at all, as one with a wrong address does.
    pub(crate) fn is_for(&self, to: &Destination) -> bool {
        self.name == to.name || (!self.any && self.sessions == to.has_sessions())
    }

    /// Returns whether nothing of it is missing there.
    fn is_complete(&self) -> bool {
        self.left + self.unfinished_runs + self.refused == 0
    }

    fn add(&mut self, other: Self) {
        self.any |= other.any;
        self.attempts += other.attempts;
        self.left += other.left;
        self.unfinished_runs += other.unfinished_runs;
        self.refused += other.refused;
        self.refusal = other.refusal.or_else(|| self.refusal.take());
        self.why = other.why.or_else(|| self.why.take());
    }
}

/// Returns the counts for the destinations of an invocation that have not taken everything yet.
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
        for (name, begun, at) in begun {
            let lines = BufReader::new(files::open_regular(&journal)?);
            let here = missing(lines, name, begun, at)?;
            match all.iter_mut().find(|other| other.name == here.name) {
                None => all.push(here),
                Some(other) => other.add(here),
            }
        }
    }
    // An address that took nothing was a wrong one, where another one has everything.
    let arrived = |sessions: bool| {
        all.iter().any(|one| one.sessions == sessions && one.any && one.is_complete())
    };
    let elsewhere = [arrived(false), arrived(true)];
    all.retain(|one| !one.is_complete() && (one.any || !elsewhere[usize::from(one.sessions)]));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The fields of a journal's line that are read here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: String,
    run_id: String,
    session_id: String,
    rows: usize,
    selected: usize,
}

/// Counts what a destination lacks of one journal.
fn missing(journal: impl BufRead, name: &str, begun: &Begun, at: &Arrived) -> io::Result<Unsent> {
    let mut unsent = Unsent {
        name: name.to_owned(),
        sessions: begun.sessions,
        any: at.has_any(),
        to: begun.shown.clone(),
        why: at.stopped.clone(),
        ..Unsent::default()
    };
    // By run: whether it is wanted, and has attempts.
    let mut runs: HashMap<String, (bool, bool)> = HashMap::new();
    for line in journal.split(b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(&line?) else { continue };
        match line.r#type.as_str() {
            "experiment" => {
                let wanted = begun.partial || line.selected >= line.rows;
                runs.entry(line.run_id).or_default().0 = wanted;
            }
            "attempt" => {
                let Some((true, has_attempts)) = runs.get_mut(&line.run_id) else { continue };
                *has_attempts = true;
                unsent.attempts += 1;
                let known = at.session(&line.session_id);
                if let Some(why) = known.and_then(|session| session.refused.clone()) {
                    unsent.refused += 1;
                    unsent.refusal = Some(why);
                    continue;
                }
                let is_there = known
                    .is_some_and(|session| session.spans && (session.updated || !begun.sessions));
                unsent.left += usize::from(!is_there);
            }
            _ => {}
        }
    }
    if begun.sessions {
        let open = runs.iter().filter(|(id, run)| **run == (true, true) && !at.is_finished(id));
        unsent.unfinished_runs = open.count();
    }
    Ok(unsent)
}
