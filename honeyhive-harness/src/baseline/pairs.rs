//! Pairs the cases that two runs can be compared on, and counts those that cannot be compared.

use std::collections::BTreeSet;

use super::snapshot::{CaseSnapshot, ScoreSnapshot, Snapshot};
use crate::score::{Direction, Reducer};
use crate::stats;
use crate::text::{count, one_line};

/// The number of names shown of the cases that cannot be compared for one reason.
const MOST_NAMED: usize = 5;

/// The cases that a comparison looks at.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Returns whether a case is looked at; with a slice, this holds for the later run alone.
    pub now: &'a dyn Fn(&str) -> bool,
    /// The slice that is looked at; the baseline records its own cases of it.
    pub slice: Option<&'a str>,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("slice", &self.slice).finish_non_exhaustive()
    }
}

impl Scope<'_> {
    /// The scope of all cases of both runs.
    pub(crate) const ALL: Scope<'static> = Scope { now: &|_| true, slice: None };

    /// Returns whether a case of the baseline is looked at; `None` where the baseline does not know
    /// the slice.
    fn then(&self, before: &Snapshot, id: &str, case: &CaseSnapshot) -> Option<bool> {
        match self.slice {
            None => Some((self.now)(id)),
            Some(slice) if before.slices.contains(slice) => Some(case.slices.contains(slice)),
            Some(_) => None,
        }
    }
}

/// The cases that can be compared, and by reason those that cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The number of cases that have a score in both runs, for the same row.
    pub compared: usize,
    /// The number of cases that have, should have, or had a score.
    pub expected: usize,
    /// The cases that are in the later run alone.
    pub added: Vec<String>,
    /// The cases that are in the baseline alone.
    pub removed: Vec<String>,
    /// The cases in both runs that have other inputs, another ground truth or another history now.
    pub edited: Vec<String>,
    /// The cases with a score in the baseline to which the evaluator does not apply now.
    pub not_applicable: Vec<String>,
    /// The cases with no score in the later run, since the function or the evaluator failed.
    pub missing: Vec<String>,
    /// The cases with a score in the later run alone.
    pub unscored_before: Vec<String>,
    /// The cases that are in the slice in one run alone.
    pub moved: Vec<String>,
    /// The cases with another number of attempts, under a reducer that depends on it.
    pub other_attempts: Vec<String>,
}

impl Coverage {
    /// Returns the share of the cases that can be compared; 1 where there is nothing to compare.
    pub fn share(&self) -> f64 {
        if self.expected == 0 { 1.0 } else { self.compared as f64 / self.expected as f64 }
    }

    /// Describes what cannot be compared: `1 row edited (a), 2 scores now not applicable (b, c)`;
    /// empty where everything is compared.
    pub fn text(&self) -> String {
        let named = |ids: &[String]| {
            let mut shown: Vec<String> =
                ids.iter().take(MOST_NAMED).map(|id| one_line(id, 40)).collect();
            if ids.len() > MOST_NAMED {
                shown.push("…".to_owned());
            }
            shown.join(", ")
        };
        let rows = |ids: &[String], what: &str| {
            format!("{} {what} ({})", count(ids.len(), "row"), named(ids))
        };
        let scores = |ids: &[String], what: &str| {
            format!("{} {what} ({})", count(ids.len(), "score"), named(ids))
        };
        [
            (&self.edited, rows(&self.edited, "edited")),
            (&self.removed, rows(&self.removed, "removed")),
            (&self.added, rows(&self.added, "added")),
            (&self.not_applicable, scores(&self.not_applicable, "now not applicable")),
            (&self.missing, scores(&self.missing, "missing after errors")),
            (&self.unscored_before, scores(&self.unscored_before, "not in the baseline")),
            (&self.moved, rows(&self.moved, "moved into or out of the slice")),
            (&self.other_attempts, scores(&self.other_attempts, "of another number of attempts")),
        ]
        .into_iter()
        .filter(|(ids, _)| !ids.is_empty())
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(", ")
    }
}

/// The results of a case in both runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Both {
    pub(crate) id: String,
    /// The cluster of the case; a case without one is a cluster of its own.
    pub(crate) cluster: Option<String>,
    /// The scores to compare: those of the runs, or what they would be at the same number of
    /// attempts.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// The gain of the case (a loss, when negative), whichever direction is better.
    pub(crate) gain: f64,
    /// The attempts and how many of them were good, in both runs; absent where the evaluator only
    /// measures.
    pub(crate) counts: Option<AttemptCounts>,
    /// Set when the scores follow from the counts.
    pub(crate) is_share: bool,
    /// Set when the score in the baseline could not be worse.
    pub(crate) at_worst: bool,
}

