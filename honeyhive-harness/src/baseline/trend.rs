//! Follows the scores of an evaluator from run to run, to find a slow fall.
//!
//! A comparison with the baseline looks at one run. A loss that is too small to be found there, and
//! stays, is found in many: see [`crate::stats`] for the cumulative sum.

use std::collections::BTreeMap;

use super::pairs::{Paired, Scope, pair};
use super::snapshot::Snapshot;
use crate::score::Reducer;
use crate::stats::{self, Loss};

/// The least share of the cases of a run and the newest one that must be comparable.
const MIN_COVERAGE: f64 = 0.95;

/// The runs of an experiment that measure the same as its newest one, by one evaluator. They are
/// added from the newest to the oldest.
#[derive(Debug, Default)]
pub(crate) struct Trend {
    /// The scatter of each unit that is exchanged in comparisons, too: a cluster, or a case without
    /// one.
    units: BTreeMap<(Option<String>, String), Scatter>,
    /// The runs, the newest first.
    runs: Vec<Level>,
}

/// The differences of a case, or a cluster of cases, from one run to the next.
#[derive(Debug, Default)]
struct Scatter {
    /// The sum of the squared differences, and what it would be for a variance of 1 per attempt.
    squares: f64,
    expected: f64,
    /// The unit in the run that was added last: the sum of its gains over the newest run, the
    /// number of cases, and the mean of 1 divided by the attempts of a case.
    last: Option<(f64, usize, f64)>,
}

/// The mean of a run, and what its variance depends on.
#[derive(Clone, Copy, Debug)]
struct Level {
    mean: f64,
    /// The mean gain over the newest run: positive where this run is better.
    better: f64,
    n: usize,
    /// The mean of 1 divided by the number of attempts of a case.
    per_attempt: f64,
}

/// A run of a trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TrendPoint {
    /// The mean of the cases that can be compared.
    pub(crate) mean: f64,
    /// The loss: by how much the run is worse than what it is compared with.
    pub(crate) loss: f64,
    /// The cumulative sum up to this run.
    pub(crate) sum: f64,
}

/// The course of an evaluator's scores over the runs of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrendLine {
    /// Set when the losses are counted from the baseline; otherwise they are from the oldest run.
    pub(crate) from_baseline: bool,
    /// The mean of the run that losses are counted from.
    pub(crate) reference: f64,
    /// The runs, the oldest first, without the reference.
    pub(crate) points: Vec<TrendPoint>,
    /// The standard deviation by which the mean of the newest run scatters by chance.
    pub(crate) scatter: f64,
    /// The index in `points` of the run in which the sum left 0, where there is drift now.
    pub(crate) since: Option<usize>,
}

impl TrendLine {
    /// Returns the mean of the runs since the sum left 0, where there is drift now.
    pub(crate) fn mean_since(&self) -> Option<f64> {
        let points = self.points.get(self.since?..)?;
        stats::mean(&points.iter().map(|point| point.mean).collect::<Vec<f64>>())
    }
}

impl Trend {
    /// Adds a run, which must be older than those before, if it measures the same as the newest.
    /// Returns whether it does.
    pub(crate) fn add(&mut self, newest: &Snapshot, run: &Snapshot, evaluator: &str) -> bool {
        let level = self.level(newest, run, evaluator);
        self.runs.extend(level);
        level.is_some()
    }

    /// Returns the whole line, counted from a baseline that measures the same, or else from the
    /// oldest run; `None` where no run is left beside that.
    pub(crate) fn finish(
        mut self,
        newest: &Snapshot,
        baseline: Option<&Snapshot>,
        evaluator: &str,
    ) -> Option<TrendLine> {
        let first = baseline.and_then(|baseline| self.level(newest, baseline, evaluator));
        let from_baseline = first.is_some();
        let first = first.or_else(|| self.runs.pop())?;
        let scattered = self.units.values().filter(|unit| unit.expected > 0.0);
        let of_attempts: f64 = scattered.map(|unit| unit.squares / unit.expected).sum();
        let variance = |run: &Level| of_attempts * run.per_attempt / (run.n as f64).powi(2);
        self.runs.reverse();
        let loss = |run: &Level| first.better - run.better;
        let losses: Vec<Loss> =
            self.runs.iter().map(|run| Loss { loss: loss(run), variance: variance(run) }).collect();
        let sums = stats::cusum(variance(&first), &losses);
        let scatter = losses.last()?.variance.sqrt();
        let since = stats::drift_since(&sums);
        let point = |(run, sum): (&Level, f64)| TrendPoint { mean: run.mean, loss: loss(run), sum };
        let points = self.runs.iter().zip(sums).map(point).collect();
        Some(TrendLine { from_baseline, reference: first.mean, points, scatter, since })
    }

    /// Returns the level of a run, and adds how its cases differ from those of the run that was
    /// added last.
    fn level(&mut self, newest: &Snapshot, run: &Snapshot, evaluator: &str) -> Option<Level> {
        let paired = comparable(run, newest, evaluator)?;
        let n = paired.pairs.len();
        let mut sums: BTreeMap<(Option<String>, String), (f64, usize, f64)> = BTreeMap::new();
        let (mut mean, mut better, mut per_attempt) = (0.0, 0.0, 0.0);
        for pair in &paired.pairs {
            let score = run.cases.get(&pair.id)?.scores.get(evaluator)?;
            // Other reducers do not scatter less in proportion to their attempts.
            let attempts = if paired.reduce == Reducer::Mean { score.attempts } else { 1 };
            let share = 1.0 / f64::from(attempts);
            let (cluster, id) = pair.unit();
            let unit = sums.entry((cluster.map(str::to_owned), id.to_owned())).or_default();
            *unit = (unit.0 - pair.gain, unit.1 + 1, unit.2 + share);
            mean += pair.before;
            better -= pair.gain;
            per_attempt += share;
        }
        for (unit, (sum, cases, shares)) in sums {
            let scatter = self.units.entry(unit).or_default();
            let share = shares / cases as f64;
            if let Some((last, _, other)) = scatter.last.filter(|(_, same, _)| *same == cases) {
                scatter.squares += (sum - last).powi(2);
                scatter.expected += share + other;
            }
            scatter.last = Some((sum, cases, share));
        }
        let of_all = |sum: f64| sum / n as f64;
        let (mean, better, per_attempt) = (of_all(mean), of_all(better), of_all(per_attempt));
        Some(Level { mean, better, n, per_attempt })
    }
}

/// Pairs a run with the newest one; returns `None` where fewer than nearly all cases can be
/// compared.
fn comparable(run: &Snapshot, newest: &Snapshot, evaluator: &str) -> Option<Paired> {
    let paired = pair(run, newest, evaluator, Scope::ALL).ok()?;
    let enough = !paired.pairs.is_empty() && paired.coverage.share() >= MIN_COVERAGE - 1e-9;
    enough.then_some(paired)
}

/// Returns whether a run measures the same as the newest.
pub(crate) fn measures_the_same(run: &Snapshot, newest: &Snapshot, evaluator: &str) -> bool {
    comparable(run, newest, evaluator).is_some()
}

#[cfg(test)]
mod tests;
