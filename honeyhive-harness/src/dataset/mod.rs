//! Reads datasets: finds their rows, checks the shape of rows, and names them.
//!
//! A file is read once and kept as text; a row is parsed when its case runs. Listing a hundred
//! thousand rows must be quick, and holding them must be cheap.

mod bad;
pub(crate) mod bind;
mod cell;
mod csv_file;
mod file;
pub(crate) mod function;
mod integers;
mod json_file;
mod lines;
pub(crate) mod managed;
mod names;
mod row;

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bad::refuse_many_bad;
pub(crate) use bad::{MOST_BAD_ROWS, many_bad};
use lines::line_of;

use crate::api::HoneyHive;
use crate::datapoint::Datapoint;
use crate::ids;
use crate::json::{normal, normal_fields};

/// A scanned dataset: every row has its id, and none is parsed yet.
#[derive(Debug)]
pub struct Dataset {
    /// The name of the dataset: the `dataset_name` option, else the file's stem or the function.
    pub name: String,
    /// The source of the dataset, for people: `data/qa.jsonl`, `cases()`.
    pub origin: String,
    /// The rows, in order.
    pub rows: Vec<Row>,
    store: Store,
    /// The notes on the rows for a reader of the results, with the place of the first one.
    note: Option<String>,
    /// The ids of the dataset and of its rows in HoneyHive, where it is kept there.
    managed: Option<(String, Vec<String>)>,
}

/// One row of a scanned dataset.
#[derive(Debug)]
pub struct Row {
    /// The id of the row: its own one, the hash of its inputs, or `line-17` for a row that cannot
    /// be read (`row-17` where several rows stand on one line).
    pub id: String,
    /// The last segment of the test name of the row; unique within the dataset.
    pub slug: String,
    /// The line of the row in the file, or its number among a function's rows. Both start at 1.
    pub line: usize,
    /// Set when the id stands in the row.
    has_own_id: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// The range of bytes of the row in the file.
    Raw(Range<usize>),
    Ready(Arc<Datapoint>),
    Bad(String),
}

/// A row as a format's scanner found it.
struct Scanned {
    line: usize,
    content: Content,
    /// The id that stands in the row, if any.
    id: Option<String>,
}

impl Scanned {
    /// Creates the row of a datapoint that was built in code.
    fn ready(line: usize, mut row: Datapoint) -> Self {
        let fault = normal_fields(&mut row.inputs)
            .and_then(|()| normal_fields(&mut row.metadata))
            .and_then(|()| row.ground_truth.as_mut().map_or(Ok(()), normal))
            .and_then(|()| row.history.iter_mut().try_for_each(normal));
        let id = row.id.take().filter(|id| !id.is_empty());
        match fault {
            Ok(()) => Self { line, id, content: Content::Ready(Arc::new(row)) },
            Err(fault) => Self { line, id, content: Content::Bad(fault) },
        }
    }
}

#[derive(Debug)]
enum Store {
    Json(String),
    Csv { text: String, header: csv_file::Header },
    Ready,
}

/// The reason why a dataset cannot be used at all. The text says what was found and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DatasetFault(pub(crate) String);

/// The ids of a dataset and of its rows in HoneyHive.
#[derive(Clone, Debug)]
pub(crate) struct ExternalIds {
    pub(crate) dataset: Arc<str>,
    /// Set when the dataset is kept in HoneyHive.
    pub(crate) managed: bool,
    /// The ids of the rows, where they do not follow from the names of the dataset and the row.
    pub(crate) rows: Option<Vec<Arc<str>>>,
}

/// The source that a dataset is read from.
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
        /// The name of the dataset.
        name: &'a str,
        /// The source of the rows, for people.
        origin: &'a str,
        /// The rows; one that could not be fetched has its id and the reason.
        rows: Vec<Result<Datapoint, (String, String)>>,
    },
    /// Rows that a function returned.
    Rows {
        /// The name of the dataset.
        name: &'a str,
        /// The source of the rows, for people.
        origin: &'a str,
        /// The rows; a bad one has the description of what is wrong with it.
        rows: Vec<Result<Datapoint, String>>,
    },
}

