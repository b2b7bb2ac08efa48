//! Estimates the effects of several groups of cases, pulled towards their common mean as far as chance
//! explains how they differ.
//!
//! Of eight slices of twelve cases, one always looks bad. What is known of a slice is its own mean
//! and that of all; how much each counts follows from how much the slices differ beyond what
//! their sizes let expect (Efron and Morris 1975; `DerSimonian` and Laird 1986).

use std::collections::BTreeMap;

use super::SplitMix64;

/// The number of shuffles of the test, for as many values as the budget allows.
const SHUFFLES: usize = 2_000;

/// The number of moves of values that a test may cost.
const BUDGET: usize = 4_000_000;

/// The size up to which a number is taken for a rounding error.
const ROUNDING: f64 = 1e-12;

/// The effect of a group of cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GroupEffect {
    /// The number of values of the group.
    pub(crate) n: usize,
    /// The mean of the values.
    pub(crate) mean: f64,
    /// The variance of the mean.
    pub(crate) variance: f64,
    /// The mean, pulled towards that of all groups.
    pub(crate) shrunken: f64,
}

/// The effects of several groups of cases, estimated together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupEffects {
    /// The groups, in the order of their numbers.
    pub(crate) groups: Vec<GroupEffect>,
    /// The variance of the true means about their mean, by `DerSimonian` and Laird.
    pub(crate) tau2: f64,
    /// Cochran's Q: the weighted squares of how far the means are from their mean.
    pub(crate) q: f64,
    /// The degrees of freedom: the value that Q is about where the true means are equal, one less than
    /// there are groups.
    pub(crate) df: usize,
    /// The probability that groups formed by chance would differ at least as much.
    pub(crate) p: f64,
}

/// Returns the effects of groups of `(value, group, cluster)`, where groups count from 0 and each has a
/// value.
///
/// The variance of a group's mean is that of a common variance of clusters, so that a group without
/// spread is not taken for certain. The p is that of shuffling the clusters between the groups, for
/// a seed.
///
/// Returns `None` for fewer than two groups, where every group is a single cluster, and where a cluster
/// reaches across groups, which are then not independent.
pub(crate) fn group_effects<K: Ord>(values: &[(f64, usize, K)], seed: u64) -> Option<GroupEffects> {
    let groups = values.iter().map(|(_, group, _)| group + 1).max().unwrap_or(0);
    let mut units: BTreeMap<&K, Unit> = BTreeMap::new();
    for (value, group, cluster) in values {
        let unit = units.entry(cluster).or_insert(Unit { group: *group, sum: 0.0, size: 0.0 });
        if unit.group != *group {
            return None;
        }
        unit.sum += value;
        unit.size += 1.0;
    }
    let units: Vec<Unit> = units.into_values().collect();
    let all = GroupSums::new(&units, groups)?;
    if groups < 2 || units.len() <= groups {
        return None;
    }
    let within = all.variance_within(&units);
    let spread = if within > ROUNDING { within } else { all.variance_about_mean(&units) };
    let variances: Vec<f64> =
        (0..groups).map(|at| spread * all.squares[at] / all.sizes[at].powi(2)).collect();
    let means: Vec<f64> = (0..groups).map(|at| all.mean(at)).collect();
    let df = groups - 1;
    let (q, tau2) = if spread > ROUNDING { heterogeneity(&means, &variances) } else { (0.0, 0.0) };
    let shrunken = if spread > ROUNDING {
        let weights: Vec<f64> = variances.iter().map(|variance| 1.0 / (variance + tau2)).collect();
        let mean = weighted_mean(&means, &weights);
        let pulled = |(own, variance): (&f64, &f64)| {
            mean + (1.0 - variance / (variance + tau2)) * (own - mean)
        };
        means.iter().zip(&variances).map(pulled).collect()
    } else {
        means.clone()
    };
    Some(GroupEffects {
        groups: (0..groups)
            .map(|at| GroupEffect {
                n: values.iter().filter(|(_, group, _)| *group == at).count(),
                mean: means[at],
                variance: variances[at],
                shrunken: shrunken[at],
            })
            .collect(),
        tau2,
        q,
        df,
        p: shuffled(&units, groups, all.between(), seed),
    })
}

