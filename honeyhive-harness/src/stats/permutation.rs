//! Tests by paired sign flips whether a difference between two runs of the same cases is more than
//! chance.
//!
//! The test makes no assumption about the distribution of scores, and keeps its error rate on a handful of
//! cases, where tests for large samples raise false alarms.

use super::mean_interval::ROUNDING;
use super::{Alternative, SplitMix64, mean};

/// The number of pairs up to which all flips are tried: `2^16` of them.
const MOST_EXACT: usize = 16;

/// The result of [`sign_flip_test`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// The probability of a mean difference at least as extreme, if nothing but chance had changed.
    pub p: f64,
    /// The mean difference, after minus before, over all pairs, in the unit of the values.
    pub statistic: f64,
    /// The number of pairs.
    pub n: usize,
    /// The number of pairs with a difference, on which the test is based.
    pub non_zero: usize,
    /// Set when all flips were tried, and not a random selection of them.
    pub exact: bool,
}

/// Performs the paired sign-flip permutation test of a mean difference (Fisher 1935; Good, *Permutation
/// Tests*), from one pair `(before, after)` per case.
///
/// If nothing had changed but chance, every difference could as well have had the opposite sign. The
/// p-value is the share of all such flips whose mean is at least as extreme, the one observed included.
/// Up to 16 pairs with a difference every flip is tried. Beyond, `flips` random ones are drawn from
/// `seed`, and p is `(extreme + 1) / (flips + 1)`: never 0, and never below what an exact test could
/// claim. With 10,000 flips, a p of 0.05 is known to within ±0.004. The cost is `flips` times the number
/// of pairs.
///
/// Pairs without a difference, and those where only rounding differs, do not count: flipping them
/// changes nothing. Without any difference p is 1. Sums that differ by rounding alone are ties, so
/// that the p of scores like 0.1 is that of whole numbers.
///
/// Give one pair per case, or with clusters one per cluster: pooled attempts of one case raise false
/// alarms.
///
/// Returns `None` without pairs, and when a difference is not finite.
///
/// ```
/// use honeyhive_harness::__private::stats::{Alternative, sign_flip_test};
///
/// let pairs = [(0.9, 0.7), (0.8, 0.5), (1.0, 0.9), (0.6, 0.6), (0.7, 0.3), (0.8, 0.7)];
/// let test = sign_flip_test(&pairs, Alternative::Less, 0, 10_000).unwrap();
/// // All five differences are drops, as one in 2^5 flips is.
/// assert_eq!((test.p, test.non_zero, test.exact), (1.0 / 32.0, 5, true));
/// ```
pub fn sign_flip_test(
    pairs: &[(f64, f64)],
    alternative: Alternative,
    seed: u64,
    flips: u32,
) -> Option<SignFlip> {
    let all: Vec<f64> = pairs.iter().map(|pair| difference(*pair)).collect();
    if !all.iter().all(|value| value.is_finite()) {
        return None;
    }
    let statistic = mean(&all)?;
    let largest = all.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    // The values are divided by the largest, so that no sum can leave the range of f64.
    let scaled: Vec<f64> =
        all.iter().filter(|value| **value != 0.0).map(|value| value / largest).collect();
    let observed: f64 = scaled.iter().sum();
    let tie = ROUNDING * scaled.iter().map(|value| value.abs()).sum::<f64>();
    let extreme = |sum: f64| match alternative {
        Alternative::Less => sum <= observed + tie,
        Alternative::Greater => sum >= observed - tie,
        Alternative::TwoSided => sum.abs() >= observed.abs() - tie,
    };
    let exact = scaled.len() <= MOST_EXACT;
    let p = if exact {
        let sums = sums_of_all_flips(&scaled);
        sums.iter().filter(|sum| extreme(**sum)).count() as f64 / sums.len() as f64
    } else {
        let mut random = SplitMix64::new(seed);
        let hits = (0..flips).filter(|_| extreme(sum_of_random_flip(&scaled, &mut random))).count();
        (hits as f64 + 1.0) / (f64::from(flips) + 1.0)
    };
    Some(SignFlip { p, statistic, n: pairs.len(), non_zero: scaled.len(), exact })
}

/// Returns after minus before, and exactly 0 where the two are averages of the same scores in another
/// order.
fn difference((before, after): (f64, f64)) -> f64 {
    let difference = after - before;
    let noise = ROUNDING * before.abs().max(after.abs());
    if noise.is_finite() && difference.abs() <= noise { 0.0 } else { difference }
}

fn sums_of_all_flips(values: &[f64]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(1 << values.len());
    sums.push(0.0);
    for value in values {
        for at in 0..sums.len() {
            sums.push(sums[at] - value);
            sums[at] += value;
        }
    }
    sums
}

