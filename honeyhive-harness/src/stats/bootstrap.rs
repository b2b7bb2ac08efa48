//! Intervals by resampling, and the generator behind them.

use super::interval::two_sided_level;
use super::{Interval, Method, quantile};

/// The `SplitMix64` generator (Steele, Lea and Flood 2014): 64 bits of state, every seed is good,
/// and the same seed gives the same numbers on every machine and in every version of this crate.
///
/// For resampling and permutations; not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that starts from `seed`; 0 is as good as any.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A random index below `len`, and 0 for a `len` of 0.
    ///
    /// The upper half of a 128-bit product (Lemire 2019) without its rejection step: indices differ
    /// in probability by less than `len` / 2^64.
    #[expect(clippy::cast_possible_truncation, reason = "the product is below len · 2^64")]
    pub fn index(&mut self, len: usize) -> usize {
        ((u128::from(self.next_u64()) * len as u128) >> 64) as usize
    }
}

/// The percentile bootstrap interval of any statistic (Efron 1979).
///
/// Draws `resamples` samples of the same size from `values`, with replacement, and takes the middle
/// `confidence` of what `statistic` makes of them, by nearest rank. `statistic` may reorder its
/// slice, for instance to sort it. Deterministic: the same `seed` gives the same interval.
///
/// Use at least 1,000 resamples for 95 %; the cost is `resamples` calls on samples of full size.
/// With few values the interval is too narrow (below about 20 clearly so), which is why
/// [`interval_of_mean`](super::interval_of_mean) and [`quantile_interval`](super::quantile_interval)
/// do not use it.
///
/// `None` below two values, without resamples, and when the statistic is not finite for one of the
/// samples: leaving such samples out would bias the rest.
pub fn bootstrap_interval(
    values: &[f64],
    statistic: impl Fn(&mut [f64]) -> f64,
    confidence: f64,
    seed: u64,
    resamples: usize,
) -> Option<Interval> {
    let level = two_sided_level(confidence);
    if values.len() < 2 || level.is_nan() {
        return None;
    }
    let mut random = SplitMix64::new(seed);
    let mut sample = vec![0.0; values.len()];
    let mut results = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        for slot in &mut sample {
            *slot = values[random.index(values.len())];
        }
        let result = statistic(&mut sample);
        if !result.is_finite() {
            return None;
        }
        results.push(result);
    }
    results.sort_unstable_by(f64::total_cmp);
    Some(Interval {
        low: quantile(&results, 1.0 - level)?,
        high: quantile(&results, level)?,
        method: Method::Bootstrap,
    })
}
