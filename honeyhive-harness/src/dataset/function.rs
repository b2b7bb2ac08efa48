//! Reads datasets that a function of the user builds.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::config::row_limits;
use crate::datapoint::Datapoint;
use crate::text::{error_text, thousands};

/// The types of rows that a dataset function may yield: a [`Datapoint`], a JSON value in the shape
/// of a row, or a `Result` of one of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a datapoint",
    label = "a dataset function cannot yield this type",
    note = "yield `honeyhive_harness::Datapoint`, `serde_json::Value`, or a `Result` of one"
)]
pub trait IntoDatapoint {
    /// Converts the value into a datapoint.
    ///
    /// # Errors
    /// Returns the description of what is wrong with the row.
    fn into_datapoint(self) -> Result<Datapoint, String>;
}

impl IntoDatapoint for Datapoint {
    fn into_datapoint(self) -> Result<Datapoint, String> {
        Ok(self)
    }
}

impl IntoDatapoint for Value {
    fn into_datapoint(mut self) -> Result<Datapoint, String> {
        crate::json::normal(&mut self)?;
        super::row::parse(self)
    }
}

/// Converts a row that may be bad by itself: then its case ends in an error, and the others run.
impl<T: IntoDatapoint, E: std::fmt::Display> IntoDatapoint for Result<T, E> {
    fn into_datapoint(self) -> Result<Datapoint, String> {
        self.map_err(|error| error_text(&error)).and_then(IntoDatapoint::into_datapoint)
    }
}

impl TryFrom<Value> for Datapoint {
    type Error = String;

    fn try_from(row: Value) -> Result<Self, String> {
        row.into_datapoint()
    }
}

impl<'de> Deserialize<'de> for Datapoint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Value::deserialize(from)?.into_datapoint().map_err(serde::de::Error::custom)
    }
}

/// The rows of a dataset function: each may be bad by itself, or the function failed.
pub type LoadedRows = Result<Vec<Result<Datapoint, String>>, String>;

/// The types that a dataset function may return: anything that iterates over datapoints.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dataset",
    label = "a dataset function cannot return this type",
    note = "return an iterator (or a `Vec`, or a `Result` of one) of `Datapoint` or `serde_json::Value`"
)]
pub trait IntoDatapoints {
    /// Collects all rows; a bad one as the description of what is wrong with it.
    ///
    /// # Errors
    /// Returns an error when there are more rows than the limits allow, as in an iterator that does
    /// not end.
    fn into_datapoints(self) -> LoadedRows;
}

#[diagnostic::do_not_recommend]
impl<I> IntoDatapoints for I
where
    I: IntoIterator,
    I::Item: IntoDatapoint,
{
    fn into_datapoints(self) -> LoadedRows {
        collect(self.into_iter().map(IntoDatapoint::into_datapoint))
    }
}

/// Takes all rows of an iterator, up to the limits of `HH_MAX_ROWS` and `HH_MAX_BYTES`.
///
/// # Errors
/// Returns an error when there are more: an iterator that does not end would fill the memory.
pub(super) fn collect(rows: impl Iterator<Item = Result<Datapoint, String>>) -> LoadedRows {
    let (most_rows, most_bytes) = row_limits();
    let (mut all, mut bytes) = (Vec::new(), 0_usize);
    for row in rows {
        if all.len() == most_rows {
            return Err(format!(
                "more than {} rows; an iterator must end, and HH_MAX_ROWS allows more",
                thousands(most_rows)
            ));
        }
        bytes = bytes.saturating_add(match &row {
            Ok(datapoint) => size(datapoint),
            Err(fault) => fault.len(),
        });
        if bytes > most_bytes {
            return Err(format!(
                "more than {} bytes in the first {} rows; an iterator must end, and HH_MAX_BYTES \
                 allows more",
                thousands(most_bytes),
                thousands(all.len() + 1)
            ));
        }
        all.push(row);
    }
    Ok(all)
}

/// Returns about how many bytes a row takes in memory.
fn size(row: &Datapoint) -> usize {
    let fields = |fields: &Map<String, Value>| -> usize {
        fields.iter().map(|(name, value)| name.len() + value_size(value)).sum()
    };
    size_of::<Datapoint>()
        + row.id.as_ref().map_or(0, String::len)
        + fields(&row.inputs)
        + fields(&row.metadata)
        + row.ground_truth.as_ref().map_or(0, value_size)
        + row.tags.iter().map(String::len).sum::<usize>()
        + row.history.iter().map(value_size).sum::<usize>()
}

fn value_size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_size).sum(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| name.len() + value_size(value)).sum()
            }
        }
}
