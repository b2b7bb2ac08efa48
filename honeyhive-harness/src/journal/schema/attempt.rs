//! The record of an attempt: what went in, what came out, and what the evaluators said.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::journal::lean::LeftOut;
use crate::json::{normal, normal_fields};
use crate::score::ScoreValue;
use crate::tracer::{Enrichment, SpanRecord};

/// What kind of error an attempt ended in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The function returned an error.
    #[default]
    Returned,
    /// It panicked.
    Panic,
    /// It took too long.
    Timeout,
    /// An argument could not be read from the datapoint.
    Argument,
    /// The output has no JSON form.
    Output,
    /// The row could not be read.
    Datapoint,
    /// It was not run, or cut off.
    NotRun,
}

impl ErrorKind {
    /// The class as it stands in spans and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::Argument => "argument",
            Self::Output => "output",
            Self::Datapoint => "datapoint",
            Self::NotRun => "not_run",
        }
    }
}

/// Why an attempt has no output, or an evaluator no score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttemptError {
    /// The class of the error.
    pub kind: ErrorKind,
    /// Its text.
    pub message: String,
}

/// What an evaluator said of an attempt. Without `value` and `error` it did not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreRecord {
    /// The evaluator's name in this experiment.
    pub evaluator: String,
    /// The score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ScoreValue>,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// More.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Why there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// How long the evaluator took, in milliseconds.
    pub duration_ms: f64,
}

/// One execution of a datapoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttemptRecord {
    /// The experiment.
    pub experiment: String,
    /// The datapoint's id.
    pub case: String,
    /// Its place in the dataset, from 0.
    pub row: usize,
    /// Which attempt of the case, from 1.
    pub attempt: u32,
    /// How often the function was called until it gave a result.
    pub tries: u32,
    /// The run.
    pub run_id: String,
    /// The dataset's id in HoneyHive.
    pub dataset_id: String,
    /// The datapoint's id in HoneyHive.
    pub datapoint_id: String,
    /// The session: this attempt.
    pub session_id: String,
    /// 32 hex digits.
    pub trace_id: String,
    /// When the function was called.
    pub started_at: String,
    /// How long the function took, in milliseconds: its last try, alone.
    pub duration_ms: f64,
    /// What went in.
    pub inputs: Map<String, Value>,
    /// What should have come out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<Value>,
    /// The row's metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The row's tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The row's history.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Value>,
    /// Which fields of this record had a secret taken out: `inputs`, `history`, `ground_truth`,
    /// `output`, `metadata`, `spans`. Such an attempt cannot be judged again. Absent in journals
    /// of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Vec<String>>,
    /// What came out. Absent when there was an error; an output of nothing is `null`.
    #[serde(skip_serializing_if = "Option::is_none", with = "present")]
    pub output: Option<Value>,
    /// Why nothing came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// What the code under test said about its session.
    #[serde(skip_serializing_if = "Enrichment::is_empty")]
    pub enrichment: Enrichment,
    /// What the evaluators said, in the order of the attribute.
    pub scores: Vec<ScoreRecord>,
    /// The spans, in the order in which they ended.
    pub spans: Vec<SpanRecord>,
    /// Spans that were still open when the attempt was over, and so are missing.
    #[serde(skip_serializing_if = "is_zero")]
    pub open_spans: usize,
    /// Spans beyond what an attempt may keep.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped_spans: usize,
    /// What the reader left out to save memory.
    #[doc(hidden)]
    #[serde(skip)]
    pub left_out: Option<Box<LeftOut>>,
}

impl AttemptRecord {
    /// Puts the keys of all values in order, so that the same attempt is the same text whatever features
    /// of `serde_json` the build has.
    pub(crate) fn in_order(&mut self) {
        let maps = [&mut self.inputs, &mut self.metadata]
            .into_iter()
            .chain(self.enrichment.maps())
            .chain(self.scores.iter_mut().map(|score| &mut score.metadata))
            .chain(self.spans.iter_mut().map(|span| &mut span.attributes));
        for map in maps {
            // Numbers were looked at when they came in.
            let _ = normal_fields(map);
        }
        for value in self.history.iter_mut().chain(&mut self.ground_truth) {
            let _ = normal(value);
        }
    }
}

// Signature demanded by `skip_serializing_if`.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An `Option` whose `Some(null)` is not `None`.
mod present {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    // Signature demanded by serde's `with`.
    #[allow(clippy::ref_option)]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Value>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Value>, D::Error> {
        Value::deserialize(from).map(Some)
    }
}
