//! Computes the mean of cases that belong together, such as several questions on one document.
//!
//! Cases of one cluster resemble each other, so that ten of them say less than ten independent cases.
//! Intervals that overlook this are too narrow, for evaluations by up to a factor of three (Miller 2024,
//! *Adding Error Bars to Evals*).

use std::collections::BTreeMap;

use super::interval::two_sided_level;
use super::mean_interval::ROUNDING;
use super::{Interval, Method, Spread, mean, student_t_quantile};

/// The mean of clustered values, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusteredMean {
    /// The mean of all values, in their unit: a large cluster counts for as much as it has values.
    pub mean: f64,
    /// The cluster-robust standard error of the mean, in the unit of the values; `None` below two
    /// clusters, which say nothing about how clusters differ.
    pub standard_error: Option<f64>,
    /// The number of clusters, which the standard error is computed from.
    pub clusters: usize,
    /// The number of values.
    pub n: usize,
}

/// Returns the mean of `(value, cluster)` pairs with its cluster-robust standard error; `None` without
/// values.
///
/// The standard error is that of Liang and Zeger (1986) with the usual correction `G / (G - 1)` for `G`
/// clusters, known as CR1: with one value per cluster it is exactly `s/√n`, and values of one cluster
/// may depend on each other in any way.
///
/// ```
/// use honeyhive_harness::__private::stats::clustered_mean;
///
/// let scores = [(1.0, "a.md"), (1.0, "a.md"), (0.0, "b.md"), (0.0, "b.md")];
/// let clustered = clustered_mean(&scores).unwrap();
/// assert_eq!((clustered.n, clustered.clusters), (4, 2));
/// assert_eq!(clustered.mean, 0.5);
/// // Each document repeats itself, so that four cases are worth two.
/// assert_eq!(clustered.standard_error, Some(0.5));
/// ```
pub fn clustered_mean<K: Ord>(values: &[(f64, K)]) -> Option<ClusteredMean> {
    let plain: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
    let mean = mean(&plain)?;
    // The sums are ordered by their keys, so that the order of the cases does not change the last
    // digits.
    let mut residuals = BTreeMap::<&K, f64>::new();
    for (value, cluster) in values {
        *residuals.entry(cluster).or_default() += value - mean;
    }
    let clusters = residuals.len();
    let standard_error = (clusters >= 2).then(|| {
        let squares: f64 = residuals.values().map(|residual| residual * residual).sum();
        let correction = clusters as f64 / (clusters - 1) as f64;
        (correction * squares).sqrt() / plain.len() as f64
    });
    Some(ClusteredMean { mean, standard_error, clusters, n: plain.len() })
}

