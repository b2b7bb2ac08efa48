//! Writes reports as files in `<invocation>/report/`, beside the journal.
//!
//! They are written after a run from the records of its invocation: those of this process are still in
//! memory, those of others are read from their files. Where several processes share an invocation, each
//! writes the reports anew. A file is written beside its place and moved there, so that readers never see
//! half a file. A report that cannot be written causes a note and does not fail a run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::{annotations, html, junit, markdown, results};
use crate::config::{Format, GitHub, Reports};
use crate::files;
use crate::journal::Own;
use crate::outcome::{Document, DocumentSource};
use crate::text::{count, megabytes};

/// The number of cases beyond which a run writes no reports unless `HH_REPORT` names some: they take
/// more than a second per 10,000 cases where nothing is optimised, as is usual in tests.
const MOST_CASES: usize = 20_000;

/// The size of the journal, whose records are in memory, beyond which a run writes no reports either.
const MOST_BYTES: u64 = 128 << 20;

/// Returns the directory of the reports of an invocation.
pub(crate) fn directory(invocation: &Path) -> PathBuf {
    invocation.join("report")
}

/// The facts about a run that its reports are written from, beside its records.
#[derive(Clone, Debug)]
pub(crate) struct AfterRun {
    pub(crate) reports: Reports,
    /// The directory of the package under test.
    pub(crate) package: PathBuf,
    /// The test target that ran, as `package/target`.
    pub(crate) target: String,
    /// The names of its experiments.
    pub(crate) experiments: Vec<String>,
    /// The number of their cases.
    pub(crate) cases: usize,
}

/// The reports that were written after a run.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The path of the report for people, or of the first of those that were asked for.
    pub(crate) path: Option<PathBuf>,
    /// The lines for GitHub Actions.
    pub(crate) annotations: String,
    /// The notes about reports that failed or were left out.
    pub(crate) notes: Vec<String>,
}

/// Returns the size of its journal file up to which a process keeps its records for reports; `None` where
/// it writes none.
pub(crate) fn most_kept(reports: &Reports, cases: usize) -> Option<u64> {
    match &reports.chosen {
        Some(chosen) => (!chosen.is_empty()).then_some(u64::MAX),
        None => (cases <= MOST_CASES).then_some(MOST_BYTES),
    }
}

impl AfterRun {
    /// Writes the reports of an invocation. `own` has the records of this process; without them, its file
    /// is read like those of the others.
    pub(crate) fn write(&self, invocation: &Path, own: Option<Own>) -> Written {
        let mut written = Written::default();
        let formats: &[Format] = match &self.reports.chosen {
            Some(chosen) => chosen,
            None => &Format::AFTER_RUN,
        };
        if formats.is_empty() {
            return written;
        }
        if self.reports.chosen.is_none()
            && let Some(much) = self.too_much(invocation)
        {
            written.notes.push(format!(
                "no reports, since {much} would take a while: `cargo honeyhive report` writes \
                 them, and HH_REPORT=md,junit after each run"
            ));
            return written;
        }
        // A panic in a renderer must not change the result of the run.
        let done = catch_unwind(AssertUnwindSafe(|| {
            let loaded = match own {
                Some(own) => DocumentSource::with_others(invocation, own),
                None => DocumentSource::read(invocation),
            };
            self.write_into(&mut written, &loaded?, invocation, formats);
            Ok(())
        }));
        match done {
            Ok(Ok(())) => {}
            Ok(Err::<(), String>(error)) => written.notes.push(format!("no reports: {error}")),
            Err(_) => written.notes.push("no reports: writing them panicked".to_owned()),
        }
        written
    }

    /// Returns the words for what is too large for reports by default: the cases or the journal.
    fn too_much(&self, invocation: &Path) -> Option<String> {
        if self.cases > MOST_CASES {
            return Some(count(self.cases, "case"));
        }
        let bytes = size(invocation);
        (bytes > MOST_BYTES).then(|| format!("a journal of {}", megabytes(bytes)))
    }

    fn write_into(
        &self,
        written: &mut Written,
        loaded: &DocumentSource,
        invocation: &Path,
        formats: &[Format],
    ) {
        let document = loaded.document();
        let to = |format: &Format| directory(invocation).join(format.file());
        // The first, which is the page as a rule, takes as long as all others.
        let done: Vec<Result<PathBuf, String>> = std::thread::scope(|scope| {
            let write = |format: &Format| write(&document, *format, &to(format));
            let Some((first, others)) = formats.split_first() else { return Vec::new() };
            let first = scope.spawn(move || write(first));
            let others: Vec<_> = others.iter().map(write).collect();
            let panicked = || Err("a report panicked".to_owned());
            std::iter::once(first.join().unwrap_or_else(|_| panicked())).chain(others).collect()
        });
        for done in done {
            match done {
                Ok(path) => {
                    written.path.get_or_insert(path);
                }
                Err(error) => written.notes.push(error),
            }
        }
        if let Some(github) = &self.reports.github {
            let own = document.only(&|one| {
                one.target == self.target && self.experiments.iter().any(|name| name == one.name)
            });
            written.annotations = annotations::render(&own, &self.package, &github.workspace);
            written.notes.extend(step_summary(github, &markdown::render(&own)).err());
        }
    }
}

