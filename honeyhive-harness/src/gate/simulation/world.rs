//! Simulated worlds in which the truth is known: draws runs of a suite, and has the gate judge them.

use std::collections::BTreeSet;

use super::super::case::{self, Case, RowFacts, Rules};
use super::super::decided::judge_gate;
use super::super::evaluator::Judge;
use super::super::input::{Baseline, GateInput};
use super::super::snapshot::snapshot;
use super::{ALPHA, error};
use crate::journal::{AttemptRecord, ExperimentRecord, ScoreRecord, Verdict};
use crate::rule::{GateRule, Of};
use crate::score::{Direction, Reducer, ScoreValue, Shape};
use crate::stats::SplitMix64;

/// A comparison of two runs of one suite, before a change and after it, that is repeated many times.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) rules: Rules,
    /// The probability of each case to succeed.
    pub(super) rates: Vec<f64>,
    /// The numbers of attempts per case, before and after.
    pub(super) repeats: (u32, u32),
    /// The chance of each case to get worse: then it succeeds 30 % as often.
    pub(super) damage: f64,
    /// The rate of success that every case loses.
    pub(super) loss: f64,
    /// The shift by which cases of one cluster are lucky or unlucky together, and the number of cases
    /// per cluster.
    pub(super) luck: Option<(f64, usize)>,
    /// Set when the rows of the experiment name their cluster.
    pub(super) clustered: bool,
    /// The share of the cases that repeat their first attempt, so that attempts of one run go together.
    pub(super) alike: f64,
    /// Set for numbers instead of yes and no: how they scatter about the rate.
    pub(super) noise: Option<Noise>,
}

/// The distribution by which numbers scatter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    /// Normal noise with this standard deviation.
    Normal(f64),
    /// Log-normal noise below the rate: seldom large, and then far below.
    LongTail,
    /// Student's t with two degrees of freedom, times 0.1: its variance is infinite.
    Heavy,
}

impl Noise {
    fn draw(self, random: &mut SplitMix64) -> f64 {
        let normal = |random: &mut SplitMix64| {
            crate::stats::normal_quantile(random.fraction().clamp(1e-9, 1.0 - 1e-9))
        };
        match self {
            Self::Normal(sd) => sd * normal(random),
            Self::LongTail => -0.05 * normal(random).exp(),
            // Half of a chi-squared variable of two degrees of freedom is exponential.
            Self::Heavy => 0.1 * normal(random) / (-random.fraction().max(1e-9).ln()).sqrt(),
        }
    }
}

/// Returns the suite of the power table: mostly easy cases, some hard ones, a few that nearly always
/// fail.
pub(super) fn suite(n: usize) -> Vec<f64> {
    let rate = |at: usize| match at * 10 / n {
        0..7 => 0.98,
        7 | 8 => 0.7,
        _ => 0.2,
    };
    (0..n).map(rate).collect()
}

/// Returns the rates of cases that are all as uncertain as can be.
pub(super) fn coins(n: usize) -> Vec<f64> {
    vec![0.5; n]
}

impl World {
    /// Returns a world of rules about one yes-or-no evaluator, or several that err independently of
    /// each other.
    pub(super) fn new(gates: Vec<GateRule>, rates: Vec<f64>, repeats: u32) -> Self {
        let judge = |name: usize| Judge {
            name: name.to_string(),
            settings: String::new(),
            threshold: None,
            direction: Direction::Maximize,
            range: None,
            shape: Shape::Bool,
            reduce: Reducer::Mean,
            source: String::new(),
        };
        let evaluators = gates.iter().map(|rule| match rule.of() {
            Of::Evaluator(index) => index + 1,
            Of::Latency | Of::Errors => 0,
        });
        let judges = (0..evaluators.max().unwrap_or(0)).map(judge).collect();
        Self {
            rules: Rules { judges, require: Vec::new(), gates },
            rates,
            repeats: (repeats, repeats),
            damage: 0.0,
            loss: 0.0,
            luck: None,
            clustered: false,
            alike: 0.0,
            noise: None,
        }
    }

