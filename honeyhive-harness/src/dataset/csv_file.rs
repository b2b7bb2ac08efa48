//! CSV: a header, then one row per record. Cells are text; an empty cell is absent.

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{Content, Scanned, line_of, row};
use crate::datapoint::Datapoint;

fn reader(text: &str) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// The columns and the rows.
///
/// # Errors
/// When there is no usable header; starts with `:line: `.
pub(super) fn scan(text: &str, start: usize) -> Result<(Vec<String>, Vec<Scanned>), String> {
    let body = &text[start..];
    let mut reader = reader(body);
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record).map_err(|error| format!(": {error}"))? {
        return Ok((Vec::new(), Vec::new()));
    }
    let columns: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    check_header(&columns)?;
    let mut rows = Vec::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let from = offset(reader.position().byte());
        match reader.read_record(&mut record) {
            Ok(false) => break,
            // Text of an `&str` is UTF-8 and a flexible reader takes any length.
            Err(error) => return Err(format!(":{line}: {error}")),
            Ok(true) => {}
        }
        let to = offset(reader.position().byte());
        // Blank lines before a record belong to its bytes, but not to its place.
        let begins = to - body[from..to].trim_start_matches(['\r', '\n']).len();
        line += line_of(&body.as_bytes()[counted..begins]) - 1;
        counted = begins;
        let range = start + from..start + to;
        let row = match datapoint(&record, &columns) {
            Ok(datapoint) => Scanned { line, content: Content::Raw(range), id: datapoint.id },
            Err(fault) => Scanned { line, content: Content::Bad(fault), id: None },
        };
        rows.push(row);
    }
    Ok((columns, rows))
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn check_header(columns: &[String]) -> Result<(), String> {
    for (index, name) in columns.iter().enumerate() {
        if name.is_empty() {
            return Err(format!(":1: column {} has no name", index + 1));
        }
        if columns[..index].contains(name) {
            return Err(format!(":1: two columns are named `{name}`"));
        }
    }
    if columns.iter().any(|name| name == "inputs") {
        return Err(":1: in CSV every column is an input of its own; rename `inputs`".to_owned());
    }
    Ok(())
}

/// Parses the text of one record.
pub(super) fn parse(text: &str, columns: &[String]) -> Result<Datapoint, String> {
    let mut record = StringRecord::new();
    // The reader takes a byte order mark away, but this one is the text of a cell.
    let marked;
    let text = if text.starts_with('\u{feff}') {
        marked = format!("\u{feff}{text}");
        &marked
    } else {
        text
    };
    reader(text).read_record(&mut record).map_err(|error| error.to_string())?;
    datapoint(&record, columns)
}

fn datapoint(record: &StringRecord, columns: &[String]) -> Result<Datapoint, String> {
    if record.len() != columns.len() {
        return Err(format!(
            "{} cells, but the header has {} columns; quote cells that contain commas",
            record.len(),
            columns.len()
        ));
    }
    let mut fields = Map::new();
    for (name, cell) in columns.iter().zip(record) {
        if cell.is_empty() {
            continue;
        }
        let value = match name.as_str() {
            "metadata" | "history" => serde_json::from_str(cell)
                .map_err(|error| format!("the cell `{name}` is not valid JSON: {error}"))?,
            "tags" => tags(cell)?,
            _ => Value::from(cell),
        };
        fields.insert(name.clone(), value);
    }
    let mut datapoint = row::parse(Value::Object(fields))?;
    datapoint.cells = true;
    Ok(datapoint)
}

/// Tags are a JSON array, or words between commas.
fn tags(cell: &str) -> Result<Value, String> {
    if cell.trim_start().starts_with('[') {
        return serde_json::from_str(cell)
            .map_err(|error| format!("the cell `tags` is not valid JSON: {error}"));
    }
    Ok(cell.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Value::from).collect())
}
