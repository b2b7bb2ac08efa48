//! What becomes of a run: the answers of its tests, the summary, the exit code; also when it is
//! interrupted.

mod gates;
mod interrupt;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

pub(super) use self::interrupt::on_interrupt;
use super::FAILED;
use super::args::Args;
use super::place::Target;
use super::plan::NotJudging;
use super::second_look;
use super::sending::Sending;
use crate::config::Config;
use crate::engine::{Outcome, Shared};
use crate::gate::case::{Case, CaseScore};
use crate::gate::evaluator::Scored;
use crate::gate::miss::Miss;
use crate::journal::{CaseState, EndRecord, Entry, GateRecord, Record, Recorded};
use crate::report::files::AfterRun;
use crate::report::{self, COLUMNS, ExperimentSummary, Fault, Summary};
use crate::text::{count, timestamp};

/// Longer lines are harder to read, however wide the terminal is.
const MOST_COLUMNS: usize = 120;

/// The exit code of a process that Ctrl-C or SIGTERM ended.
const INTERRUPTED: u8 = 130;

/// A run and what it comes to.
#[derive(Debug)]
pub(super) struct Finale {
    shared: Arc<Shared>,
    not_judging: Vec<NotJudging>,
    verdicts: Vec<OnceLock<GateRecord>>,
    /// Why an inconclusive gate fails; empty where it is ignored.
    strict: &'static str,
    target: Target,
    faults: Vec<Fault>,
    /// Per job: its gate alone was asked for.
    alone: Vec<bool>,
    /// The summary goes to stderr, since stdout belongs to machines.
    to_stderr: bool,
    color: Option<libtest_mimic::ColorSetting>,
    columns: usize,
    git: Recorded,
    sending: Mutex<Option<Sending>>,
    after_run: AfterRun,
    interrupted: AtomicBool,
    /// Held while a gate is recorded, and from the moment on when none may be any more.
    recording: Mutex<()>,
    /// Gates that are being judged.
    judging: AtomicUsize,
    closed: AtomicBool,
    /// Somebody does not want to wait for what is still being sent.
    hurried: AtomicBool,
    started: Instant,
}

impl Finale {
    pub(super) fn new(
        shared: Arc<Shared>,
        (not_judging, alone): (Vec<NotJudging>, Vec<bool>),
        strict: &'static str,
        target: Target,
        faults: Vec<Fault>,
        (git, sending, after_run): (Recorded, Option<Sending>, AfterRun),
        (args, config): (&Args, &Config),
    ) -> Self {
        Self {
            verdicts: not_judging.iter().map(|_| OnceLock::new()).collect(),
            shared,
            not_judging,
            strict,
            target,
            faults,
            alone,
            to_stderr: super::is_json(args.format),
            color: args.color,
            columns: columns(config),
            git,
            sending: Mutex::new(sending),
            after_run,
            interrupted: AtomicBool::new(false),
            recording: Mutex::default(),
            judging: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// After Ctrl-C no answer comes: thousands of lines about cases that were not run would bury
    /// the summary, and the process is about to end.
    fn unless_interrupted(&self) {
        if self.interrupted.load(Ordering::Acquire) {
            park_for_ever();
        }
    }

    /// Waits for a case.
    pub(super) fn case(&self, job: usize, index: usize) -> Outcome {
        let mut outcome = self.shared.board.lanes[job].wait(index);
        self.unless_interrupted();
        if !outcome.passed && !outcome.skipped {
            let Some(row) = self.shared.jobs[job].selected.get(index) else { return outcome };
            let test = self.shared.jobs[job].spec.test_name(*row);
            outcome.message.push_str(&format!("\nrerun: {}", self.target.rerun(&test)));
        }
        outcome
    }

    /// Ends the journal, prints the summary, sends what is left to send, and says the exit code.
    /// Only the first caller comes back.
    pub(super) fn close(&self, failed: bool, interrupted: bool) -> u8 {
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
            columns: self.columns,
            interrupted,
            failed: exit_code != 0,
            elapsed: self.started.elapsed(),
        };
        report::print_summary(&summary, self.to_stderr, self.color);
        let written = summary.journal.as_deref().and_then(|journal| self.write_reports(journal));
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let hurried = || self.hurried.load(Ordering::Acquire);
        let exit_code =
            sending.map_or(exit_code, |sending| sending.finish(exit_code, interrupted, hurried));
        if let Some(path) = &written {
            report::print_report(path, self.to_stderr, self.color);
        }
        if journal.late() > 0 {
            report::note(&format!(
                "{} came after the end of the run and is not in the journal",
                count(journal.late(), "record")
            ));
        }
        let last = self.recorded(exit_code);
        if last != exit_code
            && let Some(error) = journal.failure()
        {
            report::error(error);
        }
        last
    }

    /// The exit code, unless the journal was lost since: without it, nothing that passed is known.
    fn recorded(&self, exit_code: u8) -> u8 {
        if exit_code == 0 && self.shared.journal.verify().is_err() { FAILED } else { exit_code }
    }

    /// Writes the reports of all that the invocation has so far; the one to look at.
    fn write_reports(&self, journal: &Path) -> Option<PathBuf> {
        let written = self.after_run.write(journal.parent()?);
        report::print_annotations(&written.annotations, self.to_stderr);
        for note in &written.notes {
            report::note(note);
        }
        written.path
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

/// The columns for values in the summary: those of the terminal, where a person reads it there.
fn columns(config: &Config) -> usize {
    let terminal = console::Term::stdout();
    let wide = if terminal.is_term() { usize::from(terminal.size().1) } else { 0 };
    config.columns.unwrap_or(wide).clamp(COLUMNS, MOST_COLUMNS)
}

fn park_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}
