//! Where the journals are, and which of them is meant.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::journal::invocations;

/// The directory of journals.
///
/// # Errors
/// When there is none; the text says where it was looked for.
pub(super) fn journals(dir: Option<&Path>, config: &Config) -> Result<PathBuf, String> {
    let named = dir
        .map(|dir| (dir.to_owned(), "--dir"))
        .or_else(|| config.dir.clone().map(|dir| (dir, "HH_DIR")))
        .or_else(|| Some((config.target_dir.clone()?.join("honeyhive"), "CARGO_TARGET_DIR")));
    if let Some((directory, from)) = named {
        return if directory.is_dir() {
            Ok(directory)
        } else {
            Err(format!("there is no directory {} (from {from})", directory.display()))
        };
    }
    let here = std::env::current_dir()
        .map_err(|error| format!("the working directory cannot be read: {error}"))?;
    upwards(&here).ok_or_else(|| {
        format!(
            "no journals: neither {} nor a directory above it has target/honeyhive; run \
             `cargo test` there first, or name the directory with --dir or HH_DIR",
            here.display()
        )
    })
}

/// The directory of the run that is meant: by its name or its directory, else the newest.
///
/// # Errors
/// When there is none; the text names those that there are.
pub(super) fn invocation(
    named: Option<&Path>,
    dir: Option<&Path>,
    config: &Config,
) -> Result<PathBuf, String> {
    if let Some(named) = named.filter(|path| path.is_dir()) {
        return Ok(named.to_owned());
    }
    let root = journals(dir, config)?;
    let all = invocations(&root)
        .map_err(|error| format!("{} cannot be read: {error}", root.display()))?;
    let Some(named) = named else {
        let newest = all.into_iter().next();
        return newest
            .ok_or_else(|| format!("nothing was run yet: no journal in {}", root.display()));
    };
    let is_named = |path: &PathBuf| path.file_name() == Some(named.as_os_str());
    all.iter().find(|path| is_named(path)).cloned().ok_or_else(|| {
        let names: Vec<String> = all.iter().take(5).filter_map(|path| name_of(path)).collect();
        format!(
            "no run {} in {}; the newest are: {}",
            named.display(),
            root.display(),
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )
    })
}

fn name_of(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// `target/honeyhive` of the nearest directory that has one.
fn upwards(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|above| above.join("target/honeyhive")).find(|found| found.is_dir())
}
