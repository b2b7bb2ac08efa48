//! Implements certain curtailment: decides whether the verdict of a gate is known before all of its
//! cases ran.
//!
//! A plain limit on a mean of bounded scores is decided when the cases that are left cannot move the
//! mean across it: `mean(correct) >= 0.9` of 200 cases fails for certain after 21 misses, and holds for
//! certain after 180 hits. Each case that is left may score anything within the range, or nothing at all
//! (an evaluator that does not apply, an error), so the number of scores is not certain either; the
//! extremes are those of all of them at the best, and of all of them at the worst score.
//!
//! The gate fails for certain as soon as one rule does, and holds for certain when all do. Then
//! `stop = decided` starts no further case.

use crate::journal::{GateRecord, RuleRecord, StoppedRecord, Verdict};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::score::{Comparison, Judges};
use crate::text::{beside, count, number, thousands};

use super::case::{Case, Rules};
use super::counted::MIN_SCORED;
use super::evaluator::Judge;
use super::input::GateInput;
use super::judge::{Limit, sample};
use super::verdict::{gate_record, judge_all};

/// The tallies of all rules of a gate, over the cases that ran.
#[derive(Debug)]
pub(crate) struct Decided {
    tallies: Vec<Tally>,
}

/// The tally of one rule, over the cases that ran.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sum: f64,
    n: usize,
    /// The number of attempts that have a score, and of those that should have one.
    have: usize,
    want: usize,
}

/// The result of a rule that holds whatever the cases that are left score.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Certainty {
    /// The rule holds: the value cannot get worse than this.
    Holds(f64),
    /// The rule fails: the value cannot get better than this.
    Fails(f64),
    /// The rule may still hold or fail.
    Open,
}

impl Decided {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { tallies: vec![Tally::default(); rules.gates.len()] }
    }

    /// Adds a case that ran to its end.
    pub(crate) fn add(&mut self, rules: &Rules, case: &Case) {
        for (index, (rule, tally)) in rules.gates.iter().zip(&mut self.tallies).enumerate() {
            let Some(limit) = plain(rule).filter(|_| case.counts_for(index)) else { continue };
            let one = sample(limit, &[case]);
            tally.sum += one.values.iter().map(|(value, _)| value).sum::<f64>();
            tally.n += one.values.len();
            tally.have += one.have;
            tally.want += one.want;
        }
    }

    /// Returns the verdict that the gate has for certain while `left` cases have not ended; `None`
    /// while it may still pass or fail. It does not pass while a case that is left could fail by
    /// itself.
    pub(crate) fn verdict(&self, rules: &Rules, left: usize) -> Option<Verdict> {
        let certain = |index| self.certainty(rules, index, left);
        let mut all_hold = !rules.gates.is_empty();
        for index in 0..rules.gates.len() {
            match certain(index) {
                Certainty::Fails(_) => return Some(Verdict::Fail),
                Certainty::Holds(_) => {}
                Certainty::Open => all_hold = false,
            }
        }
        (all_hold && !others_judge(rules)).then_some(Verdict::Pass)
    }

    fn certainty(&self, rules: &Rules, index: usize, left: usize) -> Certainty {
        let (Some(rule), Some(tally)) = (rules.gates.get(index), self.tallies.get(index)) else {
            return Certainty::Open;
        };
        let limit = plain(rule);
        let range = limit.and_then(|limit| range(limit, &rules.judges));
        let (Some(limit), Some((low, high))) = (limit, range) else { return Certainty::Open };
        let scored = tally.have as f64 >= MIN_SCORED * tally.want as f64;
        let enough = tally.n >= usize::try_from(rule.min_n).unwrap_or(usize::MAX).max(1);
        if !scored || !enough {
            return Certainty::Open;
        }
        let cases = (tally.n + left) as f64;
        let mean = |rest: f64| (tally.sum + rest * left as f64) / cases;
        // The rounding error of a sum depends on its order.
        let slack = 8.0 * cases * f64::EPSILON * low.abs().max(high.abs()).max(1.0);
        let (worst, best, slack) = match limit.comparison {
            Comparison::AtLeast => (mean(low), mean(high), slack),
            Comparison::AtMost => (mean(high), mean(low), -slack),
        };
        if limit.comparison.holds(worst - slack, limit.at) {
            Certainty::Holds(worst)
        } else if limit.comparison.holds(best + slack, limit.at) {
            Certainty::Open
        } else {
            Certainty::Fails(best)
        }
    }
}

/// Returns the limit of a rule that can be decided before its last case; `None` for other rules.
fn plain(rule: &GateRule) -> Option<Limit> {
    match rule.test {
        Test::Limit { mode: Mode::Point, measure, of, comparison, limit }
            if matches!(measure, Measure::Mean | Measure::PassRate | Measure::ErrorRate) =>
        {
            Some(Limit { mode: Mode::Point, measure, of, comparison, at: limit })
        }
        _ => None,
    }
}

