//! Computes bounds of the mean of scores that have a lowest and a highest value.
//!
//! Near the ceiling Student's t is far too narrow: a suite that is right in 59 of 60 attempts shows
//! next to no spread, and one that is right in all of them shows none. Both bounds here use the
//! range of the scores instead of their spread, so that equal scores are not taken for certainty.

use super::{SplitMix64, normal_quantile, whole, wilson_lower};

/// The number of random draws behind a bound. Its error probability of 5 % is then known to within 0.5
/// points.
const DRAWS: usize = 2000;

/// The number of different values above which values are rounded down to [`GRID`].
const MOST_GROUPS: usize = 256;

/// The number of steps of the grid that many different values are rounded down to.
const GRID: f64 = 512.0;

/// The mean of independent units in 0 to 1, and how low it may be.
///
/// A unit is a case, or a cluster of cases: then its value is the deficit of the whole cluster, so
/// that large clusters count for as much as they have cases.
#[derive(Clone, Debug)]
pub(crate) struct BoundedMean {
    /// The number of units.
    units: usize,
    /// The largest share of the mean that one unit can take away, relative to an average one.
    scale: f64,
    /// Upper bounds of the mean deficit, one per draw, in ascending order.
    deficits: Vec<f64>,
    /// The number of units without a deficit, where units are cases.
    perfect: Option<usize>,
    /// Set when all values are 0 or 1, and units are cases.
    hits_and_misses: bool,
}

impl BoundedMean {
    /// Returns the mean of cases with these values in 0 to 1; `None` without values.
    pub(crate) fn of_cases(values: &[f64]) -> Option<Self> {
        let perfect = values.iter().filter(|value| **value >= 1.0).count();
        let hits_and_misses = values.iter().all(|value| *value >= 1.0 || *value <= 0.0);
        let deficits = values.iter().map(|value| 1.0 - value.clamp(0.0, 1.0)).collect();
        Self::new(deficits, 1.0, Some(perfect), hits_and_misses)
    }

    /// Returns the mean of cases in clusters, each given as the sum of its values and its number of
    /// cases; `None` without clusters.
    pub(crate) fn of_clusters(clusters: &[(f64, usize)]) -> Option<Self> {
        let cases: usize = clusters.iter().map(|(_, size)| size).sum();
        let largest = clusters.iter().map(|(_, size)| *size).max()?;
        let average = cases as f64 / clusters.len() as f64;
        // Each deficit is relative to the largest that a cluster can have.
        let deficits = clusters
            .iter()
            .map(|(sum, size)| ((*size as f64 - sum) / largest as f64).clamp(0.0, 1.0))
            .collect();
        Self::new(deficits, largest as f64 / average, None, false)
    }

    fn new(
        deficits: Vec<f64>,
        scale: f64,
        perfect: Option<usize>,
        hits_and_misses: bool,
    ) -> Option<Self> {
        let units = deficits.len();
        if units == 0 {
            return None;
        }
        // Hits and misses have Wilson's bound, which needs no draws.
        let deficits = if hits_and_misses { Vec::new() } else { upper_draws(deficits) };
        Some(Self { units, scale, deficits, perfect, hits_and_misses })
    }

    /// Returns the bound that the true mean is above with this one-sided confidence.
    ///
    /// The bound is the higher of two: Gaffke's bound (Gaffke 2005; Learned-Miller and Thomas 2020), and
    /// Wilson's of the share of cases with the full value. Raising any value never lowers it.
    pub(crate) fn lower(&self, confidence: f64) -> f64 {
        let wilson = self.perfect.map(|n| wilson_lower(n as f64, self.units as u64, confidence));
        if self.hits_and_misses {
            return wilson.unwrap_or(0.0);
        }
        let at = whole(confidence * self.deficits.len() as f64);
        let deficit = self.deficits[at.clamp(1, self.deficits.len()) - 1];
        let gaffke = (1.0 - self.scale * deficit).max(0.0);
        wilson.map_or(gaffke, |wilson| wilson.max(gaffke))
    }