impl Dataset {
    /// Reads a `.jsonl`, `.json` or `.csv` file; the dataset is named after the file.
    ///
    /// # Errors
    /// Returns an error when the file is missing, unreadable, not UTF-8 or empty, when it is not in
    /// its format as a whole, or when two rows have the same id. A bad row alone is not an error
    /// here: its case ends in one.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, DatasetFault> {
        let path = path.as_ref().to_string_lossy();
        Self::scan(From::File { base: Path::new("."), path: &path }, None)
    }

    /// Creates a dataset of rows built in code.
    ///
    /// # Errors
    /// Returns an error when there is no row, or when two have the same id.
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

    /// Fetches a dataset that is kept in HoneyHive, by its id or else by its name.
    ///
    /// A datapoint that cannot be fetched becomes a row that cannot be read.
    ///
    /// # Errors
    /// Returns an error when there is no such dataset, it has no datapoints, or the server cannot
    /// be asked.
    pub async fn managed(client: &HoneyHive, id_or_name: &str) -> Result<Self, DatasetFault> {
        managed::fetch_either(client, id_or_name).await
    }

    /// Scans a dataset.
    ///
    /// # Errors
    /// Returns an error when the file is missing, unreadable, not UTF-8 or empty, when it is not in
    /// its format as a whole, or when two rows have the same id. A bad row alone is not an error:
    /// it stays in place as a row that cannot be read.
    pub(crate) fn scan(from: From<'_>, name: Option<&str>) -> Result<Self, DatasetFault> {
        let is_ours = !matches!(from, From::Fetched { .. });
        let (origin, default_name, store, scanned) = match from {
            From::File { base, path } => {
                let (stem, store, scanned) = file::scan(base, path)?;
                (path.to_owned(), stem, store, scanned)
            }
            From::Fetched { name, origin, rows } => {
                let scanned = rows
                    .into_iter()
                    .enumerate()
                    .map(|(index, row)| match row {
                        Ok(row) => Scanned::ready(index + 1, row),
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
                        Ok(row) => Scanned::ready(index + 1, row),
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
        let note = match &store {
            Store::Json(text) => integers::note(&origin, text, &scanned),
            Store::Csv { .. } | Store::Ready => None,
        };
        let mut dataset = Self {
            name: name.map_or(default_name, str::to_owned),
            origin,
            rows: Vec::with_capacity(scanned.len()),
            store,
            note,
            managed: None,
        };
        dataset.name_rows(scanned)?;
        if is_ours {
            dataset.check_external_ids(false)?;
        }
        Ok(dataset)
    }

    fn parse(&self, content: &Content) -> Result<Arc<Datapoint>, String> {
        match (content, &self.store) {
            (Content::Ready(datapoint), _) => Ok(Arc::clone(datapoint)),
            (Content::Bad(fault), _) => Err(fault.clone()),
            (Content::Raw(range), Store::Json(text)) => {
                json_file::parse(&text[range.clone()]).map(Arc::new)
            }
            (Content::Raw(range), Store::Csv { text, header }) => {
                csv_file::parse(&text[range.clone()], header).map(Arc::new)
            }
            (Content::Raw(_), Store::Ready) => unreachable!("rows of a function are ready"),
        }
    }

    /// Returns what a reader of the results should know of the rows.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Parses a row.
    ///
    /// # Errors
    /// Returns the description of what is wrong with the row, after `file:line`.
    pub fn datapoint(&self, row: &Row) -> Result<Arc<Datapoint>, String> {
        self.parse(&row.content).map_err(|fault| format!("{}: {fault}", self.place(row)))
    }

    /// Returns the ids of the dataset and of its rows in HoneyHive.
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

    /// Returns the JSON text of a row; `None` for one that cannot be read.
    fn row_json(&self, row: &Row) -> Option<Cow<'_, str>> {
        if let (Content::Raw(range), Store::Json(text)) = (&row.content, &self.store) {
            return Some(Cow::Borrowed(&text[range.clone()]));
        }
        let datapoint = self.parse(&row.content).ok()?;
        let id = row.has_own_id.then_some(row.id.as_str());
        Some(Cow::Owned(row::to_json(&datapoint, id).to_string()))
    }

    /// Returns the place of a row: `data/qa.jsonl:17`, or `rows.yaml:17 (cases() row 3)`.
    pub fn place(&self, row: &Row) -> String {
        match (&self.store, &row.content) {
            (Store::Ready, Content::Ready(datapoint)) if datapoint.place.is_some() => {
                let place = datapoint.place.as_deref().unwrap_or_default();
                format!("{place} ({} row {})", self.origin, row.line)
            }
            (Store::Ready, _) => format!("{} row {}", self.origin, row.line),
            _ => format!("{}:{}", self.origin, row.line),
        }
    }

    /// Returns a hint about the absence of a value in a CSV file; empty for other datasets.
    pub(crate) fn absence_hint(&self, key: &str) -> String {
        match &self.store {
            Store::Csv { header, .. } if header.has(key) => {
                "; an empty cell of a CSV file is an absent value, a .jsonl can have an empty text"
                    .to_owned()
            }
            Store::Csv { header, .. } => {
                format!("; the first line of a CSV file names its columns, here {}", header.shown())
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
