//! Computes the noncentral t distribution: that of Student's t statistic when there is an effect.

use super::normal_cdf;

/// Returns the probability that a noncentral t variable with `df` degrees of freedom, shifted by
/// `shift`, is above `t`; all three are positive, or `shift` is 0.
///
/// Relative error is below 1e-9 for results above 1e-6 and a `t` up to 50. A larger `t` belongs to a
/// tiny alpha with two or three values; there the absolute error stays below 1e-3. It takes at most some
/// ten thousand steps.
///
/// The variable is `(z + shift) / s` with a normal `z` and the square of `s` chi-squared over `df`,
/// so that the probability is the mean of `Φ(shift - t·s)` over `s`. On `u = ln s` the density of
/// `s` is `exp(df·(u - e^2u / 2))` up to a constant. It falls off on both sides so smoothly that a
/// plain sum over equal steps is all but exact, and the constant is the sum of the density itself.
pub(super) fn noncentral_t_above(t: f64, df: f64, shift: f64) -> f64 {
    /// The logarithm of the share of the highest density below which a density adds nothing to the sum.
    const FAINTEST: f64 = -42.0;
    // The step is a quarter of the width of the density, and of the place where the normal probability
    // drops.
    let step = (2.0 * df).sqrt().recip().min((1.0 + t).recip().max(0.02)) / 4.0;
    let (mut weights, mut sum) = (0.0, 0.0);
    for direction in [-1.0, 1.0] {
        // The middle belongs to one of the directions only.
        let mut at = if direction > 0.0 { 0.0 } else { 1.0 };
        loop {
            let u = direction * step * at;
            let exponent = df * (u - (2.0 * u).exp_m1() / 2.0);
            if exponent < FAINTEST {
                break;
            }
            let weight = exponent.exp();
            weights += weight;
            sum += weight * normal_cdf(shift - t * u.exp());
            at += 1.0;
        }
    }
    sum / weights
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::super::distribution::{student_t_cdf, student_t_quantile};
    use super::*;

    #[test]
    fn matches_scipy() {
        // scipy.stats.nct.sf(t, df, shift)
        for (t, df, shift, want) in [
            (0.0, 3.0, 1.0, 0.8413447460685429),
            (1.5, 1.0, 2.0, 0.7370649038018744),
            (6.313751514675041, 1.0, 0.5, 0.08718896425284363),
            (6.3, 1.0, 8.0, 0.7902090048697142),
            (2.0, 4.5, 3.0, 0.8241470896765655),
            (1.8, 9.0, 0.5, 0.12407967434755798),
            (1.8, 9.0, 5.0, 0.9985540400691445),
            (3.4, 29.0, 1.0, 0.01492619341301789),
            (1.66, 99.0, 2.5, 0.7990950195759574),
            (12.0, 3.0, 9.0, 0.3617414740126686),
            (45.0, 2.0, 30.0, 0.35885491340701464),
            (1.645, 1e5, 2.5, 0.8037239634267053),
        ] {
            let got = noncentral_t_above(t, df, shift);
            assert!((got / want - 1.0).abs() < 1e-9, "{t} {df} {shift}: {got} is not {want}");
        }
    }

    #[test]
    fn without_a_shift_it_is_students() {
        for df in [1.0, 2.0, 3.5, 9.0, 30.0, 1e3, 1e6] {
            for p in [0.5, 0.8, 0.95, 0.99] {
                let t = student_t_quantile(p, df);
                let (got, want) = (noncentral_t_above(t, df, 0.0), 1.0 - student_t_cdf(t, df));
                assert!((got / want - 1.0).abs() < 1e-9, "{p} at {df}: {got} is not {want}");
            }
        }
    }
}
