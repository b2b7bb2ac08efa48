//! Implements `cargo honeyhive rejudge`, which scores recorded outputs with today's evaluators.

use std::ffi::OsString;

use super::cargo::{self, Target};
use super::pick::{self, Which};
use super::{Done, Outcome};
use crate::config::Config;
use crate::journal::Keep;

/// Scores recorded outputs with today's evaluators, without calling any function.
///
/// Builds the test target and runs its experiments on the recorded outputs, errors, durations and
/// spans of a run; the labels are those of the dataset today. The result is a run of its own, which
/// `compare`, `gate`, `accept` and `report` take like any other. Nothing is sent anywhere, unless
/// evaluators themselves do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive rejudge                 the newest run
  cargo honeyhive rejudge -e qa latest~2  one experiment of an earlier run
  cargo honeyhive compare latest~1        what the new evaluators changed

Exit codes: 0 all tests pass, 1 some fail, or it could not be done, 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// Prints the runs that were made as JSON on standard output, and the rest on standard error
    #[arg(long)]
    json: bool,
    /// Arguments for cargo, which builds the test target: `-- --release --features slow`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo: Vec<OsString>,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let (directory, results) = args.which.read(Keep::Scores, config)?;
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    let chosen = pick::experiments(&results, &args.experiment)?;
    if chosen.is_empty() {
        return Err(format!("{} has no experiment", directory.display()));
    }
    let mut targets: Vec<(&str, Vec<&str>)> = Vec::new();
    for experiment in chosen {
        let name = experiment.record.experiment.as_str();
        match targets.iter_mut().find(|(target, _)| *target == experiment.target) {
            Some((_, names)) => names.push(name),
            None => targets.push((&experiment.target, vec![name])),
        }
    }
    // Several targets record into one run, as with `cargo test`.
    let invocation = uuid::Uuid::new_v4().to_string();
    let mut code = 0;
    let mut runs = Vec::new();
    for (target, names) in targets {
        let mut command = cargo::test(&Target::parse(target), &args.cargo, config);
        // The task must stay assigned until the command has run.
        let _task = cargo::assign(&mut command, &format!("rejudge:{}", directory.display()))?;
        command.env("HH_INVOCATION", &invocation).env("HH_OFFLINE", "1");
        command.env_remove("HH_SAMPLE").env_remove("HH_REPEATS");
        command.args(["--", "--exact"]).args(&names);
        let ran = cargo::run(command, args.json)?;
        code = code.max(u8::from(!ran));
        runs.push(serde_json::json!({"target": target, "experiments": names, "passed": ran}));
    }
    let text = if args.json {
        serde_json::to_string_pretty(&runs).map_err(|error| error.to_string())? + "\n"
    } else {
        String::new()
    };
    Ok(Done { text, code })
}
