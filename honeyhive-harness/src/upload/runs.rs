//! The facts about each run that are collected while its attempts are sent: enough to finish it truthfully.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use super::marks::Marks;
use crate::api::RunStatus;
use crate::journal::{
    AttemptRecord, CaseRecord, ExperimentRecord, GitRecord, InvocationRecord, Record,
    StoppedRecord, Tail,
};

/// One experiment of the invocation.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) experiment: ExperimentRecord,
    /// The sessions that are known there, in the order of the dataset. Where the outer runner
    /// tried again, an attempt has several.
    sessions: BTreeMap<(usize, u32), Vec<String>>,
    /// Hashes of the cases that have a result.
    done: HashSet<u64>,
    any_output: bool,
    any_attempt: bool,
    /// The cases that ran, where its gate was decided before the last one.
    stopped: Option<StoppedRecord>,
}

/// The runs of an invocation.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) invocation: InvocationRecord,
    pub(super) git: GitRecord,
    by_id: HashMap<String, Run>,
    /// The ids of the runs, in the order of the journal.
    order: Vec<String>,
    run_of: HashMap<String, String>,
    hashes: RandomState,
    /// Set when the process ended in good order.
    ended: bool,
    interrupted: bool,
}

impl Runs {
    /// Adds a record. Attempts are added when they are sent.
    pub(super) fn note(&mut self, record: Record) {
        match record {
            Record::Invocation(invocation) => self.invocation = invocation,
            Record::Git(git) => self.git = git,
            Record::Experiment(experiment) => self.begin(*experiment),
            Record::Case(case) => self.case(&case),
            Record::End(end) => {
                self.ended = true;
                self.interrupted |= end.interrupted;
            }
            Record::Gate(gate) => {
                let run = self.run_of.get(&gate.experiment).and_then(|id| self.by_id.get_mut(id));
                if let Some(run) = run {
                    run.stopped = gate.stopped;
                }
            }
            Record::Attempt(_) | Record::Unknown => {}
        }
    }

    fn begin(&mut self, experiment: ExperimentRecord) {
        let run_id = experiment.run_id.clone();
        self.run_of.insert(experiment.experiment.clone(), run_id.clone());
        if let Some(run) = self.by_id.get_mut(&run_id) {
            run.experiment = experiment;
            return;
        }
        let run = Run {
            experiment,
            sessions: BTreeMap::new(),
            done: HashSet::new(),
            any_output: false,
            any_attempt: false,
            stopped: None,
        };
        self.by_id.insert(run_id.clone(), run);
        self.order.push(run_id);
    }

    fn case(&mut self, case: &CaseRecord) {
        let hash = self.hashes.hash_one(&case.case);
        let run = self.run_of.get(&case.experiment).and_then(|id| self.by_id.get_mut(id));
        if let Some(run) = run.filter(|_| case.state.has_run()) {
            run.done.insert(hash);
        }
    }

    /// Adds an attempt that was read from the journal.
    pub(super) fn attempt(&mut self, attempt: &AttemptRecord) {
        if let Some(run) = self.by_id.get_mut(&attempt.run_id) {
            run.any_attempt = true;
            run.any_output |= attempt.output.is_some();
        }
    }

    /// Adds an attempt whose session is known there.
    pub(super) fn session(&mut self, run_id: &str, row: usize, attempt: u32, there: &str) {
        if let Some(run) = self.by_id.get_mut(run_id) {
            let of_attempt = run.sessions.entry((row, attempt)).or_default();
            if !of_attempt.iter().any(|known| known == there) {
                of_attempt.push(there.to_owned());
            }
        }
    }

    pub(super) fn get(&self, run_id: &str) -> Option<&Run> {
        self.by_id.get(run_id)
    }

    pub(super) fn ids(&self) -> &[String] {
        &self.order
    }

    /// Adds what another journal of the invocation has for the same runs, and what of it arrived: a retry of
    /// the outer runner goes on with the run of the first attempt.
    pub(super) fn look_at(&mut self, journal: &Path, to: &str) {
        let Ok(mut tail) = Tail::open(journal) else { return };
        let arrived = Marks::look(journal).remove(to).unwrap_or_default();
        let mut others: HashSet<String> = HashSet::new();
        while let Ok(Some((_, record))) = tail.next() {
            match record {
                Record::Experiment(other) if self.by_id.contains_key(&other.run_id) => {
                    others.insert(other.experiment);
                }
                Record::Case(case) if others.contains(&case.experiment) => self.case(&case),
                Record::Attempt(attempt) if self.by_id.contains_key(&attempt.run_id) => {
                    self.attempt(&attempt);
                    let known = arrived.session(&attempt.session_id);
                    let there = known.and_then(|session| session.there.as_deref());
                    if let Some(there) = there {
                        self.session(&attempt.run_id, attempt.row, attempt.attempt, there);
                    }
                }
                _ => {}
            }
        }
    }

    /// Returns the status of a run at its end, as far as the journal says. It is `Failed` where the run
    /// stopped before all selected cases ran, or has no output.
    pub(super) fn status(&self, run: &Run) -> RunStatus {
        if self.interrupted {
            RunStatus::Cancelled
        } else if self.ended && run.any_output && run.is_done() {
            RunStatus::Completed
        } else {
            RunStatus::Failed
        }
    }
}

impl Run {
    /// Returns whether only some of the dataset's rows were selected.
    pub(super) fn is_partial(&self) -> bool {
        self.experiment.selected < self.experiment.rows
    }

    /// Returns whether every case that had to run has a result.
    fn is_done(&self) -> bool {
        let needless = self.stopped.map_or(0, StoppedRecord::not_run);
        self.done.len() + needless >= self.experiment.selected
    }

    /// Returns the reason why not all of its cases ran, where that is not a failure.
    pub(super) fn stopped_early(&self) -> Option<String> {
        self.stopped.map(StoppedRecord::text)
    }

    /// Returns whether any attempt was made.
    pub(super) fn has_attempts(&self) -> bool {
        self.any_attempt
    }

    /// Returns the sessions that are known there, in the order of the dataset.
    pub(super) fn sessions(&self) -> Vec<String> {
        self.sessions.values().flatten().cloned().collect()
    }
}
