//! Quantiles of a sample, and the range a quantile could plausibly have.

use super::beta::incomplete_beta;
use super::interval::two_sided_level;
use super::{Interval, Method};

/// The nearest-rank quantile: the smallest value with at least a share `q` of the sample at or
/// below it, in other words the value of rank `⌈q·n⌉`, and of rank 1 for `q` = 0.
///
/// `sorted` is in ascending order. The answer is always one of the values, so that a latency can be
/// traced back to the case that had it. `None` for an empty sample and for a `q` outside 0 to 1.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let exact = q * sorted.len() as f64;
    // In binary, 0.95 × 20 may come out above 19, and must not become rank 20.
    let rank = (exact * (1.0 - 1e-12)).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the length")]
    let index = (rank as usize).saturating_sub(1);
    sorted.get(index).copied()
}

/// The nearest-rank median: [`quantile`] at 0.5, and so the lower of the two middle values of an
/// even number.
pub fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}

/// The two-sided interval of a quantile, free of assumptions about the distribution: the closest
/// two values of the sample such that the true quantile lies below the first, and above the second,
/// with at most half of the remaining probability each (David and Nagaraja, *Order Statistics*,
/// section 7.1).
///
/// `sorted` is in ascending order. The probabilities are exact sums of the binomial distribution, so
/// that the interval covers at least its confidence at every `n`; ties only add to that. It contains
/// [`quantile`] of the same `q`.
///
/// `None` when the sample is too small for one of the ends (the 95th percentile has a 95 % interval
/// from 73 values on, the median from 6), and for a `q` that is not strictly between 0 and 1.
pub fn quantile_interval(sorted: &[f64], q: f64, confidence: f64) -> Option<Interval> {
    let level = two_sided_level(confidence);
    if level.is_nan() || !(q > 0.0 && q < 1.0) {
        return None;
    }
    let n = sorted.len();
    let miss = 1.0 - level;
    // The value at index i is above the quantile when at most i values are below it.
    let safe_below = first_index(n, |index| at_most(index, n, q).0 > miss);
    let high = first_index(n, |index| at_most(index, n, q).1 <= miss);
    let low = safe_below.checked_sub(1)?;
    Some(Interval { low: *sorted.get(low)?, high: *sorted.get(high)?, method: Method::OrderStatistic })
}

/// Of `n` independent values, each below the quantile with probability `q`: the probability that at
/// most `count` are, and that more are.
fn at_most(count: usize, n: usize, q: f64) -> (f64, f64) {
    incomplete_beta((n - count) as f64, (count + 1) as f64, 1.0 - q, q)
}

/// The first index below `end` where a condition holds that stays true once it is; else `end`.
fn first_index(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
