//! Defines the records of a journal. See the [module](super) for when each is written.

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

/// The number of this schema. It is increased when a reader of the old one would misunderstand.
///
/// Since 2, each line has its number and a checksum, and counts have names.
pub const SCHEMA: u32 = 2;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// The process that writes the file.
    Invocation(InvocationRecord),
    /// An experiment, written before it runs.
    Experiment(Box<ExperimentRecord>),
    /// The state of the sources.
    Git(GitRecord),
    /// One execution of a datapoint.
    Attempt(Box<AttemptRecord>),
    /// The result of a datapoint.
    Case(CaseRecord),
    /// The result of a gate.
    Gate(GateRecord),
    /// The end of the process, if it ended regularly.
    End(EndRecord),
    /// A record of a type that this version does not know.
    Unknown,
}

// The derived code for tagged enums cannot read numbers where a crate of the build turns on
// `arbitrary_precision`.
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

impl Record {
    /// Reads the record of a line.
    ///
    /// # Errors
    /// Returns an error when the line is not a record.
    pub(crate) fn read(line: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

/// The process that writes the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvocationRecord {
    /// The [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The invocation, which is the name of the directory.
    pub invocation: String,
    /// The time when the process started to run cases.
    pub started_at: String,
    /// The version of `honeyhive-harness`.
    pub harness: String,
    /// The package under test.
    pub package: String,
    /// The directory of the package's manifest on the machine that ran it; absent for programs that
    /// call [`run_experiment`](crate::run_experiment).
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
    /// The number of the outer runner's attempt (`NEXTEST_ATTEMPT`), from 1.
    pub runner_attempt: u32,
    /// The name of the service in traces: `OTEL_SERVICE_NAME`, or else the package.
    pub service: String,
    /// The source of the sessions (`HH_SOURCE`), `evaluation` by default.
    pub source: String,
    /// The invocation whose outputs are judged again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejudged: Option<String>,
    /// HoneyHive's project (`HH_PROJECT`), where one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

impl InvocationRecord {
    /// Returns the package and test target: `app/evals`.
    pub(crate) fn path(&self) -> String {
        let path = format!("{}/{}", self.package, self.target);
        path.trim_start_matches('/').to_owned()
    }
}

/// The state of the sources under test. Fields that git does not report are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitRecord {
    /// The full hash of the commit: 40 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_hash: Option<String>,
    /// The shortest prefix of the hash that is unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_hash_short: Option<String>,
    /// The branch; absent on a detached head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The subject of the commit message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_message: Option<String>,
    /// The name of the commit's author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// The email address of the commit's author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_email: Option<String>,
    /// The URL of `origin`, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_url: Option<String>,
    /// Set when there are changes that are not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_dirty: Option<bool>,
}

/// An evaluator of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluatorRecord {
    /// The name of the evaluator in this experiment.
    pub name: String,
    /// The settings of the evaluator, as written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// The shape of the scores, from the return type.
    pub shape: Shape,
    /// The reducer that makes one score of the attempts of a case.
    pub reduce: Reducer,
    /// The threshold of the evaluator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The direction in which scores are better.
    pub direction: Direction,
    /// The smallest and largest value that a score can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The hash of the evaluator's source.
    pub source_hash: String,
}

/// The settings of an experiment, written before it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExperimentRecord {
    /// The name of the experiment, which is the first segment of its test names.
    pub experiment: String,
    /// The id of the run: a UUID.
    pub run_id: String,
    /// The name of the function.
    pub function: String,
    /// The module of the function.
    pub module: String,
    /// The place of the attribute: `file:line`.
    pub place: String,
    /// The name of the dataset.
    pub dataset: String,
    /// The id of the dataset in HoneyHive.
    pub dataset_id: String,
    /// Set when the dataset is kept in HoneyHive.
    #[serde(skip_serializing_if = "is_false")]
    pub managed: bool,
    /// The ids in HoneyHive of the datapoints that were selected.
    pub datapoint_ids: Vec<String>,
    /// The origin of the dataset, such as its file.
    pub dataset_origin: String,
    /// The number of rows of the dataset.
    pub rows: usize,
    /// The number of rows that were selected.
    pub selected: usize,
    /// The number of attempts per case.
    pub repeats: u32,
    /// The longest time that a call of the function may take, in milliseconds.
    pub timeout_ms: u64,
    /// The number of further tries after an error.
    pub retries: u32,
    /// The number of attempts that run at the same time.
    pub concurrency: usize,
    /// The evaluators that score the outputs.
    pub evaluators: Vec<EvaluatorRecord>,
    /// The rules that must hold in every attempt, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
    /// The rules that the suite must hold, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// The rules of `require` in parsed form, from which cases are decided again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub require_rules: Vec<RequireRule>,
    /// The rules of `gates` in parsed form, from which gates are judged again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gate_rules: Vec<GateRule>,
    /// The tags of the experiment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The metadata of the experiment.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The key of the row metadata that groups cases into clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The hashes of the files in `track(..)`, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The file of the baseline, whether it exists or not.
    pub baseline: String,
    /// The number of rows in the sample, and the seed that chose them, if the experiment ran on a
    /// sample.
    #[serde(skip_serializing_if = "Option::is_none", with = "sample")]
    pub sample: Option<(usize, u64)>,
    /// The rule for stopping before the last case, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRecord>,
}

/// The rule by which a run stops before its last case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRecord {
    /// The `stop` option.
    pub when: Stop,
    /// The seed that, with the ids of the cases, determines the order in which they run, so that
    /// the cases that ran are a random selection.
    pub order_seed: u64,
}

/// Reads and writes a sample as `{"size": 20, "seed": 0}`; schema 1 had a list.
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

    // The `with` of serde demands this signature.
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

/// The last record of a process that ended regularly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndRecord {
    /// The time when the process ended.
    pub ended_at: String,
    /// The number of cases in each state.
    pub cases: CaseCounts,
    /// Set when the run was interrupted by Ctrl-C or a request to end.
    pub interrupted: bool,
    /// The exit code of the process.
    pub exit_code: u8,
    /// The environment variables whose values were taken out of the records, with the number of
    /// replacements.
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
