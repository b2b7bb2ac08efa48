//! Estimates before a run what a suite can notice: the power of a comparison of means.

use super::noncentral_t::noncentral_t_above;
use super::student_t_quantile;

/// The largest number of cases that is returned; a plan that takes more is not realistic.
const MOST_CASES: u64 = 1 << 30;

/// Returns the probability that a one-sided t test at `alpha` finds a mean shifted by `effect`, from `n`
/// cases with standard deviation `sd`.
///
/// For two runs of the same cases, `effect` is the size of the drop (or rise) that the test looks
/// for, and `sd` the standard deviation of the differences per case; for a mean against a fixed
/// limit, the distance from it and the standard deviation of the scores. Both are in the same unit.
/// Without effect the answer is `alpha`: the rate of false alarms.
///
/// The power is computed from the noncentral t distribution, so that small `n` are not promised too
/// much. It is exact for normal values, and close for the mean of scores, also for
/// `sign_flip_test`.
///
/// Returns `None` below 2 cases, for an `effect` below 0, for an `sd` that is not positive, and for an
/// `alpha` that is not above 0 and at most 0.5.
///
/// ```
/// use honeyhive_harness::__private::stats::mean_power;
///
/// // 50 cases whose differences have a standard deviation of 0.35: a drop by 0.05 mostly passes.
/// let power = mean_power(0.05, 0.35, 50, 0.05).unwrap();
/// assert!(0.25 < power && power < 0.26);
/// ```
pub fn mean_power(effect: f64, sd: f64, n: u64, alpha: f64) -> Option<f64> {
    let possible = effect >= 0.0 && effect.is_finite() && sd > 0.0 && sd.is_finite();
    let shift = effect / sd * (n as f64).sqrt();
    possible.then(|| power_at(shift, n, alpha)).flatten()
}

