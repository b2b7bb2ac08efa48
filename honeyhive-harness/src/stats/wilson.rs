//! Computes Wilson's interval, for shares of hits and misses.

use super::interval::{one_sided_level, two_sided_level};
use super::{Interval, Method, normal_quantile};

/// Returns Wilson's score interval of a proportion: `successes` out of `n` (Wilson 1927).
///
/// The interval is always inside 0 to 1, never of width 0, and close to its confidence from a handful of
/// cases on, where the textbook `p ± z·√(p(1-p)/n)` is far off (Brown et al. 2001).
///
/// `successes` may be fractional and is limited to 0 to `n`. With `n` = 0 the answer is 0 to 1.
pub fn wilson(successes: f64, n: u64, confidence: f64) -> Interval {
    let z = normal_quantile(two_sided_level(confidence));
    Interval {
        low: wilson_end(successes, n, z),
        high: wilson_high(successes, n, z),
        method: Method::Wilson,
    }
}

/// Returns the one-sided Wilson bound: with this confidence, the true proportion is at least this
/// much.
///
/// Arguments as for `wilson`. It takes 25 cases, all passed, to reach 0.9 with 0.95 confidence.
pub fn wilson_lower(successes: f64, n: u64, confidence: f64) -> f64 {
    wilson_end(successes, n, normal_quantile(one_sided_level(confidence)))
}

/// Returns the one-sided Wilson bound: with this confidence, the true proportion is at most this
/// much.
///
/// Arguments as for `wilson`.
pub fn wilson_upper(successes: f64, n: u64, confidence: f64) -> f64 {
    wilson_high(successes, n, normal_quantile(one_sided_level(confidence)))
}

fn wilson_high(successes: f64, n: u64, z: f64) -> f64 {
    // The share of misses is at least as large as its own lower end.
    1.0 - wilson_end(n as f64 - successes, n, z)
}

/// Returns the lower end. The two ends are the roots of a quadratic; taking the smaller one as
/// their product over the larger one keeps its digits near 0, and gives exactly 0 for no successes.
fn wilson_end(successes: f64, n: u64, z: f64) -> f64 {
    if z.is_nan() || successes.is_nan() {
        return f64::NAN;
    }
    let n = n as f64;
    let successes = successes.clamp(0.0, n);
    if successes == 0.0 {
        return 0.0;
    }
    let p = successes / n;
    let scaled = z * z / n;
    let root = (scaled * (p * (1.0 - p) + scaled / 4.0)).sqrt();
    (p * p / (p + scaled / 2.0 + root)).min(p)
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as SciPy prints them")]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() < 1e-12, "{what}: {got} is not {want}");
    }

    // def ci(side): return scipy.stats.binomtest(k, n, alternative=side).proportion_ci(c, "wilson")
    // (k, n, c, [*ci("two-sided"), ci("greater").low, ci("less").high])
    #[rustfmt::skip]
    const WILSON: [(f64, u64, f64, [f64; 4]); 7] = [
        (0.0, 10, 0.95, [0.0, 0.27753279986288926, 0.0, 0.21294197008340698]),
        (1.0, 10, 0.95, [0.017876213095072896, 0.4041500267952385, 0.02263490873086718, 0.34771866733585843]),
        (9.0, 10, 0.95, [0.5958499732047615, 0.9821237869049271, 0.6522813326641417, 0.9773650912691327]),
        (45.0, 50, 0.95, [0.7863976856252034, 0.9565242350681095, 0.8084624858484292, 0.9504709655225548]),
        (20.0, 20, 0.95, [0.8388748419471808, 1.0, 0.8808421626390355, 1.0]),
        (970.0, 1000, 0.99, [0.9527106212936256, 0.981093683697172, 0.9547014361781383, 0.9802387661475267]),
        (0.0, 1, 0.8, [0.0, 0.6215524967746471, 0.0, 0.4146317366118869]),
    ];

    #[test]
    fn wilson_matches_scipy() {
        for (k, n, c, [low, high, lower, upper]) in WILSON {
            let two_sided = wilson(k, n, c);
            let what = format!("{k} of {n}");
            assert_eq!(two_sided.method, Method::Wilson);
            assert_close(two_sided.low, low, &what);
            assert_close(two_sided.high, high, &what);
            assert_close(wilson_lower(k, n, c), lower, &what);
            assert_close(wilson_upper(k, n, c), upper, &what);
        }
    }

    #[test]
    fn wilson_contains_the_rate_and_narrows() {
        for n in 1..=120_u32 {
            for k in 0..=n {
                let rate = f64::from(k) / f64::from(n);
                let small = wilson(f64::from(k), u64::from(n), 0.95);
                let large = wilson(f64::from(k) * 10.0, u64::from(n) * 10, 0.95);
                assert!(0.0 <= small.low && small.low <= rate, "{k} of {n}: {small:?}");
                assert!(rate <= small.high && small.high <= 1.0, "{k} of {n}: {small:?}");
                assert!(large.high - large.low < small.high - small.low, "{k} of {n}");
                assert!(wilson_lower(f64::from(k), u64::from(n), 0.95) >= small.low);
                assert!(wilson_upper(f64::from(k), u64::from(n), 0.95) <= small.high);
            }
        }
    }

    #[test]
    fn wilson_edges() {
        let nothing = wilson(0.0, 0, 0.95);
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
        assert_eq!(wilson(3.0 + 1e-12, 3, 0.95), wilson(3.0, 3, 0.95));
        assert!(wilson_lower(24.0, 24, 0.95) < 0.9 && wilson_lower(25.0, 25, 0.95) >= 0.9);
        assert!(wilson(1.0, 2, 1.0).low.is_nan() && wilson(1.0, 2, 0.0).high.is_nan());
        assert!(wilson_lower(1.0, 2, 0.4).is_nan() && wilson(f64::NAN, 2, 0.9).low.is_nan());
        // Without confidence there is no margin either.
        assert_close(wilson_lower(3.0, 4, 0.5), 0.75, "half");
    }
}
