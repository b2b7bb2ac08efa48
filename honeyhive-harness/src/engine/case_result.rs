//! The result of a case: decided from its attempts and put on the board.

use std::sync::atomic::Ordering;

use super::board::Outcome;
use super::job::Job;
use super::poison::is_consequence;
use super::state::Shared;
use crate::datapoint::Datapoint;
use crate::gate::case::{self, Case, Decision, RowFacts};
use crate::gate::input::Baseline;
use crate::gate::miss::Miss;
use crate::gate::snapshot::missed_before;
use crate::journal::{AttemptRecord, CaseRecord};
use crate::text::one_line;

/// The most columns of a reason in a failed test's text.
const LONGEST_REASON: usize = 300;

/// The severity that is taken off a failure which another one has caused: it ranks below all others.
const CONSEQUENCE: f64 = 5_000.0;

/// The result of a case.
pub(super) struct CaseResult {
    case: Case,
    decision: Decision,
    miss: Option<Miss>,
    pub(super) outcome: Outcome,
}

impl CaseResult {
    /// Decides a case from all of its attempts.
    pub(super) fn new(
        job: &Job,
        row: usize,
        datapoint: Option<&Datapoint>,
        attempts: &[AttemptRecord],
    ) -> Self {
        let Job { spec, leave_to_gate, .. } = job;
        let facts = match datapoint {
            Some(datapoint) => RowFacts::new(&spec.rules, row, datapoint, spec.cluster.as_deref()),
            None => RowFacts::unreadable(&spec.rules, row),
        };
        let (case, decision) = case::decide(&spec.rules, facts, attempts);
        let failed = !decision.failing.is_empty() || (!decision.gated.is_empty() && !leave_to_gate);
        let miss = decision.reasons().next().is_some().then(|| {
            let test = spec.test_name(row);
            let mut miss =
                Miss::new(&spec.rules, &spec.reads(), test, &case, &decision, failed, attempts);
            // The failure that others come from is shown before them.
            if miss.reasons.iter().any(|reason| is_consequence(reason)) {
                miss.severity -= CONSEQUENCE;
            }
            miss
        });
        let message = if failed { message(&decision, *leave_to_gate) } else { String::new() };
        Self { case, decision, miss, outcome: Outcome { passed: !failed, skipped: false, message } }
    }

    /// Returns the journal's record of it.
    pub(super) fn record(&self, job: &Job) -> CaseRecord {
        CaseRecord {
            experiment: job.spec.name.clone(),
            case: job.spec.dataset.rows[self.case.row].id.clone(),
            test: job.spec.test_name(self.case.row),
            state: self.case.state,
            passed: self.outcome.passed,
            reasons: self.decision.reasons().cloned().collect(),
            row_hash: self.case.row_hash.clone(),
        }
    }

    /// Puts it on the board, and stops what it is a reason to stop.
    pub(super) fn put_up(mut self, shared: &Shared, job: usize, index: usize) {
        let (progress, lane) = (&shared.progress[job], &shared.board.lanes[job]);
        let spec = &shared.jobs[job].spec;
        if let Some(miss) = &mut self.miss {
            let read = || Some(Baseline::read(&spec.baseline, &spec.name).ok()?.snapshot);
            let before = lane.before(read);
            let id = &spec.dataset.rows[self.case.row].id;
            let judges = &spec.rules.judges;
            miss.compare(
                before.and_then(|before| missed_before(judges, before, id, &self.case.row_hash)),
            );
        }
        progress.note_case(&self.case, self.outcome.passed);
        if !self.outcome.passed && shared.options.fail_fast {
            let test = spec.test_name(self.case.row);
            shared.stop(format!("{test} failed, and --fail-fast is set"));
        }
        // Cases that were given up for another reason are not decided on, either.
        let left = lane.total().saturating_sub(lane.ran() + 1);
        if left > 0 && !lane.is_decided() && progress.is_decided(&spec.rules, &self.case, left) {
            // No further case is started: the gate can come to no other verdict.
            lane.decided.store(true, Ordering::Release);
            shared.places.notify();
        }
        lane.put(index, self.case, self.miss, self.outcome);
    }
}

/// Returns the text of a failed case's test: its worst reasons, how many more, and whether a gate
/// might have seen it otherwise. At most two lines.
fn message(decision: &Decision, leave_to_gate: bool) -> String {
    let forgivable = decision.failing.is_empty() && !leave_to_gate;
    let shown = if forgivable { 1 } else { 2 };
    let reasons: Vec<String> =
        decision.reasons().map(|reason| one_line(reason, LONGEST_REASON)).collect();
    let mut text = reasons[..reasons.len().min(shown)].join("\n");
    if reasons.len() > shown {
        text.push_str(&format!(" (and {} more)", reasons.len() - shown));
    }
    if forgivable {
        text.push_str("\na full run's gate may forgive this");
    }
    text
}
