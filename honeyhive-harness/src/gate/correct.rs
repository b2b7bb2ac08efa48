//! Corrects the tests of single rules for each other: together, the rules of a gate must not fail by
//! chance more often than one of them.
//!
//! Comparisons with the baseline share one error probability, with Holm's correction over evaluators
//! and slices; `not_worse` rules ask another question and share one of their own. A test that could not
//! fail whatever the run had been is left out of the count (Tarone 1990), and the text of its verdict
//! says so.

use crate::journal::{RuleRecord, Verdict};
use crate::rule::GateRule;
use crate::stats;

/// A rule before its test is corrected for the other tests of the gate.
pub(super) enum Draft<'a> {
    /// A verdict that depends on no other rule.
    Said(RuleRecord),
    /// A verdict that depends on a p.
    Tested(Tested<'a>),
}

impl Draft<'_> {
    pub(super) fn inconclusive(rule: &GateRule, why: &str) -> Self {
        Self::Said(RuleRecord::new(rule, Verdict::Inconclusive, why))
    }
}

/// The group of a test, which decides which other tests it is corrected for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// A family of comparisons with the baseline, whose rules were judged jointly; the number of the
    /// family.
    Family(usize),
    /// A comparison with the baseline that was not judged jointly with another one.
    Comparison,
    /// A limit on a bound of a mean.
    Limit,
}

/// A rule that fails when p is at most alpha.
pub(super) struct Tested<'a> {
    pub(super) group: Group,
    /// The p of this rule alone.
    pub(super) alone: f64,
    /// The p, corrected for the rules that it was judged jointly with.
    pub(super) p: f64,
    /// The least that `p` could have been, whatever the run.
    pub(super) least: f64,
    /// The p of a change for the better.
    pub(super) better: Option<f64>,
    pub(super) alpha: f64,
    /// The measures of the rules that it was judged jointly with.
    pub(super) jointly: Vec<String>,
    /// The function that makes the verdict from the corrected p.
    pub(super) finish: Box<dyn FnOnce(&Corrected) -> RuleRecord + 'a>,
}

/// The p of a rule, corrected for the other tests.
#[derive(Clone, Debug)]
pub(super) struct Corrected {
    pub(super) alone: f64,
    /// The p that decides.
    pub(super) p: f64,
    /// The least that the corrected p could have been.
    pub(super) least: f64,
    /// The p of a change for the better, corrected for those of other rules.
    pub(super) better: Option<f64>,
    pub(super) alpha: f64,
    /// The number of tests that p is corrected for.
    pub(super) tests: usize,
    pub(super) jointly: Vec<String>,
}

impl Corrected {
    /// Returns the p that decides, where it was corrected for other tests.
    pub(super) fn adjusted(&self) -> Option<f64> {
        let differs = self.tests > 1 || !self.jointly.is_empty();
        differs.then_some(self.p)
    }

    /// Describes the p: `p = 0.03`, `p = 0.094 (corrected for 3 tests)`,
    /// `p = 0.03 (jointly with no_collapse)`
    pub(super) fn shown(&self) -> String {
        let p = p_value(self.p, self.alpha);
        let mut how = Vec::new();
        if !self.jointly.is_empty() {
            how.push(format!("jointly with {}", self.jointly.join(" and ")));
        }
        if self.tests > 1 {
            how.push(format!("corrected for {} tests", self.tests));
        }
        if how.is_empty() { p } else { format!("{p} ({})", how.join(", ")) }
    }
}

/// Describes a p: `p = 0.031`, `p < 0.001`; with a further digit where it is close to alpha.
pub(crate) fn p_value(p: f64, alpha: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", p_digits(p, alpha)) }
}

/// Describes a p in the cell of a table: `0.031`, `<0.001`.
pub(crate) fn p_cell(p: f64, alpha: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { p_digits(p, alpha) }
}

