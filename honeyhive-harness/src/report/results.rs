//! Writes `results.jsonl`, the results for programs, in a stable format.
//!
//! The journal has the events of a run, in the format of the version that wrote it; this file has the
//! results. JSON lines: one `results` line with the number of the format, then for each experiment
//! an `experiment` line and after it one `case` line per case that ran. `schema/results.schema.json`
//! in the source of this crate describes every field. Readers ignore fields and types that they do
//! not know.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::journal::{AttemptRecord, GateRecord, GitRecord, ScoreRecord, SlicesRecord};
use crate::outcome::{
    Case, CaseScore, Change, Compared, Counts, Document, Ending, Evaluated, Experiment, Latency,
};
use crate::score::{Direction, ScoreValue};

/// The number of the format. It grows when a reader of the old one would misunderstand.
const SCHEMA: u32 = 1;

/// Writes the results.
///
/// # Errors
/// Returns the errors of `to`.
pub(crate) fn write(document: &Document<'_>, to: &mut impl Write) -> io::Result<()> {
    line(to, &Head::new(document))?;
    for experiment in &document.experiments {
        line(to, &ExperimentLine::new(experiment))?;
        for case in &experiment.cases {
            line(to, &CaseLine::new(experiment, case))?;
        }
    }
    Ok(())
}

fn line(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

type States = BTreeMap<&'static str, usize>;

fn states(counts: Counts) -> States {
    counts.states.named().into_iter().collect()
}

/// The first line.
#[derive(Serialize)]
struct Head<'a> {
    r#type: &'static str,
    schema: u32,
    invocation: &'a str,
    started_at: &'a str,
    elapsed_s: Option<f64>,
    harness: &'a str,
    outcome: &'static str,
    ending: &'static str,
    targets: Vec<String>,
    git: Option<&'a GitRecord>,
    cases: States,
}

impl<'a> Head<'a> {
    fn new(document: &Document<'a>) -> Self {
        Self {
            r#type: "results",
            schema: SCHEMA,
            invocation: document.invocation,
            started_at: document.started_at,
            elapsed_s: document.elapsed,
            harness: document.harness,
            outcome: document.outcome.name(),
            ending: match document.ending {
                Ending::Complete => "complete",
                Ending::Interrupted => "interrupted",
                Ending::Unfinished => "unfinished",
            },
            targets: document.targets(),
            git: document.git,
            cases: states(document.counts),
        }
    }
}

#[derive(Serialize)]
struct ExperimentLine<'a> {
    r#type: &'static str,
    experiment: &'a str,
    target: &'a str,
    place: &'a str,
    run_ids: &'a [String],
    dataset: &'a str,
    dataset_id: &'a str,
    dataset_origin: &'a str,
    rows: usize,
    selected: usize,
    repeats: u32,
    tags: &'a [String],
    metadata: &'a Map<String, Value>,
    outcome: &'static str,
    causes: &'a [String],
    cases: States,
    evaluators: Vec<EvaluatorPart<'a>>,
    gate: Option<&'a GateRecord>,
    latency: Option<LatencyPart>,
    error_rate: Option<f64>,
    against: Option<AgainstPart<'a>>,
    rerun: &'a str,
}

impl<'a> ExperimentLine<'a> {
    fn new(experiment: &'a Experiment<'_>) -> Self {
        let record = experiment.record;
        Self {
            r#type: "experiment",
            experiment: experiment.name,
            target: experiment.target,
            place: &record.place,
            run_ids: experiment.run_ids,
            dataset: &record.dataset,
            dataset_id: &record.dataset_id,
            dataset_origin: &record.dataset_origin,
            rows: record.rows,
            selected: record.selected,
            repeats: record.repeats,
            tags: &record.tags,
            metadata: &record.metadata,
            outcome: experiment.outcome.name(),
            causes: &experiment.causes,
            cases: states(experiment.figures.counts),
            evaluators: experiment.figures.evaluators.iter().map(EvaluatorPart::new).collect(),
            gate: experiment.figures.gate,
            latency: experiment.figures.latency.as_ref().map(LatencyPart::from),
            error_rate: experiment.figures.error_rate.map(|measured| measured.mean),
            against: experiment.compared.as_ref().map(AgainstPart::new),
            rerun: &experiment.rerun,
        }
    }
}

