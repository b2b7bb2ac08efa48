//! Computes what two runs would have looked like if their results had been exchanged.
//!
//! If nothing but chance has changed, the attempts of a case (or, where those of a cluster go together,
//! all results of the cluster) could as well have come from the other run. The distribution of any
//! statistic over such exchanges shows how unusual the real one is. Several statistics of the same
//! exchanges are judged together; as far as they agree, that costs no more than one test.

use super::SplitMix64;

/// The number of combinations up to which all exchanges are counted.
const MOST_EXACT: usize = 1 << 14;

/// The difference up to which two statistics are ties, since they differ by rounding alone.
const TIE: f64 = 1e-9;

/// A way in which the results of a unit can be exchanged, with the statistics of that way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Way<const K: usize> {
    /// The probability of this way; those of a unit add up to 1.
    pub(crate) p: f64,
    pub(crate) statistics: [f64; K],
}

/// The operation that makes the statistics of units that of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    Sum,
    Max,
}

/// The joint distribution of `K` statistics over exchanges; the larger a statistic, the more unusual.
#[derive(Clone, Debug)]
pub(crate) struct Exchanges<const K: usize> {
    /// The exchanges, each with its probability and its statistics.
    drawn: Vec<(f64, [f64; K])>,
    /// Set when all exchanges were counted, and none was drawn at random.
    exact: bool,
}

impl<const K: usize> Exchanges<K> {
    /// Exchanges the results of all units, in all ways where these are few, else in `draws` random
    /// ones.
    pub(crate) fn new(
        units: &[Vec<Way<K>>],
        combine: [Combine; K],
        seed: u64,
        draws: usize,
    ) -> Self {
        let start = combine.map(|how| if how == Combine::Sum { 0.0 } else { f64::NEG_INFINITY });
        // This and `draw` run for each unit of each draw, mostly in builds without optimisation, where
        // an index costs a fifth of what an iterator does.
        let add = |mut total: [f64; K], way: &Way<K>| {
            let mut at = 0;
            while at < K {
                let one = way.statistics[at];
                match combine[at] {
                    Combine::Sum => total[at] += one,
                    Combine::Max if one > total[at] => total[at] = one,
                    Combine::Max => {}
                }
                at += 1;
            }
            total
        };
        // Units that have the same statistics whatever is exchanged are added once.
        let equal = |a: &Way<K>, b: &Way<K>| {
            a.statistics.iter().zip(b.statistics).all(|(a, b)| (a - b).abs() < f64::EPSILON)
        };
        let same = |unit: &&Vec<Way<K>>| unit.iter().all(|way| equal(way, &unit[0]));
        let fixed = units.iter().filter(same).filter_map(|unit| unit.first()).fold(start, add);
        let moving: Vec<&Vec<Way<K>>> = units.iter().filter(|unit| !same(unit)).collect();
        let combinations = moving
            .iter()
            .try_fold(1_usize, |all, unit| all.checked_mul(unit.len()))
            .filter(|all| *all <= MOST_EXACT);
        if combinations.is_some() {
            let mut drawn = vec![(1.0, fixed)];
            for unit in moving {
                let each = |(p, total): &(f64, [f64; K])| {
                    let (p, total) = (*p, *total);
                    unit.iter().map(move |way| (p * way.p, add(total, way)))
                };
                drawn = drawn.iter().flat_map(each).collect();
            }
            return Self { drawn, exact: true };
        }
        let mut random = SplitMix64::new(seed);
        let share = 1.0 / (draws as f64 + 1.0);
        let draw = |random: &mut SplitMix64, unit: &[Way<K>]| {
            let mut left = random.fraction();
            let mut at = 0;
            while at + 1 < unit.len() {
                left -= unit[at].p;
                if left < 0.0 {
                    break;
                }
                at += 1;
            }
            at
        };
        let mut drawn = Vec::with_capacity(draws);
        for _ in 0..draws {
            let mut total = fixed;
            for unit in &moving {
                total = add(total, &unit[draw(&mut random, unit)]);
            }
            drawn.push((share, total));
        }
        Self { drawn, exact: false }
    }

    /// Returns the probability of a statistic at least as large as the observed one.
    pub(crate) fn tail(&self, which: usize, observed: f64) -> f64 {
        let hits = self.drawn.iter().filter(|(_, all)| all[which] >= observed - TIE);
        let sum: f64 = hits.map(|(p, _)| p).sum();
        (sum + self.itself()).min(1.0)
    }

    /// Returns the share of the real exchange, which counts beside those that were drawn.
    fn itself(&self) -> f64 {
        if self.exact { 0.0 } else { 1.0 / (self.drawn.len() as f64 + 1.0) }
    }

