//! Reads journals line by line.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::damage::{self, Checker, Damage, Refused};
use super::kept::Own;
use super::lean;
use super::results::{Builder, Results};
use super::scan::{Place, Scan};
use super::schema::{AttemptRecord, CaseRecord, Record, SCHEMA};
use crate::files;

/// The records in the files of one invocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// All records, file by file in the order of their names, line by line.
    pub records: Vec<Record>,
    /// Files whose last line was torn by a crash; the line is left out.
    pub torn: Vec<PathBuf>,
}

/// The reason why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory or a file cannot be read.
    #[error("cannot read {}: {}", .0.display(), .1)]
    Io(PathBuf, #[source] io::Error),
    /// The journal has damaged lines. A torn last line is accepted.
    #[error("{}", damage::list(.0))]
    Damaged(Vec<Damage>),
    /// The file was written by a later version.
    #[error(
        "{}: written by a later honeyhive-harness (schema {schema}, this one knows {}); update it",
        file.display(),
        SCHEMA
    )]
    Newer {
        /// The journal file.
        file: PathBuf,
        /// The schema of the file.
        schema: u32,
    },
    /// The directory has no journal.
    #[error("no journal in {}", .0.display())]
    Empty(PathBuf),
}

impl Journal {
    /// Returns the cases of an experiment for which `keep` returns `true`, by id, with their
    /// attempts. Where several processes recorded a case, the latest attempt of the outer runner
    /// counts.
    pub(crate) fn recorded_cases(
        mut self,
        experiment: &str,
        keep: impl Fn(&CaseRecord, &[AttemptRecord]) -> bool,
    ) -> HashMap<String, Vec<AttemptRecord>> {
        let mut scored: HashMap<String, (u32, Vec<AttemptRecord>)> = HashMap::new();
        let mut attempts: HashMap<String, Vec<AttemptRecord>> = HashMap::new();
        let mut runner_attempt = 0;
        for record in self.records.drain(..) {
            match record {
                Record::Invocation(invocation) => {
                    runner_attempt = invocation.runner_attempt;
                    attempts.clear();
                }
                Record::Attempt(attempt) if attempt.experiment == experiment => {
                    attempts.entry(attempt.case.clone()).or_default().push(*attempt);
                }
                Record::Case(case) if case.experiment == experiment => {
                    let attempts = attempts.remove(&case.case).unwrap_or_default();
                    let done = keep(&case, &attempts);
                    let newest =
                        scored.get(&case.case).is_none_or(|(other, _)| *other <= runner_attempt);
                    if done && newest {
                        scored.insert(case.case, (runner_attempt, attempts));
                    }
                }
                _ => {}
            }
        }
        scored.into_iter().map(|(case, (_, attempts))| (case, attempts)).collect()
    }
}

/// The parts of each attempt that are kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All parts.
    Everything,
    /// All parts but the spans, which are most of a journal. They are read again where they are
    /// shown (see [`spans_of`](super::spans_of)).
    Contents,
    /// The fields that gates and comparisons need: scores, errors, durations, metadata and tags.
    Scores,
}

/// Reads all journal files of an invocation's directory.
///
/// # Errors
/// Returns a [`JournalError`]; a journal with any damaged line is an error as a whole.
pub fn read_invocation(directory: &Path) -> Result<Journal, JournalError> {
    let mut records = Vec::new();
    let scan = each_record(directory, Keep::Everything, &mut |record, _| records.push(record))?;
    if scan.damage.is_empty() {
        Ok(Journal { records, torn: scan.torn })
    } else {
        Err(JournalError::Damaged(scan.damage))
    }
}

/// Reads all journal files of an invocation's directory, a line at a time, and combines their
/// records. Damaged records are left out and listed in the results.
///
/// # Errors
/// Returns an error when the directory or a file cannot be read, or is of a later version.
pub(crate) fn read_results(directory: &Path, keep: Keep) -> Result<Results, JournalError> {
    results_with(directory, None, keep)
}

/// Does the same, with the records of one file from memory.
///
/// # Errors
/// When the directory or another file cannot be read, or is of a later version.
pub(crate) fn results_with(
    directory: &Path,
    own: Option<Own>,
    keep: Keep,
) -> Result<Results, JournalError> {
    let mut builder = Builder::default();
    let add = &mut |record, place| builder.add(record, place);
    let scan = each_of(directory, own, keep, add)?;
    Ok(builder.finish(scan))
}

