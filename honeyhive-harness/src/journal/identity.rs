//! Checks whether the file of a journal is still the one that is written.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The identity of a file, whatever its path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    #[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "as on Unix"))]
    pub(super) fn of(file: &File) -> io::Result<Self> {
        #[cfg(unix)]
        {
            let metadata = file.metadata()?;
            Ok(Self { device_and_inode: device_and_inode(&metadata) })
        }
        #[cfg(not(unix))]
        {
            let _ = file;
            Ok(Self {})
        }
    }

    /// Checks that a path leads to this file, and that it has this length; or at least this, while the
    /// journal's thread may be writing.
    pub(super) fn check(&self, path: &Path, length: u64, is_exact: bool) -> Result<(), String> {
        let lost = |what: &str| {
            format!(
                "the journal {} {what} during the run; the results that were reported before are not on \
                 disk any more",
                path.display()
            )
        };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(lost("was removed"));
            }
            Err(error) => {
                return Err(format!("cannot find the journal {}: {error}", path.display()));
            }
        };
        #[cfg(unix)]
        if device_and_inode(&metadata) != self.device_and_inode {
            return Err(lost("was replaced by another file"));
        }
        match metadata.len() {
            found if found == length || (found > length && !is_exact) => Ok(()),
            found if found < length => {
                Err(lost(&format!("was cut from {length} to {found} bytes by another program")))
            }
            found => Err(format!(
                "the journal {} was written to by another program during the run ({found} bytes, \
                 {length} are of this process)",
                path.display()
            )),
        }
    }
}

#[cfg(unix)]
fn device_and_inode(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}
