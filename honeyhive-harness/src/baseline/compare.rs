//! Compares two runs of the same cases, score by score: which cases moved, and whether that is more
//! than chance.

use std::collections::BTreeMap;

use super::comparison::{Pair, ScoreComparison};
use super::exchange;
use super::pairs::{Both, Paired, Scope, Unit, pair};
use super::snapshot::Snapshot;
use crate::stats::{self, Alternative};

/// The number of random flips of the permutation test, for sizes where not all flips are tried.
const FLIPS: u32 = 10_000;

/// The seed of the random flips, fixed so that a repeated test gives the same p.
const SEED: u64 = 0;

/// Compares the scores of an evaluator on the cases that both runs have and `select` wants.
///
/// A case whose row was edited counts as another question, and an evaluator whose source or
/// settings changed counts as another measure; neither is compared.
///
/// The test is the paired sign-flip permutation test of the mean, which on hits and misses is
/// `McNemar`'s exact test. With clusters, the differences of a cluster are flipped together. Where
/// shares of good attempts are of another number of attempts in one run than in the other, p is at
/// least that of dealing the attempts anew, as in [`stats::dealing_test`].
pub fn compare(
    before: &Snapshot,
    after: &Snapshot,
    evaluator: &str,
    select: &dyn Fn(&str) -> bool,
) -> ScoreComparison {
    match pair(before, after, evaluator, Scope { now: select, slice: None }) {
        Ok(paired) => of_pairs(evaluator, &paired),
        Err(why) => ScoreComparison::incomparable(evaluator, why),
    }
}

/// Compares the scores of cases that were paired.
pub(crate) fn of_pairs(evaluator: &str, paired: &Paired) -> ScoreComparison {
    let clusters = paired.is_clustered().then(|| sums_of_clusters(&paired.pairs));
    let pairs = paired.pairs.iter();
    let pairs: Vec<Pair> = pairs
        .map(|Both { id, before, after, gain, .. }| Pair {
            case: id.clone(),
            before: *before,
            after: *after,
            gain: *gain,
        })
        .collect();
    let of = |value: &dyn Fn(&Pair) -> f64| -> f64 {
        let values: Vec<f64> = pairs.iter().map(value).collect();
        stats::mean(&values).unwrap_or(f64::NAN)
    };
    let gains: Vec<f64> = pairs.iter().map(|pair| pair.gain).collect();
    let (better, worse) = (count(&gains, 1.0), count(&gains, -1.0));
    // The gains are written as pairs from 0, so that their signs carry the direction.
    let units: Vec<(f64, f64)> = match &clusters {
        Some(sums) => sums.iter().map(|sum| (0.0, *sum)).collect(),
        None => gains.iter().map(|gain| (0.0, *gain)).collect(),
    };
    let interval = match stats::t_interval(&gains, 0.95) {
        Some(interval) if clusters.is_none() && interval.low < interval.high => Some(interval),
        _ => None,
    };
    let (before, after, gain) = (of(&|pair| pair.before), of(&|pair| pair.after), of(&|p| p.gain));
    // Where attempts differ, a mean of one scatters to one side where a mean of ten does not.
    let dealt = Some(paired).filter(|paired| paired.is_uneven());
    let (worse_dealt, better_dealt) =
        dealt.and_then(exchange::mean_by_attempts).unwrap_or_default();
    let p_worse = p(&units, Alternative::Less).max(worse_dealt);
    let p_better = p(&units, Alternative::Greater).max(better_dealt);
    ScoreComparison {
        evaluator: evaluator.to_owned(),
        incomparable: None,
        before,
        after,
        gain,
        interval,
        better,
        worse,
        p_worse,
        p_better,
        clusters: clusters.map(|clusters| clusters.len()),
        coverage: paired.coverage.clone(),
        pairs,
    }
}

/// Returns the gains of each cluster, added up; a case without a cluster is a cluster of its own.
fn sums_of_clusters(pairs: &[Both]) -> Vec<f64> {
    let mut sums: BTreeMap<Unit<'_>, f64> = BTreeMap::new();
    for pair in pairs {
        *sums.entry(pair.unit()).or_default() += pair.gain;
    }
    sums.into_values().collect()
}

/// Returns the number of gains of this sign. Averages of the same scores in another order count as
/// equal.
fn count(gains: &[f64], sign: f64) -> usize {
    gains.iter().filter(|gain| sign * **gain > 1e-12).count()
}

/// Returns the p-value of a paired test of the mean. Where all differences are of one size, it is
/// exact for any number of pairs.
fn p(units: &[(f64, f64)], side: Alternative) -> f64 {
    let differences = units.iter().map(|(before, after)| after - before);
    let moved: Vec<f64> = differences.filter(|difference| difference.abs() > 1e-12).collect();
    let size = moved.first().map_or(0.0, |first| first.abs());
    if moved.iter().all(|difference| (difference.abs() - size).abs() <= 1e-12) {
        let better = moved.iter().filter(|difference| **difference > 0.0).count();
        return stats::mcnemar(better as u64, (moved.len() - better) as u64, side);
    }
    stats::sign_flip_test(units, side, SEED, FLIPS).map_or(1.0, |test| test.p)
}

#[cfg(test)]
mod tests {
    use super::super::{CaseSnapshot, EvaluatorPrint, ScoreSnapshot};
    use super::*;
    use crate::score::Direction;

