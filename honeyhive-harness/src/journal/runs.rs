//! Finds the runs below a directory.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::order;
use super::reader::files;
use crate::files;

/// A run, as the first lines of its files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunHead {
    pub(crate) directory: PathBuf,
    /// The time when its first process started, RFC 3339; empty where no file says it.
    pub(crate) started_at: String,
    /// The packages that it tested, each with the directory of its manifest, where that is known.
    pub(crate) packages: Vec<(String, String)>,
}

/// The runs below `root`, the newest first. `root` may be one itself.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn runs(root: &Path) -> io::Result<Vec<RunHead>> {
    let mut found = Vec::new();
    // A `.jsonl` of something else, such as a dataset, does not make the directory a run.
    let is_one = is_run(root)?;
    if is_one {
        found.push(run_head(root));
    }
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // The reports of a run lie in a directory of its own.
        if !hidden && entry.path().is_dir() && (!is_one || is_run(&entry.path())?) {
            found.push(run_head(&entry.path()));
        }
    }
    Ok(order::sort(root, found, &|run| &run.directory, &|run| &run.started_at))
}

/// The directories of the runs below `root`, the newest first. `root` may be one itself.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn invocations(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(runs(root)?.into_iter().map(|run| run.directory).collect())
}

/// The first line of a journal file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct First {
    #[serde(rename = "type")]
    kind: String,
    started_at: String,
    package: String,
    package_dir: String,
}

impl First {
    /// Reads the first line of a file; `None` where it is not an object.
    fn read(path: &Path) -> Option<Self> {
        /// The length of the longest first line of a journal, in bytes.
        const LONGEST: u64 = 1 << 20;
        let mut line = Vec::new();
        let file = files::open_regular(path).ok()?;
        BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut line).ok()?;
        serde_json::from_slice(&line).ok()
    }

    fn is_of_a_journal(&self) -> bool {
        self.kind == "invocation"
    }
}

/// Returns whether a directory holds the journal of a run. One with the name of a run counts where
/// its files are damaged or empty, too.
fn is_run(directory: &Path) -> io::Result<bool> {
    let files = files(directory)?;
    let named = || directory.file_name().is_some_and(|name| is_run_name(&name.to_string_lossy()));
    let is_journal = |file| First::read(file).is_some_and(|first| first.is_of_a_journal());
    Ok(files.iter().any(|file| is_journal(file)) || (!files.is_empty() && named()))
}

/// Returns whether a name is one that runs have, such as `20261129T101500-a1b2c3`.
fn is_run_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() == 22
        && (digits(0..8) && bytes[8] == b'T' && digits(9..15) && bytes[15] == b'-')
        && bytes[16..].iter().all(u8::is_ascii_alphanumeric)
}

/// Reads the first lines of a run.
pub(crate) fn run_head(directory: &Path) -> RunHead {
    let mut run = RunHead { directory: directory.to_owned(), ..RunHead::default() };
    let files = files(directory).unwrap_or_default();
    for first in files.iter().filter_map(|file| First::read(file)) {
        let earlier = run.started_at.is_empty() || first.started_at < run.started_at;
        if earlier && !first.started_at.is_empty() {
            run.started_at = first.started_at;
        }
        let package = (first.package, first.package_dir);
        if !run.packages.contains(&package) {
            run.packages.push(package);
        }
    }
    run
}

/// Returns the size of a run's journal files, in bytes.
pub(crate) fn size(directory: &Path) -> u64 {
    let files = files(directory).unwrap_or_default();
    files.iter().filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_file_in_the_directory_of_runs_hides_no_run() {
        let root = std::env::temp_dir().join(format!("honeyhive-runs-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let journal = r#"{"type":"invocation","started_at":"2026-11-29T10:15:00Z"}"#;
        let found = |root: &Path| -> Vec<PathBuf> { invocations(root).unwrap() };
        write("zzz.jsonl", "");
        write("rows.jsonl", "{\"id\":\"a\",\"q\":1}\n");
        assert_eq!(found(&root), Vec::<PathBuf>::new());
        write("one/evals.jsonl", journal);
        assert_eq!(found(&root), [root.join("one")]);
        // Its reports are not a run.
        write("one/report/results.jsonl", "{\"type\":\"run\"}\n");
        // A run that is named itself, whatever its files are.
        assert_eq!(found(&root.join("one")), [root.join("one")]);
        write("20261129T101500-a1b2c3/evals.jsonl", "");
        let damaged = root.join("20261129T101500-a1b2c3");
        assert_eq!(found(&damaged), std::slice::from_ref(&damaged));
        assert_eq!(found(&root).len(), 2);
        fs::remove_dir_all(root).unwrap();
    }
}
