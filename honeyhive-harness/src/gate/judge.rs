//! What a rule says of all cases.

use crate::journal::{RuleRecord, Verdict};
use crate::rule::{GateRule, Measure, Mode, Of};
use crate::score::Comparison;
use crate::stats::{self, Interval, Spread};
use crate::text::{beside, count, number, seconds};

use super::case::{Case, CaseScore};
use super::counted::Counted;
use super::evaluator::Judge;
use super::verdict::{Draft, MIN_SCORED, Scene};

/// The confidence of every interval and bound.
const CONFIDENCE: f64 = 0.95;

/// Evaluations of the bootstrap's statistic that a gate may cost.
const BOOTSTRAP_BUDGET: usize = 20_000_000;

/// A rule with a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) mode: Mode,
    pub(super) measure: Measure,
    pub(super) of: Of,
    pub(super) comparison: Comparison,
    pub(super) at: f64,
}

/// What a rule looks at.
#[derive(Default)]
struct Sample<'a> {
    /// One value per unit, with the case it comes from.
    values: Vec<(f64, &'a Case)>,
    /// Cases that have a value, and cases that should have one but have none.
    scored: usize,
    missing: usize,
    /// Cases that the evaluator does not apply to, and cases whose score says neither yes nor no.
    not_applicable: usize,
    not_judged: usize,
}

/// Judges a rule with a limit.
pub(super) fn judge(rule: &GateRule, limit: Limit, scene: &Scene<'_>, cases: &[&Case]) -> Draft {
    let record =
        |verdict, value: Option<f64>, n, interval: Option<Interval>, text: String| RuleRecord {
            value,
            n,
            interval: interval.map(|interval| (interval.low, interval.high)),
            ..RuleRecord::new(rule, verdict, &text)
        };
    let sample = sample(limit, cases);
    let n = sample.values.len();
    let wanted = sample.scored + sample.missing;
    let share = sample.scored as f64 / wanted as f64;
    let without = if limit.of == Of::Errors { "not run" } else { "without a score" };
    let rest = [
        (sample.not_applicable, "not applicable"),
        (sample.not_judged, "not judged"),
        (sample.missing, without),
    ];
    let counted = Counted { values: n, scored: sample.scored, cases: cases.len(), rest: &rest };
    if n == 0 {
        let text = match counted.too_few(rule.min_n) {
            Some(few) => format!("no case was scored, {few}"),
            None => format!("no case was scored, {}", counted.text()),
        };
        return Draft::without_test(record(Verdict::Inconclusive, None, 0, None, text));
    }
    if limit.measure == Measure::Stddev && n < 2 {
        let counted = counted.text();
        let text = format!("one value has no spread, {counted}; a standard deviation takes two");
        return Draft::without_test(record(Verdict::Inconclusive, None, n, None, text));
    }
    let (value, interval, bounds) = compute(limit, scene.judges(), &sample.values);
    let show = |value: f64| {
        if limit.of == Of::Latency {
            beside(value, limit.at, seconds)
        } else {
            beside(value, limit.at, number)
        }
    };
    if let Some(few) = counted.too_few(rule.min_n) {
        let text = format!("{}, {few}", show(value));
        return Draft::without_test(record(Verdict::Inconclusive, Some(value), n, None, text));
    }
    let mut text = format!("{}, {}", show(value), counted.text());
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
        return Draft::without_test(record(Verdict::Inconclusive, Some(value), n, shown, text));
    }
    let (tested, what) = match (limit.mode, limit.comparison, bounds) {
        (Mode::Point, ..) => (Some(value), None),
        (_, _, None) => (None, None),
        (Mode::Confident, Comparison::AtLeast, Some((low, _)))
        | (Mode::NotWorse, Comparison::AtMost, Some((low, _))) => (Some(low), Some("lower")),
        (Mode::Confident, Comparison::AtMost, Some((_, high)))
        | (Mode::NotWorse, Comparison::AtLeast, Some((_, high))) => (Some(high), Some("upper")),
    };
    let Some(tested) = tested else {
        text.push_str("; too few cases for a bound");
        return Draft::without_test(record(Verdict::Inconclusive, Some(value), n, shown, text));
    };
    if let Some(side) = what {
        text.push_str(&format!(", one-sided 95 % {side} bound {}", show(tested)));
    }
    let holds = limit.comparison.holds(tested, limit.at);
    let worst = worst(limit, &sample.values, &show, scene);
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    let mut draft = Draft::without_test(record(verdict, Some(value), n, shown, text));
    draft.tail = worst.map_or_else(String::new, |worst| format!("; worst: {worst}"));
    if limit.mode == Mode::NotWorse {
        draft.test = Some((p_of_bound(limit, &sample.values), 1.0 - CONFIDENCE));
    }
    draft
}