    /// Returns the smallest error probability at which [`Self::lower`] is above `limit`; 1 where none
    /// is.
    pub(crate) fn p_not_above(&self, limit: f64) -> f64 {
        let by_wilson = self.perfect.map_or(1.0, |n| wilson_p(n, self.units, limit));
        if self.hits_and_misses {
            return by_wilson;
        }
        let allowed = (1.0 - limit) / self.scale;
        let within = self.deficits.partition_point(|deficit| *deficit < allowed);
        let beyond = self.deficits.len() - within;
        let by_draws = (beyond as f64 + 1.0) / (self.deficits.len() as f64 + 1.0);
        by_draws.min(by_wilson)
    }
}

/// Returns the smallest error probability at which Wilson's lower bound of `hits` of `n` is above
/// `limit`.
fn wilson_p(hits: usize, n: usize, limit: f64) -> f64 {
    let above = |error: f64| wilson_lower(hits as f64, n as u64, 1.0 - error) > limit;
    let (mut low, mut high) = (1e-12, 0.5);
    if !above(high) {
        return 1.0;
    }
    if above(low) {
        return low;
    }
    // Error probabilities span decades, so the middle is the geometric one.
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if above(middle) { high = middle } else { low = middle }
    }
    high
}

/// Returns draws of an upper bound of the mean of values in 0 to 1, in ascending order: the values in
/// order, weighted by the gaps between uniform order statistics, and 1 for the last gap.
///
/// The gaps are a Dirichlet distribution, and those of equal values add up to one gamma variable,
/// so that a draw costs as much as there are different values.
fn upper_draws(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let mut groups = grouped(&values);
    if groups.len() > MOST_GROUPS {
        // They are rounded up, since larger values can only raise an upper bound.
        for value in &mut values {
            *value = (*value * GRID).ceil() / GRID;
        }
        groups = grouped(&values);
    }
    let mut random = SplitMix64::new(0);
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let last = gamma(1.0, &mut random);
            let (mut total, mut sum) = (last, last);
            for (value, size) in &groups {
                let gap = gamma(*size as f64, &mut random);
                total += gap;
                sum += gap * value;
            }
            sum / total
        })
        .collect();
    draws.sort_unstable_by(f64::total_cmp);
    draws
}

/// Returns equal neighbours as one value and their number.
fn grouped(sorted: &[f64]) -> Vec<(f64, usize)> {
    sorted.chunk_by(|a, b| (a - b).abs() < 1e-12).map(|group| (group[0], group.len())).collect()
}

