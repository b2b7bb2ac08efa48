//! Tests properties of the statistics for all numbers, and the rate of false alarms of the tests
//! behind gates.
//!
//! Reference values are in the unit tests beside the code. All tests are seeded.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]
// Values that are compared for equality must be the same number.
#![allow(clippy::float_cmp)]

use honeyhive_harness::__private::stats::{
    Alternative, SignFlip, SplitMix64, Spread, clustered_interval, clustered_mean, holm, mcnemar,
    mean, mean_cases_needed, mean_detectable, mean_power, pass_at_k, pass_hat_k,
    proportion_cases_needed, proportion_detectable, proportion_power, sign_flip_test,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

const SIDES: [Alternative; 3] = [Alternative::Less, Alternative::Greater, Alternative::TwoSided];

fn config(cases: u32) -> Config {
    // With a fixed seed, failures come back without a file that lists them.
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Config::default() }
}

/// Generates scores of the usual kinds: few different values, so that there are ties, or any value.
fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0..=1_u8).prop_map(f64::from),
        (0..=10_u8).prop_map(|tenths| f64::from(tenths) / 10.0),
        -1e6..1e6,
    ]
}

fn pairs(most: usize) -> impl Strategy<Value = Vec<(f64, f64)>> {
    vec((score(), score()), 1..=most)
}

fn flipped(pairs: &[(f64, f64)], side: Alternative, seed: u64, flips: u32) -> SignFlip {
    sign_flip_test(pairs, side, seed, flips).unwrap()
}

/// Computes p from every flip in turn, compared without a tolerance: for whole numbers.
fn brute_force(differences: &[i64], side: Alternative) -> f64 {
    let observed: i64 = differences.iter().sum();
    let extreme = (0..1_u32 << differences.len()).filter(|flip| {
        let signed = differences.iter().enumerate();
        let sum: i64 = signed.map(|(at, d)| if flip >> at & 1 == 1 { -d } else { *d }).sum();
        match side {
            Alternative::Less => sum <= observed,
            Alternative::Greater => sum >= observed,
            Alternative::TwoSided => sum.abs() >= observed.abs(),
        }
    });
    extreme.count() as f64 / f64::from(1_u32 << differences.len())
}

