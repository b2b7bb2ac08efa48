//! Reads the arguments of a function from a datapoint.
//!
//! The macros describe each parameter of an experiment or evaluator as a [`Param`]. This module
//! finds the value for it and reads it into the parameter's type. The error for a value that is
//! missing says what was looked for, where, and what is there instead.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{cell, integers, row};
use crate::datapoint::Datapoint;
use crate::text::{alike, closest};

/// The place that the value of a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The input field of this name.
    Input(&'static str),
    /// The whole `inputs` object.
    Inputs,
    /// The output of the experiment's function.
    Output,
    /// The row's ground truth.
    GroundTruth,
    /// The row's metadata, or the input of this name.
    Metadata,
    /// The row's earlier messages, or the input of this name.
    History,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(name) => write!(f, "`{name}`"),
            Self::Inputs => f.write_str("`inputs`"),
            Self::Output => f.write_str("`output`"),
            Self::GroundTruth => f.write_str("`ground_truth`"),
            Self::Metadata => f.write_str("`metadata`"),
            Self::History => f.write_str("`history`"),
        }
    }
}

/// A parameter of an experiment or evaluator, as written in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name of the parameter in the source, without a leading `_`.
    pub name: &'static str,
    /// The place that its value comes from.
    pub key: Key,
    /// The type as written, for error texts.
    pub ty: &'static str,
    /// Set when the type is not an `Option`, so that a missing or null value is an error.
    pub required: bool,
}

/// The reason why a case has no output, or an evaluator no score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// An argument could not be read from the datapoint or from the output.
    #[error("{text}")]
    Argument {
        /// The description of the error, in a sentence.
        text: String,
        /// Set when the parameter reads the output: the output was missing, or not readable as the
        /// parameter's type.
        from_output: bool,
    },
    /// The function returned an error.
    #[error("{0}")]
    Failed(String),
    /// The return value of the function could not be written as JSON.
    #[error("the output cannot be written as JSON: {0}")]
    Output(String),
}

/// The types that an argument can have: everything that `serde` can read without borrowing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a datapoint",
    label = "this argument type does not implement `serde::Deserialize`",
    note = "a parameter reads a part of the row, an input by its name, or `inputs`, `metadata` or \
            `history` as a whole, so its type derives `serde::Deserialize`",
    note = "what all cases share, such as a client, is not a parameter: keep it in a `static` with \
            `std::sync::LazyLock` (async: `tokio::sync::OnceCell`) and use that in the function"
)]
pub trait FromField: Sized {
    /// Reads the value; `text` says whether it is the text of a CSV cell.
    ///
    /// # Errors
    /// Returns an error that says what the type expected.
    fn from_field(value: &Value, text: bool) -> Result<Self, serde_json::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromField for T {
    fn from_field(value: &Value, text: bool) -> Result<Self, serde_json::Error> {
        if text { cell::read(value) } else { integers::read(value) }
    }
}

/// The types that the output can be read as: everything that `serde` can read without borrowing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the output",
    label = "this type of `output` does not implement `serde::Deserialize`",
    note = "an evaluator sees the output as JSON: derive `serde::Deserialize` for the type, or take \
            `output: serde_json::Value`"
)]
pub trait FromOutput: FromField {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromOutput for T {}

/// The values that arguments are taken from.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(crate) datapoint: &'a Datapoint,
    pub(crate) output: Option<&'a Value>,
}

/// A found value and whether it is a CSV cell.
enum Found<'a> {
    Value(&'a Value, bool),
    Object(Value, bool),
    Missing,
    /// The name stands both within `inputs` and beside them.
    Clash,
}

impl<'a> Fields<'a> {
    /// Creates the fields of a datapoint, before there is an output.
    pub fn new(datapoint: &'a Datapoint) -> Self {
        Self { datapoint, output: None }
    }

    /// Creates the fields of a datapoint with the output of the function.
    pub fn with_output(datapoint: &'a Datapoint, output: &'a Value) -> Self {
        Self { datapoint, output: Some(output) }
    }