/// Returns the smallest effect that `n` cases with standard deviation `sd` find with probability `power`
/// (customarily 0.8), by a one-sided t test at `alpha`: the minimum detectable effect, in the unit of
/// `sd`.
///
/// The effect is roughly `2.49·sd/√n` at an alpha of 0.05 and a power of 0.8, and more for few cases.
///
/// Returns `None` in the same cases as `mean_power`, and for a `power` that is not above `alpha` and
/// below 1, and when the answer is beyond the range of `f64`.
///
/// ```
/// use honeyhive_harness::stats::mean_detectable;
///
/// let effect = mean_detectable(0.35, 50, 0.05, 0.8).unwrap();
/// assert!((effect - 0.125).abs() < 0.001);
/// ```
pub fn mean_detectable(sd: f64, n: u64, alpha: f64, power: f64) -> Option<f64> {
    let possible = sd > 0.0 && sd.is_finite() && power > alpha && power < 1.0;
    if !possible {
        return None;
    }
    let (mut low, mut high) = (0.0, critical(n, alpha)?.max(1.0));
    while power_at(high, n, alpha)? < power {
        low = high;
        high *= 2.0;
    }
    // Each step halves the bracket, so that after these steps its ends do not differ in their digits.
    for _ in 0..52 {
        let middle = f64::midpoint(low, high);
        if power_at(middle, n, alpha)? < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    // Where even the critical value is beyond the range of f64, so is the answer.
    Some(high * sd / (n as f64).sqrt()).filter(|effect| effect.is_finite())
}

/// Returns the smallest number of cases that find a shift by `effect` with probability `power`, by a
/// one-sided t test at `alpha`, where their standard deviation is `sd`.
///
/// Returns `None` in the same cases as `mean_power`, without an effect, for a `power` that is not
/// above `alpha` and below 1, and when a billion cases are not enough.
///
/// ```
/// use honeyhive_harness::__private::stats::mean_cases_needed;
///
/// assert_eq!(mean_cases_needed(0.05, 0.35, 0.05, 0.8), Some(305));
/// ```
pub fn mean_cases_needed(effect: f64, sd: f64, alpha: f64, power: f64) -> Option<u64> {
    if !(power > alpha && power < 1.0) {
        return None;
    }
    let enough = |n| Some(mean_power(effect, sd, n, alpha)? >= power);
    let mut high = 2;
    while !enough(high)? {
        high *= 2;
        if high > MOST_CASES {
            return None;
        }
    }
    // Half as many cases were not enough.
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Returns the power where the mean is `shift` standard errors away.
fn power_at(shift: f64, n: u64, alpha: f64) -> Option<f64> {
    Some(noncentral_t_above(critical(n, alpha)?, (n - 1) as f64, shift))
}

/// Returns the number of standard errors beyond which the test rejects; `None` for arguments that it
/// does not allow.
fn critical(n: u64, alpha: f64) -> Option<f64> {
    let possible = n >= 2 && alpha > 0.0 && alpha <= 0.5;
    // The quantile is taken by symmetry, because 1 - alpha would lose the digits of a tiny alpha.
    possible.then(|| -student_t_quantile(alpha, (n - 1) as f64))
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    fn assert_close(got: Option<f64>, want: f64, what: &str) {
        let got = got.expect("possible");
        assert!((got / want - 1.0).abs() < 1e-8, "{what}: {got} is not {want}");
    }

    // def power(d, n, a): return scipy.stats.nct.sf(scipy.stats.t.isf(a, n - 1), n - 1, d * n**0.5)

    #[test]
    fn power_matches_scipy() {
        for (effect, n, alpha, want) in [
            (0.5, 2, 0.05, 0.10582289060245464),
            (2.0, 3, 0.05, 0.7121592030328323),
            (0.5, 10, 0.05, 0.42728982677117816),
            (0.5, 26, 0.05, 0.7980537143957397),
            (0.2, 100, 0.01, 0.3618012717286137),
            (0.05, 2500, 0.05, 0.8035775812088384),
            (1.0, 5, 0.001, 0.03209255702735141),
            (0.0, 12, 0.05, 0.05),
            (0.1, 12, 0.2, 0.30823685730297223),
            (0.01, 100_000, 0.05, 0.9354174715601689),
        ] {
            let what = format!("{effect} {n} {alpha}");
            assert_close(mean_power(effect, 1.0, n, alpha), want, &what);
            assert_close(mean_power(effect * 0.3, 0.3, n, alpha), want, &what);
        }
    }

    #[test]
    fn detectable_effect_matches_scipy() {
        // scipy.optimize.brentq(lambda d: power(d, n, a) - b, 1e-9, 100, xtol=1e-13)
        for (n, alpha, power, want) in [
            (2, 0.05, 0.8, 5.792801491690296),
            (5, 0.05, 0.8, 1.3594179588549704),
            (10, 0.05, 0.8, 0.8528375122385516),
            (30, 0.05, 0.8, 0.46494546759598904),
            (50, 0.05, 0.9, 0.41970714328736713),
            (100, 0.01, 0.8, 0.3212018404168142),
            (500, 0.05, 0.8, 0.11134957987337595),
        ] {
            assert_close(mean_detectable(1.0, n, alpha, power), want, &format!("{n}"));
            assert_close(mean_detectable(40.0, n, alpha, power), want * 40.0, &format!("{n}"));
        }
    }

    #[test]
    fn cases_needed_match_scipy() {
        // next(n for n in itertools.count(2) if power(d, n, a) >= b)
        for (effect, alpha, power, want) in [
            (5.0, 0.05, 0.8, 3),
            (1.0, 0.05, 0.8, 8),
            (0.5, 0.05, 0.8, 27),
            (0.5, 0.05, 0.95, 45),
            (0.2, 0.01, 0.9, 329),
            (0.05, 0.05, 0.8, 2475),
        ] {
            assert_eq!(mean_cases_needed(effect, 1.0, alpha, power), Some(want), "{effect}");
        }
        assert_eq!(mean_cases_needed(1e6, 1.0, 0.05, 0.8), Some(2));
        assert_eq!(mean_cases_needed(1e-9, 1.0, 0.05, 0.8), None);
    }

    #[test]
    fn impossible_plans() {
        for (effect, sd, n, alpha) in [
            (-0.1, 1.0, 9, 0.05),
            (f64::NAN, 1.0, 9, 0.05),
            (f64::INFINITY, 1.0, 9, 0.05),
            (0.1, 0.0, 9, 0.05),
            (0.1, f64::NAN, 9, 0.05),
            (0.1, 1.0, 1, 0.05),
            (0.1, 1.0, 9, 0.0),
            (0.1, 1.0, 9, 0.6),
            (0.1, 1.0, 9, f64::NAN),
        ] {
            assert_eq!(mean_power(effect, sd, n, alpha), None, "{effect} {sd} {n} {alpha}");
        }
        for power in [0.0, 0.05, 1.0, 80.0, f64::NAN] {
            assert_eq!(mean_detectable(1.0, 9, 0.05, power), None, "{power}");
            assert_eq!(mean_cases_needed(1.0, 1.0, 0.05, power), None, "{power}");
        }
        assert_eq!(mean_detectable(1.0, 1, 0.05, 0.8), None);
        assert_eq!(mean_cases_needed(0.0, 1.0, 0.05, 0.8), None);
    }

    #[test]
    fn extremes_come_to_an_end() {
        let surely = mean_power(1e300, 1e-300, u64::MAX, 1e-300).expect("possible");
        assert!((surely - 1.0).abs() < 1e-3, "{surely}");
        // The critical value is 1 / (π·alpha) here.
        let effect = mean_detectable(1.0, 2, 1e-9, 0.999).expect("possible");
        assert!((1e8..1e10).contains(&effect), "{effect}");
        for alpha in [1e-100, f64::MIN_POSITIVE] {
            assert!(mean_detectable(1.0, 2, alpha, 0.8).is_none_or(f64::is_finite), "{alpha}");
        }
    }
}
