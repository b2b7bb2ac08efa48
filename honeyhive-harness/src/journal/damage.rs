//! Finds damaged lines in a journal file.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::line::{self, Sum};
use super::schema::{Record, SCHEMA};

/// The number of damaged lines that are listed; the rest is counted.
const MOST_LISTED: usize = 8;

/// A line of a journal that is damaged, so that it cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The journal file.
    pub file: PathBuf,
    /// The number of the line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The description of the damage.
    pub message: String,
}

impl Damage {
    pub(crate) fn new(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.message),
        }
    }
}

/// Lists the damaged lines, one below the other, and says what to do.
pub(crate) fn list(damage: &[Damage]) -> String {
    let mut text =
        String::from("the journal is damaged, so no result of this run can be relied on:");
    for one in damage.iter().take(MOST_LISTED) {
        text.push_str(&format!("\n  {one}"));
    }
    if damage.len() > MOST_LISTED {
        text.push_str(&format!("\n  .. and {} more", damage.len() - MOST_LISTED));
    }
    text.push_str("\nrun the experiments again, or restore the file from a copy");
    text
}

/// The reason why a line is not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// The line is damaged; the text says how.
    Damaged(String),
    /// The file was written by a later version, with this schema.
    Newer(u32),
}

/// The fields of a first line that can be relied on in every version of the schema.
#[derive(Deserialize)]
struct Head {
    r#type: String,
    schema: u32,
}

/// Checks the lines of one file, in their order.
#[derive(Debug, Default)]
pub(super) struct Checker {
    /// The schema in the first line; `None` while no first line was read, or it is damaged.
    schema: Option<u32>,
    /// The number of the last line.
    line: usize,
    /// The number that the next line should have, where that is known.
    next: u64,
    /// Set when the `end` record was read.
    ended: bool,
}

impl Checker {
    /// Returns the number of the last line, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Checks the next line, which is without its newline, and reads its record. Returns `None` for
    /// a blank line.
    pub(super) fn read(
        &mut self,
        text: &[u8],
        parse: &dyn Fn(&[u8]) -> serde_json::Result<Record>,
    ) -> Result<Option<Record>, Refused> {
        self.line += 1;
        let damaged = |text: String| Err(Refused::Damaged(text));
        let sum = line::check(text);
        if let Sum::Wrong { written, actual } = sum {
            self.next = 0;
            return damaged(format!(
                "its checksum is \"{written}\", that of its bytes is \"{actual}\""
            ));
        }
        if self.line == 1 {
            match serde_json::from_slice::<Head>(text) {
                Ok(head) if head.schema > SCHEMA => return Err(Refused::Newer(head.schema)),
                Ok(head) if head.schema > 0 && head.r#type == "invocation" => {
                    self.schema = Some(head.schema);
                    self.next = 1;
                }
                _ => {
                    return damaged("the first line is not an `invocation` record".to_owned());
                }
            }
        }
        let is_blank = text.iter().all(u8::is_ascii_whitespace);
        match (self.schema, sum) {
            (Some(1), Sum::Absent) if is_blank => return Ok(None),
            (Some(1) | None, Sum::Absent) => {}
            (_, Sum::Absent) if is_blank => return damaged("the line is blank".to_owned()),
            (_, Sum::Absent) => return damaged("it has no checksum (`crc`) at its end".to_owned()),
            (Some(1), _) => {
                return damaged("it has a checksum, in a file that says `\"schema\":1`".to_owned());
            }
            (_, Sum::Right(number)) => self.numbered(number)?,
            (_, Sum::Wrong { .. }) => {}
        }
        if self.ended && self.schema != Some(1) {
            return damaged(
                "it stands after the `end` record, where nothing is written".to_owned(),
            );
        }
        let record = match parse(text) {
            Ok(record) => record,
            Err(error) => return damaged(format!("not a journal record: {error}")),
        };
        // Later versions add types, and then write a later schema, or checksums.
        if record == Record::Unknown && self.schema == Some(1) {
            return damaged("its `type` is not one of schema 1".to_owned());
        }
        self.ended = matches!(record, Record::End(_));
        Ok(Some(record))
    }

    fn numbered(&mut self, number: Option<u64>) -> Result<(), Refused> {
        let expected = std::mem::replace(&mut self.next, number.map_or(0, |number| number + 1));
        match number {
            None => Err(Refused::Damaged("it has no number (`line`)".to_owned())),
            Some(number) if expected == 0 || number == expected => Ok(()),
            Some(number) => Err(Refused::Damaged(format!(
                "it was written as line {number}, where line {expected} is expected: lines are missing, \
                 doubled or in another order"
            ))),
        }
    }

    /// Describes what is wrong with a last line that has no newline; returns `None` if a process
    /// that was killed may have left it so.
    pub(super) fn torn(&self, text: &[u8]) -> Option<String> {
        const BEGIN: &[u8] = br#"{"type":""#;
        let begins = text.len().min(BEGIN.len());
        if self.ended && self.schema != Some(1) {
            return Some("it stands after the `end` record, where nothing is written".to_owned());
        }
        if text[..begins] != BEGIN[..begins] {
            // Some file systems leave zeros at the end after a power failure.
            let zeros = text.iter().all(|byte| *byte == 0);
            return (!zeros).then(|| "the last line is not the beginning of a record".to_owned());
        }
        match line::check(text) {
            Sum::Wrong { written, actual } => {
                Some(format!("its checksum is \"{written}\", that of its bytes is \"{actual}\""))
            }
            Sum::Absent | Sum::Right(_) => None,
        }
    }
}
