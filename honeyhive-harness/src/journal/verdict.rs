//! Defines the records of verdicts: of gates, of their rules, and of comparisons with a baseline.

use serde::{Deserialize, Serialize};

use super::absent::is_false;
use crate::rule::GateRule;
use crate::text::{count, thousands};

/// The verdict of a rule or gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The rule or gate holds.
    Pass,
    /// The rule or gate does not hold.
    Fail,
    /// The data does not show whether it holds.
    Inconclusive,
}

impl Verdict {
    /// Returns the rank among several verdicts, the worst first.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Fail => 0,
            Self::Inconclusive => 1,
            Self::Pass => 2,
        }
    }
}

/// The result of a rule of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRecord {
    /// The rule as written.
    pub rule: String,
    /// The verdict of the rule.
    pub verdict: Verdict,
    /// The value that the rule looks at; in seconds for latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The number of cases behind the value (of attempts for extremes and percentiles of latency).
    pub n: usize,
    /// The 95 % interval of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// The whole verdict, as it was printed.
    pub text: String,
    /// The comparison with the baseline, for rules that make one.
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

/// A comparison of a run with its baseline, in pairs of cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparisonRecord {
    /// The mean of the comparable cases in the baseline.
    pub before: f64,
    /// The mean of the same cases now.
    pub after: f64,
    /// The gain: positive when the mean got better, negative when it got worse, for either
    /// direction.
    pub gain: f64,
    /// The 95 % interval of the gain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// The number of cases that got better.
    pub better: usize,
    /// The number of cases that got worse.
    pub worse: usize,
    /// The one-sided p: the probability that chance alone gives a result at least this bad.
    pub p: f64,
    /// The p that decides, corrected for the other tests of the gate. Absent where it is `p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// The number of tests that the p is corrected for; 0 and 1 mean no correction.
    #[serde(skip_serializing_if = "is_zero")]
    pub tests: usize,
    /// The measures of other rules that were judged jointly with this one: `no_collapse`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jointly: Vec<String>,
    /// The smallest change that the rule finds four times out of five: `-0.12`, `2 lost cases`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_notice: Option<String>,
    /// Set for a loss that is more than chance, and less than the rule's margin.
    #[serde(skip_serializing_if = "is_false")]
    pub within_margin: bool,
    /// The number of cases that have, should have, or had a score. Those that can be compared are
    /// `n`.
    #[serde(skip_serializing_if = "is_zero")]
    pub expected: usize,
    /// Set when the result is better by more than chance.
    #[serde(skip_serializing_if = "is_false")]
    pub improved: bool,
    /// The cases that got worse, worst first; at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
}

impl ComparisonRecord {
    /// Returns the p that decides.
    pub fn decisive_p(&self) -> f64 {
        self.p_adjusted.unwrap_or(self.p)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// The baseline that a gate compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BaselineRecord {
    /// The file of the baseline.
    pub file: String,
    /// The time when the baseline was accepted.
    pub accepted_at: String,
    /// The commit at which the baseline was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The changes of the experiment since then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The differences in gain between the slices that rules name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SlicesRecord>,
}

/// The gains of the slices of an experiment over the baseline, by one evaluator, tested together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlicesRecord {
    /// The evaluator's name in the experiment.
    pub evaluator: String,
    /// The key of the metadata, or the tag, that the slices are made by.
    pub by: String,
    /// Cochran's Q: how far the gains of the slices are from their common mean.
    pub q: f64,
    /// The degrees of freedom of Q: the number of slices minus one.
    pub df: usize,
    /// The probability that slices made by chance differ at least as much, corrected for `tests`.
    pub p: f64,
    /// The number of such comparisons in the experiment.
    pub tests: usize,
    /// The slices, sorted by gain, the lowest first.
    pub slices: Vec<SliceRecord>,
}

impl SlicesRecord {
    /// The level of the test: slices differ by more than chance where `p` is at most this.
    pub(crate) const ALPHA: f64 = 0.05;

    /// Returns whether the slices differ by more than chance.
    pub fn differ(&self) -> bool {
        self.p <= Self::ALPHA
    }
}

/// The gain of a slice over the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SliceRecord {
    /// The name of the slice: `lang:de`.
    pub slice: String,
    /// The number of cases of the slice that can be compared.
    pub n: usize,
    /// The mean gain of those cases: positive is better, in either direction of the evaluator.
    pub gain: f64,
    /// The mean gain, pulled towards the gain of all slices as far as chance explains the
    /// difference.
    pub shrunken: f64,
}

/// The result of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRecord {
    /// The name of the experiment.
    pub experiment: String,
    /// The verdict of the gate.
    pub verdict: Verdict,
    /// Set when the test of the gate passed. An inconclusive gate fails where gates are required.
    pub passed: bool,
    /// The results of the rules; empty when the gate could not be judged at all.
    #[serde(default)]
    pub rules: Vec<RuleRecord>,
    /// The reason why the gate could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The baseline, if it exists and a rule compared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// The number of cases that ran, if the run stopped because the verdict was certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedRecord>,
}

/// The numbers of a run that stopped before its last case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedRecord {
    /// The number of cases that ran to their end. The journal has no records of the others.
    pub ran: usize,
    /// The number of all cases.
    pub of: usize,
}

impl GateRecord {
    /// Returns whether the gate judged and cannot say.
    pub(crate) fn is_inconclusive(&self) -> bool {
        self.verdict == Verdict::Inconclusive && self.reason.is_none()
    }
}

impl StoppedRecord {
    /// Formats the numbers: `stopped: decided after 103 of 200 cases`.
    pub(crate) fn text(self) -> String {
        format!("stopped: decided after {} of {}", thousands(self.ran), count(self.of, "case"))
    }

    /// Returns the number of cases that were not run.
    pub(crate) fn not_run(self) -> usize {
        self.of.saturating_sub(self.ran)
    }
}
