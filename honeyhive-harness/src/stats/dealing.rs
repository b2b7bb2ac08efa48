//! Tests whether two runs with different numbers of attempts differ by more than the way in which
//! the attempts were dealt.
//!
//! The sign-flip test takes the differences of cases for as likely one way as the other. A mean of
//! one attempt scatters to one side where a mean of ten does not, so the test would raise false
//! alarms there.

use super::exchange::deals;
use super::{Alternative, SplitMix64};

/// The most attempts of a case in a run; the test has no answer for more, so that its time is
/// bounded.
const MOST_ATTEMPTS: u32 = 10_000;

/// The numbers of good attempts of a case in two runs, and of all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dealt {
    /// The numbers of good attempts, before and after.
    pub good: (u32, u32),
    /// The numbers of attempts, before and after; at least 1.
    pub attempts: (u32, u32),
}

/// Returns the p-value of a permutation test of the mean difference between the shares of good
/// attempts in two runs of the same cases, which may have been attempted more often in one than in
/// the other.
///
/// If nothing had changed but chance, the good attempts of each case could have been dealt to the
/// two runs in any other way. `deals` random ways are drawn from `seed`, and p is
/// `(extreme + 1) / (deals + 1)`, as in `sign_flip_test`. For one case it
/// comes close to Fisher's exact test.
///
/// Attempts of a case must be independent of each other: where those of one run go together, p is
/// too small.
///
/// Returns `None` without cases, where a case has no attempt in one of the runs, or more good ones
/// than attempts, or more than 10,000.
///
/// ```
/// use honeyhive_harness::stats::{Alternative, Dealt, dealing_test};
///
/// // 9 of 10 then, 0 of 3 now, in two cases.
/// let case = Dealt { good: (9, 0), attempts: (10, 3) };
/// let p = dealing_test(&[case; 2], Alternative::Less, 0, 10_000).unwrap();
/// assert!(p < 0.001);
/// // That a single attempt of a case that seldom succeeds does not is no news.
/// let case = Dealt { good: (1, 0), attempts: (10, 1) };
/// assert!(dealing_test(&[case], Alternative::Less, 0, 10_000).unwrap() > 0.9);
/// ```
pub fn dealing_test(
    cases: &[Dealt],
    alternative: Alternative,
    seed: u64,
    deals: u32,
) -> Option<f64> {
    let possible = |case: &Dealt| {
        let one = |good, all| (1..=MOST_ATTEMPTS).contains(&all) && good <= all;
        one(case.good.0, case.attempts.0) && one(case.good.1, case.attempts.1)
    };
    if cases.is_empty() || !cases.iter().all(possible) {
        return None;
    }
    let observed: f64 = cases.iter().map(|case| difference(case, case.good.1)).sum();
    // A case whose attempts are all alike has the same difference however they are dealt.
    let fixed = |case: &&Dealt| {
        let good = case.good.0 + case.good.1;
        good == 0 || good == case.attempts.0 + case.attempts.1
    };
    let hands: Vec<Hand> = cases.iter().filter(|case| !fixed(case)).map(Hand::new).collect();
    // Shares that differ by rounding alone are ties.
    let tie = 1e-9;
    let extreme = |sum: f64| match alternative {
        Alternative::Less => sum <= observed + tie,
        Alternative::Greater => sum >= observed - tie,
        Alternative::TwoSided => sum.abs() >= observed.abs() - tie,
    };
    let mut random = SplitMix64::new(seed);
    let hits =
        (0..deals).filter(|_| extreme(hands.iter().map(|hand| hand.deal(&mut random)).sum()));
    Some((hits.count() as f64 + 1.0) / (f64::from(deals) + 1.0))
}

/// Returns the share of good attempts after minus that before, if `good_after` of the good ones
/// came after.
fn difference(case: &Dealt, good_after: u32) -> f64 {
    let good_before = case.good.0 + case.good.1 - good_after;
    f64::from(good_after) / f64::from(case.attempts.1)
        - f64::from(good_before) / f64::from(case.attempts.0)
}

/// The differences that a case can have, each with the probability of that difference or a smaller
/// one.
struct Hand(Vec<(f64, f64)>);

