//! Computes quantiles of a sample, and their intervals.

use super::beta::incomplete_beta;
use super::interval::two_sided_level;
use super::{Interval, Method};

/// Returns the nearest-rank quantile: the smallest value with at least a share `q` of the sample at or
/// below it, in other words the value of rank `⌈q·n⌉`, and of rank 1 for `q` = 0.
///
/// `sorted` is in ascending order. The answer is always one of the values, so that a latency can be
/// traced back to the case that had it. Returns `None` for an empty sample and for a `q` outside 0 to 1.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let exact = q * sorted.len() as f64;
    // The product 0.95 × 20 may come out above 19 in binary, and must not become rank 20.
    let rank = (exact * (1.0 - 1e-12)).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the length")]
    let index = (rank as usize).saturating_sub(1);
    sorted.get(index).copied()
}

/// Returns the nearest-rank median: [`quantile`] at 0.5, and so the lower of the two middle values of an
/// even number.
pub fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}

/// Returns the two-sided interval of a quantile, free of assumptions about the distribution: the closest
/// two values of the sample such that the true quantile lies below the first, and above the second, with
/// at most half of the remaining probability each (David and Nagaraja, *Order Statistics*, section 7.1).
///
/// `sorted` is in ascending order. The probabilities are exact sums of the binomial distribution, so
/// that the interval covers at least its confidence at every `n`; ties only add to that. It contains
/// [`quantile`] of the same `q`.
///
/// Returns `None` when the sample is too small for one of the ends (the 95th percentile has a 95 %
/// interval from 72 values on, the median from 6), and for a `q` that is not strictly between 0 and 1.
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
    Some(Interval {
        low: *sorted.get(low)?,
        high: *sorted.get(high)?,
        method: Method::OrderStatistic,
    })
}

/// Returns the probabilities that at most `count` of `n` independent values are below the quantile, and
/// that more are, where each is below it with probability `q`.
fn at_most(count: usize, n: usize, q: f64) -> (f64, f64) {
    incomplete_beta((n - count) as f64, (count + 1) as f64, 1.0 - q, q)
}

/// Returns the first index below `end` where a condition holds that stays true once it is; else `end`.
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

#[cfg(test)]
mod tests {
    use super::super::SplitMix64;
    use super::*;

    fn ranks(n: u32) -> Vec<f64> {
        (1..=n).map(f64::from).collect()
    }

    #[test]
    fn nearest_rank() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.0), Some(7.0));
        assert_eq!(quantile(&[7.0], 1.0), Some(7.0));
        assert_eq!(median(&ranks(4)), Some(2.0));
        assert_eq!(median(&ranks(5)), Some(3.0));
        assert_eq!(quantile(&ranks(3), -0.1), None);
        assert_eq!(quantile(&ranks(3), 1.1), None);
        assert_eq!(quantile(&ranks(3), f64::NAN), None);
    }

    #[test]
    fn the_rank_of_a_percentage_is_that_of_whole_numbers() {
        for n in 1..=2000_u32 {
            let values = ranks(n);
            for percent in 0..=100_u32 {
                let rank = (percent * n).div_ceil(100).max(1);
                for q in [f64::from(percent) / 100.0, 1.0 - f64::from(100 - percent) / 100.0] {
                    assert_eq!(quantile(&values, q), Some(f64::from(rank)), "{percent} % of {n}");
                }
            }
        }
    }

    #[test]
    fn interval_matches_scipy() {
        // def ci(n, q, c): return scipy.stats.quantile_test(numpy.arange(1, n + 1), q=0, p=q).confidence_interval(c)
        for (n, q, c, low, high) in [
            (6, 0.5, 0.95, 1.0, 6.0),
            (10, 0.5, 0.95, 2.0, 9.0),
            (20, 0.5, 0.95, 6.0, 15.0),
            (72, 0.95, 0.95, 64.0, 72.0),
            (100, 0.95, 0.95, 90.0, 100.0),
            (100, 0.9, 0.99, 82.0, 98.0),
            (1000, 0.99, 0.95, 983.0, 997.0),
            (100_000, 0.5, 0.95, 49690.0, 50311.0),
            (100_000, 0.99, 0.99, 98918.0, 99081.0),
        ] {
            let want = Interval { low, high, method: Method::OrderStatistic };
            assert_eq!(quantile_interval(&ranks(n), q, c), Some(want), "{q} of {n}");
        }
    }

    #[test]
    fn too_small_for_an_end() {
        for (n, q) in [(0, 0.5), (5, 0.5), (71, 0.95), (367, 0.99)] {
            assert_eq!(quantile_interval(&ranks(n), q, 0.95), None, "{q} of {n}");
        }
        for (n, q) in [(6, 0.5), (72, 0.95), (368, 0.99)] {
            assert!(quantile_interval(&ranks(n), q, 0.95).is_some(), "{q} of {n}");
        }
        for (q, confidence) in
            [(0.0, 0.9), (1.0, 0.9), (f64::NAN, 0.9), (0.5, 1.0), (0.5, f64::NAN)]
        {
            assert_eq!(quantile_interval(&ranks(100), q, confidence), None);
        }
    }

    #[test]
    fn contains_the_estimate_and_covers_the_truth() {
        let mut random = SplitMix64::new(5);
        let mut covered = 0;
        for _ in 0..2000 {
            let mut values: Vec<f64> = (0..100).map(|_| random.index(1_000_000) as f64).collect();
            values.sort_by(f64::total_cmp);
            for q in [0.2, 0.5, 0.9] {
                let interval = quantile_interval(&values, q, 0.9).expect("100 values");
                let estimate = quantile(&values, q).expect("100 values");
                assert!(interval.low <= estimate && estimate <= interval.high);
                assert!(values.contains(&interval.low) && values.contains(&interval.high));
                if q > 0.8 {
                    covered += u32::from(interval.low <= 9e5 && 9e5 <= interval.high);
                }
            }
        }
        // The expected number is at least 1800, and 4 standard deviations are allowed below it.
        assert!(covered >= 1746, "{covered}");
    }
}
