//! Keeps JSON values to a depth that every reader of them can process.
//!
//! Readers of JSON stop at a depth of about 127, and a value of ten thousand levels overflows the stack
//! of code that walks it. So values that come in or go out are kept well below.

pub(crate) mod explain;
mod normal;
pub(crate) mod strict;

use std::io;
use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

pub(crate) use normal::{normal, normal_fields, number};

/// The deepest nesting that a value may have.
const DEEPEST: usize = 100;

/// The text about a value that is nested deeper.
pub(crate) const TOO_DEEP: &str = "it is nested more than 100 deep";

/// Returns whether a value is nested deeper than can be recorded.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    fn deeper(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels == 0 || items.iter().any(|item| deeper(item, levels - 1)),
            Value::Object(fields) => {
                levels == 0 || fields.values().any(|item| deeper(item, levels - 1))
            }
            _ => false,
        }
    }
    deeper(value, DEEPEST)
}

/// Calls `leaf` with every value at or below `key` that has no parts, until `leaf` breaks off. The keys
/// are those of objects and the indexes of lists, as in `key.a.0`. Nulls are passed over.
pub(crate) fn leaves(
    key: &str,
    value: &Value,
    leaf: &mut impl FnMut(&str, &Value) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match value {
        Value::Null => ControlFlow::Continue(()),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, item)| leaves(&format!("{key}.{name}"), item, leaf))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| leaves(&format!("{key}.{index}"), item, leaf)),
        scalar => leaf(key, scalar),
    }
}

/// Returns the value of anything that can be serialised.
///
/// The value is read from the text that the type writes. A 32-bit float so keeps its own digits
/// (`0.1`, not `0.10000000149011612`), and an integer beyond 64 bits becomes a float.
///
/// # Errors
/// Returns an error when the value has no JSON form, such as a map whose keys are not strings, or is too
/// deep.
pub(crate) fn to_value<T: Serialize + ?Sized>(from: &T) -> Result<Value, String> {
    let mut text = Vec::with_capacity(128);
    // Building the value directly would overflow the stack; writing its text stops at the deepest level.
    let written = from.serialize(&mut Serializer::with_formatter(&mut text, Shallow(0)));
    match written {
        Ok(()) => read(&text).map_err(|error| error.to_string()),
        Err(error) if error.is_io() => Err(TOO_DEEP.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a value that another program wrote: the result does not depend on the features of `serde_json`
/// in the build. Of a repeated key the last value is kept; see [`strict`] for texts of users.
///
/// # Errors
/// Returns an error when the text is not JSON.
pub(crate) fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(text)?;
    normal(&mut value).map_err(serde::de::Error::custom)?;
    Ok(value)
}

/// Returns the JSON text of anything that can be serialised, with fields in their own order, and whether
/// that is all of it: the text is cut after `most` bytes, and the rest is not even serialised.
///
/// # Errors
/// Returns the errors of [`to_value`].
pub(crate) fn to_text<T: Serialize + ?Sized>(
    from: &T,
    most: usize,
) -> Result<(String, bool), String> {
    let mut page = Page { text: Vec::new(), most, full: false };
    let written = from.serialize(&mut Serializer::with_formatter(&mut page, Shallow(0)));
    let Page { mut text, full, .. } = page;
    match written {
        Err(error) if !full => {
            return Err(if error.is_io() { TOO_DEEP.to_owned() } else { error.to_string() });
        }
        _ => {}
    }
    // The limit may cut a character in two.
    let whole = std::str::from_utf8(&text).map_or_else(|error| error.valid_up_to(), str::len);
    text.truncate(whole);
    Ok((String::from_utf8(text).unwrap_or_default(), !full))
}

/// A writer that takes `most` bytes and no more.
struct Page {
    text: Vec<u8>,
    most: usize,
    full: bool,
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.most - self.text.len();
        self.text.extend(&bytes[..bytes.len().min(left)]);
        if bytes.len() > left {
            self.full = true;
            return Err(io::Error::other("the page is full"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A formatter that stops at the deepest level.
struct Shallow(usize);

impl Shallow {
    fn down(&mut self) -> io::Result<()> {
        self.0 += 1;
        if self.0 > DEEPEST { Err(io::Error::other(TOO_DEEP)) } else { Ok(()) }
    }
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.down()?;
        out.write_all(b"[")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.down()?;
        out.write_all(b"{")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0 -= 1;
        out.write_all(b"]")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0 -= 1;
        out.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Value {
        (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn a_hundred_levels_are_enough() {
        assert_eq!(to_value(&nested(100)), Ok(nested(100)));
        assert_eq!(to_value(&nested(101)), Err(TOO_DEEP.to_owned()));
        assert!(!is_too_deep(&nested(100)) && is_too_deep(&nested(101)));
    }

    #[test]
    fn numbers_of_other_widths_keep_what_json_can_hold() {
        let value = |value: &dyn Fn() -> Result<Value, String>| value().unwrap().to_string();
        assert_eq!(value(&|| to_value(&0.1_f32)), "0.1");
        assert_eq!(value(&|| to_value(&[Some(5.55_f32), None])), "[5.55,null]");
        assert_eq!(value(&|| to_value(&f32::NAN)), "null");
        assert_eq!(value(&|| to_value(&-0.0)), "-0.0");
        assert_eq!(value(&|| to_value(&u64::MAX)), u64::MAX.to_string());
        assert_eq!(value(&|| to_value(&i64::MIN)), i64::MIN.to_string());
        assert_eq!(value(&|| to_value(&u128::MAX)), "3.402823669209385e+38");
        assert_eq!(value(&|| to_value(&i128::MIN)), "-1.7014118346046923e+38");
        assert_eq!(value(&|| to_value(&b"ab".as_slice())), "[97,98]");
        let keys = std::collections::BTreeMap::from([(1, true)]);
        assert_eq!(value(&|| to_value(&keys)), r#"{"1":true}"#);
    }

    #[test]
    fn leaves_are_shown_until_somebody_breaks_off() {
        let value =
            serde_json::json!({"a": {"b": 1, "n": null}, "l": [true, null, ["x"]], "e": {}});
        let shown = |most: usize| {
            let mut shown = Vec::new();
            let walked = leaves("r", &value, &mut |key, leaf| {
                if shown.len() == most {
                    return ControlFlow::Break(());
                }
                shown.push(format!("{key}={leaf}"));
                ControlFlow::Continue(())
            });
            (shown, walked.is_break())
        };
        let all = ["r.a.b=1", "r.l.0=true", "r.l.2.0=\"x\""].map(str::to_owned);
        assert_eq!(shown(3), (all.to_vec(), false));
        assert_eq!(shown(2), (all[..2].to_vec(), true));
    }

    #[test]
    fn a_text_ends_where_it_must() {
        let value = serde_json::json!({"a": [1, "é"], "b": null});
        assert_eq!(to_text(&value, 100), Ok((value.to_string(), true)));
        assert_eq!(to_text(&value, value.to_string().len()), Ok((value.to_string(), true)));
        // The limit is within the two bytes of `é`.
        assert_eq!(to_text(&value, 10), Ok(("{\"a\":[1,\"".to_owned(), false)));
        assert_eq!(to_text(&nested(101), 1000), Err(TOO_DEEP.to_owned()));
        let for_ever = Endless;
        assert_eq!(to_text(&for_ever, 3), Ok(("[7,".to_owned(), false)));
        let no_key = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(to_text(&no_key, 100).is_err());
    }

    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_seq(std::iter::repeat(7))
        }
    }
}
