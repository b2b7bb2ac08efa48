//! Closes an invocation: the end of its journal, the summary, the reports, the exit code; also when it
//! is interrupted.

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use super::{FAILED, INTERRUPTED, Invocation, park_for_ever};
use crate::gate::case::{Case, CaseScore};
use crate::gate::evaluator::Scored;
use crate::gate::miss::Miss;
use crate::journal::{CaseState, EndRecord, Entry, Record};
use crate::report::files::Written;
use crate::report::{ExperimentSummary, Summary};
use crate::text::{count, timestamp};
use crate::upload::Sent;

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Closed {
    /// The exit code of a process that did nothing else.
    pub(crate) exit_code: u8,
    pub(crate) summary: Summary,
    /// The reports, where some were asked for.
    pub(crate) written: Option<Written>,
    /// What was sent, destination by destination; `None` where nothing is sent anywhere.
    pub(crate) sent: Option<Vec<Sent>>,
}

impl Invocation {
    /// Ends the journal, prints the summary, writes the reports and sends what is left to send. `failed`
    /// says whether anything failed that the journal's cases do not tell. Only the first caller comes
    /// back.
    pub(crate) fn close(&self, failed: bool, interrupted: bool) -> Closed {
        let recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = self.closed.swap(true, Ordering::AcqRel);
        drop(recording);
        if closed {
            // The other thread prints, and then ends the process.
            park_for_ever();
        }
        let experiments: Vec<ExperimentSummary> =
            (0..self.shared.jobs.len()).map(|job| self.summarise(job)).collect();
        let journal = &self.shared.journal;
        // What is not on disk any more was not recorded, however long ago it was written.
        let is_lost = journal.verify().is_err() && journal.is_lost();
        let unrecorded = if is_lost {
            experiments.iter().map(|experiment| experiment.cases.len()).sum()
        } else {
            self.shared.unrecorded.load(Ordering::Acquire)
        };
        let unscored = experiments
            .iter()
            .any(|experiment| experiment.nothing_scored || experiment.stopped.is_some());
        let exit_code = if interrupted {
            INTERRUPTED
        } else if failed || unscored || unrecorded > 0 || self.shared.journal.failure().is_some() {
            FAILED
        } else {
            0
        };
        let mut cases = [0; 5];
        for experiment in &experiments {
            for (total, count) in cases.iter_mut().zip(experiment.counts) {
                *total += count;
            }
        }
        self.git.wait();
        let redacted = self.shared.options.redactor.taken();
        let mut entry = Entry::default();
        entry.push(&Record::End(EndRecord {
            ended_at: timestamp(SystemTime::now()),
            cases: cases.into(),
            interrupted,
            exit_code,
            redacted: redacted.clone(),
        }));
        // A journal that cannot be written has said so already.
        let _ = self.shared.journal.commit_blocking(entry);
        let exit_code = self.recorded(exit_code);
        let summary = Summary {
            experiments,
            faults: self.faults.clone(),
            journal: (!journal.is_lost()).then(|| journal.path().to_owned()),
            redacted,
            journal_error: self.shared.journal.failure().map(str::to_owned),
            unrecorded,
            columns: self.terminal.columns(),
            interrupted,
            failed: exit_code != 0,
            elapsed: self.started.elapsed(),
        };
        self.terminal.summary(&summary);
        let written = summary.journal.as_deref().and_then(|journal| self.write_reports(journal));
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let hurried = || self.hurried.load(Ordering::Acquire);
        let (exit_code, sent) = match sending {
            None => (exit_code, None),
            Some(sending) => {
                let (exit_code, sent) =
                    sending.finish(exit_code, interrupted, hurried, self.terminal);
                (exit_code, Some(sent))
            }
        };
        if let Some(written) = &written {
            self.terminal.report(written);
        }
        if journal.late() > 0 {
            self.terminal.note(&format!(
                "{} came after the end of the run and is not in the journal",
                count(journal.late(), "record")
            ));
        }
        let last = self.recorded(exit_code);
        if last != exit_code
            && let Some(error) = journal.failure()
        {
            self.terminal.error(error);
        }
        Closed { exit_code: last, summary, written, sent }
    }

    /// The exit code, unless the journal was lost since: without it, nothing that passed is known.
    fn recorded(&self, exit_code: u8) -> u8 {
        if exit_code == 0 && self.shared.journal.verify().is_err() { FAILED } else { exit_code }
    }

    /// Writes the reports of all that the invocation has so far.
    fn write_reports(&self, journal: &Path) -> Option<Written> {
        let written = self.after_run.write(journal.parent()?);
        self.terminal.written(&written);
        Some(written)
    }

    /// The worst misses, each after the command that reruns it: those that fail their case first,
    /// and of these, and of the rest, those that did not miss in the baseline.
    fn misses(&self, job: usize) -> Vec<(String, Miss)> {
        let misses = self.shared.board.lanes[job].misses();
        misses.into_iter().map(|miss| (self.target.rerun(&miss.test), miss)).collect()
    }

    fn summarise(&self, job: usize) -> ExperimentSummary {
        let spec = &self.shared.jobs[job].spec;
        let lane = &self.shared.board.lanes[job];
        let mut cases = lane.cases();
        let mut counts = [0; 5];
        for case in &cases {
            counts[case.state.index()] += 1;
        }
        counts[4] += lane.total().saturating_sub(cases.len());
        let stopped_early = self.stopped_early(job);
        // The tables are of the cases that the gate judged.
        cases.retain(|case| stopped_early.is_none() || case.state != CaseState::Skipped);
        let full = self.shared.jobs[job].selected.len() == spec.dataset.rows.len();
        let any_score =
            cases.iter().any(|case| case.scores.iter().any(|score| score.scored().is_some()));
        let ran = cases.iter().any(|case| case.state != CaseState::Skipped);
        let times = *lane.times.lock().unwrap_or_else(PoisonError::into_inner);
        ExperimentSummary {
            name: spec.name.clone(),
            origin: spec.dataset.origin.clone(),
            rows: spec.dataset.rows.len(),
            selected: lane.total(),
            repeats: spec.repeats,
            sampled: spec.sample.is_some(),
            recalled: self.shared.jobs[job].recorded.len(),
            rules: spec.rules.clone(),
            counts,
            nothing_scored: full && ran && !spec.evaluators.is_empty() && !any_score,
            misses: self.misses(job),
            verdict: self.verdicts[job].get().cloned(),
            not_judging: self.not_judging[job].clone(),
            stopped: self.stopped(job).map(str::to_owned),
            stopped_early,
            flaky: flaky(&cases, &|row| spec.dataset.rows[row].slug.clone()),
            elapsed: times.0.map(|start| times.1.unwrap_or_else(Instant::now) - start),
            cases,
        }
    }
}

/// Cases whose attempts disagree, each with its good attempts.
fn flaky(cases: &[Case], name: &dyn Fn(usize) -> String) -> Vec<String> {
    let of = |case: &Case| {
        let scored = case.scores.iter().filter_map(CaseScore::scored);
        let flaky = scored.filter(Scored::is_flaky).min_by_key(|one| one.good)?;
        let good = flaky.good.unwrap_or_default();
        Some(format!("{} {good}/{}", name(case.row), flaky.attempts))
    };
    cases.iter().filter_map(of).collect()
}
