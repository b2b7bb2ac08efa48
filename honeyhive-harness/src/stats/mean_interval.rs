//! Computes the interval of a suite's mean by the method that the data allow, such as Student's t.

use super::interval::{one_sided_level, two_sided_level};
use super::wilson::wilson;
use super::{Interval, Method, mean, stddev, student_t_quantile};

/// The fraction of the mean below which spread is the rounding error of equal scores that are
/// averaged in different orders.
pub(super) const ROUNDING: f64 = 1e-12;

/// The uncertainty of the mean of a sample, as far as the sample shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// The interval of the mean, which is the usual case.
    Interval(Interval),
    /// All `n` values are equal and not hits or misses, so that the data show no uncertainty at
    /// all. This does not prove that there is none: show `n`, not an interval of width 0.
    NoSpread {
        /// The number of values, or of clusters where they are the unit.
        n: usize,
    },
    /// Too few values to see any spread: none, or a single one that is neither a hit nor a miss.
    TooFew {
        /// The number of values, or of clusters where they are the unit.
        n: usize,
    },
}

/// Returns the two-sided interval of the mean of a suite, from one value per case.
///
/// The interval is Wilson's when every value is exactly 0 or 1, also when all are hits or all are
/// misses (20 hits out of 20 still leave room for a true rate of 0.84); otherwise Student's t,
/// where the data have a spread to compute it from.
pub fn interval_of_mean(case_means: &[f64], confidence: f64) -> Spread {
    let n = case_means.len();
    if n > 0 && case_means.iter().all(|value| [0.0, 1.0].contains(value)) {
        let hits = case_means.iter().sum();
        return Spread::Interval(wilson(hits, n as u64, confidence));
    }
    if n < 2 {
        return Spread::TooFew { n };
    }
    t_interval(case_means, confidence).map_or(Spread::NoSpread { n }, Spread::Interval)
}

/// Returns the two-sided Student's t interval of a mean: `mean ± t·s/√n` with `n - 1` degrees of
/// freedom.
///
/// The ends do not take the scale of a score into account, and may lie outside of it when `n` is
/// small.
///
/// Returns `None` below two values, and when the values do not differ by more than rounding: a
/// width of 0 would claim a certainty that equal values do not give.
pub fn t_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let (mean, margin) = t_margin(values, two_sided_level(confidence))?;
    Some(Interval { low: mean - margin, high: mean + margin, method: Method::StudentT })
}

/// Returns the one-sided t bound: with this confidence, the true mean is at least this much.
///
/// Returns `None` in the same cases as [`t_interval`].
pub fn t_lower(values: &[f64], confidence: f64) -> Option<f64> {
    t_margin(values, one_sided_level(confidence)).map(|(mean, margin)| mean - margin)
}

/// Returns the one-sided t bound: with this confidence, the true mean is at most this much.
///
/// Returns `None` in the same cases as [`t_interval`].
pub fn t_upper(values: &[f64], confidence: f64) -> Option<f64> {
    t_margin(values, one_sided_level(confidence)).map(|(mean, margin)| mean + margin)
}

fn t_margin(values: &[f64], level: f64) -> Option<(f64, f64)> {
    let mean = mean(values)?;
    let spread = stddev(values)?;
    if spread <= ROUNDING * mean.abs() {
        return None;
    }
    let n = values.len() as f64;
    Some((mean, student_t_quantile(level, n - 1.0) * spread / n.sqrt()))
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::super::SplitMix64;
    use super::*;

    fn assert_close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() < 1e-12, "{what}: {got} is not {want}");
    }

    const SCORES: [f64; 7] = [0.2, 0.9, 0.75, 0.6, 1.0, 0.35, 0.8];

    #[test]
    fn t_matches_scipy() {
        // scipy.stats.t.interval(c, 6, loc=numpy.mean(SCORES), scale=scipy.stats.sem(SCORES)),
        // scipy.stats.ttest_1samp(SCORES, 0, alternative="greater").confidence_interval(c).low,
        // scipy.stats.ttest_1samp(SCORES, 0, alternative="less").confidence_interval(c).high
        for (c, low, high, lower, upper) in [
            (0.8, 0.49815654496470996, 0.8161291693210045, 0.557129764288735, 0.7571559499969795),
            (0.95, 0.386940434143326, 0.9273452801423885, 0.4425654419922226, 0.8717202722934919),
            (0.99, 0.24774681208730248, 1.066538902198412, 0.31011089648765267, 1.0041748177980618),
        ] {
            let two_sided = t_interval(&SCORES, c).expect("seven values");
            assert_eq!(two_sided.method, Method::StudentT);
            assert_close(two_sided.low, low, "low");
            assert_close(two_sided.high, high, "high");
            assert_close(t_lower(&SCORES, c).expect("seven values"), lower, "lower");
            assert_close(t_upper(&SCORES, c).expect("seven values"), upper, "upper");
            let wider = t_interval(&SCORES, 2.0 * c - 1.0).expect("seven values");
            assert_close(wider.low, lower, "one side of two");
        }
    }

    #[test]
    fn which_interval_for_which_data() {
        let method = |values: &[f64]| match interval_of_mean(values, 0.95) {
            Spread::Interval(interval) => Ok(interval.method),
            other => Err(other),
        };
        assert_eq!(method(&[]), Err(Spread::TooFew { n: 0 }));
        assert_eq!(method(&[0.4]), Err(Spread::TooFew { n: 1 }));
        assert_eq!(method(&[1.0]), Ok(Method::Wilson));
        assert_eq!(method(&[0.0, 0.0, 0.0]), Ok(Method::Wilson));
        assert_eq!(method(&[1.0, 0.0, 1.0]), Ok(Method::Wilson));
        assert_eq!(method(&[1.0, 0.5, 1.0]), Ok(Method::StudentT));
        assert_eq!(method(&[5.0, 5.0]), Err(Spread::NoSpread { n: 2 }));
        // The values are averages of the same attempts, added up in different orders.
        assert_eq!(method(&[0.3, 0.1 + 0.2]), Err(Spread::NoSpread { n: 2 }));
        assert_eq!(t_interval(&[0.3, 0.1 + 0.2], 0.95), None);
        assert_eq!(t_lower(&[2.0], 0.95), None);
        assert_eq!(method(&[1e-9, 3e-9]), Ok(Method::StudentT));
    }

    #[test]
    fn no_interval_is_made_up_for_an_impossible_confidence() {
        for confidence in [-1.0, 0.0, 1.0, 95.0, f64::NAN] {
            for values in [&SCORES[..], &[1.0, 0.0]] {
                let Spread::Interval(interval) = interval_of_mean(values, confidence) else {
                    panic!("the data are fine");
                };
                assert!(interval.low.is_nan() && interval.high.is_nan());
            }
        }
    }

    #[test]
    fn t_covers_the_truth_about_as_often_as_it_says() {
        let mut random = SplitMix64::new(11);
        let mut uniform = || random.index(1_000_000) as f64 / 1e6;
        let mut covered = 0;
        for _ in 0..2000 {
            let values: Vec<f64> = (0..12).map(|_| uniform() + uniform() + uniform()).collect();
            let interval = t_interval(&values, 0.9).expect("spread");
            let mean = mean(&values).expect("values");
            assert!(interval.low < mean && mean < interval.high);
            covered += u32::from(interval.low <= 1.5 && 1.5 <= interval.high);
        }
        // 1800 expected; 4 standard deviations are 54.
        assert!((1746..=1854).contains(&covered), "{covered}");
    }
}