/// Returns the sum of the values with random signs, one random bit per value.
fn sum_of_random_flip(values: &[f64], random: &mut SplitMix64) -> f64 {
    let mut sum = 0.0;
    for chunk in values.chunks(64) {
        let mut bits = random.next_u64();
        for value in chunk {
            sum += if bits & 1 == 0 { *value } else { -value };
            bits >>= 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::mcnemar;
    use super::*;

    const SIDES: [Alternative; 3] =
        [Alternative::Less, Alternative::Greater, Alternative::TwoSided];

    fn test(pairs: &[(f64, f64)], side: Alternative) -> SignFlip {
        sign_flip_test(pairs, side, 7, 10_000).expect("pairs")
    }

    fn assert_close(got: f64, want: f64, within: f64, what: &str) {
        assert!((got - want).abs() <= within, "{what}: {got} is not {want}");
    }

    /// Checks against `scipy.stats`: `d = numpy.subtract(after, before)`, `numpy.mean(d)`, and of the
    /// differences that are not 0
    /// `[scipy.stats.permutation_test((d[abs(d) > 1e-12],), numpy.mean, permutation_type="samples",
    /// n_resamples=numpy.inf, alternative=a).pvalue for a in ("less", "greater", "two-sided")]`.
    #[test]
    fn matches_scipy() {
        let before = [0.2, 0.9, 0.75, 0.6, 1.0, 0.35, 0.8, 0.5];
        let after = [0.3, 0.7, 0.75, 0.5, 0.6, 0.3, 0.85, 0.4];
        let tenths: Vec<_> = before.into_iter().zip(after).collect();
        let before = [0.0, 0.0, 1.0, 0.0, 0.5, 1.0, 0.0, 0.25, 0.75, 1.0, 0.0, 1.0];
        let after = [1.0, 0.5, 1.0, 0.25, 0.75, 1.0, 1.0, 0.5, 0.5, 0.75, 0.75, 1.0];
        let quarters: Vec<_> = before.into_iter().zip(after).collect();
        for (pairs, statistic, non_zero, want) in [
            (tenths, -0.0875, 7, [0.101_562_5, 0.945_312_5, 0.203_125]),
            (quarters, 0.291_666_666_666_666_7, 9, [0.988_281_25, 0.033_203_125, 0.066_406_25]),
        ] {
            for (side, want) in SIDES.into_iter().zip(want) {
                let got = test(&pairs, side);
                assert_close(got.p, want, 0.0, &format!("{side:?}"));
                assert_close(got.statistic, statistic, 1e-15, "mean");
                assert_eq!((got.n, got.non_zero, got.exact), (pairs.len(), non_zero, true));
            }
        }
    }

    /// Returns pairs of hits that became misses, and of misses that became hits.
    fn changed(better: usize, worse: usize) -> Vec<(f64, f64)> {
        [vec![(0.0, 1.0); better], vec![(1.0, 0.0); worse], vec![(1.0, 1.0); 3]].concat()
    }

    #[test]
    fn on_hits_and_misses_it_is_mcnemars_test() {
        for better in 0..=16_usize {
            for worse in 0..=16 - better {
                for side in SIDES {
                    let want = mcnemar(better as u64, worse as u64, side);
                    let what = format!("{better} {worse} {side:?}");
                    assert_close(test(&changed(better, worse), side).p, want, 1e-14, &what);
                }
            }
        }
        for (better, worse) in [(5, 12), (17, 0), (20, 20), (40, 60)] {
            for side in SIDES {
                let got = test(&changed(better, worse), side);
                let want = mcnemar(better as u64, worse as u64, side);
                // The tolerance is 4 standard deviations of a share of 10,000.
                let within = 4.0 * (want * (1.0 - want) / 1e4).sqrt() + 1e-4;
                assert!(!got.exact);
                assert_close(got.p, want, within, &format!("{better} {worse} {side:?}"));
            }
        }
    }

    #[test]
    fn rounding_is_no_difference_and_does_not_break_ties() {
        let noise = [(0.3, 0.1 + 0.2), (0.1 + 0.2, 0.3), (0.5, 0.5)];
        let got = test(&noise, Alternative::Less);
        assert_eq!((got.p.to_bits(), got.non_zero, got.exact), (1.0_f64.to_bits(), 0, true));
        assert_eq!(got.statistic.to_bits(), 0);
        // The differences 0.4 - 0.3, 0.9 - 0.8 and so on are four different numbers, all of them a
        // tenth.
        let tenths = [(0.3, 0.4), (0.8, 0.9), (0.2, 0.1), (0.7, 0.6)];
        let whole = [(3.0, 4.0), (8.0, 9.0), (2.0, 1.0), (7.0, 6.0)];
        for side in SIDES {
            assert_close(test(&tenths, side).p, test(&whole, side).p, 0.0, "tenths");
        }
    }

    #[test]
    fn seeds_and_flips() {
        let pairs: Vec<(f64, f64)> = (0..40).map(|at| (f64::from(at % 7), 3.2)).collect();
        let run = |seed, flips| sign_flip_test(&pairs, Alternative::Greater, seed, flips);
        assert_eq!(run(1, 500), run(1, 500));
        assert_ne!(run(1, 500), run(2, 500));
        let p = |found: Option<SignFlip>| found.expect("pairs").p;
        assert_close(p(run(1, 0)), 1.0, 0.0, "no flips");
        let all_better = vec![(0.0, 1.0); 100];
        let smallest = sign_flip_test(&all_better, Alternative::Greater, 1, 999);
        assert_close(p(smallest), 0.001, 0.0, "never 0");
    }

    #[test]
    fn the_sixteenth_pair_is_exact_and_the_seventeenth_is_not() {
        let pairs: Vec<(f64, f64)> = (1..=17).map(|at| (0.0, f64::from(at))).collect();
        let exact = test(&pairs[..16], Alternative::Greater);
        assert_close(exact.p, 0.5_f64.powi(16), 0.0, "exact");
        assert!(exact.exact && !test(&pairs, Alternative::Greater).exact);
    }

    #[test]
    fn nothing_to_compare_and_extremes() {
        for pairs in [&[][..], &[(f64::NAN, 1.0)], &[(0.0, f64::INFINITY)], &[(f64::MIN, f64::MAX)]]
        {
            assert_eq!(sign_flip_test(pairs, Alternative::Less, 0, 100), None, "{pairs:?}");
        }
        for scale in [f64::MIN_POSITIVE, 1e-300, f64::MAX] {
            let pairs = [(0.0, scale), (0.0, scale), (0.0, scale)];
            assert_close(test(&pairs, Alternative::Greater).p, 0.125, 0.0, "scale");
        }
    }
}
