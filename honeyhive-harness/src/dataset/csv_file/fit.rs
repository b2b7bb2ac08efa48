//! Finds a header that the rows of a CSV file do not belong to, such as a title or a comment above the
//! header: that is one fault of the file, not one of each row.

use std::collections::HashMap;

use crate::text::{count, one_line, thousands};

/// The number of columns that the header may take in a message.
const LONGEST: usize = 60;

/// The numbers of cells of the records, for the comparison with the header.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// The line and the text of the header.
    header: (usize, String),
    records: usize,
    /// The line of the first record, and its number of cells if that is another one than the
    /// header's.
    first: Option<(usize, Option<usize>)>,
    /// The number of records for each number of cells other than the header's.
    others: HashMap<usize, usize>,
}

impl Fit {
    pub(super) fn header(&mut self, line: usize, raw: &str) {
        self.header = (line, one_line(raw.trim(), LONGEST));
    }

    /// Counts a record; `is_other` says whether it does not fit the header.
    pub(super) fn record(&mut self, line: usize, cells: usize, is_other: bool) {
        self.records += 1;
        self.first.get_or_insert((line, is_other.then_some(cells)));
        if is_other {
            *self.others.entry(cells).or_default() += 1;
        }
    }

    /// Checks that the header belongs to the records.
    ///
    /// # Errors
    /// Returns an error when at least two records, and nine of ten, have one number of cells, which
    /// is not that of the header; it starts with `:line: `.
    pub(super) fn check(&self, columns: usize) -> Result<(), String> {
        let most = self.others.iter().max_by_key(|(cells, records)| (**records, **cells));
        let Some((cells, records)) = most else { return Ok(()) };
        if *records < 2 || records * 10 < self.records * 9 {
            return Ok(());
        }
        let (line, text) = &self.header;
        let what = if *records == self.records {
            "all rows have".to_owned()
        } else {
            format!("{} of {} have", thousands(*records), count(self.records, "row"))
        };
        // A title is followed by a line that looks like the other rows.
        let hint = match self.first {
            Some((next, Some(first))) if first == *cells && *cells > columns => format!(
                "is line {next} the header? Then remove what is above it (a CSV file has no titles and \
                 no comments), else quote cells that contain separators"
            ),
            _ => "name each column in the first line, and quote cells that contain separators"
                .to_owned(),
        };
        Err(format!(
            ":{line}: the header is `{text}`, with {}, but {what} {}; {hint}",
            count(columns, "column"),
            count(*cells, "cell")
        ))
    }
}
