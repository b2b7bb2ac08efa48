//! The snapshot of an experiment: its results, as far as another run can be compared with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ids;
use crate::journal::StoppedRecord;
use crate::score::Direction;

/// The version of the format of baseline files. It grows when a reader of the old format would
/// misunderstand the new one.
pub const SCHEMA: u32 = 2;

/// The results of an experiment, case by case. See the [module](super) for the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The name of the experiment.
    pub experiment: String,
    /// The time when the run was accepted, RFC 3339; for a run that was not accepted, the time when it
    /// started.
    pub accepted_at: String,
    /// The commit of the sources, 40 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Set when the sources had changes that were not committed.
    #[serde(default)]
    pub dirty: bool,
    /// The id of the invocation that was accepted.
    #[serde(default)]
    pub invocation: String,
    /// The name of the dataset.
    #[serde(default)]
    pub dataset: String,
    /// The fingerprints of the evaluators, by the evaluator's name in the experiment.
    #[serde(default, deserialize_with = "distinct")]
    pub evaluators: BTreeMap<String, EvaluatorPrint>,
    /// The hashes of the files in `track(..)`, by path.
    #[serde(default, deserialize_with = "distinct")]
    pub files: BTreeMap<String, String>,
    /// The metadata of the experiment.
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
    /// The names of the models that answered, from spans.
    #[serde(default)]
    pub models: BTreeSet<String>,
    /// The slices that rules of its gate asked for, so that a case that left one is noticed. Absent
    /// in files of schema 1.
    #[serde(default)]
    pub slices: BTreeSet<String>,
    /// The results of each case, by its id.
    #[serde(deserialize_with = "distinct")]
    pub cases: BTreeMap<String, CaseSnapshot>,
    /// Set when the run stopped before its last case, so that a case that is not here may still be in
    /// the dataset. A file never has it, since such a run is not accepted.
    #[serde(skip)]
    pub stopped: Option<StoppedRecord>,
}

/// The fingerprint of an evaluator: all that its scores depend on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatorPrint {
    /// The hash of the evaluator's source.
    #[serde(default)]
    pub source: String,
    /// The settings of the evaluator, as written in the attribute.
    #[serde(default)]
    pub settings: String,
    /// The direction in which scores are better.
    #[serde(default)]
    pub direction: Direction,
    /// The reducer that makes one score of the attempts of a case.
    #[serde(default)]
    pub reduce: String,
    /// The scores of an attempt that are good: `>= 0.7`, or `true`; empty where the evaluator only
    /// measures, and in files of schema 1, which do not record it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub good: String,
    /// The lowest and the highest possible score; absent where there is no range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
}

/// The results of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSnapshot {
    /// The hash of its row, by `row_print`.
    pub row: String,
    /// The scores, by the evaluator's name; without those of evaluators that did not apply or gave no
    /// score.
    #[serde(default, deserialize_with = "distinct")]
    pub scores: BTreeMap<String, ScoreSnapshot>,
    /// The evaluators that should have given a score, and did not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<String>,
    /// The cluster of the case: cases of one cluster resemble each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The slices that the case was in: those of [`Snapshot::slices`], and others by their keys.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub slices: BTreeSet<String>,
}

/// The score of a case by one evaluator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ScoreSnapshot {
    /// The score, made of the attempts by the reducer.
    pub score: f64,
    /// The number of attempts with a score.
    pub attempts: u32,
    /// The number of attempts that were judged good; absent when the evaluator only measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<u32>,
}

/// The score as a file has it, before its values are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    score: f64,
    attempts: u32,
    #[serde(default)]
    good: Option<u32>,
}

/// The most attempts of a case that a file may name. Sums of two such numbers are far from overflowing.
const MOST_ATTEMPTS: u32 = 1_000_000;

#[cfg(feature = "cli")]
impl Snapshot {
    /// Returns the mean score of an evaluator over the cases that have one.
    pub(crate) fn mean(&self, evaluator: &str) -> Option<f64> {
        let scores = self.cases.values().filter_map(|case| case.scores.get(evaluator));
        crate::stats::mean(&scores.map(|score| score.score).collect::<Vec<f64>>())
    }
}

impl TryFrom<Unchecked> for ScoreSnapshot {
    type Error = String;

    fn try_from(read: Unchecked) -> Result<Self, String> {
        let Unchecked { score, attempts, good } = read;
        if attempts == 0 {
            return Err("a score of 0 attempts is none".to_owned());
        }
        if attempts > MOST_ATTEMPTS {
            return Err(format!(
                "{attempts} attempts of one case; at most {MOST_ATTEMPTS} are read"
            ));
        }
        match good {
            Some(good) if good > attempts => {
                Err(format!("{good} good ones of {attempts} attempts"))
            }
            _ => Ok(Self { score, attempts, good }),
        }
    }
}

/// Reads a map in which no key stands twice. A merge that kept both sides repeats a key, and taking
/// either value would be a guess.
fn distinct<'de, V, D>(from: D) -> Result<BTreeMap<String, V>, D::Error>
where
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Distinct<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Distinct<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = entries.next_key::<String>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("`{key}` stands here twice")));
                }
                let value = entries.next_value()?;
                map.insert(key, value);
            }
            Ok(map)
        }
    }
    from.deserialize_map(Distinct(PhantomData))
}

/// Returns the fingerprint of a row: 16 hex digits that depend on its inputs, its ground truth and its
/// history.
pub(crate) fn row_print(
    inputs: &Map<String, Value>,
    ground_truth: Option<&Value>,
    history: &[Value],
) -> String {
    ids::content_hash(inputs, ground_truth, history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_is_known_by_what_it_asks_and_expects() {
        let inputs = |value: Value| value.as_object().cloned().unwrap_or_default();
        let print = row_print(&inputs(json!({"a": 1, "b": [2]})), Some(&json!("x")), &[]);
        assert_eq!(print, row_print(&inputs(json!({"b": [2], "a": 1})), Some(&json!("x")), &[]));
        for other in [
            row_print(&inputs(json!({"a": 2, "b": [2]})), Some(&json!("x")), &[]),
            row_print(&inputs(json!({"a": 1, "b": [2]})), Some(&json!("y")), &[]),
            row_print(&inputs(json!({"a": 1, "b": [2]})), None, &[]),
            row_print(&inputs(json!({"a": 1, "b": [2]})), Some(&json!("x")), &[json!("hi")]),
        ] {
            assert_ne!(print, other);
        }
        assert_eq!(print.len(), 16);
    }
}
