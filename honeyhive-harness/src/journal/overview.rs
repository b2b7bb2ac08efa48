//! What an invocation came to, in a few numbers.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::order;
use super::reader::{Keep, files, read_results};
use super::results::{ExperimentResults, Results, target};
use super::schema::{CaseRecord, CaseState};
use super::verdict::{StoppedRecord, Verdict};
use crate::files;

/// Whether an invocation ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// Every process said that it ended.
    Complete,
    /// Ctrl-C, or a request to end.
    Interrupted,
    /// A process did not say that it ended: it was killed, or still runs.
    NoEnd,
    /// The journal cannot be read.
    Unreadable,
}

/// How many cases ended in which state, as far as they are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) error: usize,
    pub(crate) unscored: usize,
    pub(crate) skipped: usize,
    /// Those of `fail` whose gate decides: their own tests passed.
    #[serde(skip)]
    pub(crate) misses: usize,
}

/// An experiment of an invocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ExperimentOverview {
    pub(crate) name: String,
    /// `package/target`.
    pub(crate) target: String,
    /// One, unless several processes ran it.
    pub(crate) run_ids: Vec<String>,
    pub(crate) cases: Counts,
    /// How many rows the dataset has.
    pub(crate) rows: usize,
    /// How many of them were selected.
    pub(crate) selected: usize,
    /// What its evaluators said.
    pub(crate) scores: Vec<ScoreOverview>,
    /// `None` without a gate, or where it was not asked.
    pub(crate) gate: Option<Verdict>,
    /// Why its gate did not judge: `sample`, or `partial` where only some cases were selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_judged: Option<&'static str>,
    /// The cases that ran, where its gate was decided before the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<StoppedRecord>,
}

/// What an evaluator said of all cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ScoreOverview {
    pub(crate) evaluator: String,
    /// The mean over the cases that have a score.
    pub(crate) mean: f64,
    /// How many those are.
    pub(crate) n: usize,
    /// Its scores decide cases.
    pub(crate) judges: bool,
}

/// An invocation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Overview {
    /// The name of its directory.
    pub(crate) invocation: String,
    pub(crate) directory: PathBuf,
    /// RFC 3339; empty when no file says it.
    pub(crate) started_at: String,
    /// `package/target`.
    pub(crate) targets: Vec<String>,
    pub(crate) experiments: Vec<ExperimentOverview>,
    pub(crate) ending: Ending,
    /// Files whose last line was torn by a crash.
    pub(crate) torn: Vec<PathBuf>,
    /// The size of its files.
    pub(crate) bytes: u64,
    /// Why it cannot be read.
    pub(crate) error: Option<String>,
}

/// What the evaluators of an experiment come to.
pub(crate) type Scores<'a> = &'a dyn Fn(&ExperimentResults) -> Vec<ScoreOverview>;

/// A run, as the first lines of its files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunHead {
    pub(crate) directory: PathBuf,
    /// When its first process started, RFC 3339; empty where no file says it.
    pub(crate) started_at: String,
    /// The packages that it tested, each with the directory of its manifest, where that is known.
    pub(crate) packages: Vec<(String, String)>,
}

/// The runs below `root`, the newest first. `root` may be one itself.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn runs(root: &Path) -> io::Result<Vec<RunHead>> {
    let mut found = Vec::new();
    // A `.jsonl` of something else, such as a dataset, does not make the directory a run.
    if is_run(root)? {
        found.push(head(root));
    }
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
            found.push(head(&entry.path()));
        }
    }
    Ok(order::sort(root, found, &|run| &run.directory, &|run| &run.started_at))
}

/// The directories of the runs below `root`, the newest first. `root` may be one itself.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn invocations(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(runs(root)?.into_iter().map(|run| run.directory).collect())
}

/// What the first line of a journal file says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct First {
    #[serde(rename = "type")]
    kind: String,
    started_at: String,
    package: String,
    package_dir: String,
}

impl First {
    /// Reads the first line of a file; `None` where it is not the line of a journal.
    fn read(path: &Path) -> Option<Self> {
        /// No first line of a journal is longer.
        const LONGEST: u64 = 1 << 20;
        let mut line = Vec::new();
        let file = files::open_regular(path).ok()?;
        BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut line).ok()?;
        serde_json::from_slice(&line).ok().filter(|first: &Self| first.kind == "invocation")
    }
}

