//! Compares the slices of an experiment: whether they differ by more than chance, and how much each
//! gained as far as that can be told.

use std::collections::BTreeMap;

use super::pairs::{Both, Scope, Unit, pair};
use super::snapshot::{CaseSnapshot, Snapshot};
use crate::journal::{SliceRecord, SlicesRecord};
use crate::stats::{self, GroupEffects};

/// The seed of the test, fixed so that a repeated test gives the same p.
const SEED: u64 = 0;

/// Returns what a slice is made by: the key of the metadata in `lang:de`, or the whole of a tag.
pub(crate) fn sliced_by(slice: &str) -> &str {
    slice.split_once(':').map_or(slice, |(key, _)| key)
}

/// Returns the gains of slices, for each evaluator with the key or tag that its slices are made by.
///
/// A comparison is left out where the runs cannot be compared, where fewer than two slices have
/// pairs, where a case is in two slices of one key, and where cases of one cluster are in several
/// slices: then the slices are not independent.
pub(crate) fn slices(
    before: &Snapshot,
    after: &Snapshot,
    asked: &[(String, String)],
) -> Vec<SlicesRecord> {
    let one = |(evaluator, by): &(String, String)| of_one(before, after, evaluator, by);
    let mut found: Vec<SlicesRecord> = asked.iter().filter_map(one).collect();
    let alone: Vec<f64> = found.iter().map(|one| one.p).collect();
    for (one, p) in found.iter_mut().zip(stats::holm(&alone)) {
        (one.p, one.tests) = (p, alone.len());
    }
    found
}

