//! The setup of an invocation under `cargo test`.

use libtest_mimic::FormatSetting;

use super::args::Args;
use super::capacity::Capacity;
use super::plan::strict;
use super::{live, place};
use crate::config::Config;
use crate::engine::{self, Job, Options};
use crate::invocation::{self, STRICT, Setup, Target, Terminal};
use crate::journal::InvocationRecord;
use crate::redact::Redactor;
use crate::report::COLUMNS;
use crate::upload::Destination;

/// The most columns of a summary: longer lines are harder to read, however wide the terminal is.
const MOST_COLUMNS: usize = 120;

/// Returns the setup of an invocation.
pub(super) fn setup(
    args: &Args,
    config: &Config,
    target: &Target,
    record: InvocationRecord,
    (destinations, options): (Vec<Destination>, Options),
) -> Setup {
    let terminal = Terminal::Prints {
        to_stderr: is_json(args.format),
        color: args.color,
        columns: columns(config),
    };
    Setup {
        root: Some(config.dir.clone().unwrap_or_else(place::journal_root)),
        parent: parent(config, &record),
        record,
        noted: config.cache_dir.clone().zip(config.package.clone().map(|(_, directory)| directory)),
        sources: config.package.as_ref().map_or_else(|| ".".into(), |(_, path)| path.clone()),
        target: target.clone(),
        destinations,
        patience: config.flush_timeout,
        require_upload: config.require_upload,
        strict: why_strict(config),
        reports: config.reports.clone(),
        package: config.package.clone().map(|(_, directory)| directory).unwrap_or_default(),
        options,
        terminal,
    }
}

/// Returns how to run, with as many threads as can be started, and how many of them wait for results.
pub(super) fn options(
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
        keep_attempts: invocation::looks_twice(jobs),
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

/// Returns the journal's record of this process.
pub(super) fn record(
    config: &Config,
    target: &Target,
    rejudged: Option<String>,
) -> InvocationRecord {
    InvocationRecord {
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
    }
}

/// Returns what the processes of one invocation have in common.
fn parent(config: &Config, record: &InvocationRecord) -> Option<String> {
    match &config.nextest {
        _ if record.rejudged.is_some() && config.invocation.is_some() => config.invocation.clone(),
        Some(nextest) => nextest.run_id.clone(),
        None => config.under_cargo.then(place::parent_key).flatten(),
    }
}

/// Returns the columns for values in the summary: those of the terminal, where a person reads it there.
fn columns(config: &Config) -> usize {
    let terminal = console::Term::stdout();
    let wide = if terminal.is_term() { usize::from(terminal.size().1) } else { 0 };
    config.columns.unwrap_or(wide).clamp(COLUMNS, MOST_COLUMNS)
}

/// Returns the reason why an inconclusive gate fails; empty where it is ignored.
fn why_strict(config: &Config) -> &'static str {
    if !strict(config) {
        ""
    } else if config.nextest.is_some() {
        "nextest would count an ignored gate as passed"
    } else {
        STRICT
    }
}

/// Returns the number of threads that wait for results. With one per attempt under way, results are
/// printed as they come, and with a single one strictly in order. Where very many are under way, waking
/// a thread for each costs more than most of them do, and the order of the dataset is good enough: at
/// 256 attempts at once, one thread per attempt costs 1.84, 2.03 and 2.11 times the CPU time (bench
/// overhead, rows `noop_1_000`, `noop_100_000` and `sync_100_000`, 2 cores, 2026-11). There are no more
/// threads than tests to wait for; but two, where results may come out of order, so that a name is printed
/// together with its result.
fn waiting_threads(attempts: usize, tests: usize, live: bool) -> usize {
    match attempts {
        ..=32 => attempts.min(tests.max(2)),
        _ if live => 4,
        _ => 1,
    }
}

/// Returns whether stdout is read by programs.
pub(super) fn is_json(format: Option<FormatSetting>) -> bool {
    format == Some(FormatSetting::Json)
}
