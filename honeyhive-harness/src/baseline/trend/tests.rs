//! Tests trends of runs that are drawn from known rates of success: how long until a false alarm, and
//! until a loss is found.
//!
//! `cargo test -p honeyhive-harness --lib trend -- --nocapture` shows the figures, and with
//! `--include-ignored` those of `docs/how-gates-decide.md`, from more trials.

// The test harness captures the figures unless `--nocapture` is given.
#![allow(clippy::print_stderr)]

use super::super::{CaseSnapshot, EvaluatorPrint, ScoreSnapshot};
use super::*;
use crate::stats::SplitMix64;

fn run(scores: impl IntoIterator<Item = (u32, u32)>) -> Snapshot {
    let case = |(at, (good, attempts)): (usize, (u32, u32))| {
        let score = f64::from(good) / f64::from(attempts);
        let score = ScoreSnapshot { score, attempts, good: Some(good) };
        let scores = [("e".to_owned(), score)].into();
        let case = CaseSnapshot { row: "r".to_owned(), scores, ..CaseSnapshot::default() };
        (format!("{at:03}"), case)
    };
    let print = EvaluatorPrint {
        reduce: "mean".to_owned(),
        good: "true".to_owned(),
        ..EvaluatorPrint::default()
    };
    Snapshot {
        schema: 2,
        evaluators: [("e".to_owned(), print)].into(),
        cases: scores.into_iter().enumerate().map(case).collect(),
        ..Snapshot::default()
    }
}

/// Returns the line of runs that are given the oldest first.
fn line(baseline: Option<&Snapshot>, runs: &[Snapshot]) -> Option<TrendLine> {
    let newest = runs.last()?;
    let mut trend = Trend::default();
    for run in runs.iter().rev() {
        trend.add(newest, run, "e");
    }
    trend.finish(newest, baseline, "e")
}

#[test]
fn a_slow_loss_is_found_although_no_run_is_far_from_the_one_before() {
    // In each run `good` of 20 cases are good, and other ones each time, so that they scatter.
    let of = |good: usize, turn: usize| {
        run((0..20).map(move |at| (u32::from((at + turn * 7) % 20 < good), 1)))
    };
    let goods = [18, 18, 18, 18, 18, 15, 14, 14, 13, 13, 12, 12, 12];
    let runs: Vec<Snapshot> = goods.iter().zip(0..).map(|(good, turn)| of(*good, turn)).collect();
    let found = line(Some(&of(18, 20)), &runs).expect("a line");
    assert!(found.from_baseline && (found.reference - 0.9).abs() < 1e-12);
    assert_eq!(found.since, Some(5), "{found:?}");
    assert!((found.points[12].loss - 0.3).abs() < 1e-12 && found.scatter > 0.0);
    // Without a baseline, losses are counted from the oldest run.
    let found = line(None, &runs).expect("a line");
    assert_eq!((found.from_baseline, found.points.len(), found.since), (false, 12, Some(4)));
    assert_eq!(line(None, &runs[..1]), None, "a single run is no line");
}

#[test]
fn what_measures_something_else_is_no_part_of_the_line() {
    let newest = run([(1, 1); 20]);
    let mut trend = Trend::default();
    assert!(trend.add(&newest, &newest, "e"));
    let mut other = newest.clone();
    other.evaluators.get_mut("e").expect("e").source = "another".to_owned();
    assert!(!trend.add(&newest, &other, "e"));
    let mut edited = newest.clone();
    for id in ["000", "001"] {
        edited.cases.get_mut(id).expect("a case").row = "another".to_owned();
    }
    assert!(!trend.add(&newest, &edited, "e"));
    edited.cases.get_mut("001").expect("a case").row = "r".to_owned();
    assert!(trend.add(&newest, &edited, "e"), "one of 20 rows is no matter");
}