/// The unit that results are exchanged by: the cluster, or the case where it has none.
pub(crate) type Unit<'a> = (Option<&'a str>, &'a str);

impl Both {
    pub(crate) fn unit(&self) -> Unit<'_> {
        match &self.cluster {
            Some(cluster) => (Some(cluster), ""),
            None => (None, &self.id),
        }
    }
}

/// The attempts of a case in two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptCounts {
    /// The numbers of good attempts, before and after.
    pub(crate) good: (u32, u32),
    /// The numbers of attempts, before and after; at least 1.
    pub(crate) attempts: (u32, u32),
}

/// The cases that two runs can be compared on.
#[derive(Clone, Debug)]
pub(crate) struct Paired {
    pub(crate) pairs: Vec<Both>,
    pub(crate) coverage: Coverage,
    pub(crate) reduce: Reducer,
    /// The lowest and highest score that a case can have.
    pub(crate) range: Option<(f64, f64)>,
}

impl Paired {
    /// Returns whether some cases belong together.
    pub(crate) fn is_clustered(&self) -> bool {
        self.pairs.iter().any(|pair| pair.cluster.is_some())
    }

    /// Returns whether all scores follow from counts of good attempts.
    pub(crate) fn are_shares(&self) -> bool {
        self.pairs.iter().all(|pair| pair.is_share)
    }

    /// Returns whether some case was attempted more often in one run than in the other.
    pub(crate) fn is_uneven(&self) -> bool {
        self.pairs
            .iter()
            .filter_map(|pair| pair.counts)
            .any(|counts| counts.attempts.0 != counts.attempts.1)
    }
}

/// Returns the score of a case whose `good` of `attempts` attempts are good, reduced for a
/// comparison with a run of `other` attempts: the higher, the better.
pub(crate) fn share(reduce: Reducer, good: u32, attempts: u32, other: u32) -> Option<f64> {
    match reduce {
        Reducer::Mean => Some(f64::from(good) / f64::from(attempts)),
        Reducer::PassAt(k) => stats::pass_at_k(attempts, good, k),
        Reducer::PassAll(k) => stats::pass_hat_k(attempts, good, k),
        // The average over all draws of as many attempts as the run with fewer has.
        Reducer::AtLeast(k) => {
            let drawn = attempts.min(other);
            let rest = attempts - drawn;
            let enough = stats::deals(good, (rest, drawn)).into_iter();
            let p: f64 = enough.filter(|(hits, _)| *hits >= k).map(|(_, p)| p).sum();
            (drawn >= k).then_some(p.min(1.0))
        }
        Reducer::Median | Reducer::Min | Reducer::Max => None,
    }
}

/// Pairs the scores of an evaluator in two runs.
///
/// # Errors
/// Returns why they cannot be compared at all.
pub(crate) fn pair(
    before: &Snapshot,
    after: &Snapshot,
    evaluator: &str,
    scope: Scope<'_>,
) -> Result<Paired, String> {
    if let Some(why) = incomparable(before, after, evaluator) {
        return Err(why);
    }
    let print = &after.evaluators[evaluator];
    let reduce: Reducer = print.reduce.parse().unwrap_or_default();
    let sign = if print.direction == Direction::Minimize { -1.0 } else { 1.0 };
    let range = match (reduce.counts(), print.range) {
        (true, _) => Some((0.0, 1.0)),
        (false, range) => range,
    };
    let mut paired = Paired { pairs: Vec::new(), coverage: Coverage::default(), reduce, range };
    let coverage = &mut paired.coverage;
    for (id, case) in &after.cases {
        let now = case.scores.get(evaluator);
        let is_missing = case.missing.contains(evaluator);
        let then_case = before.cases.get(id);
        let in_now = (scope.now)(id);
        let in_then = then_case.and_then(|then| scope.then(before, id, then)).unwrap_or(in_now);
        let then = then_case.and_then(|then| then.scores.get(evaluator));
        let in_either = in_now && (now.is_some() || is_missing) || in_then && then.is_some();
        if !in_either {
            continue;
        }
        coverage.expected += 1;
        let id = || id.clone();
        let Some(then_case) = then_case else {
            coverage.added.push(id());
            continue;
        };
        if in_now != in_then {
            coverage.moved.push(id());
            continue;
        }
        if then_case.row != case.row {
            coverage.edited.push(id());
            continue;
        }
        match (then, now) {
            (_, None) if is_missing => coverage.missing.push(id()),
            (_, None) => coverage.not_applicable.push(id()),
            (None, Some(_)) => coverage.unscored_before.push(id()),
            (Some(then), Some(now)) => {
                let cluster = case.cluster.as_ref().or(then_case.cluster.as_ref());
                match both(id(), cluster, (*then, *now), (sign, reduce, range)) {
                    Some(both) => paired.pairs.push(both),
                    None => coverage.other_attempts.push(id()),
                }
            }
        }
    }
    let known: BTreeSet<&String> = after.cases.keys().collect();
    for (id, then) in before.cases.iter().filter(|(id, _)| !known.contains(id)) {
        if then.scores.contains_key(evaluator) && scope.then(before, id, then) == Some(true) {
            coverage.expected += 1;
            coverage.removed.push(id.clone());
        }
    }
    coverage.compared = paired.pairs.len();
    Ok(paired)
}

