//! Intervals of a mean: Wilson's for hits and misses, Student's t for other scores.

use super::{mean, normal_quantile, stddev, student_t_quantile};

/// Spread below this fraction of the mean is what rounding leaves when equal scores are averaged in
/// different orders.
const ROUNDING: f64 = 1e-12;

/// How the ends of an [`Interval`] were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Wilson's score interval of a proportion (Wilson 1927).
    Wilson,
    /// Mean ± standard error × quantile of Student's t (Student 1908).
    StudentT,
    /// Two values of the sample, whose ranks come from the binomial distribution.
    OrderStatistic,
    /// Quantiles of the statistic over resampled data (Efron 1979).
    Bootstrap,
}

/// A range that covers the true value with the confidence it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end, in the unit of the values; part of the interval.
    pub low: f64,
    /// Upper end, in the unit of the values; part of the interval.
    pub high: f64,
    /// Where the ends come from.
    pub method: Method,
}

/// What a sample says about the uncertainty of its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// The usual case.
    Interval(Interval),
    /// All `n` values are equal and not hits or misses, so that the data show no uncertainty at
    /// all. That is no proof that there is none: show `n`, not an interval of width 0.
    NoSpread {
        /// Number of values.
        n: usize,
    },
    /// Too few values to see any spread: none, or a single one that is no hit or miss.
    TooFew {
        /// Number of values.
        n: usize,
    },
}

/// The two-sided interval of the mean of a suite, from one value per case.
///
/// Wilson's when every value is exactly 0 or 1, also when all are hits or all are misses (20 hits
/// out of 20 still leave room for a true rate of 0.84); otherwise Student's t, where the data have
/// a spread to compute it from.
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

/// Wilson's score interval of a proportion: `successes` out of `n` (Wilson 1927).
///
/// Always inside 0 to 1, never of width 0, and close to its confidence from a handful of cases on,
/// where the textbook `p ± z·√(p(1-p)/n)` is far off (Brown et al. 2001).
///
/// `successes` may be fractional and is limited to 0 to `n`. With `n` = 0 the answer is 0 to 1.
pub fn wilson(successes: f64, n: u64, confidence: f64) -> Interval {
    let z = normal_quantile(two_sided_level(confidence));
    Interval { low: wilson_end(successes, n, z), high: wilson_high(successes, n, z), method: Method::Wilson }
}

/// One-sided Wilson bound: with this confidence, the true proportion is at least this much.
///
/// Arguments as for [`wilson`]. All of `n` cases must pass for a bound of 0.9 at 0.95 up to `n` = 25.
pub fn wilson_lower(successes: f64, n: u64, confidence: f64) -> f64 {
    wilson_end(successes, n, normal_quantile(one_sided_level(confidence)))
}

/// One-sided Wilson bound: with this confidence, the true proportion is at most this much.
///
/// Arguments as for [`wilson`].
pub fn wilson_upper(successes: f64, n: u64, confidence: f64) -> f64 {
    wilson_high(successes, n, normal_quantile(one_sided_level(confidence)))
}

/// The two-sided Student's t interval of a mean: `mean ± t·s/√n` with `n - 1` degrees of freedom.
///
/// `None` below two values, and when the values do not differ by more than rounding: a width of 0
/// would claim a certainty that equal values do not give.
pub fn t_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let (mean, margin) = t_margin(values, two_sided_level(confidence))?;
    Some(Interval { low: mean - margin, high: mean + margin, method: Method::StudentT })
}

/// One-sided t bound: with this confidence, the true mean is at least this much.
///
/// `None` in the same cases as [`t_interval`].
pub fn t_lower(values: &[f64], confidence: f64) -> Option<f64> {
    t_margin(values, one_sided_level(confidence)).map(|(mean, margin)| mean - margin)
}

/// One-sided t bound: with this confidence, the true mean is at most this much.
///
/// `None` in the same cases as [`t_interval`].
pub fn t_upper(values: &[f64], confidence: f64) -> Option<f64> {
    t_margin(values, one_sided_level(confidence)).map(|(mean, margin)| mean + margin)
}

/// The quantile level that leaves half of the remaining probability on either side.
pub(super) fn two_sided_level(confidence: f64) -> f64 {
    if confidence > 0.0 && confidence < 1.0 { f64::midpoint(confidence, 1.0) } else { f64::NAN }
}

fn one_sided_level(confidence: f64) -> f64 {
    if (0.5..1.0).contains(&confidence) { confidence } else { f64::NAN }
}

fn wilson_high(successes: f64, n: u64, z: f64) -> f64 {
    // The share of misses is at least as large as its own lower end.
    1.0 - wilson_end(n as f64 - successes, n, z)
}

/// Lower end. The two ends are the roots of a quadratic; taking the smaller one as their product
/// over the larger one keeps its digits near 0, and gives exactly 0 for no successes.
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

fn t_margin(values: &[f64], level: f64) -> Option<(f64, f64)> {
    let mean = mean(values)?;
    let spread = stddev(values)?;
    if spread <= ROUNDING * mean.abs() {
        return None;
    }
    let n = values.len() as f64;
    Some((mean, student_t_quantile(level, n - 1.0) * spread / n.sqrt()))
}