/// Returns whether a directory holds the journal of a run. One with the name of a run counts where
/// its files are damaged or empty, too.
fn is_run(directory: &Path) -> io::Result<bool> {
    let files = files(directory)?;
    let named = || directory.file_name().is_some_and(|name| is_run_name(&name.to_string_lossy()));
    Ok(files.iter().any(|file| First::read(file).is_some()) || (!files.is_empty() && named()))
}

/// Returns whether a name is one that runs have, such as `20261129T101500-a1b2c3`.
fn is_run_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() == 22
        && (digits(0..8) && bytes[8] == b'T' && digits(9..15) && bytes[15] == b'-')
        && bytes[16..].iter().all(u8::is_ascii_alphanumeric)
}

/// Reads the first lines of a run.
fn head(directory: &Path) -> RunHead {
    let mut run = RunHead { directory: directory.to_owned(), ..RunHead::default() };
    let files = files(directory).unwrap_or_default();
    for first in files.iter().filter_map(|file| First::read(file)) {
        let earlier = run.started_at.is_empty() || first.started_at < run.started_at;
        if earlier && !first.started_at.is_empty() {
            run.started_at = first.started_at;
        }
        let package = (first.package, first.package_dir);
        if !run.packages.contains(&package) {
            run.packages.push(package);
        }
    }
    run
}

impl Overview {
    /// Reads an invocation's directory. One that cannot be read says why. `scores` says what the
    /// evaluators of an experiment come to.
    pub(crate) fn new(directory: &Path, scores: Scores<'_>) -> Self {
        let sizes = files(directory).unwrap_or_default().into_iter().filter_map(|file| {
            let metadata = fs::metadata(file).ok()?;
            Some(metadata.len())
        });
        let name = directory.file_name().unwrap_or(directory.as_os_str());
        let mut overview = Self {
            invocation: name.to_string_lossy().into_owned(),
            directory: directory.to_owned(),
            started_at: head(directory).started_at,
            targets: Vec::new(),
            experiments: Vec::new(),
            ending: Ending::Unreadable,
            torn: Vec::new(),
            bytes: sizes.sum(),
            error: None,
        };
        match read_results(directory, Keep::Scores) {
            Ok(results) => {
                overview.torn.clone_from(&results.torn);
                match &results.damage[..] {
                    [] => overview.add(results, scores),
                    [one] => overview.error = Some(format!("damaged: {one}")),
                    [one, more @ ..] => {
                        overview.error = Some(format!("damaged: {one}; and {} more", more.len()));
                    }
                }
            }
            Err(error) => overview.error = Some(error.to_string()),
        }
        overview
    }

    fn add(&mut self, results: Results, scores: Scores<'_>) {
        for experiment in results.experiments {
            let of = |state: CaseState| {
                let states = experiment.cases.iter().filter_map(|case| case.record.as_ref());
                states.filter(|record| record.state == state).count()
            };
            let records = experiment.cases.iter().filter_map(|case| case.record.as_ref());
            let missed = |record: &&CaseRecord| record.state == CaseState::Fail && record.passed;
            let misses = records.filter(missed).count();
            self.experiments.push(ExperimentOverview {
                cases: Counts {
                    pass: of(CaseState::Pass),
                    fail: of(CaseState::Fail),
                    error: of(CaseState::Error),
                    unscored: of(CaseState::Unscored),
                    skipped: of(CaseState::Skipped),
                    misses,
                },
                not_judged: not_judged(&experiment),
                rows: experiment.record.rows,
                selected: experiment.record.selected,
                scores: scores(&experiment),
                stopped: experiment.gate.as_ref().and_then(|gate| gate.stopped),
                gate: experiment.gate.map(|gate| gate.verdict),
                run_ids: experiment.run_ids,
                name: experiment.record.experiment,
                target: experiment.target,
            });
        }
        let interrupted = results.ends.iter().any(|end| end.interrupted);
        // A file without a line is that of a process that was killed before it wrote one.
        let no_end = results.processes.len() > results.ends.len()
            || results.processes.is_empty()
            || !results.without_lines.is_empty();
        self.ending = match (no_end, interrupted) {
            (true, _) => Ending::NoEnd,
            (false, true) => Ending::Interrupted,
            (false, false) => Ending::Complete,
        };
        for process in &results.processes {
            let target = target(process);
            if !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }
}

/// Why a gate did not judge that was asked.
fn not_judged(experiment: &ExperimentResults) -> Option<&'static str> {
    let gate = experiment.gate.as_ref()?;
    // A gate that judged has no reason beside its rules.
    gate.reason.as_ref()?;
    if experiment.record.sample.is_some() {
        return Some("sample");
    }
    (experiment.record.selected < experiment.record.rows).then_some("partial")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{CaseRecord, CaseState, EndRecord, GateRecord, InvocationRecord, Record};

