//! The records of a journal. See the [module](super) for when each is written.

mod attempt;
mod case;

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use self::attempt::{AttemptError, AttemptRecord, ErrorKind, ScoreRecord};
pub use self::case::{CaseCounts, CaseRecord, CaseState};
use super::absent::is_false;
use super::verdict::GateRecord;
use crate::rule::{GateRule, RequireRule, Stop};
use crate::score::{Direction, Reducer, Shape};

/// The number of this schema. It grows when a reader of the old one would misunderstand.
///
/// Since 2, each line has its number and a checksum, and counts have names.
pub const SCHEMA: u32 = 2;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// The process that writes the file.
    Invocation(InvocationRecord),
    /// An experiment as it was about to run.
    Experiment(Box<ExperimentRecord>),
    /// The state of the sources.
    Git(GitRecord),
    /// One execution of a datapoint.
    Attempt(Box<AttemptRecord>),
    /// What became of a datapoint.
    Case(CaseRecord),
    /// What a gate said.
    Gate(GateRecord),
    /// The process ended in good order.
    End(EndRecord),
    /// A type that this version does not know.
    Unknown,
}

// A tagged enum reads no number where a crate of the build turns on `arbitrary_precision`.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        fn read<T: DeserializeOwned, E: Error>(value: Value) -> Result<T, E> {
            T::deserialize(value).map_err(E::custom)
        }
        let value = Value::deserialize(from)?;
        let kind = value.get("type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| D::Error::missing_field("type"))?.to_owned();
        Ok(match kind.as_str() {
            "invocation" => Self::Invocation(read(value)?),
            "experiment" => Self::Experiment(read(value)?),
            "git" => Self::Git(read(value)?),
            "attempt" => Self::Attempt(read(value)?),
            "case" => Self::Case(read(value)?),
            "gate" => Self::Gate(read(value)?),
            "end" => Self::End(read(value)?),
            _ => Self::Unknown,
        })
    }
}

/// How the line of an attempt begins.
pub(super) const ATTEMPT: &[u8] = br#"{"type":"attempt","#;

impl Record {
    /// The record of a line.
    ///
    /// # Errors
    /// When the line is none.
    pub(crate) fn read(line: &[u8]) -> serde_json::Result<Self> {
        // Nearly all of a journal. Whoever does not know the type beforehand reads it twice: into
        // a tree, and from there into the record.
        if line.starts_with(ATTEMPT) {
            return Ok(Self::Attempt(Box::new(serde_json::from_slice(line)?)));
        }
        serde_json::from_slice(line)
    }
}

/// The process that writes the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvocationRecord {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The invocation; the name of the directory.
    pub invocation: String,
    /// When the process started to run cases.
    pub started_at: String,
    /// The version of `honeyhive-harness`.
    pub harness: String,
    /// The package under test.
    pub package: String,
    /// The directory of its manifest on the machine that ran it; absent for programs that call
    /// [`run_experiment`](crate::run_experiment).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub package_dir: String,
    /// The test target.
    pub target: String,
    /// The command that runs tests of this target, up to their names: `cargo test --test evals --`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rerun: String,
    /// The arguments after `--`.
    pub arguments: Vec<String>,
    /// The process id.
    pub pid: u32,
    /// Which attempt of the outer runner it is (`NEXTEST_ATTEMPT`), from 1.
    pub runner_attempt: u32,
    /// What its traces call the service: `OTEL_SERVICE_NAME`, else the package.
    pub service: String,
    /// Where its sessions come from (`HH_SOURCE`), `evaluation` by default.
    pub source: String,
    /// The invocation whose outputs are judged again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejudged: Option<String>,
    /// HoneyHive's project (`HH_PROJECT`), where one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// The state of the sources under test; every field is absent where git does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitRecord {
    /// 40 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_hash: Option<String>,
    /// As short as it is unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_hash_short: Option<String>,
    /// Absent on a detached head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_message: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// Their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_email: Option<String>,
    /// Of `origin`, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_url: Option<String>,
    /// Something is not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_dirty: Option<bool>,
}

