//! One attempt: the function, then its evaluators, under a tracer of its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use serde_json::Value;

use super::execute::{Started, Workers};
use super::spec::{Run, Spec};
use crate::datapoint::Datapoint;
use crate::dataset::bind::Fault;
use crate::evaluators::{Answer, Evaluation, Subject};
use crate::gate::case::Judge;
use crate::journal::{AttemptError, AttemptRecord, ErrorKind, ScoreRecord};
use crate::registry::Call;
use crate::score::{Judges, Score, ScoreValue};
use crate::tracer::{Ids, Span, Trace, Tracer, attributes, new_session_id};

/// The pause before the second try; it doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An attempt's record, and which evaluators could read the output.
pub(super) struct Attempted {
    pub(super) record: AttemptRecord,
    /// Per evaluator: `false` when it could not read the output; empty without an output.
    pub(super) readable: Vec<bool>,
}

/// The part of the record that is known before anything runs.
pub(super) fn begin(
    spec: &Spec,
    row: usize,
    attempt: u32,
    datapoint: Option<&Datapoint>,
) -> AttemptRecord {
    let mut record = AttemptRecord {
        experiment: spec.name.clone(),
        case: spec.dataset.rows[row].id.clone(),
        attempt,
        run_id: spec.run_id.to_string(),
        dataset_id: spec.dataset_id.to_string(),
        datapoint_id: spec.datapoint_id(row).to_string(),
        session_id: new_session_id().to_string(),
        trace_id: "0".repeat(32),
        started_at: now(),
        ..AttemptRecord::default()
    };
    if let Some(datapoint) = datapoint {
        record.inputs.clone_from(&datapoint.inputs);
        record.ground_truth.clone_from(&datapoint.ground_truth);
        record.metadata.clone_from(&datapoint.metadata);
        record.tags.clone_from(&datapoint.tags);
        record.history.clone_from(&datapoint.history);
    }
    record
}

pub(super) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

fn millis(duration: Duration) -> f64 {
    // Whole microseconds: more digits are noise, and every one of them is written to disk.
    (duration.as_secs_f64() * 1e6).round() / 1000.0
}

/// Runs one attempt to its end.
pub(super) async fn run(
    workers: &Arc<Workers>,
    spec: &Spec,
    row: usize,
    attempt: u32,
    datapoint: Arc<Datapoint>,
) -> Attempted {
    let mut record = begin(spec, row, attempt, Some(&datapoint));
    let tracer = Tracer::new(Ids {
        run_id: Arc::clone(&spec.run_id),
        dataset_id: Arc::clone(&spec.dataset_id),
        datapoint_id: record.datapoint_id.as_str().into(),
        session_id: record.session_id.as_str().into(),
    });
    let started = SystemTime::now();
    let root = tracer.start_root(spec.function.clone());

    let call = Call { datapoint: Arc::clone(&datapoint), tracer: tracer.clone() };
    let (tries, result, took) = call_function(workers, spec, &call, root.context()).await;
    record.tries = tries;
    record.duration_ms = millis(took);
    let mut readable = Vec::new();
    match result {
        Err(error) => {
            root.fail(error.kind.name(), &error.message);
            record.error = Some(error);
        }
        Ok(output) => {
            let output = Arc::new(output);
            let wants_trace = spec.rules.judges.iter().any(|judge| judge.info.reads_trace);
            let trace = if wants_trace {
                tracer.snapshot(&spec.function, started)
            } else {
                Trace::default()
            };
            let subject =
                Subject { datapoint, output: Arc::clone(&output), trace: Arc::new(trace) };
            (record.scores, readable) = evaluate(workers, spec, &tracer, &root, &subject).await;
            drop(subject);
            record.output = Some(Arc::unwrap_or_clone(output));
        }
    }
    drop(root);
    let finished = tracer.finish();
    record.trace_id = finished.trace_id;
    record.spans = finished.spans;
    record.open_spans = finished.open;
    record.dropped_spans = finished.dropped;
    Attempted { record, readable }
}

/// Calls the function until it gives a result or the tries are used up.
async fn call_function(
    workers: &Arc<Workers>,
    spec: &Spec,
    call: &Call,
    cx: &Context,
) -> (u32, Result<Value, AttemptError>, Duration) {
    let mut tries = 1;
    let mut pause = FIRST_PAUSE;
    loop {
        let started: Started<Result<Value, Fault>> = match &spec.run {
            Run::Sync(function) => {
                let (function, call) = (Arc::clone(function), call.clone());
                workers.start_sync(cx, move || function(&call))
            }
            Run::Async(function) => {
                let (function, call) = (Arc::clone(function), call.clone());
                // The call itself is made inside the task, where a panic is caught.
                workers.start_async(cx, async move { function(call).await })
            }
        };
        let (result, took) = started.finish(spec.timeout, "").await;
        let result = result.and_then(|returned| returned.map_err(|fault| error_of(&fault)));
        match result {
            Err(error) if tries <= spec.retries && can_heal(error.kind) => {
                tries += 1;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            result => return (tries, result, took),
        }
    }
}

/// An argument that cannot be read, or an output that cannot be written, stays so.
fn can_heal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Returned | ErrorKind::Panic | ErrorKind::Timeout)
}