    fn snapshot(direction: Direction, scores: &[(&str, f64)]) -> Snapshot {
        let print = EvaluatorPrint { direction, source: "s".to_owned(), ..Default::default() };
        let case = |score: f64| CaseSnapshot {
            row: "row".to_owned(),
            scores: [("e".to_owned(), ScoreSnapshot { score, attempts: 1, good: None })].into(),
            ..CaseSnapshot::default()
        };
        Snapshot {
            evaluators: [("e".to_owned(), print)].into(),
            cases: scores.iter().map(|(id, score)| ((*id).to_owned(), case(*score))).collect(),
            ..Snapshot::default()
        }
    }

    fn all(_: &str) -> bool {
        true
    }

    #[test]
    fn what_is_better_depends_on_the_direction() {
        let before = [("a", 1.0), ("b", 0.0), ("c", 1.0), ("gone", 1.0)];
        let after = [("a", 1.0), ("b", 1.0), ("c", 0.5), ("d", 0.0)];
        let up = Direction::Maximize;
        let up = compare(&snapshot(up, &before), &snapshot(up, &after), "e", &all);
        assert_eq!((up.pairs.len(), up.better, up.worse), (3, 1, 1));
        assert!((up.gain - 0.5 / 3.0).abs() < 1e-12 && (up.before - 2.0 / 3.0).abs() < 1e-12);
        let down = Direction::Minimize;
        let down = compare(&snapshot(down, &before), &snapshot(down, &after), "e", &all);
        assert!((down.gain + 0.5 / 3.0).abs() < 1e-12);
        assert!((down.p_worse - up.p_better).abs() < 1e-12);
        assert!((down.before - up.before).abs() < 1e-12, "means stay as they are");
    }

    #[test]
    fn other_rows_and_other_evaluators_are_not_compared() {
        let before = snapshot(Direction::Maximize, &[("a", 1.0), ("b", 0.0)]);
        let mut after = before.clone();
        after.cases.get_mut("a").expect("a").row = "another".to_owned();
        let compared = compare(&before, &after, "e", &all);
        assert_eq!(compared.pairs.iter().map(|pair| &pair.case).collect::<Vec<_>>(), ["b"]);
        after.evaluators.get_mut("e").expect("e").source = "t".to_owned();
        let compared = compare(&before, &after, "e", &all);
        assert!(compared.incomparable.is_some_and(|why| why.contains("the source of evaluator")));
        assert!(compared.pairs.is_empty() && compared.p_worse.to_bits() == 1.0_f64.to_bits());
        let compared = compare(&before, &after, "f", &all);
        assert_eq!(compared.incomparable.as_deref(), Some("this run has no evaluator `f`"));
    }

    #[test]
    fn hits_and_misses_are_tested_exactly_and_clusters_as_a_whole() {
        let ids: Vec<String> = (0..40).map(|n| format!("{n:02}")).collect();
        let scores = |score: f64| -> Vec<(&str, f64)> {
            ids.iter().map(|id| (id.as_str(), score)).collect()
        };
        let before = snapshot(Direction::Maximize, &scores(1.0));
        let mut after = snapshot(Direction::Maximize, &scores(0.0));
        let compared = compare(&before, &after, "e", &all);
        assert!((compared.p_worse - 0.5_f64.powi(40)).abs() < 1e-18 && compared.clusters.is_none());
        for (n, case) in after.cases.values_mut().enumerate() {
            case.cluster = Some(format!("{}", n % 4));
        }
        let compared = compare(&before, &after, "e", &all);
        assert_eq!(compared.clusters, Some(4));
        assert!((compared.p_worse - 0.5_f64.powi(4)).abs() < 1e-12, "{}", compared.p_worse);
        assert!((compared.p_two_sided() - 0.125).abs() < 1e-12);
        // A case without a cluster is a cluster of its own, and the others stay together.
        after.cases.get_mut("39").expect("39").cluster = None;
        let compared = compare(&before, &after, "e", &all);
        assert_eq!(compared.clusters, Some(5));
        assert!((compared.p_worse - 0.5_f64.powi(5)).abs() < 1e-12, "{}", compared.p_worse);
    }

    #[test]
    fn single_attempts_of_hard_cases_against_many_are_no_loss() {
        // Each case succeeds once in ten attempts: 30 cases had one good attempt of 10 in the
        // baseline.
        let ids: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
        let run = |score: f64, attempts, good| {
            let scores: Vec<(&str, f64)> = ids.iter().map(|id| (id.as_str(), score)).collect();
            let mut run = snapshot(Direction::Maximize, &scores);
            for case in run.cases.values_mut() {
                case.scores.insert("e".to_owned(), ScoreSnapshot { score, attempts, good });
            }
            run
        };
        let (before, after) = (run(0.1, 10, Some(1)), run(0.0, 1, Some(0)));
        let compared = compare(&before, &after, "e", &all);
        // None of 30 succeeds with a probability of (10/11)^30.
        assert!((compared.p_worse - 0.057).abs() < 0.01, "{}", compared.p_worse);
        // Without counts, the differences are all that the test can use.
        let compared = compare(&run(0.1, 10, None), &run(0.0, 1, None), "e", &all);
        assert!(compared.p_worse < 1e-6, "{}", compared.p_worse);
    }

    #[test]
    fn a_run_against_itself_has_not_changed() {
        let run = snapshot(Direction::Maximize, &[("a", 1.0), ("b", 0.3)]);
        let compared = compare(&run, &run, "e", &all);
        assert_eq!((compared.better, compared.worse), (0, 0));
        assert!(compared.p_worse > 0.999 && compared.p_better > 0.999);
    }
}
