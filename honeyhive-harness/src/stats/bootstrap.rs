//! Computes intervals by resampling, with a random number generator.

use super::interval::two_sided_level;
use super::{Interval, Method, quantile};

/// The `SplitMix64` generator (Steele, Lea and Flood 2014): 64 bits of state, every seed is good,
/// and the same seed gives the same numbers on every machine and in every version of this crate.
///
/// Use it for resampling and permutations, not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Creates a generator that starts from `seed`; 0 is as good as any other seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Returns a random number from 0 (included) to 1 (excluded).
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a random index below `len`, and 0 for a `len` of 0.
    ///
    /// Takes the upper half of a 128-bit product (Lemire 2019) without its rejection step: indices
    /// differ in probability by less than `len` / 2^64.
    #[expect(clippy::cast_possible_truncation, reason = "the product is below len · 2^64")]
    pub fn index(&mut self, len: usize) -> usize {
        ((u128::from(self.next_u64()) * len as u128) >> 64) as usize
    }
}

/// Computes the percentile bootstrap interval of any statistic (Efron 1979).
///
/// Draws `resamples` samples of the same size from `values`, with replacement, and takes the middle
/// `confidence` of what `statistic` makes of them, by nearest rank. `statistic` may reorder its slice,
/// for instance to sort it. The same `seed` gives the same interval.
///
/// Use at least 1,000 resamples for 95 %; the cost is `resamples` calls on samples of full size.
/// With few values the interval is too narrow (below about 20 clearly so), which is why
/// [`interval_of_mean`](super::interval_of_mean) and [`quantile_interval`](super::quantile_interval)
/// do not use it.
///
/// Equal values give an interval of width 0, although their mean is not certain: see
/// [`Spread::NoSpread`](super::Spread::NoSpread).
///
/// Returns `None` below two values, without resamples, and when the statistic is not finite for one of
/// the samples: leaving such samples out would bias the rest.
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

#[cfg(test)]
mod tests {
    use super::super::quantile::median;
    use super::super::{mean, t_interval};
    use super::*;

    const SCORES: [f64; 7] = [0.2, 0.9, 0.75, 0.6, 1.0, 0.35, 0.8];

    fn sorted_median(sample: &mut [f64]) -> f64 {
        sample.sort_by(f64::total_cmp);
        median(sample).expect("not empty")
    }

    fn sample_mean(sample: &mut [f64]) -> f64 {
        mean(sample).expect("not empty")
    }

    /// Checks the first numbers that the authors' C program prints for this seed.
    #[test]
    fn generator_matches_the_reference() {
        let mut random = SplitMix64::new(1_234_567);
        let numbers: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn indices_are_even_and_in_range() {
        let mut random = SplitMix64::new(0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.index(7)] += 1;
        }
        // 10,000 expected; 5 standard deviations are 463.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 463), "{counts:?}");
        assert_eq!(random.index(1), 0);
        assert_eq!(random.index(0), 0);
    }

    /// Checks intervals against a program in Python, with `splitmix(seed)` a generator of the numbers
    /// above: `r = splitmix(7)`,
    /// `sorted(stat([SCORES[next(r) * 7 >> 64] for _ in SCORES]) for _ in range(1000))`, of which
    /// elements 24 and 974.
    #[test]
    fn matches_an_independent_program() {
        // stat = statistics.median
        let interval =
            bootstrap_interval(&SCORES, sorted_median, 0.95, 7, 1000).expect("seven values");
        assert_eq!(interval, Interval { low: 0.35, high: 0.9, method: Method::Bootstrap });
        // stat = statistics.fmean
        let interval =
            bootstrap_interval(&SCORES, sample_mean, 0.95, 7, 1000).expect("seven values");
        assert!((interval.low - 0.457_142_857_142_857_2).abs() < 1e-12, "{interval:?}");
        assert!((interval.high - 0.85).abs() < 1e-12, "{interval:?}");
    }

    #[test]
    fn same_seed_same_interval() {
        let run = |seed| bootstrap_interval(&SCORES, sample_mean, 0.9, seed, 500);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn agrees_with_t_on_a_large_sample() {
        let mut random = SplitMix64::new(3);
        let values: Vec<f64> = (0..400).map(|_| random.index(1000) as f64).collect();
        let resampled = bootstrap_interval(&values, sample_mean, 0.95, 9, 2000).expect("spread");
        let exact = t_interval(&values, 0.95).expect("spread");
        let width = exact.high - exact.low;
        assert!((resampled.low - exact.low).abs() < width / 10.0, "{resampled:?} {exact:?}");
        assert!((resampled.high - exact.high).abs() < width / 10.0, "{resampled:?} {exact:?}");
    }

    #[test]
    fn nothing_to_resample() {
        assert_eq!(bootstrap_interval(&[], sample_mean, 0.95, 1, 100), None);
        assert_eq!(bootstrap_interval(&[1.0], sample_mean, 0.95, 1, 100), None);
        assert_eq!(bootstrap_interval(&SCORES, sample_mean, 0.95, 1, 0), None);
        assert_eq!(bootstrap_interval(&SCORES, sample_mean, 1.0, 1, 100), None);
        assert_eq!(bootstrap_interval(&SCORES, |_| f64::NAN, 0.95, 1, 100), None);
    }
}
