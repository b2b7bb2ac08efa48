//! Implements `cargo honeyhive run`, which runs `cargo test` or nextest with options for experiments.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::json;

use super::cargo::{self, Target};
use super::{Done, Outcome, pick, targets};
use crate::config::Config;
use crate::journal::{
    CaseState, ExperimentRecord, ExperimentResults, Keep, Results, StoppedRecord,
};
use crate::report;
use crate::text::count;

/// The most tests that a rerun names in a command line, since some systems refuse longer ones.
const MOST_NAMES: usize = 100_000;

/// The exit code when nothing was run, or not everything that should have been.
const NOT_RUN: u8 = 2;

/// Runs experiments: `cargo test` (or nextest) with the switches that experiments know.
///
/// Runs the test targets that have experiments, unless the arguments after `--`, which are
/// passed to cargo, choose targets. Everything it does can be done with `cargo test` and
/// environment variables, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive run                         all experiments of this package
  cargo honeyhive run --sample 20             20 cases of each experiment, always the same ones
  cargo honeyhive run --rerun failed          what failed in the newest run
  cargo honeyhive run --rerun missing         what an interrupted run did not reach
  cargo honeyhive run --filter qa:: --repeats 5 -- --test evals
  cargo honeyhive run --nextest -- --profile ci

Exit codes: 0 passed, 1 failed or not started, 2 nothing was run, as nothing is to be run again, or
cases of the newest run were never run, 64 usage.")]
pub(super) struct Args {
    /// Runs on N cases of each experiment, chosen by the seed; gates do not decide
    #[arg(long, value_name = "N")]
    sample: Option<NonZeroUsize>,
    /// Another seed chooses another sample
    #[arg(long, value_name = "S", requires = "sample")]
    seed: Option<u64>,
    /// Attempts per case, whatever the attributes say
    #[arg(long, value_name = "N")]
    repeats: Option<NonZeroU32>,
    /// Only tests whose name contains this; may be given several times
    #[arg(long, short, value_name = "TEXT")]
    filter: Vec<String>,
    /// Only cases of the newest run: those that failed, ended in an error, or were never run
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["filter", "nextest"])]
    rerun: Option<Rerun>,
    /// Sends nothing anywhere
    #[arg(long)]
    offline: bool,
    /// `cargo nextest run` instead of `cargo test`
    #[arg(long)]
    nextest: bool,
    /// The directory of journals, for --rerun
    #[arg(long, value_name = "PATH")]
    dir: Option<PathBuf>,
    /// Prints what was run as JSON on standard output, and the rest on standard error
    #[arg(long)]
    json: bool,
    /// Arguments for cargo, passed on unchanged
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Rerun {
    /// Cases whose score was not good enough, or that ended in an error
    Failed,
    /// Cases that ended in an error
    Errors,
    /// Selected cases that were never run, as the run was interrupted, stopped or killed
    Missing,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let (commands, never_run) = match args.rerun {
        None => (vec![whole(args, config)?], None),
        Some(what) => rerun(what, args, config)?,
    };
    if commands.is_empty() {
        let text = if args.json { "[]\n" } else { "" };
        return Ok(Done { text: text.to_owned(), code: NOT_RUN });
    }
    let (mut code, mut runs) = (0, Vec::new());
    for mut command in commands {
        // A rerun must find each test, and runs all of them.
        let task = args.rerun.map(|_| {
            command.env_remove("HH_SAMPLE").env_remove("HH_SAMPLE_SEED");
            cargo::assign(&mut command, "rerun")
        });
        let _task = task.transpose()?;
        set(&mut command, args);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let passed = cargo::run(command, args.json)?;
        code = code.max(u8::from(!passed));
        runs.push(json!({"command": words, "passed": passed}));
    }
    if let Some(never_run) = never_run {
        // The note stands at the end, after the output of cargo.
        report::note(&never_run);
        code = if code == 0 { NOT_RUN } else { code };
    }
    let text = if args.json {
        serde_json::to_string_pretty(&runs).map_err(|error| error.to_string())? + "\n"
    } else {
        String::new()
    };
    Ok(Done { text, code })
}

fn whole(args: &Args, config: &Config) -> Result<Command, String> {
    let mut command = Command::new(cargo::cargo(config));
    if args.nextest {
        command.args(["nextest", "run"]);
    } else {
        command.arg("test");
    }
    // Arguments for cargo itself stand before a `--` among them.
    let (before, behind) = split(&args.cargo);
    command.args(before).args(targets::options(before, config)?);
    if args.nextest {
        command.args(&args.filter).args(behind);
    } else if !args.filter.is_empty() || !behind.is_empty() {
        command.arg("--").args(&args.filter).args(behind);
    }
    Ok(command)
}

