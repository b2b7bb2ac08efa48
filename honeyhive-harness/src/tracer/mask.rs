//! The functions of a program that look at texts before they are sent.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value};

/// Says what is to stand in place of a text; `None` leaves it.
pub(super) type Mask = fn(&str) -> Option<String>;

/// What stands in place of a text that a function panicked at.
const PANICKED: &str = "[redaction panicked]";

/// Asks every function about a text.
pub(super) fn text(masks: &[Mask], text: &mut String) {
    for mask in masks {
        match catch_unwind(AssertUnwindSafe(|| mask(text))) {
            Ok(None) => {}
            Ok(Some(masked)) => *text = masked,
            Err(_) => {
                PANICKED.clone_into(text);
                return;
            }
        }
    }
}

/// All texts of a value; names of fields stay.
fn value(masks: &[Mask], value: &mut Value) {
    match value {
        Value::String(found) => text(masks, found),
        Value::Array(items) => items.iter_mut().for_each(|item| self::value(masks, item)),
        Value::Object(fields) => map(masks, fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All texts of an object; names of fields stay.
pub(super) fn map(masks: &[Mask], fields: &mut Map<String, Value>) {
    if !masks.is_empty() {
        fields.values_mut().for_each(|found| value(masks, found));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_asked_about_in_turn() {
        let masks: [Mask; 2] = [
            |text| text.contains("secret").then(|| text.replace("secret", "[1]")),
            |text| {
                if text == "bang" {
                    panic!("as planned")
                } else {
                    text.strip_prefix("[1]").map(str::to_owned)
                }
            },
        ];
        let Value::Object(mut fields) = json!({
            "secret": "a secret", "list": ["secret!", 3, {"deep": "bang"}], "plain": "x",
        }) else {
            panic!()
        };
        map(&masks, &mut fields);
        let wanted = json!({
            "secret": "a [1]", "list": ["!", 3, {"deep": PANICKED}], "plain": "x",
        });
        assert_eq!(Value::from(fields), wanted);
    }
}