#[test]
fn the_scatter_of_a_run_is_that_of_its_attempts() {
    let mut random = SplitMix64::new(1);
    let mut draw = |attempts: u32| {
        run((0..60).map(|_| {
            let good = (0..attempts).filter(|_| random.index(100) < 70).count();
            (u32::try_from(good).expect("few"), attempts)
        }))
    };
    // The variance of a mean is p(1 - p) / (n · attempts), also of single attempts, and beside a
    // baseline of ten.
    for attempts in [1, 3] {
        let runs: Vec<Snapshot> = (0..30).map(|_| draw(attempts)).collect();
        let baseline = draw(10);
        let found = line(Some(&baseline), &runs).expect("a line");
        let want = (0.7 * 0.3 / (60.0 * f64::from(attempts))).sqrt();
        assert!((found.scatter / want - 1.0).abs() < 0.1, "{} is not {want}", found.scatter);
    }
}

#[test]
fn cases_of_a_cluster_scatter_together() {
    let mut random = SplitMix64::new(2);
    let mut draw = || {
        let documents: Vec<u32> = (0..12).map(|_| u32::from(random.index(2) == 0)).collect();
        let mut run = run((0..60).map(|at| (documents[at / 5], 1)));
        for (at, case) in run.cases.values_mut().enumerate() {
            case.cluster = Some((at / 5).to_string());
        }
        run
    };
    let runs: Vec<Snapshot> = (0..30).map(|_| draw()).collect();
    let found = line(None, &runs).expect("a line");
    let want = (0.25_f64 / 12.0).sqrt();
    assert!((found.scatter / want - 1.0).abs() < 0.15, "{} is not {want}", found.scatter);
}

// ---- the number of runs that it takes, counted ----

/// Returns the rates of the suite of the simulation of gates, 60 cases: mostly easy, some hard, a few
/// nearly hopeless.
fn suite() -> Vec<f64> {
    (0..60)
        .map(|at| match at {
            0..42 => 0.98,
            42..54 => 0.7,
            _ => 0.2,
        })
        .collect()
}

/// Runs of the suite with 3 attempts per case, and the baseline that they are compared with.
struct World {
    /// The number of attempts per case in the baseline.
    baseline: u32,
    /// The number of runs before the loss.
    before: usize,
    /// The fall of the mean, in points.
    points: f64,
}

impl World {
    /// Returns the number of runs since the loss until there is drift, for each of `trials` histories;
    /// `None` where there was drift before the loss, and `most` where there is none in as many runs.
    fn found_after(&self, trials: usize, most: usize, seed: u64) -> Vec<Option<usize>> {
        let mut random = SplitMix64::new(seed);
        let mut uniform = move || random.fraction();
        let mut draw = |rates: &[f64], attempts: u32| -> Vec<(u32, u32)> {
            let mut good = |rate: &f64| (0..attempts).map(|_| u32::from(uniform() < *rate)).sum();
            rates.iter().map(|rate| (good(rate), attempts)).collect()
        };
        let rates = suite();
        let loss = self.points / 100.0 / (rates.iter().sum::<f64>() / 60.0);
        let fallen: Vec<f64> = rates.iter().map(|rate| rate * (1.0 - loss)).collect();
        (0..trials)
            .map(|_| {
                let baseline = draw(&rates, self.baseline);
                let mut history = History::new(&baseline);
                for at in 0..self.before + most {
                    let rates = if at < self.before { &rates } else { &fallen };
                    if history.drifts_after(&draw(rates, 3)) {
                        return (at >= self.before).then(|| at + 1 - self.before);
                    }
                }
                Some(most)
            })
            .collect()
    }
}

/// A history that grows run by run, whereas [`Trend`] reads one from its newest run.
struct History {
    squares: Vec<f64>,
    expected: f64,
    last: Vec<(u32, u32)>,
    baseline: f64,
    attempts: u32,
    losses: Vec<f64>,
}

fn mean(run: &[(u32, u32)]) -> f64 {
    run.iter().map(|(good, of)| f64::from(*good) / f64::from(*of)).sum::<f64>() / run.len() as f64
}

impl History {
    fn new(baseline: &[(u32, u32)]) -> Self {
        Self {
            squares: vec![0.0; baseline.len()],
            expected: 0.0,
            last: baseline.to_vec(),
            baseline: mean(baseline),
            attempts: baseline[0].1,
            losses: Vec::new(),
        }
    }

