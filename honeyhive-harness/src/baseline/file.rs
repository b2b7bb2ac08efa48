//! Reads baseline files, checking their contents, and writes them in a stable order.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::text::relative;

use super::snapshot::{SCHEMA, Snapshot};
use crate::files;

/// The reason why a baseline file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The file does not exist.
    #[error("no baseline yet; `cargo honeyhive accept` writes {} from a recorded run", relative(.0))]
    Missing(PathBuf),
    /// The file cannot be read or written.
    #[error("the baseline {}: {}", relative(.0), .1)]
    Io(PathBuf, #[source] io::Error),
    /// The file is not a valid baseline; the error has the place in the text and what is wrong
    /// there.
    #[error(
        "{}:{}: not a baseline: {}; fix it, or replace it with `cargo honeyhive accept`",
        relative(.0),
        .1.line(),
        .1
    )]
    Malformed(PathBuf, #[source] serde_json::Error),
    /// The file was written by a later version, with this schema.
    #[error(
        "{}: written by a later honeyhive-harness (schema {}, this one knows {}); update it",
        relative(.0),
        .1,
        SCHEMA
    )]
    Newer(PathBuf, u32),
    /// The file belongs to another experiment, of this name.
    #[error("{} is the baseline of the experiment `{}`", relative(.0), .1)]
    Other(PathBuf, String),
}

/// The fields that a file of any version has.
#[derive(Deserialize)]
#[serde(expecting = "an object with `schema`")]
struct Head {
    schema: u32,
}

/// Reads the baseline of an experiment.
///
/// # Errors
/// Returns a [`BaselineError`] when the file does not exist, cannot be read, is not a valid
/// baseline, or was written by a later version or for another experiment.
pub fn read(path: &Path, experiment: &str) -> Result<Snapshot, BaselineError> {
    let text = files::read(path).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    });
    let text = text.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BaselineError::Missing(path.to_owned()),
        _ => BaselineError::Io(path.to_owned(), error),
    })?;
    parse(&text, path, experiment)
}

fn parse(text: &str, path: &Path, experiment: &str) -> Result<Snapshot, BaselineError> {
    let malformed = |error| BaselineError::Malformed(path.to_owned(), error);
    let Head { schema } = serde_json::from_str(text).map_err(malformed)?;
    if schema > SCHEMA {
        return Err(BaselineError::Newer(path.to_owned(), schema));
    }
    let snapshot: Snapshot = serde_json::from_str(text).map_err(malformed)?;
    if snapshot.experiment != experiment {
        return Err(BaselineError::Other(path.to_owned(), snapshot.experiment));
    }
    Ok(snapshot)
}

/// Writes a baseline file, as a whole or not at all.
///
/// # Errors
/// Returns an error when the file or its directory cannot be written.
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<(), BaselineError> {
    let io = |error| BaselineError::Io(path.to_owned(), error);
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(directory).map_err(io)?;
    // The temporary file is beside the baseline, so that renaming stays within the file system.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = directory.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(render(snapshot)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    })();
    written.map_err(|error| {
        // The temporary file exists only if it could be created, so an error of removing it means
        // nothing.
        let _ = fs::remove_file(&unfinished);
        io(error)
    })
}

/// Formats a snapshot with sorted keys and one line per entry of a map.
fn render(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    let mut text = String::from("{\n");
    let mut field = |name: &str, value: String, last: bool| {
        text.push_str(&format!("  \"{name}\": {value}{}\n", if last { "" } else { "," }));
    };
    field("schema", snapshot.schema.to_string(), false);
    field("experiment", json(&snapshot.experiment)?, false);
    field("accepted_at", json(&snapshot.accepted_at)?, false);
    if let Some(commit) = &snapshot.commit {
        field("commit", json(commit)?, false);
    }
    field("dirty", snapshot.dirty.to_string(), false);
    field("invocation", json(&snapshot.invocation)?, false);
    field("dataset", json(&snapshot.dataset)?, false);
    field("evaluators", map(&snapshot.evaluators)?, false);
    field("files", map(&snapshot.files)?, false);
    field("metadata", map(&snapshot.metadata)?, false);
    field("models", json(&snapshot.models)?, false);
    if !snapshot.slices.is_empty() {
        field("slices", json(&snapshot.slices)?, false);
    }
    field("cases", map(&snapshot.cases)?, true);
    text.push_str("}\n");
    Ok(text)
}

fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

fn map<'a, V: Serialize + 'a>(
    entries: impl IntoIterator<Item = (&'a String, &'a V)>,
) -> Result<String, serde_json::Error> {
    let lines = entries
        .into_iter()
        .map(|(key, value)| Ok(format!("    {}: {}", json(key)?, json(value)?)))
        .collect::<Result<Vec<_>, serde_json::Error>>()?;
    Ok(if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n  }}", lines.join(",\n")) })
}

#[cfg(test)]
mod tests {
    use super::super::{CaseSnapshot, EvaluatorPrint, ScoreSnapshot};
    use super::*;

    fn snapshot() -> Snapshot {
        let score = ScoreSnapshot { score: 1.0 / 3.0, attempts: 3, good: Some(1) };
        let case = CaseSnapshot {
            row: "0123456789abcdef".to_owned(),
            scores: [("correct".to_owned(), score)].into(),
            ..CaseSnapshot::default()
        };
        let print = EvaluatorPrint { source: "5c1d".to_owned(), ..EvaluatorPrint::default() };
        Snapshot {
            schema: SCHEMA,
            experiment: "detect".to_owned(),
            accepted_at: "2026-11-22T19:02:11Z".to_owned(),
            commit: Some("9f3e".to_owned()),
            evaluators: [("correct".to_owned(), print)].into(),
            metadata: [("model".to_owned(), "small".into())].into(),
            cases: [("b\"2".to_owned(), case.clone()), ("a".to_owned(), case)].into(),
            ..Snapshot::default()
        }
    }

    fn parsed(text: &str) -> Result<Snapshot, String> {
        parse(text, Path::new("b.json"), "detect").map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_again_with_a_line_per_case() {
        let text = render(&snapshot()).expect("JSON");
        assert_eq!(parsed(&text), Ok(snapshot()));
        assert_eq!(text.lines().filter(|line| line.contains("\"row\"")).count(), 2);
        assert!(text.find("\"a\": {") < text.find("\"b\\\"2\": {"), "sorted");
    }

    #[test]
    fn what_is_no_baseline_is_told_with_its_place() {
        let text = render(&snapshot()).expect("JSON");
        let error = parsed(&text[..text.len() / 2]).expect_err("torn");
        assert!(error.starts_with("b.json:") && error.contains("not a baseline"), "{error}");
        let error = parsed(&text.replace("\"schema\": 2", "\"schema\": 9")).expect_err("newer");
        assert!(error.contains("(schema 9, this one knows 2)"), "{error}");
        let error = parsed(&text.replace("\"detect\"", "\"other\"")).expect_err("other");
        assert_eq!(error, "b.json is the baseline of the experiment `other`");
        let error = parsed(&text.replace("\"attempts\"", "\"atempts\"")).expect_err("a typo");
        assert!(error.starts_with("b.json:18:") && error.contains("atempts"), "{error}");
        assert!(parsed("<<<<<<< HEAD\n").is_err());
        let error = parsed(&text.replace("\"good\":1", "\"good\":4")).expect_err("impossible");
        assert!(error.contains("4 good ones of 3 attempts"), "{error}");
        let error = parsed("[]").expect_err("no object");
        assert!(error.contains("expected an object with `schema`"), "{error}");
        // A merge that kept both sides has a key twice.
        let error = parsed(&text.replace("\"b\\\"2\"", "\"a\"")).expect_err("twice");
        assert!(
            error.starts_with("b.json:19:") && error.contains("`a` stands here twice"),
            "{error}"
        );
    }
}
