//! Answers for cases, gates and whole experiments, and judges the gates.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Invocation, park_for_ever, second_look};
use crate::engine::{Job, Outcome};
use crate::gate::case::Case;
use crate::gate::decided::judge_gate;
use crate::gate::input::{Baseline, GateInput};
use crate::gate::snapshot::snapshot;
use crate::journal::{GateRecord, Record, RuleRecord, StoppedRecord, Verdict};
use crate::text::count;

/// The answer of the test of a gate or of a whole experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Passed,
    /// The gate has no verdict and does not have to have one.
    Ignored(String),
    Failed(String),
}

impl Invocation {
    /// Blocks after Ctrl-C: thousands of lines about cases that were not run would bury the summary,
    /// and the process is about to end.
    fn unless_interrupted(&self) {
        if self.interrupted.load(Ordering::Acquire) {
            park_for_ever();
        }
    }

    /// Waits for a case.
    pub(crate) fn case(&self, job: usize, index: usize) -> Outcome {
        let mut outcome = self.shared.board.lanes[job].wait(index);
        self.unless_interrupted();
        if !outcome.passed && !outcome.skipped {
            let Some(row) = self.shared.jobs[job].selected.get(index) else { return outcome };
            let test = self.shared.jobs[job].spec.test_name(*row);
            outcome.message.push_str(&format!("\nrerun: {}", self.target.rerun(&test)));
        }
        outcome
    }

    /// Waits for all cases of an experiment, where its gate judges them, and records the verdict.
    ///
    /// # Errors
    /// When the verdict cannot be recorded.
    pub(crate) fn verdict(&self, job: usize) -> Result<&GateRecord, String> {
        let record = if let Some(reason) = &self.not_judging[job] {
            self.undecided(job, reason.clone())
        } else {
            self.shared.board.lanes[job].wait_for_all();
            self.unless_interrupted();
            let judging = Judging::new(&self.judging);
            let record = self.judge(job);
            drop(judging);
            record
        };
        let mut entry = self.shared.journal.entry();
        entry.push(&Record::Gate(record.clone()));
        let recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closed.load(Ordering::Acquire) {
            // The journal has its end already.
            drop(recording);
            park_for_ever();
        }
        let written = self.shared.journal.commit_blocking(entry);
        drop(recording);
        let record = self.verdicts[job].get_or_init(|| record);
        written.map_err(|error| format!("not recorded: {error}"))?;
        Ok(record)
    }

    /// Answers for the gate of an experiment. Where it was asked for `alone`, no other test tells of
    /// cases that fail by themselves, so this one does.
    pub(crate) fn gate(&self, job: usize, alone: bool) -> Answer {
        let record = match self.verdict(job) {
            Ok(record) => record,
            Err(error) => return Answer::Failed(error),
        };
        let text = texts(record);
        let failing = if alone { self.failing(job) } else { Vec::new() };
        if !failing.is_empty() {
            let cases = self.failed_cases(job, &failing);
            let cases = format!("{cases}; the gate does not decide about them here");
            let texts =
                if record.verdict == Verdict::Pass { cases } else { format!("{cases}\n{text}") };
            return Answer::Failed(texts);
        }
        match record.verdict {
            Verdict::Pass => Answer::Passed,
            Verdict::Fail => Answer::Failed(text),
            Verdict::Inconclusive if record.passed => Answer::Ignored(text),
            Verdict::Inconclusive => {
                Answer::Failed(format!("inconclusive, and {}:\n{text}", self.strict))
            }
        }
    }

    /// Waits for a whole experiment: it passes when all its cases and its gate do.
    pub(crate) fn whole(&self, job: usize) -> Answer {
        let lane = &self.shared.board.lanes[job];
        lane.wait_for_all();
        self.unless_interrupted();
        let spec = &self.shared.jobs[job].spec;
        let failing = self.failing(job);
        let mut texts = Vec::new();
        if !failing.is_empty() {
            texts.push(self.failed_cases(job, &failing));
        }
        if !spec.rules.gates.is_empty()
            && let Answer::Failed(text) = self.gate(job, false)
        {
            texts.push(text);
        }
        if texts.is_empty() { Answer::Passed } else { Answer::Failed(texts.join("\n")) }
    }

    /// Returns the record of a gate that cannot judge at all.
    fn undecided(&self, job: usize, reason: String) -> GateRecord {
        GateRecord {
            experiment: self.shared.jobs[job].spec.name.clone(),
            verdict: Verdict::Inconclusive,
            passed: self.strict.is_empty(),
            rules: Vec::new(),
            reason: Some(reason),
            baseline: None,
            stopped: None,
        }
    }

