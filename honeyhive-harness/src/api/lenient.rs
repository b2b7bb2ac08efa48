//! Reads answers that differ slightly from their description.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A JSON object. `json!({"a": 1}).as_object().cloned()` returns an `Option` of one.
pub type Object = serde_json::Map<String, Value>;

/// Reads a field in which `null` counts as missing.
pub(super) fn null<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a number, also where it comes as text or as true and false; anything else gives `None`.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::Bool(yes) => Some(f64::from(u8::from(yes))),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Answer {
        #[serde(deserialize_with = "null")]
        names: Vec<String>,
        #[serde(deserialize_with = "number")]
        mean: Option<f64>,
    }

    #[test]
    fn what_is_missing_or_odd_is_nothing() {
        let read = |value| serde_json::from_value::<Answer>(value).unwrap();
        assert!(read(json!({"names": null, "other": 1})).names.is_empty());
        assert_eq!(read(json!({"names": ["a"]})).names, ["a"]);
        let mean = |value: Value| read(json!({"mean": value})).mean;
        assert_eq!(mean(json!(0.5)), Some(0.5));
        assert_eq!((mean(json!(true)), mean(json!("2"))), (Some(1.0), Some(2.0)));
        assert_eq!((mean(json!(null)), mean(json!("NaN")), mean(json!([]))), (None, None, None));
        assert_eq!(read(json!({})).mean, None);
    }
}
