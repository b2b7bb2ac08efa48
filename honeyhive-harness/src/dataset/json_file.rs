//! JSON and JSON lines.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Content, Scanned, line_of, row};
use crate::datapoint::Datapoint;

/// Parses the text of one row.
pub(super) fn parse(text: &str) -> Result<Datapoint, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    row::parse(value)
}

/// The text of `serde_json` without its line, which counts within the row.
fn syntax(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    format!("not valid JSON: {message} (column {})", error.column())
}

/// One row per line; blank lines do not count.
///
/// # Errors
/// When the file is a JSON array; starts with `: `.
pub(super) fn scan_lines(text: &str, start: usize) -> Result<Vec<Scanned>, String> {
    let body = &text[start..];
    if body.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        return Err(
            ": the file is a JSON array; name it .json, or write one row per line".to_owned()
        );
    }
    let mut rows = Vec::new();
    let mut at = start;
    for (index, line) in text[start..].split('\n').enumerate() {
        if !line.trim().is_empty() {
            rows.push(scan_row(text, at..at + line.len(), index + 1));
        }
        at += line.len() + 1;
    }
    Ok(rows)
}

/// An array of rows.
///
/// # Errors
/// When the file is something else; starts with `:line: `.
pub(super) fn scan_array(text: &str, start: usize) -> Result<Vec<Scanned>, String> {
    let body = &text[start..];
    if !body.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(body).is_ok() {
        return Err(
            ": the file is no array of rows; write [{..}, {..}], or one row per line into a .jsonl"
                .to_owned(),
        );
    }
    let raw: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| {
        let message = syntax(&error);
        format!(":{}: {message}", error.line())
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

fn scan_row(text: &str, range: std::ops::Range<usize>, line: usize) -> Scanned {
    let row = &text[range.clone()];
    match head(row) {
        Some(id) => Scanned { line, content: Content::Raw(range), id: Some(id) },
        // Anything unusual is read in full: either it is fine after all, or the full reader
        // says what is wrong.
        None => match parse(row) {
            Ok(datapoint) => Scanned { line, content: Content::Raw(range), id: datapoint.id },
            Err(fault) => Scanned { line, content: Content::Bad(fault), id: None },
        },
    }
}

/// Skims a row: its id, if it has one and every key is known and looks right, without building
/// any value. Without an id the inputs are read in full anyway.
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
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match &*key {
                "id" => match map.next_value::<Value>()? {
                    Value::String(text) if !text.is_empty() => id = Some(text),
                    Value::Number(number) => id = Some(number.to_string()),
                    _ => usual = false,
                },
                "inputs" => {
                    structured = true;
                    usual &= map.next_value::<&RawValue>()?.get().starts_with('{');
                }
                "ground_truth" => {
                    map.next_value::<IgnoredAny>()?;
                }
                "metadata" => usual &= map.next_value::<&RawValue>()?.get().starts_with('{'),
                "tags" => usual &= map.next_value::<Vec<std::borrow::Cow<'_, str>>>().is_ok(),
                "history" => usual &= map.next_value::<&RawValue>()?.get().starts_with('['),
                "datapoint_id" => {
                    map.next_value::<IgnoredAny>()?;
                    usual = false;
                }
                _ => {
                    other = true;
                    // A flat row may carry a misspelt `inputs`; only objects can be that.
                    usual &= !map.next_value::<&RawValue>()?.get().starts_with('{');
                }
            }
        }
        let known = !(structured && other);
        Ok(id.filter(|_| usual && known))
    }
}
