//! Holds the result of a `cargo test`: its exit code, its output and its journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use honeyhive_harness::SpanRecord;
use honeyhive_harness::journal::{
    AttemptRecord, CaseRecord, EndRecord, ExperimentRecord, GateRecord, Journal, Record,
    read_invocation,
};
use tempfile::TempDir;

use crate::normalize::{normalize, without_cargo};

/// The exit code, the output and the journal of a run.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` when a signal ended the process.
    pub code: Option<i32>,
    /// The text on standard output.
    pub stdout: String,
    /// The text on standard error, without the lines of cargo.
    pub stderr: String,
    /// The text on standard error, with the lines of cargo.
    pub cargo_stderr: String,
    project: PathBuf,
    scratch: TempDir,
}

impl Run {
    pub(crate) fn new(
        status: ExitStatus,
        stdout: &[u8],
        stderr: &[u8],
        project: PathBuf,
        scratch: TempDir,
    ) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let cargo_stderr = text(stderr);
        Self {
            code: status.code(),
            stdout: text(stdout),
            stderr: without_cargo(&cargo_stderr),
            cargo_stderr,
            project,
            scratch,
        }
    }

    /// Returns the whole output, with placeholders for the parts that differ from run to run. Cases
    /// are reported as they end, so their lines are sorted.
    pub fn output(&self) -> String {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let mut lines: Vec<&str> = self.stdout.lines().collect();
        for tests in lines.chunk_by_mut(|a, b| a.starts_with("test ") == b.starts_with("test ")) {
            if tests[0].starts_with("test ") {
                tests.sort_unstable();
            }
        }
        let mut text = format!("exit code {code}\n--- stdout\n");
        for line in lines {
            // The number of other tests in the project is not tested.
            match line.split_once(" measured; ").zip(line.split_once(" filtered out")) {
                Some(((counts, _), (_, time))) => text.extend([counts, " measured", time, "\n"]),
                None => text.extend([line, "\n"]),
            }
        }
        if !self.stderr.is_empty() {
            let _ = write!(text, "--- stderr\n{}", self.stderr);
        }
        self.normalize(&text)
    }

    /// Returns the text with placeholders for the parts that differ from run to run.
    pub fn normalize(&self, text: &str) -> String {
        normalize(text, &self.project, self.scratch.path())
    }

    /// Returns the exit code, and for every test its printed outcome and its reasons.
    ///
    /// Only the part that libtest prints in one line is read from stdout; the reasons of a case are
    /// those of the journal, those of a gate are what it printed.
    pub fn report(&self) -> String {
        let mut text = match self.code {
            Some(code) => format!("exit code {code}\n"),
            None => "ended by a signal\n".to_owned(),
        };
        let cases = if self.invocations().is_empty() { Vec::new() } else { self.cases() };
        let tests = self.tests();
        let width = tests.keys().map(String::len).max().unwrap_or(0);
        for (name, outcome) in &tests {
            let _ = write!(text, "{name:width$}  {outcome}");
            let failure = self.failure(name);
            let mut reasons: Vec<&str> = failure.lines().collect();
            if let Some(case) = cases.iter().find(|case| case.test == *name) {
                assert_eq!(case.passed, outcome == "ok", "the journal tells {name} as it was told");
                let state = serde_json::to_value(case.state).expect("a state is a word");
                let _ = write!(text, "  {}", state.as_str().unwrap_or_default());
                reasons = case.reasons.iter().map(String::as_str).collect();
            }
            text.push('\n');
            for reason in reasons {
                let _ = writeln!(text, "    {reason}");
            }
        }
        self.normalize(&text)
    }

    /// Returns the printed outcome of each test: `ok`, `FAILED`, `ignored, <reason>`.
    pub fn tests(&self) -> BTreeMap<String, String> {
        self.test_lines()
            .into_iter()
            .map(|(name, outcome)| (name.to_owned(), outcome.to_owned()))
            .collect()
    }

    /// Returns the tests with their outcomes, in the order in which they were reported.
    pub fn test_lines(&self) -> Vec<(&str, &str)> {
        self.stdout
            .split_inclusive('\n')
            .filter_map(|line| {
                // A line that was cut off by a kill has no outcome.
                let (name, outcome) =
                    line.strip_suffix('\n')?.strip_prefix("test ")?.split_once(" ... ")?;
                Some((name.trim_end(), outcome))
            })
            .collect()
    }

    /// Returns the text that was printed about a failed test.
    pub fn failure(&self, test: &str) -> String {
        let heading = format!("---- {test} ----\n");
        let Some((_, rest)) = self.stdout.split_once(&heading) else { return String::new() };
        rest.split("\n\n").next().unwrap_or_default().to_owned()
    }

    /// Returns the scratch directory of the run.
    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    /// Returns the lines that experiments noted in a file of the scratch directory.
    pub fn notes(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.scratch.path().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the directories of the invocations that wrote a journal.
    pub fn invocations(&self) -> Vec<PathBuf> {
        directories(&self.scratch.path().join("journal"))
    }

    /// Returns the journal, which must be the only one.
    pub fn journal(&self) -> Journal {
        let invocations = self.invocations();
        let [directory] = &invocations[..] else {
            panic!("one invocation was expected, not {invocations:?}:\n{}", self.output());
        };
        read_invocation(directory).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns all files that the run wrote in its invocations: journals, marks, reports.
    pub fn written(&self) -> Vec<PathBuf> {
        let mut open = self.invocations();
        let mut files = Vec::new();
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("a readable directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { open.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }

    /// Returns the text of a report that the run wrote, by its file name.
    pub fn report_file(&self, name: &str) -> String {
        let invocations = self.invocations();
        let [directory] = &invocations[..] else {
            panic!("one invocation was expected, not {invocations:?}:\n{}", self.output());
        };
        let path = directory.join("report").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn records<T>(&self, pick: impl Fn(Record) -> Option<T>) -> Vec<T> {
        self.journal().records.into_iter().filter_map(pick).collect()
    }

    /// Returns the experiments of the journal.
    pub fn experiments(&self) -> Vec<ExperimentRecord> {
        self.records(|record| match record {
            Record::Experiment(experiment) => Some(*experiment),
            _ => None,
        })
    }

    /// Returns the attempts of the journal, by experiment, case and number.
    pub fn attempts(&self) -> Vec<AttemptRecord> {
        let mut attempts = self.records(|record| match record {
            Record::Attempt(attempt) => Some(*attempt),
            _ => None,
        });
        attempts.sort_by_key(|a| (a.experiment.clone(), a.case.clone(), a.attempt));
        attempts
    }

    /// Returns the first attempt of a case.
    pub fn attempt(&self, case: &str) -> AttemptRecord {
        let found = self.attempts().into_iter().find(|attempt| attempt.case == case);
        found.unwrap_or_else(|| panic!("no attempt of {case}:\n{}", self.output()))
    }

    /// Returns the cases of the journal.
    pub fn cases(&self) -> Vec<CaseRecord> {
        self.records(|record| match record {
            Record::Case(case) => Some(case),
            _ => None,
        })
    }

    /// Returns the gates of the journal.
    pub fn gates(&self) -> Vec<GateRecord> {
        self.records(|record| match record {
            Record::Gate(gate) => Some(gate),
            _ => None,
        })
    }

    /// Returns the last record of the journal; `None` when the process did not end regularly.
    pub fn end(&self) -> Option<EndRecord> {
        self.records(|record| match record {
            Record::End(end) => Some(end),
            _ => None,
        })
        .pop()
    }
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable directory").path()).collect();
    let hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    found.retain(|path| path.is_dir() && !hidden(path));
    found.sort();
    found
}

/// Returns a line of a journal with the right checksum; the line may have been edited.
pub fn sealed(line: &str) -> String {
    let (body, _) = line.rsplit_once(",\"crc\":\"").expect("a checksum");
    format!("{body},\"crc\":\"{:08x}\"}}", crc32fast::hash(body.as_bytes()))
}

/// Returns the spans of an attempt as an indented list, children below their parents in the order
/// of their start.
pub fn tree(attempt: &AttemptRecord) -> String {
    fn add(text: &mut String, spans: &[SpanRecord], parent: Option<&str>, depth: usize) {
        let mut children: Vec<&SpanRecord> =
            spans.iter().filter(|span| span.parent_span_id.as_deref() == parent).collect();
        children.sort_by_key(|span| span.start_unix_ns);
        for span in children {
            let _ = writeln!(text, "{:1$}{2}", "", depth * 2, span.name);
            add(text, spans, Some(&span.span_id), depth + 1);
        }
    }
    let mut text = String::new();
    add(&mut text, &attempt.spans, None, 0);
    assert_eq!(
        text.lines().count(),
        attempt.spans.len(),
        "every span has its parent here:\n{text}"
    );
    text
}
