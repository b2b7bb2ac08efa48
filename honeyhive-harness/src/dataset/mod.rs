//! Datasets: where rows come from, what shape they have, how they are named.
//!
//! A file is read once and kept as text; a row is parsed when its case runs. Listing a hundred
//! thousand rows must be quick, and holding them must be cheap.

pub mod bind;
mod cell;
mod csv_file;
pub(crate) mod function;
mod json_file;
pub mod managed;
mod row;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::api::HoneyHive;
use crate::datapoint::Datapoint;
use crate::files;
use crate::ids;
use crate::text::{closest, count, one_line, thousands};

/// A dataset, scanned: every row has its id, none is parsed yet.
#[derive(Debug)]
pub struct Dataset {
    /// Its name: the `dataset_name` option, else the file's stem or the function.
    pub name: String,
    /// Where it comes from, for people: `data/qa.jsonl`, `cases()`.
    pub origin: String,
    /// The rows, in order.
    pub rows: Vec<Row>,
    store: Store,
    /// Its id in HoneyHive and those of its rows, where it is kept there.
    managed: Option<(String, Vec<String>)>,
}

/// One row of a scanned dataset.
#[derive(Debug)]
pub struct Row {
    /// The row's own id, the hash of its inputs, or `line-17` for one that cannot be read.
    pub id: String,
    /// The last segment of its test name; unique within the dataset.
    pub slug: String,
    /// Its line in the file, or its number among a function's rows. Starts at 1.
    pub line: usize,
    /// The id stands in the row.
    has_own_id: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// These bytes of the file.
    Raw(Range<usize>),
    Ready(Arc<Datapoint>),
    Bad(String),
}

/// A row as a format's scanner found it.
struct Scanned {
    line: usize,
    content: Content,
    /// Its own id, where it has one.
    id: Option<String>,
}

#[derive(Debug)]
enum Store {
    Json(String),
    Csv { text: String, columns: Vec<String> },
    Ready,
}

/// Why a dataset cannot be used at all. The text says what was found and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetFault(pub String);

/// The ids of a dataset and of its rows in HoneyHive.
#[derive(Clone, Debug)]
pub(crate) struct ExternalIds {
    pub(crate) dataset: Arc<str>,
    /// The dataset is kept there.
    pub(crate) managed: bool,
    /// Per row, where they do not follow from the names of the dataset and the row.
    pub(crate) rows: Option<Vec<Arc<str>>>,
}

/// Where a dataset is to be read from.
#[derive(Clone, Debug)]
pub(crate) enum From<'a> {
    /// A file below a directory.
    File {
        /// The directory that the path is relative to.
        base: &'a Path,
        /// The path as the user wrote it.
        path: &'a str,
    },
    /// Rows from HoneyHive, all with ids.
    Fetched {
        /// What to call the dataset.
        name: &'a str,
        /// Where the rows come from, for people.
        origin: &'a str,
        /// The rows; one that is not to be had with its id and why.
        rows: Vec<Result<Datapoint, (String, String)>>,
    },
    /// Rows that are there already.
    Rows {
        /// What to call the dataset.
        name: &'a str,
        /// Where the rows come from, for people.
        origin: &'a str,
        /// The rows; a bad one with what is wrong with it.
        rows: Vec<Result<Datapoint, String>>,
    },
}

impl std::fmt::Display for DatasetFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DatasetFault {}