    /// Returns the p-values of several statistics of one exchange, corrected for each other: the free
    /// step-down of the smallest p (Westfall and Young 1993).
    pub(crate) fn jointly(&self, which: &[usize], observed: [f64; K]) -> Vec<f64> {
        let alone: Vec<f64> = which.iter().map(|at| self.tail(*at, observed[*at])).collect();
        // The p that each exchange would have had, per statistic.
        let of_draws: Vec<Vec<f64>> = which.iter().map(|at| self.tails(*at)).collect();
        let mut order: Vec<usize> = (0..which.len()).collect();
        order.sort_by(|a, b| alone[*a].total_cmp(&alone[*b]));
        let mut adjusted = vec![1.0; which.len()];
        let mut before = 0.0_f64;
        for (rank, at) in order.iter().enumerate() {
            let rest = &order[rank..];
            let hits = self.drawn.iter().enumerate().filter(|(draw, _)| {
                rest.iter().any(|other| of_draws[*other][*draw] <= alone[*at] + 1e-12)
            });
            let p = hits.map(|(_, (p, _))| p).sum::<f64>() + self.itself();
            before = before.max(p.min(1.0)).max(alone[*at]);
            adjusted[*at] = before;
        }
        adjusted
    }

    /// Returns for each exchange the probability of one whose statistic is at least as large.
    fn tails(&self, which: usize) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.drawn.len()).collect();
        order.sort_by(|a, b| self.drawn[*b].1[which].total_cmp(&self.drawn[*a].1[which]));
        let mut tails = vec![0.0; self.drawn.len()];
        let mut sum = self.itself();
        let mut at = 0;
        while at < order.len() {
            let value = self.drawn[order[at]].1[which];
            let end = order[at..]
                .iter()
                .position(|other| self.drawn[*other].1[which] < value - TIE)
                .map_or(order.len(), |more| at + more);
            sum += order[at..end].iter().map(|other| self.drawn[*other].0).sum::<f64>();
            for other in &order[at..end] {
                tails[*other] = sum.min(1.0);
            }
            at = end;
        }
        tails
    }
}

/// Returns the ways of dealing `good` good attempts of all `attempts.0 + attempts.1` to two runs, as
/// the number of good ones in the later run and its probability.
pub(crate) fn deals(good: u32, attempts: (u32, u32)) -> Vec<(u32, f64)> {
    let (before, after) = attempts;
    let (least, most) = (good.saturating_sub(before), good.min(after));
    // Only the ratio of a probability to the next is simple; logarithms keep it in range.
    let mut logs = vec![0.0_f64];
    for k in least..most {
        let up = f64::from(good - k) * f64::from(after - k);
        let down = f64::from(k + 1) * f64::from(before + k + 1 - good);
        logs.push(logs[logs.len() - 1] + (up / down).ln());
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
    (least..=most).zip(logs).map(|(k, log)| (k, (log - largest).exp() / total)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(value: f64) -> Vec<Way<2>> {
        let way =
            |value: f64| Way { p: 0.5, statistics: [value, f64::from(u8::from(value > 0.0))] };
        vec![way(value), way(-value)]
    }

    const SUMS: [Combine; 2] = [Combine::Sum, Combine::Sum];

    #[test]
    fn few_exchanges_are_counted_and_many_are_drawn() {
        let few = Exchanges::new(&vec![coin(1.0); 5], SUMS, 0, 10_000);
        assert!((few.tail(0, 5.0) - 1.0 / 32.0).abs() < 1e-12);
        assert!((few.tail(1, 4.0) - 6.0 / 32.0).abs() < 1e-12);
        let many = Exchanges::new(&vec![coin(1.0); 20], SUMS, 0, 10_000);
        // P(Bin(20, 1/2) >= 14) = 0.0577
        assert!((many.tail(1, 14.0) - 0.0577).abs() < 0.01, "{}", many.tail(1, 14.0));
    }

    #[test]
    fn statistics_that_say_the_same_cost_nothing() {
        let same = Exchanges::new(&vec![coin(1.0); 6], SUMS, 0, 10_000);
        let adjusted = same.jointly(&[0, 1], [6.0, 6.0]);
        assert!(adjusted.iter().all(|p| (p - 1.0 / 64.0).abs() < 1e-12), "{adjusted:?}");
    }

    #[test]
    fn independent_statistics_cost_as_much_as_two_tests() {
        // Half of the units move the first statistic, the others the second.
        let one = |which: usize| -> Vec<Way<2>> {
            [1.0, -1.0]
                .map(|value| {
                    let mut statistics = [0.0; 2];
                    statistics[which] = value;
                    Way { p: 0.5, statistics }
                })
                .into()
        };
        let units: Vec<_> = (0..10).map(|at| one(at % 2)).collect();
        let both = Exchanges::new(&units, SUMS, 0, 10_000);
        let p = 1.0 / 32.0_f64;
        let adjusted = both.jointly(&[0, 1], [5.0, -5.0]);
        assert!((adjusted[0] - (1.0 - (1.0 - p) * (1.0 - p))).abs() < 1e-9, "{adjusted:?}");
        assert!(adjusted[1] > 0.99);
    }

    #[test]
    fn deals_are_hypergeometric() {
        // scipy.stats.hypergeom(13, 9, 3).pmf([0, 1, 2, 3])
        let want = [4.0 / 286.0, 54.0 / 286.0, 144.0 / 286.0, 84.0 / 286.0];
        let got = deals(9, (10, 3));
        assert_eq!(got.iter().map(|(k, _)| *k).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(got.iter().zip(want).all(|((_, p), want)| (p - want).abs() < 1e-12), "{got:?}");
        assert_eq!(deals(0, (3, 3)), [(0, 1.0)]);
        assert_eq!(deals(5, (4, 1)), [(1, 1.0)]);
    }
}
