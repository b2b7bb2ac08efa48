//! Implements `cargo honeyhive plan`, which shows what a run would cost and could notice.

use std::ffi::OsString;

use serde::Deserialize;

use super::cargo::{self, Target};
use super::pick;
use super::{Done, Outcome};
use crate::config::Config;
use crate::gate::plan::plan;
use crate::journal::{ExperimentRecord, Keep};
use crate::report;

/// Says what a run would take and what it could notice, before anything is run.
///
/// Per experiment: cases × repeats, and for each rule how often it would fail although nothing has
/// changed, and the smallest change that it would notice four times out of five. How much scores
/// scatter is taken from the baseline and the newest runs; without any, an assumption is made and
/// said.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive plan                    the test targets of the newest run
  cargo honeyhive plan --test evals       a target by name
  cargo honeyhive plan --test evals -p app --repeats 3

Exit codes: 0 planned, 1 not (standard error says why), 64 usage.")]
pub(super) struct Args {
    /// The test target; without it, those of the newest run
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    /// The package of the target
    #[arg(long, short, value_name = "NAME", requires = "test")]
    package: Option<String>,
    /// Attempts per case, whatever the attributes say
    #[arg(long, value_name = "N")]
    repeats: Option<u32>,
    /// The directory of journals
    #[arg(long, value_name = "PATH")]
    dir: Option<std::path::PathBuf>,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
    /// Arguments for cargo, which builds the test target: `-- --release --features slow`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo: Vec<OsString>,
}

/// The answer of a test target.
#[derive(Debug, Deserialize)]
struct Asked {
    experiment: ExperimentRecord,
    cases: Vec<String>,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let newest =
        pick::find(None, args.dir.as_deref(), config).and_then(|at| pick::read(&at, Keep::Scores));
    let targets: Vec<Target> = if args.test.is_empty() {
        let known = newest.as_ref().map_err(|why| {
            format!("{why}; or name a test target: cargo honeyhive plan --test evals")
        })?;
        let mut names: Vec<&str> = Vec::new();
        for one in &known.experiments {
            if !names.contains(&one.target.as_str()) {
                names.push(&one.target);
            }
        }
        names.into_iter().map(Target::parse).collect()
    } else {
        let package = &args.package;
        args.test
            .iter()
            .map(|name| Target { package: package.clone(), name: name.clone() })
            .collect()
    };
    let mut planned = Vec::new();
    for target in &targets {
        let answer = cargo::ask(target, "plan", &args.cargo, config)?;
        let asked: Vec<Asked> = serde_json::from_str(&answer).map_err(|error| {
            format!(
                "the answer of {} cannot be read ({error}); is it of this version?",
                target.name
            )
        })?;
        planned.extend(
            asked.iter().map(|one| {
                plan(&one.experiment, one.cases.len(), newest.as_ref().ok(), args.repeats)
            }),
        );
    }
    if planned.is_empty() {
        return Err("no experiment can be run here".to_owned());
    }
    let text = if args.json {
        serde_json::to_string_pretty(&planned).map_err(|error| error.to_string())? + "\n"
    } else {
        report::planned(&planned)
    };
    Ok(Done { text, code: 0 })
}