impl Dataset {
    /// Reads a `.jsonl`, `.json` or `.csv` file; the dataset is named after the file.
    ///
    /// # Errors
    /// When the file is missing, unreadable, not UTF-8 or empty, when it is not in its format as
    /// a whole, or when two rows have the same id. A bad row alone is no error: its case ends in
    /// one.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DatasetFault> {
        let path = path.as_ref().to_string_lossy();
        Self::scan(From::File { base: Path::new("."), path: &path }, None)
    }

    /// A dataset of rows built in code.
    ///
    /// # Errors
    /// When there is no row, or when two have the same id.
    ///
    /// ```
    /// use honeyhive_harness::{Datapoint, Dataset};
    ///
    /// let rows = [Datapoint::new().id("fr").input("country", "France").ground_truth("Paris")];
    /// let dataset = Dataset::from_datapoints("capitals", rows)?;
    /// assert_eq!(dataset.rows[0].id, "fr");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_datapoints(
        name: &str,
        rows: impl IntoIterator<Item = Datapoint>,
    ) -> Result<Self, DatasetFault> {
        let rows = function::collect(rows.into_iter().map(Ok))
            .map_err(|fault| DatasetFault(format!("{name}: {fault}")))?;
        Self::scan(From::Rows { name, origin: name, rows }, None)
    }

    /// A dataset that is kept in HoneyHive, by its id or else by its name.
    ///
    /// A datapoint that cannot be fetched becomes a row that cannot be read.
    ///
    /// # Errors
    /// When there is no such dataset, it has no datapoints, or the server cannot be asked.
    pub async fn managed(client: &HoneyHive, id_or_name: &str) -> Result<Self, DatasetFault> {
        managed::fetch_either(client, id_or_name).await
    }

    /// Scans a dataset.
    ///
    /// # Errors
    /// When the file is missing, unreadable, not UTF-8 or empty, when it is not in its format as
    /// a whole, or when two rows have the same id. A bad row alone is no error: it stays in
    /// place as a row that cannot be read.
    pub(crate) fn scan(from: From<'_>, name: Option<&str>) -> Result<Self, DatasetFault> {
        let (origin, default_name, store, scanned) = match from {
            From::File { base, path } => {
                let text = read(base, path)?;
                let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
                let file = Path::new(path);
                let stem =
                    file.file_stem().map_or_else(|| path.into(), |stem| stem.to_string_lossy());
                let extension = file.extension().and_then(|ext| ext.to_str()).unwrap_or_default();
                let (store, scanned) = match extension.to_ascii_lowercase().as_str() {
                    "jsonl" => {
                        let scanned = json_file::scan_lines(&text, start)
                            .map_err(|fault| at(path, &fault))?;
                        (Store::Json(text), scanned)
                    }
                    "json" => {
                        let scanned = json_file::scan_array(&text, start)
                            .map_err(|fault| at(path, &fault))?;
                        (Store::Json(text), scanned)
                    }
                    "csv" => {
                        let (columns, scanned) =
                            csv_file::scan(&text, start).map_err(|fault| at(path, &fault))?;
                        (Store::Csv { text, columns }, scanned)
                    }
                    _ => {
                        return Err(DatasetFault(format!(
                            "{path}: a dataset file ends in .jsonl, .json or .csv"
                        )));
                    }
                };
                (path.to_owned(), stem.into_owned(), store, scanned)
            }
            From::Fetched { name, origin, rows } => {
                let scanned = rows
                    .into_iter()
                    .enumerate()
                    .map(|(index, row)| match row {
                        Ok(mut row) => Scanned {
                            line: index + 1,
                            id: row.id.take(),
                            content: Content::Ready(Arc::new(row)),
                        },
                        Err((id, fault)) => {
                            Scanned { line: index + 1, id: Some(id), content: Content::Bad(fault) }
                        }
                    })
                    .collect();
                (origin.to_owned(), name.to_owned(), Store::Ready, scanned)
            }
            From::Rows { name, origin, rows } => {
                let scanned = rows
                    .into_iter()
                    .enumerate()
                    .map(|(index, row)| match row {
                        Ok(mut row) => Scanned {
                            line: index + 1,
                            id: row.id.take().filter(|id| !id.is_empty()),
                            content: Content::Ready(Arc::new(row)),
                        },
                        Err(fault) => {
                            Scanned { line: index + 1, id: None, content: Content::Bad(fault) }
                        }
                    })
                    .collect();
                (origin.to_owned(), name.to_owned(), Store::Ready, scanned)
            }
        };
        if scanned.is_empty() {
            return Err(DatasetFault(format!(
                "{origin} has no rows; an experiment without datapoints shows nothing"
            )));
        }
        let word = if matches!(store, Store::Ready) { " row " } else { ":" };
        refuse_many_bad(&origin, word, &scanned)?;
        let mut dataset = Self {
            name: name.map_or(default_name, str::to_owned),
            origin,
            rows: Vec::with_capacity(scanned.len()),
            store,
            managed: None,
        };
        dataset.name_rows(scanned)?;
        Ok(dataset)
    }

    /// Gives every row its id and slug. A row's own id is never given to another one.
    fn name_rows(&mut self, scanned: Vec<Scanned>) -> Result<(), DatasetFault> {
        let word = if matches!(self.store, Store::Ready) { "row" } else { "line" };
        let mut names = Names::default();
        let mut slugs = Names::default();
        let mut lines: HashMap<&str, usize> = HashMap::new();
        let (mut duplicates, mut more) = (Vec::new(), 0);
        for row in &scanned {
            let Some(id) = &row.id else { continue };
            if let Some(first) = lines.insert(id, row.line) {
                more += usize::from(duplicates.len() == SHOWN_DUPLICATES);
                if duplicates.len() < SHOWN_DUPLICATES {
                    duplicates.push(format!("`{id}` ({word}s {first} and {})", row.line));
                }
            }
            names.reserve(id.clone());
            slugs.reserve(ids::slug(id));
        }
        if !duplicates.is_empty() {
            let tail =
                if more == 0 { String::new() } else { format!(" and {} more", thousands(more)) };
            return Err(DatasetFault(format!(
                "{}: ids must be unique, these are not: {}{tail}",
                self.origin,
                duplicates.join(", ")
            )));
        }
        for Scanned { line, content, id } in scanned {
            let has_own_id = id.is_some();
            let id = id.unwrap_or_else(|| {
                names.free(match self.parse(&content) {
                    Err(_) => format!("{word}-{line}"),
                    Ok(datapoint) => ids::content_id(&datapoint.inputs),
                })
            });
            let slug = ids::slug(&id);
            let slug = if has_own_id { slugs.first_or_free(slug) } else { slugs.free(slug) };
            self.rows.push(Row { id, slug, line, has_own_id, content });
        }
        Ok(())
    }

    fn parse(&self, content: &Content) -> Result<Arc<Datapoint>, String> {
        match (content, &self.store) {
            (Content::Ready(datapoint), _) => Ok(Arc::clone(datapoint)),
            (Content::Bad(fault), _) => Err(fault.clone()),
            (Content::Raw(range), Store::Json(text)) => {
                json_file::parse(&text[range.clone()]).map(Arc::new)
            }
            (Content::Raw(range), Store::Csv { text, columns }) => {
                csv_file::parse(&text[range.clone()], columns).map(Arc::new)
            }
            (Content::Raw(_), Store::Ready) => unreachable!("rows of a function are ready"),
        }
    }

    /// Parses a row.
    ///
    /// # Errors
    /// What is wrong with it, after `file:line`.
    pub fn datapoint(&self, row: &Row) -> Result<Arc<Datapoint>, String> {
        self.parse(&row.content).map_err(|fault| format!("{}: {fault}", self.place(row)))
    }

    /// The ids of the dataset and of its rows in HoneyHive.
    pub(crate) fn external_ids(&self, like_python: bool) -> ExternalIds {
        if let Some((id, rows)) = &self.managed {
            let rows = rows.iter().map(|id| Arc::from(id.as_str())).collect();
            return ExternalIds { dataset: id.as_str().into(), managed: true, rows: Some(rows) };
        }
        if !like_python {
            return ExternalIds {
                dataset: ids::external(&self.name).into(),
                managed: false,
                rows: None,
            };
        }
        let texts: Vec<Option<Cow<'_, str>>> =
            self.rows.iter().map(|row| self.row_json(row)).collect();
        let dataset = ids::python::dataset_id(texts.iter().flatten().map(AsRef::as_ref));
        let rows = self.rows.iter().zip(&texts).enumerate().map(|(index, (row, text))| {
            match text {
                Some(text) if !row.has_own_id => ids::python::datapoint_id(text, index),
                _ => ids::external(&row.id),
            }
            .into()
        });
        ExternalIds { dataset: dataset.into(), managed: false, rows: Some(rows.collect()) }
    }

    /// The JSON text of a row; none of one that cannot be read.
    fn row_json(&self, row: &Row) -> Option<Cow<'_, str>> {
        if let (Content::Raw(range), Store::Json(text)) = (&row.content, &self.store) {
            return Some(Cow::Borrowed(&text[range.clone()]));
        }
        let datapoint = self.parse(&row.content).ok()?;
        let id = row.has_own_id.then_some(row.id.as_str());
        Some(Cow::Owned(row::to_json(&datapoint, id).to_string()))
    }

    /// `file:line` of a row.
    pub fn place(&self, row: &Row) -> String {
        match self.store {
            Store::Ready => format!("{} row {}", self.origin, row.line),
            _ => format!("{}:{}", self.origin, row.line),
        }
    }
}

