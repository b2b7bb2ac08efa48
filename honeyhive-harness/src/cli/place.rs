//! Where the journals are.

use std::path::{Path, PathBuf};

use crate::config::Config;

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

/// The root of the workspace that a directory is in: the highest one that has a manifest.
pub(super) fn workspace(from: &Path) -> Option<PathBuf> {
    let has_manifest = |above: &&Path| above.join("Cargo.toml").is_file();
    from.ancestors().filter(has_manifest).last().map(Path::to_path_buf)
}

/// `target/honeyhive` of the nearest directory that has one.
fn upwards(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|above| above.join("target/honeyhive")).find(|found| found.is_dir())
}
