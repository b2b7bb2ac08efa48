//! Computes one-sided bounds of the mean of a gate's values.

use std::collections::BTreeMap;

use crate::rule::Of;
use crate::score::Comparison;
use crate::stats::{self, BoundedMean, Spread};
use crate::text::{count, number};

use super::case::Case;
use super::evaluator::Judge;

/// The key of values that count together; see [`Case::unit`].
type Unit<'a> = (Option<&'a str>, usize);

/// The values of a gate, prepared for the bounds of their mean.
pub(super) enum Bounds<'a> {
    /// Scores with a lowest and a highest value.
    Bounded {
        range: (f64, f64),
        /// The values, scaled to 0 to 1, and their distances from 1.
        values: BoundedMean,
        distances: BoundedMean,
        /// The values as they would be if all were the best possible.
        best: BoundedMean,
        units: usize,
        clustered: bool,
    },
    /// Numbers of any size, as values and their clusters.
    Free(Vec<(f64, Unit<'a>)>),
}

impl<'a> Bounds<'a> {
    /// Prepares the bounds of the mean. Returns `None` for numbers without a range that do not differ
    /// or are too few, since nothing bounds their mean.
    pub(super) fn new(of: Of, judges: &[Judge], values: &[(f64, &'a Case)]) -> Option<Self> {
        let range = match of {
            Of::Errors => Some((0.0, 1.0)),
            Of::Evaluator(index) => judges[index].case_range(),
            Of::Latency => None,
        };
        let Some((low, high)) = range.filter(|(low, high)| low < high) else {
            let free: Vec<_> = values.iter().map(|(value, case)| (*value, case.unit())).collect();
            let spread = stats::clustered_interval(&free, 0.9);
            return matches!(spread, Spread::Interval(_)).then_some(Self::Free(free));
        };
        let scaled = |value: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
        if values.iter().any(|(_, case)| case.cluster.is_some()) {
            let mut clusters: BTreeMap<Unit<'_>, (f64, usize)> = BTreeMap::new();
            for (value, case) in values {
                let sums = clusters.entry(case.unit()).or_default();
                *sums = (sums.0 + scaled(*value), sums.1 + 1);
            }
            let sums: Vec<(f64, usize)> = clusters.into_values().collect();
            let of = |sum: &dyn Fn(f64, usize) -> f64| {
                let all: Vec<_> =
                    sums.iter().map(|(one, size)| (sum(*one, *size), *size)).collect();
                BoundedMean::of_clusters(&all)
            };
            return Some(Self::Bounded {
                range: (low, high),
                values: of(&|sum, _| sum)?,
                distances: of(&|sum, size| size as f64 - sum)?,
                best: of(&|_, size| size as f64)?,
                units: sums.len(),
                clustered: true,
            });
        }
        let of = |value: &dyn Fn(f64) -> f64| {
            let all: Vec<f64> = values.iter().map(|(one, _)| value(scaled(*one))).collect();
            BoundedMean::of_cases(&all)
        };
        Some(Self::Bounded {
            range: (low, high),
            values: of(&|value| value)?,
            distances: of(&|value| 1.0 - value)?,
            best: of(&|_| 1.0)?,
            units: values.len(),
            clustered: false,
        })
    }

    pub(super) fn lower(&self, confidence: f64) -> f64 {
        match self {
            Self::Bounded { range: (low, high), values, .. } => {
                low + (high - low) * values.lower(confidence)
            }
            Self::Free(values) => free(values, confidence).0,
        }
    }

    pub(super) fn upper(&self, confidence: f64) -> f64 {
        match self {
            Self::Bounded { range: (low, high), distances, .. } => {
                high - (high - low) * distances.lower(confidence)
            }
            Self::Free(values) => free(values, confidence).1,
        }
    }

    /// Returns the smallest error probability at which even the better bound is on the wrong side of a
    /// limit.
    pub(super) fn p_beyond(&self, comparison: Comparison, limit: f64) -> f64 {
        match (self, comparison) {
            (Self::Bounded { range: (low, high), distances, .. }, Comparison::AtLeast) => {
                distances.p_not_above((high - limit) / (high - low))
            }
            (Self::Bounded { range: (low, high), values, .. }, Comparison::AtMost) => {
                values.p_not_above((limit - low) / (high - low))
            }
            (Self::Free(values), _) => p_of_free(values, comparison, limit),
        }
    }

    /// Returns the least that [`Self::p_beyond`] could be, had all values been the worst possible.
    pub(super) fn least_p(&self, comparison: Comparison, limit: f64) -> f64 {
        match (self, comparison) {
            (Self::Bounded { range: (low, high), best, .. }, Comparison::AtLeast) => {
                best.p_not_above((high - limit) / (high - low))
            }
            (Self::Bounded { range: (low, high), best, .. }, Comparison::AtMost) => {
                best.p_not_above((limit - low) / (high - low))
            }
            (Self::Free(_), _) => 0.0,
        }
    }

    /// Returns why a limit is out of reach for so few values, and how many it takes; `None` where it is
    /// not.
    pub(super) fn takes(&self, comparison: Comparison, limit: f64) -> Option<String> {
        let Self::Bounded { range: (low, high), best, units, clustered, .. } = self else {
            return None;
        };
        let wanted = match comparison {
            Comparison::AtLeast => (limit - low) / (high - low),
            Comparison::AtMost => (high - limit) / (high - low),
        };
        let reached = best.lower(0.95);
        if reached >= wanted || wanted >= 1.0 {
            return None;
        }
        let needed = if *clustered {
            stats::whole(0.05_f64.ln() / wanted.ln())
        } else {
            // z² / n falls below (1 - wanted) / wanted.
            stats::whole(1.644_853_626_951_472_2_f64.powi(2) * wanted / (1.0 - wanted))
        };
        let unit = if *clustered { "cluster" } else { "case" };
        let bound = match comparison {
            Comparison::AtLeast => low + (high - low) * reached,
            Comparison::AtMost => high - (high - low) * reached,
        };
        Some(format!(
            "{} {} not show more than {}, even if all are perfect; it takes {}",
            count(*units, unit),
            if *units == 1 { "does" } else { "do" },
            number(bound),
            count(needed, unit)
        ))
    }
}

fn free(values: &[(f64, Unit<'_>)], confidence: f64) -> (f64, f64) {
    match stats::clustered_interval(values, 2.0 * confidence - 1.0) {
        Spread::Interval(interval) => (interval.low, interval.high),
        Spread::NoSpread { .. } | Spread::TooFew { .. } => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

fn p_of_free(values: &[(f64, Unit<'_>)], comparison: Comparison, limit: f64) -> f64 {
    let fails = |confidence: f64| {
        let (low, high) = free(values, confidence);
        let bound = if comparison == Comparison::AtLeast { high } else { low };
        !comparison.holds(bound, limit)
    };
    let (mut low, mut high) = (0.5 + 1e-9, 1.0 - 1e-12);
    if !fails(low) {
        return 1.0;
    }
    if fails(high) {
        return 1.0 - high;
    }
    // 40 halvings determine the p to 12 digits.
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if fails(middle) { low = middle } else { high = middle }
    }
    1.0 - low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds<'a>(values: &[f64], cases: &'a [Case]) -> Option<Bounds<'a>> {
        let values: Vec<(f64, &Case)> = values.iter().copied().zip(cases).collect();
        Bounds::new(Of::Errors, &[], &values)
    }

    #[test]
    fn twenty_perfect_cases_say_how_many_it_takes() {
        let cases = vec![Case::of_row(0); 25];
        let perfect = bounds(&[0.0; 20], &cases).expect("bounds");
        let takes = perfect.takes(Comparison::AtMost, 0.1).expect("too few");
        assert!(takes.starts_with("20 cases do not show more than 0.119"), "{takes}");
        assert!(takes.ends_with("it takes 25 cases"), "{takes}");
        let one = bounds(&[0.0], &cases).expect("bounds");
        let one = one.takes(Comparison::AtMost, 0.1).expect("too few");
        assert!(one.starts_with("1 case does not show more than "), "{one}");
        assert_eq!(perfect.takes(Comparison::AtMost, 0.2), None);
        let enough = bounds(&[0.0; 25], &cases).expect("bounds");
        assert_eq!(enough.takes(Comparison::AtMost, 0.1), None);
    }
}
