//! Finds cases that always held and now never do, which an average hides.

use super::exchange::{self, Question};
use super::pairs::{Paired, Scope, pair};
use super::snapshot::Snapshot;

/// The cases that [`collapses`] found, and their p-value.
#[derive(Clone, Debug, PartialEq)]
pub struct Collapses {
    /// The number of cases that can be compared and held in every attempt of the baseline.
    pub held: usize,
    /// The ids of those of them that hold in no attempt now.
    pub collapsed: Vec<String>,
    /// The probability that chance alone would collapse at least as many cases.
    pub p: f64,
}

/// Finds the cases that held in every attempt of the baseline and hold in none now.
///
/// An exact conditional test decides whether they are more than chance. If nothing had changed, the
/// attempts of a case in both runs would be exchangeable: with as many good ones in all as the baseline
/// has attempts, the good ones are exactly those of the baseline with probability
/// `1 / C(attempts in both, attempts in the baseline)`. The number of collapses is then a sum of such
/// chances over the cases that could have collapsed, those that are merely flaky included. One collapse
/// among cases that are all steady is significant at 3 attempts each; among many that flicker it is not.
///
/// # Errors
/// Returns the reason why the evaluator's answers cannot be compared.
pub fn collapses(
    before: &Snapshot,
    after: &Snapshot,
    evaluator: &str,
    select: &dyn Fn(&str) -> bool,
) -> Result<Collapses, String> {
    let paired = pair(before, after, evaluator, Scope { now: select, slice: None })?;
    let compared = super::compare::of_pairs(evaluator, &paired);
    let tests = exchange::answer(&paired, &compared, &[Question::Collapses]);
    let (held, collapsed) = held_and_collapsed(&paired);
    Ok(Collapses { held, collapsed, p: tests.p[0] })
}

/// Returns the number of cases that held in every attempt of the baseline, and the ids of those that
/// hold in none now.
pub(crate) fn held_and_collapsed(paired: &Paired) -> (usize, Vec<String>) {
    let (mut held, mut collapsed) = (0, Vec::new());
    for pair in &paired.pairs {
        let Some(counts) = pair.counts else { continue };
        let always = counts.good.0 == counts.attempts.0;
        held += usize::from(always);
        if always && counts.good.1 == 0 {
            collapsed.push(pair.id.clone());
        }
    }
    (held, collapsed)
}

#[cfg(test)]
mod tests {
    use super::super::{CaseSnapshot, EvaluatorPrint, ScoreSnapshot};
    use super::*;

    fn snapshot(cases: &[(u32, u32)]) -> Snapshot {
        let case = |(good, attempts): (u32, u32)| CaseSnapshot {
            row: "row".to_owned(),
            scores: [(
                "e".to_owned(),
                ScoreSnapshot {
                    score: f64::from(good) / f64::from(attempts),
                    attempts,
                    good: Some(good),
                },
            )]
            .into(),
            ..CaseSnapshot::default()
        };
        Snapshot {
            evaluators: [("e".to_owned(), EvaluatorPrint::default())].into(),
            cases: cases
                .iter()
                .enumerate()
                .map(|(at, counts)| (format!("{at:03}"), case(*counts)))
                .collect(),
            ..Snapshot::default()
        }
    }

    fn found(before: &[(u32, u32)], after: &[(u32, u32)]) -> Collapses {
        collapses(&snapshot(before), &snapshot(after), "e", &|_| true).expect("comparable")
    }

    #[test]
    fn one_collapse_among_steady_cases_is_a_finding() {
        let before = vec![(3, 3); 50];
        let mut after = before.clone();
        after[7] = (0, 3);
        let found = found(&before, &after);
        assert_eq!((found.held, found.collapsed), (50, vec!["007".to_owned()]));
        assert!((found.p - 0.05).abs() < 1e-12, "1 in C(6,3), got {}", found.p);
    }

    #[test]
    fn one_collapse_among_flickering_cases_is_not() {
        let mut before = vec![(2, 3); 10];
        let mut after = vec![(1, 3); 10];
        before.push((3, 3));
        after.push((0, 3));
        let found = found(&before, &after);
        assert_eq!(found.collapsed.len(), 1);
        assert!((found.p - (1.0 - 0.95_f64.powi(11))).abs() < 1e-12, "{}", found.p);
    }

    #[test]
    fn single_attempts_are_the_sign_test() {
        let (before, after) = (vec![(1, 1); 5], vec![(0, 1); 5]);
        assert!((found(&before, &after).p - 0.5_f64.powi(5)).abs() < 1e-12);
        assert!((found(&before, &before).p - 1.0).abs() < 1e-12);
    }
}