/// Returns the journal files of a directory, in the order of their names.
pub(super) fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads the records of an invocation one by one, file by file.
///
/// # Errors
/// Returns an error when the directory or a file cannot be read, or is of a later version.
pub(crate) fn each_record(
    directory: &Path,
    keep: Keep,
    on_record: &mut dyn FnMut(Record, Place),
) -> Result<Scan, JournalError> {
    each_of(directory, None, keep, on_record)
}

fn each_of(
    directory: &Path,
    mut own: Option<Own>,
    keep: Keep,
    on_record: &mut dyn FnMut(Record, Place),
) -> Result<Scan, JournalError> {
    let files = files(directory).map_err(|error| JournalError::Io(directory.to_owned(), error))?;
    if files.is_empty() {
        return Err(JournalError::Empty(directory.to_owned()));
    }
    let mut scan = Scan::default();
    for (index, path) in files.iter().enumerate() {
        if let Some(own) = own.take_if(|own| own.file == *path) {
            for (record, line) in own.records.into_iter().zip(1..) {
                on_record(record, Place { file: index, line });
            }
            continue;
        }
        let opened = files::open_regular(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::Other => {
                scan.damage.push(Damage::new(path, 0, error.to_string()));
                continue;
            }
            Err(error) => return Err(JournalError::Io(path.clone(), error)),
        };
        let fail = |error| JournalError::Io(path.clone(), error);
        // A file that grows meanwhile is read up to its length at this moment.
        let length = file.metadata().map_err(fail)?.len();
        let lines = BufReader::with_capacity(1 << 16, file.take(length));
        read_lines(lines, path, index, keep, &mut scan, on_record)?;
    }
    scan.files = files;
    Ok(scan)
}