/// The unit that is exchanged: a cluster, which may be a single case.
#[derive(Clone, Copy, Debug)]
struct Unit {
    group: usize,
    sum: f64,
    size: f64,
}

/// The sums over the units of each group.
struct GroupSums {
    sums: Vec<f64>,
    sizes: Vec<f64>,
    /// The sums of the squared sizes of units.
    squares: Vec<f64>,
    units: Vec<f64>,
}

impl GroupSums {
    /// Sums up the units; returns `None` where a group has no value.
    fn new(units: &[Unit], groups: usize) -> Option<Self> {
        let zeros = || vec![0.0; groups];
        let mut all = Self { sums: zeros(), sizes: zeros(), squares: zeros(), units: zeros() };
        for unit in units {
            all.sums[unit.group] += unit.sum;
            all.sizes[unit.group] += unit.size;
            all.squares[unit.group] += unit.size * unit.size;
            all.units[unit.group] += 1.0;
        }
        all.sizes.iter().all(|size| *size > 0.0).then_some(all)
    }

    fn mean(&self, group: usize) -> f64 {
        self.sums[group] / self.sizes[group]
    }

    fn mean_of_all(&self) -> f64 {
        self.sums.iter().sum::<f64>() / self.sizes.iter().sum::<f64>()
    }

    /// Returns how far the means of the groups are from that of all: larger for larger differences.
    fn between(&self) -> f64 {
        let mean = self.mean_of_all();
        (0..self.sums.len()).map(|at| self.sizes[at] * (self.mean(at) - mean).powi(2)).sum()
    }

    /// Returns the variance of the mean of a unit about that of its group; for units of one value, the
    /// usual one within groups.
    fn variance_within(&self, units: &[Unit]) -> f64 {
        let off = units.iter().map(|unit| unit.sum - unit.size * self.mean(unit.group));
        let expected: f64 = self
            .squares
            .iter()
            .zip(&self.units)
            .map(|(squares, units)| squares * (units - 1.0) / units)
            .sum();
        off.map(|off| off * off).sum::<f64>() / expected
    }

    /// Returns the variance of a unit about the mean of all, for groups within which nothing scatters.
    fn variance_about_mean(&self, units: &[Unit]) -> f64 {
        let mean = self.mean_of_all();
        let off = units.iter().map(|unit| unit.sum - unit.size * mean);
        let (squares, n) = (self.squares.iter().sum::<f64>(), units.len() as f64);
        off.map(|off| off * off).sum::<f64>() / (squares * (n - 1.0) / n)
    }
}

fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    sum / weights.iter().sum::<f64>()
}

/// Returns Cochran's Q, and the variance of the true means that makes it as large as it is.
fn heterogeneity(means: &[f64], variances: &[f64]) -> (f64, f64) {
    let weights: Vec<f64> = variances.iter().map(|variance| 1.0 / variance).collect();
    let mean = weighted_mean(means, &weights);
    let off = means.iter().zip(&weights).map(|(own, weight)| weight * (own - mean).powi(2));
    let q: f64 = off.sum();
    let (sum, squares) =
        weights.iter().fold((0.0, 0.0), |(sum, squares), one| (sum + one, squares + one * one));
    let excess = q - (means.len() - 1) as f64;
    (q, (excess / (sum - squares / sum)).max(0.0))
}

