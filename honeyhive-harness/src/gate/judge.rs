//! Judges a rule with a limit on the values of all cases.

use crate::journal::{RuleRecord, Verdict};
use crate::rule::{GateRule, Measure, Mode, Of};
use crate::score::Comparison;
use crate::stats::{self, Interval, Spread};
use crate::text::{beside, count, number, seconds, thousands};

use super::bounds::Bounds;
use super::case::{Case, CaseScore};
use super::correct::{Corrected, Draft, Group, Tested};
use super::counted::{Counted, MIN_SCORED};
use super::evaluator::Judge;
use super::input::GateInput;

/// The confidence of every interval and bound.
const CONFIDENCE: f64 = 0.95;

/// The highest probability that a bound is wrong.
const ALPHA: f64 = 1.0 - CONFIDENCE;

/// The number of values that the bootstrap of a rule may draw, before it makes fewer resamples.
const BOOTSTRAP_BUDGET: usize = 20_000_000;

/// The limit of a rule, and the value that it limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) mode: Mode,
    pub(super) measure: Measure,
    pub(super) of: Of,
    pub(super) comparison: Comparison,
    pub(super) at: f64,
}

impl Limit {
    /// Returns whether the measure is a mean, which has bounds.
    fn has_bounds(self) -> bool {
        matches!(self.measure, Measure::Mean | Measure::PassRate | Measure::ErrorRate)
    }
}

/// The values that a rule is about.
#[derive(Default)]
pub(super) struct Sample<'a> {
    /// The values, one per unit, each with the case it comes from.
    pub(super) values: Vec<(f64, &'a Case)>,
    /// The number of cases that have a value, and of those that should have one but have none.
    scored: usize,
    missing: usize,
    /// The number of attempts that have a value, and of those that should have one, so that failed
    /// attempts count even where others of their case have a score.
    pub(super) have: usize,
    pub(super) want: usize,
    /// The number of cases that the evaluator does not apply to, and of those whose score says
    /// neither yes nor no.
    not_applicable: usize,
    not_judged: usize,
}

