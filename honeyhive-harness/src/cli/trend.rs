//! Implements `cargo honeyhive runs --trend`, which shows the course of the scores and whether they
//! drift.

use std::path::Path;

use super::place::Places;
use crate::baseline::{Snapshot, Trend, measures_the_same};
use crate::gate::checked;
use crate::gate::input::Baseline;
use crate::gate::snapshot::recorded;
use crate::journal::{ExperimentResults, Keep};
use crate::report::{self, Trended};

/// The runs of an experiment, read from the newest to the oldest.
struct Experiment {
    target: String,
    newest: Snapshot,
    baseline: Option<Baseline>,
    /// The runs by evaluator, one line each.
    lines: Vec<Line>,
}

/// The runs that measure the same as the newest by one evaluator, the newest first.
struct Line {
    evaluator: String,
    trend: Trend,
    /// The names of the runs, each with the time when it started.
    runs: Vec<(String, String)>,
    left_out: usize,
    /// Set when the baseline measures the same as the newest run, so that runs before it do not count.
    from_baseline: bool,
}

/// Returns the trends of all experiments, as text or as JSON.
pub(super) fn run(places: &Places, json: bool) -> Result<String, String> {
    let mut experiments: Vec<Experiment> = Vec::new();
    let mut unreadable = 0;
    // Runs of a part of the rows, or that stopped early, by target and experiment.
    let mut partial: Vec<(String, String)> = Vec::new();
    for head in places.own_runs()? {
        let Ok(results) = checked::read_sound(&head.directory, Keep::Scores) else {
            unreadable += 1;
            continue;
        };
        let invocation = super::pick::name(&head.directory).unwrap_or_default();
        for one in &results.experiments {
            let stopped = one.gate.as_ref().is_some_and(|gate| gate.stopped.is_some());
            let ran = one.cases.iter().filter(|case| case.has_run()).count();
            let is_whole = one.record.sample.is_none() && ran >= one.record.rows;
            if is_whole && !stopped {
                add(&mut experiments, one, (&invocation, &head.started_at));
            } else {
                partial.push((one.target.clone(), one.record.experiment.clone()));
            }
        }
    }
    for one in &mut experiments {
        let same = |(target, name): &&(String, String)| {
            (target, name) == (&one.target, &one.newest.experiment)
        };
        let partial = partial.iter().filter(same).count();
        one.lines.iter_mut().for_each(|line| line.left_out += partial);
    }
    let all: Vec<Trended> = experiments.into_iter().flat_map(finish).collect();
    if json {
        return report::trends_json(&all)
            .map(|json| json + "\n")
            .map_err(|error| error.to_string());
    }
    Ok(report::trends(&all, unreadable))
}

/// Adds a run of all rows of an experiment.
fn add(experiments: &mut Vec<Experiment>, one: &ExperimentResults, (name, at): (&str, &str)) {
    let (target, experiment) = (&one.target, &one.record.experiment);
    let same =
        |known: &Experiment| known.target == *target && known.newest.experiment == *experiment;
    let known = experiments.iter().position(same);
    let run = recorded(one);
    let known = known.unwrap_or_else(|| {
        experiments.push(Experiment::new(one, run.clone()));
        experiments.len() - 1
    });
    let Experiment { newest, baseline, lines, .. } = &mut experiments[known];
    let accepted = baseline.as_ref().map(|baseline| &baseline.snapshot);
    for line in lines {
        // Losses are counted from the accepted run, so it and the runs before it are left out.
        let is_past =
            |accepted: &Snapshot| *at <= *accepted.accepted_at || name == accepted.invocation;
        if line.from_baseline && accepted.is_some_and(is_past) {
            continue;
        }
        if line.trend.add(newest, &run, &line.evaluator) {
            line.runs.push((name.to_owned(), at.to_owned()));
        } else {
            line.left_out += 1;
        }
    }
}

impl Experiment {
    fn new(one: &ExperimentResults, newest: Snapshot) -> Self {
        let record = &one.record;
        let baseline = Baseline::read(Path::new(&record.baseline), &record.experiment).ok();
        let line = |evaluator: &String| Line {
            evaluator: evaluator.clone(),
            trend: Trend::default(),
            runs: Vec::new(),
            left_out: 0,
            from_baseline: baseline
                .as_ref()
                .is_some_and(|one| measures_the_same(&one.snapshot, &newest, evaluator)),
        };
        let lines = record.evaluators.iter().map(|one| line(&one.name)).collect();
        Self { target: one.target.clone(), newest, baseline, lines }
    }
}

/// Returns the lines of an experiment that have a run beside the one that losses are counted from.
fn finish(experiment: Experiment) -> Vec<Trended> {
    let Experiment { target, newest, baseline, lines } = experiment;
    let finish = |line: Line| {
        let Line { evaluator, trend, mut runs, left_out, from_baseline } = line;
        let accepted = baseline.as_ref().filter(|_| from_baseline);
        runs.reverse();
        let line = trend.finish(&newest, accepted.map(|one| &one.snapshot), &evaluator)?;
        let reference = match accepted {
            Some(baseline) => baseline.words(),
            None => runs.remove(0).0,
        };
        let (target, experiment) = (target.clone(), newest.experiment.clone());
        Some(Trended { target, experiment, evaluator, reference, line, runs, left_out })
    };
    lines.into_iter().filter_map(finish).collect()
}