    fn find(&self, key: Key) -> Found<'a> {
        let cells = self.datapoint.cells;
        let (value, text) = match key {
            Key::Input(name) => (self.datapoint.inputs.get(name), cells),
            Key::GroundTruth => (self.datapoint.ground_truth.as_ref(), cells),
            Key::Output => (self.output, false),
            Key::Inputs => {
                return Found::Object(Value::Object(self.datapoint.inputs.clone()), cells);
            }
            Key::Metadata => match self.beside("metadata", self.datapoint.metadata.is_empty()) {
                Ok(input) => (Some(input), cells),
                Err(Some(found)) => return found,
                Err(None) => {
                    return Found::Object(Value::Object(self.datapoint.metadata.clone()), false);
                }
            },
            Key::History => match self.beside("history", self.datapoint.history.is_empty()) {
                Ok(input) => (Some(input), cells),
                Err(Some(found)) => return found,
                // A row without earlier messages has an empty list, as in the first turn of a
                // conversation.
                Err(None) => {
                    return Found::Object(Value::Array(self.datapoint.history.clone()), false);
                }
            },
        };
        match value {
            None | Some(Value::Null) => Found::Missing,
            Some(value) => Found::Value(value, text),
        }
    }

    /// Returns the input that has the name of something beside the inputs; `Err(None)` where there
    /// is no such input.
    fn beside(&self, name: &str, is_empty: bool) -> Result<&'a Value, Option<Found<'a>>> {
        match self.datapoint.inputs.get(name).filter(|value| !value.is_null()) {
            None => Err(None),
            Some(input) if is_empty => Ok(input),
            Some(_) => Err(Some(Found::Clash)),
        }
    }

    /// Returns whether a required value is there (present and not null). The output counts as
    /// there, and so does an empty history.
    pub(crate) fn has(&self, key: Key) -> bool {
        key == Key::Output || !matches!(self.find(key), Found::Missing | Found::Clash)
    }

    /// Returns whether the row has a value for this key; an empty history counts as none.
    pub(crate) fn says(&self, key: Key) -> bool {
        match key {
            Key::History => {
                !self.datapoint.history.is_empty()
                    || self.datapoint.inputs.get("history").is_some_and(|value| !value.is_null())
            }
            _ => self.has(key),
        }
    }

    /// Reads the value for a parameter that is not an `Option`.
    ///
    /// # Errors
    /// Returns an error when the value is missing, null, or cannot be read as `T`.
    pub fn required<T: FromField>(&self, param: &Param) -> Result<T, Fault> {
        self.optional(param)?.ok_or_else(|| fault(param, self.absence(param)))
    }

    /// Reads the value for an `Option` parameter: `None` when missing or null.
    ///
    /// # Errors
    /// Returns an error when the value is there but cannot be read as `T`.
    pub fn optional<T: FromField>(&self, param: &Param) -> Result<Option<T>, Fault> {
        if param.key == Key::History && !param.required && !self.says(param.key) {
            return Ok(None);
        }
        let hinted = |value: &Value, text| {
            let read = T::from_field(value, text);
            read.map_err(|error| format!("{error}{}", integers::hint(value, &error)))
        };
        let read = match self.find(param.key) {
            Found::Missing => return Ok(None),
            Found::Clash => return Err(fault(param, clash(param.key))),
            Found::Value(value, text) => hinted(value, text),
            Found::Object(value, text) => hinted(&value, text),
        };
        // A cell of blanks is padding, unless the type is a text.
        if read.is_err() && self.is_padding(param.key) {
            return Ok(None);
        }
        read.map(Some).map_err(|error| {
            fault(param, format!("{} is not a `{}`: {error}", self.describe(param.key), param.ty))
        })
    }

    fn is_padding(&self, key: Key) -> bool {
        matches!(self.find(key), Found::Value(Value::String(text), true) if text.trim().is_empty())
    }

    /// Reads the output for a parameter that is not an `Option`.
    ///
    /// # Errors
    /// Returns an error when the output is null, or cannot be read as `T`.
    pub fn required_output<T: FromOutput>(&self, param: &Param) -> Result<T, Fault> {
        self.required(param)
    }

    /// Reads the output for an `Option` parameter: `None` when it is null.
    ///
    /// # Errors
    /// Returns an error when it cannot be read as `T`.
    pub fn optional_output<T: FromOutput>(&self, param: &Param) -> Result<Option<T>, Fault> {
        self.optional(param)
    }

    /// Describes a required value that is missing.
    pub(crate) fn absence(&self, param: &Param) -> String {
        match param.key {
            key @ (Key::History | Key::Metadata) => clash(key),
            Key::Input(name) => self.no_input(name),
            Key::Output => format!(
                "`output` is null; take `Option<{}>` where the function may return nothing",
                param.ty
            ),
            Key::GroundTruth => {
                let other = self.datapoint.inputs.keys();
                let other = other.map(String::as_str).find(|key| {
                    alike(key, "ground_truth") || row::synonym(key) == Some("ground_truth")
                });
                match other {
                    Some(other) => format!(
                        "`ground_truth` is missing; the row has `{other}`; rename it if that is the \
                         ground truth"
                    ),
                    None => "`ground_truth` is missing; take an `Option` where a row may lack it"
                        .to_owned(),
                }
            }
            key => format!("{key} is missing; take an `Option` where a row may lack it"),
        }
    }

    fn no_input(&self, name: &str) -> String {
        let inputs = &self.datapoint.inputs;
        let state = if inputs.contains_key(name) { "is null" } else { "is missing" };
        let known: Vec<&str> = inputs.keys().map(String::as_str).collect();
        let hint = match near(name, &known) {
            _ if state == "is null" => format!("; the row's inputs: {}", known.join(", ")),
            Some(near) if alike(near, name) && near.to_lowercase() == name.to_lowercase() => {
                format!("; the row has `{near}`, in another case")
            }
            Some(near) if alike(near, name) => {
                // Two names may look the same, so invisible characters are escaped.
                format!("; the row has `{}`", near.escape_debug())
            }
            Some(near) => format!("; the row has `{near}`"),
            None => match inputs.iter().find(|(_, value)| value.get(name).is_some()) {
                Some((outer, _)) if outer == "input" => {
                    format!("; the row has it within `{outer}`; did you mean `inputs`?")
                }
                Some((outer, _)) => format!("; the row has it within `{outer}`"),
                None if name == "history" && !self.datapoint.history.is_empty() => {
                    "; `history` beside `inputs` is a key of the row and no input; put it within \
                     `inputs`"
                        .to_owned()
                }
                None if known.is_empty() => "; the row has no inputs".to_owned(),
                None => format!("; the row's inputs: {}", known.join(", ")),
            },
        };
        format!("input `{name}` {state}{hint}")
    }

    /// Reads an input by a name that is known only at run time.
    ///
    /// # Errors
    /// Returns an error when it is missing or null, or cannot be read as `T`.
    pub fn input<T: FromField>(&self, name: &str) -> Result<T, Fault> {
        let fault = |text| Fault::Argument { text, from_output: false };
        match self.datapoint.inputs.get(name) {
            None | Some(Value::Null) => Err(fault(self.no_input(name))),
            Some(value) => T::from_field(value, self.datapoint.cells).map_err(|error| {
                let shown = shorten(&value.to_string());
                let hint = integers::hint(value, &error);
                fault(format!("input `{name}` ({shown}) cannot be read: {error}{hint}"))
            }),
        }
    }

    fn describe(&self, key: Key) -> String {
        let shown = match self.find(key) {
            Found::Value(value, _) => shorten(&value.to_string()),
            Found::Object(value, _) => shorten(&value.to_string()),
            Found::Missing | Found::Clash => "nothing".to_owned(),
        };
        format!("{key} ({shown})")
    }
}