#[derive(Serialize)]
struct EvaluatorPart<'a> {
    name: &'a str,
    settings: &'a str,
    direction: Direction,
    threshold: Option<f64>,
    range: Option<(f64, f64)>,
    reduce: String,
    source_hash: &'a str,
    judges: bool,
    mean: Option<f64>,
    interval: Option<(f64, f64)>,
    n: usize,
    missing: usize,
    not_applicable: usize,
    good: Option<usize>,
    change: Option<ChangePart<'a>>,
}

#[derive(Serialize)]
struct ChangePart<'a> {
    finding: &'static str,
    incomparable: Option<&'a str>,
    pairs: usize,
    before: Option<f64>,
    after: Option<f64>,
    gain: Option<f64>,
    interval: Option<(f64, f64)>,
    better: usize,
    worse: usize,
    /// The p that decided; two-sided where no rule of the gate did.
    p: Option<f64>,
    tests: usize,
    by_gate: bool,
}

impl<'a> EvaluatorPart<'a> {
    fn new(row: &'a Evaluated<'_>) -> Self {
        Self {
            name: &row.record.name,
            settings: &row.record.settings,
            direction: row.record.direction,
            threshold: row.record.threshold,
            range: row.record.range,
            reduce: row.record.reduce.to_string(),
            source_hash: &row.record.source_hash,
            judges: row.judges(),
            mean: row.measured.map(|measured| measured.mean),
            interval: row.measured.and_then(|measured| measured.interval()),
            n: row.measured.map_or(0, |measured| measured.n),
            missing: row.missing,
            not_applicable: row.not_applicable,
            good: row.judges().then_some(row.good),
            change: row.comparison.as_ref().zip(row.difference).map(|(one, found)| ChangePart {
                finding: found.finding.name(),
                incomparable: one.incomparable.as_deref(),
                pairs: one.pairs.len(),
                before: finite(one.before),
                after: finite(one.after),
                gain: finite(one.gain),
                interval: one.interval.map(|interval| (interval.low, interval.high)),
                better: one.better,
                worse: one.worse,
                p: found.p,
                tests: found.tests.max(1),
                by_gate: found.by_gate,
            }),
        }
    }
}

/// Returns a number where it is finite: JSON has no NaN, which is the mean of no values.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[derive(Serialize)]
struct LatencyPart {
    mean_s: f64,
    interval_s: Option<(f64, f64)>,
    n: usize,
    p50_s: f64,
    p95_s: f64,
}

impl From<&Latency<'_>> for LatencyPart {
    fn from(latency: &Latency<'_>) -> Self {
        let measured = &latency.measured;
        Self {
            mean_s: measured.mean,
            interval_s: measured.interval(),
            n: measured.n,
            p50_s: latency.p50,
            p95_s: latency.p95,
        }
    }
}

#[derive(Serialize)]
struct AgainstPart<'a> {
    label: &'a str,
    at: &'a str,
    commit: Option<&'a str>,
    changed: &'a [String],
    fixed: usize,
    regressed: usize,
    same: usize,
    new: usize,
    removed: &'a [String],
    slices: &'a [SlicesRecord],
}

impl<'a> AgainstPart<'a> {
    fn new(compared: &'a Compared<'_>) -> Self {
        Self {
            label: &compared.label,
            at: compared.at,
            commit: compared.commit,
            changed: &compared.changed,
            fixed: compared.fixed,
            regressed: compared.regressed,
            same: compared.same,
            new: compared.incomparable,
            removed: &compared.rows.removed,
            slices: &compared.slices,
        }
    }
}

