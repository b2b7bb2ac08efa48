//! The test binary: what cargo and the engine see of each other.
//!
//! [`main!`](crate::main) makes [`run`] the `main` of a test target. The conversation with cargo
//! is libtest-mimic's; the cases run in the engine, and each test only waits for its result.

mod args;
mod capacity;
mod exit;
mod filters;
mod finale;
mod live;
mod load;
mod modules;
mod never_run;
mod order;
mod place;
mod plan;
mod rejudge;
mod repeats;
mod sample;
mod second_look;
mod sending;
mod sources;
mod task;
mod trials;
mod waiting;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Completion, FormatSetting};

use args::Args;
use capacity::Capacity;
use finale::Finale;
use plan::{Place, Plan, strict};
use sending::Sending;
#[doc(hidden)]
pub use sources::Built;
use sources::Sources;
use trials::{Runner, fault, trials};
use waiting::Watch;

use crate::config::{Asked, Config};
use crate::engine::{self, Job, Options, Shared};
use crate::gate::case::has_miss;
use crate::journal::{self, CaseState, Entry, InvocationRecord, Record, Writer};
use crate::redact::Redactor;
use crate::registry;
use crate::report::files::{AfterRun, most_kept};
use crate::report::{self, Fault};
use crate::text::count;

/// The exit code of failed tests, as libtest has it.
const FAILED: u8 = 101;

/// A function with `#[test]` in a target without libtest: its name, file and line, and whether
/// `#[experiment]` stands below.
#[doc(hidden)]
pub type NeverRun = (&'static str, &'static str, usize, bool);

/// The test that nextest is told of where no experiment is linked: without one, the target would
/// not be seen to have tested nothing.
const NOTHING_LINKED: &str = "no_experiment_is_linked";

/// Runs the experiments of this test binary. Called by [`main!`](crate::main) with what the
/// compiler knew of the target.
#[doc(hidden)]
pub fn run(built: &Built) -> ExitCode {
    let _guard = exit::guard();
    // Before any code of the user runs: what it panics with is told with its place.
    let _hook = engine::use_hook();
    match try_run(built) {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            report::error(&text);
            ExitCode::from(FAILED)
        }
    }
}

fn try_run(built: &Built) -> Result<u8, String> {
    let mut args = Args::parse(std::env::args_os().skip(1))?;
    if args.help {
        report::out(args::HELP)?;
        return Ok(0);
    }
    let config = Config::from_env()?;
    args.must_exist = matches!(&config.task, Some(Ok(task)) if task.names_come_from_a_run());
    args.resolve_modules(&registry::experiments());
    let redactor = Redactor::new(&config, []);
    // An error may quote anything.
    run_experiments(built, &args, &config, &redactor)
        .map_err(|text| redactor.text(&text).into_owned())
}

fn run_experiments(
    built: &Built,
    args: &Args,
    config: &Config,
    redactor: &Redactor,
) -> Result<u8, String> {
    let entries = registry::experiments();
    if entries.is_empty() {
        if args.list {
            // nextest lists ignored tests apart, and this is none.
            let listed = if args.wants(false) { &[NOTHING_LINKED][..] } else { &[] };
            trials::list(listed.iter().copied())?;
            return Ok(0);
        }
        let beside = never_run::text(built.never_run).map(|text| format!("\n{text}"));
        return Err(format!(
            "no experiment is linked into this test target, so nothing was tested; put \
             #[experiment] on a function here, enable the feature or cfg that it is behind, or \
             name the crate that has one: `honeyhive_harness::main!(my_crate);`{}",
            beside.unwrap_or_default()
        ));
    }
    let sources = Sources::new(built, config);
    let live = live::is_wanted(args, config) && !args.list;
    let watch = Watch::start(live, live::columns(config));
    if args.list {
        let mut plan = Plan::new(&entries, args, config, &sources, redactor);
        plan.add_never_run(never_run::text(built.never_run), args);
        trials::list(plan.tests.iter().filter(|test| test.selected).map(|test| &*test.name))?;
        return Ok(0);
    }
    let task = task::check(config)?;
    if config.ci && !config.misspelt.is_empty() {
        return Err(format!(
            "{}\nin CI a misspelt variable is an error, as nobody reads notes there",
            config.misspelt.join("\n")
        ));
    }
    let mut plan = Plan::new(&entries, args, config, &sources, redactor);
    let target = place::Target::new(built.file, built.crate_name, config);
    let rejudge = match task.map(|task| (&task.what, task)) {
        Some((Asked::Rejudge(directory), _)) => Some(directory.as_path()),
        Some((Asked::Gate(_) | Asked::Plan, task)) => return task::answer(task, &plan, config),
        Some((Asked::Rerun, _)) | None => None,
    };
    if rejudge.is_none() {
        plan.add_never_run(never_run::text(built.never_run), args);
    }
    let notes = plan.about_filters(args);
    let warnings = config.misspelt.iter().chain(&config.warnings).chain(&args.notes);
    for warning in warnings {
        report::note(&redactor.text(warning));
    }
    if plan.running(args).next().is_none() {
        if let (Some(_), [missing, ..], true) = (&config.nextest, &args.filters[..], args.exact) {
            return Err(format!("experiment `{missing}` is not in this test target any more"));
        }
        for text in plan.faults().map(str::to_owned).chain(notes) {
            report::note(&redactor.text(&text));
        }
        return Ok(if trials::run(args, 1, trials(&plan, args, |_| None))? { FAILED } else { 0 });
    }
    for note in notes.into_iter().chain(plan.about_repeats(args, config)) {
        report::note(&redactor.text(&note));
    }
    if let Some(seed) = args.shuffle {
        report::note(&format!("shuffled; repeat this order with --shuffle-seed {seed}"));
    }
    execute(&plan, args, config, (&target, rejudge), redactor, &watch)
}

