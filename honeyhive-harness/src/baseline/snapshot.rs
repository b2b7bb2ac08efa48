//! What an experiment came to, as far as another run can be compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ids;
use crate::journal::StoppedRecord;
use crate::score::Direction;

/// The number of the format of baseline files. It grows when a reader of the old one would
/// misunderstand.
pub const SCHEMA: u32 = 2;

/// What an experiment came to, case by case. See the [module](super) for the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// When it was accepted, RFC 3339; for a run that was not, when it started.
    pub accepted_at: String,
    /// The commit of the sources, 40 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Something was not committed.
    #[serde(default)]
    pub dirty: bool,
    /// The invocation that was accepted.
    #[serde(default)]
    pub invocation: String,
    /// The dataset's name.
    #[serde(default)]
    pub dataset: String,
    /// How scores came about, by the evaluator's name in the experiment.
    #[serde(default, deserialize_with = "distinct")]
    pub evaluators: BTreeMap<String, EvaluatorPrint>,
    /// Hashes of the files in `track(..)`, by path.
    #[serde(default, deserialize_with = "distinct")]
    pub files: BTreeMap<String, String>,
    /// The experiment's metadata.
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
    /// Models that spans named as those that answered.
    #[serde(default)]
    pub models: BTreeSet<String>,
    /// The slices that rules of its gate asked for, so that a case that left one is noticed. Absent
    /// in files of schema 1.
    #[serde(default)]
    pub slices: BTreeSet<String>,
    /// What became of each case, by its id.
    #[serde(deserialize_with = "distinct")]
    pub cases: BTreeMap<String, CaseSnapshot>,
    /// The run stopped before its last case, so that a case that is not here may still be in the dataset.
    /// Never so in a file: such a run is not accepted.
    #[serde(skip)]
    pub stopped: Option<StoppedRecord>,
}

/// How an evaluator's scores came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatorPrint {
    /// Changes when its source does.
    #[serde(default)]
    pub source: String,
    /// Its settings as written.
    #[serde(default)]
    pub settings: String,
    /// Which way is better.
    #[serde(default)]
    pub direction: Direction,
    /// How the attempts of a case become one score.
    #[serde(default)]
    pub reduce: String,
    /// Which scores of an attempt are good: `>= 0.7`, or `true`; empty where the evaluator only
    /// measures, and in files of schema 1, which do not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub good: String,
    /// The lowest and the highest score that there can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
}

/// What became of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSnapshot {
    /// [`row_print`] of its row.
    pub row: String,
    /// By the evaluator's name; without one that did not apply or gave no score.
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

/// What an evaluator said of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ScoreSnapshot {
    /// What the attempts come to.
    pub score: f64,
    /// Of how many attempts.
    pub attempts: u32,
    /// How many of them were judged good; absent when the evaluator only measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<u32>,
}

/// A score as it stands in a file, where anybody may have written it.
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

/// A map in which no key stands twice: that is a merge which kept both sides, and taking either
/// would be a guess.
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

/// The fingerprint of a row: 16 hex digits of its inputs, its ground truth and its history.
pub fn row_print(
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