impl Hand {
    /// Computes the hypergeometric distribution of good attempts in the later run.
    fn new(case: &Dealt) -> Self {
        let mut sum = 0.0;
        let steps = deals(case.good.0 + case.good.1, case.attempts).into_iter().map(|(k, p)| {
            sum += p;
            (difference(case, k), sum)
        });
        Self(steps.collect())
    }

    fn deal(&self, random: &mut SplitMix64) -> f64 {
        let at = random.fraction();
        // The last sum may be short of 1 by rounding.
        let step = self.0.iter().find(|(_, sum)| at < *sum).or(self.0.last());
        step.map_or(0.0, |(difference, _)| *difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(good: (u32, u32), attempts: (u32, u32)) -> Dealt {
        Dealt { good, attempts }
    }

    fn p(cases: &[Dealt], side: Alternative) -> f64 {
        dealing_test(cases, side, 7, 10_000).expect("cases")
    }

    /// Returns the exact p, by dealing the attempts of all cases in all ways.
    fn exact(cases: &[Dealt]) -> f64 {
        let observed: f64 = cases.iter().map(|case| difference(case, case.good.1)).sum();
        let mut ways = vec![(0.0, 1.0)];
        for case in cases {
            let good = case.good.0 + case.good.1;
            let all = case.attempts.0 + case.attempts.1;
            let deals: Vec<u32> = (0..1 << all)
                .filter(|deal: &u32| deal.count_ones() == case.attempts.1)
                // The first attempts count as the good ones.
                .map(|deal| (deal & ((1 << good) - 1)).count_ones())
                .collect();
            let share = 1.0 / deals.len() as f64;
            let step = |(sum, p): &(f64, f64)| {
                let deals = deals.iter().map(|after| (sum + difference(case, *after), p * share));
                deals.collect::<Vec<_>>()
            };
            ways = ways.iter().flat_map(step).collect();
        }
        ways.iter().filter(|(sum, _)| *sum <= observed + 1e-9).map(|(_, p)| p).sum()
    }

    #[test]
    fn it_is_what_dealing_in_all_ways_says() {
        for cases in [
            vec![case((3, 0), (3, 1))],
            vec![case((1, 0), (3, 1)), case((0, 1), (3, 1))],
            vec![case((2, 1), (4, 2)), case((4, 0), (4, 1)), case((0, 0), (2, 2))],
            vec![case((1, 0), (1, 3)), case((1, 1), (1, 3)), case((1, 3), (1, 3))],
        ] {
            let want = exact(&cases);
            // The tolerance is 4 standard deviations of a share of 10,000.
            let within = 4.0 * (want * (1.0 - want) / 1e4).sqrt() + 1e-4;
            let got = p(&cases, Alternative::Less);
            assert!((got - want).abs() <= within, "{cases:?}: {got} is not {want}");
        }
    }

    /// Checks a case against `scipy.stats.hypergeom(13, 9, 3).cdf(0)`, which is 4/286.
    #[test]
    fn one_case_is_fishers_test() {
        let one = [case((9, 0), (10, 3))];
        assert!((p(&one, Alternative::Less) - 4.0 / 286.0).abs() < 0.005);
        assert!((p(&one, Alternative::Greater) - 1.0).abs() < 1e-12);
        let both = p(&one, Alternative::TwoSided);
        assert!(both >= p(&one, Alternative::Less) && both < 0.05, "{both}");
    }

    #[test]
    fn where_all_attempts_are_alike_nothing_is_seen() {
        let alike = [case((3, 1), (3, 1)), case((0, 0), (10, 3))];
        for side in [Alternative::Less, Alternative::Greater, Alternative::TwoSided] {
            assert!((p(&alike, side) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn what_cannot_be_has_no_answer() {
        for wrong in [
            vec![],
            vec![case((0, 0), (0, 1))],
            vec![case((2, 0), (1, 1))],
            vec![case((0, 0), (u32::MAX, u32::MAX))],
        ] {
            assert_eq!(dealing_test(&wrong, Alternative::Less, 0, 100), None, "{wrong:?}");
        }
        // Large numbers stay in the range of `f64`.
        let many = [case((9_000, 8_000), (10_000, 10_000))];
        assert!(p(&many, Alternative::Less) < 0.001);
    }
}
