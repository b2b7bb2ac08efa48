//! The `main` of a test target: reads arguments, lists, answers tasks, or runs what is selected.

use std::process::ExitCode;

use super::args::{self, Args};
use super::execute::execute;
use super::plan::Plan;
use super::sources::{Built, Sources};
use super::trials::{self, trials};
use super::waiting::Watch;
use super::{live, never_run, place, task};
use crate::config::{Asked, Config};
use crate::engine;
use crate::invocation::FAILED;
use crate::redact::Redactor;
use crate::registry;
use crate::report;

/// The test that nextest lists where no experiment is linked: without one, nextest would not show that
/// the target tested nothing.
const NOTHING_LINKED: &str = "no_experiment_is_linked";

/// Runs the experiments of this test binary; [`main!`](crate::main) calls it with what the compiler
/// knew of the target.
#[doc(hidden)]
pub fn run(built: &Built) -> ExitCode {
    let _guard = super::exit::guard();
    // Installed before any code of the user runs, so that its panics are reported with their places.
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
            // nextest lists ignored tests separately, and this one is not ignored.
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
    let target = place::target(built.file, built.crate_name, config);
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
        if args.must_exist {
            return Err(
                "none of the tests that are to be run again is selected: other arguments, such as \
                 --skip or --ignored, leave them out"
                    .to_owned(),
            );
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