// ---- comparing two runs ----

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn the_sign_flip_test_of_tenths_is_that_of_whole_numbers(
        tenths in vec((0..=10_i64, 0..=10_i64), 1..=10),
    ) {
        let differences: Vec<i64> = tenths.iter().map(|(before, after)| after - before).collect();
        let scores: Vec<(f64, f64)> =
            tenths.iter().map(|(before, after)| (*before as f64 / 10.0, *after as f64 / 10.0)).collect();
        for side in SIDES {
            let found = flipped(&scores, side, 0, 0);
            prop_assert!(found.exact);
            prop_assert_eq!(found.non_zero, differences.iter().filter(|d| **d != 0).count());
            prop_assert_eq!(found.p, brute_force(&differences, side));
        }
    }

    #[test]
    fn the_sign_flip_test_does_not_care_about_order_unit_or_side(
        pairs in pairs(12),
        seed in any::<u64>(),
    ) {
        let less = flipped(&pairs, Alternative::Less, seed, 100);
        let greater = flipped(&pairs, Alternative::Greater, seed, 100);
        let both = flipped(&pairs, Alternative::TwoSided, seed, 100);
        prop_assert!(less.p > 0.0 && less.p <= 1.0);
        // The observed flip is on both sides.
        prop_assert!(less.p + greater.p > 1.0);
        prop_assert!((both.p - (2.0 * less.p.min(greater.p)).min(1.0)).abs() < 1e-12);
        let swapped: Vec<_> = pairs.iter().map(|(before, after)| (*after, *before)).collect();
        prop_assert_eq!(flipped(&swapped, Alternative::Greater, seed, 100).p, less.p);
        let reversed: Vec<_> = pairs.iter().rev().copied().collect();
        prop_assert_eq!(flipped(&reversed, Alternative::Less, seed, 100).p, less.p);
        let doubled: Vec<_> = pairs.iter().map(|(before, after)| (before * 2.0, after * 2.0)).collect();
        prop_assert_eq!(flipped(&doubled, Alternative::Less, seed, 100).p, less.p);
        let mut padded = pairs;
        padded.push((0.7, 0.7));
        prop_assert_eq!(flipped(&padded, Alternative::Less, seed, 100).p, less.p);
    }

    #[test]
    fn a_larger_drop_is_no_less_of_a_finding(pairs in pairs(12), at in any::<prop::sample::Index>()) {
        let mut lower = pairs.clone();
        let at = at.index(pairs.len());
        // The new value is below both, so the pair is a drop now.
        lower[at].1 = pairs[at].0.min(pairs[at].1) - 1.0;
        let (before, after) = (
            flipped(&pairs, Alternative::Less, 0, 0),
            flipped(&lower, Alternative::Less, 0, 0),
        );
        prop_assert!(after.p <= before.p + 1e-12, "{} {}", before.p, after.p);
    }

    #[test]
    fn mcnemar_is_symmetric_and_monotone(better in 0..3000_u64, worse in 0..3000_u64) {
        let less = mcnemar(better, worse, Alternative::Less);
        prop_assert!((0.0..=1.0).contains(&less));
        prop_assert_eq!(mcnemar(worse, better, Alternative::Greater), less);
        let both = mcnemar(better, worse, Alternative::TwoSided);
        prop_assert!(both >= less.min(mcnemar(better, worse, Alternative::Greater)) && both <= 1.0);
        prop_assert!(mcnemar(better, worse + 1, Alternative::Less) <= less + 1e-12);
        prop_assert!(mcnemar(better + 1, worse, Alternative::Less) >= less - 1e-12);
    }

    #[test]
    fn holm_adjusts_upwards_and_keeps_the_order(p_values in vec(0.0..=1.0_f64, 0..12)) {
        let adjusted = holm(&p_values);
        let tests = p_values.len() as f64;
        for (p, more) in p_values.iter().zip(&adjusted) {
            prop_assert!(p <= more && *more <= (p * tests).min(1.0));
        }
        for (p, more) in p_values.iter().zip(&adjusted) {
            for (q, other) in p_values.iter().zip(&adjusted) {
                prop_assert!(p > q || more <= other);
            }
        }
        // The smallest p is multiplied by the number of tests.
        if let Some(least) = p_values.iter().copied().reduce(f64::min) {
            prop_assert!(adjusted.contains(&(least * tests).min(1.0)));
        }
    }
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn random_flips_come_close_to_all_of_them(pairs in vec((score(), score()), 12..=16), seed in any::<u64>()) {
        // Seventeen more pairs make the flips random. Their differences are too small to change any
        // sum.
        let largest = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        prop_assume!(largest > 0.0);
        let tiny = (0..17).map(|_| (0.0, largest * 1e-14));
        let padded: Vec<_> = pairs.iter().copied().chain(tiny).collect();
        for side in SIDES {
            let exact = flipped(&pairs, side, seed, 0);
            let random = flipped(&padded, side, seed, 4000);
            prop_assert!(exact.exact && !random.exact);
            // The tolerance is 5 standard deviations.
            let within = 5.0 * (exact.p * (1.0 - exact.p) / 4000.0).sqrt() + 1e-3;
            prop_assert!((exact.p - random.p).abs() < within, "{} {}", exact.p, random.p);
        }
    }
}