/// Rows that cannot be run, beyond which the whole dataset counts as bad: a million failures say no
/// more than the first hundred.
pub(crate) const MOST_BAD_ROWS: usize = 100;

/// Columns of what is wrong with one row, in a list of many.
const LONGEST_FAULT: usize = 200;

/// Duplicate ids that are named.
const SHOWN_DUPLICATES: usize = 10;

/// The text about more bad rows than [`MOST_BAD_ROWS`], of which the first ones are given.
pub(crate) fn many_bad(origin: &str, bad: usize, all: usize, first: &[String]) -> String {
    let mut text = format!(
        "{} of {origin} cannot be run, of {}; beyond {MOST_BAD_ROWS} of them nothing is run. Fix \
         them, or take them out:",
        count(bad, "row"),
        thousands(all)
    );
    for fault in first {
        text.push('\n');
        text.push_str(&one_line(fault, LONGEST_FAULT));
    }
    if bad > first.len() {
        text.push_str(&format!("\nand {} more rows like these", thousands(bad - first.len())));
    }
    text
}

/// Many rows that cannot be read are one fault of the dataset.
fn refuse_many_bad(origin: &str, word: &str, scanned: &[Scanned]) -> Result<(), DatasetFault> {
    let faults = || {
        scanned.iter().filter_map(|row| match &row.content {
            Content::Bad(fault) => Some((row.line, fault)),
            Content::Raw(_) | Content::Ready(_) => None,
        })
    };
    let bad = faults().count();
    if bad <= MOST_BAD_ROWS {
        return Ok(());
    }
    let first: Vec<String> = faults()
        .take(MOST_BAD_ROWS)
        .map(|(line, fault)| format!("{origin}{word}{line}: {fault}"))
        .collect();
    Err(DatasetFault(many_bad(origin, bad, scanned.len(), &first)))
}

