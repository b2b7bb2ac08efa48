//! The metrics and metadata of an attempt that its scores are sent as, beside their spans.

use serde_json::{Map, Value};

use crate::journal::ScoreRecord;
use crate::score::ScoreValue;

/// The fields of an attempt that its scores become.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    /// The metrics: `<name>`, and `<name>_<key>` of the metadata that is a text, a number, or a boolean, as
    /// HoneyHive's Python SDK has them.
    pub(super) metrics: Map<String, Value>,
    /// The metadata: `<name>_<key>` of the metadata that is a list or an object, and `<name>_error`.
    pub(super) metadata: Map<String, Value>,
}

/// Returns the fields of these scores; with `texts`, `<name>_explanation` and `<name>_label` are among the
/// metrics. Where two have one name, a score wins over other values of one.
pub(super) fn fields(scores: &[ScoreRecord], texts: bool) -> Fields {
    let mut fields = Fields::default();
    for score in scores {
        let name = |key: &str| format!("{}_{key}", score.evaluator);
        for (key, value) in &score.metadata {
            match value {
                Value::Null => {}
                Value::Array(_) | Value::Object(_) => {
                    fields.metadata.insert(name(key), value.clone());
                }
                scalar => {
                    fields.metrics.insert(name(key), scalar.clone());
                }
            }
        }
        for (key, text) in [("explanation", &score.explanation), ("label", &score.label)] {
            if let Some(text) = text.as_ref().filter(|_| texts) {
                fields.metrics.insert(name(key), text.as_str().into());
            }
        }
        if let Some(error) = &score.error {
            fields.metadata.insert(name("error"), error.message.as_str().into());
        }
    }
    for score in scores {
        if let Some(value) = score.value {
            fields.metrics.insert(score.evaluator.clone(), value_of(value));
        }
    }
    fields
}

/// Returns a score's value as JSON: whole numbers of integer types as such.
pub(super) fn value_of(value: ScoreValue) -> Value {
    match value {
        ScoreValue::Bool(yes) => Value::from(yes),
        ScoreValue::Integer(whole) => Value::from(whole),
        ScoreValue::Number(number) => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{AttemptError, ErrorKind};
    use crate::score::Score;
    use serde_json::json;

    fn record(name: &str, score: Score) -> ScoreRecord {
        ScoreRecord {
            evaluator: name.to_owned(),
            value: Some(score.value),
            label: score.label,
            explanation: score.explanation,
            metadata: score.metadata,
            ..ScoreRecord::default()
        }
    }

    #[test]
    fn metadata_of_scores_goes_with_them() {
        let score = Score::new(0.75)
            .label("partial")
            .explanation("3 of 4")
            .metadata("extra", 3)
            .metadata("model", "m-1")
            .metadata("sure", true)
            .metadata("parts", json!([1, {"a": 2}]))
            .metadata("nothing", Value::Null)
            // The score's own label wins over metadata of this name.
            .metadata("label", "other");
        let failed = ScoreRecord {
            evaluator: "broken".to_owned(),
            error: Some(AttemptError { kind: ErrorKind::Panic, message: "boom".to_owned() }),
            ..ScoreRecord::default()
        };
        let scores = [record("close", score), record("close_extra", Score::new(7)), failed];
        let Fields { metrics, metadata } = fields(&scores, true);
        assert_eq!(
            Value::from(metrics),
            json!({
                "close": 0.75, "close_label": "partial", "close_explanation": "3 of 4",
                "close_model": "m-1", "close_sure": true, "close_extra": 7
            })
        );
        assert_eq!(
            Value::from(metadata),
            json!({"close_parts": [1, {"a": 2}], "broken_error": "boom"})
        );
    }
}
