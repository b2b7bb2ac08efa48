//! From the verdicts of rules to that of the gate.

use crate::baseline::{self, Snapshot};
use crate::journal::{BaselineRecord, GateRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Test};
use crate::stats;
use crate::text::accepted;

use super::case::{Case, Rules};
use super::evaluator::Judge;
use super::judge::{self, Limit};
use super::regression;

/// Below this share of scored cases nothing can be said.
pub(super) const MIN_SCORED: f64 = 0.95;

/// Whatever a rule needs to know beside the cases.
pub(crate) struct Scene<'a> {
    pub(crate) rules: &'a Rules,
    /// The name of a row, for people.
    pub(crate) name: &'a dyn Fn(usize) -> String,
    /// The baseline, or why there is none; only asked for where a rule needs it.
    pub(crate) baseline: Option<Result<&'a Baseline, &'a str>>,
    /// This run as it would be accepted, with the ids of its rows.
    pub(crate) now: Option<&'a Snapshot>,
    /// The id of a row.
    pub(crate) id: &'a dyn Fn(usize) -> String,
}

/// An accepted run.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    pub(crate) snapshot: Snapshot,
    /// Its file, for people.
    pub(crate) file: String,
}

impl Baseline {
    /// The baseline of an experiment, as it stands in its file.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    pub(crate) fn read(path: &std::path::Path, experiment: &str) -> Result<Self, String> {
        let snapshot = baseline::read(path, experiment).map_err(|error| error.to_string())?;
        Ok(Self { snapshot, file: path.display().to_string() })
    }

    /// `the baseline accepted 2 days ago (2026-11-20, at 9f3e1c2)`
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

/// A verdict before the rules of the gate are looked at together.
pub(super) struct Draft {
    pub(super) record: RuleRecord,
    /// A test that fails when p is at most alpha.
    pub(super) test: Option<(f64, f64)>,
    /// What comes last in the text.
    pub(super) tail: String,
}

impl Draft {
    pub(super) fn without_test(record: RuleRecord) -> Self {
        Self { record, test: None, tail: String::new() }
    }
}

/// Judges all rules of an experiment on its cases.
pub(crate) fn judge_all(scene: &Scene<'_>, cases: &[Case]) -> Vec<RuleRecord> {
    let rules = &scene.rules.gates;
    let mut drafts: Vec<Draft> =
        rules.iter().enumerate().map(|(index, rule)| draft(index, rule, scene, cases)).collect();
    // Twenty rules at 5 % fail by chance alone; together they shall not more often than one.
    let tested: Vec<usize> = (0..drafts.len()).filter(|at| drafts[*at].test.is_some()).collect();
    let p_values: Vec<f64> =
        tested.iter().filter_map(|at| drafts[*at].test.map(|(p, _)| p)).collect();
    if p_values.len() > 1 {
        for (at, adjusted) in tested.iter().zip(stats::holm(&p_values)) {
            correct(&mut drafts[*at], adjusted, p_values.len());
        }
    }
    drafts
        .into_iter()
        .map(|Draft { mut record, tail, .. }| {
            record.text.push_str(&tail);
            record
        })
        .collect()
}

fn draft(index: usize, rule: &GateRule, scene: &Scene<'_>, cases: &[Case]) -> Draft {
    let selected: Vec<&Case> = cases.iter().filter(|case| case.counts_for(index)).collect();
    if cases.is_empty() {
        let text = "no case was run, so there is nothing to judge";
        return Draft::without_test(RuleRecord::new(rule, Verdict::Inconclusive, text));
    }
    if selected.is_empty() {
        let text = match rule.slice.as_deref().filter(|_| !cases.is_empty()) {
            Some(slice) => format!(
                "no case is in the slice `{slice}`; check its spelling in metadata and tags"
            ),
            None => "no case was run to its end, so there is nothing to judge".to_owned(),
        };
        return Draft::without_test(RuleRecord::new(rule, Verdict::Fail, &text));
    }
    match rule.test {
        Test::Limit { mode, measure, of, comparison, limit } => {
            let limit = Limit { mode, measure, of, comparison, at: limit };
            judge::judge(rule, limit, scene, &selected)
        }
        Test::NoRegression { evaluator, margin, alpha, .. } => {
            regression::no_regression(rule, evaluator, (margin, alpha), scene, &selected)
        }
        Test::NoCollapse { evaluator, alpha } => {
            regression::no_collapse(rule, evaluator, alpha, scene, &selected)
        }
    }
}

/// Takes back a failure that is none any more when all tests of the gate are seen together.
fn correct(draft: &mut Draft, adjusted: f64, tests: usize) {
    let Some((_, alpha)) = draft.test else { return };
    if let Some(against) = &mut draft.record.against {
        against.p_adjusted = Some(adjusted);
    }
    if draft.record.verdict == Verdict::Fail {
        let p = p_value(adjusted);
        draft.record.text.push_str(&format!(", {p} with Holm's correction for {tests} tests"));
        if adjusted > alpha {
            draft.record.verdict = Verdict::Pass;
        }
    }
}

/// `p = 0.031`, `p < 0.001`
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", crate::text::number(p)) }
}

/// What rules come to together.
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

/// The verdict of a gate. `strict` makes a gate that cannot judge a failure.
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
        }),
        _ => None,
    };
    GateRecord { experiment: experiment.to_owned(), verdict, passed, rules, reason: None, baseline }
}
