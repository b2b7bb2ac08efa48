//! Estimates from repeated attempts what fewer of them would give: pass@k and pass^k.

/// Returns pass@k: the probability that at least one of `k` attempts passes, estimated from `passed` out
/// of `attempts` (Chen et al. 2021, *Evaluating Large Language Models Trained on Code*).
///
/// The value is `1 - C(n - c, k) / C(n, k)` for `c` passes out of `n`: the share of all choices of `k` attempts
/// with a pass among them. It is unbiased, unlike `1 - (1 - c/n)^k`, which is too low. It is the value
/// of one case; a suite's is the mean over its cases.
///
/// Returns `None` unless `1 <= k <= attempts` and `passed <= attempts`: fewer attempts than `k` cannot
/// tell. Relative error is below 1e-11 for up to a million attempts.
///
/// ```
/// use honeyhive_harness::__private::stats::pass_at_k;
///
/// // 3 of 10 attempts passed; 21 of the 252 choices of 5 have none of them.
/// let estimate = pass_at_k(10, 3, 5).unwrap();
/// assert!((estimate - (1.0 - 21.0 / 252.0)).abs() < 1e-12);
/// assert_eq!(pass_at_k(10, 3, 11), None);
/// ```
pub fn pass_at_k(attempts: u32, passed: u32, k: u32) -> Option<f64> {
    let possible = (1..=attempts).contains(&k) && passed <= attempts;
    // `0 -` and not a minus sign, which would make -0 of a 0.
    possible.then(|| 0.0 - log_share_without(attempts, passed, k).exp_m1())
}

/// Returns pass^k: the probability that all of `k` attempts pass, estimated from `passed` out of
/// `attempts` (Yao et al. 2024, *τ-bench*).
///
/// The value is `C(c, k) / C(n, k)` for `c` passes out of `n`: the share of all choices of `k` attempts that
/// passed throughout. It is unbiased, unlike `(c/n)^k`, which is too high. It is the value of one case;
/// a suite's is the mean over its cases.
///
/// Returns `None` in the same cases as [`pass_at_k`]. The relative error is the same, down to 1e-300.
///
/// ```
/// use honeyhive_harness::__private::stats::pass_hat_k;
///
/// // 8 of 10 attempts passed: 28 of the 45 pairs of attempts did.
/// let estimate = pass_hat_k(10, 8, 2).unwrap();
/// assert!((estimate - 28.0 / 45.0).abs() < 1e-12);
/// assert_eq!(pass_hat_k(10, 1, 2), Some(0.0));
/// ```
pub fn pass_hat_k(attempts: u32, passed: u32, k: u32) -> Option<f64> {
    let possible = (1..=attempts).contains(&k) && passed <= attempts;
    possible.then(|| log_share_without(attempts, attempts - passed, k).exp())
}

