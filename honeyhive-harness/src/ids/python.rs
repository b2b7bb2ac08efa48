//! Makes ids as HoneyHive's Python SDK does, so that runs of both languages are compared on one
//! dataset.
//!
//! That SDK hashes the text that `json.dumps(value, sort_keys=True)` prints. This module prints the
//! same text from JSON text rather than from values, because a number must keep its digits, which a
//! parsed `f64` would not.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::short_hash;

/// The depth that `serde_json` reads values to.
const DEEPEST: usize = 127;

/// Returns the text that Python's `json.dumps(json.loads(text), sort_keys=True)` prints.
///
/// # Errors
/// Returns an error when `text` is not JSON.
pub(crate) fn dumps(text: &str) -> Result<String, serde_json::Error> {
    let mut into = String::with_capacity(text.len() + text.len() / 8);
    write(text.trim(), 0, &mut into)?;
    Ok(into)
}

fn write(text: &str, depth: usize, into: &mut String) -> Result<(), serde_json::Error> {
    if depth > DEEPEST {
        return Err(serde::de::Error::custom("recursion limit exceeded"));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            // Of a repeated key, Python keeps the last value, as this map does. Strings sort by
            // code point in both languages.
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            into.push('{');
            for (index, (key, value)) in fields.iter().enumerate() {
                if index > 0 {
                    into.push_str(", ");
                }
                quote(key, into);
                into.push_str(": ");
                write(value.get(), depth + 1, into)?;
            }
            into.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            into.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    into.push_str(", ");
                }
                write(item.get(), depth + 1, into)?;
            }
            into.push(']');
        }
        Some(b'"') => quote(&serde_json::from_str::<String>(text)?, into),
        Some(b'-' | b'0'..=b'9') => {
            serde_json::from_str::<&RawValue>(text)?;
            number(text, into);
        }
        _ => {
            serde_json::from_str::<serde_json::Value>(text)?;
            into.push_str(text);
        }
    }
    Ok(())
}

/// Appends a string with everything but printable ASCII escaped, as `ensure_ascii` does.
fn quote(text: &str, into: &mut String) {
    into.push('"');
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\u{8}' => into.push_str("\\b"),
            '\u{c}' => into.push_str("\\f"),
            ' '..='~' => into.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    into.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    into.push('"');
}

/// Appends a number. An integer of any size keeps its digits; anything with a point or an exponent
/// is a float.
fn number(text: &str, into: &mut String) {
    if !text.contains(['.', 'e', 'E']) {
        // Python's integers have no negative zero.
        into.push_str(if text == "-0" { "0" } else { text });
        return;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => into.push_str(&repr(value)),
        Ok(value) => into.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        Err(_) => into.push_str(text),
    }
}

/// Returns Python's `repr` of a float: the shortest digits that read back the same, with an
/// exponent below 1e-4 and from 1e16 on.
fn repr(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Returns the id of a dataset: a hash of the list of its rows.
pub(crate) fn dataset_id<'a>(rows: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::from("[");
    for (index, row) in rows.into_iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        // A row that is not JSON is not a row in Python either.
        text.push_str(&dumps(row).unwrap_or_default());
    }
    text.push(']');
    format!("EXT-{}", short_hash(text.as_bytes(), 16))
}

/// Returns the id of a row without one: a hash of the row and its place.
pub(crate) fn datapoint_id(row: &str, index: usize) -> String {
    let mut text = dumps(row).unwrap_or_default();
    text.push_str(&index.to_string());
    format!("EXT-{}", short_hash(text.as_bytes(), 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_python_prints() {
        // python3 -c 'import json; print(json.dumps(json.loads(text), sort_keys=True))'
        for (text, python) in [
            (r#" {"b":1,"a":[true,null,"x"]} "#, r#"{"a": [true, null, "x"], "b": 1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
            ("[]", "[]"),
            ("{}", "{}"),
            ("\"\u{e9}\u{1f600}\u{7f}/\"", r#""\u00e9\ud83d\ude00\u007f/""#),
            (r#""\b\f\n\r\t\"\\\u0001""#, r#""\b\f\n\r\t\"\\\u0001""#),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e-7", "1.5e-07"),
            ("-0.0", "-0.0"),
            ("-0", "0"),
            ("1E400", "Infinity"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0.1", "0.1"),
            ("100.0", "100.0"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            assert_eq!(dumps(text).unwrap(), python, "{text}");
        }
        assert!(dumps("{").is_err());
        assert!(dumps("1x").is_err());
        assert!(dumps("nul").is_err());
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(dumps(&deep(100)).is_ok());
        assert!(dumps(&deep(100_000)).is_err());
    }

    #[test]
    fn ids_are_hashes_of_that_text() {
        // python3 -c 'import hashlib; print(hashlib.sha256(b"[{\"a\": 1}]").hexdigest()[:16])'
        assert_eq!(dataset_id([r#"{"a":1}"#]), format!("EXT-{}", short_hash(b"[{\"a\": 1}]", 16)));
        assert_eq!(
            datapoint_id(r#"{"a":1}"#, 3),
            format!("EXT-{}", short_hash(b"{\"a\": 1}3", 16))
        );
        assert_ne!(datapoint_id(r#"{"a":1}"#, 3), datapoint_id(r#"{"a":1}"#, 4));
    }
}