/// An evaluator of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluatorRecord {
    /// The name in this experiment.
    pub name: String,
    /// Its settings as written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// What its return type says about its scores.
    pub shape: Shape,
    /// How the attempts of a case become one score.
    pub reduce: Reducer,
    /// Its threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// The smallest and largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// Changes when its source does.
    pub source_hash: String,
}

/// An experiment as it was about to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExperimentRecord {
    /// Its name; the first segment of its test names.
    pub experiment: String,
    /// The run: a UUID.
    pub run_id: String,
    /// The function.
    pub function: String,
    /// Its module.
    pub module: String,
    /// `file:line` of the attribute.
    pub place: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its id in HoneyHive.
    pub dataset_id: String,
    /// It is kept in HoneyHive.
    #[serde(skip_serializing_if = "is_false")]
    pub managed: bool,
    /// The ids in HoneyHive of the datapoints that were selected.
    pub datapoint_ids: Vec<String>,
    /// Where it comes from.
    pub dataset_origin: String,
    /// How many rows it has.
    pub rows: usize,
    /// How many of them were selected.
    pub selected: usize,
    /// Attempts per case.
    pub repeats: u32,
    /// The longest a call of the function may take, in milliseconds.
    pub timeout_ms: u64,
    /// Further tries after an error.
    pub retries: u32,
    /// Attempts at once.
    pub concurrency: usize,
    /// What scores the outputs.
    pub evaluators: Vec<EvaluatorRecord>,
    /// What must hold in every attempt, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
    /// What the suite must hold, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// The same, for deciding again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require_rules: Vec<RequireRule>,
    /// The same, for deciding again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gate_rules: Vec<GateRule>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The metadata of a row that says which cases belong together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Hashes of the files in `track(..)`, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The file of its baseline, whether there is one or not.
    pub baseline: String,
    /// It ran on a sample of the rows: this many, chosen by this seed.
    #[serde(skip_serializing_if = "Option::is_none", with = "sample")]
    pub sample: Option<(usize, u64)>,
    /// When it stops before its last case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRecord>,
}

/// When a run stops before its last case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    /// The `stop` option.
    pub when: Stop,
    /// Its cases run in an order that follows from this seed and their ids, so that those that ran are
    /// no special ones.
    pub order_seed: u64,
}

/// A sample as `{"size": 20, "seed": 0}`; schema 1 had a list.
mod sample {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Named {
        size: usize,
        seed: u64,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OfAnySchema {
        List(usize, u64),
        Named { size: usize, seed: u64 },
    }

    // Signature demanded by serde's `with`.
    #[allow(clippy::ref_option)]
    pub(super) fn serialize<S: Serializer>(
        sample: &Option<(usize, u64)>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        sample.map(|(size, seed)| Named { size, seed }).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<(usize, u64)>, D::Error> {
        let sample = Option::<OfAnySchema>::deserialize(from)?;
        Ok(sample.map(|sample| match sample {
            OfAnySchema::List(size, seed) | OfAnySchema::Named { size, seed } => (size, seed),
        }))
    }
}

/// The process ended in good order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndRecord {
    /// When.
    pub ended_at: String,
    /// Cases by what became of them.
    pub cases: CaseCounts,
    /// Ctrl-C, or a request to end.
    pub interrupted: bool,
    /// The exit code.
    pub exit_code: u8,
    /// Environment variables whose values were taken out of what was recorded, and how often.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_samples_have_names_and_those_of_schema_1_are_read() {
        let end: EndRecord = serde_json::from_str(r#"{"cases":[1,2,3,4,5]}"#).unwrap();
        let counts = CaseCounts { pass: 1, fail: 2, error: 3, unscored: 4, skipped: 5 };
        assert_eq!(end.cases, counts);
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, r#"{"pass":1,"fail":2,"error":3,"unscored":4,"skipped":5}"#);
        assert_eq!(serde_json::from_str::<CaseCounts>(&text).unwrap(), counts);
        let old: ExperimentRecord = serde_json::from_str(r#"{"sample":[20,7]}"#).unwrap();
        assert_eq!(old.sample, Some((20, 7)));
        let text = serde_json::to_string(&old).unwrap();
        assert!(text.ends_with(r#""sample":{"size":20,"seed":7}}"#), "{text}");
        assert_eq!(serde_json::from_str::<ExperimentRecord>(&text).unwrap(), old);
    }
}