/// Returns `ln(C(n - marked, k) / C(n, k))`: of all choices of `k` out of `n`, the share with nothing
/// marked in it.
///
/// The value is computed from logarithms of ratios below 1, because binomial coefficients leave the range of
/// `f64` from 1030 attempts on, and the share itself loses its digits next to 0 and 1.
fn log_share_without(n: u32, marked: u32, k: u32) -> f64 {
    /// The logarithm whose exponential is 0.
    const NOTHING: f64 = -800.0;
    if marked > n - k {
        return f64::NEG_INFINITY;
    }
    // Choices and marks can change places, and the shorter product is more precise.
    let (factors, avoided) = (marked.min(k), marked.max(k));
    let mut log = 0.0;
    for taken in 0..factors {
        let among = n - taken;
        let (hit, miss) = (f64::from(avoided), f64::from(among - avoided));
        // The factor is computed from whichever of the two shares keeps the digits.
        log += if hit < miss {
            (-hit / f64::from(among)).ln_1p()
        } else {
            (miss / f64::from(among)).ln()
        };
        // This also bounds the loop: to about two million steps at most.
        if log < NOTHING {
            return f64::NEG_INFINITY;
        }
    }
    log
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    fn assert_close(got: Option<f64>, want: f64, what: &str) {
        let got = got.expect("possible");
        assert!((got - want).abs() <= 1e-11 * want, "{what}: {got:e} is not {want:e}");
    }

    #[test]
    fn matches_scipy() {
        // scipy.stats.hypergeom.sf(0, n, c, k), scipy.stats.hypergeom.pmf(k, n, c, k)
        for (n, c, k, at, hat) in [
            (1, 1, 1, 1.0, 1.0),
            (10, 3, 1, 0.3, 0.3),
            (10, 3, 5, 0.9166666666666666, 0.0),
            (10, 8, 2, 0.9777777777777777, 0.6222222222222221),
            (10, 8, 3, 1.0, 0.4666666666666667),
            (200, 17, 100, 0.99999636769084, 0.0),
            (200, 190, 10, 1.0, 0.591452133918583),
            (5000, 3, 7, 0.00419496067280683, 0.0),
        ] {
            let what = format!("{k} of {n} with {c}");
            assert_close(pass_at_k(n, c, k), at, &what);
            assert_close(pass_hat_k(n, c, k), hat, &what);
        }
    }

    #[test]
    fn keeps_its_digits_where_scipy_does_not() {
        // from fractions import Fraction as F; from math import comb
        // float(1 - F(comb(n - c, k), comb(n, k))), float(F(comb(c, k), comb(n, k)))
        for (n, c, k, at, hat) in [
            (1_000_000, 10, 1000, 0.0099551643871496, 0.0),
            (1_000_000, 999_000, 1000, 1.0, 0.36751150041701125),
            (1_000_000, 10, 10, 9.99959500823492e-05, 3.628963300191345e-54),
            (1_000_000, 12, 5, 5.999868001187998e-05, 9.504095040617763e-26),
            (100_000, 70_000, 1500, 1.0, 3.378933349612204e-235),
            (1_000_000, 900_000, 6500, 1.0, 3.567768891776168e-299),
        ] {
            let what = format!("{k} of {n} with {c}");
            assert_close(pass_at_k(n, c, k), at, &what);
            assert_close(pass_hat_k(n, c, k), hat, &what);
        }
    }

    #[test]
    fn is_the_share_of_all_choices() {
        for n in 1..=10_u32 {
            for k in 1..=n {
                let choices: Vec<u32> =
                    (0..1_u32 << n).filter(|choice| choice.count_ones() == k).collect();
                for passed in 0..=n {
                    let passes = (1_u32 << passed) - 1;
                    let share = |holds: &dyn Fn(u32) -> bool| {
                        let held = choices.iter().filter(|choice| holds(**choice)).count();
                        held as f64 / choices.len() as f64
                    };
                    let what = format!("{k} of {n} with {passed}");
                    let any = share(&|choice| choice & passes != 0);
                    let all = share(&|choice| choice & passes == choice);
                    assert_close(pass_at_k(n, passed, k), any, &what);
                    assert_close(pass_hat_k(n, passed, k), all, &what);
                }
            }
        }
    }

    #[test]
    fn large_numbers_of_attempts() {
        // The values are computed by hand: 1 - (1 - 1/4e9) · (1 - 1/(4e9 - 1)) = 5e-10, and 3999999999 /
        // 4e9.
        assert_close(pass_at_k(4_000_000_000, 2, 1), 5e-10, "rare");
        assert_close(pass_hat_k(4_000_000_000, 3_999_999_999, 1), 0.99999999975, "nearly sure");
        assert_close(pass_at_k(4_000_000_000, 1_000_000_000, 2_000_000_000), 1.0, "sure");
        assert_eq!(pass_hat_k(4_000_000_000, 3_000_000_000, 2_000_000_000), Some(0.0));
        // Of 60,000 choices out of 4e9, none is among 60,000 others: e^-(60,000^2 / 4e9), nearly.
        let unmarked = pass_hat_k(4_000_000_000, 3_999_940_000, 60_000);
        assert!((unmarked.expect("possible") - (-0.9_f64).exp()).abs() < 1e-4, "{unmarked:?}");
    }

    #[test]
    fn impossible_questions() {
        for (n, c, k) in [(0, 0, 0), (3, 1, 0), (3, 1, 4), (3, 4, 1), (0, 0, 1)] {
            assert_eq!((pass_at_k(n, c, k), pass_hat_k(n, c, k)), (None, None), "{n} {c} {k}");
        }
        assert_eq!((pass_at_k(3, 0, 2), pass_hat_k(3, 0, 2)), (Some(0.0), Some(0.0)));
        assert!(pass_at_k(3, 0, 2).is_some_and(f64::is_sign_positive));
    }
}