/// How often chance alone would put the mean so far on the wrong side of the limit: the smallest
/// error probability at which the bound still fails.
fn p_of_bound(limit: Limit, values: &[(f64, &Case)]) -> f64 {
    let fails = |confidence: f64| {
        let (low, high) = match spread(values, 2.0 * confidence - 1.0) {
            Spread::Interval(interval) => (interval.low, interval.high),
            Spread::NoSpread { .. } | Spread::TooFew { .. } => {
                let mean = mean_of(values);
                (mean, mean)
            }
        };
        let bound = if limit.comparison == Comparison::AtLeast { high } else { low };
        !limit.comparison.holds(bound, limit.at)
    };
    let (mut low, mut high) = (0.5 + 1e-9, 1.0 - 1e-12);
    if !fails(low) {
        return 1.0;
    }
    if fails(high) {
        return 1.0 - high;
    }
    // 40 halvings know it to 12 digits.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if fails(middle) { low = middle } else { high = middle }
    }
    1.0 - low
}

fn sample<'a>(limit: Limit, cases: &[&'a Case]) -> Sample<'a> {
    let mut sample = Sample { values: Vec::with_capacity(cases.len()), ..Sample::default() };
    for case in cases {
        let before = sample.values.len();
        match limit.of {
            Of::Errors => match case.state {
                crate::journal::CaseState::Skipped => sample.missing += 1,
                _ => sample.values.push((f64::from(u8::from(case.is_error())), *case)),
            },
            Of::Evaluator(evaluator) => match (case.scores[evaluator], limit.measure) {
                (CaseScore::NotApplicable, _) => sample.not_applicable += 1,
                (CaseScore::Missing, _) => sample.missing += 1,
                (CaseScore::Scored(scored), Measure::PassRate) => match scored.holds {
                    Some(good) => sample.values.push((f64::from(u8::from(good)), *case)),
                    None => sample.not_judged += 1,
                },
                (CaseScore::Scored(scored), _) => sample.values.push((scored.score, *case)),
            },
            Of::Latency if case.latencies.is_empty() => sample.missing += 1,
            Of::Latency => match limit.measure {
                Measure::Mean | Measure::Median | Measure::Stddev => {
                    let mean = stats::mean(&case.latencies).unwrap_or_default();
                    sample.values.push((mean, *case));
                }
                _ => {
                    sample.values.extend(case.latencies.iter().map(|latency| (*latency, *case)));
                }
            },
        }
        sample.scored += usize::from(sample.values.len() > before);
    }
    sample
}

/// The mean of case scores and what goes with it. Where cases have clusters, the cluster is the
/// unit of the interval, and a case without one is a cluster of its own.
fn spread(values: &[(f64, &Case)], confidence: f64) -> Spread {
    if values.iter().any(|(_, case)| case.cluster.is_some()) {
        let cluster = |case: &'_ Case| match &case.cluster {
            Some(cluster) => (Some(cluster.clone()), 0),
            None => (None, case.row),
        };
        let clustered: Vec<_> =
            values.iter().map(|(value, case)| (*value, cluster(case))).collect();
        return stats::clustered_interval(&clustered, confidence);
    }
    let values: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
    stats::interval_of_mean(&values, confidence)
}

