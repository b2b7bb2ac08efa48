//! Handles datasets with many rows that cannot be run.

use super::{Content, DatasetFault, Scanned};
use crate::text::{count, one_line, thousands};

/// The number of rows that cannot be run beyond which the whole dataset counts as bad: a million
/// failures show no more than the first hundred.
pub(crate) const MOST_BAD_ROWS: usize = 100;

/// The number of columns that the fault of one row may take in a list of many.
const LONGEST_FAULT: usize = 200;

/// Returns the text about more bad rows than [`MOST_BAD_ROWS`], of which `first` has the first
/// ones.
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
        text.push_str(&format!("\nand {} like these", count(bad - first.len(), "more row")));
    }
    text
}

/// Returns an error where so many rows cannot be read that they are one fault of the dataset.
pub(super) fn refuse_many_bad(
    origin: &str,
    word: &str,
    scanned: &[Scanned],
) -> Result<(), DatasetFault> {
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
