//! What a rule says of all cases.

use crate::journal::{RuleRecord, Verdict};
use crate::score::{Comparison, Shape};
use crate::stats::{self, Interval, Spread};
use crate::text::{count, number, seconds};

use super::case::{Case, CaseScore, Judge};
use super::rule::{GateRule, Measure, Mode, Of};

/// The confidence of every interval and bound.
const CONFIDENCE: f64 = 0.95;

/// Below this share of scored cases nothing can be said.
const MIN_SCORED: f64 = 0.95;

/// Evaluations of the bootstrap's statistic that a gate may cost.
const BOOTSTRAP_BUDGET: usize = 20_000_000;

/// What a rule looks at.
struct Sample {
    /// One value per unit, with the row it comes from.
    values: Vec<(f64, usize)>,
    /// Cases that have a value, and cases that should have one but have none.
    scored: usize,
    missing: usize,
    /// What a unit is called.
    unit: &'static str,
}

/// Judges one rule. `name` gives the name of a row.
pub(crate) fn judge(
    index: usize,
    rule: &GateRule,
    judges: &[Judge],
    cases: &[Case],
    name: &dyn Fn(usize) -> String,
) -> RuleRecord {
    let selected: Vec<&Case> = cases.iter().filter(|case| case.counts_for(index)).collect();
    let record =
        |verdict, value: Option<f64>, n, interval: Option<Interval>, text: String| RuleRecord {
            rule: rule.text.to_owned(),
            verdict,
            value,
            n,
            interval: interval.map(|interval| (interval.low, interval.high)),
            text: format!("{}: {text}", rule.text),
        };
    if selected.is_empty() {
        let slice = rule.slice.unwrap_or_default();
        let text =
            format!("no case is in the slice `{slice}`; check its spelling in metadata and tags");
        return record(Verdict::Fail, None, 0, None, text);
    }
    let sample = sample(rule, &selected);
    let n = sample.values.len();
    let wanted = sample.scored + sample.missing;
    let share = sample.scored as f64 / wanted as f64;
    if n == 0 {
        return record(Verdict::Inconclusive, None, 0, None, "no case was scored".to_owned());
    }
    if rule.measure == Measure::Stddev && n < 2 {
        let text = "one value has no spread; a standard deviation takes two".to_owned();
        return record(Verdict::Inconclusive, None, n, None, text);
    }
    let (value, interval, bounds) = compute(rule, judges, &sample.values);
    let show = |value: f64| if rule.of == Of::Latency { seconds(value) } else { number(value) };
    let mut text = format!("{}, n = {n}{}", show(value), sample.unit);
    match &interval {
        // Ends of resampled or ordered values that are all alike.
        Shown::Interval(interval) if interval.low >= interval.high => {
            text.push_str(", no spread");
        }
        Shown::Interval(interval) => {
            text.push_str(&format!(", 95 % {} to {}", show(interval.low), show(interval.high)));
        }
        Shown::NoSpread => text.push_str(", no spread"),
        Shown::None(why) => text.push_str(&format!(", {why}")),
    }
    let shown = match interval {
        Shown::Interval(interval) => Some(interval),
        _ => None,
    };
    if share < MIN_SCORED {
        let text = format!(
            "{text}; only {} of {} scored ({:.0} %, needs 95 %)",
            sample.scored,
            count(wanted, "case"),
            share * 100.0
        );
        return record(Verdict::Inconclusive, Some(value), n, shown, text);
    }
    let (tested, what) = match (rule.mode, rule.comparison, bounds) {
        (Mode::Point, ..) => (Some(value), None),
        (_, _, None) => (None, None),
        (Mode::Confident, Comparison::AtLeast, Some((low, _)))
        | (Mode::NotWorse, Comparison::AtMost, Some((low, _))) => (Some(low), Some("lower")),
        (Mode::Confident, Comparison::AtMost, Some((_, high)))
        | (Mode::NotWorse, Comparison::AtLeast, Some((_, high))) => (Some(high), Some("upper")),
    };
    let Some(tested) = tested else {
        text.push_str("; too few cases for a bound");
        return record(Verdict::Inconclusive, Some(value), n, shown, text);
    };
    if let Some(side) = what {
        text.push_str(&format!(", one-sided 95 % {side} bound {}", show(tested)));
    }
    let holds = rule.comparison.holds(tested, rule.limit);
    if let Some(worst) = worst(rule, &sample.values, &show, name) {
        text.push_str(&format!("; worst: {worst}"));
    }
    record(if holds { Verdict::Pass } else { Verdict::Fail }, Some(value), n, shown, text)
}

fn sample(rule: &GateRule, cases: &[&Case]) -> Sample {
    let mut sample =
        Sample { values: Vec::with_capacity(cases.len()), scored: 0, missing: 0, unit: "" };
    for case in cases {
        let before = sample.values.len();
        match rule.of {
            Of::Errors => match case.state {
                crate::journal::CaseState::Skipped => sample.missing += 1,
                _ => sample.values.push((f64::from(u8::from(case.is_error())), case.row)),
            },
            Of::Evaluator(evaluator) => match (case.scores[evaluator], rule.measure) {
                (CaseScore::NotApplicable, _) => {}
                (CaseScore::Missing, _) => sample.missing += 1,
                (CaseScore::Mean(_, judged), Measure::PassRate) => {
                    if let Some(good) = judged {
                        sample.values.push((f64::from(u8::from(good)), case.row));
                    }
                }
                (CaseScore::Mean(mean, _), _) => sample.values.push((mean, case.row)),
            },
            Of::Latency if case.latencies.is_empty() => sample.missing += 1,
            Of::Latency => match rule.measure {
                Measure::Mean | Measure::Median | Measure::Stddev => {
                    let mean = stats::mean(&case.latencies).unwrap_or_default();
                    sample.values.push((mean, case.row));
                }
                _ => {
                    sample.unit = if case.latencies.len() > 1 { " attempts" } else { sample.unit };
                    sample.values.extend(case.latencies.iter().map(|latency| (*latency, case.row)));
                }
            },
        }
        sample.scored += usize::from(sample.values.len() > before);
    }
    sample
}

