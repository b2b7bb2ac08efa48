//! Reads a journal while it grows.
//!
//! A damaged line is skipped, so that no part of it is sent.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use super::damage::{Checker, Refused};
use super::schema::Record;
use crate::files;

/// Reads a journal file record by record, and single records again.
#[derive(Debug)]
pub(crate) struct Tail {
    file: BufReader<File>,
    /// The offset where the next line begins.
    at: u64,
    line: Vec<u8>,
    checker: Checker,
}

impl Tail {
    /// Opens a journal file at its beginning.
    ///
    /// # Errors
    /// Returns an error when the file cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::new(files::open_regular(path)?);
        Ok(Self { file, at: 0, line: Vec::new(), checker: Checker::default() })
    }

    /// Returns the next whole record and the offset where it begins; `None` when there is none yet.
    /// Skips lines that are not records: the commands that check a journal report them.
    ///
    /// # Errors
    /// Returns an error when the file cannot be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Record)>> {
        loop {
            self.line.clear();
            let read = self.file.read_until(b'\n', &mut self.line)?;
            if self.line.last() != Some(&b'\n') {
                // Half a line is read again when it is whole.
                self.file.seek(SeekFrom::Start(self.at))?;
                return Ok(None);
            }
            let begin = self.at;
            self.at += read as u64;
            match self.checker.read(&self.line[..read - 1], &Record::read) {
                Ok(Some(record)) => return Ok(Some((begin, record))),
                Ok(None) | Err(Refused::Damaged(_)) => {}
                // The caller sees from the record that the file is of a later version.
                Err(Refused::Newer(_)) => return Ok(Some((begin, Record::read(&self.line)?))),
            }
        }
    }

    /// Reads the record that begins at an offset again.
    ///
    /// # Errors
    /// Returns an error when the file cannot be read, or has no record there.
    pub(crate) fn again(&mut self, begin: u64) -> io::Result<Record> {
        self.file.seek(SeekFrom::Start(begin))?;
        self.line.clear();
        self.file.read_until(b'\n', &mut self.line)?;
        self.file.seek(SeekFrom::Start(self.at))?;
        Record::read(&self.line).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn half_a_line_is_waited_for() {
        let path = std::env::temp_dir().join(format!("tail-{}.jsonl", std::process::id()));
        let mut file = File::create(&path).unwrap();
        let first = r#"{"type":"invocation","schema":1}"#;
        let case = |name: &str| format!(r#"{{"type":"case","experiment":"e","case":"{name}"}}"#);
        let id = |record: &Record| match record {
            Record::Case(case) => case.case.clone(),
            _ => panic!(),
        };
        let mut tail = Tail::open(&path).unwrap();
        assert!(tail.next().unwrap().is_none());
        write!(file, "{first}\n{}\nno json\n{}", case("one"), &case("two")[..20]).unwrap();
        assert!(matches!(tail.next().unwrap(), Some((0, Record::Invocation(_)))));
        let one = first.len() as u64 + 1;
        let (begin, record) = tail.next().unwrap().unwrap();
        assert_eq!((begin, id(&record)), (one, "one".to_owned()));
        assert!(tail.next().unwrap().is_none());
        writeln!(file, "{}", &case("two")[20..]).unwrap();
        assert_eq!(id(&tail.again(one).unwrap()), "one");
        let (begin, record) = tail.next().unwrap().unwrap();
        assert_eq!(id(&record), "two");
        assert_eq!(id(&tail.again(begin).unwrap()), "two");
        assert!(tail.next().unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }
}
