//! Closes an invocation: the end of its journal, the summary, the reports, the exit code; also when it
//! is interrupted.

use std::collections::HashSet;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use super::{FAILED, INTERRUPTED, Invocation, park_for_ever};
use crate::gate::case::Case;
use crate::gate::miss::Miss;
use crate::journal::{CaseCounts, CaseState, EndRecord, Record};
use crate::outcome::{Counts, Figures, Seen};
use crate::report::files::Written;
use crate::report::{ExperimentSummary, Fault, Summary};
use crate::text::{count, timestamp};
use crate::upload::Sent;

/// The result of an invocation.
#[derive(Debug)]
pub(crate) struct Closed<'a> {
    /// The exit code of a process that did nothing else.
    pub(crate) exit_code: u8,
    pub(crate) summary: Summary<'a>,
    /// The reports, where some were asked for.
    pub(crate) written: Option<Written>,
    /// The counts of what was sent, per destination; `None` where nothing is sent anywhere.
    pub(crate) sent: Option<Vec<Sent>>,
}

impl Invocation {
    /// Ends the journal, prints the summary, writes the reports and sends what is left to send. `failed`
    /// says whether anything failed that the journal's cases do not tell. Only the first caller comes
    /// back.
    pub(crate) fn close(&self, failed: bool, interrupted: bool) -> Closed<'_> {
        let recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = self.closed.swap(true, Ordering::AcqRel);
        drop(recording);
        if closed {
            // The other thread prints, and then ends the process.
            park_for_ever();
        }
        let experiments: Vec<ExperimentSummary<'_>> =
            (0..self.shared.jobs.len()).map(|job| self.summarise(job)).collect();
        let journal = &self.shared.journal;
        // What is not on disk any more was not recorded, however long ago it was written.
        let is_lost = journal.verify().is_err() && journal.is_lost();
        let unrecorded = if is_lost {
            experiments.iter().map(|experiment| experiment.figures.cases).sum()
        } else {
            self.shared.unrecorded.load(Ordering::Acquire)
        };
        let unscored = experiments
            .iter()
            .any(|experiment| experiment.figures.nothing_scored || experiment.stopped.is_some());
        let exit_code = if interrupted {
            INTERRUPTED
        } else if failed || unscored || unrecorded > 0 || self.shared.journal.failure().is_some() {
            FAILED
        } else {
            0
        };
        self.git.wait();
        let mut counts: CaseCounts = experiments.iter().map(|one| one.figures.counts.states).sum();
        // A case that was asked for by name and is gone, of an experiment that ran, is an error of it.
        let ran = |fault: &&Fault| experiments.iter().any(|one| one.name == fault.experiment());
        for _ in self.faults.iter().filter(ran) {
            counts.add(CaseState::Error);
        }
        let redacted = self.shared.options.redactor.taken();
        let mut entry = self.shared.journal.entry();
        entry.push(&Record::End(EndRecord {
            ended_at: timestamp(SystemTime::now()),
            cases: counts,
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

    /// Returns the exit code, or that of a failure where the journal was lost: without it, no result is proven.
    fn recorded(&self, exit_code: u8) -> u8 {
        if exit_code == 0 && self.shared.journal.verify().is_err() { FAILED } else { exit_code }
    }

    /// Writes the reports of everything that the invocation has so far.
    fn write_reports(&self, journal: &Path) -> Option<Written> {
        // Where the file could not be written, memory has more than what is recorded.
        let own = self.shared.journal.take_kept();
        let own = own.filter(|_| self.shared.journal.failure().is_none());
        let written = self.after_run.write(journal.parent()?, own);
        self.terminal.written(&written);
        Some(written)
    }

    /// Returns the worst misses, each after the command that reruns it: those that fail their case first,
    /// and of these, and of the rest, those that did not miss in the baseline.
    fn misses(&self, job: usize) -> Vec<(String, Miss)> {
        let misses = self.shared.board.lanes[job].misses();
        misses.into_iter().map(|miss| (self.target.rerun(&miss.test), miss)).collect()
    }

    fn summarise(&self, job: usize) -> ExperimentSummary<'_> {
        let spec = &self.shared.jobs[job].spec;
        let lane = &self.shared.board.lanes[job];
        let mut cases = lane.cases();
        let counts = self.counts(job, &cases);
        let stopped_early = self.stopped_early(job);
        // The figures are of the cases that the gate judged.
        cases.retain(|case| stopped_early.is_none() || case.has_run());
        let times = *lane.times.lock().unwrap_or_else(PoisonError::into_inner);
        ExperimentSummary {
            name: spec.name.clone(),
            origin: spec.dataset.origin.clone(),
            rows: spec.dataset.rows.len(),
            selected: lane.total(),
            repeats: spec.repeats,
            sampled: spec.sample.is_some(),
            recalled: self.shared.jobs[job].recorded.len(),
            figures: Figures::new(Seen {
                rules: spec.rules.clone(),
                cases: &cases,
                counts,
                is_whole: self.shared.jobs[job].selected.len() == spec.dataset.rows.len(),
                gate: self.verdicts[job].get(),
                name: &|row| spec.dataset.rows[row].slug.clone(),
            }),
            misses: self.misses(job),
            not_judging: self.not_judging[job].clone(),
            stopped: self.stopped(job).map(str::to_owned),
            stopped_early,
            elapsed: times.0.map(|start| times.1.unwrap_or_else(Instant::now) - start),
        }
    }

    /// Counts the cases of an experiment by state; those without a result were not run.
    fn counts(&self, job: usize, cases: &[Case]) -> Counts {
        let lane = &self.shared.board.lanes[job];
        let indices = self.shared.jobs[job].selected.iter().zip(0..);
        let passed: HashSet<usize> =
            indices.filter(|(_, index)| lane.has_passed(*index)).map(|(row, _)| *row).collect();
        let states = cases.iter().map(|case| (case.state, passed.contains(&case.row)));
        Counts::of(states).out_of(lane.total())
    }
}
