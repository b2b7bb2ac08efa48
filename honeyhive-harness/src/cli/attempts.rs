//! Runs experiments anew with several attempts of each case, for a baseline with less noise.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::cargo::{self, Target};
use super::{pick, targets};
use crate::config::Config;
use crate::journal::{ExperimentRecord, ExperimentResults, Keep, Results};
use crate::report;
use crate::score::Reducer;
use crate::text::{closest, count, thousands};

/// The experiments to run, and the number of attempts.
pub(super) struct Wanted<'a> {
    /// The number of attempts of each case.
    pub(super) attempts: NonZeroU32,
    /// The names of the experiments; empty for all.
    pub(super) experiments: &'a [String],
    /// The names of the test targets; empty for those of the newest run.
    pub(super) tests: &'a [String],
    pub(super) package: Option<&'a String>,
    /// The directory of journals.
    pub(super) dir: Option<&'a Path>,
    /// Set when standard output is reserved for JSON.
    pub(super) quiet: bool,
    /// The further arguments for cargo.
    pub(super) cargo: &'a [OsString],
}

/// An experiment, as its target describes it.
#[derive(Debug, Deserialize)]
struct Planned {
    experiment: ExperimentRecord,
    cases: Vec<String>,
    #[serde(default)]
    ignored: bool,
}

/// The directory of a run, its results, and the names of the experiments in it that were meant.
pub(super) type Gathered = (PathBuf, Results, Vec<String>);

/// Chooses the experiments, by target, and prints their cost.
///
/// # Errors
/// Returns an error when a target does not answer, and when there is nothing to run.
pub(super) fn plan(
    wanted: &Wanted<'_>,
    config: &Config,
) -> Result<Vec<(Target, Vec<String>)>, String> {
    let mut chosen: Vec<(Target, Vec<String>)> = Vec::new();
    let (mut known, mut calls, mut costs) = (Vec::new(), 0, Vec::new());
    let attempts = wanted.attempts.get() as usize;
    for target in targets(wanted, config)? {
        let answer = cargo::ask(&target, "plan", wanted.cargo, config)?;
        let planned: Vec<Planned> = serde_json::from_str(&answer).map_err(|error| {
            let name = &target.name;
            format!("the answer of {name} cannot be read ({error}); is it of this version?")
        })?;
        let mut names = Vec::new();
        for one in planned {
            let name = one.experiment.experiment.clone();
            let is_meant = match wanted.experiments {
                [] => !one.ignored,
                named => named.contains(&name),
            };
            if is_meant {
                calls += one.cases.len() * attempts;
                costs.push(cost(&one, attempts));
                names.push(name.clone());
            }
            known.push(name);
        }
        if !names.is_empty() {
            chosen.push((target, names));
        }
    }
    if let Some(name) = wanted.experiments.iter().find(|name| !known.contains(name)) {
        let hint = match closest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        return Err(format!("no target here has an experiment `{name}`; {hint}"));
    }
    if chosen.is_empty() {
        return Err("no experiment can be run here".to_owned());
    }
    for cost in &costs {
        report::note(cost);
    }
    if costs.len() > 1 {
        report::note(&format!("{} in all", count(calls, "call")));
    }
    Ok(chosen)
}

/// Runs all cases of the experiments of each target, whatever their results.
///
/// # Errors
/// Returns an error when nothing was recorded.
pub(super) fn gather(
    wanted: &Wanted<'_>,
    planned: Vec<(Target, Vec<String>)>,
    config: &Config,
) -> Result<Vec<Gathered>, String> {
    planned.into_iter().map(|(target, names)| run(wanted, &target, names, config)).collect()
}

/// Describes the cost, `` `qa`: 40 cases × 8 attempts = 320 calls ``, and which comparisons the
/// attempts prevent.
fn cost(planned: &Planned, attempts: usize) -> String {
    let Planned { experiment, cases, .. } = planned;
    let mut text = format!(
        "`{}`: {} × {} = {}",
        experiment.experiment,
        count(cases.len(), "case"),
        count(attempts, "attempt"),
        count(cases.len() * attempts, "call")
    );
    let tied: Vec<String> = experiment
        .evaluators
        .iter()
        .filter(|one| matches!(one.reduce, Reducer::Min | Reducer::Max | Reducer::Median))
        .map(|one| format!("{} of `{}`", one.reduce, one.name))
        .collect();
    let own = experiment.repeats as usize;
    if !tied.is_empty() && own != attempts {
        text.push_str(&format!(
            "; the {} of {attempts} attempts cannot be compared with that of {own}, which a run makes by \
             itself: run it with HH_REPEATS={attempts}, too",
            tied.join(", the ")
        ));
    }
    text
}