    /// Returns the names of the failed cases of an experiment all of whose cases are decided.
    fn failing(&self, job: usize) -> Vec<String> {
        let lane = &self.shared.board.lanes[job];
        let Job { spec, selected, .. } = &self.shared.jobs[job];
        (0..lane.total())
            .filter(|index| !lane.wait(*index).passed)
            .map(|index| spec.dataset.rows[selected[index]].slug.clone())
            .collect()
    }

    /// Describes failed cases: `2 of 80 cases failed: a, b`
    fn failed_cases(&self, job: usize, failing: &[String]) -> String {
        let more = failing.len().saturating_sub(5);
        let tail = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(
            "{} of {} failed: {}{tail}",
            failing.len(),
            count(self.shared.board.lanes[job].total(), "case"),
            failing[..failing.len() - more].join(", ")
        )
    }

    /// Returns the number of cases that ran, of an experiment whose gate was decided before its last
    /// case.
    pub(super) fn stopped_early(&self, job: usize) -> Option<StoppedRecord> {
        let lane = &self.shared.board.lanes[job];
        let is_over = lane.is_decided() && lane.done() == lane.total();
        let stopped = StoppedRecord { ran: lane.ran(), of: lane.total() };
        // Another reason to stop takes precedence: then cases are missing that the gate was decided on.
        (is_over && stopped.ran < stopped.of && lane.stopped.get().is_none()).then_some(stopped)
    }

    /// Returns why not all cases of an experiment were run; `None` where all were, or its gate was
    /// decided early.
    pub(super) fn stopped(&self, job: usize) -> Option<&str> {
        if self.stopped_early(job).is_some() {
            return None;
        }
        let lane = &self.shared.board.lanes[job];
        let reason = lane.stopped.get().map(String::as_str).or(self.shared.stopped());
        let all = lane.done() == lane.total() && lane.cases().iter().all(Case::has_run);
        (!all).then(|| reason.unwrap_or("the engine did not run all cases; please report this"))
    }

    fn judge(&self, job: usize) -> GateRecord {
        let lane = &self.shared.board.lanes[job];
        if let Some(reason) = self.stopped(job) {
            return self.undecided(job, format!("not all cases were run: {reason}"));
        }
        let mut cases = lane.cases();
        let stopped = self.stopped_early(job);
        cases.retain(|case| stopped.is_none() || case.has_run());
        let first = self.judge_cases(job, &cases, stopped);
        let gates = &self.shared.jobs[job].spec.rules.gates;
        match second_look::at(&self.shared, job, &first, self.terminal) {
            None => first,
            Some(Err(why)) => second_look::not_taken(first, gates, &why),
            Some(Ok(again)) => {
                let pooled: Vec<Case> = cases
                    .into_iter()
                    .map(|case| {
                        again.iter().find(|one| one.row == case.row).cloned().unwrap_or(case)
                    })
                    .collect();
                let strict = !self.strict.is_empty();
                let second = self.judge_cases(job, &pooled, None);
                second_look::both(first, second, gates, again.len(), strict)
            }
        }
    }

    /// Judges the gate of an experiment on these cases, which are not all where it stopped.
    fn judge_cases(
        &self,
        job: usize,
        cases: &[Case],
        stopped: Option<StoppedRecord>,
    ) -> GateRecord {
        let spec = &self.shared.jobs[job].spec;
        let name = |row: usize| spec.dataset.rows[row].slug.clone();
        let id = |row: usize| spec.dataset.rows[row].id.clone();
        let now = || {
            let record = spec.record(&self.shared.jobs[job].selected);
            let cases = cases.iter().map(|case| (id(case.row), case));
            snapshot(&record, &spec.rules, self.shared.models(job), cases)
        };
        let input = GateInput::new(&spec.rules, &name, &id)
            .compared_with(|| Baseline::read(&spec.baseline, &spec.name), now);
        judge_gate(&input, &spec.name, cases, stopped, !self.strict.is_empty())
    }
}

/// Counts a gate while it is judged, which may take a second look at its cases.
struct Judging<'a>(&'a AtomicUsize);

impl<'a> Judging<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Judging<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Returns at most three lines about the rules that made the verdict, each with what was found. The
/// summary has the whole of it.
fn texts<'a>(record: &'a GateRecord) -> String {
    if let Some(reason) = &record.reason {
        return reason.clone();
    }
    let rules = record.rules.iter().filter(|rule| rule.verdict == record.verdict);
    // The text of a rule that fails goes on with the worst cases and the changes; that of an inconclusive
    // rule with what it lacks.
    let short = |rule: &'a RuleRecord| match rule.verdict {
        Verdict::Fail => rule.text.split("; ").next().unwrap_or_default(),
        _ => rule.text.as_str(),
    };
    let mut texts: Vec<&str> = rules.map(short).collect();
    let more = texts.len().saturating_sub(3);
    texts.truncate(3);
    let mut text = texts.join("\n");
    if more > 0 {
        text.push_str(&format!(" (and {})", count(more, "more rule")));
    }
    text
}
