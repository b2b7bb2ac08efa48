//! Limits the texts of a page, so that a browser can still open it.
//!
//! The journal has everything; where something is left out, the page says so.

use serde_json::{Map, Value};

use crate::outcome::{Case, Document};
use crate::text::thousands;

/// The bytes of all texts together beyond which long texts are cut shorter.
const TEXTS: usize = 16 << 20;

/// The limits of a text in bytes, of which the largest is taken that keeps all within [`TEXTS`].
const LONGEST: [usize; 4] = [64 << 10, 16 << 10, 4 << 10, 1 << 10];

/// The most fields of an object and items of a list that are shown.
const MANY: usize = 2_000;

/// Returns the limit of a text in bytes on a page of this document.
pub(super) fn longest(document: &Document<'_>) -> usize {
    let cases = || document.experiments.iter().flat_map(|experiment| &experiment.cases);
    let sum = |limit: usize| -> usize { cases().map(|case| weigh(case, limit)).sum() };
    let fits = LONGEST.iter().copied().find(|limit| sum(*limit) <= TEXTS);
    fits.unwrap_or(LONGEST[LONGEST.len() - 1])
}

fn weigh(case: &Case<'_>, limit: usize) -> usize {
    let outputs = case.attempts.iter().filter_map(|attempt| attempt.output.as_ref());
    let first = case.attempts.first();
    let inputs = first.map(|attempt| attempt.inputs.values()).into_iter().flatten();
    let truth = first.and_then(|attempt| attempt.ground_truth.as_ref());
    let all = outputs.chain(inputs).chain(truth).chain(case.output_before);
    all.map(|value| weight(value, limit)).sum()
}

fn weight(value: &Value, limit: usize) -> usize {
    match value {
        Value::String(text) => text.len().min(limit),
        Value::Array(items) => items.iter().take(MANY).map(|item| weight(item, limit) + 1).sum(),
        Value::Object(fields) => fields
            .iter()
            .take(MANY)
            .map(|(name, item)| name.len().min(limit) + weight(item, limit) + 4)
            .sum(),
        _ => 4,
    }
}

/// Returns the first `limit` bytes of a text, with a note where it is longer.
pub(super) fn text(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}… [cut: {} bytes in all]", &text[..end], thousands(text.len()))
}

/// Returns a value whose texts are cut to `limit` bytes each.
pub(super) fn value(value: &Value, limit: usize) -> Value {
    match value {
        Value::String(long) => Value::String(text(long, limit)),
        Value::Array(items) => {
            let mut kept: Vec<Value> =
                items.iter().take(MANY).map(|item| self::value(item, limit)).collect();
            if items.len() > MANY {
                kept.push(Value::String(format!("… [cut: {} items]", thousands(items.len()))));
            }
            Value::Array(kept)
        }
        Value::Object(fields) => Value::Object(map(fields, limit)),
        other => other.clone(),
    }
}

/// Returns the fields of an object, with values cut like those of [`value`].
pub(super) fn map(fields: &Map<String, Value>, limit: usize) -> Map<String, Value> {
    let mut kept: Map<String, Value> = fields
        .iter()
        .take(MANY)
        .map(|(name, item)| (text(name, limit), value(item, limit)))
        .collect();
    if fields.len() > MANY {
        let note = format!("[cut: {} fields]", thousands(fields.len()));
        kept.insert("…".to_owned(), Value::String(note));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_texts_say_what_is_missing() {
        assert_eq!(text("short", 5), "short");
        assert_eq!(text("日本語", 4), "日… [cut: 9 bytes in all]");
        let nested = json!({"a": ["xxxxxx", 1, null], "b": {"c": "yyyyyy"}});
        assert_eq!(
            value(&nested, 3),
            json!({
                "a": ["xxx… [cut: 6 bytes in all]", 1, null],
                "b": {"c": "yyy… [cut: 6 bytes in all]"},
            })
        );
        let many = value(&json!(vec![0; 3_000]), 3);
        assert_eq!(many.as_array().map(Vec::len), Some(MANY + 1));
        assert_eq!(many[MANY], "… [cut: 3,000 items]");
    }
}