/// Generates two runs of the same hard and easy cases, with three attempts each, that differ by
/// chance, or by a real drop.
fn runs(random: &mut SplitMix64, cases: usize, drop: f64) -> Vec<(f64, f64)> {
    let mut uniform = || random.index(1 << 30) as f64 / f64::from(1 << 30);
    let mut attempts = |rate: f64| (0..3).filter(|_| uniform() < rate).count() as f64 / 3.0;
    let rates = [0.98, 0.98, 0.98, 0.9, 0.7, 0.5, 0.2];
    let rates = rates.iter().cycle().take(cases);
    rates.map(|rate| (attempts(*rate), attempts(rate * (1.0 - drop)))).collect()
}

#[test]
fn the_sign_flip_test_keeps_its_promise_about_false_alarms() {
    const ROUNDS: usize = 1000;
    let mut random = SplitMix64::new(17);
    // 14 cases are below the limit for trying all flips, and 60 above it.
    for (cases, flips) in [(14, 0), (60, 400)] {
        let mut alarms = |drop: f64| {
            let found = |_: &usize| {
                let pairs = runs(&mut random, cases, drop);
                let seed = random.next_u64();
                flipped(&pairs, Alternative::Less, seed, flips).p <= 0.05
            };
            (0..ROUNDS).filter(found).count()
        };
        let (by_chance, real) = (alarms(0.0), alarms(0.4));
        // At most 50 are expected; 4 standard deviations are 28. A count far below 50 would mean
        // that the test finds nothing.
        assert!((8..=78).contains(&by_chance), "{by_chance} of {cases} cases");
        assert!(real > ROUNDS / 2, "{real} of {cases} cases");
    }
}

// ---- clusters ----

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn clusters_do_not_move_the_mean(values in vec((score(), 0..5_u8), 1..30)) {
        let plain: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        let found = clustered_mean(&values).unwrap();
        prop_assert_eq!(found.mean, mean(&plain).unwrap());
        let mut reversed = values.clone();
        reversed.reverse();
        // Neither the names of clusters nor the order of the cases may matter.
        let renamed: Vec<_> = reversed.iter().map(|(value, cluster)| (*value, 9 - cluster)).collect();
        let same = clustered_mean(&renamed).unwrap();
        prop_assert_eq!((same.clusters, same.n), (found.clusters, found.n));
        match (found.standard_error, same.standard_error) {
            (None, None) => prop_assert_eq!(found.clusters, 1),
            (Some(one), Some(other)) => prop_assert!((one - other).abs() <= 1e-9 * one.max(1.0)),
            other => prop_assert!(false, "{:?}", other),
        }
        match clustered_interval(&values, 0.95) {
            Spread::Interval(interval) => {
                prop_assert!(interval.low < found.mean && found.mean < interval.high);
            }
            Spread::TooFew { n } => prop_assert_eq!((n, found.clusters), (1, 1)),
            Spread::NoSpread { n } => prop_assert_eq!(n, found.clusters),
        }
    }
}

// ---- repeated attempts ----

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn pass_at_k_and_pass_hat_k_frame_the_rate(
        n in 1..2000_u32,
        passed in any::<prop::sample::Index>(),
        k in any::<prop::sample::Index>(),
    ) {
        let passed = u32::try_from(passed.index(n as usize + 1)).unwrap();
        let k = 1 + u32::try_from(k.index(n as usize)).unwrap();
        let rate = f64::from(passed) / f64::from(n);
        let (any, all) = (pass_at_k(n, passed, k).unwrap(), pass_hat_k(n, passed, k).unwrap());
        prop_assert!(0.0 <= all && all <= rate + 1e-12, "{all} {rate}");
        prop_assert!(rate - 1e-12 <= any && any <= 1.0, "{any} {rate}");
        // Estimates that draw with replacement are biased: too low for pass@k, too high for pass^k.
        let exponent = f64::from(k);
        prop_assert!(any >= 1.0 - (1.0 - rate).powf(exponent) - 1e-9);
        prop_assert!(all <= rate.powf(exponent) + 1e-9);
        if k < n {
            prop_assert!(pass_at_k(n, passed, k + 1).unwrap() >= any - 1e-12);
            prop_assert!(pass_hat_k(n, passed, k + 1).unwrap() <= all + 1e-12);
        }
        if passed < n {
            prop_assert!(pass_at_k(n, passed + 1, k).unwrap() >= any - 1e-12);
            prop_assert!(pass_hat_k(n, passed + 1, k).unwrap() >= all - 1e-12);
        }
    }
}

