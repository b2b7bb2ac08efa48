//! Judges the gate from the verdicts of its rules.

use crate::baseline;
use crate::journal::{BaselineRecord, GateRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Of, Test};

use super::case::Case;
use super::correct::{Draft, correct};
use super::input::GateInput;
use super::judge::{self, Limit};
use super::relative::{self, Family};

/// Judges all rules of an experiment on its cases.
pub(super) fn judge_all(input: &GateInput<'_>, cases: &[Case]) -> Vec<RuleRecord> {
    let rules = &input.rules.gates;
    let mut drafts: Vec<Option<Draft<'_>>> = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let selected = selected(index, cases);
        drafts.push(match rule.test {
            _ if cases.is_empty() => {
                let why = "no case was run, so there is nothing to judge";
                Some(Draft::inconclusive(rule, why))
            }
            // A damaged record may name an evaluator that it does not have.
            _ if matches!(rule.of(), Of::Evaluator(index) if index >= input.judges().len()) => {
                Some(Draft::inconclusive(rule, "no evaluator is recorded for this rule"))
            }
            _ if selected.is_empty() => Some(Draft::Said(no_case(rule))),
            Test::Limit { mode, measure, of, comparison, limit } => {
                let limit = Limit { mode, measure, of, comparison, at: limit };
                Some(judge::judge(rule, limit, input, &selected))
            }
            // The other rules are judged below, together with those of their family.
            _ => None,
        });
    }
    for (at, mut family) in Family::of(rules).into_iter().enumerate() {
        family.rules.retain(|(index, _)| drafts[*index].is_none());
        let Some((first, _)) = family.rules.first() else { continue };
        for (index, draft) in relative::judge(&family, at, input, &selected(*first, cases)) {
            drafts[index] = Some(draft);
        }
    }
    correct(drafts.into_iter().flatten().collect())
}

/// Returns the cases that a rule looks at.
fn selected(rule: usize, cases: &[Case]) -> Vec<&Case> {
    cases.iter().filter(|case| case.counts_for(rule)).collect()
}

fn no_case(rule: &GateRule) -> RuleRecord {
    let text = match rule.slice.as_deref() {
        Some(slice) => {
            format!("no case is in the slice `{slice}`; check its spelling in metadata and tags")
        }
        None => "no case was run to its end, so there is nothing to judge".to_owned(),
    };
    RuleRecord::new(rule, Verdict::Fail, &text)
}

/// Returns the verdict on several rules together.
pub(crate) fn verdict_of(rules: &[RuleRecord]) -> Verdict {
    let verdicts = rules.iter().map(|rule| rule.verdict);
    verdicts.min_by_key(|verdict| verdict.rank()).unwrap_or(Verdict::Pass)
}

/// Returns whether a gate with this verdict passes; `strict` makes an inconclusive one fail.
pub(crate) fn passes(verdict: Verdict, strict: bool) -> bool {
    match verdict {
        Verdict::Pass => true,
        Verdict::Fail => false,
        Verdict::Inconclusive => !strict,
    }
}

/// The verdict of a gate. `strict` makes a gate that cannot judge a failure.
pub(super) fn gate_record(
    experiment: &str,
    rules: Vec<RuleRecord>,
    input: &GateInput<'_>,
    strict: bool,
) -> GateRecord {
    let verdict = verdict_of(&rules);
    let baseline = match (&input.baseline, &input.now) {
        (Some(Ok(baseline)), Some(now)) => Some(BaselineRecord {
            file: baseline.file.clone(),
            accepted_at: baseline.snapshot.accepted_at.clone(),
            commit: baseline.snapshot.commit.clone(),
            changed: baseline::changed(&baseline.snapshot, now),
            slices: baseline::slices(&baseline.snapshot, now, &input.rules.sliced()),
        }),
        _ => None,
    };
    let (experiment, passed) = (experiment.to_owned(), passes(verdict, strict));
    GateRecord { experiment, verdict, passed, rules, reason: None, baseline, stopped: None }
}
