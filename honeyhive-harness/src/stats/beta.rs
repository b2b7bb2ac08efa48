//! The regularised incomplete beta function: the one special function behind both Student's t and
//! the binomial distribution.

use std::f64::consts::TAU;

/// `(I_x(a, b), 1 - I_x(a, b))` for positive `a` and `b`, where `y = 1 - x`.
///
/// Both `x` and `y` are arguments because callers know each of them to full precision, while `1 - x`
/// would lose the digits that matter near 0. For the same reason both sides are returned: whichever
/// is small is computed directly. Relative error is about 1e-14 for parameters up to 1e6.
///
/// Continued fraction of Didonato and Morris, "Algorithm 708" (ACM TOMS 18, 1992), whose terms do
/// not cancel for large parameters as those of the more usual fraction do.
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

/// `x^a · y^b / B(a, b)` by Stirling's formula around the mean (Loader 2000), where the huge terms
/// of the three log-gammas have already cancelled on paper. Divided by `x · y` it is the density.
pub(super) fn leading_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let sum = a + b;
    let shift = b * x - a * y;
    let exponent = a * (shift / a).ln_1p() + b * (-shift / b).ln_1p();
    let correction = stirling_error(sum) - stirling_error(a) - stirling_error(b);
    (a / sum * b / TAU).sqrt() * (exponent + correction).exp()
}

/// Denominator of the continued fraction, by Lentz's method. The number of terms grows with the
/// square root of the parameters.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const MOST_TERMS: u32 = 100_000;
    let distance = a * y - b * x + 1.0;
    let mut value = a * distance / (a + 1.0);
    let mut forward = value;
    let mut backward = 0.0;
    for term in 1..MOST_TERMS {
        let m = f64::from(term);
        let odd = a + 2.0 * m - 1.0;
        let numerator = (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * m * (b - m) * x * x;
        let denominator =
            m + m * (b - m) * x / odd + (a + m) * (distance + m * (1.0 + y)) / (odd + 2.0);
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

/// What Stirling's formula misses: `ln Γ(z) - ((z - 1/2) ln z - z + ln(2π)/2)`.
fn stirling_error(z: f64) -> f64 {
    // From 16 on, the terms left out of the series are below 1e-17; smaller arguments climb there.
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
                        - square * (1.0 / 1680.0 - square * (1.0 / 1188.0 - square * 691.0 / 360_360.0))));
    error + series / climbed
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    #[test]
    fn matches_scipy() {
        // @BETA@
    }
}