/// Runs what is selected.
fn execute(
    plan: &Plan,
    args: &Args,
    config: &Config,
    (target, rejudge): (&place::Target, Option<&Path>),
    redactor: &Redactor,
    watch: &Watch,
) -> Result<u8, String> {
    let mut prepared = plan.prepare(args, config, redactor);
    let faults: Vec<Fault> = prepared.places.iter().filter_map(Place::fault).collect();
    let tests = prepared.tests();
    let mut places = std::mem::take(&mut prepared.places).into_iter();
    if prepared.jobs.is_empty() {
        // Nothing can run: only faults to tell.
        let failing = |(name, text): (String, String)| fault(name, &text);
        let trials = trials(plan, args, |_| places.next().and_then(Place::failing).map(failing));
        trials::run(args, 1, trials)?;
        report::print_faults(&faults, is_json(args.format), args.color);
        return Ok(FAILED);
    }
    let rejudged = match rejudge {
        Some(directory) => Some(rejudge::prepare(directory, &mut prepared.jobs, target, redactor)?),
        None => None,
    };
    let (options, waiting) = options(&prepared.jobs, tests, args, config, redactor)?;
    let destinations = sending::announce(config, &prepared.jobs)?;
    let cases = prepared.jobs.iter().map(|job| job.selected.len()).sum();
    let keep = most_kept(&config.reports, cases);
    let (journal, mut entry) = open_journal(config, target, (rejudged, keep), redactor)?;
    let journal = Arc::new(journal);
    if config.nextest.as_ref().is_some_and(|nextest| nextest.attempt > 1) {
        recall(&mut prepared.jobs, journal.path())?;
    }
    for job in &prepared.jobs {
        let mut experiment = job.spec.record(&job.selected);
        experiment.redact(redactor);
        entry.push(&Record::Experiment(Box::new(experiment)));
    }
    for fault in &faults {
        entry.push(&Record::Case(fault.record()));
    }
    journal.commit_blocking(entry).map_err(|error| error.to_string())?;

    let here = config.package.as_ref().map_or_else(|| Path::new("."), |(_, path)| path.as_path());
    let worth_it = !destinations.is_empty() || !prepared.jobs.iter().all(sending::is_partial);
    let git = journal::ask_git(here, &journal, redactor, worth_it);
    let sending = Sending::start(config, destinations, &journal, git.answer)?;

    crate::tracer::install_global();
    let running = engine::start(prepared.jobs, options, Arc::clone(&journal))
        .map_err(|error| format!("cannot start the engine: {error}"))?;
    exit::watch(Arc::downgrade(&running.shared));
    let finale = Arc::new(Finale::new(
        Arc::clone(&running.shared),
        (prepared.gates, prepared.alone),
        why_strict(config),
        target.clone(),
        faults,
        (git.recorded, sending, after_run(&running.shared, config, target)),
        (args, config),
    ));
    // With one thread, libtest-mimic prints a name before its result, and the two would mix.
    let line = if live::is_wanted(args, config) && waiting > 1 {
        live::Line::start(&running.shared, config)
    } else {
        live::Line::default()
    };
    watch.hand_over(&line);
    finale::on_interrupt(&finale, &line);

    let trials = trials(plan, args, |_| {
        let finale = Arc::clone(&finale);
        let line = line.clone();
        let runner: Runner = match places.next()? {
            Place::Absent => return None,
            Place::Fault { name, text } | Place::NeverRun { name, text } => {
                return Some(fault(name, &text));
            }
            Place::Case { job, index } => Box::new(move || {
                let outcome = finale.case(job, index);
                line.clear();
                if outcome.skipped {
                    // Whatever stopped the run has failed, or the gate tells of it; thousands of failures
                    // more say nothing.
                    Ok(Completion::ignored_with(outcome.message))
                } else if outcome.passed {
                    Ok(Completion::Completed)
                } else {
                    Err(outcome.message.into())
                }
            }),
            Place::Whole { job } => Box::new(move || finale.whole(job)),
            Place::Gate { job } => Box::new(move || {
                let answer = finale.gate(job);
                line.clear();
                answer
            }),
        };
        Some((None, runner))
    });
    let failed = trials::run(args, waiting, trials);
    line.stop();
    running.finish();
    note_hooks(redactor);
    note_provider();
    if let Err(text) = &failed {
        report::error(text);
    }
    Ok(finale.close(failed.unwrap_or(true), false))
}