/// Appends a text to the summary of the job. Steps share the file, so it is never replaced.
fn step_summary(github: &GitHub, text: &str) -> Result<(), String> {
    let Some(path) = &github.step_summary else { return Ok(()) };
    let add = || {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{text}\n").as_bytes())
    };
    add().map_err(|error| format!("GITHUB_STEP_SUMMARY: {}: {error}", path.display()))
}

/// Returns the size of an invocation's journal files.
fn size(invocation: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(invocation) else { return 0 };
    let files = entries.filter_map(Result::ok).filter_map(|entry| entry.metadata().ok());
    files.filter(fs::Metadata::is_file).map(|metadata| metadata.len()).sum()
}

/// Writes a report to a stream. Traces are not in a document; another writer writes them.
///
/// # Errors
/// Returns the errors of `to`.
pub(crate) fn render(
    document: &Document<'_>,
    format: Format,
    to: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Html => to.write_all(&html::render(document)),
        Format::Md => to.write_all(markdown::render(document).as_bytes()),
        Format::Junit => junit::write(document, to),
        Format::Json => results::write(document, to),
        #[cfg(feature = "cli")]
        Format::Otlp => Ok(()),
    }
}

/// Writes a report to its file, as a whole or not at all.
///
/// # Errors
/// Returns an error that names the file when it cannot be written.
pub(crate) fn write(
    document: &Document<'_>,
    format: Format,
    path: &Path,
) -> Result<PathBuf, String> {
    replace(path, |to| render(document, format, to))
}

/// Replaces a file by the text that `render` writes.
///
/// # Errors
/// Returns an error that names the file when it cannot be written.
pub(crate) fn replace(
    path: &Path,
    render: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<PathBuf, String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Beside the file, so that moving it stays within the file system.
    let unfinished = parent.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        files::private_dir_all(parent)?;
        // Reports quote inputs and outputs, so they are for their owner only.
        let opened = files::private().write(true).create(true).truncate(true).open(&unfinished)?;
        let mut file = BufWriter::new(opened);
        render(&mut file)?;
        file.flush()?;
        drop(file);
        fs::rename(&unfinished, path)
    })();
    written.map(|()| path.to_owned()).map_err(|error| {
        // The unfinished file may not exist.
        let _ = fs::remove_file(&unfinished);
        format!("{} cannot be written: {error}", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_run(cases: usize, chosen: Option<Vec<Format>>) -> AfterRun {
        AfterRun {
            reports: Reports { chosen, github: None },
            package: PathBuf::new(),
            target: "app/evals".to_owned(),
            experiments: Vec::new(),
            cases,
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let directory =
            std::env::temp_dir().join(format!("honeyhive-files-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    #[test]
    fn a_large_run_has_reports_where_somebody_asks_for_them() {
        let directory = scratch("large");
        let written = after_run(MOST_CASES + 1, None).write(&directory, None);
        let note = "no reports, since 20,001 cases would take a while: `cargo honeyhive report` \
                    writes them, and HH_REPORT=md,junit after each run";
        assert_eq!(written.notes, [note]);
        // A report that is asked for is tried whatever the size; there is no journal here.
        let written = after_run(MOST_CASES + 1, Some(vec![Format::Md])).write(&directory, None);
        assert!(written.notes[0].starts_with("no reports: no journal in "), "{written:?}");
        assert_eq!(after_run(1, Some(Vec::new())).write(&directory, None).notes, [""; 0]);
        // A file of this size takes no room on the disk.
        let journal = File::create(directory.join("a.jsonl")).expect("a file");
        journal.set_len(MOST_BYTES + 1).expect("a large file");
        let written = after_run(1, None).write(&directory, None);
        assert!(written.notes[0].contains("a journal of 134.2 MB"), "{written:?}");
        fs::remove_dir_all(directory).expect("it is ours");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let directory = scratch("replaced");
        let path = directory.join("report/summary.md");
        replace(&path, |to| to.write_all(b"first")).expect("written");
        let failed = replace(&path, |to| {
            to.write_all(b"second")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.expect_err("no room").ends_with("cannot be written: the disk is full"));
        assert_eq!(fs::read_to_string(&path).expect("the file"), "first");
        assert_eq!(fs::read_dir(directory.join("report")).expect("a directory").count(), 1);
        fs::remove_dir_all(directory).expect("it is ours");
    }
}
