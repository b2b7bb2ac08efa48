//! Reading files that users name.

use std::fs::{self, FileType};
use std::io;
use std::path::Path;

/// Reads a file that has an end: opening a FIFO waits for a writer, and a device may be endless.
///
/// # Errors
/// When it is of another kind or cannot be read.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if let Some(kind) = special(fs::metadata(path)?.file_type()) {
        return Err(io::Error::other(format!("it is {kind}, not a regular file")));
    }
    fs::read(path)
}

/// The kind of a file that is neither regular nor a directory.
fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_file() || kind.is_dir() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some("a FIFO (named pipe)");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is a device, not a regular file");
        let path = std::env::temp_dir().join(format!("honeyhive-fifo-{}", std::process::id()));
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        let error = read(&path).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert_eq!(error.to_string(), "it is a FIFO (named pipe), not a regular file");
        assert_eq!(read(Path::new("/no/such/file")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
