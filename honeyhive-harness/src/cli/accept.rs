//! Implements `cargo honeyhive accept`, which makes a recorded run the baseline.

mod text;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::attempts::{self, Wanted};
use super::pick::{self, Which};
use super::place::{package, workspace};
use super::{Done, Outcome};
use crate::baseline::{self, BaselineError, ScoreSnapshot, Snapshot};
use crate::config::Config;
use crate::gate::counted::MIN_SCORED;
use crate::gate::snapshot::recorded;
use crate::journal::{ExperimentResults, GitRecord, Keep, Results, Verdict};
use crate::outcome::{Difference, Finding};
use crate::text::{count, thousands, timestamp};

/// Makes a recorded run the baseline that later runs are compared with.
///
/// Writes one file per experiment, `baselines/<experiment>.json` beside its dataset (or what
/// `baseline = ".."` names): commit it. It holds the scores of each case and fingerprints of rows,
/// evaluators, tracked files and metadata, so that a later comparison knows what is comparable and
/// says what changed. Only whole runs are accepted, and nothing is written in CI.
///
/// With --attempts, the experiments are run first: the more attempts a baseline has, the less of what
/// later runs are compared with is chance. What that takes is printed before.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo honeyhive accept                  the newest run, all its experiments
  cargo honeyhive accept -e qa            the experiment `qa` alone
  cargo honeyhive accept --add            adds its attempts to those of the baseline
  cargo honeyhive accept --attempts 8     runs all with 8 attempts per case, and accepts that run
  cargo honeyhive accept --attempts 8 -e qa --test evals

More attempts make a baseline steadier: with --add, cases that are the same then and now (row,
evaluators, tracked files, metadata) keep their earlier attempts, too.

Exit codes: 0 written or unchanged, 1 not (standard error says why), 64 usage.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this experiment; may be given several times
    #[arg(long, short, value_name = "NAME")]
    experiment: Vec<String>,
    /// Runs the experiments anew with N attempts of each case, and accepts that run; refused where more
    /// than 5 % of the attempts end in an error
    #[arg(long, value_name = "N", conflicts_with = "invocation")]
    attempts: Option<NonZeroU32>,
    /// With --attempts: the test target; without it, those of the newest run
    #[arg(long, value_name = "NAME", requires = "attempts")]
    test: Vec<String>,
    /// With --attempts: the package of the target
    #[arg(long, short, value_name = "NAME", requires = "test")]
    package: Option<String>,
    /// Adds the attempts of the run to those of the baseline
    #[arg(long)]
    add: bool,
    /// Writes to this file instead; takes a single experiment
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Prints what was written as JSON, for scripts
    #[arg(long)]
    json: bool,
    /// With --attempts: arguments for cargo, which builds the test target: `-- --release --features slow`
    #[arg(last = true, value_name = "CARGO ARGUMENTS", requires = "attempts")]
    cargo: Vec<OsString>,
}

/// The result of accepting the baseline of an experiment.
#[derive(Debug, Default, Serialize)]
struct Accepted {
    experiment: String,
    file: PathBuf,
    /// Set when the content of the file changed.
    written: bool,
    cases: usize,
    /// The number of attempts of each case, where they were gathered for the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<NonZeroU32>,
    /// The number of cases without any score, which cannot be compared.
    unscored: usize,
    /// Set when its gate failed. A run is accepted all the same, good or bad.
    gate_failed: bool,
    /// The evaluators with a score for less than 95 % of the cases that should have one: the name, the
    /// number of cases that have one, and of those that should.
    gaps: Vec<(String, usize, usize)>,
    /// The evaluators whose scores are better than in the earlier baseline by more than chance.
    improved: Vec<String>,
    /// The mean scores by evaluator, now and in the earlier baseline.
    scores: Vec<(String, f64, Option<f64>)>,
    /// The changes since the earlier baseline.
    changed: Vec<String>,
    /// The package of the run, and that of the file, where these differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_package: Option<(String, String)>,
}