/// Judges a rule with a limit.
#[expect(clippy::too_many_lines, reason = "one verdict, step by step")]
pub(super) fn judge<'a>(
    rule: &'a GateRule,
    limit: Limit,
    input: &GateInput<'_>,
    cases: &[&Case],
) -> Draft<'a> {
    let record =
        |verdict, value: Option<f64>, n, interval: Option<Interval>, text: String| RuleRecord {
            value,
            n,
            interval: interval.map(|interval| (interval.low, interval.high)),
            ..RuleRecord::new(rule, verdict, &text)
        };
    let sample = sample(limit, cases);
    let n = sample.values.len();
    let (have, wanted) = (sample.have, sample.want);
    let share = have as f64 / wanted as f64;
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
        return Draft::Said(record(Verdict::Inconclusive, None, 0, None, text));
    }
    if limit.measure == Measure::Stddev && n < 2 {
        let counted = counted.text();
        let text = format!("one value has no spread, {counted}; a standard deviation takes two");
        return Draft::Said(record(Verdict::Inconclusive, None, n, None, text));
    }
    let (value, interval) = compute(limit, input.judges(), &sample.values);
    let show = |value: f64| {
        if limit.of == Of::Latency {
            beside(value, limit.at, seconds)
        } else {
            beside(value, limit.at, number)
        }
    };
    if let Some(few) = counted.too_few(rule.min_n) {
        let text = format!("{}, {few}", show(value));
        return Draft::Said(record(Verdict::Inconclusive, Some(value), n, None, text));
    }
    let mut text = format!("{}, {}", show(value), counted.text());
    match &interval {
        // Resampled or ordered values that are all alike give an interval without width.
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
        let unit = if wanted > cases.len() { "attempt" } else { "case" };
        let text = format!(
            "{text}; only {} of {} scored ({:.0} %, needs 95 %)",
            thousands(have),
            count(wanted, unit),
            share * 100.0
        );
        return Draft::Said(record(Verdict::Inconclusive, Some(value), n, shown, text));
    }
    let worst = worst(limit, &sample.values, &show, input);
    let tail = worst.map_or_else(String::new, |worst| format!("; worst: {worst}"));
    if limit.mode == Mode::Point {
        let holds = limit.comparison.holds(value, limit.at);
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        return Draft::Said(record(verdict, Some(value), n, shown, text + &tail));
    }
    let bounds = limit.has_bounds().then(|| Bounds::new(limit.of, input.judges(), &sample.values));
    let Some(bounds) = bounds.flatten() else {
        text.push_str(
            "; the values do not differ and have no `range(..)`, or are too few, so nothing bounds \
             their mean",
        );
        return Draft::Said(record(Verdict::Inconclusive, Some(value), n, shown, text));
    };
    let wants_lower = (limit.mode == Mode::Confident) == (limit.comparison == Comparison::AtLeast);
    let (bound, side) = if wants_lower {
        (bounds.lower(CONFIDENCE), "lower")
    } else {
        (bounds.upper(CONFIDENCE), "upper")
    };
    text.push_str(&format!(", one-sided 95 % {side} bound {}", show(bound)));
    let holds = limit.comparison.holds(bound, limit.at);
    if limit.mode == Mode::Confident {
        if let (false, Some(takes)) = (holds, bounds.takes(limit.comparison, limit.at)) {
            text.push_str(&format!("; {takes}"));
        }
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        return Draft::Said(record(verdict, Some(value), n, shown, text + &tail));
    }
    // The bound decides. Its p is computed on another grid, so it is kept on the same side of
    // alpha.
    let p = bounds.p_beyond(limit.comparison, limit.at);
    let p = if holds { p.max(ALPHA + 1e-9) } else { p.min(ALPHA) };
    let least = bounds.least_p(limit.comparison, limit.at);
    let draft = record(Verdict::Pass, Some(value), n, shown, text);
    let finish = move |corrected: &Corrected| {
        let mut record = draft;
        let fails = corrected.p <= corrected.alpha;
        if corrected.least > corrected.alpha {
            record.verdict = Verdict::Inconclusive;
            record.text.push_str(
                "; so few values cannot show that the limit is missed, however bad they are",
            );
        } else if fails {
            record.verdict = Verdict::Fail;
        }
        if corrected.tests > 1 && !holds {
            record.text.push_str(&format!(", {}", corrected.shown()));
        }
        record.text.push_str(&tail);
        record
    };
    Draft::Tested(Tested {
        group: Group::Limit,
        alone: p,
        p,
        least,
        better: None,
        alpha: ALPHA,
        jointly: Vec::new(),
        finish: Box::new(finish),
    })
}

/// Collects the values that a limit is about from the cases.
pub(super) fn sample<'a>(limit: Limit, cases: &[&'a Case]) -> Sample<'a> {
    let mut sample = Sample { values: Vec::with_capacity(cases.len()), ..Sample::default() };
    for case in cases {
        let before = sample.values.len();
        let made = case.attempts.max(1) as usize;
        let (mut missing, mut have, mut want) = (0, 0, 0);
        match limit.of {
            Of::Errors if !case.has_run() => {
                (missing, want) = (1, made);
            }
            Of::Errors => {
                sample.values.push((f64::from(u8::from(case.is_error())), *case));
                (have, want) = (made, made);
            }
            Of::Evaluator(evaluator) => match (case.scores[evaluator], limit.measure) {
                (CaseScore::NotApplicable, _) => sample.not_applicable += 1,
                (CaseScore::Missing, _) => (missing, want) = (1, made),
                (CaseScore::Scored(scored), measure) => {
                    have = scored.attempts as usize;
                    want = have + scored.missing as usize;
                    match (measure, scored.holds) {
                        (Measure::PassRate, None) => sample.not_judged += 1,
                        (Measure::PassRate, Some(good)) => {
                            sample.values.push((f64::from(u8::from(good)), *case));
                        }
                        _ => sample.values.push((scored.score, *case)),
                    }
                }
            },
            Of::Latency if case.latencies.is_empty() => (missing, want) = (1, made),
            Of::Latency => {
                (have, want) = (case.latencies.len(), made.max(case.latencies.len()));
                match limit.measure {
                    Measure::Mean | Measure::Median | Measure::Stddev => {
                        let mean = stats::mean(&case.latencies).unwrap_or_default();
                        sample.values.push((mean, *case));
                    }
                    _ => {
                        let all = case.latencies.iter().map(|latency| (*latency, *case));
                        sample.values.extend(all);
                    }
                }
            }
        }
        sample.scored += usize::from(sample.values.len() > before);
        sample.missing += missing;
        sample.have += have;
        sample.want += want;
    }
    sample
}

