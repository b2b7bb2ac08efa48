//! The spans of an attempt with everything that the record knows about them.
//!
//! The journal keeps an attempt's inputs, output and scores once. Receivers of spans know nothing
//! of journals, so there they stand on the attempt's root, and each score on its evaluator's span.

#[cfg(feature = "cli")]
use std::io::{self, Write};
use std::ops::ControlFlow;
#[cfg(feature = "cli")]
use std::path::Path;

use serde_json::{Map, Value};

use super::destination::inputs;
use super::scores::{self, value_of};
#[cfg(feature = "cli")]
use crate::config::Protocol;
use crate::journal::{AttemptRecord, InvocationRecord, ScoreRecord};
#[cfg(feature = "cli")]
use crate::journal::{Keep, Record, each_record};
use crate::json::leaves;
use crate::send::Batch;
#[cfg(feature = "cli")]
use crate::send::ResourceInfo;
use crate::tracer::families::{Belongs, content, leaving, typed};
use crate::tracer::{SpanEvent, SpanRecord, attributes};

/// The most attributes that one output may become.
const MOST_OUTPUTS: usize = 512;

/// The ids under which an attempt is known at a destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) run_id: &'a str,
    pub(super) session_id: &'a str,
}

/// Adds the spans of an attempt to a batch.
pub(super) fn add(
    batch: &mut Batch,
    mut attempt: AttemptRecord,
    invocation: &InvocationRecord,
    known: Known<'_>,
) {
    let trace_id = std::mem::take(&mut attempt.trace_id);
    let spans = std::mem::take(&mut attempt.spans);
    let subject = subject(&attempt);
    for mut span in spans {
        let belongs = Belongs {
            run_id: known.run_id,
            dataset_id: &attempt.dataset_id,
            datapoint_id: &attempt.datapoint_id,
            session_id: known.session_id,
            source: &invocation.source,
            project: invocation.project.as_deref().unwrap_or_default(),
        };
        let evaluator = span.attributes.get(attributes::EVALUATOR_NAME);
        let evaluator = evaluator.and_then(Value::as_str).map(str::to_owned);
        let is_root = span.parent_span_id.is_none();
        let mut all = leaving(&mut span, belongs);
        if is_root {
            root(&mut all, &span, &attempt);
        } else if let Some(name) = evaluator
            && let Some(score) = attempt.scores.iter().find(|score| score.evaluator == name)
        {
            if let Some(subject) = &subject {
                typed(&mut all, "input", subject.clone(), "application/json");
            }
            evaluation(&mut all, &mut span, score);
        }
        batch.push(&trace_id, span, all);
    }
}

/// Writes the traces of a journal as OTLP/JSON: one request per line, as the file exporter of
/// OpenTelemetry's collector writes them, under the ids that they were recorded with.
///
/// # Errors
/// Those of `to`.
#[cfg(feature = "cli")]
pub(crate) fn write_otlp(invocation: &Path, to: &mut impl Write) -> io::Result<()> {
    let mut process = InvocationRecord::default();
    let mut batch = Batch::new(Protocol::Json);
    let mut written: io::Result<()> = Ok(());
    let mut write = |record| {
        match record {
            Record::Invocation(next) => {
                write_batch(&mut batch, &process, to)?;
                process = next;
            }
            Record::Attempt(attempt) => {
                let run_id = attempt.run_id.clone();
                let session_id = attempt.session_id.clone();
                let known = Known { run_id: &run_id, session_id: &session_id };
                add(&mut batch, *attempt, &process, known);
                if batch.is_full() {
                    write_batch(&mut batch, &process, to)?;
                }
            }
            _ => {}
        }
        Ok(())
    };
    // One attempt at a time, however large the journal is.
    let scan = each_record(invocation, Keep::Everything, &mut |record, _| {
        if written.is_ok() {
            written = write(record);
        }
    });
    scan.map_err(|error| io::Error::other(error.to_string()))?;
    written?;
    write_batch(&mut batch, &process, to)
}

#[cfg(feature = "cli")]
fn write_batch(
    batch: &mut Batch,
    invocation: &InvocationRecord,
    to: &mut impl Write,
) -> io::Result<()> {
    if batch.len() == 0 {
        return Ok(());
    }
    let resource =
        ResourceInfo { service: invocation.service.clone(), project: invocation.project.clone() };
    let (_, body) = std::mem::replace(batch, Batch::new(Protocol::Json)).encode(&resource);
    to.write_all(&body)?;
    to.write_all(b"\n")
}