pub(super) fn run(args: &Args, config: &Config) -> Outcome {
    if config.ci {
        return Err(
            "a baseline is accepted by a person, not in CI; run `cargo honeyhive accept` on \
             your machine and commit the file (CI=false, if this is your machine)"
                .to_owned(),
        );
    }
    // Either all baselines are written or none, so that no commit has half a set of them.
    let mut ready = Vec::new();
    for (directory, results, names) in runs(args, config)? {
        let invocation = pick::name(&directory).unwrap_or_default();
        let chosen = pick::experiments(&results, &names)?;
        if chosen.is_empty() {
            return Err(format!("{invocation} has no experiment"));
        }
        for experiment in chosen {
            complete(experiment, &invocation, args.attempts).map_err(|why| {
                let name = &experiment.record.experiment;
                format!("`{name}` of {invocation} cannot be accepted: {why}")
            })?;
            let (snapshot, accepted) = prepare(experiment, &results, &invocation, args)?;
            ready.push(Ready { snapshot, accepted, target: experiment.target.clone() });
        }
    }
    let ready = one_per_file(ready)?;
    if args.to.is_some() && ready.len() > 1 {
        return Err(SINGLE.to_owned());
    }
    let mut accepted = Vec::new();
    for Ready { snapshot, accepted: mut one, .. } in ready {
        if one.written {
            baseline::write(&one.file, &snapshot).map_err(|error| error.to_string())?;
        }
        one.file = shown(&one.file);
        accepted.push(one);
    }
    let text = if args.json {
        serde_json::to_string_pretty(&accepted).map_err(|error| error.to_string())? + "\n"
    } else {
        accepted.iter().map(text::line).collect()
    };
    Ok(Done { text, code: 0 })
}

/// A baseline that is ready to be written.
#[derive(Debug)]
struct Ready {
    snapshot: Snapshot,
    accepted: Accepted,
    /// The test target that ran the experiment.
    target: String,
}

/// Keeps one baseline per file, since an experiment of a library runs in each target that links it.
fn one_per_file(all: Vec<Ready>) -> Result<Vec<Ready>, String> {
    let mut kept: Vec<Ready> = Vec::new();
    for one in all {
        let twin = kept.iter().find(|other| other.accepted.file == one.accepted.file);
        match twin {
            None => kept.push(one),
            Some(other) if says_the_same(&other.snapshot, &one.snapshot) => {}
            Some(other) if other.accepted.experiment == one.accepted.experiment => {
                return Err(format!(
                    "`{}` ran in {} and in {}, and not with the same scores; its baseline is one \
                     file, {}: run one of the targets alone, and accept that run",
                    one.accepted.experiment,
                    other.target,
                    one.target,
                    one.accepted.file.display()
                ));
            }
            Some(other) => {
                return Err(format!(
                    "`{}` of {} and `{}` of {} have the same file for their baseline, {}; give one \
                     of them another with `baseline = \"..\"`",
                    other.accepted.experiment,
                    other.target,
                    one.accepted.experiment,
                    one.target,
                    one.accepted.file.display()
                ));
            }
        }
    }
    Ok(kept)
}

const SINGLE: &str = "--to takes a single experiment; name it with -e";

/// Returns the runs to accept, each with the experiments of it that are meant.
fn runs(args: &Args, config: &Config) -> Result<Vec<(PathBuf, Results, Vec<String>)>, String> {
    let Some(attempts) = args.attempts else {
        let (directory, results) = args.which.read(Keep::Scores, config)?;
        return Ok(vec![(directory, results, args.experiment.clone())]);
    };
    let wanted = Wanted {
        attempts,
        experiments: &args.experiment,
        tests: &args.test,
        package: args.package.as_ref(),
        dir: args.which.dir.as_deref(),
        quiet: args.json,
        cargo: &args.cargo,
    };
    // Fails before experiments run whose result could not be accepted.
    let planned = attempts::plan(&wanted, config)?;
    if args.to.is_some() && planned.iter().map(|(_, names)| names.len()).sum::<usize>() > 1 {
        return Err(SINGLE.to_owned());
    }
    attempts::gather(&wanted, planned, config)
}

