//! What becomes of an experiment in code.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine;
use crate::gate::case::{Case, CaseScore};
use crate::gate::judge::mean_interval;
use crate::journal::{AttemptRecord, CaseState, GateRecord};
use crate::rule::Of;
use crate::stats::{self, Interval, Spread};
use crate::upload::Sent;

/// How many datapoints ended in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Nothing is wrong with them.
    pub passed: usize,
    /// A score is not good enough.
    pub failed: usize,
    /// The function gave no result.
    pub errors: usize,
    /// The function gave a result, but an evaluator no score.
    pub unscored: usize,
    /// They were not run.
    pub skipped: usize,
}

/// What an evaluator says of all datapoints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EvaluatorResult {
    /// Its name in the experiment.
    pub name: String,
    /// The mean over the datapoints, attempts averaged first; `None` without any score.
    pub mean: Option<f64>,
    /// The 95 % interval of the mean; `None` where the scores have no spread or are too few.
    pub interval: Option<Interval>,
    /// Datapoints with a score.
    pub n: usize,
    /// Datapoints that should have a score but have none.
    pub missing: usize,
    /// The share of the judged datapoints that are good enough; `None` where it only measures.
    pub pass_rate: Option<f64>,
}

/// What became of a datapoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatapointResult {
    /// Its id.
    pub id: String,
    /// Its id in HoneyHive.
    pub datapoint_id: String,
    /// What became of it.
    pub state: CaseState,
    /// Every execution of it: inputs, output, scores, error, spans.
    pub attempts: Vec<AttemptRecord>,
}

/// What became of an experiment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExperimentResult {
    /// Its name.
    pub name: String,
    /// The run: a UUID.
    pub run_id: String,
    /// The dataset's id in HoneyHive.
    pub dataset_id: String,
    /// How many datapoints ended in which state.
    pub totals: Totals,
    /// Evaluator by evaluator.
    pub evaluators: Vec<EvaluatorResult>,
    /// The mean time that the function took, over the datapoints that gave a result.
    pub mean_latency: Option<Duration>,
    /// Datapoint by datapoint, in the order of the dataset.
    pub datapoints: Vec<DatapointResult>,
    /// How long it took in all.
    pub duration: Duration,
    /// Whether all of it is good enough: no datapoint fails by itself, the gate passes, and something
    /// was scored. The same as the outcome of `cargo test`.
    pub passed: bool,
    /// The verdict of the gate, rule by rule, and the baseline that it was compared with; `None`
    /// without a gate.
    pub gate: Option<GateRecord>,
    /// Why not all datapoints were run, other than that the gate was decided without them.
    pub stopped: Option<String>,
    /// The journal's file, where one was asked for or something is left to be sent.
    pub journal: Option<PathBuf>,
    /// The report for people, or the first of the reports that were asked for.
    pub report: Option<PathBuf>,
    /// What went wrong with reports. It changes nothing about the run.
    pub notes: Vec<String>,
    /// What was sent where, destination by destination.
    pub uploads: Vec<Upload>,
}

/// What was sent to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// The destination.
    pub to: String,
    /// The run's id there; another one than was asked for, where the server gave one.
    pub run_id: Option<String>,
    /// Attempts that were to be sent.
    pub attempts: usize,
    /// Of these, how many arrived.
    pub sent: usize,
    /// How many were refused although others were taken; `cargo honeyhive push --again` sends them.
    pub refused: usize,
    /// Everything arrived, and the run is finished there.
    pub complete: bool,
    /// Why not.
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
    let mut totals = Totals::default();
    for case in &cases {
        *match case.state {
            CaseState::Pass => &mut totals.passed,
            CaseState::Fail => &mut totals.failed,
            CaseState::Error => &mut totals.errors,
            CaseState::Unscored => &mut totals.unscored,
            CaseState::Skipped => &mut totals.skipped,
        } += 1;
    }
    let evaluators = spec.rules.judges.iter().enumerate().map(|(index, judge)| {
        let scores = || cases.iter().filter_map(|case| case.scores.get(index));
        let scored =
            || cases.iter().filter_map(|case| Some((case.scores.get(index)?.scored()?, case)));
        let values: Vec<(f64, &Case)> = scored().map(|(one, case)| (one.score, case)).collect();
        let judged: Vec<f64> = scored()
            .filter_map(|(one, _)| one.holds)
            .map(|good| f64::from(u8::from(good)))
            .collect();
        let means: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        EvaluatorResult {
            name: judge.name.clone(),
            mean: stats::mean(&means),
            interval: match mean_interval(Of::Evaluator(index), &spec.rules.judges, &values) {
                Spread::Interval(interval) => Some(interval),
                Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
            },
            n: values.len(),
            missing: scores().filter(|score| **score == CaseScore::Missing).count(),
            pass_rate: stats::mean(&judged),
        }
    });
    let latencies: Vec<f64> =
        cases.iter().filter_map(|case| stats::mean(&case.latencies)).collect();
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
        mean_latency: stats::mean(&latencies).map(Duration::from_secs_f64),
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
