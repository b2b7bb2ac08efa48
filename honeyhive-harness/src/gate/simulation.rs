//! How often gates err, counted: runs are drawn from known rates of success, and the gate itself,
//! from attempts over reducers to Holm, says red or not.
//!
//! Everything is seeded. The bounds allow for what counting so many trials can be off by. The
//! figures of `docs/how-gates-decide.md` are those of [`figures`], with more trials.

use std::collections::BTreeSet;

use super::case::{self, Case, RowFacts, Rules};
use super::evaluator::Judge;
use super::snapshot::snapshot;
use super::verdict::{Baseline, Scene, gate_record, judge_all};
use crate::journal::{AttemptRecord, ExperimentRecord, ScoreRecord, Verdict};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::score::{Comparison, Direction, Reducer, ScoreValue, Shape};
use crate::stats::SplitMix64;

/// Drawn per figure by the tests; a share of 5 % is then known to within 2.2 points (3 standard
/// errors), one of 50 % to within 5.
const TRIALS: usize = 900;

/// The share of trials in which something true to a probability of `p` may be seen at most.
fn at_most(p: f64, trials: usize) -> f64 {
    p + 3.0 * (p * (1.0 - p) / trials as f64).sqrt()
}

fn chance(random: &mut SplitMix64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The suite of the literature notes: mostly easy cases, some hard ones, a few that nearly always
/// fail.
fn suite(n: usize) -> Vec<f64> {
    let rate = |at: usize| match at * 10 / n {
        0..7 => 0.98,
        7 | 8 => 0.7,
        _ => 0.2,
    };
    (0..n).map(rate).collect()
}

/// The same after a change for the worse: a share of the cases succeeds 30 % as often.
fn damaged(rates: &[f64], share: f64, random: &mut SplitMix64) -> Vec<f64> {
    let mut rates = rates.to_vec();
    let mut left: Vec<usize> = (0..rates.len()).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small share")]
    let hit = (rates.len() as f64 * share).round() as usize;
    for _ in 0..hit {
        rates[left.swap_remove(random.index(left.len()))] *= 0.3;
    }
    rates
}

/// A rule without a name: texts are not looked at.
fn rule(test: Test) -> GateRule {
    GateRule { text: "rule".into(), slice: None, test }
}

fn no_regression(evaluator: usize) -> GateRule {
    rule(Test::NoRegression { evaluator, margin: 0.02, alpha: 0.05 })
}

fn no_collapse(evaluator: usize) -> GateRule {
    rule(Test::NoCollapse { evaluator, alpha: 0.05 })
}

/// Rules about `evaluators` yes-or-no evaluators with this reducer.
fn rules(evaluators: usize, reduce: Reducer, gates: Vec<GateRule>) -> Rules {
    let judge = |n: usize| Judge {
        name: format!("e{n}"),
        settings: String::new(),
        threshold: None,
        direction: Direction::Maximize,
        range: None,
        shape: Shape::Bool,
        reduce,
        source: "source".to_owned(),
    };
    Rules { judges: (0..evaluators).map(judge).collect(), require: Vec::new(), gates }
}

/// Runs every case `repeats` times. The evaluators answer independently of each other.
fn run(rules: &Rules, rates: &[f64], repeats: u32, random: &mut SplitMix64) -> Vec<Case> {
    let mut attempt = |number: u32, rate: f64| AttemptRecord {
        attempt: number,
        scores: rules
            .judges
            .iter()
            .map(|_| ScoreRecord {
                value: Some(ScoreValue::Bool(chance(random) < rate)),
                ..ScoreRecord::default()
            })
            .collect(),
        ..AttemptRecord::default()
    };
    let rows = rates.iter().enumerate().map(|(row, rate)| {
        let attempts: Vec<AttemptRecord> = (1..=repeats).map(|n| attempt(n, *rate)).collect();
        let facts = RowFacts { row, row_hash: "row".to_owned(), ..RowFacts::default() };
        case::decide(rules, facts, &attempts).0
    });
    rows.collect()
}

/// What the gate says of a run after another.
fn gate(rules: &Rules, before: &[Case], after: &[Case]) -> Verdict {
    let id = |row: usize| format!("{row:04}");
    let record = ExperimentRecord::default();
    let of = |cases: &[Case]| {
        let cases = cases.iter().map(|case| (id(case.row), case));
        snapshot(&record, rules, BTreeSet::new(), cases)
    };
    let baseline = Baseline { snapshot: of(before), file: String::new(), age: String::new() };
    let now = of(after);
    let scene = Scene {
        rules,
        name: &id,
        id: &id,
        baseline: Some(Ok(&baseline)),
        now: Some(&now),
    };
    gate_record("e", judge_all(&scene, after), &scene, false).verdict
}

/// A comparison that is made over and over.
#[derive(Clone, Copy)]
struct World {
    n: usize,
    /// Attempts per case in the baseline, and now.
    repeats: (u32, u32),
    /// The share of cases that get worse.
    share: f64,
    /// Instead of [`suite`], all cases succeed this often.
    rate: Option<f64>,
}

impl World {
    const fn quiet(n: usize, repeats: u32) -> Self {
        Self { n, repeats: (repeats, repeats), share: 0.0, rate: None }
    }

    /// How often the gate is red.
    fn red(self, rules: &Rules, trials: usize) -> f64 {
        let mut random = SplitMix64::new(7);
        let rates = self.rate.map_or_else(|| suite(self.n), |rate| vec![rate; self.n]);
        let red = (0..trials).filter(|_| {
            let before = run(rules, &rates, self.repeats.0, &mut random);
            let rates = damaged(&rates, self.share, &mut random);
            let after = run(rules, &rates, self.repeats.1, &mut random);
            gate(rules, &before, &after) == Verdict::Fail
        });
        red.count() as f64 / trials as f64
    }
}

#[test]
#[ignore]
fn figures() {
    use std::io::Write as _;
    let t0 = std::time::Instant::now();
    let trials = std::env::var("T").map_or(TRIALS, |t| t.parse().unwrap());
    let mut say = |text: String| writeln!(std::io::stderr(), "{text}  [{:?}]", t0.elapsed()).unwrap();
    let nr = rules(1, Reducer::Mean, vec![no_regression(0)]);
    let nc = rules(1, Reducer::Mean, vec![no_collapse(0)]);
    for n in [20, 50, 200] {
        for k in [1, 3] {
            let w = World::quiet(n, k);
            let c = World { rate: Some(0.5), ..w };
            say(format!("n={n} k={k} nr={} nc={} coin nr={} nc={}", w.red(&nr, trials), w.red(&nc, trials), c.red(&nr, trials), c.red(&nc, trials)));
        }
    }
    for (n, kb, kn) in [(50, 3, 1), (50, 10, 1), (50, 10, 3), (100, 10, 3), (200, 10, 1), (200, 10, 3),(200, 3, 1), (200,1,3)] {
        let w = World { repeats: (kb, kn), ..World::quiet(n, 1) };
        let c = World { rate: Some(0.5), ..w };
        let h = World { rate: Some(0.95), ..w };
        say(format!("uneven n={n} {kb}/{kn} nr={} nc={} coin {} {} .95 {} {}", w.red(&nr, trials), w.red(&nc, trials), c.red(&nr, trials), c.red(&nc, trials), h.red(&nr, trials), h.red(&nc, trials)));
    }
    for n in [50, 100] {
        for k in [(1, 1), (3, 3), (10, 3)] {
            let w = |share| World { repeats: k, share, ..World::quiet(n, 1) };
            say(format!("power n={n} k={k:?} mild={} big={}  collapse mild={} big={}", w(0.1).red(&nr, trials), w(0.25).red(&nr, trials), w(0.1).red(&nc, trials), w(0.25).red(&nc, trials)));
        }
    }
}
