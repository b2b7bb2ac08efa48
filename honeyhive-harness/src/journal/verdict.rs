//! The records of what gates said, and of what they compared.

use serde::{Deserialize, Serialize};

use super::absent::is_false;
use crate::rule::GateRule;
use crate::text::{count, thousands};

/// What a rule or gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It cannot be said.
    Inconclusive,
}

/// What a rule of a gate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRecord {
    /// The rule as written.
    pub rule: String,
    /// What it says.
    pub verdict: Verdict,
    /// The value; seconds for latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Of how many cases (attempts for extremes and percentiles of latency).
    pub n: usize,
    /// The 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// The whole verdict as it was printed.
    pub text: String,
    /// What a rule that looks at the baseline compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<ComparisonRecord>,
}

impl RuleRecord {
    pub(crate) fn new(rule: &GateRule, verdict: Verdict, text: &str) -> Self {
        Self {
            rule: rule.text.clone().into_owned(),
            verdict,
            value: None,
            n: 0,
            interval: None,
            text: format!("{}: {text}", rule.text),
            against: None,
        }
    }
}

/// What a rule that looks at the baseline compared, in pairs of cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparisonRecord {
    /// The mean in the baseline, of the cases that can be compared.
    pub before: f64,
    /// The mean now, of the same cases.
    pub after: f64,
    /// By how much it got better (worse, when negative), whichever way is better.
    pub gain: f64,
    /// The 95 % interval of the gain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Cases that got better.
    pub better: usize,
    /// Cases that got worse.
    pub worse: usize,
    /// One-sided: how often chance alone would look at least this bad.
    pub p: f64,
    /// The p that decides: corrected for the other tests of the gate. Absent where it is `p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// The number of tests that it is corrected for; 0 and 1 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub tests: usize,
    /// The measures of other rules that it was judged jointly with: `no_collapse`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jointly: Vec<String>,
    /// The smallest change that the rule finds four times out of five: `-0.12`, `2 lost cases`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_notice: Option<String>,
    /// A loss that is more than chance, and less than the rule's margin.
    #[serde(skip_serializing_if = "is_false")]
    pub within_margin: bool,
    /// The cases that have, should have, or had a score: those that can be compared are `n`.
    #[serde(skip_serializing_if = "is_zero")]
    pub expected: usize,
    /// It is better, and not by chance.
    #[serde(skip_serializing_if = "is_false")]
    pub improved: bool,
    /// The cases that got worse, worst first; at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

impl ComparisonRecord {
    /// The p that decides.
    pub fn decisive_p(&self) -> f64 {
        self.p_adjusted.unwrap_or(self.p)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// The baseline that a gate looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BaselineRecord {
    /// Its file.
    pub file: String,
    /// When it was accepted.
    pub accepted_at: String,
    /// The commit it was accepted at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What has changed since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// How the slices that rules name differ in what they gained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SlicesRecord>,
}

/// How much the slices of an experiment gained since the baseline, by one evaluator, seen together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlicesRecord {
    /// The evaluator's name in the experiment.
    pub evaluator: String,
    /// The key of the metadata, or the tag, that the slices are made by.
    pub by: String,
    /// Cochran's Q: how far the gains of the slices are from their common mean.
    pub q: f64,
    /// Its degrees of freedom: one less than there are slices.
    pub df: usize,
    /// How often slices made by chance would differ at least as much, corrected for `tests`.
    pub p: f64,
    /// The number of such comparisons in the experiment.
    pub tests: usize,
    /// The slices, those that gained least first.
    pub slices: Vec<SliceRecord>,
}

impl SlicesRecord {
    /// Slices differ by more than chance where `p` is at most this.
    pub(crate) const ALPHA: f64 = 0.05;

    /// Whether the slices differ by more than chance.
    pub fn differ(&self) -> bool {
        self.p <= Self::ALPHA
    }
}

/// How much a slice gained since the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SliceRecord {
    /// `lang:de`
    pub slice: String,
    /// How many of its cases can be compared.
    pub n: usize,
    /// Their mean gain: positive is better, whichever way the evaluator's numbers go.
    pub gain: f64,
    /// The same, pulled towards the gain of all slices as far as chance explains the difference.
    pub shrunken: f64,
}

/// What a gate said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRecord {
    /// The experiment.
    pub experiment: String,
    /// What it said.
    pub verdict: Verdict,
    /// Whether its test passed: inconclusive fails where gates are required.
    pub passed: bool,
    /// Rule by rule; empty when the gate could not judge at all.
    #[serde(default)]
    pub rules: Vec<RuleRecord>,
    /// Why it could not judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The baseline, where there is one and a rule looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// The cases that were not run because it was decided without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedRecord>,
}

/// A run that stopped before its last case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedRecord {
    /// The cases that ran to their end. The others were not run, and nothing else is recorded of them.
    pub ran: usize,
    /// All cases.
    pub of: usize,
}

impl StoppedRecord {
    /// `stopped: decided after 103 of 200 cases`
    pub(crate) fn text(self) -> String {
        format!("stopped: decided after {} of {}", thousands(self.ran), count(self.of, "case"))
    }

    /// The cases that were not run.
    pub(crate) fn not_run(self) -> usize {
        self.of.saturating_sub(self.ran)
    }
}
