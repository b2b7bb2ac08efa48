//! Reports as files: `<invocation>/report/`, beside the journal.
//!
//! They are written after a run from what is in the journal, all that is there: where several
//! processes share an invocation, each writes them anew. A file is written beside its place and
//! moved there, so nobody ever sees half of one. A report that cannot be written is a note, and
//! never fails a run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::document::{Against, Document};
use super::{annotations, html, junit, markdown, results};
use crate::baseline::Snapshot;
use crate::config::{Format, GitHub, Reports};
use crate::files;
use crate::gate::input::Baseline;
use crate::gate::{checked, snapshot};
use crate::journal::{ExperimentResults, Keep, Results};
use crate::text::{count, megabytes};

/// Beyond this many cases, a run writes no reports unless `HH_REPORT` names some: they take more
/// than a second per 10,000 cases where nothing is optimised, as is usual in tests.
const MOST_CASES: usize = 20_000;

/// Likewise, beyond this size of the journal, which is read back into memory.
const MOST_BYTES: u64 = 128 << 20;

/// Where the reports of an invocation are.
pub(crate) fn directory(invocation: &Path) -> PathBuf {
    invocation.join("report")
}

/// What is to be written after a run.
#[derive(Clone, Debug)]
pub(crate) struct AfterRun {
    pub(crate) reports: Reports,
    /// The directory of the package under test.
    pub(crate) package: PathBuf,
    /// The test target that ran, as `package/target`.
    pub(crate) target: String,
    /// Its experiments.
    pub(crate) experiments: Vec<String>,
    /// How many cases they have.
    pub(crate) cases: usize,
}

/// What was written after a run.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The report for people, or the first of those that were asked for.
    pub(crate) path: Option<PathBuf>,
    /// Lines for GitHub Actions.
    pub(crate) annotations: String,
    /// What went wrong, or was left out.
    pub(crate) notes: Vec<String>,
}

impl AfterRun {
    /// Writes the reports of an invocation.
    pub(crate) fn write(&self, invocation: &Path) -> Written {
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
        // Whatever is wrong with a report, the run was good or bad without it.
        let done =
            catch_unwind(AssertUnwindSafe(|| self.write_into(&mut written, invocation, formats)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => written.notes.push(format!("no reports: {error}")),
            Err(_) => written.notes.push("no reports: writing them panicked".to_owned()),
        }
        written
    }

    /// What makes reports take long.
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
        invocation: &Path,
        formats: &[Format],
    ) -> Result<(), String> {
        let loaded = Loaded::read(invocation)?;
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
        Ok(())
    }
}

/// Adds to the page of the job. Steps share the file, so it is never replaced.
fn step_summary(github: &GitHub, text: &str) -> Result<(), String> {
    let Some(path) = &github.step_summary else { return Ok(()) };
    let add = || {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{text}\n").as_bytes())
    };
    add().map_err(|error| format!("GITHUB_STEP_SUMMARY: {}: {error}", path.display()))
}

/// The size of an invocation's journal files.
fn size(invocation: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(invocation) else { return 0 };
    let files = entries.filter_map(Result::ok).filter_map(|entry| entry.metadata().ok());
    files.filter(fs::Metadata::is_file).map(|metadata| metadata.len()).sum()
}

/// An invocation and what it is compared with, read from their files.
#[derive(Debug)]
pub(crate) struct Loaded {
    results: Results,
    /// Per experiment.
    before: Vec<Option<Before>>,
    /// The run that it is compared with, where that is no baseline.
    other: Option<Results>,
}

/// What an experiment came to before, and what it came to now, ready to be compared.
#[derive(Debug)]
struct Before {
    label: String,
    then: Snapshot,
    now: Snapshot,
    /// The experiment in the other run.
    other: Option<usize>,
}

impl Loaded {
    /// Reads an invocation, and the baselines of its experiments where there are any.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn read(invocation: &Path) -> Result<Self, String> {
        let results = results_of(invocation)?;
        let name = results.processes.first().map_or("", |process| process.invocation.as_str());
        let accepted = |experiment: &ExperimentResults| {
            let record = &experiment.record;
            let baseline = Baseline::read(Path::new(&record.baseline), &record.experiment).ok()?;
            let (label, then, other) = (baseline.words(), baseline.snapshot, None);
            // A run that was accepted is not compared with itself.
            (then.invocation != name).then(|| Before {
                label,
                then,
                now: snapshot::recorded(experiment),
                other,
            })
        };
        let before = results.experiments.iter().map(accepted).collect();
        Ok(Self { results, before, other: None })
    }

    /// Reads an invocation, and another one that it is compared with.
    ///
    /// # Errors
    /// When a journal cannot be read.
    #[cfg(feature = "cli")]
    pub(crate) fn read_against(invocation: &Path, other: &Path) -> Result<Self, String> {
        let (results, earlier) = (results_of(invocation)?, results_of(other)?);
        let name = other.file_name().unwrap_or_default().to_string_lossy();
        let of = |experiment: &ExperimentResults| {
            let mut all = earlier.experiments.iter();
            let other =
                all.position(|one| one.record.experiment == experiment.record.experiment)?;
            let mut then = snapshot::recorded(&earlier.experiments[other]);
            then.accepted_at.clone_from(&earlier.processes.first()?.started_at);
            then.commit = earlier.git.as_ref().and_then(|git| git.commit_hash.clone());
            let (label, now) = (format!("the run {name}"), snapshot::recorded(experiment));
            Some(Before { label, then, now, other: Some(other) })
        };
        let before = results.experiments.iter().map(of).collect();
        Ok(Self { results, before, other: Some(earlier) })
    }

    /// What a report says of it.
    pub(crate) fn document(&self) -> Document<'_> {
        let against = self.before.iter().map(|before| {
            let Before { label, then, now, other } = before.as_ref()?;
            let results = self.other.as_ref().zip(*other);
            let results = results.and_then(|(results, at)| results.experiments.get(at));
            Some(Against { label: label.clone(), before: then, now, results })
        });
        Document::new(&self.results, &against.collect::<Vec<_>>())
    }
}

fn results_of(invocation: &Path) -> Result<Results, String> {
    checked::read_sound(invocation, Keep::Contents)
}

/// Writes a report to a stream. Traces are not in a document; they have a writer of their own.
///
/// # Errors
/// Those of `to`.
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
/// When it cannot be written; the text names the file.
pub(crate) fn write(
    document: &Document<'_>,
    format: Format,
    path: &Path,
) -> Result<PathBuf, String> {
    replace(path, |to| render(document, format, to))
}

/// Replaces a file by what `render` writes.
///
/// # Errors
/// When it cannot be written; the text names the file.
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
        // It is in the way only where it could be written at all.
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
        let written = after_run(MOST_CASES + 1, None).write(&directory);
        let note = "no reports, since 20,001 cases would take a while: `cargo honeyhive report` \
                    writes them, and HH_REPORT=md,junit after each run";
        assert_eq!(written.notes, [note]);
        // Asked for, it is tried; there is no journal here.
        let written = after_run(MOST_CASES + 1, Some(vec![Format::Md])).write(&directory);
        assert!(written.notes[0].starts_with("no reports: no journal in "), "{written:?}");
        assert_eq!(after_run(1, Some(Vec::new())).write(&directory).notes, [""; 0]);
        // A file of this size takes no room on the disk.
        let journal = File::create(directory.join("a.jsonl")).expect("a file");
        journal.set_len(MOST_BYTES + 1).expect("a large file");
        let written = after_run(1, None).write(&directory);
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
