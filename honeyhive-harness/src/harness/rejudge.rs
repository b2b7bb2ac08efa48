//! Judges recorded outputs with the current evaluators (a task of `cargo honeyhive rejudge`).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::engine::{Job, Replay, Spec};
use crate::gate::checked;
use crate::invocation::Target;
use crate::journal::{AttemptRecord, CaseResults, Keep};
use crate::redact::Redactor;
use crate::report;
use crate::text::count;

/// Replaces calls by the recorded outputs of an invocation. Returns the name of that invocation.
///
/// # Errors
/// When the journal cannot be read, or has none of the experiments.
pub(super) fn prepare(
    directory: &Path,
    jobs: &mut [Job],
    target: &Target,
    redactor: &Redactor,
) -> Result<String, String> {
    let invocation = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let results = checked::read_sound(directory, Keep::Everything)?;
    let own = format!("{}/{}", target.package, target.name);
    let mut attempts = 0;
    for job in jobs.iter_mut() {
        let recorded = results.experiments.iter().find(|experiment| {
            experiment.record.experiment == job.spec.name
                && (experiment.target == own || experiment.target == target.name)
        });
        let Some(spec) = Arc::get_mut(&mut job.spec) else { continue };
        let Some(recorded) = recorded else {
            return Err(format!(
                "{invocation} has no experiment `{}`; name those to judge again: \
                 `cargo honeyhive rejudge {invocation} -e <experiment>`",
                spec.name
            ));
        };
        let stopped = recorded.gate.as_ref().is_some_and(|gate| gate.stopped.is_some());
        let mut replay = Replay { cases: HashMap::new(), invocation: invocation.clone(), stopped };
        for case in &recorded.cases {
            attempts += case.attempts.len();
            replay.cases.insert(case.id.clone(), usable(case, spec, &invocation, redactor));
        }
        spec.repeats = replay.repeats();
        job.attempts = 1..=spec.repeats;
        spec.replay = Some(replay);
        // Stopping early saves nothing where no calls are made.
        (spec.stop, job.stop_decided) = (None, false);
    }
    report::note(&format!(
        "{} of {invocation} judged again; nothing is called but evaluators",
        count(attempts, "recorded attempt")
    ));
    Ok(invocation)
}

/// Returns the attempts of a case, if its row still has the inputs and the history that were recorded.
fn usable(
    case: &CaseResults,
    spec: &Spec,
    invocation: &str,
    redactor: &Redactor,
) -> Result<Vec<AttemptRecord>, String> {
    let row = spec.dataset.rows.iter().find(|row| row.id == case.id);
    let today = row.and_then(|row| spec.dataset.datapoint(row).ok());
    if let (Some(today), Some(then)) = (today, case.attempts.first()) {
        // What was recorded went through the redactor.
        let mut as_recorded = AttemptRecord {
            inputs: today.inputs.clone(),
            history: today.history.clone(),
            ..AttemptRecord::default()
        };
        as_recorded.redact(redactor);
        let same = as_recorded.inputs == then.inputs && as_recorded.history == then.history;
        if !same && then.output.is_some() {
            return Err(format!(
                "its inputs were edited since {invocation}, so the recorded output answers \
                 another question; run it again"
            ));
        }
    }
    let reads_trace = spec.evaluators.iter().any(|used| used.info.reads_trace);
    let mut parts = vec!["output", "inputs", "history", "ground_truth", "metadata"];
    parts.extend(reads_trace.then_some("spans"));
    let redacted = case.attempts.iter().map(|attempt| attempt.redacted_among(&parts));
    if let Some(redacted) = redacted.max_by_key(Vec::len).filter(|parts| !parts.is_empty()) {
        return Err(format!(
            "not judged again: secrets were redacted in its recorded {}, so an evaluator would \
             see another text than in {invocation}; run the case again",
            redacted.join(", ").replace('_', " ")
        ));
    }
    Ok(case.attempts.clone())
}
