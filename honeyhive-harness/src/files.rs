//! Reads files whole or line by line, and writes files for their owner only.
//!
//! A path that another program may have made can be a FIFO, a device or a directory. Opening or reading
//! such a path may never end, so code that reads a file whose name it found in a directory, or was given
//! by a user, opens it here.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// Returns an error when there is no such file, or it is not a regular file; the text says what it is.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // The path is checked before it is opened, since opening a FIFO waits for a writer.
    regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Another file may have replaced it meanwhile.
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file, up to the length that it had when it was opened, so that a file that keeps
/// growing has an end.
///
/// # Errors
/// Returns the errors of [`open_regular`], and when it cannot be read.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file that has an end: opening a FIFO waits for a writer, and a device may be endless. For a
/// directory, the error is that of the system.
///
/// # Errors
/// Returns an error when it is of another kind or cannot be read.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        regular(&metadata)?;
    }
    fs::read(path)
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::other(format!("it is {}, not a regular file", kind(metadata))))
}

fn kind(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() {
        return "a directory";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a FIFO (named pipe)";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

/// Returns options that create a file which only its owner can read and write. Systems other than Unix
/// have no such permissions.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Writes a file for its owner only.
///
/// # Errors
/// Returns an error when it cannot be written.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().write(true).create(true).truncate(true).open(path)?;
    io::Write::write_all(&mut file, bytes)
}

/// Creates a directory, and those above it, for their owner only. Existing ones stay as they are.
///
/// # Errors
/// Returns an error when it cannot be created.
pub(crate) fn private_dir_all(path: &Path) -> io::Result<()> {
    directories().recursive(true).create(path)
}

/// Creates one directory for its owner only. Returns `false` when it exists already.
///
/// # Errors
/// Returns an error when it cannot be created.
pub(crate) fn private_dir(path: &Path) -> io::Result<bool> {
    match directories().create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

fn directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
}

/// Writes the entries of a directory to disk, so that a file made in it is found after a power failure.
pub(crate) fn sync_directory(path: &Path) {
    // Windows cannot open a directory like a file, and some file systems cannot sync one.
    if let Ok(directory) = File::open(path) {
        let _ = directory.sync_all();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let path =
            std::env::temp_dir().join(format!("honeyhive-file-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    #[test]
    fn what_is_not_a_regular_file_is_not_read() {
        let directory = scratch("kinds");
        let error = |path: &Path| read_regular(path).unwrap_err().to_string();
        assert!(error(&directory).starts_with("it is a directory, not a regular file"));
        assert_eq!(read(Path::new("/no/such/file")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(
            read(Path::new("/dev/zero")).unwrap_err().to_string(),
            "it is a device, not a regular file"
        );
        assert!(error(Path::new("/dev/zero")).starts_with("it is a device"));
        let link = directory.join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert!(error(&link).starts_with("it is a device"));
        let fifo = directory.join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        assert!(error(&fifo).starts_with("it is a FIFO"));
        fs::write(directory.join("file"), "text").unwrap();
        assert_eq!(read_regular(&directory.join("file")).unwrap(), b"text");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_is_made_here_is_for_its_owner_only() {
        let directory = scratch("private");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let below = directory.join("a/b");
        private_dir_all(&below).unwrap();
        assert_eq!((mode(&directory.join("a")), mode(&below)), (0o700, 0o700));
        assert!(private_dir(&below.join("c")).unwrap() && !private_dir(&below.join("c")).unwrap());
        assert_eq!(mode(&below.join("c")), 0o700);
        write_private(&below.join("file"), b"text").unwrap();
        assert_eq!(mode(&below.join("file")), 0o600);
        fs::remove_dir_all(directory).unwrap();
    }
}
