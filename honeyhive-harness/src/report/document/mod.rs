//! What a report says, as plain data: made once from the journal, written by every renderer.
//!
//! No renderer computes anything. A number that stands in two reports of a run is the same number,
//! and it is the one that the terminal shows: means and intervals come from the gate's room,
//! differences from the baseline's.

mod case;
mod difference;
mod evaluator;
mod experiment;
#[cfg(test)]
pub(crate) mod samples;

pub(crate) use case::{Case, CaseScore, Change, shown, shown_inputs};
pub(crate) use difference::{ALPHA, Finding};
#[cfg(feature = "cli")]
pub(crate) use difference::{Difference, decided_by};
pub(crate) use evaluator::{Measured, Row};
pub(crate) use experiment::{Against, Compared, Experiment, Latency};

use crate::journal::{CaseState, GitRecord, Results};
#[cfg(feature = "cli")]
use crate::journal::{ExperimentResults, ScoreOverview};

/// A report of an invocation.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    /// The name of the invocation's directory.
    pub(crate) invocation: &'a str,
    /// When the first process started, RFC 3339 in UTC; empty when no file says it.
    pub(crate) started_at: &'a str,
    /// From the first start to the last end, in seconds; absent while a process has no end.
    pub(crate) elapsed: Option<f64>,
    /// The version of `honeyhive-harness` that ran it.
    pub(crate) harness: &'a str,
    /// The state of the sources.
    pub(crate) git: Option<&'a GitRecord>,
    /// Whether all processes ended in good order.
    pub(crate) ending: Ending,
    /// What it comes to, over all experiments.
    pub(crate) outcome: Outcome,
    /// Cases of all experiments by what became of them.
    pub(crate) counts: Counts,
    /// In the order in which they started.
    pub(crate) experiments: Vec<Experiment<'a>>,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every process said that it ended.
    Complete,
    /// Ctrl-C, or a request to end.
    Interrupted,
    /// A process did not say that it ended: it was killed, or still runs.
    Unfinished,
}

/// What an experiment or an invocation comes to. The later counts before the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nothing failed.
    Pass,
    /// Nothing failed, but a gate that was asked cannot say.
    Inconclusive,
    /// Not everything was run.
    Unfinished,
    /// A case or a gate failed, or nothing was scored.
    Fail,
}

impl Outcome {
    /// `PASS`, `INCONCLUSIVE`, `NOT FINISHED`, `FAIL`: as the terminal says it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Unfinished => "NOT FINISHED",
            Self::Fail => "FAIL",
        }
    }

    /// `pass`, `inconclusive`, `unfinished`, `fail`: for machines.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Unfinished => "unfinished",
            Self::Fail => "fail",
        }
    }
}

/// Cases by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) error: usize,
    pub(crate) unscored: usize,
    /// Selected, but not run, or cut off before its end.
    pub(crate) skipped: usize,
    /// Those of `fail` whose gate decides: their own tests passed.
    pub(crate) misses: usize,
}

impl Counts {
    fn add(&mut self, state: CaseState, cases: usize) {
        *match state {
            CaseState::Pass => &mut self.pass,
            CaseState::Fail => &mut self.fail,
            CaseState::Error => &mut self.error,
            CaseState::Unscored => &mut self.unscored,
            CaseState::Skipped => &mut self.skipped,
        } += cases;
    }