/// How to run, with as many threads as there are, and how many of them wait for results.
fn options(
    jobs: &[Job],
    tests: usize,
    args: &Args,
    config: &Config,
    redactor: &Redactor,
) -> Result<(Options, usize), String> {
    let mut options = Options {
        concurrency: args.test_threads.or(config.concurrency),
        workers: None,
        fail_fast: args.fail_fast,
        redactor: redactor.clone(),
        keep_attempts: second_look::is_wanted(jobs),
    };
    let attempts = engine::most_at_once(jobs, &options);
    let widest = jobs.iter().map(|job| job.spec.concurrency).max().unwrap_or(1);
    let widest = options.concurrency.unwrap_or(widest);
    let waiting = waiting_threads(widest, tests, live::is_wanted(args, config));
    let capacity = Capacity::new(attempts, waiting)?;
    options.workers = Some(capacity.workers);
    if capacity.attempts < attempts {
        options.concurrency = Some(capacity.attempts);
    }
    Ok((options, capacity.waiting))
}

/// What reports are to say of this process.
fn after_run(shared: &Shared, config: &Config, target: &place::Target) -> AfterRun {
    AfterRun {
        reports: config.reports.clone(),
        package: config
            .package
            .as_ref()
            .map(|(_, directory)| directory.clone())
            .unwrap_or_default(),
        target: target.path(),
        experiments: shared.jobs.iter().map(|job| job.spec.name.clone()).collect(),
        cases: shared.jobs.iter().map(|job| job.selected.len()).sum(),
    }
}

/// The journal of this process, and its first lines.
fn open_journal(
    config: &Config,
    target: &place::Target,
    (rejudged, keep): (Option<String>, Option<u64>),
    redactor: &Redactor,
) -> Result<(Writer, Entry), String> {
    let root = config.dir.clone().unwrap_or_else(place::journal_root);
    let mut invocation = InvocationRecord {
        package: target.package.clone(),
        package_dir: config
            .package
            .as_ref()
            .map(|(_, directory)| directory.display().to_string())
            .unwrap_or_default(),
        target: target.name.clone(),
        rerun: target.rerun.clone(),
        arguments: std::env::args_os()
            .skip(1)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        runner_attempt: config.nextest.as_ref().map_or(1, |nextest| nextest.attempt),
        service: config.service_name.clone().unwrap_or_else(|| target.package.clone()),
        source: config.tracer.source.clone().unwrap_or_else(|| "evaluation".to_owned()),
        project: config.tracer.project.clone(),
        rejudged,
        ..InvocationRecord::default()
    };
    invocation.redact(redactor);
    let parent = match &config.nextest {
        _ if invocation.rejudged.is_some() && config.invocation.is_some() => {
            config.invocation.clone()
        }
        Some(nextest) => nextest.run_id.clone(),
        None => config.under_cargo.then(place::parent_key).flatten(),
    };
    let opened = journal::create(&root, parent.as_deref(), invocation, keep).map_err(|error| {
        if config.dir.is_some() { format!("{error} (from HH_DIR)") } else { error }
    })?;
    if let (Some(cache), Some((_, package))) = (&config.cache_dir, &config.package)
        && let Some(run) = opened.0.path().parent()
    {
        journal::note_elsewhere(cache, package, run);
    }
    Ok(opened)
}

/// A hook that does not do its work is to be mended: what it could not look at is gone.
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

/// Spans that go to another provider are in no trace, and evaluators that read traces miss them.
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

/// Why an inconclusive gate fails; empty where it is ignored.
fn why_strict(config: &Config) -> &'static str {
    if !strict(config) {
        ""
    } else if config.nextest.is_some() {
        "nextest would count an ignored gate as passed"
    } else {
        "gates must decide here (in CI, or HH_REQUIRE_GATES=1)"
    }
}

/// How many threads wait for results. With one per attempt under way, results are printed as they
/// come, and with a single one strictly in order. Where very many are under way, waking a thread
/// for each costs more than most of them do, and the order of the dataset is good enough. There are
/// no more than tests to wait for; but two, where results may come out of order, so that a name is
/// printed together with its result.
fn waiting_threads(attempts: usize, tests: usize, live: bool) -> usize {
    match attempts {
        ..=32 => attempts.min(tests.max(2)),
        _ if live => 4,
        _ => 1,
    }
}

/// A retry by the outer runner heals errors, never scores: what was scored in an earlier attempt
/// stays as it was, and a case with an error beside a bad score keeps both.
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

/// Whether stdout belongs to machines.
fn is_json(format: Option<FormatSetting>) -> bool {
    format == Some(FormatSetting::Json)
}
