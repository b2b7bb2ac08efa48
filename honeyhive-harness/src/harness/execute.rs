//! Runs the selected tests: starts an invocation, and libtest-mimic, which waits for its answers.

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Completion, Failed};

use super::args::Args;
use super::plan::{Place, Plan};
use super::trials::{self, Runner, fault, trials};
use super::waiting::Watch;
use super::{announce, exit, interrupt, live, rejudge, setup};
use crate::config::Config;
use crate::engine::Job;
use crate::gate::case::has_miss;
use crate::invocation::{Answer, FAILED, Opened, Target};
use crate::journal::{self, CaseState, Record};
use crate::redact::Redactor;
use crate::report::{self, Fault};
use crate::text::count;

/// Runs the selected tests.
pub(super) fn execute(
    plan: &Plan,
    args: &Args,
    config: &Config,
    (target, rejudge): (&Target, Option<&Path>),
    redactor: &Redactor,
    watch: &Watch,
) -> Result<u8, String> {
    let mut prepared = plan.prepare(args, config, redactor);
    let faults: Vec<Fault> = prepared.places.iter().filter_map(Place::fault).collect();
    let tests = prepared.tests();
    let mut places = std::mem::take(&mut prepared.places).into_iter();
    if prepared.jobs.is_empty() {
        // There is nothing to run, only errors to report.
        let failing = |(name, text): (String, String)| fault(name, &text);
        let trials = trials(plan, args, |_| places.next().and_then(Place::failing).map(failing));
        trials::run(args, 1, trials)?;
        report::print_faults(&faults, setup::is_json(args.format), args.color);
        return Ok(FAILED);
    }
    let rejudged = match rejudge {
        Some(directory) => Some(rejudge::prepare(directory, &mut prepared.jobs, target, redactor)?),
        None => None,
    };
    let (options, waiting) = setup::options(&prepared.jobs, tests, args, config, redactor)?;
    let destinations = announce::announce(config, &prepared.jobs)?;
    let record = setup::record(config, target, rejudged);
    let cases = prepared.jobs.iter().map(|job| job.selected.len()).sum();
    let setup = setup::setup(args, config, target, record, (destinations, options));
    let opened = Opened::new(setup, cases);
    let opened = opened.map_err(|error| {
        if config.dir.is_some() { format!("{error} (from HH_DIR)") } else { error }
    })?;
    if config.nextest.as_ref().is_some_and(|nextest| nextest.attempt > 1) {
        recall(&mut prepared.jobs, opened.journal())?;
    }
    crate::tracer::install_global();
    let invocation = opened.start(prepared.jobs, prepared.gates, faults)?;
    exit::watch(Arc::downgrade(&invocation.shared));
    // With one thread, libtest-mimic prints a name before its result, and the two would mix.
    let line = if live::is_wanted(args, config) && waiting > 1 {
        live::Line::start(&invocation.shared, config)
    } else {
        live::Line::default()
    };
    watch.hand_over(&line);
    interrupt::on_interrupt(&invocation, &line);

    let trials = trials(plan, args, |_| {
        let invocation = Arc::clone(&invocation);
        let line = line.clone();
        let runner: Runner = match places.next()? {
            Place::Absent => return None,
            Place::Fault { name, text } | Place::NeverRun { name, text } => {
                return Some(fault(name, &text));
            }
            Place::Case { job, index } => Box::new(move || {
                let outcome = invocation.case(job, index);
                line.clear();
                if outcome.skipped {
                    // What stopped the run has failed a test, or the gate reports it; thousands of
                    // further failures would add nothing.
                    Ok(Completion::ignored_with(outcome.message))
                } else if outcome.passed {
                    Ok(Completion::Completed)
                } else {
                    Err(outcome.message.into())
                }
            }),
            Place::Whole { job } => Box::new(move || completion(invocation.whole(job))),
            Place::Gate { job } => {
                let alone = prepared.alone[job];
                Box::new(move || {
                    let answer = invocation.gate(job, alone);
                    line.clear();
                    completion(answer)
                })
            }
        };
        Some((None, runner))
    });
    let failed = trials::run(args, waiting, trials);
    line.stop();
    invocation.join();
    note_hooks(redactor);
    note_provider();
    if let Err(text) = &failed {
        report::error(text);
    }
    Ok(invocation.close(failed.unwrap_or(true), false).exit_code)
}

/// Returns an answer in the terms of libtest.
fn completion(answer: Answer) -> Result<Completion, Failed> {
    match answer {
        Answer::Passed => Ok(Completion::Completed),
        // libtest prints the reason of an ignored test in its line.
        Answer::Ignored(text) => Ok(Completion::ignored_with(text.replace('\n', "; "))),
        Answer::Failed(text) => Err(text.into()),
    }
}

/// Prints notes about hooks of `redact!` that failed: the texts that they should have redacted were replaced
/// as a whole.
fn note_hooks(redactor: &Redactor) {
    if redactor.panics() > 0 {
        report::note(&format!(
            "a hook of redact! panicked at {}; each was replaced as a whole",
            count(redactor.panics(), "text")
        ));
    }
    if redactor.has_given_up() {
        report::note("a hook of redact! took too long; from then on, all texts were replaced");
    }
}

/// Prints a note when spans go to another provider: they are in no trace, and evaluators that read traces
/// miss them.
fn note_provider() {
    if !crate::tracer::is_global() {
        report::note(
            "the code under test set a tracer provider of its own \
             (`opentelemetry::global::set_tracer_provider`), so spans that it starts by \
             `opentelemetry::global` are in no trace of this run; set the provider where the \
             program starts (`main`), not in functions that experiments call",
        );
    }
}

/// Keeps the scores of an earlier attempt of the outer runner: a retry repeats errors only. What was
/// scored stays as it was, and a case with an error beside a bad score keeps both.
fn recall(jobs: &mut [Job], journal: &Path) -> Result<(), String> {
    let Some(directory) = journal.parent() else { return Ok(()) };
    for job in jobs {
        let earlier = journal::read_invocation(directory).map_err(|error| error.to_string())?;
        let name = &job.spec.name;
        let run = earlier.records.iter().find_map(|record| match record {
            Record::Experiment(experiment) if experiment.experiment == *name => {
                Some(Arc::from(experiment.run_id.as_str()))
            }
            _ => None,
        });
        // It goes on with the same run.
        if let (Some(run), Some(spec)) = (run, Arc::get_mut(&mut job.spec)) {
            spec.run_id = run;
        }
        job.recorded = earlier.recorded_cases(&job.spec.name, |case, attempts| {
            matches!(case.state, CaseState::Pass | CaseState::Fail)
                || has_miss(&job.spec.rules, attempts)
        });
    }
    Ok(())
}