/// Names in use. One that is taken gets `~2`, `~3` and so on.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// Reserved by a row that has not come yet.
    reserved: HashSet<String>,
    last: HashMap<String, usize>,
}

impl Names {
    fn reserve(&mut self, name: String) {
        self.reserved.insert(name);
    }

    /// This name for whoever reserved it; another one if two did.
    fn first_or_free(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) { name } else { self.free(name) }
    }

    /// A name that nobody has or reserved.
    fn free(&mut self, name: String) -> String {
        let mut number = self.last.get(&name).copied().unwrap_or(0);
        loop {
            number += 1;
            let candidate = if number == 1 { name.clone() } else { format!("{name}~{number}") };
            if !self.reserved.contains(&candidate) && self.taken.insert(candidate.clone()) {
                self.last.insert(name, number);
                return candidate;
            }
        }
    }
}

fn at(path: &str, fault: &str) -> DatasetFault {
    DatasetFault(format!("{path}{fault}"))
}

fn read(base: &Path, path: &str) -> Result<String, DatasetFault> {
    let file = base.join(path);
    let bytes = files::read(&file).map_err(|error| {
        DatasetFault(match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("no file {path} in {}{}", base.display(), similar_file(&file))
            }
            _ => format!("cannot read {}: {error}", file.display()),
        })
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = line_of(&error.as_bytes()[..valid]);
        at(path, &format!(":{line}: not UTF-8; save the file as UTF-8"))
    })
}

/// The number of the line that starts after these bytes.
fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// `; did you mean data/qa.jsonl?`, or what the directory holds.
fn similar_file(file: &Path) -> String {
    let Some((directory, wanted)) = file.parent().zip(file.file_name()) else {
        return String::new();
    };
    let Ok(entries) = std::fs::read_dir(directory) else {
        return format!("; there is no directory {}", directory.display());
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| {
            let extension = Path::new(name).extension().and_then(|ext| ext.to_str());
            matches!(extension, Some("jsonl" | "json" | "csv"))
        })
        .collect();
    names.sort();
    match closest(&wanted.to_string_lossy(), names.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean {near}?"),
        None if names.is_empty() => String::new(),
        None => format!("; the directory has {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;
