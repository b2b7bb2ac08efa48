//! Describes a case that is not good, with what a person needs to see of it.

use serde_json::{Map, Value};

use super::case::{Case, Decision, Rules};
use super::evaluator::Judge;
use crate::journal::{AttemptRecord, CaseState};
use crate::score::Judges;
use crate::text::{one_line, plain};

/// The number of columns of a reason or a name that a summary may show.
const SHOWN: usize = 400;

/// The number of characters that a summary may show of a field, at its start and at its end.
const HEAD: usize = 600;
const TAIL: usize = 400;

/// The number of fields that a summary may show of a value.
const MOST_FIELDS: usize = 12;

/// The severity that is added for a case that did not miss before, twice, and for one of a row that was
/// added, once; it is more than those of its state and its scores together.
const NEW: f64 = 20_000.0;

/// A field of a value, on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name of the field; empty where the value has no fields.
    pub(crate) name: String,
    /// The start and the end of the value, or all of it.
    pub(crate) text: String,
    /// The number of characters that are missing between the start and the end.
    pub(crate) hidden: usize,
}

impl Field {
    fn new(name: &str, value: &Value) -> Self {
        let text = match value {
            Value::String(text) => plain(text),
            other => plain(&other.to_string()),
        };
        let name = one_line(name, SHOWN);
        let characters = text.chars().count();
        if characters <= HEAD + TAIL {
            return Self { name, text, hidden: 0 };
        }
        let head = text.chars().take(HEAD);
        let tail = text.chars().skip(characters - TAIL);
        Self { name, text: head.chain(tail).collect(), hidden: characters - HEAD - TAIL }
    }
}

/// A value in a form for people: one part per field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) fields: Vec<Field>,
    /// The number of fields that are left out.
    pub(crate) more: usize,
}

impl Parts {
    /// Creates the parts. Texts come first: they are what a person reads, and a long number beside
    /// them is not.
    fn new<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let (mut texts, rest): (Vec<_>, Vec<_>) = fields.partition(|(_, value)| value.is_string());
        texts.extend(rest);
        let more = texts.len().saturating_sub(MOST_FIELDS);
        texts.truncate(MOST_FIELDS);
        let fields = texts.into_iter().map(|(name, value)| Field::new(name, value)).collect();
        Self { fields, more }
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                Self::new(fields.iter().map(|(name, value)| (name.as_str(), value)))
            }
            other => Self::new(std::iter::once(("", other))),
        }
    }
}

/// A case that is not good.
#[derive(Clone, Debug)]
pub(crate) struct Miss {
    pub(crate) row: usize,
    pub(crate) test: String,
    /// Set when the test of the case fails; otherwise a gate decides.
    pub(crate) failed: bool,
    /// The reasons, worst first.
    pub(crate) reasons: Vec<String>,
    pub(crate) inputs: Parts,
    pub(crate) expected: Option<Parts>,
    pub(crate) output: Option<Parts>,
    /// Set when the case was good in the baseline.
    pub(crate) is_new: bool,
    /// The severity for sorting: the higher, the worse.
    pub(crate) severity: f64,
}

impl Miss {
    /// Describes a case. `reads` are the inputs that the function takes; empty when it takes them
    /// all.
    pub(crate) fn new(
        rules: &Rules,
        reads: &[&str],
        test: String,
        case: &Case,
        decision: &Decision,
        failed: bool,
        records: &[AttemptRecord],
    ) -> Self {
        let worst = |record: &AttemptRecord| shortfall(&rules.judges, record);
        // With repeats, the attempt that went wrong is shown.
        let record = records
            .iter()
            .find(|record| record.error.is_some())
            .or_else(|| records.iter().max_by(|a, b| worst(a).total_cmp(&worst(b))));
        let rank = match case.state {
            CaseState::Error => 3000.0,
            CaseState::Unscored => 2000.0,
            _ => 1000.0,
        };
        let severity =
            if failed { 3.0 * NEW } else { 0.0 } + rank + record.map_or(0.0, worst).min(999.0);
        Self {
            row: case.row,
            test,
            failed,
            reasons: decision.reasons().map(|reason| one_line(reason, SHOWN)).collect(),
            inputs: record.map(|record| inputs(reads, &record.inputs)).unwrap_or_default(),
            expected: record.and_then(|record| record.ground_truth.as_ref()).map(Parts::of),
            output: record.and_then(|record| record.output.as_ref()).map(Parts::of),
            is_new: false,
            severity,
        }
    }
}

impl Miss {
    /// Takes note of whether the case missed in the baseline, too: cases that did not come first, then
    /// those of which it is not known (`None`).
    pub(crate) fn compare(&mut self, missed_before: Option<bool>) {
        self.is_new = missed_before == Some(false);
        self.severity += match missed_before {
            Some(false) => 2.0 * NEW,
            None => NEW,
            Some(true) => 0.0,
        };
    }
}

/// Returns the inputs that the function takes, or all of them.
fn inputs(reads: &[&str], inputs: &Map<String, Value>) -> Parts {
    let read = |name: &str| reads.is_empty() || reads.contains(&name);
    let fields = inputs.iter().map(|(name, value)| (name.as_str(), value));
    Parts::new(fields.filter(|(name, _)| read(name)))
}

/// Returns the sum of the amounts by which the scores of an attempt miss their limits.
fn shortfall(judges: &[Judge], record: &AttemptRecord) -> f64 {
    judges
        .iter()
        .zip(&record.scores)
        .filter_map(|(judge, score)| {
            let value = score.value?;
            let judged = judge.judges() != Judges::Never;
            (judged && !judge.is_good(value)).then(|| (value.as_f64() - judge.limit()).abs())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Vec<(String, String)> {
        Parts::of(value).fields.into_iter().map(|field| (field.name, field.text)).collect()
    }

    #[test]
    fn a_value_is_shown_by_its_fields_texts_first() {
        let output = json!({
            "cost_usd": 0.000_138_8,
            "mode": null,
            "text": "It is\nParis.",
            "usage": {"prompt_tokens": 267},
        });
        let shown = of(&output);
        let shown: Vec<(&str, &str)> =
            shown.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("text", "It is⏎Paris."),
                ("cost_usd", "0.0001388"),
                ("mode", "null"),
                ("usage", "{\"prompt_tokens\":267}"),
            ]
        );
        assert_eq!(of(&json!("text")), [(String::new(), "text".to_owned())]);
        assert_eq!(of(&json!({})), [(String::new(), "{}".to_owned())]);
        assert_eq!(of(&json!([1, 2])), [(String::new(), "[1,2]".to_owned())]);
    }

    #[test]
    fn a_long_field_does_not_hide_the_others() {
        let long = "x".repeat(10_000);
        let parts = Parts::of(&json!({"a": long, "b": long, "text": "short"}));
        assert_eq!(parts.fields.len(), 3);
        assert!(parts.fields.iter().any(|field| field.text == "short"));
        assert_eq!((parts.fields[0].text.len(), parts.fields[0].hidden), (1000, 9000));
        let many: Map<String, Value> = (0..100).map(|at| (format!("f{at}"), json!(at))).collect();
        let parts = Parts::of(&Value::Object(many));
        assert_eq!((parts.fields.len(), parts.more), (MOST_FIELDS, 100 - MOST_FIELDS));
    }
}
