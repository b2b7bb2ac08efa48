//! Remembers where the newest run of a package is, when it is not in the usual target directory.
//!
//! The next command does not know which `cargo test --target-dir ..`, `CARGO_TARGET_DIR` or
//! `HH_DIR` the last one had. So a run whose journal is not in `target/honeyhive` of the package or
//! a directory above it leaves its path in the user's cache directory, and `cargo honeyhive` looks
//! there. Once there is such a file, each later run of the package replaces it, wherever its
//! journal is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files;
use crate::ids::short_hash;

/// The number of files that are kept; beyond it, those of packages that no longer exist are
/// removed.
const MOST: usize = 200;

fn path(cache: &Path, package_dir: &Path) -> PathBuf {
    let key = short_hash(real(package_dir).as_os_str().as_encoded_bytes(), 32);
    cache.join("honeyhive-harness").join("newest").join(key)
}

/// Returns the path without links, or as it is where it does not exist.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Records the directory of a run of a package, unless it is in the usual place. Where the file
/// cannot be written, `cargo honeyhive` looks in the usual places alone.
pub(crate) fn note(cache: &Path, package_dir: &Path, run: &Path) {
    let to = path(cache, package_dir);
    let root = run.parent().map(real);
    let is_usual = |above: &Path| Some(real(&above.join("target/honeyhive"))) == root;
    if package_dir.ancestors().any(is_usual) && !to.exists() {
        return;
    }
    let Some(directory) = to.parent() else { return };
    let Ok(run) = std::path::absolute(run) else { return };
    let text = format!("{}\n{}\n", run.display(), package_dir.display());
    let unfinished = directory.join(format!(".{}", std::process::id()));
    let written = files::private_dir_all(directory)
        .and_then(|()| files::write_private(&unfinished, text.as_bytes()))
        .and_then(|()| fs::rename(&unfinished, &to));
    if written.is_ok() {
        remove_old(directory);
    }
}

/// Returns the directory of the newest run that was recorded for a package, if it still exists.
#[cfg(feature = "cli")]
pub(crate) fn newest(cache: &Path, package_dir: &Path) -> Option<PathBuf> {
    let text = String::from_utf8(files::read_regular(&path(cache, package_dir)).ok()?).ok()?;
    let run = PathBuf::from(text.lines().next()?);
    run.is_dir().then_some(run)
}

/// Removes the files of packages that no longer exist.
fn remove_old(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let all: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    if all.len() <= MOST {
        return;
    }
    for path in all {
        let text = files::read_regular(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        if !text.lines().nth(1).is_some_and(|package| Path::new(package).is_dir()) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_an_unusual_place_is_found_and_later_ones_replace_it() {
        let scratch = std::env::temp_dir().join(format!("honeyhive-else-{}", std::process::id()));
        let (cache, package) = (scratch.join("cache"), scratch.join("ws/app"));
        let run = |path: &str| {
            let path = scratch.join(path);
            fs::create_dir_all(&path).unwrap();
            path
        };
        fs::create_dir_all(&package).unwrap();
        let usual = run("ws/target/honeyhive/1");
        note(&cache, &package, &usual);
        assert!(!cache.exists(), "nothing is written for a usual place");
        let other = run("out/honeyhive/2");
        note(&cache, &package, &other);
        assert_eq!(newest(&cache, &package), Some(other.clone()));
        assert_eq!(newest(&cache, &scratch), None);
        note(&cache, &package, &usual);
        assert_eq!(newest(&cache, &package), Some(usual.clone()));
        fs::remove_dir_all(&usual).unwrap();
        assert_eq!(newest(&cache, &package), None);
        fs::remove_dir_all(scratch).unwrap();
    }
}
