//! What becomes of a run: gates, the summary, the exit code; also when it is interrupted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::{Completion, Failed};

use super::FAILED;
use super::args::Args;
use super::exit::{exit, exit_at_once};
use super::live::Line;
use super::place::Target;
use super::plan::NotJudging;
use super::second_look;
use super::sending::Sending;
use crate::config::Config;
use crate::engine::{Job, Outcome, Shared};
use crate::gate::case::{Case, CaseScore, Scored};
use crate::gate::decided::judge_stopped;
use crate::gate::miss::Miss;
use crate::gate::snapshot::snapshot;
use crate::gate::verdict::{self, Baseline, Scene};
use crate::journal::{
    CaseState, EndRecord, Entry, GateRecord, Record, Recorded, RuleRecord, StoppedRecord, Verdict,
};
use crate::report::files::AfterRun;
use crate::report::{self, COLUMNS, ExperimentSummary, Fault, Summary};
use crate::text::{count, timestamp};

/// How long attempts under way may go on after the first Ctrl-C: they are paid for already.
const GRACE: Duration = Duration::from_secs(2);

/// Longer lines are harder to read, however wide the terminal is.
const MOST_COLUMNS: usize = 120;

/// How long the engine may take to give up calls that outlast the grace. It takes milliseconds, but
/// for a disk that does not answer.
const SETTLING: Duration = Duration::from_secs(5);

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

    /// Waits for all cases of an experiment, where its gate judges them, and records what it says.
    pub(super) fn gate(&self, job: usize) -> Result<Completion, Failed> {
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
        let mut entry = Entry::default();
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
        if let Err(error) = written {
            return Err(format!("not recorded: {error}").into());
        }
        let text = texts(record);
        let failing = if self.alone[job] { self.failing(job) } else { Vec::new() };
        if !failing.is_empty() {
            let cases = self.failed_cases(job, &failing);
            let cases = format!("{cases}; the gate does not decide about them here");
            let texts =
                if record.verdict == Verdict::Pass { cases } else { format!("{cases}\n{text}") };
            return Err(texts.into());
        }
        match record.verdict {
            Verdict::Pass => Ok(Completion::Completed),
            Verdict::Fail => Err(text.into()),
            Verdict::Inconclusive if record.passed => {
                // libtest prints the reason of an ignored test in its line.
                Ok(Completion::ignored_with(text.replace('\n', "; ")))
            }
            Verdict::Inconclusive => {
                Err(format!("inconclusive, and {}:\n{text}", self.strict).into())
            }
        }
    }

    /// What a gate says that cannot judge at all.
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

    /// Waits for a whole experiment: it passes when all its cases and its gate do.
    pub(super) fn whole(&self, job: usize) -> Result<Completion, Failed> {
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
            && let Err(failed) = self.gate(job)
        {
            texts.extend(failed.message().map(str::to_owned));
        }
        if texts.is_empty() { Ok(Completion::Completed) } else { Err(texts.join("\n").into()) }
    }

    /// The names of cases that failed, of an experiment all of whose cases are decided.
    fn failing(&self, job: usize) -> Vec<String> {
        let lane = &self.shared.board.lanes[job];
        let Job { spec, selected, .. } = &self.shared.jobs[job];
        (0..lane.total())
            .filter(|index| !lane.wait(*index).passed)
            .map(|index| spec.dataset.rows[selected[index]].slug.clone())
            .collect()
    }

    /// `2 of 80 cases failed: a, b`
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

    /// The cases that ran of an experiment whose gate was decided before its last case.
    fn stopped_early(&self, job: usize) -> Option<StoppedRecord> {
        let lane = &self.shared.board.lanes[job];
        let skipped = |case: &&Case| case.state == CaseState::Skipped;
        let is_over = lane.is_decided() && lane.done() == lane.total();
        let not_run = if is_over { lane.cases().iter().filter(skipped).count() } else { 0 };
        // A second reason counts: then not all cases ran that the gate was decided on.
        (not_run > 0 && lane.stopped.get().is_none())
            .then(|| StoppedRecord { ran: lane.total() - not_run, of: lane.total() })
    }

    /// Why not all cases of an experiment were run, where that is no success.
    fn stopped(&self, job: usize) -> Option<&str> {
        if self.stopped_early(job).is_some() {
            return None;
        }
        let lane = &self.shared.board.lanes[job];
        let reason = lane.stopped.get().map(String::as_str).or(self.shared.stopped());
        let skipped = |case: &Case| case.state == CaseState::Skipped;
        let all = lane.done() == lane.total() && !lane.cases().iter().any(skipped);
        (!all).then(|| reason.unwrap_or("the engine did not run all cases; please report this"))
    }

    fn judge(&self, job: usize) -> GateRecord {
        let lane = &self.shared.board.lanes[job];
        if let Some(reason) = self.stopped(job) {
            return self.undecided(job, format!("not all cases were run: {reason}"));
        }
        let mut cases = lane.cases();
        let stopped = self.stopped_early(job);
        cases.retain(|case| stopped.is_none() || case.state != CaseState::Skipped);
        let first = self.judge_cases(job, &cases, stopped);
        match second_look::at(&self.shared, job, &first) {
            None => first,
            Some(Err(why)) => second_look::not_taken(first, &why),
            Some(Ok(again)) => {
                let pooled: Vec<Case> = cases
                    .into_iter()
                    .map(|case| {
                        again.iter().find(|one| one.row == case.row).cloned().unwrap_or(case)
                    })
                    .collect();
                let strict = !self.strict.is_empty();
                let second = self.judge_cases(job, &pooled, None);
                second_look::both(first, second, again.len(), strict)
            }
        }
    }

    /// What the gate of an experiment says of these cases, which are not all where it stopped.
    fn judge_cases(
        &self,
        job: usize,
        cases: &[Case],
        stopped: Option<StoppedRecord>,
    ) -> GateRecord {
        let spec = &self.shared.jobs[job].spec;
        let name = |row: usize| spec.dataset.rows[row].slug.clone();
        let id = |row: usize| spec.dataset.rows[row].id.clone();
        let read = spec.rules.need_baseline().then(|| Baseline::read(&spec.baseline, &spec.name));
        let now = read.is_some().then(|| {
            let record = spec.record(&self.shared.jobs[job].selected);
            let cases = cases.iter().map(|case| (id(case.row), case));
            snapshot(&record, &spec.rules, self.shared.models(job), cases)
        });
        let scene = Scene {
            rules: &spec.rules,
            name: &name,
            id: &id,
            baseline: read.as_ref().map(|read| read.as_ref().map_err(String::as_str)),
            now: now.as_ref(),
        };
        let rules = match stopped {
            Some(stopped) => judge_stopped(&scene, cases, stopped.not_run()),
            None => verdict::judge_all(&scene, cases),
        };
        let record = verdict::gate_record(&spec.name, rules, &scene, !self.strict.is_empty());
        GateRecord { stopped, ..record }
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

    /// Ends the process after a signal: waits for calls under way for a moment, then for the engine
    /// to give them up, and closes. Whatever happens to this thread, the process ends.
    fn end_interrupted(&self, line: &Line) -> ! {
        let close = || {
            let is_over = || self.shared.is_over() && self.judging.load(Ordering::Acquire) == 0;
            if !wait_until(GRACE, is_over) {
                self.shared.halt().cut();
                wait_until(SETTLING, is_over);
            }
            line.stop();
            self.close(true, true)
        };
        let code = catch_unwind(AssertUnwindSafe(close)).unwrap_or(INTERRUPTED);
        exit(code)
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

/// Waits until something is so, for at most this long; whether it is.
fn wait_until(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
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

/// At most three lines about the rules that made the verdict: each with what was found. The
/// summary has the whole of it.
fn texts<'a>(record: &'a GateRecord) -> String {
    if let Some(reason) = &record.reason {
        return reason.clone();
    }
    let rules = record.rules.iter().filter(|rule| rule.verdict == record.verdict);
    // A rule that fails goes on with the worst cases and what changed; one that is inconclusive
    // with what it lacks.
    let short = |rule: &'a RuleRecord| match rule.verdict {
        Verdict::Fail => rule.text.split("; ").next().unwrap_or_default(),
        _ => rule.text.as_str(),
    };
    let mut texts: Vec<&str> = rules.map(short).collect();
    let more = texts.len().saturating_sub(3);
    texts.truncate(3);
    let mut text = texts.join("\n");
    if more > 0 {
        text.push_str(&format!(" (and {more} more rules)"));
    }
    text
}

/// Ctrl-C, or a request to end (SIGTERM): start nothing more, wait for calls under way for a moment,
/// write down what is done, and end. While results are being sent, end that. A second signal ends
/// the process at once.
pub(super) fn on_interrupt(finale: &Arc<Finale>, line: &Line) {
    let (finale, line) = (Arc::clone(finale), line.clone());
    let signals = AtomicUsize::new(0);
    let watch = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        let signalled = finale.shared.halt().signalled();
        runtime.block_on(each_signal(&signalled, move || {
            if signals.fetch_add(1, Ordering::AcqRel) > 0 {
                // Other threads may hold any lock, that of stdout included.
                line.try_clear();
                exit_at_once(INTERRUPTED);
            }
            if finale.closed.load(Ordering::Acquire) {
                // All is done and recorded; what takes so long is the sending.
                finale.hurried.store(true, Ordering::Release);
                return;
            }
            finale.interrupted.store(true, Ordering::Release);
            finale.shared.halt().interrupt();
            // A thread of its own, so that the second signal is heard meanwhile.
            let (own, its_line) = (Arc::clone(&finale), line.clone());
            let end = std::thread::Builder::new().name("honeyhive-end".to_owned());
            if end.spawn(move || own.end_interrupted(&its_line)).is_err() {
                finale.end_interrupted(&line);
            }
        }));
    };
    // Without the thread, Ctrl-C ends the process the plain way; the journal is safe either way.
    let _ = std::thread::Builder::new().name("honeyhive-signals".to_owned()).spawn(watch);
}

/// `signalled` is set at once, `on_signal` is called when this thread gets to it.
#[cfg(unix)]
async fn each_signal(signalled: &Arc<AtomicBool>, on_signal: impl Fn()) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::task::Poll;
    use tokio::signal::unix::{SignalKind, signal};

    let interrupt = signal(SignalKind::interrupt());
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, signal(SignalKind::terminate()))
    else {
        return;
    };
    for signal in [SIGINT, SIGTERM] {
        // Without it a signal is noticed a little later.
        let _ = signal_hook::flag::register(signal, Arc::clone(signalled));
    }
    loop {
        std::future::poll_fn(|cx| {
            let came = interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready();
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        on_signal();
    }
}

#[cfg(not(unix))]
async fn each_signal(_signalled: &Arc<AtomicBool>, on_signal: impl Fn()) {
    while tokio::signal::ctrl_c().await.is_ok() {
        on_signal();
    }
}