    /// Returns a world whose scores are numbers that have neither a threshold nor a range.
    pub(super) fn of_numbers(gates: Vec<GateRule>, n: usize, noise: Noise) -> Self {
        let mut world = Self::new(gates, vec![0.7; n], 1);
        for judge in &mut world.rules.judges {
            judge.shape = Shape::Number;
        }
        Self { noise: Some(noise), ..world }
    }

    pub(super) fn run(&self, rates: &[f64], repeats: u32, random: &mut SplitMix64) -> Vec<Case> {
        let mut luck = 0.0;
        let mut cases = Vec::with_capacity(rates.len());
        for (row, rate) in rates.iter().enumerate() {
            if let Some((size, _)) = self.luck.filter(|(_, members)| row.is_multiple_of(*members)) {
                luck = if random.next_u64() & 1 == 0 { size } else { -size };
            }
            let alike = random.fraction() < self.alike;
            let value = |random: &mut SplitMix64| match self.noise {
                None => ScoreValue::Bool(random.fraction() < rate + luck),
                Some(noise) => ScoreValue::Number(rate + luck + noise.draw(random)),
            };
            let mut attempt = |number| AttemptRecord {
                attempt: number,
                scores: self
                    .rules
                    .judges
                    .iter()
                    .map(|_| ScoreRecord { value: Some(value(random)), ..ScoreRecord::default() })
                    .collect(),
                ..AttemptRecord::default()
            };
            let mut attempts: Vec<AttemptRecord> = (1..=repeats).map(&mut attempt).collect();
            if alike {
                let first = attempts[0].scores.clone();
                for attempt in &mut attempts {
                    attempt.scores.clone_from(&first);
                }
            }
            let cluster = self.luck.filter(|_| self.clustered);
            let facts = RowFacts {
                row,
                row_hash: "row".to_owned(),
                cluster: cluster.map(|(_, members)| (row / members).to_string()),
                ..RowFacts::default()
            };
            cases.push(case::decide(&self.rules, facts, &attempts).0);
        }
        cases
    }

    /// Returns the verdict of the gate on one run after another.
    pub(super) fn gate(&self, before: &[Case], after: &[Case]) -> Verdict {
        let id = |row: usize| format!("{row:04}");
        let snapshot_of = |cases: &[Case]| {
            let cases = cases.iter().map(|case| (id(case.row), case));
            snapshot(&ExperimentRecord::default(), &self.rules, BTreeSet::new(), cases)
        };
        let file = String::new();
        let input = GateInput::new(&self.rules, &id, &id).compared_with(
            || Ok(Baseline { snapshot: snapshot_of(before), file }),
            || snapshot_of(after),
        );
        judge_gate(&input, "", after, None, false).verdict
    }

    /// Returns the share of trials in which the gate is red.
    pub(super) fn red(&self, trials: usize) -> f64 {
        let mut random = SplitMix64::new(7);
        let red = (0..trials).filter(|_| {
            let before = self.run(&self.rates, self.repeats.0, &mut random);
            let mut rates = self.rates.clone();
            for rate in &mut rates {
                *rate -= self.loss;
                if random.fraction() < self.damage {
                    *rate *= 0.3;
                }
            }
            let after = self.run(&rates, self.repeats.1, &mut random);
            self.gate(&before, &after) == Verdict::Fail
        });
        red.count() as f64 / trials as f64
    }

    /// Checks that the gate is red by chance at most as often as it promises.
    pub(super) fn is_quiet(&self, what: &str, trials: usize) {
        self.is_red_at_most(ALPHA, what, trials);
    }

    pub(super) fn is_red_at_most(&self, most: f64, what: &str, trials: usize) {
        let red = self.red(trials);
        eprintln!("{:5.1} % false red: {what}", red * 100.0);
        assert!(red <= most + error(most, trials), "{what}: {red}");
    }
}