    fn sums(&self) -> Vec<f64> {
        let n = self.last.len() as f64;
        let of_attempts = self.squares.iter().sum::<f64>() / self.expected;
        let variance = of_attempts / f64::from(self.last[0].1) / (n * n);
        let losses: Vec<Loss> =
            self.losses.iter().map(|loss| Loss { loss: *loss, variance }).collect();
        stats::cusum(of_attempts / f64::from(self.attempts) / (n * n), &losses)
    }

    fn drifts_after(&mut self, run: &[(u32, u32)]) -> bool {
        for ((squares, now), last) in self.squares.iter_mut().zip(run).zip(&self.last) {
            let share = |(good, of): (u32, u32)| f64::from(good) / f64::from(of);
            *squares += (share(*now) - share(*last)).powi(2);
        }
        self.expected += 1.0 / f64::from(run[0].1) + 1.0 / f64::from(self.last[0].1);
        self.losses.push(self.baseline - mean(run));
        self.last = run.to_vec();
        stats::drift_since(&self.sums()).is_some()
    }
}

#[test]
fn the_simulated_history_is_the_trend() {
    let mut random = SplitMix64::new(9);
    let mut draw = |attempts: u32| -> Vec<(u32, u32)> {
        let mut good = |_| (0..attempts).map(|_| u32::from(random.index(10) < 7)).sum();
        (0..60).map(|at| (good(at), attempts)).collect()
    };
    let baseline = draw(10);
    let runs: Vec<Vec<(u32, u32)>> = (0..25).map(|_| draw(3)).collect();
    let mut history = History::new(&baseline);
    for one in &runs {
        history.drifts_after(one);
    }
    let snapshots: Vec<Snapshot> = runs.into_iter().map(run).collect();
    let found = line(Some(&run(baseline)), &snapshots).expect("a line");
    for (point, sum) in found.points.iter().zip(history.sums()) {
        assert!((point.sum - sum).abs() < 1e-9, "{} is not {sum}", point.sum);
    }
}

/// Returns the median, the tenth percentile, and the share of histories within 20 runs.
fn figures(found: &[Option<usize>]) -> (usize, usize, f64) {
    let mut found: Vec<usize> = found.iter().flatten().copied().collect();
    found.sort_unstable();
    let soon = found.iter().filter(|after| **after <= 20).count() as f64 / found.len() as f64;
    (found[found.len() / 2], found[found.len() / 10], soon)
}

fn false_alarms(trials: usize, most: usize) {
    for baseline in [3, 10] {
        let world = World { baseline, before: 0, points: 0.0 };
        let (median, tenth, soon) = figures(&world.found_after(trials, most, 11));
        eprintln!(
            "false alarm, baseline × {baseline}: median {median} runs, a tenth within {tenth}, {:.1} % \
             within 20",
            soon * 100.0
        );
        assert!(tenth >= 20 && median >= most.min(150) && soon <= 0.1, "{median} {tenth} {soon}");
    }
}

fn finds(trials: usize, most: usize) {
    for (before, baseline) in [(0, 10), (10, 3), (10, 10), (30, 3), (30, 10)] {
        // A loss that begins with the first run is soon a part of what later ones are compared with.
        let within = if before == 0 { [most, most, most, 8] } else { [most, 16, 8, 4] };
        for (points, within) in [1.0, 2.0, 3.0, 5.0].into_iter().zip(within) {
            let world = World { baseline, before, points };
            let (median, ..) = figures(&world.found_after(trials, most, 12));
            eprintln!(
                "-{points} points after {before} runs, baseline × {baseline}: median {median} runs"
            );
            assert!(median <= within, "-{points} after {before} runs: {median}");
        }
    }
}

#[test]
fn false_alarms_are_seldom() {
    false_alarms(200, 150);
}

#[test]
fn losses_are_found() {
    finds(150, 120);
}

/// Checks the figures of `docs/how-gates-decide.md`.
#[test]
#[ignore = "figures of the docs"]
fn figures_of_the_docs() {
    false_alarms(2000, 400);
    finds(1000, 300);
}