/// Returns a p with enough digits to show on which side of alpha it is.
pub(crate) fn p_digits(p: f64, alpha: f64) -> String {
    let distance = (p - alpha).abs();
    if distance > 1e-6 && distance <= 0.1 * alpha {
        format!("{p:.4}")
    } else {
        crate::text::number(p)
    }
}

/// Corrects the tests of a gate for each other, and returns the record of each rule.
pub(super) fn correct(drafts: Vec<Draft<'_>>) -> Vec<RuleRecord> {
    let of = |wanted: &dyn Fn(Group) -> bool| -> Vec<Vec<usize>> {
        let mut groups: Vec<(Group, Vec<usize>)> = Vec::new();
        for (at, draft) in drafts.iter().enumerate() {
            let Draft::Tested(Tested { group, .. }) = draft else { continue };
            let joined = matches!(group, Group::Family(_));
            match groups.iter_mut().find(|(one, _)| joined && one == group) {
                Some((_, members)) => members.push(at),
                None if wanted(*group) => groups.push((*group, vec![at])),
                None => {}
            }
        }
        groups.into_iter().map(|(_, members)| members).collect()
    };
    let comparisons = of(&|group| group != Group::Limit);
    let limits = of(&|group| group == Group::Limit);
    let mut corrected: Vec<Option<Corrected>> = drafts.iter().map(|_| None).collect();
    for families in [comparisons, limits] {
        correct_families(&drafts, &families, &mut corrected);
    }
    correct_better(&drafts, &mut corrected);
    drafts
        .into_iter()
        .zip(corrected)
        .map(|draft| match draft {
            (Draft::Said(record), _) => record,
            (Draft::Tested(tested), Some(corrected)) => (tested.finish)(&corrected),
            (Draft::Tested(_), None) => unreachable!("every test is in a family"),
        })
        .collect()
}

fn test<'d, 'a>(drafts: &'d [Draft<'a>], at: usize) -> &'d Tested<'a> {
    match &drafts[at] {
        Draft::Tested(tested) => tested,
        Draft::Said(_) => unreachable!("not a test"),
    }
}