    fn overview(records: Vec<Record>) -> Overview {
        let mut overview = Overview::new(Path::new("no/such/directory"), &|_| Vec::new());
        assert!(overview.error.is_some() && overview.ending == Ending::Unreadable);
        overview.add(Results::new(records), &|_| Vec::new());
        overview
    }

    fn process(runner_attempt: u32) -> Record {
        let target = "evals".to_owned();
        let package = "app".to_owned();
        Record::Invocation(InvocationRecord {
            package,
            target,
            runner_attempt,
            ..InvocationRecord::default()
        })
    }

    fn case(id: &str, state: CaseState) -> Record {
        let (experiment, case) = ("e".to_owned(), id.to_owned());
        Record::Case(CaseRecord { experiment, case, state, ..CaseRecord::default() })
    }

    fn gate(verdict: Verdict) -> Record {
        let experiment = "e".to_owned();
        let (rules, reason) = (Vec::new(), None);
        Record::Gate(GateRecord {
            experiment,
            verdict,
            passed: true,
            rules,
            reason,
            baseline: None,
            stopped: None,
        })
    }

    #[test]
    fn the_last_attempt_of_the_runner_counts_whatever_the_order_of_files() {
        let overview = overview(vec![
            process(2),
            case("a", CaseState::Pass),
            gate(Verdict::Pass),
            Record::End(EndRecord::default()),
            process(1),
            case("a", CaseState::Error),
            case("b", CaseState::Fail),
            gate(Verdict::Fail),
            Record::End(EndRecord::default()),
        ]);
        assert_eq!(overview.targets, ["app/evals"]);
        let [experiment] = &overview.experiments[..] else { panic!("{overview:?}") };
        assert_eq!(experiment.cases, Counts { pass: 1, fail: 1, ..Counts::default() });
        assert_eq!(experiment.gate, Some(Verdict::Pass));
        assert_eq!(overview.ending, Ending::Complete);
    }

    #[test]
    fn a_process_without_an_end_is_seen() {
        let end = |interrupted| Record::End(EndRecord { interrupted, ..EndRecord::default() });
        assert_eq!(overview(vec![process(1), end(true)]).ending, Ending::Interrupted);
        assert_eq!(overview(vec![process(1), end(true), process(1)]).ending, Ending::NoEnd);
    }
    #[test]
    fn a_journal_without_a_line_has_no_end() {
        assert_eq!(overview(Vec::new()).ending, Ending::NoEnd);
        let mut one = Results::new(vec![process(1), Record::End(EndRecord::default())]);
        one.without_lines.push("b.jsonl".into());
        let mut overview = overview(Vec::new());
        overview.add(one, &|_| Vec::new());
        assert_eq!(overview.ending, Ending::NoEnd);
    }

    #[test]
    fn a_foreign_file_in_the_directory_of_runs_hides_no_run() {
        let root = std::env::temp_dir().join(format!("honeyhive-runs-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let journal = r#"{"type":"invocation","started_at":"2026-11-29T10:15:00Z"}"#;
        let found = |root: &Path| -> Vec<PathBuf> { invocations(root).unwrap() };
        write("zzz.jsonl", "");
        write("rows.jsonl", "{\"id\":\"a\",\"q\":1}\n");
        assert_eq!(found(&root), Vec::<PathBuf>::new());
        write("one/evals.jsonl", journal);
        assert_eq!(found(&root), [root.join("one")]);
        // A run that is named itself, whatever its files are.
        assert_eq!(found(&root.join("one")), [root.join("one")]);
        write("20261129T101500-a1b2c3/evals.jsonl", "");
        let damaged = root.join("20261129T101500-a1b2c3");
        assert_eq!(found(&damaged), std::slice::from_ref(&damaged));
        assert_eq!(found(&root).len(), 2);
        fs::remove_dir_all(root).unwrap();
    }
}
