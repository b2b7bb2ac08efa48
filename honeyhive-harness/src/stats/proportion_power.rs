//! Estimates what a suite of hits and misses can notice: the power of a test of a rate against a
//! baseline.

use super::{normal_cdf, normal_quantile};

/// Returns the probability that a one-sided test at `alpha` tells a true `rate` from `baseline`, from
/// `n` independent hits and misses. The test looks in the direction of `rate`.
///
/// The function uses the normal approximation of the score test (Fleiss, *Statistical Methods for Rates and
/// Proportions*, section 2.5), which is good to a few percent where `n·p·(1 - p)` is at least 5 for both
/// rates, and rough below. The baseline counts as known: one that was itself estimated from few cases
/// needs more. Two runs of the same cases are pairs, and `mean_power` of their
/// differences is what applies to those.
///
/// Returns `None` unless both rates are between 0 and 1, both excluded, for `n` = 0, and for an `alpha`
/// that is not above 0 and at most 0.5.
///
/// ```
/// use honeyhive_harness::__private::stats::proportion_power;
///
/// let power = proportion_power(0.9, 0.8, 50, 0.05).unwrap();
/// assert!((power - 0.70).abs() < 0.01);
/// ```
pub fn proportion_power(baseline: f64, rate: f64, n: u64, alpha: f64) -> Option<f64> {
    let possible = n > 0 && inside(rate);
    let z = critical(baseline, alpha).filter(|_| possible)?;
    let distance = (rate - baseline).abs() * (n as f64).sqrt();
    Some(normal_cdf((distance - z * spread(baseline)) / spread(rate)))
}

