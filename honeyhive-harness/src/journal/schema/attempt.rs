//! The record of an attempt: its inputs, its output, and the results of the evaluators.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::journal::left_out::LeftOut;
use crate::json::{normal, normal_fields};
use crate::score::ScoreValue;
use crate::tracer::{Enrichment, SpanRecord};

/// The kind of error that an attempt ended in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The function returned an error.
    #[default]
    Returned,
    /// The function panicked.
    Panic,
    /// The function took too long.
    Timeout,
    /// An argument could not be read from the datapoint.
    Argument,
    /// The output has no JSON form.
    Output,
    /// The row could not be read.
    Datapoint,
    /// The attempt was not run, or was cut off.
    NotRun,
}

impl ErrorKind {
    /// Returns the name of the class, as used in spans and reports.
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

/// The reason why an attempt has no output, or an evaluator no score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AttemptError {
    /// The class of the error.
    pub kind: ErrorKind,
    /// The text of the error.
    pub message: String,
}

/// The result of an evaluator for an attempt. Without `value` and `error`, the evaluator did not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ScoreRecord {
    /// The evaluator's name in this experiment.
    pub evaluator: String,
    /// The score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ScoreValue>,
    /// The label of the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The explanation of the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Further data about the score.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The reason why there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// The time that the evaluator took, in milliseconds.
    pub duration_ms: f64,
}

/// The record of one execution of a datapoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The name of the experiment.
    pub experiment: String,
    /// The datapoint's id.
    pub case: String,
    /// The place of the datapoint in the dataset, from 0.
    pub row: usize,
    /// The number of the attempt of the case, from 1.
    pub attempt: u32,
    /// The number of calls of the function until it gave a result.
    pub tries: u32,
    /// The id of the run.
    pub run_id: String,
    /// The dataset's id in HoneyHive.
    pub dataset_id: String,
    /// The datapoint's id in HoneyHive.
    pub datapoint_id: String,
    /// The id of the session, which is this attempt.
    pub session_id: String,
    /// The id of the trace: 32 hex digits.
    pub trace_id: String,
    /// The time when the function was called.
    pub started_at: String,
    /// The time that the function took, in milliseconds: its last try, alone.
    pub duration_ms: f64,
    /// The inputs of the row.
    pub inputs: Map<String, Value>,
    /// The expected output.
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
    /// The fields of this record that had a secret taken out: `inputs`, `history`, `ground_truth`,
    /// `output`, `metadata`, `spans`. Such an attempt cannot be judged again. Absent in journals of
    /// older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Vec<String>>,
    /// The output. Absent when there was an error; an output of nothing is `null`.
    #[serde(skip_serializing_if = "Option::is_none", with = "present")]
    pub output: Option<Value>,
    /// The reason why there is no output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// The data that the code under test added to its session.
    #[serde(skip_serializing_if = "Enrichment::is_empty")]
    pub enrichment: Enrichment,
    /// The results of the evaluators, in the order of the attribute.
    pub scores: Vec<ScoreRecord>,
    /// The spans, in the order in which they ended.
    pub spans: Vec<SpanRecord>,
    /// The number of spans that were still open when the attempt was over, and so are missing.
    #[serde(skip_serializing_if = "is_zero")]
    pub open_spans: usize,
    /// The number of spans beyond what an attempt may keep.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped_spans: usize,
    /// The data that the reader left out to save memory.
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
            // Numbers were checked when they came in, so the result is not needed.
            let _ = normal_fields(map);
        }
        for value in self.history.iter_mut().chain(&mut self.ground_truth) {
            let _ = normal(value);
        }
    }
}

// `skip_serializing_if` demands this signature.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Reads and writes an `Option` whose `Some(null)` is not `None`.
mod present {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    // The `with` of serde demands this signature.
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