fn set(all: &mut Map<String, Value>, key: impl Into<String>, value: impl Into<Value>) {
    all.insert(key.into(), value.into());
}

/// Returns the output and the ground truth of an attempt as JSON; `None` where there is no output.
fn subject(attempt: &AttemptRecord) -> Option<String> {
    let output = attempt.output.as_ref()?;
    let mut subject = Map::new();
    set(&mut subject, "output", output.clone());
    if let Some(truth) = &attempt.ground_truth {
        set(&mut subject, "ground_truth", truth.clone());
    }
    Some(Value::Object(subject).to_string())
}

/// Adds the contents of an attempt's record to the attributes of its root span.
fn root(all: &mut Map<String, Value>, span: &SpanRecord, attempt: &AttemptRecord) {
    set(all, "honeyhive_event_name", span.name.as_str());
    set(all, "honeyhive_duration_ms", attempt.duration_ms);
    set(all, "honeyhive_metadata.attempt", attempt.attempt);
    set(all, "gen_ai.operation.name", "invoke_workflow");
    set(all, "test.case.name", format!("{}::{}", attempt.experiment, attempt.case));
    if !attempt.tags.is_empty() {
        set(all, "tag.tags", attempt.tags.clone());
    }
    for (key, value) in &attempt.metadata {
        all.entry(format!("honeyhive_metadata.{key}")).or_insert_with(|| scalar(value));
    }
    let inputs = inputs(attempt);
    for (key, value) in &inputs {
        set(all, format!("honeyhive_inputs.{key}"), scalar(value));
    }
    if !inputs.is_empty() {
        typed(all, "input", Value::Object(inputs).to_string(), "application/json");
    }
    if let Some(truth) = &attempt.ground_truth {
        set(all, "honeyhive_feedback.ground_truth", scalar(truth));
    }
    if let Some(output) = attempt.output.as_ref().filter(|output| !output.is_null()) {
        content(all, "output", output);
        flat("honeyhive_outputs.result", output, all);
    }
    if let Some(error) = &attempt.error {
        set(all, "honeyhive_error", error.message.as_str());
        set(all, "honeyhive_error_type", error.kind.name());
    }
    let scored = scores::fields(&attempt.scores, true);
    for (key, value) in &scored.metadata {
        set(all, format!("honeyhive_metadata.{key}"), scalar(value));
    }
    for (key, value) in scored.metrics {
        set(all, format!("honeyhive_metrics.{key}"), value);
    }
}

/// Adds the score to an evaluator's span, in the terms of the conventions for generative AI.
fn evaluation(all: &mut Map<String, Value>, span: &mut SpanRecord, score: &ScoreRecord) {
    let mut said = Map::new();
    set(&mut said, "gen_ai.evaluation.name", score.evaluator.as_str());
    if let Some(value) = score.value {
        set(&mut said, "gen_ai.evaluation.score.value", value.as_f64());
    }
    let passed = all.get(attributes::EVALUATOR_PASSED).and_then(Value::as_bool);
    let label = score
        .label
        .clone()
        .or_else(|| passed.map(|passed| if passed { "pass" } else { "fail" }.to_owned()));
    if let Some(label) = label {
        set(&mut said, "gen_ai.evaluation.score.label", label);
    }
    if let Some(text) = &score.explanation {
        set(&mut said, "gen_ai.evaluation.explanation", text.as_str());
    }
    if let Some(error) = &score.error {
        set(&mut said, attributes::ERROR_TYPE, error.kind.name());
    }
    for (key, value) in &score.metadata {
        set(all, format!("evaluator.metadata.{key}"), scalar(value));
    }
    if let Some(value) = score.value {
        content(all, "output", &value_of(value));
    }
    all.extend(said.clone());
    span.events.push(SpanEvent {
        name: "gen_ai.evaluation.result".to_owned(),
        at_unix_ns: span.end_unix_ns,
        attributes: said,
    });
}

/// Adds one attribute per leaf.
fn flat(key: &str, value: &Value, all: &mut Map<String, Value>) {
    let most = all.len() + MOST_OUTPUTS;
    let walked = leaves(key, value, &mut |key, scalar| {
        if all.len() >= most {
            return ControlFlow::Break(());
        }
        set(all, key, scalar.clone());
        ControlFlow::Continue(())
    });
    if walked.is_break() {
        set(all, "honeyhive.attributes_truncated", true);
    }
}

/// Returns scalars as they are, anything else as its JSON text.
fn scalar(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => Value::from(value.to_string()),
        scalar => scalar.clone(),
    }
}
