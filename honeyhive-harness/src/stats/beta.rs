//! Computes the regularised incomplete beta function: the one special function behind both Student's t
//! and the binomial distribution.

use std::f64::consts::TAU;

/// Returns `(I_x(a, b), 1 - I_x(a, b))` for positive `a` and `b`, where `y = 1 - x`.
///
/// Both `x` and `y` are arguments because callers know each of them to full precision, while `1 - x`
/// would lose the digits that matter near 0. For the same reason both sides are returned: whichever
/// is small is computed directly. Relative error is below 1e-12 for parameters up to 1e6.
///
/// Uses the continued fraction of Didonato and Morris, "Algorithm 708" (ACM TOMS 18, 1992), whose terms
/// do not cancel for large parameters as those of the more usual fraction do.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    // The fraction converges quickly below the mean of the distribution only.
    if a * y >= b * x {
        let lower = leading_factor(a, b, x, y) / fraction(a, b, x, y);
        (lower, 1.0 - lower)
    } else {
        let upper = leading_factor(b, a, y, x) / fraction(b, a, y, x);
        (1.0 - upper, upper)
    }
}

/// Returns `x^a · y^b / B(a, b)` by Stirling's formula around the mean (Loader 2000), in a form in which
/// the huge terms of the three log-gammas have already cancelled. Divided by `x · y` it is the density.
pub(super) fn leading_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let sum = a + b;
    let shift = b * x - a * y;
    // ln(share / expected share), from whichever of the two forms keeps the digits.
    let log_ratio = |excess: f64, ratio: f64| {
        if excess.abs() < 0.5 { excess.ln_1p() } else { ratio.ln() }
    };
    let exponent = a * log_ratio(shift / a, x / a * sum) + b * log_ratio(-shift / b, y / b * sum);
    let correction = stirling_error(sum) - stirling_error(a) - stirling_error(b);
    (a / sum * b / TAU).sqrt() * (exponent + correction).exp()
}

/// Returns the denominator of the continued fraction, by Lentz's method. The number of terms grows with
/// the square root of the parameters.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const MOST_TERMS: u32 = 100_000;
    let distance = a * y - b * x + 1.0;
    let mut value = a * distance / (a + 1.0);
    let mut forward = value;
    let mut backward = 0.0;
    for step in 1..MOST_TERMS {
        let step = f64::from(step);
        let odd = a + 2.0 * step - 1.0;
        let numerator =
            (a + step - 1.0) / odd * ((a + b + step - 1.0) / odd) * step * (b - step) * x * x;
        let denominator = step
            + step * (b - step) * x / odd
            + (a + step) * (distance + step * (1.0 + y)) / (odd + 2.0);
        forward = denominator + numerator / forward;
        backward = 1.0 / (denominator + numerator * backward);
        let factor = forward * backward;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

/// Returns the error of Stirling's formula: `ln Γ(z) - ((z - 1/2) ln z - z + ln(2π)/2)`.
fn stirling_error(z: f64) -> f64 {
    // From 16 on, the terms left out of the series are below 1e-17; smaller arguments are raised to it
    // by the recurrence.
    let mut climbed = z;
    let mut error = 0.0;
    while climbed < 16.0 {
        error += (climbed + 0.5) * climbed.recip().ln_1p() - 1.0;
        climbed += 1.0;
    }
    let square = (climbed * climbed).recip();
    let series = 1.0 / 12.0
        - square
            * (1.0 / 360.0
                - square
                    * (1.0 / 1260.0
                        - square
                            * (1.0 / 1680.0
                                - square * (1.0 / 1188.0 - square * 691.0 / 360_360.0))));
    error + series / climbed
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    #[test]
    fn matches_scipy() {
        // scipy.special.betainc(a, b, x), scipy.special.betaincc(a, b, x)
        for (a, b, x, lower, upper) in [
            (0.5, 0.5, 0.1, 0.20483276469913345, 0.7951672353008665),
            (0.5, 5.0, 0.01, 0.24284189089843747, 0.7571581091015624),
            (2.0, 3.0, 0.4, 0.5247999999999999, 0.47519999999999996),
            (10.0, 1.0, 0.99, 0.9043820750088044, 0.09561792499119559),
            (500_000.0, 0.5, 0.99999, 0.0015653640065981895, 0.9984346359934018),
            (95_000.0, 5001.0, 0.9494, 0.19547694771638172, 0.8045230522836173),
            (1.0, 100_000.0, 1e-05, 0.6321223982334279, 0.36787760176657225),
        ] {
            let got = incomplete_beta(a, b, x, 1.0 - x);
            // For 500,000 the digits of 1 - x limit the comparison.
            assert!((got.0 / lower - 1.0).abs() < 1e-10, "{a} {b} {x}: {got:?}");
            assert!((got.1 / upper - 1.0).abs() < 1e-10, "{a} {b} {x}: {got:?}");
        }
    }

    #[test]
    fn ends_and_mirror() {
        assert_eq!(incomplete_beta(2.0, 3.0, 0.0, 1.0), (0.0, 1.0));
        assert_eq!(incomplete_beta(2.0, 3.0, 1.0, 0.0), (1.0, 0.0));
        for step in 1..100 {
            let x = f64::from(step) / 100.0;
            for (a, b) in [(0.5, 0.5), (0.5, 300.0), (7.0, 2.0), (5e4, 5e4)] {
                let (lower, upper) = incomplete_beta(a, b, x, 1.0 - x);
                let mirrored = incomplete_beta(b, a, 1.0 - x, x);
                assert!((lower + upper - 1.0).abs() < 1e-14);
                assert!((lower - mirrored.1).abs() < 1e-14, "{a} {b} {x}");
            }
        }
    }

    #[test]
    fn sums_of_the_binomial_distribution() {
        // The expected values are P(at most k of n), added up term by term with the recurrence of its
        // terms.
        for (n, q) in [(1, 0.3), (7, 0.5), (40, 0.95), (300, 0.01)] {
            let mut term = (1.0_f64 - q).powi(n);
            let mut sum = 0.0;
            for k in 0..n {
                sum += term;
                let (lower, _) = incomplete_beta(f64::from(n - k), f64::from(k + 1), 1.0 - q, q);
                assert!((lower / sum - 1.0).abs() < 1e-12, "{k} of {n} at {q}: {lower} {sum}");
                term *= f64::from(n - k) / f64::from(k + 1) * q / (1.0 - q);
            }
        }
    }
}