fn of_one(before: &Snapshot, after: &Snapshot, evaluator: &str, by: &str) -> Option<SlicesRecord> {
    let paired = pair(before, after, evaluator, Scope::ALL).ok()?;
    let known = |slice: &&String| sliced_by(slice) == by && before.slices.contains(*slice);
    let known: Vec<&String> = after.slices.iter().filter(known).collect();
    let mut members: BTreeMap<String, Vec<&Both>> = BTreeMap::new();
    for pair in &paired.pairs {
        let (then, now) = (before.cases.get(&pair.id)?, after.cases.get(&pair.id)?);
        let moved =
            |slice: &&&String| then.slices.contains(**slice) != now.slices.contains(**slice);
        if known.iter().any(|slice| moved(&slice)) {
            continue;
        }
        members.entry(slice_of(after, now, by)?).or_default().push(pair);
    }
    let values: Vec<(f64, usize, Unit<'_>)> = members
        .values()
        .enumerate()
        .flat_map(|(at, pairs)| pairs.iter().map(move |pair| (pair.gain, at, pair.unit())))
        .collect();
    let GroupEffects { groups, q, df, p, .. } = stats::group_effects(&values, SEED)?;
    let record = |(slice, group): (String, &stats::GroupEffect)| SliceRecord {
        slice,
        n: group.n,
        gain: group.mean,
        shrunken: group.shrunken,
    };
    let mut slices: Vec<SliceRecord> = members.into_keys().zip(&groups).map(record).collect();
    slices
        .sort_by(|a, b| a.shrunken.total_cmp(&b.shrunken).then_with(|| a.gain.total_cmp(&b.gain)));
    let (evaluator, by) = (evaluator.to_owned(), by.to_owned());
    Some(SlicesRecord { evaluator, by, q, df, p, tests: 1, slices })
}

/// Returns the slice of a case among those made by one key or tag; `None` where it is in several.
fn slice_of(run: &Snapshot, case: &CaseSnapshot, by: &str) -> Option<String> {
    let mut own = case.slices.iter().filter(|slice| sliced_by(slice) == by);
    match (own.next(), own.next()) {
        (Some(_), Some(_)) => None,
        (Some(slice), None) => Some(slice.clone()),
        (None, _) if run.slices.contains(by) => Some(format!("not {by}")),
        (None, _) => Some(format!("no {by}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EvaluatorPrint, ScoreSnapshot};
    use super::*;

    /// Returns two runs of cases given by slices, score before and score now.
    fn runs(cases: &[(&[&str], f64, f64)]) -> (Snapshot, Snapshot) {
        let run = |now: bool| {
            let case = |(at, (slices, before, after)): (usize, &(&[&str], f64, f64))| {
                let score = if now { *after } else { *before };
                let score = ScoreSnapshot { score, attempts: 1, good: None };
                let case = CaseSnapshot {
                    row: "r".to_owned(),
                    scores: [("e".to_owned(), score)].into(),
                    slices: slices.iter().map(|one| (*one).to_owned()).collect(),
                    ..CaseSnapshot::default()
                };
                (format!("{at:02}"), case)
            };
            Snapshot {
                schema: 2,
                evaluators: [("e".to_owned(), EvaluatorPrint::default())].into(),
                slices: ["lang:de", "hard"].map(str::to_owned).into(),
                cases: cases.iter().enumerate().map(case).collect(),
                ..Snapshot::default()
            }
        };
        (run(false), run(true))
    }

    fn by(key: &str) -> Vec<(String, String)> {
        vec![("e".to_owned(), key.to_owned())]
    }

    const DE: &[&str] = &["lang:de"];
    const FR: &[&str] = &["lang:fr"];

    #[test]
    fn slices_that_differ_are_told_from_those_that_do_not() {
        let lost = |slice| (slice, 1.0, 0.0);
        let same = |slice| (slice, 1.0, 1.0);
        let differing: Vec<_> = [lost(DE); 6].into_iter().chain([same(FR); 8]).collect();
        let (before, after) = runs(&differing);
        let [found] = &slices(&before, &after, &by("lang"))[..] else { panic!("one comparison") };
        assert!(found.differ() && found.df == 1 && found.p < 0.01, "{found:?}");
        let names: Vec<(&str, usize)> =
            found.slices.iter().map(|one| (one.slice.as_str(), one.n)).collect();
        assert_eq!(names, [("lang:de", 6), ("lang:fr", 8)]);
        let alike: Vec<_> = [lost(DE), same(DE), same(DE), lost(FR), same(FR), same(FR)].into();
        let (before, after) = runs(&alike);
        let found = &slices(&before, &after, &by("lang"))[0];
        assert!(!found.differ() && found.q.abs() < 1e-9, "{found:?}");
        assert!((found.slices[0].shrunken + 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_tag_is_against_the_rest_and_a_missing_key_is_a_slice() {
        let cases: Vec<(&[&str], f64, f64)> = vec![
            (&["hard", "lang:de"], 1.0, 0.0),
            (&["hard"], 1.0, 1.0),
            (DE, 1.0, 1.0),
            (&[], 0.0, 1.0),
        ];
        let (before, after) = runs(&cases);
        let names = |key| -> Vec<String> {
            let found = slices(&before, &after, &by(key)).remove(0);
            found.slices.into_iter().map(|one| one.slice).collect()
        };
        assert_eq!(names("hard"), ["hard", "not hard"]);
        assert_eq!(names("lang"), ["lang:de", "no lang"]);
        // Two comparisons are corrected for each other.
        let both = [by("hard"), by("lang")].concat();
        let found = slices(&before, &after, &both);
        assert!(found.iter().all(|one| one.tests == 2 && one.p > 0.05), "{found:?}");
    }

    #[test]
    fn cases_of_two_slices_and_those_that_moved_are_not_compared() {
        let two: &[&str] = &["lang:de", "lang:fr"];
        let (before, after) =
            runs(&[(two, 1.0, 1.0), (DE, 1.0, 0.0), (FR, 1.0, 1.0), (FR, 1.0, 1.0)]);
        assert_eq!(slices(&before, &after, &by("lang")), []);
        let (before, mut after) =
            runs(&[(DE, 1.0, 1.0), (DE, 1.0, 0.0), (FR, 1.0, 1.0), (FR, 1.0, 1.0)]);
        after.cases.get_mut("00").expect("00").slices = ["lang:fr".to_owned()].into();
        let found = slices(&before, &after, &by("lang")).remove(0);
        assert_eq!(found.slices.iter().map(|one| one.n).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_cluster_that_reaches_across_slices_forbids_it() {
        let (before, mut after) =
            runs(&[(DE, 1.0, 1.0), (DE, 1.0, 0.0), (FR, 1.0, 1.0), (FR, 1.0, 0.0)]);
        let mut cluster = |id: &str, cluster: &str| {
            after.cases.get_mut(id).expect("a case").cluster = Some(cluster.to_owned());
        };
        cluster("00", "a");
        cluster("01", "a");
        cluster("02", "b");
        assert_eq!(slices(&before, &after, &by("lang")).len(), 1);
        after.cases.get_mut("03").expect("03").cluster = Some("a".to_owned());
        assert_eq!(slices(&before, &after, &by("lang")), []);
    }
}
