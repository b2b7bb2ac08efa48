//! Creates the directory of an invocation, which the processes of one `cargo test` share.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::order;
use crate::files;
use crate::ids::short_hash;

/// Creates the directory of the invocation. Processes with the same parent (one `cargo test` with
/// several test targets, one `cargo nextest run`) share it; without a parent, each has its own.
pub(super) fn invocation_dir(root: &Path, parent: Option<&str>, now: &str) -> io::Result<PathBuf> {
    files::private_dir_all(root)?;
    let stamp: String = now.chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    let name = match parent {
        None => format!("{stamp}-{}", &uuid::Uuid::new_v4().simple().to_string()[..6]),
        Some(parent) => {
            let key = short_hash(parent.as_bytes(), 6);
            elect(&root.join(".invocations"), parent, &format!("{stamp}-{key}"))?
        }
    };
    let directory = root.join(&name);
    if files::private_dir(&directory)? {
        order::note(root, &name);
        files::sync_directory(root);
    }
    Ok(directory)
}

/// Returns the name of the directory for all that share the parent: that of the first process to ask.
fn elect(ballots: &Path, parent: &str, mine: &str) -> io::Result<String> {
    files::private_dir_all(ballots)?;
    let ballot = ballots.join(short_hash(parent.as_bytes(), 32));
    // Linking a complete file is atomic: no process reads half a name.
    let draft = ballots.join(uuid::Uuid::new_v4().simple().to_string());
    files::write_private(&draft, mine.as_bytes())?;
    let linked = fs::hard_link(&draft, &ballot);
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let name = String::from_utf8(files::read_regular(&ballot)?).unwrap_or_default();
            // A damaged file must not lead out of the directory of runs.
            let is_name = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            Ok(if is_name { name } else { mine.to_owned() })
        }
        // On a file system without links, each process has a directory of its own.
        Ok(()) | Err(_) => Ok(mine.to_owned()),
    }
}
