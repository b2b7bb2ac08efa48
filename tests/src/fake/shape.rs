//! Defines a small language for the form of JSON bodies.
//!
//! The real server accepts fields that it does not know and drops them without an error. A misspelt
//! field would then be lost for good, so here every object lists the fields that it may have.

use serde_json::{Map, Value};

/// The form that a value must have.
#[derive(Debug)]
pub(super) enum Shape {
    /// Any value, including null.
    Any,
    /// A string.
    Text,
    /// A string that is not empty.
    Name,
    /// A UUID in lower case.
    Uuid,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// This many lower-case hex digits, not all of them zero.
    Hex(usize),
    /// This many lower-case hex digits, or an empty string.
    HexOrEmpty(usize),
    /// A string of decimal digits that fits 64 bits without a sign.
    Nanos,
    /// A string of decimal digits that fits 64 bits, with an optional minus sign.
    IntText,
    /// True or false.
    Bool,
    /// A number from 0 without a fraction.
    Count,
    /// A number from 0.
    Amount,
    /// A number, or one of the three strings for values that JSON has no number for.
    Double,
    /// A number or a string, as a point in time may be either.
    Time,
    /// The value of a metric: true, false, a number or a string.
    Scalar,
    /// A list.
    List(&'static Shape),
    /// An object with any keys.
    Map(&'static Shape),
    /// An object with these fields only.
    Struct(&'static [Field]),
    /// An object with exactly one of these fields.
    Variant(&'static [Field]),
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    shape: Shape,
    required: bool,
}

/// Creates a field that must be present.
pub(super) const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// Creates a field that may be present. It is left out when there is no value for it, never null.
pub(super) const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

impl Shape {
    /// Returns the faults of a body.
    pub(super) fn faults(&self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(value, "", &mut faults);
        faults
    }

    fn check(&self, value: &Value, path: &str, faults: &mut Vec<String>) {
        match (self, value) {
            (Self::List(each), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    each.check(item, &format!("{path}[{index}]"), faults);
                }
            }
            (Self::Map(each), Value::Object(entries)) => {
                for (key, item) in entries {
                    each.check(item, &join(path, key), faults);
                }
            }
            (Self::Struct(fields), Value::Object(entries)) => {
                check_fields(fields, entries, path, faults);
                for field in fields.iter().filter(|field| field.required) {
                    if !entries.contains_key(field.name) {
                        faults.push(format!("`{}` is missing", join(path, field.name)));
                    }
                }
            }
            (Self::Variant(fields), Value::Object(entries)) => {
                check_fields(fields, entries, path, faults);
                if entries.len() != 1 {
                    faults.push(format!("`{path}` has {} values, not one", entries.len()));
                }
            }
            _ if self.is_met(value) => {}
            _ => {
                let text: String = value.to_string().chars().take(80).collect();
                faults.push(format!("`{path}` is not {}: {text}", self.name()));
            }
        }
    }

    /// Returns whether a value without parts has this form.
    fn is_met(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Any => true,
            Self::Text => text.is_some(),
            Self::Name => text.is_some_and(|text| !text.trim().is_empty()),
            Self::Uuid => text.is_some_and(is_uuid),
            Self::OneOf(choices) => text.is_some_and(|text| choices.contains(&text)),
            Self::Hex(digits) => text.is_some_and(|text| is_hex(text, *digits)),
            Self::HexOrEmpty(digits) => {
                text.is_some_and(|text| text.is_empty() || is_hex(text, *digits))
            }
            Self::Nanos => text.is_some_and(|text| is_decimal(text) && text.parse::<u64>().is_ok()),
            Self::IntText => text.is_some_and(|text| {
                is_decimal(text.strip_prefix('-').unwrap_or(text)) && text.parse::<i64>().is_ok()
            }),
            Self::Bool => value.is_boolean(),
            Self::Count => value.is_u64(),
            Self::Amount => value.as_f64().is_some_and(|number| number >= 0.0),
            Self::Double => {
                value.is_number()
                    || text.is_some_and(|text| ["NaN", "Infinity", "-Infinity"].contains(&text))
            }
            Self::Time => value.as_f64().is_some_and(|number| number > 0.0) || text.is_some(),
            Self::Scalar => value.is_boolean() || value.is_number() || text.is_some(),
            Self::List(_) | Self::Map(_) | Self::Struct(_) | Self::Variant(_) => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "a string",
            Self::Name => "a string with something in it",
            Self::Uuid => "a UUID in lower case",
            Self::OneOf(_) => "one of the known words",
            Self::Hex(_) | Self::HexOrEmpty(_) => "an id in lower-case hex of the right length",
            Self::Nanos => "nanoseconds as a string",
            Self::IntText => "an integer as a string",
            Self::Bool => "a bool",
            Self::Count => "an integer from 0",
            Self::Amount => "a number from 0",
            Self::Double => "a number",
            Self::Time => "a point in time",
            Self::Scalar => "a bool, number or string",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Struct(_) | Self::Variant(_) => "an object",
        }
    }
}

fn check_fields(
    fields: &[Field],
    entries: &Map<String, Value>,
    path: &str,
    faults: &mut Vec<String>,
) {
    for (key, item) in entries {
        match fields.iter().find(|field| field.name == key) {
            Some(field) => field.shape.check(item, &join(path, key), faults),
            None => faults.push(format!("`{}` is no field of this body", join(path, key))),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(is_lower_hex) && text.bytes().any(|byte| byte != b'0')
}

/// Returns whether a text is a UUID in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(is_lower_hex)
}
