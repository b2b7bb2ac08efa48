//! What `cargo honeyhive` asks a test target for: only here are the rules of today known.

use std::path::Path;

use serde::Serialize;

use super::plan::Plan;
use crate::config::{Asked, Config, Task};
use crate::engine::Spec;
use crate::gate::recorded::{Judged, judge_recorded};
use crate::journal::{Results, read_invocation};

/// An experiment as it would be run.
#[derive(Debug, Serialize)]
struct Planned {
    experiment: crate::journal::ExperimentRecord,
    /// The ids of all rows.
    cases: Vec<String>,
}

/// Writes the answer; the exit code.
pub(super) fn answer(task: &Task, plan: &Plan, config: &Config) -> Result<u8, String> {
    let text = match &task.what {
        Asked::Gate(directory) => json(&gate(directory, plan, config)?)?,
        Asked::Plan => {
            let planned: Vec<Planned> = plan
                .specs(config)
                .map(|spec| Planned {
                    experiment: spec.record(&[]),
                    cases: spec.dataset.rows.iter().map(|row| row.id.clone()).collect(),
                })
                .collect();
            json(&planned)?
        }
    };
    std::fs::write(&task.out, text).map_err(|error| format!("{}: {error}", task.out.display()))?;
    Ok(0)
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// Judges the recorded experiments of this target by the rules that they have today.
fn gate(directory: &Path, plan: &Plan, config: &Config) -> Result<Vec<Judged>, String> {
    let journal = read_invocation(directory).map_err(|error| error.to_string())?;
    let results = Results::new(journal.records);
    let specs: Vec<Spec> = plan.specs(config).collect();
    let of = |name: &str| specs.iter().find(|spec| spec.name == name);
    Ok(results
        .experiments
        .iter()
        .filter_map(|experiment| {
            let spec = of(&experiment.record.experiment)?;
            Some(judge_recorded(
                experiment,
                spec.rules.clone(),
                &spec.baseline,
                spec.dataset.rows.len(),
            ))
        })
        .collect())
}
