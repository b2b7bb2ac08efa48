//! Reads JSON of users so that no part of it is lost.
//!
//! `serde_json` keeps the last of two values under one key. In a row that a user wrote, the first
//! one would be lost without notice; so a repeated key is an error here, at any depth.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::normal::{PRIVATE, number, out_of_range, sorted};

/// The key that `serde_json` gives to a number under `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// The number of keys up to which an object is searched for a repeated key one by one.
const FEW: usize = 16;

/// Reads a value from its text.
///
/// # Errors
/// Returns an error when the text is not JSON, or a key is repeated.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    refuse_private(text)?;
    let mut from = serde_json::Deserializer::from_str(text);
    let value = Build.deserialize(&mut from)?;
    from.end()?;
    Ok(sorted(value))
}

/// Checks a text without building its value.
///
/// # Errors
/// Returns the errors of [`parse`].
pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
    refuse_private(text)?;
    let mut from = serde_json::Deserializer::from_str(text);
    Skim.deserialize(&mut from)?;
    from.end()
}

/// Returns an error for a private key of `serde_json`, which means another value with
/// `arbitrary_precision` than without.
fn refuse_private(text: &str) -> Result<(), serde_json::Error> {
    match text.find(&format!("\"{PRIVATE}")) {
        Some(at) => check_key(text[at + 1..].split('"').next().unwrap_or_default()),
        None => Ok(()),
    }
}

/// The kind of a value that was skimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    Scalar,
}

/// The keys of an object that were read so far.
#[derive(Default)]
pub(crate) struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    /// Adds a key.
    ///
    /// # Errors
    /// Returns an error when the key is there already, or belongs to `serde_json`.
    pub(crate) fn add<E: Error>(&mut self, key: Cow<'de, str>) -> Result<(), E> {
        check_key(&key)?;
        if self.many.contains(&key) || self.few.contains(&key) {
            return Err(repeated(&key));
        }
        if self.few.len() < FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

fn repeated<E: Error>(key: &str) -> E {
    let shown: String = key.chars().take(60).collect();
    E::custom(format!("the key `{shown}` is repeated in one object; keep one of them"))
}

fn check_key<E: Error>(key: &str) -> Result<(), E> {
    if key.starts_with(PRIVATE) {
        return Err(E::custom(format!("the key `{key}` is reserved by serde_json; rename it")));
    }
    Ok(())
}

/// Reads a key, borrowed where it has no escapes.
pub(crate) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Walks a value without building it.
pub(crate) struct Skim;

impl<'de> DeserializeSeed<'de> for Skim {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Kind, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skim {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        while items.next_element_seed(Skim)?.is_some() {}
        Ok(Kind::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = map.next_key_seed(Key)? {
            if key == NUMBER && keys.few.is_empty() {
                let text: String = map.next_value()?;
                return match number(&text) {
                    Some(_) => Ok(Kind::Scalar),
                    None => Err(A::Error::custom(out_of_range(&text))),
                };
            }
            keys.add(key)?;
            map.next_value_seed(Skim)?;
        }
        Ok(Kind::Object)
    }
}

/// Builds a value.
struct Build;

impl<'de> DeserializeSeed<'de> for Build {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(Build)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            // Numbers arrive in this form under `arbitrary_precision`.
            if key == NUMBER && fields.is_empty() {
                let text: String = from.next_value()?;
                let number = number(&text).ok_or_else(|| A::Error::custom(out_of_range(&text)))?;
                from.next_key::<IgnoredAny>()?;
                return Ok(number.into());
            }
            check_key(&key)?;
            if fields.contains_key(&key) {
                return Err(repeated(&key));
            }
            let value = from.next_value_seed(Build)?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        for text in [
            "null",
            "true",
            "-3",
            "2.5e3",
            "\"a\\u00e9\"",
            "[]",
            r#"{"b":[1,{"c":null}],"a":{"b":1}}"#,
            "18446744073709551616",
            "",
            "{",
            "[1,]",
            "{\"a\":1}x",
            "nul",
        ] {
            let (ours, theirs) = (parse(text), serde_json::from_str::<Value>(text));
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}");
            assert_eq!(check(text).is_ok(), theirs.is_ok(), "{text}");
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                assert_eq!(ours, theirs);
            }
        }
    }

    #[test]
    fn a_repeated_key_is_an_error_at_any_depth() {
        let many: Vec<String> = (0..40).map(|index| format!("\"k{index}\":0")).collect();
        let many = many.join(",");
        for text in [
            r#"{"a":1,"a":1}"#.to_owned(),
            r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#.to_owned(),
            // This is the same key with an escape.
            r#"{"a":1,"\u0061":2}"#.to_owned(),
            format!("{{{many},\"k3\":1}}"),
            format!("{{{many},\"k39\":1}}"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains("is repeated in one object"), "{error}");
            assert_eq!(check(&text).unwrap_err().to_string(), error);
        }
        assert!(parse(r#"{"a":{"a":1},"b":{"a":1},"A":2}"#).is_ok());
        let reserved = r#"{"x":1,"$serde_json::private::RawValue":"[1"}"#;
        assert!(parse(reserved).unwrap_err().to_string().contains("reserved by serde_json"));
        assert!(check(reserved).is_err());
    }
}