/// The 95 % interval of a mean, within the values that there can be.
pub(crate) fn mean_interval(of: Of, judges: &[Judge], values: &[f64]) -> Spread {
    mean_interval_within(limits(of, judges), values)
}

/// As [`mean_interval`], for who knows the smallest and largest value.
pub(crate) fn mean_interval_within(limits: Option<(f64, f64)>, values: &[f64]) -> Spread {
    match (stats::interval_of_mean(values, CONFIDENCE), limits) {
        (Spread::Interval(interval), Some((low, high))) => Spread::Interval(Interval {
            low: interval.low.max(low),
            high: interval.high.min(high),
            ..interval
        }),
        (other, _) => other,
    }
}

/// Student's t knows nothing of the scale of what it is given: no latency is negative.
fn limits(of: Of, judges: &[Judge]) -> Option<(f64, f64)> {
    match of {
        Of::Latency => Some((0.0, f64::INFINITY)),
        Of::Errors => Some((0.0, 1.0)),
        Of::Evaluator(index) => match (judges[index].info.range, judges[index].info.shape) {
            (Some(range), _) => Some(range),
            (None, Shape::Bool) => Some((0.0, 1.0)),
            (None, _) => None,
        },
    }
}

/// The interval that goes with a value.
enum Shown {
    Interval(Interval),
    NoSpread,
    None(&'static str),
}

/// The value of the measure, its interval, and its one-sided bounds where it has them.
fn compute(
    rule: &GateRule,
    judges: &[Judge],
    pairs: &[(f64, usize)],
) -> (f64, Shown, Option<(f64, f64)>) {
    let mut values: Vec<f64> = pairs.iter().map(|(value, _)| *value).collect();
    let mean = stats::mean(&values).unwrap_or_default();
    match rule.measure {
        Measure::Mean | Measure::PassRate | Measure::ErrorRate => {
            // A one-sided bound at 95 % is the end of the two-sided interval at 90 %.
            let bounds = match stats::interval_of_mean(&values, 2.0 * CONFIDENCE - 1.0) {
                Spread::Interval(interval) => Some((interval.low, interval.high)),
                Spread::NoSpread { .. } => Some((mean, mean)),
                Spread::TooFew { .. } => None,
            };
            match mean_interval(rule.of, judges, &values) {
                Spread::Interval(interval) => (mean, Shown::Interval(interval), bounds),
                Spread::NoSpread { .. } => (mean, Shown::NoSpread, bounds),
                Spread::TooFew { .. } => {
                    (mean, Shown::None("too few cases for an interval"), bounds)
                }
            }
        }
        Measure::Min | Measure::Max => {
            let extreme = if rule.measure == Measure::Min { f64::min } else { f64::max };
            let value = values.iter().copied().reduce(extreme).unwrap_or_default();
            (value, Shown::None("an extreme has no interval"), None)
        }
        Measure::Stddev => {
            let value = stats::stddev(&values).unwrap_or_default();
            let resamples = (BOOTSTRAP_BUDGET / values.len().max(1)).clamp(200, 2000);
            let statistic = |sample: &mut [f64]| stats::stddev(sample).unwrap_or_default();
            match stats::bootstrap_interval(&values, statistic, CONFIDENCE, 0, resamples) {
                Some(interval) => (value, Shown::Interval(interval), None),
                None => (value, Shown::None("too few cases for an interval"), None),
            }
        }
        Measure::Median | Measure::P50 | Measure::P90 | Measure::P95 | Measure::P99 => {
            let q = match rule.measure {
                Measure::P90 => 0.90,
                Measure::P95 => 0.95,
                Measure::P99 => 0.99,
                _ => 0.50,
            };
            values.sort_unstable_by(f64::total_cmp);
            let value = stats::quantile(&values, q).unwrap_or_default();
            match stats::quantile_interval(&values, q, CONFIDENCE) {
                Some(interval) => (value, Shown::Interval(interval), None),
                None => (value, Shown::None("too few cases for an interval"), None),
            }
        }
    }
}

/// The three values that are furthest on the wrong side, with the names of their cases; none
/// where all are as good as the best.
fn worst(
    rule: &GateRule,
    values: &[(f64, usize)],
    show: &dyn Fn(f64) -> String,
    name: &dyn Fn(usize) -> String,
) -> Option<String> {
    let low_is_bad = rule.comparison == Comparison::AtLeast;
    let mut sorted: Vec<&(f64, usize)> = values.iter().collect();
    sorted.sort_by(|(a, row_a), (b, row_b)| {
        let order = if low_is_bad { a.total_cmp(b) } else { b.total_cmp(a) };
        order.then(row_a.cmp(row_b))
    });
    let best = sorted.last()?.0;
    // A case with several attempts is named once, for its worst.
    let mut named = Vec::new();
    sorted.retain(|(_, row)| {
        let first = named.len() < 3 && !named.contains(row);
        if first {
            named.push(*row);
        }
        first
    });
    let worst: Vec<String> = sorted
        .iter()
        .filter(|(value, _)| (value - best).abs() > f64::EPSILON)
        .map(|(value, row)| match rule.of {
            Of::Errors => name(*row),
            _ => format!("{} {}", name(*row), show(*value)),
        })
        .collect();
    (!worst.is_empty()).then(|| worst.join(", "))
}

#[cfg(test)]
mod tests;
