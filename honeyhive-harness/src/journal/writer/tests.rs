use std::fs::{self, OpenOptions};

use super::*;
use crate::journal::{CaseRecord, EndRecord, read_invocation};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("honeyhive-writer-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(root: &Path) -> Writer {
    let (writer, first) = create(root, None, InvocationRecord::default(), None).unwrap();
    writer.commit_blocking(first).unwrap();
    writer
}

fn entry(record: &Record) -> Entry {
    let mut entry = Entry::default();
    entry.push(record);
    entry
}

fn case() -> Entry {
    entry(&Record::Case(CaseRecord::default()))
}

#[test]
fn nothing_is_written_after_the_end() {
    let scratch = Scratch::new("end");
    let writer = open(&scratch.0);
    writer.commit_blocking(case()).unwrap();
    writer.commit_blocking(entry(&Record::End(EndRecord::default()))).unwrap();
    assert!(writer.commit_blocking(case()).is_err());
    assert!(writer.commit_blocking(entry(&Record::Unknown)).is_err());
    assert_eq!((writer.late(), writer.failure()), (1, None));
    let journal = read_invocation(writer.path().parent().unwrap()).unwrap();
    assert!(matches!(journal.records[..], [_, Record::Case(_), Record::End(_)]));
    assert_eq!(writer.verify(), Ok(()));
}

/// Changes the file with `touch`, and returns the error of the next commit.
fn after(name: &str, touch: fn(&Path)) -> String {
    let scratch = Scratch::new(name);
    let writer = open(&scratch.0);
    writer.commit_blocking(case()).unwrap();
    touch(writer.path());
    let verified = writer.verify();
    let text = writer.commit_blocking(case()).unwrap_err();
    assert_eq!(Some(text.as_ref()), writer.failure());
    // A longer file is accepted while the journal's thread may be writing.
    let grown = text.contains("was written to by another program");
    assert_eq!(verified.err(), (!grown).then(|| text.clone()));
    text.to_string()
}

#[test]
fn a_file_that_vanishes_shrinks_or_grows_is_noticed() {
    let removed = after("removed", |path| fs::remove_file(path).unwrap());
    assert!(removed.contains("was removed during the run"), "{removed}");
    let directory = |path: &Path| fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert!(after("directory", directory).contains("was removed during the run"));
    let cut = after("cut", |path| {
        OpenOptions::new().write(true).open(path).unwrap().set_len(10).unwrap();
    });
    assert!(cut.contains("to 10 bytes by another program"), "{cut}");
    let grown = after("grown", |path| {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"x").unwrap();
    });
    assert!(grown.contains("was written to by another program"), "{grown}");
}

#[cfg(unix)]
#[test]
fn another_file_in_its_place_is_noticed() {
    let replaced = after("replaced", |path| {
        let copy = path.with_extension("copy");
        fs::copy(path, &copy).unwrap();
        fs::rename(copy, path).unwrap();
    });
    assert!(replaced.contains("was replaced by another file"), "{replaced}");
}

#[cfg(unix)]
#[test]
fn journals_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("private");
    let writer = open(&scratch.0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = writer.path().parent().unwrap();
    assert_eq!((mode(writer.path()), mode(directory), mode(&scratch.0)), (0o600, 0o700, 0o700));
}
