//! Tests whether hits became misses more often than misses became hits, in pairs.

use super::Alternative;
use super::beta::incomplete_beta;

/// Returns the exact p-value of `McNemar`'s test (Psychometrika 12, 1947), from the numbers of pairs
/// that changed.
///
/// `better` pairs went from miss to hit, `worse` ones from hit to miss; pairs that stayed the same
/// carry no information about the direction and are not asked for. If nothing had changed but
/// chance, each direction would be as likely, so that `better` would be binomial with probability
/// 1/2. [`Alternative::Less`] asks whether hits became fewer, that is `better` too small for chance.
/// The two-sided p is twice the smaller one-sided p, at most 1.
///
/// The test takes one value per case: attempts of one case are not independent pairs. It takes at least
/// 5 changed pairs, all in one direction, to get to a one-sided 0.05. Without any changed pair p is 1.
///
/// The test is the same as `sign_flip_test` on hits and misses, but exact for
/// any number of pairs.
///
/// ```
/// use honeyhive_harness::stats::{Alternative, mcnemar};
///
/// // Five cases broke, none was mended.
/// assert_eq!(mcnemar(0, 5, Alternative::Less), 1.0 / 32.0);
/// assert_eq!(mcnemar(0, 5, Alternative::TwoSided), 2.0 / 32.0);
/// ```
pub fn mcnemar(better: u64, worse: u64, alternative: Alternative) -> f64 {
    match alternative {
        Alternative::Less => at_least(worse, better),
        Alternative::Greater => at_least(better, worse),
        Alternative::TwoSided => (2.0 * at_least(better.max(worse), better.min(worse))).min(1.0),
    }
}

/// Returns the probability of at least `heads` in `heads + tails` throws of a fair coin.
fn at_least(heads: u64, tails: u64) -> f64 {
    match (heads, tails) {
        (0, _) => 1.0,
        // A power of 0.5 has no rounding error, as in examples that people compute by hand.
        (heads, 0) => 0.5_f64.powi(i32::try_from(heads).unwrap_or(i32::MAX)),
        (heads, tails) => incomplete_beta(heads as f64, tails as f64 + 1.0, 0.5, 0.5).0,
    }
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    const SIDES: [Alternative; 3] =
        [Alternative::Less, Alternative::Greater, Alternative::TwoSided];

    #[test]
    fn matches_scipy() {
        // [scipy.stats.binomtest(better, better + worse, alternative=a).pvalue
        //  for a in ("less", "greater", "two-sided")]
        for (better, worse, want) in [
            (1, 0, [1.0, 0.5, 1.0]),
            (5, 0, [1.0, 0.03125, 0.0625]),
            (0, 5, [0.03125, 1.0, 0.0625]),
            (3, 3, [0.65625, 0.65625, 1.0]),
            (2, 9, [0.03271484375, 0.994140625, 0.0654296875]),
            (40, 60, [0.028443966820490444, 0.9823998998911476, 0.05688793364098089]),
            (5100, 4900, [0.9777871004769597, 0.023292763852473225, 0.04658552770494645]),
            (500_000, 501_500, [0.0670825833420571, 0.9331766944162169, 0.1341651666841142]),
        ] {
            for (side, want) in SIDES.into_iter().zip(want) {
                let got = mcnemar(better, worse, side);
                assert!((got / want - 1.0).abs() < 1e-10, "{better} {worse} {side:?}: {got}");
            }
        }
    }

    #[test]
    fn is_the_sum_of_the_binomial_distribution() {
        for n in 1..=60_u32 {
            let mut term = 0.5_f64.powi(n.cast_signed());
            let mut at_most = 0.0;
            for better in 0..=n {
                at_most += term;
                let got = mcnemar(u64::from(better), u64::from(n - better), Alternative::Less);
                assert!((got / at_most - 1.0).abs() < 1e-11, "{better} of {n}: {got} {at_most}");
                term *= f64::from(n - better) / f64::from(better + 1);
            }
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "exact by definition")]
    fn ends() {
        for side in SIDES {
            assert_eq!(mcnemar(0, 0, side), 1.0);
            assert!((0.0..=1.0).contains(&mcnemar(u64::MAX, u64::MAX, side)));
        }
        assert_eq!(mcnemar(u64::MAX, 0, Alternative::Greater), 0.0);
        assert_eq!(mcnemar(0, u64::MAX, Alternative::TwoSided), 0.0);
    }
}
