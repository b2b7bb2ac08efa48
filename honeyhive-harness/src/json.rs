//! JSON values of a depth that every part of the way can hold.
//!
//! Readers of JSON stop at a depth of about 127, and a value of ten thousand levels overflows the
//! stack of whoever walks it. So what comes in or goes out is kept well below.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// The deepest nesting of a value.
const DEEPEST: usize = 100;

/// What is said of a deeper one.
pub(crate) const TOO_DEEP: &str = "it is nested more than 100 deep";

/// Whether a value is nested deeper than can be recorded.
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

/// The value of anything that can be serialised.
///
/// # Errors
/// When it has no JSON form, such as a map with keys that are no strings, or is too deep.
pub(crate) fn to_value<T: Serialize + ?Sized>(from: &T) -> Result<Value, String> {
    // Building the value would overflow the stack; writing it down stops in time.
    let mut serializer = Serializer::with_formatter(io::sink(), Shallow(0));
    if from.serialize(&mut serializer).is_err_and(|error| error.is_io()) {
        return Err(TOO_DEEP.to_owned());
    }
    serde_json::to_value(from).map_err(|error| error.to_string())
}

/// Stops at the deepest level.
struct Shallow(usize);

impl Shallow {
    fn down(&mut self) -> io::Result<()> {
        self.0 += 1;
        if self.0 > DEEPEST { Err(io::Error::other(TOO_DEEP)) } else { Ok(()) }
    }
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.down()
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.down()
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0 -= 1;
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0 -= 1;
        Ok(())
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
}
