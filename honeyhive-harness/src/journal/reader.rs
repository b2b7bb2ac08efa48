//! Reading journals back.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::schema::{AttemptRecord, CaseRecord, Record, SCHEMA};

/// Everything that the files of one invocation say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// All records, file by file in the order of their names, line by line.
    pub records: Vec<Record>,
    /// Files whose last line was torn by a crash; the line is left out.
    pub torn: Vec<PathBuf>,
}

/// Why a journal cannot be read.
#[derive(Debug)]
pub enum JournalError {
    /// The directory or a file cannot be read.
    Io(PathBuf, std::io::Error),
    /// A line is no record; only a torn last line is forgiven.
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The file was written by a later version.
    Newer {
        /// The file.
        file: PathBuf,
        /// Its schema.
        schema: u32,
    },
    /// The directory has no journal.
    Empty(PathBuf),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Line { file, line, message } => {
                write!(f, "{}:{line}: not a journal record: {message}", file.display())
            }
            Self::Newer { file, schema } => write!(
                f,
                "{}: written by a later honeyhive-harness (schema {schema}, this one knows {SCHEMA}); update it",
                file.display()
            ),
            Self::Empty(path) => write!(f, "no journal in {}", path.display()),
        }
    }
}

impl std::error::Error for JournalError {}

impl Journal {
    /// The cases of an experiment that `keep` wants, by id, with their attempts. Where several
    /// processes recorded a case, the latest attempt of the outer runner counts.
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

/// Reads all journal files of an invocation's directory.
///
/// # Errors
/// See [`JournalError`].
pub fn read_invocation(directory: &Path) -> Result<Journal, JournalError> {
    let io = |error| JournalError::Io(directory.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(JournalError::Empty(directory.to_owned()));
    }
    files.sort();
    let mut journal = Journal::default();
    for file in files {
        read_file(&file, &mut journal)?;
    }
    Ok(journal)
}

fn read_file(file: &Path, journal: &mut Journal) -> Result<(), JournalError> {
    let bytes = fs::read(file).map_err(|error| JournalError::Io(file.to_owned(), error))?;
    read_bytes(&bytes, file, journal)
}

/// All that can be relied on in a first line, whatever the version.
#[derive(serde::Deserialize)]
struct Head {
    schema: u32,
}

fn read_bytes(bytes: &[u8], file: &Path, journal: &mut Journal) -> Result<(), JournalError> {
    let (whole, torn) = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => bytes.split_at(end + 1),
        None => (&[][..], bytes),
    };
    if !torn.is_empty() {
        journal.torn.push(file.to_owned());
    }
    for (index, line) in whole.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if index == 0
            && let Ok(Head { schema }) = serde_json::from_slice(line)
            && schema > SCHEMA
        {
            return Err(JournalError::Newer { file: file.to_owned(), schema });
        }
        let record = Record::read(line).map_err(|error| JournalError::Line {
            file: file.to_owned(),
            line: index + 1,
            message: error.to_string(),
        })?;
        journal.records.push(record);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Journal, JournalError> {
        let mut journal = Journal::default();
        read_bytes(text.as_bytes(), Path::new("a.jsonl"), &mut journal).map(|()| journal)
    }

    const CASE: &str =
        r#"{"type":"case","experiment":"e","case":"1","state":"fail","passed":true}"#;

    #[test]
    fn unknown_fields_and_types_are_ignored() {
        let text = format!(
            "{}\n{}\n{}\n",
            r#"{"type":"invocation","schema":1,"colour":"red"}"#,
            r#"{"type":"weather","sun":true}"#,
            CASE
        );
        let journal = read(&text).unwrap();
        assert_eq!(journal.records.len(), 3);
        assert_eq!(journal.records[1], Record::Unknown);
        assert!(matches!(&journal.records[2], Record::Case(case) if case.passed));
    }

    #[test]
    fn a_torn_last_line_is_left_out() {
        for cut in 1..CASE.len() {
            let journal = read(&format!("{CASE}\n{}", &CASE[..cut])).unwrap();
            assert_eq!((journal.records.len(), journal.torn.len()), (1, 1));
        }
    }

    #[test]
    fn a_broken_line_inside_is_an_error_with_its_place() {
        let error = read(&format!("{CASE}\n{{\"type\":\n{CASE}\n")).unwrap_err().to_string();
        assert!(error.starts_with("a.jsonl:2: not a journal record: "), "{error}");
    }

    #[test]
    fn a_newer_schema_asks_for_an_update() {
        let line = "{\"type\":\"invocation\",\"schema\":2,\"pid\":\"a text by then\"}\n";
        let error = read(line).unwrap_err().to_string();
        assert_eq!(
            error,
            "a.jsonl: written by a later honeyhive-harness (schema 2, this one knows 1); update it"
        );
    }

    #[test]
    fn an_output_of_null_is_not_the_absence_of_one() {
        let line = r#"{"type":"attempt","output":null}"#;
        let journal = read(&format!("{line}\n{}\n", r#"{"type":"attempt"}"#)).unwrap();
        let outputs: Vec<_> = journal
            .records
            .iter()
            .map(|record| match record {
                Record::Attempt(attempt) => attempt.output.clone(),
                _ => panic!(),
            })
            .collect();
        assert_eq!(outputs, [Some(serde_json::Value::Null), None]);
    }
}