fn mean_of(values: &[(f64, &Case)]) -> f64 {
    let values: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
    stats::mean(&values).unwrap_or_default()
}

/// The 95 % interval of a mean of case values, within the values that there can be.
pub(crate) fn mean_interval(of: Of, judges: &[Judge], values: &[(f64, &Case)]) -> Spread {
    match spread(values, CONFIDENCE) {
        Spread::Interval(interval) => Spread::Interval(within(of, judges, interval)),
        other => other,
    }
}

/// Student's t knows nothing of the scale of what it is given: no latency is negative.
fn within(of: Of, judges: &[Judge], interval: Interval) -> Interval {
    let (low, high) = match of {
        Of::Latency => (0.0, f64::INFINITY),
        Of::Errors => (0.0, 1.0),
        Of::Evaluator(index) => match judges[index].case_range() {
            Some(range) => range,
            None => return interval,
        },
    };
    Interval { low: interval.low.max(low), high: interval.high.min(high), ..interval }
}

/// The interval that goes with a value.
enum Shown {
    Interval(Interval),
    NoSpread,
    None(&'static str),
}

/// The value of the measure, its interval, and its one-sided bounds where it has them.
fn compute(
    limit: Limit,
    judges: &[Judge],
    pairs: &[(f64, &Case)],
) -> (f64, Shown, Option<(f64, f64)>) {
    let mut values: Vec<f64> = pairs.iter().map(|(value, _)| *value).collect();
    let mean = stats::mean(&values).unwrap_or_default();
    match limit.measure {
        Measure::Mean | Measure::PassRate | Measure::ErrorRate => {
            // A one-sided bound at 95 % is the end of the two-sided interval at 90 %.
            let bounds = match spread(pairs, 2.0 * CONFIDENCE - 1.0) {
                Spread::Interval(interval) => Some((interval.low, interval.high)),
                Spread::NoSpread { .. } => Some((mean, mean)),
                Spread::TooFew { .. } => None,
            };
            match mean_interval(limit.of, judges, pairs) {
                Spread::Interval(interval) => (mean, Shown::Interval(interval), bounds),
                Spread::NoSpread { .. } => (mean, Shown::NoSpread, bounds),
                Spread::TooFew { .. } => {
                    (mean, Shown::None("too few cases for an interval"), bounds)
                }
            }
        }
        Measure::Min | Measure::Max => {
            let extreme = if limit.measure == Measure::Min { f64::min } else { f64::max };
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
            let q = match limit.measure {
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
    limit: Limit,
    values: &[(f64, &Case)],
    show: &dyn Fn(f64) -> String,
    scene: &Scene<'_>,
) -> Option<String> {
    let low_is_bad = limit.comparison == Comparison::AtLeast;
    let mut sorted: Vec<&(f64, &Case)> = values.iter().collect();
    sorted.sort_by(|(a, case_a), (b, case_b)| {
        let order = if low_is_bad { a.total_cmp(b) } else { b.total_cmp(a) };
        order.then(case_a.row.cmp(&case_b.row))
    });
    let best = sorted.last()?.0;
    // A case with several attempts is named once, for its worst.
    let mut named = Vec::new();
    sorted.retain(|(_, case)| {
        let first = named.len() < 3 && !named.contains(&case.row);
        if first {
            named.push(case.row);
        }
        first
    });
    let worst: Vec<String> = sorted
        .iter()
        .filter(|(value, _)| (value - best).abs() > f64::EPSILON)
        .map(|(value, case)| match limit.of {
            Of::Errors => (scene.name)(case.row),
            _ => format!("{} ({})", (scene.name)(case.row), show(*value)),
        })
        .collect();
    (!worst.is_empty()).then(|| worst.join(", "))
}

#[cfg(test)]
mod tests;
