//! Flattens values to attributes of a span.
//!
//! Attributes have no structure, so an object becomes one attribute per leaf: `result.a.0`. What a
//! program records may be of any size; what a span holds may not, as all spans of an attempt are
//! in memory until it ends.

use std::ops::ControlFlow;

use opentelemetry::trace::SpanRef;
use opentelemetry::{KeyValue, Value as Attribute};
use serde_json::Value;

use super::attributes;
use crate::json::leaves;

/// The most attributes that one call, or one enrichment, may set.
const MOST: usize = 512;

/// The longest text of an attribute, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// Attributes on their way to a span.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pairs: Vec<KeyValue>,
    /// Set when something is missing.
    cut: bool,
}

impl Attributes {
    /// Adds a value below `key`: one attribute per leaf. Nulls are left out.
    pub(super) fn value(&mut self, key: &str, value: &Value) {
        let _ = leaves(key, value, &mut |key, leaf| {
            self.leaf(key, leaf);
            if self.cut && self.pairs.len() >= MOST {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    }

    fn leaf(&mut self, key: &str, value: &Value) {
        let attribute = match value {
            Value::Bool(yes) => Attribute::Bool(*yes),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Attribute::I64(whole),
                (None, Some(number)) if !value.is_u64() => Attribute::F64(number),
                // Beyond the integers of OpenTelemetry; a float would be another number.
                _ => number.to_string().into(),
            },
            Value::String(text) => return self.text(key, text.clone()),
            // These have no attribute of their own.
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        self.push(key, attribute);
    }

    /// Adds a text as one attribute, cut where it is too long.
    pub(super) fn text(&mut self, key: &str, mut text: String) {
        if text.len() > LONGEST {
            shorten(&mut text, LONGEST);
            self.cut = true;
        }
        self.push(key, text.into());
    }

    /// Notes that something is missing.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    fn push(&mut self, key: &str, value: Attribute) {
        if self.pairs.len() < MOST {
            self.pairs.push(KeyValue::new(key.to_owned(), value));
        } else {
            self.cut = true;
        }
    }

    /// Sets them all on a span, with a mark where some are missing.
    pub(super) fn set_on(self, span: &SpanRef<'_>) {
        span.set_attributes(self.pairs);
        if self.cut {
            span.set_attribute(KeyValue::new(attributes::TRUNCATED, true));
        }
    }
}

/// Cuts a text to at most this many bytes, with an ellipsis where it ends.
pub(super) fn shorten(text: &mut String, most: usize) {
    let mut end = most.saturating_sub('…'.len_utf8()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flat(value: &Value) -> Vec<(String, String)> {
        let mut attributes = Attributes::default();
        attributes.value("r", value);
        attributes
            .pairs
            .into_iter()
            .map(|pair| (pair.key.to_string(), format!("{:?}", pair.value)))
            .collect()
    }

    #[test]
    fn a_scalar_keeps_its_type() {
        for (value, wanted) in [
            (json!(true), "Bool(true)"),
            (json!(-3), "I64(-3)"),
            (json!(0.25), "F64(0.25)"),
            (json!(u64::MAX), "String(Owned(\"18446744073709551615\"))"),
            (json!("x"), "String(Owned(\"x\"))"),
        ] {
            assert_eq!(flat(&value), [("r".to_owned(), wanted.to_owned())]);
        }
    }

    #[test]
    fn structure_becomes_keys_and_nulls_nothing() {
        let value = json!({"a": {"b": 1, "n": null}, "list": [true, null, [2]], "none": {}});
        let keys: Vec<String> = flat(&value).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["r.a.b", "r.list.0", "r.list.2.0"]);
        assert_eq!(flat(&Value::Null), []);
    }

    #[test]
    fn too_much_is_cut_and_said_so() {
        let mut attributes = Attributes::default();
        attributes.value("r", &json!(vec![1; 512]));
        assert!(!attributes.cut);
        attributes.value("more", &json!(1));
        assert_eq!((attributes.pairs.len(), attributes.cut), (512, true));

        let mut attributes = Attributes::default();
        attributes.text("t", "é".repeat(LONGEST));
        let text = attributes.pairs[0].value.as_str().into_owned();
        assert!(attributes.cut && text.len() <= LONGEST && text.ends_with("é…"));
    }
}
