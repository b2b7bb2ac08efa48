//! Reads JSON and JSON lines files.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Content, Scanned, line_of, row};
use crate::datapoint::Datapoint;
use crate::json::explain::{Part, explain};
use crate::json::strict::{self, Key, Keys, Kind, Skim};

/// Parses the text of one row.
pub(super) fn parse(text: &str) -> Result<Datapoint, String> {
    let mut value = strict::parse(text).map_err(|error| explain(text, Part::Line, &error))?;
    if let Value::Object(fields) = &mut value {
        for key in row::ID_KEYS {
            if let Some(id @ Value::Number(_)) = fields.get_mut(key)
                && let Some(digits) = digits_of(text, key)
            {
                *id = digits.into();
            }
        }
    }
    row::parse(value)
}

/// Returns an id that is a number as it is written: a float would lose digits of long ones.
fn digits_of<'a>(row: &'a str, key: &str) -> Option<&'a str> {
    #[derive(Deserialize)]
    struct Ids<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        datapoint_id: Option<&'a RawValue>,
    }
    let ids: Ids<'a> = serde_json::from_str(row).ok()?;
    let raw = if key == "id" { ids.id } else { ids.datapoint_id };
    raw.map(RawValue::get)
}

/// Splits the text into rows, one per line; blank lines do not count.
///
/// # Errors
/// Returns an error when the file is a JSON array or has rows of several lines; it starts with
/// `: `.
pub(super) fn scan_lines(text: &str, start: usize) -> Result<Vec<Scanned>, String> {
    let body = &text[start..];
    if body.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        return Err(
            ": the file is a JSON array; name it .json, or write one row per line".to_owned()
        );
    }
    // Files of old Macs end their lines with a carriage return alone.
    let end = if body.contains('\n') { '\n' } else { '\r' };
    let mut rows = Vec::new();
    let mut at = start;
    for (index, line) in body.split(end).enumerate() {
        // Joined files have byte order marks in between.
        let row = line.trim_start_matches(['\u{feff}', ' ', '\t']);
        let from = at + line.len() - row.len();
        if !row.trim().is_empty() {
            rows.push(scan_row(text, from..at + line.len(), index + 1));
        }
        at += line.len() + 1;
    }
    let first_is_bad = rows.first().is_some_and(|row| matches!(row.content, Content::Bad(_)));
    if first_is_bad && rows.len() > 1 && is_a_stream(body) {
        return Err(
            ": a row stands on several lines; write each row on one line (`jq -c .` does), or all \
             rows as one array into a .json"
                .to_owned(),
        );
    }
    Ok(rows)
}

/// Returns whether a text is a sequence of objects of which at least one is broken into lines.
fn is_a_stream(text: &str) -> bool {
    let mut broken = false;
    let mut rows = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let fine = rows.all(|row| {
        row.is_ok_and(|row| {
            broken |= row.get().contains(['\n', '\r']);
            row.get().starts_with('{')
        })
    });
    fine && broken
}

/// Splits an array into its rows.
///
/// # Errors
/// Returns an error when the file is something else; it starts with `:line: `.
pub(super) fn scan_array(text: &str, start: usize) -> Result<Vec<Scanned>, String> {
    let body = &text[start..];
    if !body.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        return Err(
            ": the file is not an array of rows; write [{..}, {..}], or one row per line into a \
             .jsonl"
                .to_owned(),
        );
    }
    let raw: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| {
        if body.trim_start().starts_with('{') && is_lines(body) {
            return ": the file has one row per line; name it .jsonl, or write [{..}, {..}]"
                .to_owned();
        }
        // The error counts lines of the file here, so its text must not say that they are of the
        // row.
        let place = format!("line {} of the row, ", error.line());
        format!(":{}: {}", error.line(), explain(body, Part::File, &error).replace(&place, ""))
    })?;
    let mut line = 1;
    let mut counted = 0;
    Ok(raw
        .into_iter()
        .map(|row| {
            // A `RawValue` borrows from the text, so its place is the distance of the pointers.
            let from = row.get().as_ptr().addr() - text.as_ptr().addr();
            line += line_of(&text.as_bytes()[counted..from]) - 1;
            counted = from;
            scan_row(text, from..from + row.get().len(), line)
        })
        .collect())
}

/// Returns whether every line is a value.
fn is_lines(text: &str) -> bool {
    let mut rows = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    rows.all(|row| row.is_ok())
}

fn scan_row(text: &str, range: std::ops::Range<usize>, line: usize) -> Scanned {
    let row = &text[range.clone()];
    match head(row) {
        Some(id) => Scanned { line, content: Content::Raw(range), id: Some(id) },
        // A row with anything unusual is read in full: either it is valid after all, or the full
        // reader says what is wrong.
        None => match parse(row) {
            Ok(datapoint) => Scanned { line, content: Content::Raw(range), id: datapoint.id },
            Err(fault) => Scanned { line, content: Content::Bad(fault), id: None },
        },
    }
}

/// Skims a row without building any value. Returns its id, if it has one and every key is known and
/// looks right; the inputs of a row without an id are read in full anyway.
fn head(row: &str) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(row);
    let head = deserializer.deserialize_map(Head).ok()?;
    deserializer.end().ok()?;
    head
}

struct Head;

impl<'de> Visitor<'de> for Head {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        let mut usual = true;
        let mut structured = false;
        let mut other = false;
        let mut keys = Keys::default();
        while let Some(key) = map.next_key_seed(Key)? {
            keys.add(key.clone())?;
            match &*key {
                "id" => match map.next_value::<&RawValue>()?.get() {
                    text if text.starts_with('"') => {
                        let text: String = serde_json::from_str(text).map_err(A::Error::custom)?;
                        id = Some(text).filter(|text| !text.is_empty());
                    }
                    number
                        if number.starts_with([
                            '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
                        ]) =>
                    {
                        id = Some(number.to_owned());
                    }
                    _ => usual = false,
                },
                "inputs" => {
                    structured = true;
                    usual &= map.next_value_seed(Skim)? == Kind::Object;
                }
                "ground_truth" => {
                    map.next_value_seed(Skim)?;
                }
                "metadata" => usual &= map.next_value_seed(Skim)? == Kind::Object,
                "tags" => usual &= map.next_value::<Vec<std::borrow::Cow<'_, str>>>().is_ok(),
                "history" => usual &= map.next_value_seed(Skim)? == Kind::Array,
                key => {
                    other = true;
                    // Such a key is `datapoint_id`, or nearly a known one; a flat row may carry a
                    // misspelt `inputs`, which only an object can be.
                    usual &= row::meant(key).is_none();
                    usual &= map.next_value_seed(Skim)? != Kind::Object;
                }
            }
        }
        let known = !(structured && other);
        Ok(id.filter(|_| usual && known))
    }
}
