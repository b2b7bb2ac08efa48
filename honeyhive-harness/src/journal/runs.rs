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
    /// When its first process started, RFC 3339; empty where no file says it.
    pub(crate) started_at: String,
    /// The packages that it tested, each with the directory of its manifest, where that is known.
    pub(crate) packages: Vec<(String, String)>,
}

/// The runs below `root`, the newest first. `root` may be one itself.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn runs(root: &Path) -> io::Result<Vec<RunHead>> {
    if !files(root)?.is_empty() {
        return Ok(vec![run_head(root)]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
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

/// Reads the first lines of a run.
pub(crate) fn run_head(directory: &Path) -> RunHead {
    /// No first line is longer, unless it is none of ours.
    const LONGEST: u64 = 1 << 20;
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct First {
        started_at: String,
        package: String,
        package_dir: String,
    }
    let first = |path: &PathBuf| {
        let mut line = Vec::new();
        let file = files::open_regular(path).ok()?;
        BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut line).ok()?;
        serde_json::from_slice::<First>(&line).ok()
    };
    let mut run = RunHead { directory: directory.to_owned(), ..RunHead::default() };
    for first in files(directory).unwrap_or_default().iter().filter_map(first) {
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