/// Returns the test targets to ask.
fn targets(wanted: &Wanted<'_>, config: &Config) -> Result<Vec<Target>, String> {
    let named = |name: &str| Target { package: wanted.package.cloned(), name: name.to_owned() };
    if !wanted.tests.is_empty() {
        return Ok(wanted.tests.iter().map(|name| named(name)).collect());
    }
    let newest = pick::find(None, wanted.dir, config).and_then(|at| pick::read(&at, Keep::Scores));
    if let Ok(newest) = newest {
        let is_meant = |one: &&ExperimentResults| {
            wanted.experiments.is_empty() || wanted.experiments.contains(&one.record.experiment)
        };
        let mut names: Vec<&str> = Vec::new();
        for one in newest.experiments.iter().filter(is_meant) {
            if !names.contains(&one.target.as_str()) {
                names.push(&one.target);
            }
        }
        let is_there =
            |name: &String| newest.experiments.iter().any(|one| one.record.experiment == *name);
        // An experiment that the newest run did not have may be in any target.
        if !names.is_empty() && wanted.experiments.iter().all(is_there) {
            return Ok(names.into_iter().map(Target::parse).collect());
        }
    }
    let found = targets::with_experiments(&[], config)?;
    Ok(found.iter().map(|target| named(&target.name)).collect())
}

fn run(
    wanted: &Wanted<'_>,
    target: &Target,
    names: Vec<String>,
    config: &Config,
) -> Result<Gathered, String> {
    let newest = || pick::find(None, wanted.dir, config).ok();
    let before = newest();
    let mut command = cargo::test(target, wanted.cargo, config);
    command.env("HH_REPEATS", wanted.attempts.to_string()).env("HH_STOP", "never");
    command.env_remove("HH_SAMPLE").env_remove("HH_SAMPLE_SEED");
    if let Some(dir) = wanted.dir {
        let dir = std::path::absolute(dir).map_err(|error| error.to_string())?;
        command.env("HH_DIR", dir);
    }
    command.args(["--", "--exact"]).args(&names);
    if !wanted.experiments.is_empty() {
        command.arg("--include-ignored");
    }
    // A run whose gate or case fails can still become a baseline; `accept` reports the failure.
    cargo::run(command, wanted.quiet)?;
    match newest() {
        Some(directory) if before.as_ref() != Some(&directory) => {
            let results = pick::read(&directory, Keep::Scores)?;
            Ok((directory, results, names))
        }
        _ => Err(format!("the run of {} recorded nothing; see above", target.name)),
    }
}

/// The largest share of attempts without a result that a baseline gathered on purpose may have.
const MOST_ERRORS: f64 = 0.05;

/// Returns why a run is not a steady baseline: too many of its attempts ended in an error.
pub(super) fn too_many_errors(experiment: &ExperimentResults, invocation: &str) -> Option<String> {
    let attempts = || experiment.cases.iter().flat_map(|case| &case.attempts);
    let error = attempts().filter_map(|attempt| {
        let of_scores = attempt.scores.iter().filter_map(|score| score.error.as_ref());
        attempt.error.iter().chain(of_scores).next()
    });
    let messages: Vec<&str> = error.map(|error| error.message.as_str()).collect();
    let all = attempts().count();
    let first = messages.first()?;
    ((messages.len() as f64) > MOST_ERRORS * all as f64).then(|| {
        format!(
            "{} of {} ended in an error, and a steady baseline has a score for 95 % of them; the first: \
             {}. Run it again when that is fixed, or accept the run as it is: `cargo honeyhive accept \
             {invocation}`",
            thousands(messages.len()),
            count(all, "attempt"),
            crate::text::one_line(first, 200)
        )
    })
}