/// Returns the share of shuffles in which groups differ at least as much, the order at hand included.
fn shuffled(units: &[Unit], groups: usize, observed: f64, seed: u64) -> f64 {
    if observed <= ROUNDING {
        return 1.0;
    }
    let shuffles = (BUDGET / units.len().max(1)).clamp(200, SHUFFLES);
    let mut random = SplitMix64::new(seed);
    let mut units = units.to_vec();
    let mut order: Vec<usize> = units.iter().map(|unit| unit.group).collect();
    let mut as_large = 1_usize;
    for _ in 0..shuffles {
        for at in (1..order.len()).rev() {
            order.swap(at, random.index(at + 1));
        }
        for (unit, group) in units.iter_mut().zip(&order) {
            unit.group = *group;
        }
        let between = GroupSums::new(&units, groups).map_or(0.0, |all| all.between());
        as_large += usize::from(between >= observed * (1.0 - 1e-9));
    }
    as_large as f64 / (shuffles + 1) as f64
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "digits as NumPy prints them")]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() < 1e-12, "{what}: {got} is not {want}");
    }

    /// Checks the variances and shrunken means of the groups, then Q and tau².
    fn check(
        values: &[(f64, usize, u32)],
        variances: &[f64],
        shrunken: &[f64],
        (q, tau2): (f64, f64),
    ) {
        let got = group_effects(values, 0).expect("groups");
        for (group, (variance, want)) in got.groups.iter().zip(variances.iter().zip(shrunken)) {
            assert_close(group.variance, *variance, "variance");
            assert_close(group.shrunken, *want, "shrunken");
        }
        assert_close(got.q, q, "Q");
        assert_close(got.tau2, tau2, "tau2");
        assert_eq!(got.df, variances.len() - 1);
    }

    // NumPy 2: with `m` the sizes of the clusters of group j, `r` the sums of what their values are
    // off its mean, `n` its number of values and `G` that of its clusters,
    // `s2 = sum(r**2) / sum(sum(m**2) * (G - 1) / G)`, `v = s2 * sum(m**2) / n**2`, `w = 1 / v`,
    // `mu = (w*y).sum() / w.sum()`, `Q = (w * (y - mu)**2).sum()`,
    // `tau2 = max(0, (Q - df) / (w.sum() - (w**2).sum() / w.sum()))`, `wr = 1 / (v + tau2)`,
    // `mu = (wr*y).sum() / wr.sum()`, `mu + (1 - v / (v + tau2)) * (y - mu)`.
    #[test]
    fn matches_numpy() {
        let single = [
            (-1.0, 0),
            (0.0, 0),
            (0.0, 0),
            (-1.0, 0),
            (0.0, 1),
            (1.0, 1),
            (0.0, 1),
            (0.0, 1),
            (1.0, 1),
            (0.5, 2),
            (0.0, 2),
            (-0.5, 2),
        ];
        let single: Vec<_> =
            single.into_iter().zip(0..).map(|((value, group), own)| (value, group, own)).collect();
        check(
            &single,
            &[0.075, 0.06, 0.1],
            &[-0.3436118872237744, 0.2806197612395225, -0.0095504191008382],
            (6.0, 0.1531914893617021),
        );
        let clustered = [
            (-1.0, 0, 0),
            (-1.0, 0, 0),
            (0.0, 0, 1),
            (-0.5, 0, 1),
            (0.25, 0, 2),
            (0.5, 1, 4),
            (1.0, 1, 4),
            (0.0, 1, 5),
            (0.75, 1, 6),
            (1.0, 1, 6),
            (0.5, 1, 7),
        ];
        check(
            &clustered,
            &[0.06876666666666667, 0.053060699588477374],
            &[-0.386031007751938, 0.5756412096851373],
            (9.48575870531228, 0.516898816872428),
        );
    }

    #[test]
    fn without_spread_nothing_is_taken_for_certain() {
        let of = |gains: &[f64]| {
            let values: Vec<_> = gains
                .iter()
                .enumerate()
                .map(|(at, gain)| (*gain, usize::from(at * 2 >= gains.len()), at))
                .collect();
            group_effects(&values, 0).expect("groups")
        };
        // One group lost everything, the other nothing: Q is finite, and p that of 2 of C(16, 8).
        let lost = of(&[-1.0; 8].into_iter().chain([0.0; 8]).collect::<Vec<f64>>());
        assert_close(lost.q, 15.0, "Q");
        assert!(lost.p < 0.002 && lost.groups[0].shrunken < -0.9, "{lost:?}");
        let same = of(&[0.25; 6]);
        assert_eq!((same.q.to_bits(), same.p.to_bits()), (0, 1.0_f64.to_bits()));
        assert_close(same.groups[1].shrunken, 0.25, "gain");
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_effects() {
        assert_eq!(group_effects::<u8>(&[], 0), None);
        assert_eq!(group_effects(&[(0.0, 0, 0), (1.0, 0, 1)], 0), None, "one group");
        assert_eq!(group_effects(&[(0.0, 0, 0), (1.0, 1, 1)], 0), None, "single cases");
        assert_eq!(
            group_effects(&[(0.0, 0, 0), (1.0, 2, 1), (1.0, 2, 2)], 0),
            None,
            "an empty one"
        );
        let across = [(0.0, 0, 'a'), (1.0, 1, 'a'), (1.0, 1, 'b'), (0.0, 0, 'c')];
        assert_eq!(group_effects(&across, 0), None, "a cluster of two groups");
    }

    /// Simulates normal noise of eight groups of twelve, whose true means scatter by `tau`. Returns the
    /// root of the mean square error of raw and of shrunken means, and how often p is at most 0.05.
    fn world(tau: f64, trials: usize) -> (f64, f64, f64) {
        let mut random = SplitMix64::new(3);
        let mut normal = || {
            let uniform = random.index(1_000_000) as f64 / 1e6 + 5e-7;
            crate::stats::normal_quantile(uniform)
        };
        let (mut raw, mut shrunken, mut found) = (0.0, 0.0, 0);
        for trial in 0..trials {
            let truth: Vec<f64> = (0..8).map(|_| tau * normal()).collect();
            let values: Vec<_> =
                (0..96).map(|at| (truth[at / 12] + 0.35 * normal(), at / 12, at)).collect();
            let got = group_effects(&values, trial as u64).expect("groups");
            for (group, truth) in got.groups.iter().zip(&truth) {
                raw += (group.mean - truth).powi(2);
                shrunken += (group.shrunken - truth).powi(2);
            }
            found += usize::from(got.p <= 0.05);
        }
        let rmse = |sum: f64| (sum / (8 * trials) as f64).sqrt();
        (rmse(raw), rmse(shrunken), found as f64 / trials as f64)
    }

    /// Checks the figures of `docs/how-gates-decide.md`.
    #[test]
    fn shrunken_means_are_nearer_to_the_truth() {
        let (raw, shrunken, found) = world(0.0, 60);
        assert!((raw - 0.101).abs() < 0.01 && (shrunken - 0.046).abs() < 0.01, "{raw} {shrunken}");
        assert!(found <= 0.05 + 0.08, "{found}");
        let (raw, shrunken, _) = world(0.08, 60);
        assert!((raw - 0.101).abs() < 0.01 && (shrunken - 0.075).abs() < 0.01, "{raw} {shrunken}");
    }

    #[test]
    fn seldom_moves_of_small_groups_are_no_difference() {
        let mut random = SplitMix64::new(5);
        let mut found = 0;
        for trial in 0..150_u64 {
            let values: Vec<_> = (0..40)
                .map(|at| {
                    let gain = if random.index(100) < 6 { -1.0 } else { 0.0 };
                    (gain, usize::from(at >= 4), at)
                })
                .collect();
            found += u32::from(group_effects(&values, trial).expect("groups").p <= 0.05);
        }
        assert!(found <= 7 + 8, "{found}");
    }
}
