//! Keeps the order in which runs were made, also when the clock is changed in between.
//!
//! `.order` in the directory of runs has the name of each run, one a line, in the order in which they
//! were made. Runs that are not in it (copied from elsewhere, or of an earlier version) are sorted in by
//! the time at which they started.

#[cfg(feature = "cli")]
use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
#[cfg(feature = "cli")]
use std::path::PathBuf;

use crate::files;

/// Records that a run was just made.
pub(super) fn note(root: &Path, name: &str) {
    let path = root.join(".order");
    // A single write to the end, so that lines of processes that start together do not mix. Without the
    // line, the run is sorted in by its time.
    let file = files::private().append(true).create(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
}

/// Returns the names in the file, each with its place.
#[cfg(feature = "cli")]
fn noted(root: &Path) -> HashMap<String, usize> {
    let text = files::read_regular(&root.join(".order")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().enumerate().map(|(place, name)| (name.to_owned(), place)).collect()
}

/// Sorts runs, the newest first.
#[cfg(feature = "cli")]
pub(super) fn sort<T>(
    root: &Path,
    mut runs: Vec<T>,
    directory: &dyn Fn(&T) -> &PathBuf,
    started_at: &dyn Fn(&T) -> &str,
) -> Vec<T> {
    let noted = noted(root);
    runs.sort_by(|a, b| (started_at(a), directory(a)).cmp(&(started_at(b), directory(b))));
    let place = |run: &T| noted.get(directory(run).file_name()?.to_str()?).copied();
    let (mut made, foreign): (Vec<T>, Vec<T>) =
        runs.into_iter().partition(|run| place(run).is_some());
    made.sort_by_key(place);
    for run in foreign {
        // The run is placed after the last run that started before it.
        let at = made.iter().rposition(|other| started_at(other) <= started_at(&run));
        made.insert(at.map_or(0, |at| at + 1), run);
    }
    made.reverse();
    made
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn the_clock_decides_only_about_runs_that_were_not_noted() {
        let root = std::env::temp_dir().join(format!("honeyhive-order-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        // In this example the clock was an hour ahead while `b` was made.
        for name in ["a", "b", "c"] {
            note(&root, name);
        }
        let runs = |names: &[(&str, &'static str)]| -> Vec<(PathBuf, &'static str)> {
            names.iter().map(|(name, time)| (root.join(name), *time)).collect()
        };
        let sorted = |names: &[(&str, &'static str)]| -> Vec<String> {
            sort(&root, runs(names), &|run| &run.0, &|run| run.1)
                .into_iter()
                .map(|run| run.0.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(sorted(&[("a", "10"), ("b", "11"), ("c", "10:05")]), ["c", "b", "a"]);
        let with_copies = [("a", "10"), ("b", "11"), ("c", "10:05"), ("x", "10:01"), ("y", "09")];
        assert_eq!(sorted(&with_copies), ["c", "b", "x", "a", "y"].map(str::to_owned));
        assert_eq!(sorted(&[("x", "10"), ("y", "12"), ("z", "11")]), ["y", "z", "x"]);
        std::fs::remove_dir_all(root).unwrap();
    }
}
