//! Defines intervals, and the quantile levels that belong to a confidence.

/// The method by which the ends of an [`Interval`] were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// The ends are those of Wilson's score interval of a proportion (Wilson 1927).
    Wilson,
    /// The ends are mean ± standard error × quantile of Student's t (Student 1908).
    StudentT,
    /// The ends are mean ± cluster-robust standard error × quantile of Student's t (Liang and Zeger
    /// 1986).
    Clustered,
    /// The ends are two values of the sample, whose ranks come from the binomial distribution.
    OrderStatistic,
    /// The ends are quantiles of the statistic over resampled data (Efron 1979).
    Bootstrap,
}

/// The range that covers the true value with the confidence it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The lower end, in the unit of the values; part of the interval.
    pub low: f64,
    /// The upper end, in the unit of the values; part of the interval.
    pub high: f64,
    /// The method that gave the ends.
    pub method: Method,
}

/// Returns the quantile level that leaves half of the remaining probability on either side.
pub(super) fn two_sided_level(confidence: f64) -> f64 {
    if confidence > 0.0 && confidence < 1.0 { f64::midpoint(confidence, 1.0) } else { f64::NAN }
}

/// Returns the quantile level of a bound that only one side can miss.
pub(super) fn one_sided_level(confidence: f64) -> f64 {
    if (0.5..1.0).contains(&confidence) { confidence } else { f64::NAN }
}