/// Returns the smallest drop below `baseline` that `n` independent hits and misses show with probability
/// `power` (customarily 0.8), by a one-sided test at `alpha`. For a rise, ask about the misses:
/// `1 - baseline`.
///
/// The function uses the same approximation as [`proportion_power`].
///
/// Returns `None` in the same cases as that, for a `power` that is not at least 0.5 and below 1 (below
/// 0.5 the approximation has no single answer), and when not even a drop to 0 would show.
///
/// ```
/// use honeyhive_harness::__private::stats::proportion_detectable;
///
/// // 50 cases do not notice less than a drop from 90 % to 78 %.
/// let drop = proportion_detectable(0.9, 50, 0.05, 0.8).unwrap();
/// assert!((drop - 0.12).abs() < 0.01);
/// ```
pub fn proportion_detectable(baseline: f64, n: u64, alpha: f64, power: f64) -> Option<f64> {
    let z = critical(baseline, alpha)?;
    let possible = n > 0 && (0.5..1.0).contains(&power);
    let root = (n as f64).sqrt();
    if !possible || baseline * root <= z * spread(baseline) {
        return None;
    }
    let (mut low, mut high) = (0.0, baseline);
    // The loop halves the bracket until there is no number between its ends.
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if proportion_power(baseline, baseline - middle, n, alpha)? < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// Returns the smallest number of independent hits and misses that tell a true `rate` from `baseline`
/// with probability `power`, by a one-sided test at `alpha`.
///
/// The function uses the same approximation as [`proportion_power`].
///
/// Returns `None` in the same cases as that, for equal rates, for a `power` that is not at least 0.5 and
/// below 1, and when a billion billion cases are not enough.
///
/// ```
/// use honeyhive_harness::__private::stats::proportion_cases_needed;
///
/// assert_eq!(proportion_cases_needed(0.9, 0.8, 0.05, 0.8), Some(69));
/// ```
pub fn proportion_cases_needed(baseline: f64, rate: f64, alpha: f64, power: f64) -> Option<u64> {
    let z = critical(baseline, alpha)?;
    if !inside(rate) || !(0.5..1.0).contains(&power) {
        return None;
    }
    let wanted = z * spread(baseline) + normal_quantile(power) * spread(rate);
    let n = (wanted / (rate - baseline)).powi(2).ceil().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10^18")]
    (n <= 1e18).then_some(n as u64)
}

fn inside(rate: f64) -> bool {
    rate > 0.0 && rate < 1.0
}

/// Returns the standard deviation of one hit or miss.
fn spread(rate: f64) -> f64 {
    (rate * (1.0 - rate)).sqrt()
}

/// Returns the number of standard errors beyond which the test rejects; `None` for arguments that it
/// does not allow.
fn critical(baseline: f64, alpha: f64) -> Option<f64> {
    (inside(baseline) && alpha > 0.0 && alpha <= 0.5).then(|| -normal_quantile(alpha))
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    fn assert_close(got: Option<f64>, want: f64, what: &str) {
        let got = got.expect("possible");
        assert!((got / want - 1.0).abs() < 1e-10, "{what}: {got} is not {want}");
    }

    // N = scipy.stats.norm
    // def power(p0, p1, n, a):
    //     return N.cdf((abs(p1 - p0) * n**0.5 - N.isf(a) * (p0 * (1 - p0))**0.5) / (p1 * (1 - p1))**0.5)

    #[test]
    fn power_matches_scipy() {
        for (baseline, rate, n, alpha, want) in [
            (0.9, 0.8, 50, 0.05, 0.7033730722441722),
            (0.9, 0.8, 100, 0.05, 0.8973078481975177),
            (0.8, 0.9, 100, 0.05, 0.8728974991097782),
            (0.5, 0.45, 1000, 0.01, 0.7995853457589608),
            (0.95, 0.9, 200, 0.05, 0.8773952954223039),
            (0.7, 0.7, 40, 0.05, 0.05),
        ] {
            let what = format!("{baseline} {rate} {n}");
            assert_close(proportion_power(baseline, rate, n, alpha), want, &what);
            assert_close(proportion_power(1.0 - baseline, 1.0 - rate, n, alpha), want, &what);
        }
    }

    #[test]
    fn detectable_drop_matches_scipy() {
        // scipy.optimize.brentq(lambda d: power(p0, p0 - d, n, a) - b, 1e-9, p0 - 1e-9, xtol=1e-14)
        for (baseline, n, alpha, power, want) in [
            (0.9, 50, 0.05, 0.8, 0.11901033152725606),
            (0.9, 200, 0.05, 0.8, 0.056515777994570714),
            (0.5, 100, 0.01, 0.9, 0.17628047705243216),
            (0.97, 1000, 0.05, 0.8, 0.014352352043972613),
        ] {
            let what = format!("{baseline} {n}");
            assert_close(proportion_detectable(baseline, n, alpha, power), want, &what);
        }
        // The rate is one hit in ten, and 20 cases without a hit would not be unusual.
        assert_eq!(proportion_detectable(0.1, 20, 0.05, 0.8), None);
    }

    #[test]
    fn cases_needed_match_scipy() {
        // math.ceil(((N.isf(a) * (p0 * (1 - p0))**0.5 + N.isf(1 - b) * (p1 * (1 - p1))**0.5) / (p1 - p0))**2)
        for (baseline, rate, alpha, power, want) in [
            (0.9, 0.8, 0.05, 0.8, 69),
            (0.9, 0.85, 0.05, 0.8, 253),
            (0.5, 0.6, 0.01, 0.9, 321),
            (0.97, 0.95, 0.05, 0.8, 539),
        ] {
            let needed = proportion_cases_needed(baseline, rate, alpha, power);
            assert_eq!(needed, Some(want), "{baseline} {rate}");
            let of = |n| proportion_power(baseline, rate, n, alpha).expect("possible");
            assert!(of(want) >= power && of(want - 1) < power, "{baseline} {rate}");
        }
        assert_eq!(proportion_cases_needed(0.5, 0.9, 0.5, 0.5), Some(1));
    }

    #[test]
    fn impossible_plans() {
        for (baseline, rate, n, alpha) in [
            (0.0, 0.5, 9, 0.05),
            (1.0, 0.5, 9, 0.05),
            (0.5, 0.0, 9, 0.05),
            (0.5, 1.0, 9, 0.05),
            (f64::NAN, 0.5, 9, 0.05),
            (0.5, f64::NAN, 9, 0.05),
            (0.5, 0.6, 0, 0.05),
            (0.5, 0.6, 9, 0.0),
            (0.5, 0.6, 9, 0.6),
            (0.5, 0.6, 9, f64::NAN),
        ] {
            assert_eq!(proportion_power(baseline, rate, n, alpha), None, "{baseline} {rate} {n}");
        }
        for power in [0.0, 0.4, 1.0, 80.0, f64::NAN] {
            assert_eq!(proportion_detectable(0.5, 50, 0.05, power), None, "{power}");
            assert_eq!(proportion_cases_needed(0.5, 0.6, 0.05, power), None, "{power}");
        }
        assert_eq!(proportion_detectable(0.5, 0, 0.05, 0.8), None);
        assert_eq!(proportion_cases_needed(0.5, 0.5, 0.05, 0.8), None);
        assert_eq!(proportion_cases_needed(0.5, 0.5 + 1e-12, 0.05, 0.8), None);
    }
}