    fn sum(experiments: &[Experiment<'_>]) -> Self {
        let mut counts = Self::default();
        for of in experiments.iter().map(|experiment| experiment.counts) {
            counts.pass += of.pass;
            counts.fail += of.fail;
            counts.error += of.error;
            counts.unscored += of.unscored;
            counts.skipped += of.skipped;
            counts.misses += of.misses;
        }
        counts
    }

    /// All of them.
    pub(crate) const fn all(self) -> usize {
        self.pass + self.fail + self.error + self.unscored + self.skipped
    }

    /// Each with the name of its class and the word for people. One word for one thing: where the
    /// gate decides, a case that failed is a miss.
    pub(crate) const fn shown(self) -> [(&'static str, &'static str, usize); 6] {
        [
            ("pass", "pass", self.pass),
            ("miss", if self.misses == 1 { "miss" } else { "misses" }, self.misses),
            ("fail", "fail", self.fail - self.misses),
            ("error", "error", self.error),
            ("unscored", "unscored", self.unscored),
            ("skipped", "skipped", self.skipped),
        ]
    }

    /// Each with the state's name, in the order of the journal.
    pub(crate) const fn named(self) -> [(&'static str, usize); 5] {
        [
            ("pass", self.pass),
            ("fail", self.fail),
            ("error", self.error),
            ("unscored", self.unscored),
            ("skipped", self.skipped),
        ]
    }
}

/// A state's name, as it stands in the journal.
pub(crate) const fn state_name(state: CaseState) -> &'static str {
    state.name()
}

impl<'a> Document<'a> {
    /// Puts a report together. `against` has, for each experiment of the results, what it is
    /// compared with; where it is shorter, the rest is compared with nothing.
    pub(crate) fn new(results: &'a Results, against: &[Option<Against<'a>>]) -> Self {
        let experiments: Vec<Experiment<'a>> = results
            .experiments
            .iter()
            .enumerate()
            .map(|(index, one)| Experiment::new(one, against.get(index).and_then(Option::as_ref)))
            .collect();
        let first = results.processes.iter().min_by_key(|process| &process.started_at);
        let ending = if results.ends.iter().any(|end| end.interrupted) {
            Ending::Interrupted
        } else if results.processes.len() > results.ends.len() {
            Ending::Unfinished
        } else {
            Ending::Complete
        };
        Self {
            invocation: first.map_or("", |process| &process.invocation),
            started_at: first.map_or("", |process| &process.started_at),
            elapsed: elapsed(results).filter(|_| ending != Ending::Unfinished),
            harness: first.map_or("", |process| &process.harness),
            git: results.git.as_ref(),
            ending,
            outcome: outcome(results, ending, &experiments),
            counts: Counts::sum(&experiments),
            experiments,
        }
    }

    /// The same report, of some of its experiments.
    pub(crate) fn only(&self, keep: &dyn Fn(&Experiment<'a>) -> bool) -> Self {
        let experiments: Vec<Experiment<'a>> =
            self.experiments.iter().filter(|experiment| keep(experiment)).cloned().collect();
        let worst = experiments.iter().map(|experiment| experiment.outcome).max();
        Self {
            outcome: worst.unwrap_or(self.outcome),
            counts: Counts::sum(&experiments),
            experiments,
            ..self.clone()
        }
    }

    /// The test targets that have experiments, as `package/target`, each once.
    pub(crate) fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> =
            self.experiments.iter().map(|experiment| experiment.target.to_owned()).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

/// What the evaluators of an experiment come to.
#[cfg(feature = "cli")]
pub(crate) fn scores(results: &ExperimentResults) -> Vec<ScoreOverview> {
    let rows = Experiment::new(results, None).rows;
    let score = |row: Row<'_>| {
        let measured = row.measured?;
        Some(ScoreOverview {
            evaluator: row.record.name.clone(),
            mean: measured.mean,
            n: measured.n,
            judges: row.judges(),
        })
    };
    rows.into_iter().filter_map(score).collect()
}

fn outcome(results: &Results, ending: Ending, experiments: &[Experiment<'_>]) -> Outcome {
    let worst = experiments.iter().map(|experiment| experiment.outcome).max();
    // A journal that could not be written, for one, is nothing that an experiment knows of. Where
    // the outer runner tries again, only the last exit code would count, and the experiments do.
    let retried = results.processes.iter().any(|process| process.runner_attempt > 1);
    let failed = results.ends.iter().any(|end| end.exit_code != 0 && !end.interrupted);
    let own = match ending {
        _ if failed && !retried => Outcome::Fail,
        Ending::Complete => Outcome::Pass,
        Ending::Interrupted | Ending::Unfinished => Outcome::Unfinished,
    };
    worst.map_or(own, |worst| worst.max(own))
}

/// Seconds between the first start and the last end.
fn elapsed(results: &Results) -> Option<f64> {
    let time = |text: &str| humantime::parse_rfc3339(text).ok();
    let start = results.processes.iter().filter_map(|process| time(&process.started_at)).min()?;
    let end = results.ends.iter().filter_map(|end| time(&end.ended_at)).max()?;
    Some(end.duration_since(start).ok()?.as_secs_f64())
}

#[cfg(test)]
mod tests;