/// Returns the key that was probably meant by a name; `None` if no key resembles it.
pub(crate) fn near<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let same = known.iter().copied().find(|key| *key != name && alike(key, name));
    same.or_else(|| closest(name, known.iter().copied()))
}

/// Describes a name that stands both within `inputs` and beside them.
fn clash(key: Key) -> String {
    let name = key.to_string();
    let name = name.trim_matches('`');
    format!(
        "the row has `{name}` twice, within `inputs` and beside them; rename one of them, or read the \
         input by `#[input(\"{name}\")]` on a parameter of another name"
    )
}

fn fault(param: &Param, text: String) -> Fault {
    Fault::Argument { text, from_output: param.key == Key::Output }
}

/// Returns at most 60 characters of a value, for error texts.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: Param = Param { name: "text", key: Key::Input("text"), ty: "&str", required: true };

    #[test]
    fn a_missing_input_names_what_is_there() {
        let row = Datapoint::new().input("txt", "hi").input("lang", "de");
        let error = Fields::new(&row).required::<String>(&TEXT).unwrap_err();
        assert_eq!(error.to_string(), "input `text` is missing; the row has `txt`");
        let row = Datapoint::new().input("question", "hi");
        let error = Fields::new(&row).required::<String>(&TEXT).unwrap_err();
        assert_eq!(error.to_string(), "input `text` is missing; the row's inputs: question");
        let row = Datapoint::new().input("text", Value::Null);
        let error = Fields::new(&row).required::<String>(&TEXT).unwrap_err();
        assert_eq!(error.to_string(), "input `text` is null; the row's inputs: text");
    }

    #[test]
    fn a_value_of_another_type_is_shown() {
        let row = Datapoint::new().input("text", json!([1, 2]));
        let error = Fields::new(&row).required::<String>(&TEXT).unwrap_err().to_string();
        assert!(
            error.starts_with("`text` ([1,2]) is not a `&str`: invalid type: sequence"),
            "{error}"
        );
    }

    const HISTORY: Param =
        Param { name: "history", key: Key::History, ty: "Vec<String>", required: true };
    const METADATA: Param =
        Param { name: "metadata", key: Key::Metadata, ty: "Value", required: true };

    fn read(row: &Datapoint, param: &Param) -> Result<Value, String> {
        Fields::new(row).required::<Value>(param).map_err(|fault| fault.to_string())
    }

    #[test]
    fn history_and_metadata_are_read_from_beside_the_inputs() {
        let row = Datapoint::new().history(["hi", "ho"]).metadata("lang", "de");
        assert_eq!(read(&row, &HISTORY), Ok(json!(["hi", "ho"])));
        assert_eq!(read(&row, &METADATA), Ok(json!({"lang": "de"})));
        let bare = Datapoint::new();
        assert_eq!((read(&bare, &HISTORY), read(&bare, &METADATA)), (Ok(json!([])), Ok(json!({}))));
        assert!(Fields::new(&row).says(Key::History) && !Fields::new(&bare).says(Key::History));
    }

    #[test]
    fn an_input_of_such_a_name_is_read_where_it_is_alone() {
        let row = Datapoint::new().input("history", json!(["hi"])).input("metadata", 7);
        assert_eq!(
            (read(&row, &HISTORY), read(&row, &METADATA)),
            (Ok(json!(["hi"])), Ok(json!(7)))
        );
        let row = row.input("history", Value::Null).history(["ho"]);
        assert_eq!(read(&row, &HISTORY), Ok(json!(["ho"])));
        let row = row.input("history", json!(["hi"])).metadata("lang", "de");
        for param in [HISTORY, METADATA] {
            let name = param.name;
            assert_eq!(
                read(&row, &param).unwrap_err(),
                format!(
                    "the row has `{name}` twice, within `inputs` and beside them; rename one of them, \
                     or read the input by `#[input(\"{name}\")]` on a parameter of another name"
                )
            );
            assert!(!Fields::new(&row).has(param.key));
        }
        let input = Param { key: Key::Input("history"), ..HISTORY };
        assert_eq!(read(&row, &input), Ok(json!(["hi"])));
    }

    #[test]
    fn null_is_nothing_for_an_option() {
        let param = Param { required: false, ..TEXT };
        let row = Datapoint::new().input("text", Value::Null);
        assert_eq!(Fields::new(&row).optional::<String>(&param), Ok(None));
        assert_eq!(Fields::new(&Datapoint::new()).optional::<String>(&param), Ok(None));
    }

    #[test]
    fn cells_are_read_as_the_type_asks() {
        let mut row = Datapoint::new().input("text", "007");
        row.cells = true;
        let fields = Fields::new(&row);
        assert_eq!(fields.required::<String>(&TEXT).unwrap(), "007");
        let row = {
            let mut row = Datapoint::new().input("text", "7.5");
            row.cells = true;
            row
        };
        assert!((Fields::new(&row).required::<f64>(&TEXT).unwrap() - 7.5).abs() < 1e-12);
    }
}