fn correct_families(
    drafts: &[Draft<'_>],
    families: &[Vec<usize>],
    corrected: &mut [Option<Corrected>],
) {
    let least = |family: &[usize], of: &dyn Fn(&Tested<'_>) -> f64| {
        family.iter().map(|at| of(test(drafts, *at))).fold(f64::INFINITY, f64::min)
    };
    let can_fail = |family: &Vec<usize>, tests: usize| {
        family.iter().any(|at| {
            let one = test(drafts, *at);
            one.least * tests as f64 <= one.alpha + 1e-12
        })
    };
    let tests = tests_that_count(families, can_fail);
    let (mut able, unable): (Vec<&Vec<usize>>, Vec<&Vec<usize>>) =
        families.iter().partition(|family| can_fail(family, tests));
    able.sort_by(|a, b| least(a, &|one| one.p).total_cmp(&least(b, &|one| one.p)));
    let mut before = 0.0_f64;
    let all = able.len();
    for (rank, family) in able.into_iter().enumerate() {
        let factor = (all - rank) as f64;
        before = before.max(factor * least(family, &|one| one.p));
        for at in family {
            let p = (factor * test(drafts, *at).p).max(before);
            corrected[*at] = Some(told(test(drafts, *at), p, all));
        }
    }
    for at in unable.into_iter().flatten() {
        let one = test(drafts, *at);
        corrected[*at] = Some(told(one, one.p * tests as f64, tests));
    }
}

/// Returns the smallest number of tests such that no more than this many can fail when corrected for
/// it: tests that cannot fail do not weaken the others (Tarone 1990).
pub(super) fn tests_that_count<T>(families: &[T], can_fail: impl Fn(&T, usize) -> bool) -> usize {
    let count = |tests: usize| families.iter().filter(|one| can_fail(one, tests)).count();
    (1..=families.len()).find(|tests| count(*tests) <= *tests).unwrap_or(1)
}

fn told(test: &Tested<'_>, p: f64, tests: usize) -> Corrected {
    Corrected {
        alone: test.alone,
        p: p.min(1.0),
        least: (test.least * tests as f64).min(1.0),
        better: test.better,
        alpha: test.alpha,
        tests,
        jointly: test.jointly.clone(),
    }
}

/// Corrects the tests of changes for the better for each other. Without that, one of ten evaluators
/// would be found better by chance in four of ten runs.
fn correct_better(drafts: &[Draft<'_>], corrected: &mut [Option<Corrected>]) {
    let compared: Vec<usize> = (0..drafts.len())
        .filter(|at| matches!(&drafts[*at], Draft::Tested(tested) if tested.better.is_some()))
        .collect();
    let p: Vec<f64> = compared.iter().filter_map(|at| test(drafts, *at).better).collect();
    for (at, p) in compared.into_iter().zip(stats::holm(&p)) {
        if let Some(one) = &mut corrected[at] {
            one.better = Some(p);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Test;

    fn rule() -> GateRule {
        let test = Test::NoCollapse { evaluator: 0, alpha: 0.05 };
        GateRule { text: "".into(), slice: None, min_n: 0, coverage: None, test }
    }

    /// Returns the corrected p, and the least that it could be, of tests given by group, p and least p.
    fn corrected(tests: &[(Group, f64, f64)]) -> Vec<(f64, f64)> {
        let drafts = tests.iter().map(|(group, p, least)| {
            let finish = Box::new(|corrected: &Corrected| RuleRecord {
                value: Some(corrected.p),
                interval: Some((corrected.least, 0.0)),
                ..RuleRecord::new(&rule(), Verdict::Pass, "")
            });
            let (better, alpha, jointly) = (None, 0.05, Vec::new());
            let (group, p, least) = (*group, *p, *least);
            Draft::Tested(Tested { group, alone: p, p, least, better, alpha, jointly, finish })
        });
        correct(drafts.collect())
            .into_iter()
            .map(|record| {
                let (least, _) = record.interval.expect("the least p");
                (record.value.expect("a p"), least)
            })
            .collect()
    }

    fn close(got: f64, want: f64) -> bool {
        (got - want).abs() < 1e-12
    }

    #[test]
    fn families_are_corrected_and_their_members_are_not() {
        let family = Group::Family;
        let got = corrected(&[
            (family(0), 0.01, 0.0),
            (family(0), 0.03, 0.0),
            (family(1), 0.02, 0.0),
            (Group::Limit, 0.04, 0.0),
        ]);
        assert!(close(got[0].0, 0.02) && close(got[1].0, 0.06), "{got:?}");
        assert!(close(got[2].0, 0.02) && close(got[3].0, 0.04), "{got:?}");
    }

    #[test]
    fn a_test_that_cannot_fail_costs_the_others_nothing() {
        let hopeless = (Group::Comparison, 0.5, 0.5);
        let got = corrected(&[hopeless, (Group::Comparison, 0.04, 0.0), hopeless]);
        assert!(close(got[1].0, 0.04), "{got:?}");
        assert!(got[0].1 > 0.05 && got[2].1 > 0.05, "{got:?}");
        // Each of the two tests could fail alone, but not with a correction for two.
        let got = corrected(&[(Group::Comparison, 0.04, 0.03), (Group::Comparison, 0.04, 0.03)]);
        assert!(got.iter().all(|(_, least)| *least > 0.05), "{got:?}");
    }

    #[test]
    fn p_is_shown_on_its_side_of_alpha() {
        assert_eq!(p_value(0.0504, 0.05), "p = 0.0504");
        assert_eq!(p_value(0.05, 0.05), "p = 0.05");
        assert_eq!(p_value(0.05 + 1e-15, 0.05), "p = 0.05");
        assert_eq!(p_value(0.0312, 0.05), "p = 0.031");
        assert_eq!(p_value(0.0001, 0.05), "p < 0.001");
    }
}