/// Draws a gamma variable of this shape, at least 1, and scale 1 (Marsaglia and Tsang 2000).
fn gamma(shape: f64, random: &mut SplitMix64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal_quantile(uniform(random));
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && uniform(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Draws a number from 0 to 1, both excluded.
fn uniform(random: &mut SplitMix64) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::super::mean_interval::t_lower;
    use super::super::wilson_lower;
    use super::*;

    fn lower(values: &[f64]) -> f64 {
        BoundedMean::of_cases(values).expect("values").lower(0.95)
    }

    #[test]
    fn hits_and_misses_have_wilsons_bound() {
        for (hits, n) in [(20_u32, 20_u32), (19, 20), (0, 7), (50, 60)] {
            let values: Vec<f64> = (0..n).map(|at| f64::from(u8::from(at < hits))).collect();
            let want = wilson_lower(f64::from(hits), u64::from(n), 0.95);
            assert!((lower(&values) - want).abs() < 1e-12, "{hits} of {n}");
        }
    }

    #[test]
    fn one_failed_attempt_of_sixty_is_no_better_than_none() {
        let perfect = vec![1.0; 20];
        let mut flaky = perfect.clone();
        flaky[7] = 2.0 / 3.0;
        // The bound by Student's t is 0.955 for the worse run.
        assert!(t_lower(&flaky, 0.95).is_some_and(|bound| bound > 0.95));
        assert!(lower(&flaky) <= lower(&perfect), "{} {}", lower(&flaky), lower(&perfect));
        assert!(lower(&flaky) > 0.8, "{}", lower(&flaky));
    }

    #[test]
    fn raising_a_value_never_lowers_the_bound() {
        let mut random = SplitMix64::new(5);
        for _ in 0..40 {
            let n = 3 + random.index(20);
            let values: Vec<f64> = (0..n).map(|_| random.index(4) as f64 / 3.0).collect();
            let at = random.index(n);
            let mut better = values.clone();
            better[at] = (better[at] + 1.0 / 3.0).min(1.0);
            assert!(lower(&better) >= lower(&values) - 0.01, "{values:?} at {at}");
        }
    }

    #[test]
    fn equal_scores_still_leave_room() {
        let bound = lower(&[0.8; 50]);
        // 0.8·0.05^(1/50): the largest of 50 uniform variables.
        assert!((bound - 0.8 * 0.05_f64.powf(0.02)).abs() < 0.01, "{bound}");
        assert!(lower(&[0.91; 2]) < 0.5);
    }

    #[test]
    fn clusters_are_the_units() {
        // Two documents of three cases, all right.
        let two = BoundedMean::of_clusters(&[(3.0, 3), (3.0, 3)]).expect("two");
        assert!(two.lower(0.95) < 0.3, "{}", two.lower(0.95));
        // Clusters of one case each give the same bound as cases.
        let cases: Vec<(f64, usize)> = (0..30).map(|_| (1.0, 1)).collect();
        let many = BoundedMean::of_clusters(&cases).expect("thirty").lower(0.95);
        assert!((many - 0.05_f64.powf(1.0 / 30.0)).abs() < 0.01, "{many}");
        assert!(BoundedMean::of_clusters(&[]).is_none() && BoundedMean::of_cases(&[]).is_none());
    }

    #[test]
    fn p_is_where_the_bound_meets_the_limit() {
        let values: Vec<f64> = (0..40).map(|at| [1.0, 1.0, 2.0 / 3.0, 1.0][at % 4]).collect();
        let mean = BoundedMean::of_cases(&values).expect("values");
        let limit = mean.lower(0.95);
        assert!((mean.p_not_above(limit - 1e-9) - 0.05).abs() < 0.002);
        assert!(mean.p_not_above(0.2) < 0.001 && mean.p_not_above(0.99) > 0.5);
        let hits = BoundedMean::of_cases(&[1.0; 25]).expect("hits");
        let p = hits.p_not_above(wilson_lower(25.0, 25, 0.95) - 1e-12);
        assert!((p - 0.05).abs() < 1e-6, "{p}");
    }

    /// Checks that the bound is above the true mean in at most 5 % of all runs.
    #[test]
    fn it_is_above_the_truth_in_at_most_one_run_of_twenty() {
        let mut random = SplitMix64::new(11);
        let mut chance = |p: f64| uniform(&mut random) < p;
        for (n, attempts, lost) in [(12, 3, 0.06), (20, 5, 0.03), (60, 3, 0.06), (150, 3, 0.06)] {
            let truth = (1.0 - lost) * 0.97;
            let runs = 200;
            let wrong = (0..runs)
                .filter(|_| {
                    let values: Vec<f64> = (0..n)
                        .map(|_| {
                            let broken = chance(lost);
                            let good = (0..attempts).filter(|_| !broken && chance(0.97)).count();
                            good as f64 / f64::from(attempts)
                        })
                        .collect();
                    lower(&values) > truth
                })
                .count();
            // 3 standard errors of 5 % in 200 runs are 9 runs.
            assert!(wrong <= 10 + 9, "{n} × {attempts}: {wrong} of {runs}");
        }
    }
}
