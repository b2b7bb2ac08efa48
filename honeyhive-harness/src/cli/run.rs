//! `cargo honeyhive run`: `cargo test` or nextest with the switches that experiments know.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::cargo::{self, Target};
use super::pick;
use super::{Done, Outcome};
use crate::config::Config;
use crate::journal::{CaseState, Results};
use crate::report;
use crate::text::count;

/// Longer command lines are refused by some systems.
const MOST_NAMES: usize = 100_000;

/// Runs experiments: `cargo test` (or nextest) with the switches that experiments know.
///
/// Everything it does can be done with `cargo test` and environment variables, too; what stands
/// behind `--` goes to cargo as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive run                         all of this package's tests
  cargo honeyhive run --sample 20             20 cases of each experiment, always the same ones
  cargo honeyhive run --rerun failed          what failed in the newest run
  cargo honeyhive run --filter qa:: --repeats 5 -- --test evals
  cargo honeyhive run --nextest -- --profile ci

Exit codes: 0 passed, 1 failed or not started, 64 usage.")]
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
    /// Only the cases of the newest run that failed, or that ended in an error
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
    /// Goes to cargo as it is
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Rerun {
    /// Cases whose score was not good enough, or that ended in an error
    Failed,
    /// Cases that ended in an error
    Errors,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let commands = match args.rerun {
        None => vec![whole(args, config)],
        Some(what) => rerun(what, args, config)?,
    };
    if commands.is_empty() {
        let text = if args.json { "[]\n" } else { "there is nothing to run again\n" };
        return Ok(Done { text: text.to_owned(), code: 0 });
    }
    let (mut code, mut runs) = (0, Vec::new());
    for mut command in commands {
        set(&mut command, args);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let passed = cargo::run(command, args.json)?;
        code = code.max(u8::from(!passed));
        runs.push(json!({"command": words, "passed": passed}));
    }
    let text = if args.json {
        serde_json::to_string_pretty(&runs).map_err(|error| error.to_string())? + "\n"
    } else {
        String::new()
    };
    Ok(Done { text, code })
}

fn whole(args: &Args, config: &Config) -> Command {
    let mut command = Command::new(cargo::cargo(config));
    if args.nextest {
        command.args(["nextest", "run"]);
    } else {
        command.arg("test");
    }
    // Cargo's own arguments stand before a `--` of theirs.
    let mut own = args.cargo.splitn(2, |word| word == "--");
    command.args(own.next().unwrap_or_default());
    let behind = own.next().unwrap_or_default();
    if args.nextest {
        command.args(&args.filter).args(behind);
    } else if !args.filter.is_empty() || !behind.is_empty() {
        command.arg("--").args(&args.filter).args(behind);
    }
    command
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

/// One command per target that has something to run again.
fn rerun(what: Rerun, args: &Args, config: &Config) -> Result<Vec<Command>, String> {
    let directory = pick::find(None, args.dir.as_deref(), config)?;
    let results = pick::read(&directory)?;
    let mut commands = Vec::new();
    for (target, names) in again(what, &results) {
        if names.len() > MOST_NAMES {
            return Err(format!(
                "{} of {target} are too many for a command line; run the whole experiment",
                count(names.len(), "case")
            ));
        }
        report::note(&format!(
            "{} of {target} again, from {}",
            count(names.len(), "case"),
            pick::name(&directory).unwrap_or_default()
        ));
        let mut command = cargo::test(&Target::parse(&target), config);
        let mut own = args.cargo.splitn(2, |word| word == "--");
        command.args(own.next().unwrap_or_default()).args(["--", "--exact"]);
        command.args(own.next().unwrap_or_default()).args(names);
        commands.push(command);
    }
    Ok(commands)
}

/// The tests to run again, by target.
fn again(what: Rerun, results: &Results) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for experiment in &results.experiments {
        for record in experiment.cases.iter().filter_map(|case| case.record.as_ref()) {
            let wanted =
                match (what, record.state) {
                    (_, CaseState::Error | CaseState::Unscored)
                    | (Rerun::Failed, CaseState::Fail) => true,
                    (_, CaseState::Pass | CaseState::Skipped)
                    | (Rerun::Errors, CaseState::Fail) => false,
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
