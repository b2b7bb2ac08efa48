//! The result of an experiment in code.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine;
use crate::journal::{AttemptRecord, CaseCounts, CaseState, GateRecord};
use crate::outcome::{Counts, Evaluated, Figures, Seen};
use crate::stats::{Interval, Spread};
use crate::upload::Sent;

/// The numbers of datapoints by their final state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The number of datapoints with nothing wrong.
    pub passed: usize,
    /// The number of datapoints with a score that is not good enough.
    pub failed: usize,
    /// The number of datapoints whose function gave no result.
    pub errors: usize,
    /// The number of datapoints whose function gave a result, but some evaluator no score.
    pub unscored: usize,
    /// The number of datapoints that were not run.
    pub skipped: usize,
}

impl From<CaseCounts> for Totals {
    fn from(counts: CaseCounts) -> Self {
        let CaseCounts { pass, fail, error, unscored, skipped } = counts;
        Self { passed: pass, failed: fail, errors: error, unscored, skipped }
    }
}

/// The figures of an evaluator over all datapoints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EvaluatorResult {
    /// Its name in the experiment.
    pub name: String,
    /// The mean over the datapoints, attempts averaged first; `None` without any score.
    pub mean: Option<f64>,
    /// The 95 % interval of the mean; `None` where the scores have no spread or are too few.
    pub interval: Option<Interval>,
    /// The number of datapoints with a score.
    pub n: usize,
    /// The number of datapoints that should have a score but have none.
    pub missing: usize,
    /// The share of the judged datapoints that are good enough; `None` where it only measures.
    pub pass_rate: Option<f64>,
}

impl From<&Evaluated<'_>> for EvaluatorResult {
    fn from(one: &Evaluated<'_>) -> Self {
        let share = |good: usize| good as f64 / one.judged as f64;
        Self {
            name: one.record.name.clone(),
            mean: one.measured.map(|measured| measured.mean),
            interval: one.measured.and_then(|measured| match measured.spread {
                Spread::Interval(interval) => Some(interval),
                Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
            }),
            n: one.measured.map_or(0, |measured| measured.n),
            missing: one.missing,
            pass_rate: (one.judged > 0).then(|| share(one.good)),
        }
    }
}

/// The result of a datapoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatapointResult {
    /// Its id.
    pub id: String,
    /// Its id in HoneyHive.
    pub datapoint_id: String,
    /// The final state.
    pub state: CaseState,
    /// Every execution of it: inputs, output, scores, error, spans.
    pub attempts: Vec<AttemptRecord>,
}

/// The result of an experiment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExperimentResult {
    /// Its name.
    pub name: String,
    /// The run: a UUID.
    pub run_id: String,
    /// The dataset's id in HoneyHive.
    pub dataset_id: String,
    /// The numbers of datapoints by their final state.
    pub totals: Totals,
    /// The figures, evaluator by evaluator.
    pub evaluators: Vec<EvaluatorResult>,
    /// The mean time that the function took, over the datapoints that gave a result.
    pub mean_latency: Option<Duration>,
    /// The results, datapoint by datapoint, in the order of the dataset.
    pub datapoints: Vec<DatapointResult>,
    /// The time that the whole experiment took.
    pub duration: Duration,
    /// Set when all of it is good enough: no datapoint fails by itself, the gate passes, and something
    /// was scored. `cargo test` has the same outcome.
    pub passed: bool,
    /// The verdict of the gate, rule by rule, and the baseline that it was compared with; `None`
    /// without a gate.
    pub gate: Option<GateRecord>,
    /// The reason why not all datapoints were run, other than that the gate was decided without them.
    pub stopped: Option<String>,
    /// The journal's file, where one was asked for or something is left to be sent.
    pub journal: Option<PathBuf>,
    /// The report for people, or the first of the reports that were asked for.
    pub report: Option<PathBuf>,
    /// Notes on problems with reports. They change nothing about the run.
    pub notes: Vec<String>,
    /// The counts of what was sent, destination by destination.
    pub uploads: Vec<Upload>,
}

/// The counts of what was sent to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// The destination.
    pub to: String,
    /// The run's id there; another one than was asked for, where the server gave one.
    pub run_id: Option<String>,
    /// The number of attempts that were to be sent.
    pub attempts: usize,
    /// The number of attempts that arrived.
    pub sent: usize,
    /// The number of attempts that were refused although others were taken; `cargo honeyhive push --again`
    /// sends them.
    pub refused: usize,
    /// Set when everything arrived, and the run is finished there.
    pub complete: bool,
    /// The reason why it is not complete, where one is known.
    pub problem: Option<String>,
    /// HoneyHive's own figures, line by line, where they were asked for.
    pub results: Vec<String>,
}

impl From<Sent> for Upload {
    fn from(sent: Sent) -> Self {
        Self {
            complete: sent.is_complete(),
            problem: sent.trouble().map(str::to_owned),
            run_id: sent.runs.into_iter().next().map(|(_, id)| id),
            to: sent.to,
            attempts: sent.attempts,
            sent: sent.now,
            refused: sent.refused,
            results: sent.results,
        }
    }
}

/// Returns the result of an experiment all of whose cases are decided, before it is known what its
/// gate says and what was sent.
pub(super) fn result(shared: &engine::Shared, duration: Duration) -> ExperimentResult {
    let (spec, lane) = (&shared.jobs[0].spec, &shared.board.lanes[0]);
    let cases = lane.cases();
    // The totals do not tell apart the failed cases that a gate decides about.
    let states = cases.iter().map(|case| (case.state, false));
    let figures = Figures::new(Seen {
        rules: spec.rules.clone(),
        cases: &cases,
        counts: Counts::of(states),
        is_whole: true,
        gate: None,
        name: &|row| spec.dataset.rows[row].slug.clone(),
    });
    let totals = Totals::from(figures.counts.states);
    let evaluators = figures.evaluators.iter().map(EvaluatorResult::from);
    let mean_latency = figures.latency.as_ref().map(|latency| latency.measured.mean);
    let mut attempts = lane.take_attempts().into_iter().peekable();
    let datapoints = cases.iter().map(|case| {
        let own = attempts.next_if(|(row, _)| *row == case.row);
        DatapointResult {
            id: spec.dataset.rows[case.row].id.clone(),
            datapoint_id: spec.datapoint_id(case.row).to_string(),
            state: case.state,
            attempts: own.map(|(_, attempts)| attempts).unwrap_or_default(),
        }
    });
    ExperimentResult {
        name: spec.name.clone(),
        run_id: spec.run_id.to_string(),
        dataset_id: spec.external.dataset.to_string(),
        totals,
        evaluators: evaluators.collect(),
        mean_latency: mean_latency.map(Duration::from_secs_f64),
        datapoints: datapoints.collect(),
        duration,
        stopped: lane
            .stopped
            .get()
            .cloned()
            .or_else(|| shared.stopped().map(str::to_owned))
            .filter(|_| totals.skipped > 0),
        passed: false,
        gate: None,
        journal: Some(shared.journal.path().to_owned()).filter(|path| !path.as_os_str().is_empty()),
        report: None,
        notes: Vec::new(),
        uploads: Vec::new(),
    }
}