fn read_lines(
    mut lines: impl io::BufRead,
    path: &Path,
    file: usize,
    keep: Keep,
    scan: &mut Scan,
    on_record: &mut dyn FnMut(Record, Place),
) -> Result<(), JournalError> {
    let mut checker = Checker::default();
    let (mut text, mut begin) = (Vec::new(), 0_u64);
    loop {
        text.clear();
        let read = lines
            .read_until(b'\n', &mut text)
            .map_err(|error| JournalError::Io(path.to_owned(), error))?;
        let Some(line) = text.strip_suffix(b"\n") else { break };
        let parse = |line: &[u8]| match keep {
            Keep::Everything => Record::read(line),
            Keep::Contents => lean::without_spans(line, path, begin),
            Keep::Scores => lean::scores(line),
        };
        match checker.read(line, &parse) {
            Ok(Some(record)) => on_record(record, Place { file, line: checker.line() }),
            Ok(None) => {}
            Err(Refused::Newer(schema)) => {
                return Err(JournalError::Newer { file: path.to_owned(), schema });
            }
            Err(Refused::Damaged(message)) => {
                scan.damage.push(Damage::new(path, checker.line(), message));
            }
        }
        begin += read as u64;
    }
    if checker.line() == 0 {
        scan.without_lines.push(path.to_owned());
    }
    if !text.is_empty() {
        scan.torn.push(path.to_owned());
        if let Some(message) = checker.torn(&text) {
            scan.damage.push(Damage::new(path, checker.line() + 1, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::line::to_lines;
    use super::super::schema::{EndRecord, InvocationRecord};
    use super::*;

    fn read(text: &[u8]) -> Result<Journal, JournalError> {
        let (mut records, mut scan) = (Vec::new(), Scan::default());
        let path = Path::new("a.jsonl");
        let mut keep = |record, _| records.push(record);
        read_lines(text, path, 0, Keep::Everything, &mut scan, &mut keep)?;
        if scan.damage.is_empty() {
            Ok(Journal { records, torn: scan.torn })
        } else {
            Err(JournalError::Damaged(scan.damage))
        }
    }

    fn error(text: &[u8]) -> String {
        read(text).expect_err("it is damaged").to_string()
    }

    const FIRST: &str = r#"{"type":"invocation","schema":1,"colour":"red"}"#;

    const CASE: &str =
        r#"{"type":"case","experiment":"e","case":"1","state":"fail","passed":true}"#;

    /// Returns a file of the current schema with this number of cases.
    fn today(cases: usize) -> Vec<u8> {
        let mut records =
            vec![Record::Invocation(InvocationRecord { schema: SCHEMA, ..Default::default() })];
        for case in 0..cases {
            let case = case.to_string();
            records.push(Record::Case(CaseRecord { case, ..CaseRecord::default() }));
        }
        records.push(Record::End(EndRecord::default()));
        to_lines(&records)
    }

    #[test]
    fn lines_of_schema_1_have_no_checksum() {
        let journal = read(format!("{FIRST}\n\n{CASE}\n").as_bytes()).unwrap();
        assert!(matches!(&journal.records[1], Record::Case(case) if case.passed));
        let unknown = format!("{FIRST}\n{}\n", r#"{"type":"weather","sun":true}"#);
        assert!(error(unknown.as_bytes()).contains("a.jsonl:2: its `type` is not one of schema 1"));
        let mixed = [format!("{FIRST}\n").into_bytes(), today(1)].concat();
        assert!(error(&mixed).contains("a.jsonl:2: it has a checksum, in a file that says"));
    }

    #[test]
    fn a_first_line_says_the_schema() {
        let text = error(format!("{CASE}\n{CASE}\n").as_bytes());
        assert!(text.contains("a.jsonl:1: the first line is not an `invocation` record"), "{text}");
    }

    #[test]
    fn an_unknown_type_with_a_checksum_is_of_a_later_version() {
        let text = today(0);
        let first = text.split_inclusive(|byte| *byte == b'\n').next().unwrap();
        let body = r#"{"type":"weather","sun":true,"line":2"#;
        let crc = crc32fast::hash(body.as_bytes());
        let later = [first, format!("{body},\"crc\":\"{crc:08x}\"}}\n").as_bytes()].concat();
        assert_eq!(read(&later).unwrap().records[1], Record::Unknown);
        let flipped = String::from_utf8(later).unwrap().replace("true", "trud");
        assert!(error(flipped.as_bytes()).contains("a.jsonl:2: its checksum is"));
    }

    #[test]
    fn lines_that_are_missing_doubled_or_swapped_are_told() {
        let text = today(3);
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let missing = error(&[lines[0], lines[2], lines[3], lines[4]].concat());
        assert!(
            missing.contains("a.jsonl:2: it was written as line 3, where line 2 is expected"),
            "{missing}"
        );
        assert_eq!(missing.matches("a.jsonl:").count(), 1, "{missing}");
        for changed in [
            [lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]].concat(),
            [lines[0], lines[2], lines[1], lines[3], lines[4]].concat(),
            [lines[0], b"\n", lines[1], lines[2], lines[3], lines[4]].concat(),
            [lines[1], lines[2], lines[3], lines[4]].concat(),
            [&text[..], &text[..]].concat(),
            [&text[..], b"{\"type\":\"ca"].concat(),
        ] {
            assert!(error(&changed).contains("a.jsonl:"));
        }
        let without =
            String::from_utf8(text.clone()).unwrap().replace(",\"crc\":\"", ",\"cRc\":\"");
        assert!(error(without.as_bytes()).contains("a.jsonl:2: it has no checksum"));
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        let text = today(1);
        let second = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let end = second + text[second..].iter().position(|byte| *byte == b'\n').unwrap();
        for cut in second + 1..=end {
            let journal = read(&text[..cut]).unwrap();
            assert_eq!((journal.records.len(), journal.torn.len()), (1, 1));
        }
        // A process that is killed leaves only the beginning of a line. Other bytes are damage.
        let strange = [&text[..second], b"\x01\x02"].concat();
        assert!(error(&strange).contains("a.jsonl:2: the last line is not the beginning"));
        let zeros = [&text[..second], &[0; 40]].concat();
        assert_eq!(read(&zeros).unwrap().torn.len(), 1);
    }

    #[test]
    fn a_broken_line_inside_is_an_error_with_its_place() {
        let error = error(format!("{FIRST}\n{{\"type\":\n{CASE}\n").as_bytes());
        assert!(error.contains("a.jsonl:2: not a journal record: "), "{error}");
    }

    #[test]
    fn a_newer_schema_asks_for_an_update() {
        let line = "{\"type\":\"invocation\",\"schema\":3,\"pid\":\"a text by then\"}\n";
        let error = error(line.as_bytes());
        assert_eq!(
            error,
            "a.jsonl: written by a later honeyhive-harness (schema 3, this one knows 2); update it"
        );
    }

    #[test]
    fn an_output_of_null_is_not_the_absence_of_one() {
        let line = r#"{"type":"attempt","output":null}"#;
        let text = format!("{FIRST}\n{line}\n{}\n", r#"{"type":"attempt"}"#);
        let journal = read(text.as_bytes()).unwrap();
        let outputs: Vec<_> = journal.records[1..]
            .iter()
            .map(|record| match record {
                Record::Attempt(attempt) => attempt.output.clone(),
                _ => panic!(),
            })
            .collect();
        assert_eq!(outputs, [Some(serde_json::Value::Null), None]);
    }
}