/// Checks that a run is complete, so that it can be a baseline.
fn complete(
    experiment: &ExperimentResults,
    invocation: &str,
    attempts: Option<NonZeroU32>,
) -> Result<(), String> {
    let record = &experiment.record;
    if let Some((size, _)) = record.sample {
        return Err(format!(
            "it ran on a sample of {}; a baseline has all of them",
            count(size, "case")
        ));
    }
    if let Some(stopped) = experiment.gate.as_ref().and_then(|gate| gate.stopped) {
        return Err(format!(
            "it {}; a baseline has all of them: run it with HH_STOP=never and accept that run",
            stopped.text()
        ));
    }
    let ran = experiment.ran();
    if ran < record.rows || record.rows == 0 {
        return Err(format!(
            "only {} of {} ran; run them all",
            thousands(ran),
            count(record.rows, "case")
        ));
    }
    if attempts.is_some()
        && let Some(why) = attempts::too_many_errors(experiment, invocation)
    {
        return Err(why);
    }
    Ok(())
}

fn prepare(
    experiment: &ExperimentResults,
    results: &Results,
    invocation: &str,
    args: &Args,
) -> Result<(Snapshot, Accepted), String> {
    let name = &experiment.record.experiment;
    let file = match &args.to {
        Some(file) => file.clone(),
        None => place(experiment)?,
    };
    let before = match baseline::read(&file, name) {
        Ok(before) => Some(before),
        Err(BaselineError::Missing(_)) => None,
        // The user wants a new baseline, and the old content is in git.
        Err(error @ (BaselineError::Malformed(..) | BaselineError::Newer(..))) if !args.add => {
            crate::report::note(&format!("{error}; it is written anew"));
            None
        }
        Err(error) => return Err(error.to_string()),
    };
    let git: GitRecord = results.git.clone().unwrap_or_default();
    let mut snapshot = Snapshot {
        accepted_at: format!("{}Z", &timestamp(SystemTime::now())[.."2026-01-01T00:00:00".len()]),
        commit: git.commit_hash,
        dirty: git.is_dirty.unwrap_or_default(),
        invocation: invocation.to_owned(),
        ..recorded(experiment)
    };
    let unscored = snapshot.cases.values().filter(|case| case.scores.is_empty()).count();
    if unscored == snapshot.cases.len() {
        return Err(format!("`{name}` of {invocation} cannot be accepted: no case has a score"));
    }
    if let (true, Some(before)) = (args.add, &before) {
        add(&mut snapshot, before, invocation)?;
    }
    let same = before.as_ref().is_some_and(|before| says_the_same(before, &snapshot));
    let accepted = Accepted {
        experiment: name.clone(),
        attempts: args.attempts,
        other_package: other_package(experiment, &file),
        file,
        written: !same,
        cases: snapshot.cases.len(),
        unscored,
        gaps: gaps(&snapshot),
        improved: before.as_ref().map_or_else(Vec::new, |before| improved(before, &snapshot)),
        gate_failed: experiment.gate.as_ref().is_some_and(|gate| gate.verdict == Verdict::Fail),
        scores: snapshot
            .evaluators
            .keys()
            .filter_map(|name| {
                let then = before.as_ref().and_then(|before| before.mean(name));
                Some((name.clone(), snapshot.mean(name)?, then))
            })
            .collect(),
        changed: before.map_or_else(Vec::new, |before| baseline::changed(&before, &snapshot)),
    };
    Ok((snapshot, accepted))
}

/// Returns the packages of a run and of the file that it is written to, where these differ.
fn other_package(experiment: &ExperimentResults, file: &Path) -> Option<(String, String)> {
    let own = package(Path::new(&experiment.record.baseline))?;
    let of_file = package(file)?;
    // Two checkouts of one package have the same name.
    let named = |one: &(PathBuf, String), other: &(PathBuf, String)| {
        if one.1 == other.1 { one.0.display().to_string() } else { one.1.clone() }
    };
    (own.0 != of_file.0).then(|| (named(&own, &of_file), named(&of_file, &own)))
}