/// Returns the range of the values that a case can have, where they are bounded.
fn range(limit: Limit, judges: &[Judge]) -> Option<(f64, f64)> {
    let range = match (limit.of, limit.measure) {
        (Of::Latency, _) => None,
        (Of::Errors, _) | (_, Measure::PassRate) => Some((0.0, 1.0)),
        (Of::Evaluator(index), _) => judges.get(index)?.case_range(),
    };
    range.filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// Returns whether a case can fail although its gate holds: by a `require(..)`, or by an evaluator that
/// judges and that no rule takes over for all cases. Errors are not looked at: `error_rate` in the gate
/// does that.
pub(crate) fn others_judge(rules: &Rules) -> bool {
    let gated = |index| {
        rules
            .gates
            .iter()
            .any(|rule| rule.slice.is_none() && rule.takes_over() == Some(Of::Evaluator(index)))
    };
    let alone = |(index, judge): (usize, &Judge)| judge.judges() != Judges::Never && !gated(index);
    !rules.require.is_empty() || rules.judges.iter().enumerate().any(alone)
}

/// Judges the gate of an experiment on its cases, which are not all where it stopped before the last
/// one. `strict` makes a gate that cannot judge a failure.
pub(crate) fn judge_gate(
    input: &GateInput<'_>,
    experiment: &str,
    cases: &[Case],
    stopped: Option<StoppedRecord>,
    strict: bool,
) -> GateRecord {
    let rules = match stopped {
        Some(stopped) => judge_stopped(input, cases, stopped.not_run()),
        None => judge_all(input, cases),
    };
    GateRecord { stopped, ..gate_record(experiment, rules, input, strict) }
}

/// Judges a run that stopped: `cases` are those that ran, `left` the number of those that did not. A rule
/// that they do not decide for certain is inconclusive.
fn judge_stopped(input: &GateInput<'_>, cases: &[Case], left: usize) -> Vec<RuleRecord> {
    let rules = input.rules;
    let mut decided = Decided::new(rules);
    for case in cases {
        decided.add(rules, case);
    }
    let records = judge_all(input, cases);
    let all = rules.gates.iter().zip(records).enumerate();
    all.map(|(index, (rule, record))| {
        let certainty = decided.certainty(rules, index, left);
        stopped_rule(rule, record, certainty, (cases.len(), left))
    })
    .collect()
}

fn stopped_rule(
    rule: &GateRule,
    mut record: RuleRecord,
    certainty: Certainty,
    (ran, left): (usize, usize),
) -> RuleRecord {
    let (side, value) = match certainty {
        Certainty::Open => {
            let why = format!("not decided, as {} not run", were(left));
            if record.n == 0 {
                return RuleRecord::new(rule, Verdict::Inconclusive, &why);
            }
            record.verdict = Verdict::Inconclusive;
            record.text.push_str(&format!("; {why}"));
            return record;
        }
        Certainty::Holds(worst) => ("worst", worst),
        Certainty::Fails(best) => ("best", best),
    };
    let at = plain(rule).map_or(f64::NAN, |limit| limit.at);
    record.text.push_str(&format!(
        "; decided after {} of {}: whatever the others score, it is {} at {side}",
        thousands(ran),
        count(ran + left, "case"),
        beside(value, at, number)
    ));
    record
}

/// Counts cases, with the verb: `97 cases were`
fn were(cases: usize) -> String {
    format!("{} {}", count(cases, "case"), if cases == 1 { "was" } else { "were" })
}

/// Returns the fewest cases after which the gate of an experiment of `cases` cases can be decided: with
/// the worst scores, and with the best ones. `None` where that takes all of them.
#[cfg(feature = "cli")]
pub(crate) fn earliest(rules: &Rules, cases: usize) -> (Option<usize>, Option<usize>) {
    let after = |wanted: Verdict| {
        (1..cases).find(|ran| {
            let mut decided = Decided::new(rules);
            for (rule, tally) in rules.gates.iter().zip(&mut decided.tallies) {
                let Some(limit) = plain(rule) else { continue };
                let Some((low, high)) = range(limit, &rules.judges) else { continue };
                let good = (limit.comparison == Comparison::AtLeast) == (wanted == Verdict::Pass);
                *tally = Tally {
                    sum: *ran as f64 * if good { high } else { low },
                    n: *ran,
                    have: *ran,
                    want: *ran,
                };
            }
            decided.verdict(rules, cases - ran) == Some(wanted)
        })
    };
    (after(Verdict::Fail), after(Verdict::Pass))
}

#[cfg(test)]
mod tests;
