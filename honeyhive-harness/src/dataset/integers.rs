//! Handles integers that a JSON value does not hold: `-0`, and those beyond 64 bits. Both become floats.

use serde::de::DeserializeOwned;
use serde_json::{Error, Value};

use super::{Content, Scanned, line_of};
use crate::json;

/// The number of digits from which an integer may be beyond 64 bits.
const LONG: usize = 19;

/// Reads a `T` from a value; a `-0` may be an integer.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(value).or_else(|error| match with_plain_zeros(value) {
        Some(changed) => T::deserialize(changed).map_err(|_| error),
        None => Err(error),
    })
}

/// Returns the value with `0` for each `-0.0`; `None` where it has none.
fn with_plain_zeros(value: &Value) -> Option<Value> {
    fn replace(value: &mut Value) -> bool {
        match value {
            Value::Number(number) => {
                let float = number.as_f64().filter(|_| number.is_f64());
                let is_negative_zero = float.is_some_and(|it| it == 0.0 && it.is_sign_negative());
                if is_negative_zero {
                    *value = 0.into();
                }
                is_negative_zero
            }
            // Each item is changed, so no short circuit.
            Value::Array(items) => items.iter_mut().fold(false, |any, item| replace(item) | any),
            Value::Object(fields) => {
                fields.values_mut().fold(false, |any, item| replace(item) | any)
            }
            _ => false,
        }
    }
    let mut changed = value.clone();
    replace(&mut changed).then_some(changed)
}

/// Returns the hint about a value that is not read as an integer since it has too many digits;
/// empty for another one.
pub(super) fn hint(value: &Value, error: &Error) -> &'static str {
    /// The floats from which on integers have more than 64 bits.
    const BEYOND: (f64, f64) = (18_446_744_073_709_551_616.0, -9_223_372_036_854_775_808.0);
    fn is_beyond(value: &Value) -> bool {
        match value {
            Value::Number(number) => number.as_f64().is_some_and(|float| {
                number.is_f64() && float.fract() == 0.0 && (float >= BEYOND.0 || float <= BEYOND.1)
            }),
            Value::Array(items) => items.iter().any(is_beyond),
            Value::Object(fields) => fields.values().any(is_beyond),
            _ => false,
        }
    }
    if error.to_string().contains("floating point") && is_beyond(value) {
        "; an integer beyond 64 bits is read as a float, and in quotes, as a text, it keeps its digits"
    } else {
        ""
    }
}

/// Returns the note about the first integer beyond 64 bits in the rows of a JSON file: its line, and
/// what becomes of it. Ids keep their digits, so they do not count.
pub(super) fn note(origin: &str, text: &str, rows: &[Scanned]) -> Option<String> {
    rows.iter().find_map(|row| {
        let Content::Raw(range) = &row.content else { return None };
        let raw = &text[range.clone()];
        let (at, digits) = first_beyond(raw)?;
        let line = row.line + line_of(&raw.as_bytes()[..at]) - 1;
        let shown: String = digits.chars().take(40).collect();
        Some(format!(
            "{origin}:{line}: {shown} is beyond 64 bits and is read as the nearest float, so that it is \
             equal to others near it; write such numbers as texts, in quotes"
        ))
    })
}

/// Returns the first integer of a row that is beyond 64 bits, and its place.
fn first_beyond(row: &str) -> Option<(usize, &str)> {
    let bytes = row.as_bytes();
    if !has_long_digits(bytes) {
        return None;
    }
    let (mut at, mut depth) = (0, 0_usize);
    // The last string, which is a key if a colon follows.
    let (mut string, mut key) = ("", "");
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let from = at + 1;
                at = from;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                string = row.get(from..at).unwrap_or_default();
            }
            b':' => key = string,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let rest = &row[at..];
                let end = rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c));
                let number = &rest[..end.unwrap_or(rest.len())];
                let is_id = depth == 1 && super::row::ID_KEYS.contains(&key);
                if !is_id && is_beyond(number) {
                    return Some((at, number));
                }
                at += number.len();
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns whether a literal is an integer that becomes a float.
fn is_beyond(literal: &str) -> bool {
    !literal.contains(['.', 'e', 'E'])
        && literal.len() >= LONG
        && json::number(literal).is_none_or(|number| number.is_f64())
}

/// Returns whether a text has so many digits in a row, without looking at most of it.
fn has_long_digits(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().skip(LONG - 1).step_by(LONG).any(|(at, byte)| {
        let digits = |part: &mut dyn Iterator<Item = &u8>| {
            part.take(LONG).take_while(|byte| byte.is_ascii_digit()).count()
        };
        byte.is_ascii_digit()
            && digits(&mut bytes[..at].iter().rev()) + digits(&mut bytes[at..].iter()) >= LONG
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_negative_zero_may_be_an_integer() {
        let row = json!({"a": -0.0, "b": [1, -0.0], "c": -0.5});
        assert_eq!(read::<i64>(&row["a"]).unwrap(), 0);
        assert_eq!(read::<Vec<u8>>(&row["b"]).unwrap(), [1, 0]);
        assert!(read::<f64>(&row["a"]).unwrap().is_sign_negative());
        assert!(read::<i64>(&row["c"]).is_err() && read::<Vec<String>>(&row["b"]).is_err());
    }

    #[test]
    fn the_hint_is_for_integers_beyond_64_bits() {
        let hint_of = |value: Value| hint(&value, &read::<i64>(&value).unwrap_err());
        assert!(hint_of(json!(18_446_744_073_709_551_616.0)).contains("in quotes"));
        // This is what -9223372036854775809 becomes.
        assert!(hint_of(json!(-9_223_372_036_854_775_808.0)).contains("in quotes"));
        assert_eq!(hint_of(json!(1.5)), "");
        assert_eq!(hint_of(json!("18446744073709551616")), "");
    }

    #[test]
    fn the_first_integer_beyond_64_bits_is_found() {
        for (row, want) in [
            (r#"{"q":12345678901234567890123}"#, Some("12345678901234567890123")),
            (r#"{"q":18446744073709551616}"#, Some("18446744073709551616")),
            (r#"{"q":[-9223372036854775809]}"#, Some("-9223372036854775809")),
            (r#"{"a":{"id":12345678901234567890123}}"#, Some("12345678901234567890123")),
            (r#"{"q":18446744073709551615,"r":-9223372036854775808}"#, None),
            (r#"{"id":12345678901234567890123,"q":1}"#, None),
            (r#"{"q":"12345678901234567890123","r":"\"12345678901234567890123"}"#, None),
            (r#"{"q":1234567890123456789.5,"r":12345678901234567890e3}"#, None),
            (
                r#"{"q":"1234567890123456789","r":12345678901234567890123}"#,
                Some("12345678901234567890123"),
            ),
        ] {
            assert_eq!(first_beyond(row).map(|(_, digits)| digits), want, "{row}");
        }
    }

    #[test]
    fn long_digits_are_found_wherever_they_stand() {
        for before in 0..60 {
            for (digits, want) in [(18, false), (19, true), (20, true), (45, true)] {
                let text = format!("{}{}x", "y".repeat(before), "7".repeat(digits));
                assert_eq!(has_long_digits(text.as_bytes()), want, "{text}");
            }
        }
    }
}
