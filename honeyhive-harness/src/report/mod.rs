//! Renders and prints all output, apart from libtest's own lines.

#[cfg(all(test, feature = "cli"))]
mod agreement;
mod annotations;
#[cfg(feature = "cli")]
mod compared;
pub(crate) mod files;
pub(crate) mod html;
#[cfg(feature = "cli")]
mod judged;
mod junit;
mod lines;
mod markdown;
#[cfg(feature = "cli")]
mod planned;
mod results;
#[cfg(feature = "cli")]
mod reviewed;
#[cfg(feature = "cli")]
mod runs;
pub(crate) mod screen;
mod sliced;
mod summary;
mod table;
#[cfg(feature = "cli")]
mod trend;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::ColorSetting;
#[cfg(feature = "cli")]
pub(crate) use runs::Listed;
use screen::{BOLD, DIM, GREEN, RED, YELLOW, print};
pub(crate) use screen::{error, note, out, print_annotations, sent};
#[cfg(feature = "cli")]
pub(crate) use screen::{styled, usage};
#[cfg(feature = "cli")]
pub(crate) use trend::Trended;

use crate::gate::miss::Miss;
use crate::journal::{CaseRecord, CaseState, StoppedRecord};
use crate::outcome::Figures;
#[cfg(feature = "cli")]
use crate::outcome::{Experiment, Reviewed};

/// A fault because of which an experiment or one of its cases cannot run.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// The name of the test that reports it.
    pub(crate) test: String,
    pub(crate) text: String,
}

impl Fault {
    /// Returns the name of the experiment.
    pub(crate) fn experiment(&self) -> &str {
        self.test.split("::").next().unwrap_or(&self.test)
    }

    /// Returns the record of it in the journal: a case that ended in an error, named like its test, or
    /// `dataset` where the whole experiment cannot run.
    pub(crate) fn record(&self) -> CaseRecord {
        let case = self.test.split_once("::").map_or("dataset", |(_, case)| case);
        CaseRecord {
            experiment: self.experiment().to_owned(),
            case: case.to_owned(),
            test: self.test.clone(),
            state: CaseState::Error,
            passed: false,
            reasons: vec![self.text.clone()],
            row_hash: String::new(),
        }
    }
}

/// The result of a run, for the summary in the terminal.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub(crate) experiments: Vec<ExperimentSummary<'a>>,
    pub(crate) faults: Vec<Fault>,
    /// The path of the journal; `None` where it was removed, replaced or cut off during the run.
    pub(crate) journal: Option<PathBuf>,
    /// The variables whose values were removed from the records, each with how often.
    pub(crate) redacted: BTreeMap<String, usize>,
    pub(crate) journal_error: Option<String>,
    /// The number of cases whose records are not on disk.
    pub(crate) unrecorded: usize,
    /// The columns for the values of misses; the tables take 80.
    pub(crate) columns: usize,
    pub(crate) interrupted: bool,
    pub(crate) failed: bool,
    pub(crate) elapsed: Duration,
}

/// The result of an experiment: its figures, and facts that only the process that ran it has.
#[derive(Debug)]
pub(crate) struct ExperimentSummary<'a> {
    pub(crate) name: String,
    pub(crate) origin: String,
    pub(crate) rows: usize,
    pub(crate) selected: usize,
    pub(crate) repeats: u32,
    /// Set when the rows were chosen by chance: nothing is final.
    pub(crate) sampled: bool,
    /// The number of cases that an earlier attempt of the outer runner had scored.
    pub(crate) recalled: usize,
    pub(crate) figures: Figures<'a>,
    /// The worst misses, worst first, each after the command that reruns it.
    pub(crate) misses: Vec<(String, Miss)>,
    /// The reason why the gate does not judge.
    pub(crate) not_judging: Option<String>,
    /// The reason why not all cases were run.
    pub(crate) stopped: Option<String>,
    /// The cases that ran, where the gate was decided before the last one.
    pub(crate) stopped_early: Option<StoppedRecord>,
    pub(crate) elapsed: Option<Duration>,
}

/// Prints the summary.
pub(crate) fn print_summary(summary: &Summary<'_>, to_stderr: bool, color: Option<ColorSetting>) {
    print(&summary::render(summary), to_stderr, color);
}

/// Prints where the report is.
pub(crate) fn print_report(path: &Path, to_stderr: bool, color: Option<ColorSetting>) {
    let path = crate::text::plain(&crate::text::relative(path));
    print(&format!("{DIM}report{DIM:#}  {path}\n"), to_stderr, color);
}

/// Prints the summary of a run in which nothing could be run.
pub(crate) fn print_faults(faults: &[Fault], to_stderr: bool, color: Option<ColorSetting>) {
    print(&summary::render_faults(faults), to_stderr, color);
}

/// Renders one case to look at, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn reviewed(card: &Reviewed, at: usize, of: usize) -> String {
    reviewed::render(card, at, of)
}

/// Renders the cost of planned runs, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn planned(all: &[crate::gate::plan::Planned]) -> String {
    planned::render(all)
}

/// Renders the verdicts on recorded runs, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn judged(all: &[crate::gate::recorded::Judged]) -> String {
    judged::render(all)
}

/// Renders two runs beside each other, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn compared(all: &[Experiment<'_>], after: &str, cases: usize) -> String {
    compared::render(all, after, cases)
}

/// Renders the list of invocations and the number of further ones, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn runs(runs: &[Listed], more: usize) -> String {
    runs::render(runs, more)
}

/// Renders the course of scores from run to run, to be printed by [`styled`].
#[cfg(feature = "cli")]
pub(crate) fn trends(all: &[Trended], unreadable: usize) -> String {
    trend::render(all, unreadable)
}

/// Renders the course of scores as JSON, for scripts.
///
/// # Errors
/// Returns the errors of the JSON serializer.
#[cfg(feature = "cli")]
pub(crate) fn trends_json(all: &[Trended]) -> Result<String, serde_json::Error> {
    trend::json(all)
}

/// The number of columns of a terminal.
pub(crate) const COLUMNS: usize = 80;