fn gaps(snapshot: &Snapshot) -> Vec<(String, usize, usize)> {
    let of = |name: &String| {
        let scored = snapshot.cases.values().filter(|case| case.scores.contains_key(name)).count();
        let missing = snapshot.cases.values().filter(|case| case.missing.contains(name)).count();
        (name.clone(), scored, scored + missing)
    };
    snapshot
        .evaluators
        .keys()
        .map(of)
        .filter(|(_, scored, wanted)| (*scored as f64) < MIN_SCORED * *wanted as f64)
        .collect()
}

/// Returns the evaluators by which a run is better than its baseline.
fn improved(before: &Snapshot, now: &Snapshot) -> Vec<String> {
    let names = now.evaluators.keys();
    let better = |name: &&String| {
        let compared = baseline::compare(before, now, name, &|_| true);
        // The same finding as that of `compare`.
        Difference::new(&compared, None).finding == Finding::Better
    };
    names.filter(better).cloned().collect()
}

/// Returns the file of an experiment's baseline.
fn place(experiment: &ExperimentResults) -> Result<PathBuf, String> {
    let record = &experiment.record;
    let file = PathBuf::from(&record.baseline);
    // The directory of the baselines may be new; that of the package is not.
    let there = file.parent().is_some_and(|directory| {
        directory.is_dir() || directory.parent().is_some_and(Path::is_dir)
    });
    if record.baseline.is_empty() || !there {
        return Err(format!(
            "the run of `{}` was recorded elsewhere, where its baseline is {}; name the file here \
             with --to",
            record.experiment,
            if record.baseline.is_empty() { "not known" } else { &record.baseline }
        ));
    }
    // The newest run may be of another checkout where the target directory is shared.
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    if let Some(root) = here.as_deref().and_then(workspace) {
        let known = file.ancestors().skip(1).find_map(|above| above.canonicalize().ok());
        if known.is_some_and(|directory| !directory.starts_with(&root)) {
            return Err(format!(
                "the baseline of `{}` is {}, which is not in the workspace at {}; accept the run \
                 where its sources are, choose another one of `cargo honeyhive runs`, or name the \
                 file with --to",
                record.experiment,
                file.display(),
                root.display()
            ));
        }
    }
    Ok(file)
}

/// Returns whether two snapshots differ in nothing but the time, the commit and the run.
fn says_the_same(before: &Snapshot, now: &Snapshot) -> bool {
    let undated = |snapshot: &Snapshot| Snapshot {
        accepted_at: String::new(),
        commit: None,
        dirty: false,
        invocation: String::new(),
        ..snapshot.clone()
    };
    undated(before) == undated(now)
}

/// Adds the attempts of the baseline to those of the run.
fn add(now: &mut Snapshot, before: &Snapshot, invocation: &str) -> Result<(), String> {
    if before.invocation == invocation {
        return Err(format!("{invocation} is in the baseline already"));
    }
    let named = |snapshot: &Snapshot| (snapshot.files.clone(), snapshot.metadata.clone());
    if named(now) != named(before) {
        return Err(format!(
            "--add is for more attempts of the same thing, and this changed: {}; accept without it",
            baseline::changed(before, now).join(", ")
        ));
    }
    for (id, case) in &mut now.cases {
        let Some(then) = before.cases.get(id).filter(|then| then.row == case.row) else { continue };
        for (name, score) in &mut case.scores {
            let print = now.evaluators.get(name);
            let same = print.is_some() && print == before.evaluators.get(name);
            let is_mean = print.is_some_and(|print| print.reduce == "mean");
            if let (true, Some(then)) = (same && is_mean, then.scores.get(name)) {
                *score = sum(*score, *then);
            }
        }
    }
    Ok(())
}

fn sum(now: ScoreSnapshot, then: ScoreSnapshot) -> ScoreSnapshot {
    let attempts = now.attempts + then.attempts;
    let total = now.score * f64::from(now.attempts) + then.score * f64::from(then.attempts);
    ScoreSnapshot {
        score: total / f64::from(attempts.max(1)),
        attempts,
        good: now.good.zip(then.good).map(|(now, then)| now + then),
    }
}

/// Returns the path relative to the working directory, where the file is below that.
fn shown(file: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(here).unwrap_or(file).to_owned()
}

#[cfg(test)]
mod tests;
