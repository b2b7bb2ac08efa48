//! Judges the gate from the verdicts of its rules.

use crate::baseline::{self, Snapshot};
use crate::journal::{BaselineRecord, GateRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Of, Test};
use crate::text::accepted;

use super::case::{Case, Rules};
use super::correct::{Draft, correct};
use super::evaluator::Judge;
use super::judge::{self, Limit};
use super::relative::{self, Family};

/// The inputs of rules beside the cases.
pub(crate) struct Scene<'a> {
    pub(crate) rules: &'a Rules,
    /// Returns the name of a row, for people.
    pub(crate) name: &'a dyn Fn(usize) -> String,
    /// The baseline, or the reason why there is none; set only where a rule needs it.
    pub(crate) baseline: Option<Result<&'a Baseline, &'a str>>,
    /// The snapshot of this run as it would be accepted, with the ids of its rows.
    pub(crate) now: Option<&'a Snapshot>,
    /// Returns the id of a row.
    pub(crate) id: &'a dyn Fn(usize) -> String,
}

/// An accepted run.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    pub(crate) snapshot: Snapshot,
    /// The path of its file, for people.
    pub(crate) file: String,
}

impl Baseline {
    /// Reads the baseline of an experiment from its file.
    ///
    /// # Errors
    /// Returns the reason why the baseline cannot be used, for people.
    pub(crate) fn read(path: &std::path::Path, experiment: &str) -> Result<Self, String> {
        let snapshot = baseline::read(path, experiment).map_err(|error| error.to_string())?;
        Ok(Self { snapshot, file: path.display().to_string() })
    }

    /// Describes the baseline: `the baseline accepted 2 days ago (2026-11-20, at 9f3e1c2)`.
    pub(crate) fn words(&self) -> String {
        let Snapshot { accepted_at, commit, dirty, .. } = &self.snapshot;
        format!("the baseline {}", accepted(accepted_at, commit.as_deref(), *dirty))
    }
}

impl Scene<'_> {
    pub(super) fn judges(&self) -> &[Judge] {
        &self.rules.judges
    }
}

/// Judges all rules of an experiment on its cases.
pub(crate) fn judge_all(scene: &Scene<'_>, cases: &[Case]) -> Vec<RuleRecord> {
    let rules = &scene.rules.gates;
    let mut drafts: Vec<Option<Draft<'_>>> = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let selected = selected(index, cases);
        drafts.push(match rule.test {
            _ if cases.is_empty() => {
                let why = "no case was run, so there is nothing to judge";
                Some(Draft::inconclusive(rule, why))
            }
            // A damaged record may name an evaluator that it does not have.
            _ if matches!(rule.of(), Of::Evaluator(index) if index >= scene.judges().len()) => {
                Some(Draft::inconclusive(rule, "no evaluator is recorded for this rule"))
            }
            _ if selected.is_empty() => Some(Draft::Said(no_case(rule))),
            Test::Limit { mode, measure, of, comparison, limit } => {
                let limit = Limit { mode, measure, of, comparison, at: limit };
                Some(judge::judge(rule, limit, scene, &selected))
            }
            // The other rules are judged below, together with those of their family.
            _ => None,
        });
    }
    for (at, mut family) in Family::of(rules).into_iter().enumerate() {
        family.rules.retain(|(index, _)| drafts[*index].is_none());
        let Some((first, _)) = family.rules.first() else { continue };
        for (index, draft) in relative::judge(&family, at, scene, &selected(*first, cases)) {
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
    let any = |wanted| rules.iter().any(|rule| rule.verdict == wanted);
    if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    }
}

/// Returns the record of a gate. `strict` makes an inconclusive gate a failure.
pub(crate) fn gate_record(
    experiment: &str,
    rules: Vec<RuleRecord>,
    scene: &Scene<'_>,
    strict: bool,
) -> GateRecord {
    let verdict = verdict_of(&rules);
    let passed = match verdict {
        Verdict::Pass => true,
        Verdict::Fail => false,
        Verdict::Inconclusive => !strict,
    };
    let baseline = match (scene.baseline, scene.now) {
        (Some(Ok(baseline)), Some(now)) => Some(BaselineRecord {
            file: baseline.file.clone(),
            accepted_at: baseline.snapshot.accepted_at.clone(),
            commit: baseline.snapshot.commit.clone(),
            changed: baseline::changed(&baseline.snapshot, now),
            slices: baseline::slices(&baseline.snapshot, now, &scene.rules.sliced()),
        }),
        _ => None,
    };
    let experiment = experiment.to_owned();
    GateRecord { experiment, verdict, passed, rules, reason: None, baseline, stopped: None }
}