// ---- planning ----

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn power_grows_with_what_should_help(
        effect in 0.0..2.0_f64,
        sd in 0.05..2.0_f64,
        n in 2..400_u64,
        alpha in 0.001..0.4_f64,
    ) {
        let power = mean_power(effect, sd, n, alpha).unwrap();
        prop_assert!(power >= alpha - 1e-9 && power <= 1.0 + 1e-12);
        let at_least = |more: Option<f64>| more.unwrap() >= power - 1e-9;
        prop_assert!(at_least(mean_power(effect + 0.1, sd, n, alpha)));
        prop_assert!(at_least(mean_power(effect, sd * 0.9, n, alpha)));
        prop_assert!(at_least(mean_power(effect, sd, n + 1, alpha)));
        prop_assert!(at_least(mean_power(effect, sd, n, alpha + 0.05)));
    }

    #[test]
    fn planning_undoes_power(
        sd in 0.05..2.0_f64,
        n in 2..400_u64,
        alpha in 0.005..0.3_f64,
        power in 0.5..0.99_f64,
    ) {
        let effect = mean_detectable(sd, n, alpha, power).unwrap();
        prop_assert!((mean_power(effect, sd, n, alpha).unwrap() - power).abs() < 1e-9);
        // Slightly less than the smallest effect needs one more case, slightly more does not.
        prop_assert_eq!(mean_cases_needed(effect * 1.000_001, sd, alpha, power), Some(n));
        prop_assert!(mean_cases_needed(effect * 0.999_999, sd, alpha, power).unwrap() > n);
    }

    #[test]
    fn planning_of_proportions_undoes_power(
        baseline in 0.05..0.99_f64,
        n in 20..5000_u64,
        alpha in 0.005..0.3_f64,
        power in 0.5..0.99_f64,
    ) {
        if let Some(drop) = proportion_detectable(baseline, n, alpha, power) {
            prop_assert!(drop > 0.0 && drop <= baseline);
            let of = |drop: f64| proportion_power(baseline, baseline - drop, n, alpha);
            prop_assert!((of(drop).unwrap() - power).abs() < 1e-6);
            prop_assert!(of(drop * 0.999).unwrap() < power);
            let needed = proportion_cases_needed(baseline, baseline - drop, alpha, power).unwrap();
            prop_assert!(needed.abs_diff(n) <= 1, "{needed} {n}");
        } else {
            // Even a rate of nearly zero is not found with this power.
            prop_assert!(proportion_power(baseline, baseline * 1e-9, n, alpha).unwrap() < power);
        }
    }
}

#[test]
fn a_planned_drop_is_found_as_often_as_planned() {
    const ROUNDS: u32 = 2000;
    let mut random = SplitMix64::new(23);
    // The sum of twelve uniform numbers is nearly normal, with a standard deviation of 1.
    let mut noise =
        || (0..12).map(|_| random.index(1 << 30) as f64).sum::<f64>() / 2_f64.powi(30) - 6.0;
    let effect = mean_detectable(1.0, 12, 0.05, 0.8).unwrap();
    let mut found = 0;
    for _ in 0..ROUNDS {
        let pairs: Vec<(f64, f64)> = (0..12).map(|_| (0.0, noise() - effect)).collect();
        found += u32::from(flipped(&pairs, Alternative::Less, 0, 0).p <= 0.05);
    }
    // A t test would find 1600; 4 standard deviations are 72, and the sign-flip test is almost as
    // powerful.
    assert!((1500..=1672).contains(&found), "{found}");
}