fn both(
    id: String,
    cluster: Option<&String>,
    (then, now): (ScoreSnapshot, ScoreSnapshot),
    (sign, reduce, range): (f64, Reducer, Option<(f64, f64)>),
) -> Option<Both> {
    let attempts = (then.attempts, now.attempts);
    let counts = then.good.zip(now.good).map(|good| AttemptCounts { good, attempts });
    let shares = counts.and_then(|AttemptCounts { good, attempts: (a, b) }| {
        Some((share(reduce, good.0, a, b)?, share(reduce, good.1, b, a)?))
    });
    // A number with a threshold has counts, and its mean does not follow from them.
    let fits = |score: f64, share: f64| {
        let share = if sign < 0.0 { 1.0 - share } else { share };
        (score - share).abs() < 1e-9
    };
    let same_attempts = attempts.0 == attempts.1;
    let (before, after, is_share) = match (reduce, shares) {
        (Reducer::AtLeast(_), Some((before, after))) => (before, after, true),
        (_, Some((a, b))) if fits(then.score, a) && fits(now.score, b) => {
            (then.score, now.score, true)
        }
        (Reducer::Mean | Reducer::PassAt(_) | Reducer::PassAll(_), _) => {
            (then.score, now.score, false)
        }
        // The lowest of ten attempts is another measure than the lowest of three.
        (Reducer::Min | Reducer::Max | Reducer::Median | Reducer::AtLeast(_), _) => {
            if !same_attempts {
                return None;
            }
            (then.score, now.score, false)
        }
    };
    let at_worst = if is_share {
        counts.is_some_and(|counts| counts.good.0 == 0)
    } else {
        let worst = range.map(|(low, high)| if sign < 0.0 { high } else { low });
        worst.is_some_and(|worst| (before - worst).abs() <= 1e-12)
    };
    Some(Both {
        id,
        cluster: cluster.cloned(),
        before,
        after,
        gain: sign * (after - before),
        counts,
        is_share,
        at_worst,
    })
}

