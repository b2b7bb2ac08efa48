//! Reads CSV files: a header, then one row per record. Cells are text; an empty cell is absent.

mod fit;
mod form;

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{Content, Scanned, line_of, row};
use crate::datapoint::Datapoint;
use crate::json::explain::{Part, explain};
use crate::json::strict;
use crate::text::count;
use fit::Fit;
use form::Quoting;

/// The text about a byte order mark that is not at the beginning of the file.
const MARK: &str = "the record begins with a byte order mark (U+FEFF), as where files were joined; \
                    remove it, and the header that may stand here";

/// The form of a CSV file, which its header shows.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// The names of the columns; empty for one without a name, whose cells are all empty.
    columns: Vec<String>,
    /// The byte that separates cells.
    separator: u8,
}

impl Header {
    /// Returns whether there is a column of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }

    /// Returns the names of the columns, for messages.
    pub(super) fn shown(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes())
}

/// Reads the header and finds the rows.
///
/// # Errors
/// Returns an error when there is no usable header, or a quote makes it uncertain where records
/// end; it starts with `:line: `.
pub(super) fn scan(text: &str, start: usize) -> Result<(Header, Vec<Scanned>), String> {
    let directive = form::directive(&text[start..])?;
    let start = start + directive.map_or(0, |(_, length)| length);
    let body = &text[start..];
    let first_line = 1 + usize::from(directive.is_some());
    let separator = match directive {
        Some((separator, _)) => separator,
        None => form::separator(body).map_err(|fault| {
            let blank = body.len() - body.trim_start_matches(['\r', '\n']).len();
            format!(":{}: {fault}", line_of(&body.as_bytes()[..blank]))
        })?,
    };
    let mut reader = reader(body, separator);
    let mut record = StringRecord::new();
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut fit = Fit::default();
    let (mut line, mut counted) = (first_line, 0);
    loop {
        let from = offset(reader.position().byte());
        let more = reader.read_record(&mut record);
        // The text of a `&str` is UTF-8, and a flexible reader takes records of any length.
        if !more.map_err(|error| format!(":{line}: {error}"))? {
            break;
        }
        let to = offset(reader.position().byte());
        // Blank lines before a record belong to its bytes, but not to its place.
        let begins = to - body[from..to].trim_start_matches(['\r', '\n']).len();
        line += line_of(&body.as_bytes()[counted..begins]) - 1;
        counted = begins;
        let raw = &body[begins..to];
        let quoting = form::quoting(raw, separator);
        if let Quoting::Broken { at, fault } = quoting {
            let line = line + line_of(&raw.as_bytes()[..at]) - 1;
            return Err(format!(":{line}: {fault}"));
        }
        if quoting == Quoting::Blank {
            continue;
        }
        let Some(columns) = &columns else {
            let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
            check_header(&names).map_err(|fault| format!(":{line}: {fault}"))?;
            fit.header(line, raw);
            columns = Some(names);
            continue;
        };
        fit.record(line, record.len(), is_other(&record, columns));
        if let Some(fault) = without_name(&record, columns) {
            return Err(format!(":{line}: {fault}"));
        }
        let row = match datapoint(&record, columns) {
            _ if raw.starts_with('\u{feff}') => {
                Scanned { line, content: Content::Bad(MARK.to_owned()), id: None }
            }
            Ok(datapoint) => {
                let range = start + begins..start + to;
                Scanned { line, content: Content::Raw(range), id: datapoint.id }
            }
            Err(fault) => Scanned { line, content: Content::Bad(fault), id: None },
        };
        rows.push(row);
    }
    fit.check(columns.as_ref().map_or(0, Vec::len))?;
    Ok((Header { columns: columns.unwrap_or_default(), separator }, rows))
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn check_header(columns: &[String]) -> Result<(), String> {
    for (index, name) in columns.iter().enumerate() {
        if name.is_empty() {
            continue;
        }
        if columns[..index].contains(name) {
            return Err(format!("two columns are named `{name}`; rename one of them"));
        }
        if let Some(known) = row::meant(name) {
            return Err(row::nearly(name, known));
        }
    }
    if columns.iter().all(String::is_empty) {
        return Err("no column has a name".to_owned());
    }
    if columns.iter().any(|name| name == "inputs") {
        return Err("in CSV every column is an input of its own; rename `inputs`".to_owned());
    }
    Ok(())
}

/// Returns the error about a value in a column that has no name; `None` if there is no such value.
/// Spreadsheets write columns without a name and without values.
fn without_name(record: &StringRecord, columns: &[String]) -> Option<String> {
    let cells = columns.iter().zip(record).enumerate();
    let (index, cell) = cells
        .filter(|(_, (name, cell))| name.is_empty() && !cell.trim().is_empty())
        .map(|(index, (_, cell))| (index, cell))
        .next()?;
    let cell: String = cell.chars().take(40).collect();
    let hint = if index == 0 {
        " (pandas writes its index so; `to_csv(.., index=False)` leaves it out)"
    } else {
        ""
    };
    Some(format!(
        "column {} has no name in the header, but here it has {cell:?}; name the column or empty \
         it{hint}",
        index + 1
    ))
}

/// Parses the text of one record.
pub(super) fn parse(text: &str, header: &Header) -> Result<Datapoint, String> {
    let mut record = StringRecord::new();
    reader(text, header.separator).read_record(&mut record).map_err(|error| error.to_string())?;
    datapoint(&record, &header.columns)
}

/// Returns whether a record has another number of cells than the header has columns.
fn is_other(record: &StringRecord, columns: &[String]) -> bool {
    let extra = record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty());
    record.len() < columns.len() || extra
}

fn datapoint(record: &StringRecord, columns: &[String]) -> Result<Datapoint, String> {
    if is_other(record, columns) {
        return Err(format!(
            "{}, but the header has {}; quote cells that contain separators",
            count(record.len(), "cell"),
            count(columns.len(), "column")
        ));
    }
    if record.iter().zip(columns).all(|(cell, name)| cell.trim() == name) {
        return Err(
            "the record repeats the header, as where files were joined; remove it".to_owned()
        );
    }
    let mut fields = Map::new();
    for (name, cell) in columns.iter().zip(record) {
        if cell.is_empty() {
            continue;
        }
        let value = match name.as_str() {
            "metadata" | "history" => json(name, cell)?,
            "tags" => tags(cell)?,
            // Blanks pad cells in files that people write.
            "id" | "datapoint_id" => Value::from(cell.trim()),
            _ => Value::from(cell),
        };
        fields.insert(name.clone(), value);
    }
    let mut datapoint = row::parse(Value::Object(fields))?;
    datapoint.cells = true;
    Ok(datapoint)
}

fn json(name: &str, cell: &str) -> Result<Value, String> {
    strict::parse(cell)
        .map_err(|error| format!("the cell `{name}` is {}", explain(cell, Part::Cell, &error)))
}

/// Reads tags: a JSON array, or words between commas.
fn tags(cell: &str) -> Result<Value, String> {
    if cell.trim_start().starts_with('[') {
        return json("tags", cell);
    }
    Ok(cell.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Value::from).collect())
}