/// Returns the arguments for cargo itself, and those for the test binaries, which follow a `--`.
fn split(arguments: &[OsString]) -> (&[OsString], &[OsString]) {
    let mut parts = arguments.splitn(2, |word| word == "--");
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn set(command: &mut Command, args: &Args) {
    if let Some(sample) = args.sample {
        command.env("HH_SAMPLE", sample.to_string());
        command.env("HH_SAMPLE_SEED", args.seed.unwrap_or(0).to_string());
    }
    if let Some(repeats) = args.repeats {
        command.env("HH_REPEATS", repeats.to_string());
    }
    if args.offline {
        command.env("HH_OFFLINE", "1");
    }
}

/// Returns one command per target that has something to run again, and a note about cases that were
/// never run and are not run now either.
fn rerun(
    what: Rerun,
    args: &Args,
    config: &Config,
) -> Result<(Vec<Command>, Option<String>), String> {
    let directory = pick::find(None, args.dir.as_deref(), config)?;
    let results = pick::read(&directory, Keep::Scores)?;
    let run = pick::name(&directory).unwrap_or_default();
    let mut commands = Vec::new();
    let found = match what {
        Rerun::Missing => missing(&results, split(&args.cargo).0, config)?,
        Rerun::Failed | Rerun::Errors => again(what, &results),
    };
    for (target, names) in found {
        if names.is_empty() {
            // A command without names would run all tests.
            continue;
        }
        if names.len() > MOST_NAMES {
            return Err(format!(
                "{} of {target} are too many for a command line; run the whole experiment",
                count(names.len(), "case")
            ));
        }
        report::note(&format!("{} of {target} again, from {run}", count(names.len(), "case")));
        let (before, behind) = split(&args.cargo);
        let mut command = cargo::test(&Target::parse(&target), before, config);
        command.args(["--", "--exact"]).args(behind).args(names);
        commands.push(command);
    }
    let never = results.experiments.iter().map(never_run).sum::<usize>();
    let never_run = (never > 0 && !matches!(what, Rerun::Missing)).then(|| {
        format!(
            "{} of {run} never ran, as it did not end in good order; \
             `cargo honeyhive run --rerun missing` runs them, `cargo test` all",
            count(never, "selected case")
        )
    });
    if commands.is_empty() {
        report::note(&nothing(what, &results, &run));
        if let Some(never_run) = &never_run {
            report::note(never_run);
        }
    }
    Ok((commands, never_run))
}

/// Returns the reason why there is nothing to run again.
fn nothing(what: Rerun, results: &Results, run: &str) -> String {
    let ran: usize = results.experiments.iter().map(ExperimentResults::ran).sum();
    let ran = count(ran, "case");
    let failed = |one: &&ExperimentResults| one.gate.as_ref().is_some_and(|gate| !gate.passed);
    let gates: Vec<String> = results
        .experiments
        .iter()
        .filter(failed)
        .map(|one| format!("`{}`", one.rerun(&one.record.experiment)))
        .collect();
    match what {
        Rerun::Failed if !gates.is_empty() => format!(
            "nothing was run: {ran} of {run} ran, and none of them failed; a gate did, which judges \
             all cases: {}",
            gates.join(", ")
        ),
        Rerun::Failed => format!("nothing was run: {ran} of {run} ran, and none of them failed"),
        Rerun::Errors => {
            format!("nothing was run: {ran} of {run} ran, and none of them ended in an error")
        }
        Rerun::Missing => format!("nothing was run: {ran} of {run} ran, and none is missing"),
    }
}

/// Returns the number of cases of an experiment that were selected and not run, without those that the
/// gate did not need.
fn never_run(experiment: &ExperimentResults) -> usize {
    let stopped = experiment.gate.as_ref().and_then(|gate| gate.stopped);
    // The gate was decided without these cases.
    let needless = stopped.map_or(0, StoppedRecord::not_run);
    experiment.record.selected.saturating_sub(experiment.ran() + needless)
}

/// Asks the targets for the names of the tests that were never run, and returns these by target.
fn missing(
    results: &Results,
    more: &[OsString],
    config: &Config,
) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for experiment in results.experiments.iter().filter(|one| never_run(one) > 0) {
        let (name, target) = (&experiment.record.experiment, &experiment.target);
        if experiment.record.sample.is_some() || experiment.record.selected < experiment.record.rows
        {
            return Err(format!(
                "only some cases of `{name}` were selected, so which of them are missing is not \
                 known; repeat the run"
            ));
        }
        let answer = cargo::ask(&Target::parse(target), "plan", more, config)?;
        let planned: Vec<Planned> = serde_json::from_str(&answer).map_err(|error| {
            format!("the answer of {target} cannot be read ({error}); is it of this version?")
        })?;
        let Some(planned) = planned.into_iter().find(|one| one.experiment.experiment == *name)
        else {
            return Err(format!("`{name}` is not an experiment of {target} today"));
        };
        let has_run =
            |id: &String| experiment.cases.iter().any(|one| one.id == *id && one.has_run());
        let tests: Vec<String> = planned
            .cases
            .iter()
            .zip(planned.tests)
            .filter(|(id, _)| !has_run(id))
            .map(|(_, test)| test)
            .collect();
        match found.iter_mut().find(|(other, _)| other == target) {
            Some((_, names)) => names.extend(tests),
            None => found.push((target.clone(), tests)),
        }
    }
    Ok(found)
}

/// The answer of a test target.
#[derive(Debug, Deserialize)]
struct Planned {
    experiment: ExperimentRecord,
    cases: Vec<String>,
    tests: Vec<String>,
}

/// Returns the tests to run again, by target.
fn again(what: Rerun, results: &Results) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for experiment in &results.experiments {
        for record in experiment.cases.iter().filter_map(|case| case.record.as_ref()) {
            let wanted = match record.state {
                CaseState::Error | CaseState::Unscored => true,
                CaseState::Fail => matches!(what, Rerun::Failed),
                CaseState::Pass | CaseState::Skipped => false,
            };
            if !wanted {
                continue;
            }
            match found.iter_mut().find(|(target, _)| *target == experiment.target) {
                Some((_, names)) => names.push(record.test.clone()),
                None => found.push((experiment.target.clone(), vec![record.test.clone()])),
            }
        }
    }
    found
}
