//! Makes values independent of the features of `serde_json` that the build has.
//!
//! Cargo unifies features: an application that counts money turns on `arbitrary_precision` for the
//! harness, too, and then `1e2` and `2.50` keep their digits; with `preserve_order` objects keep the
//! order of their keys. Names made of inputs, journals and comparisons must not depend on that, so
//! every value that comes in from outside passes through here.

use std::sync::LazyLock;

use serde_json::{Map, Number, Value};

/// The beginning of the keys that `serde_json` uses for values of its own.
pub(super) const PRIVATE: &str = "$serde_json::private::";

/// Set when numbers keep their text, by the feature `arbitrary_precision`.
static KEEPS_DIGITS: LazyLock<bool> = LazyLock::new(|| {
    let number = serde_json::from_str::<Value>("2.50");
    number.map(|value| value.to_string()).is_ok_and(|text| text == "2.50")
});

/// Set when objects keep the order of their keys, by the feature `preserve_order`.
static KEEPS_ORDER: LazyLock<bool> = LazyLock::new(|| {
    let fields: Map<String, Value> =
        ["b", "a"].into_iter().map(|key| (key.to_owned(), Value::Null)).collect();
    fields.keys().next().is_some_and(|first| first == "b")
});

/// Gives a value the numbers and the order of keys that `serde_json` has without its features.
///
/// # Errors
/// Returns an error when a number is beyond what a float can hold.
pub(crate) fn normal(value: &mut Value) -> Result<(), String> {
    if *KEEPS_DIGITS {
        numbers(value)?;
    }
    sort(value);
    Ok(())
}

/// Gives the values of an object the numbers and the order of keys that [`normal`] gives.
///
/// # Errors
/// Returns the errors of [`normal`].
pub(crate) fn normal_fields(fields: &mut Map<String, Value>) -> Result<(), String> {
    if *KEEPS_DIGITS {
        fields.values_mut().try_for_each(numbers)?;
    }
    if *KEEPS_ORDER {
        fields.values_mut().for_each(Value::sort_all_objects);
        fields.sort_keys();
    }
    Ok(())
}

/// Returns a value that was built in code, with its keys in order.
pub(crate) fn sorted(mut value: Value) -> Value {
    sort(&mut value);
    value
}

fn sort(value: &mut Value) {
    if *KEEPS_ORDER {
        value.sort_all_objects();
    }
}

fn numbers(value: &mut Value) -> Result<(), String> {
    match value {
        Value::Number(own) => {
            let text = own.to_string();
            *own = number(&text).ok_or_else(|| out_of_range(&text))?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(numbers),
        Value::Object(fields) => fields.values_mut().try_for_each(numbers),
        _ => Ok(()),
    }
}

/// Describes a number that no float can hold.
pub(super) fn out_of_range(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("number out of range: {shown}")
}

/// Returns the number of a JSON literal as `serde_json` reads it without `arbitrary_precision`: an
/// integer of 64 bits, else a float. `None` when no float can hold it.
pub(crate) fn number(text: &str) -> Option<Number> {
    if !text.contains(['.', 'e', 'E']) && text != "-0" {
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.into());
        }
    }
    // `Number::from_f64` refuses values that are not finite.
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_without_features() {
        for (text, want) in [
            ("1", "1"),
            ("-1", "-1"),
            ("-0", "-0.0"),
            ("0", "0"),
            ("1e2", "100.0"),
            ("2.50", "2.5"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("0.1234567890123456789", "0.12345678901234568"),
            ("1E-7", "1e-7"),
            ("5e-324", "5e-324"),
        ] {
            assert_eq!(number(text).unwrap().to_string(), want, "{text}");
            // These tests are built without features.
            assert_eq!(serde_json::from_str::<Value>(text).unwrap().to_string(), want, "{text}");
        }
        assert_eq!(number("1e999"), None);
    }
}
