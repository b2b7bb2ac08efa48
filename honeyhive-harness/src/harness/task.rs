//! Answers to the questions of `cargo honeyhive`: only a test target knows its current rules.

use std::path::Path;

use serde::Serialize;

use super::plan::Plan;
use crate::config::{Asked, Config, Task};
use crate::engine::Spec;
use crate::gate::checked;
use crate::gate::recorded::{Judged, judge_recorded};
use crate::journal::Keep;

/// An experiment as it would run.
#[derive(Debug, Serialize)]
struct Planned {
    experiment: crate::journal::ExperimentRecord,
    /// The ids of all rows.
    cases: Vec<String>,
    /// The names of their tests, in the same order.
    tests: Vec<String>,
    /// Set when it runs only where that is asked for: `#[ignore]`.
    ignored: bool,
}

/// Returns the task that a running `cargo honeyhive` has for this target.
///
/// # Errors
/// When the variables are set, and no `cargo honeyhive` set them for this process: they were left in a
/// shell or in the settings of a CI job, and a run by them would test nothing.
pub(super) fn check(config: &Config) -> Result<Option<&Task>, String> {
    let left = match &config.task {
        None => return Ok(None),
        Some(Ok(task)) => match task.check() {
            Ok(()) => return Ok(Some(task)),
            Err(left) => left,
        },
        Some(Err(left)) => left.clone(),
    };
    let name = left.split('=').next().unwrap_or_default();
    Err(format!(
        "{left} is set in the environment, but no `cargo honeyhive` that runs now asks this target \
         for anything; nothing was run. Unset {name}: only `cargo honeyhive rejudge`, `gate`, \
         `plan` and `run --rerun` set it, for the processes that they start"
    ))
}

/// Writes the answer; returns the exit code.
pub(super) fn answer(task: &Task, plan: &Plan, config: &Config) -> Result<u8, String> {
    let text = match &task.what {
        Asked::Gate(directory) => json(&gate(directory, plan, config)?)?,
        Asked::Plan => {
            let planned: Vec<Planned> = plan
                .specs(config)
                .zip(&plan.loaded)
                .map(|(spec, loaded)| Planned {
                    ignored: loaded.entry.ignore.is_some(),
                    experiment: spec.record(&[]),
                    cases: spec.dataset.rows.iter().map(|row| row.id.clone()).collect(),
                    tests: (0..spec.dataset.rows.len()).map(|row| spec.test_name(row)).collect(),
                })
                .collect();
            json(&planned)?
        }
        Asked::Rejudge(_) | Asked::Rerun => return Err("a run has no answer".to_owned()),
    };
    std::fs::write(&task.out, text).map_err(|error| format!("{}: {error}", task.out.display()))?;
    Ok(0)
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// Judges the recorded experiments of this target by their current rules.
fn gate(directory: &Path, plan: &Plan, config: &Config) -> Result<Vec<Judged>, String> {
    let results = checked::read_sound(directory, Keep::Scores)?;
    let specs: Vec<Spec> = plan.specs(config).collect();
    let of = |name: &str| specs.iter().find(|spec| spec.name == name);
    Ok(results
        .experiments
        .iter()
        .filter_map(|experiment| {
            let spec = of(&experiment.record.experiment)?;
            let today: Vec<&str> = spec.dataset.rows.iter().map(|row| &*row.id).collect();
            Some(judge_recorded(experiment, spec.rules.clone(), &spec.baseline, Some(&today)))
        })
        .collect())
}