/// Returns why the scores of an evaluator in two runs cannot be compared, or `None` where they can.
fn incomparable(before: &Snapshot, after: &Snapshot, evaluator: &str) -> Option<String> {
    let Some(now) = after.evaluators.get(evaluator) else {
        return Some(format!("this run has no evaluator `{evaluator}`"));
    };
    let Some(then) = before.evaluators.get(evaluator) else {
        return Some(format!("`{evaluator}` is not in the baseline"));
    };
    // Files of schema 1 record neither the threshold nor the range.
    let says_more = before.schema != 1;
    let what = if then.source != now.source {
        "source"
    } else if then.settings != now.settings {
        "settings"
    } else if then.direction != now.direction {
        "direction"
    } else if then.reduce != now.reduce {
        "reducer"
    } else if says_more && then.good != now.good {
        "threshold"
    } else if says_more && then.range != now.range {
        "range"
    } else {
        return None;
    };
    Some(format!(
        "the {what} of evaluator `{evaluator}` changed since the baseline, so it measures \
         something else"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::EvaluatorPrint;
    use super::*;

    fn run(reduce: &str, cases: &[(&str, f64, u32, Option<u32>)]) -> Snapshot {
        let print = EvaluatorPrint {
            reduce: reduce.to_owned(),
            good: "true".to_owned(),
            ..EvaluatorPrint::default()
        };
        let case = |(id, score, attempts, good): &(&str, f64, u32, Option<u32>)| {
            let score = ScoreSnapshot { score: *score, attempts: *attempts, good: *good };
            let scores = [("e".to_owned(), score)].into();
            ((*id).to_owned(), CaseSnapshot { row: "r".to_owned(), scores, ..Default::default() })
        };
        Snapshot {
            schema: 2,
            evaluators: [("e".to_owned(), print)].into(),
            cases: cases.iter().map(case).collect(),
            ..Snapshot::default()
        }
    }

    fn paired(before: &Snapshot, after: &Snapshot) -> Paired {
        pair(before, after, "e", Scope::ALL).expect("comparable")
    }

    #[test]
    fn everything_that_cannot_be_compared_is_counted_and_named() {
        let all: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| (id, 1.0, 1, Some(1))).into();
        let before = run("mean", &all);
        let mut after = run("mean", &all);
        assert_eq!(paired(&before, &after).coverage.text(), "");
        after.cases.get_mut("a").expect("a").row = "other".to_owned();
        after.cases.get_mut("b").expect("b").scores.clear();
        let c = after.cases.get_mut("c").expect("c");
        c.scores.clear();
        c.missing.insert("e".to_owned());
        after.cases.remove("d");
        after.cases.insert("f".to_owned(), after.cases["e"].clone());
        let coverage = paired(&before, &after).coverage;
        assert_eq!((coverage.compared, coverage.expected), (1, 6));
        assert_eq!(
            coverage.text(),
            "1 row edited (a), 1 row removed (d), 1 row added (f), \
             1 score now not applicable (b), 1 score missing after errors (c)"
        );
        // A score that was missing before and is missing now is not expected.
        let mut before = before;
        before.cases.get_mut("b").expect("b").scores.clear();
        assert_eq!(paired(&before, &after).coverage.expected, 5);
    }

    #[test]
    fn a_case_that_left_its_slice_is_noticed() {
        let all = [("a", 1.0, 1, Some(1)), ("b", 1.0, 1, Some(1)), ("c", 1.0, 1, Some(1))];
        let (mut before, after) = (run("mean", &all), run("mean", &all));
        let scope = Scope { now: &|id| id != "a", slice: Some("hard") };
        // Where the baseline does not know the slice, the slices of the later run count for both.
        let found = pair(&before, &after, "e", scope).expect("comparable");
        assert_eq!((found.coverage.compared, found.coverage.expected), (2, 2));
        before.slices.insert("hard".to_owned());
        for id in ["a", "b"] {
            before.cases.get_mut(id).expect("a case").slices.insert("hard".to_owned());
        }
        let found = pair(&before, &after, "e", scope).expect("comparable").coverage;
        assert_eq!((found.compared, found.expected), (1, 3));
        assert_eq!(found.moved, ["a", "c"]);
    }

    #[test]
    fn reducers_that_depend_on_the_attempts_are_compared_at_the_same_number() {
        let before = run("at_least(2)", &[("a", 1.0, 10, Some(5))]);
        let after = run("at_least(2)", &[("a", 0.0, 3, Some(1))]);
        let found = paired(&before, &after);
        // Of 3 attempts drawn from 5 good and 5 bad ones, 2 are good in half of all draws.
        assert!((found.pairs[0].before - 0.5).abs() < 1e-12, "{:?}", found.pairs);
        assert!(found.pairs[0].after.abs() < 1e-12 && found.pairs[0].is_share);
        for reduce in ["min", "max", "median"] {
            let (mut before, mut after) = (before.clone(), after.clone());
            for run in [&mut before, &mut after] {
                run.evaluators.get_mut("e").expect("e").reduce = reduce.to_owned();
            }
            let found = paired(&before, &after);
            assert_eq!(found.coverage.other_attempts, ["a"], "{reduce}");
            assert!(found.pairs.is_empty());
            let found = paired(&before, &before);
            assert_eq!(found.pairs.len(), 1, "{reduce}");
        }
    }

    #[test]
    fn another_threshold_or_range_is_another_measure() {
        let before = run("mean", &[("a", 1.0, 1, Some(1))]);
        let mut after = before.clone();
        after.evaluators.get_mut("e").expect("e").good = ">= 0.5".to_owned();
        let why = pair(&before, &after, "e", Scope::ALL).expect_err("another threshold");
        assert!(why.contains("the threshold of evaluator `e` changed"), "{why}");
        let mut after = before.clone();
        after.evaluators.get_mut("e").expect("e").range = Some((0.0, 5.0));
        let why = pair(&before, &after, "e", Scope::ALL).expect_err("another range");
        assert!(why.contains("the range of evaluator `e` changed"), "{why}");
        // Schema 1 records neither the threshold nor the range.
        let before = Snapshot { schema: 1, ..before };
        assert!(pair(&before, &after, "e", Scope::ALL).is_ok());
    }
}
