//! Corrects several tests for each other: of twenty tests at 0.05, one fails by chance alone.

/// Returns Holm's adjusted p-values (Holm 1979), in the order of `p_values`.
///
/// A test with an adjusted p of at most `alpha` may be called a finding, and the probability of *any*
/// false one among all of them then stays at `alpha`, however the tests depend on each other. This is
/// the step-down form of Bonferroni's correction: never larger than `p · m` for `m` tests.
///
/// An invalid p-value (NaN, or outside 0 to 1) becomes NaN, and still counts as one of the `m` tests
/// that were made.
///
/// ```
/// use honeyhive_harness::__private::stats::holm;
///
/// assert_eq!(holm(&[0.01, 0.5, 0.02]), [0.03, 0.5, 0.04]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let valid = |p: f64| (0.0..=1.0).contains(&p);
    let mut order: Vec<usize> = (0..p_values.len()).filter(|at| valid(p_values[*at])).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut largest = 0.0_f64;
    for (smaller, at) in order.into_iter().enumerate() {
        let tests_left = (p_values.len() - smaller) as f64;
        // No test may get a smaller p than one whose own p is smaller.
        largest = largest.max((p_values[at] * tests_left).min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-15, "{got} is not {want}");
        }
    }

    // The figures are from statsmodels 0.15, since SciPy has no such function:
    // `statsmodels.stats.multitest.multipletests(p, method="holm")[1]`
    #[test]
    fn matches_statsmodels() {
        assert_close(&holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02]);
        assert_close(&holm(&[0.02, 0.9, 0.5, 0.5, 0.02]), &[0.1, 1.0, 1.0, 1.0, 0.1]);
        assert_close(&holm(&[0.2]), &[0.2]);
        assert_close(&holm(&[]), &[]);
    }

    #[test]
    fn what_is_no_p_value_counts_but_has_no_answer() {
        let adjusted = holm(&[f64::NAN, 0.01, -0.1, 1.1, -f64::NAN]);
        assert_close(&adjusted[1..2], &[0.05]);
        for at in [0, 2, 3, 4] {
            assert!(adjusted[at].is_nan(), "{adjusted:?}");
        }
    }
}