/// Returns the two-sided interval of the mean of `(value, cluster)` pairs: `mean ± t·standard error`
/// with one degree of freedom less than there are clusters.
///
/// The `n` of [`Spread::TooFew`] (below two clusters) and of [`Spread::NoSpread`] (every cluster
/// deviates from the mean by nothing but rounding) counts clusters. Hits and misses get no special
/// treatment: Wilson's interval needs cases that are independent.
///
/// With fewer than about 10 clusters, or where one cluster holds most of the values, the interval
/// covers the truth less often than its confidence says.
///
/// ```
/// use honeyhive_harness::__private::stats::{Spread, clustered_interval};
///
/// let scores = [(0.8, 1), (0.9, 1), (0.4, 2), (0.5, 2), (0.7, 3), (0.6, 3)];
/// let Spread::Interval(interval) = clustered_interval(&scores, 0.95) else { panic!() };
/// assert!(interval.low < 0.65 && interval.high > 0.65);
/// assert_eq!(clustered_interval(&scores[..2], 0.95), Spread::TooFew { n: 1 });
/// ```
pub fn clustered_interval<K: Ord>(values: &[(f64, K)], confidence: f64) -> Spread {
    let Some(ClusteredMean { mean, standard_error, clusters, .. }) = clustered_mean(values) else {
        return Spread::TooFew { n: 0 };
    };
    let Some(standard_error) = standard_error else {
        return Spread::TooFew { n: clusters };
    };
    if standard_error <= ROUNDING * mean.abs() {
        return Spread::NoSpread { n: clusters };
    }
    let quantile = student_t_quantile(two_sided_level(confidence), (clusters - 1) as f64);
    let margin = quantile * standard_error;
    Spread::Interval(Interval {
        low: mean - margin,
        high: mean + margin,
        method: Method::Clustered,
    })
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as statsmodels prints them")]
mod tests {
    use super::super::{SplitMix64, t_interval};
    use super::*;

    fn interval(values: &[(f64, usize)], confidence: f64) -> Interval {
        match clustered_interval(values, confidence) {
            Spread::Interval(interval) => interval,
            other => panic!("{other:?}"),
        }
    }

    fn assert_close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() < 1e-12, "{what}: {got} is not {want}");
    }

    // The figures are from statsmodels 0.15, whose standard error is CR1, since SciPy has no such
    // function: `fit = OLS(values, numpy.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": clusters},
    // use_t=True)`, `fit.params[0], fit.bse[0], [fit.conf_int(1 - c)[0] for c in (0.8, 0.95, 0.99)]`.
    #[test]
    fn matches_statsmodels() {
        let scores = [0.2, 0.9, 0.75, 0.6, 1.0, 0.35, 0.8, 0.5, 0.0];
        let hits = [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let scores: Vec<_> = scores.into_iter().zip([0, 0, 1, 1, 1, 2, 3, 3, 3]).collect();
        let hits: Vec<_> = hits.into_iter().zip([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5]).collect();
        #[rustfmt::skip]
        let references = [
            (scores, 0.5666666666666667, 0.10187990634951977, [
                (0.8, 0.3998134252876421, 0.7335199080456912),
                (0.95, 0.2424393351219873, 0.890893998211346),
                (0.99, -0.028404626805005773, 1.161737960138339),
            ]),
            (hits, 0.6666666666666669, 0.11385500851066227, [
                (0.8, 0.4986298757270048, 0.8347034576063289),
                (0.95, 0.3739930498929404, 0.9593402834403932),
                (0.99, 0.20758699295777922, 1.1257463403755545),
            ]),
        ];
        for (values, mean, standard_error, intervals) in references {
            let got = clustered_mean(&values).expect("values");
            assert_close(got.mean, mean, "mean");
            assert_close(got.standard_error.expect("clusters"), standard_error, "error");
            for (confidence, low, high) in intervals {
                let got = interval(&values, confidence);
                assert_eq!(got.method, Method::Clustered);
                assert_close(got.low, low, "low");
                assert_close(got.high, high, "high");
            }
        }
    }

    #[test]
    fn a_cluster_per_value_is_students_interval() {
        let scores = [0.2, 0.9, 0.75, 0.6, 1.0, 0.35, 0.8];
        let values: Vec<_> = scores.into_iter().zip(0..).collect();
        let (got, want) = (interval(&values, 0.9), t_interval(&scores, 0.9).expect("spread"));
        assert_close(got.low, want.low, "low");
        assert_close(got.high, want.high, "high");
    }

    #[test]
    fn copies_of_a_case_add_nothing() {
        let once = [(0.2, 0), (0.9, 1), (0.75, 2), (0.6, 3)];
        let often: Vec<_> = once.iter().flat_map(|pair| [*pair; 5]).collect();
        let (once, often) = (interval(&once, 0.95), interval(&often, 0.95));
        assert_close(often.low, once.low, "low");
        assert_close(often.high, once.high, "high");
    }

    #[test]
    fn too_few_clusters_and_no_spread() {
        assert_eq!(clustered_mean::<u8>(&[]), None);
        assert_eq!(clustered_interval::<u8>(&[], 0.95), Spread::TooFew { n: 0 });
        assert_eq!(clustered_interval(&[(0.1, 'a'), (0.9, 'a')], 0.95), Spread::TooFew { n: 1 });
        // The data are equal values, and equal clusters of different values.
        let equal = [(0.3, 'a'), (0.1 + 0.2, 'b')];
        assert_eq!(clustered_interval(&equal, 0.95), Spread::NoSpread { n: 2 });
        let alike = [(0.0, 'a'), (1.0, 'a'), (0.0, 'b'), (1.0, 'b')];
        assert_eq!(clustered_interval(&alike, 0.95), Spread::NoSpread { n: 2 });
        assert!(interval(&[(0.1, 0), (0.9, 1)], 1.0).low.is_nan());
    }

    #[test]
    fn covers_the_truth_where_students_interval_does_not() {
        let mut random = SplitMix64::new(13);
        let mut uniform = || random.index(1_000_000) as f64 / 1e6;
        let (mut clustered, mut plain) = (0, 0);
        for _ in 0..2000 {
            let mut values = Vec::new();
            for cluster in 0..20 {
                let shared = uniform() + uniform();
                // Each document has 3 to 7 cases.
                values.extend((0..3 + cluster % 5).map(|_| (shared + uniform(), cluster)));
            }
            let covers = |interval: Interval| interval.low <= 1.5 && 1.5 <= interval.high;
            clustered += u32::from(covers(interval(&values, 0.9)));
            let values: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
            plain += u32::from(covers(t_interval(&values, 0.9).expect("spread")));
        }
        // 1800 are expected; 4 standard deviations are 54. The interval covers slightly less, which is
        // documented.
        assert!((1726..=1854).contains(&clustered), "{clustered}");
        assert!(plain < 1400, "{plain}");
    }
}