#[derive(Serialize)]
struct CaseLine<'a> {
    r#type: &'static str,
    experiment: &'a str,
    target: &'a str,
    case: &'a str,
    row: usize,
    test: &'a str,
    state: &'static str,
    passed: bool,
    reasons: &'a [String],
    flaky: bool,
    change: Option<&'static str>,
    missed_before: Option<bool>,
    inputs: Option<&'a Map<String, Value>>,
    ground_truth: Option<&'a Value>,
    metadata: Option<&'a Map<String, Value>>,
    tags: &'a [String],
    scores: BTreeMap<&'a str, CaseScorePart>,
    attempts: Vec<AttemptPart<'a>>,
    rerun: &'a str,
}

#[derive(Serialize)]
struct CaseScorePart {
    value: Option<f64>,
    good: Option<bool>,
    missing: bool,
    before: Option<f64>,
    gain: Option<f64>,
}

impl From<&CaseScore> for CaseScorePart {
    fn from(score: &CaseScore) -> Self {
        Self {
            value: score.value(),
            good: score.good(),
            missing: score.is_missing(),
            before: score.before,
            gain: score.gain,
        }
    }
}

impl<'a> CaseLine<'a> {
    fn new(experiment: &'a Experiment<'_>, case: &'a Case<'_>) -> Self {
        // The row is the same in every attempt.
        let row = case.attempts.first();
        let names = experiment.figures.evaluators.iter().map(|row| row.record.name.as_str());
        Self {
            r#type: "case",
            experiment: experiment.name,
            target: experiment.target,
            case: case.id,
            row: case.row,
            test: &case.test,
            state: case.state.name(),
            passed: case.passed,
            reasons: case.reasons,
            flaky: case.flaky,
            change: case.change.map(|change| match change {
                Change::Fixed => "fixed",
                Change::Regressed => "regressed",
                Change::Same => "same",
                Change::Added | Change::Incomparable => "new",
            }),
            missed_before: case.missed_before,
            inputs: row.map(|row| &row.inputs),
            ground_truth: row.and_then(|row| row.ground_truth.as_ref()),
            metadata: row.map(|row| &row.metadata),
            tags: row.map_or(&[], |row| &row.tags),
            scores: names.zip(case.scores.iter().map(CaseScorePart::from)).collect(),
            attempts: case.attempts.iter().map(AttemptPart::new).collect(),
            rerun: &case.rerun,
        }
    }
}

#[derive(Serialize)]
struct AttemptPart<'a> {
    attempt: u32,
    tries: u32,
    session_id: &'a str,
    trace_id: &'a str,
    started_at: &'a str,
    duration_ms: f64,
    /// The output; absent when there was an error. An output without a value is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
    error: Option<ErrorPart<'a>>,
    scores: BTreeMap<&'a str, ScorePart<'a>>,
}

#[derive(Serialize)]
struct ErrorPart<'a> {
    kind: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct ScorePart<'a> {
    value: Option<ScoreValue>,
    label: Option<&'a str>,
    explanation: Option<&'a str>,
    error: Option<&'a str>,
    duration_ms: f64,
}

impl<'a> AttemptPart<'a> {
    fn new(attempt: &'a AttemptRecord) -> Self {
        let score = |score: &'a ScoreRecord| {
            let part = ScorePart {
                value: score.value,
                label: score.label.as_deref(),
                explanation: score.explanation.as_deref(),
                error: score.error.as_ref().map(|error| error.message.as_str()),
                duration_ms: score.duration_ms,
            };
            (score.evaluator.as_str(), part)
        };
        Self {
            attempt: attempt.attempt,
            tries: attempt.tries,
            session_id: &attempt.session_id,
            trace_id: &attempt.trace_id,
            started_at: &attempt.started_at,
            duration_ms: attempt.duration_ms,
            output: attempt.output.as_ref(),
            error: attempt
                .error
                .as_ref()
                .map(|error| ErrorPart { kind: error.kind.name(), message: &error.message }),
            scores: attempt.scores.iter().map(score).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