/// Returns the mean of case scores with its interval. Where cases have clusters, the cluster is the
/// unit of the interval, and a case without one is a cluster of its own.
fn spread(values: &[(f64, &Case)], confidence: f64) -> Spread {
    if values.iter().any(|(_, case)| case.cluster.is_some()) {
        let clustered: Vec<_> = values.iter().map(|(value, case)| (*value, case.unit())).collect();
        return stats::clustered_interval(&clustered, confidence);
    }
    let values: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
    stats::interval_of_mean(&values, confidence)
}

/// Returns the 95 % interval of a mean of case values, cut to the range of possible values.
pub(crate) fn mean_interval(of: Of, judges: &[Judge], values: &[(f64, &Case)]) -> Spread {
    match spread(values, CONFIDENCE) {
        Spread::Interval(interval) => Spread::Interval(within(of, judges, interval)),
        other => other,
    }
}

/// Cuts an interval to the range of possible values, which Student's t knows nothing of: no latency
/// is negative.
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

/// The interval of a value, or the reason why there is none.
enum Shown {
    Interval(Interval),
    NoSpread,
    None(&'static str),
}

/// Computes the value of the measure and its interval.
fn compute(limit: Limit, judges: &[Judge], pairs: &[(f64, &Case)]) -> (f64, Shown) {
    let mut values: Vec<f64> = pairs.iter().map(|(value, _)| *value).collect();
    let mean = stats::mean(&values).unwrap_or_default();
    match limit.measure {
        Measure::Mean | Measure::PassRate | Measure::ErrorRate => {
            match mean_interval(limit.of, judges, pairs) {
                Spread::Interval(interval) => (mean, Shown::Interval(interval)),
                Spread::NoSpread { .. } => (mean, Shown::NoSpread),
                Spread::TooFew { .. } => (mean, Shown::None("too few cases for an interval")),
            }
        }
        Measure::Min | Measure::Max => {
            let extreme = if limit.measure == Measure::Min { f64::min } else { f64::max };
            let value = values.iter().copied().reduce(extreme).unwrap_or_default();
            (value, Shown::None("an extreme has no interval"))
        }
        Measure::Stddev => {
            let value = stats::stddev(&values).unwrap_or_default();
            let resamples = (BOOTSTRAP_BUDGET / values.len().max(1)).clamp(200, 2000);
            let statistic = |sample: &mut [f64]| stats::stddev(sample).unwrap_or_default();
            match stats::bootstrap_interval(&values, statistic, CONFIDENCE, 0, resamples) {
                Some(interval) => (value, Shown::Interval(interval)),
                None => (value, Shown::None("too few cases for an interval")),
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
                Some(interval) => (value, Shown::Interval(interval)),
                None => (value, Shown::None("too few cases for an interval")),
            }
        }
    }
}

/// Describes the three values that are furthest on the wrong side, with the names of their cases;
/// returns `None` where all are as good as the best.
fn worst(
    limit: Limit,
    values: &[(f64, &Case)],
    show: &dyn Fn(f64) -> String,
    input: &GateInput<'_>,
) -> Option<String> {
    let low_is_bad = limit.comparison == Comparison::AtLeast;
    let mut sorted: Vec<&(f64, &Case)> = values.iter().collect();
    sorted.sort_by(|(a, case_a), (b, case_b)| {
        let order = if low_is_bad { a.total_cmp(b) } else { b.total_cmp(a) };
        order.then(case_a.row.cmp(&case_b.row))
    });
    let best = sorted.last()?.0;
    // A case with several attempts is named once, for its worst attempt.
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
            Of::Errors => (input.name)(case.row),
            _ => format!("{} ({})", (input.name)(case.row), show(*value)),
        })
        .collect();
    (!worst.is_empty()).then(|| worst.join(", "))
}

#[cfg(test)]
mod tests;
