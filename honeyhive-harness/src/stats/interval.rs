//! What an interval is, and which quantile its confidence stands for.

/// How the ends of an [`Interval`] were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Wilson's score interval of a proportion (Wilson 1927).
    Wilson,
    /// Mean ± standard error × quantile of Student's t (Student 1908).
    StudentT,
    /// Mean ± cluster-robust standard error × quantile of Student's t (Liang and Zeger 1986).
    Clustered,
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

/// The quantile level that leaves half of the remaining probability on either side.
pub(super) fn two_sided_level(confidence: f64) -> f64 {
    if confidence > 0.0 && confidence < 1.0 { f64::midpoint(confidence, 1.0) } else { f64::NAN }
}

/// The quantile level of a bound that only one side can miss.
pub(super) fn one_sided_level(confidence: f64) -> f64 {
    if (0.5..1.0).contains(&confidence) { confidence } else { f64::NAN }
}
