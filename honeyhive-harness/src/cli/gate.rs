//! `cargo honeyhive gate`: judges what was recorded, without running a case.

use std::path::{Path, PathBuf};

use super::cargo::{self, Target};
use super::pick::{self, Which};
use super::{Done, Outcome, merge};
use crate::config::Config;
use crate::gate::case::Rules;
use crate::gate::recorded::{Judged, judge_recorded};
use crate::journal::{ExperimentResults, GateRecord, Verdict};
use crate::report;

/// Judges a recorded run by today's rules, without running a case.
///
/// Builds the test target and asks it for its rules, so a limit that you just edited is the one
/// that decides. With --recorded, the rules are those in the journal and nothing is built. All
/// cases of an experiment must be there; cases that fail by themselves fail the gate, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive gate                            the newest run, by the rules of today
  cargo honeyhive gate --recorded                 by the rules that it was recorded with
  cargo honeyhive gate --recorded --merge shard-1 shard-2 shard-3

Exit codes: 0 pass, 1 fail (or an error, which standard error tells), 2 inconclusive, 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// Judges by the rules in the journal; needs no toolchain
    #[arg(long)]
    recorded: bool,
    /// Puts the journals of these directories together first, as of the shards of one run
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with = "invocation")]
    merge: Vec<PathBuf>,
    /// Prints JSON with the same facts, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    let merged = if args.merge.is_empty() { None } else { Some(merge::temporary(&args.merge)?) };
    let directory = match &merged {
        Some(merged) => merged.directory().to_owned(),
        None => args.which.find(config)?,
    };
    let results = pick::read(&directory)?;
    let chosen = pick::experiments(&results, &args.experiment)?;
    if chosen.is_empty() {
        return Err(format!("{} has no experiment", directory.display()));
    }
    let judged = if args.recorded {
        chosen.into_iter().map(by_recorded_rules).collect()
    } else {
        by_rules_of_today(&chosen, &directory, config)?
    };
    let any = |verdict| judged.iter().any(|one| one.verdict == verdict);
    let code = if any(Verdict::Fail) {
        1
    } else if any(Verdict::Inconclusive) {
        2
    } else {
        0
    };
    let text = if args.json {
        serde_json::to_string_pretty(&judged).map_err(|error| error.to_string())? + "\n"
    } else {
        report::judged(&judged)
    };
    Ok(Done { text, code })
}

fn by_recorded_rules(experiment: &ExperimentResults) -> Judged {
    let record = &experiment.record;
    judge_recorded(experiment, Rules::recorded(record), Path::new(&record.baseline), record.rows)
}

/// Asks each target that ran an experiment for its judgement.
fn by_rules_of_today(
    chosen: &[&ExperimentResults],
    directory: &Path,
    config: &Config,
) -> Result<Vec<Judged>, String> {
    let mut targets: Vec<&str> = Vec::new();
    for experiment in chosen {
        if !targets.contains(&experiment.target.as_str()) {
            targets.push(&experiment.target);
        }
    }
    // The target runs elsewhere, so the path has to hold there, too.
    let directory = std::path::absolute(directory).map_err(|error| error.to_string())?;
    let mut answers: Vec<Judged> = Vec::new();
    for target in targets {
        let task = format!("gate:{}", directory.display());
        let answer = cargo::ask(&Target::parse(target), &task, config)?;
        let judged: Vec<Judged> = serde_json::from_str(&answer).map_err(|error| {
            format!("the answer of {target} cannot be read ({error}); is it of this version?")
        })?;
        answers.extend(judged.into_iter().filter(|one| one.target == *target));
    }
    Ok(chosen
        .iter()
        .map(|experiment| {
            let name = &experiment.record.experiment;
            let own = |one: &&Judged| one.experiment == *name && one.target == experiment.target;
            answers.iter().find(own).cloned().unwrap_or_else(|| gone(experiment))
        })
        .collect())
}

/// An experiment that its target does not have any more, or whose dataset cannot be read.
fn gone(experiment: &ExperimentResults) -> Judged {
    let name = &experiment.record.experiment;
    let reason = format!(
        "`{name}` is no experiment of {} today, or its dataset cannot be read",
        experiment.target
    );
    Judged {
        target: experiment.target.clone(),
        experiment: name.clone(),
        verdict: Verdict::Inconclusive,
        gate: GateRecord {
            experiment: name.clone(),
            verdict: Verdict::Inconclusive,
            passed: false,
            rules: Vec::new(),
            reason: Some(reason),
            baseline: None,
        },
        failing: Vec::new(),
        notes: Vec::new(),
        cases: 0,
        rows: experiment.record.rows,
    }
}