fn error_of(fault: &Fault) -> AttemptError {
    let kind = match fault {
        Fault::Argument { .. } => ErrorKind::Argument,
        Fault::Failed(_) => ErrorKind::Returned,
        Fault::Output(_) => ErrorKind::Output,
    };
    AttemptError { kind, message: fault.to_string() }
}

/// Runs all evaluators side by side.
async fn evaluate(
    workers: &Arc<Workers>,
    spec: &Spec,
    tracer: &Tracer,
    root: &Span,
    subject: &Subject,
) -> (Vec<ScoreRecord>, Vec<bool>) {
    let mut started = Vec::with_capacity(spec.evaluators.len());
    for (judge, used) in spec.rules.judges.iter().zip(&spec.evaluators) {
        let span = tracer.start_evaluator_span(root.context(), &judge.name);
        let evaluation = Arc::clone(&used.evaluator).evaluate(subject.clone());
        let (cx, judge_info) = (span.context().clone(), judge.clone());
        let running: Started<Answer> = match evaluation {
            Evaluation::Sync(work) => {
                workers.start_sync(span.context(), move || conclude(&judge_info, work(), &cx))
            }
            Evaluation::Async(work) => workers
                .start_async(span.context(), async move { conclude(&judge_info, work.await, &cx) }),
        };
        started.push((judge, span, running));
    }
    let mut scores = Vec::with_capacity(started.len());
    let mut readable = Vec::with_capacity(started.len());
    for (judge, span, running) in started {
        let (answer, took) = running.finish(spec.timeout, "").await;
        let mut record = ScoreRecord {
            evaluator: judge.name.clone(),
            duration_ms: millis(took),
            ..ScoreRecord::default()
        };
        let mut could_read = true;
        match answer {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(score))) => {
                let Score { value, label, explanation, metadata } = score;
                record.value = Some(value);
                record.label = label;
                record.explanation = explanation;
                record.metadata = metadata;
            }
            Ok(Err(fault)) => {
                could_read = !matches!(fault, Fault::Argument { from_output: true, .. });
                record.error = Some(error_of(&fault));
            }
            Err(error) => {
                span.fail(error.kind.name(), &error.message);
                record.error = Some(error);
            }
        }
        readable.push(could_read);
        scores.push(record);
    }
    (scores, readable)
}

/// Checks the answer, puts it on the evaluator's span and ends that: within the evaluator's own
/// thread or task, so that the span's duration is the evaluator's.
fn conclude(judge: &Judge, answer: Answer, cx: &Context) -> Answer {
    let answer = answer.and_then(|score| match score {
        Some(score) => checked(judge, score).map(Some),
        None => Ok(None),
    });
    let span = cx.span();
    match &answer {
        Ok(None) => {}
        Ok(Some(score)) => {
            let value = score.value.as_f64();
            span.set_attribute(KeyValue::new(attributes::EVALUATOR_SCORE, value));
            let info = &judge.info;
            let judged = match (info.judges(), score.value) {
                (Judges::Always, _) | (Judges::WhenBool, ScoreValue::Bool(_)) => true,
                (Judges::WhenBool | Judges::Never, _) => false,
            };
            if judged {
                let good = info.direction.comparison().holds(value, info.limit());
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_PASSED, good));
            }
            if let Some(label) = &score.label {
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_LABEL, label.clone()));
            }
            if let Some(text) = &score.explanation {
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_EXPLANATION, text.clone()));
            }
        }
        Err(fault) => {
            let error = error_of(fault);
            crate::tracer::fail(&span, error.kind.name(), &error.message);
        }
    }
    span.end();
    answer
}

fn checked(judge: &Judge, score: Score) -> Result<Score, Fault> {
    let value = score.value.as_f64();
    if !value.is_finite() {
        return Err(Fault::Failed(format!("returned {value}, which is no score")));
    }
    match judge.info.range {
        Some((low, high)) if value < low || value > high => {
            Err(Fault::Failed(format!("returned {value}, outside its range {low} to {high}")))
        }
        _ => Ok(score),
    }
}
