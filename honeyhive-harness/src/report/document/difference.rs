//! What the difference between two runs comes to: made once, shown by every report.

use crate::baseline::{ScoreComparison, Snapshot};
use crate::gate::case::Rules;
use crate::gate::correct::p_value;
use crate::journal::{GateRecord, RuleRecord, Verdict};
use crate::rule::Test;

/// A difference that chance alone makes no more often than this is called one.
pub(crate) const ALPHA: f64 = 0.05;

/// What a difference between two runs comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It got better, by more than chance.
    Better,
    /// It got worse, by more than chance.
    Worse,
    /// It got worse by more than chance, and by less than the margin of the gate's rule.
    WithinMargin,
    /// Chance alone makes such differences.
    NotSignificant,
    /// The gate cannot say.
    Inconclusive,
    /// The two cannot be compared.
    Incomparable,
}

impl Finding {
    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::WithinMargin => "within_margin",
            Self::NotSignificant => "not_significant",
            Self::Inconclusive => "inconclusive",
            Self::Incomparable => "incomparable",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::WithinMargin => "within the margin",
            Self::NotSignificant => "not significant",
            Self::Inconclusive => "inconclusive",
            Self::Incomparable => "not comparable",
        }
    }
}

/// A difference, and how it was decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) finding: Finding,
    /// The p that decided. Absent where the gate decided without one: it could not say anything, or
    /// its test is about losses and there is none.
    pub(crate) p: Option<f64>,
    /// The number of tests that p is corrected for; 0 and 1 for none.
    pub(crate) tests: usize,
    /// A rule of the gate decided it, one-sided. Otherwise p is two-sided.
    pub(crate) by_gate: bool,
}

impl Difference {
    /// By the gate's rule about it where there is one, so that no report says another thing than
    /// the gate; otherwise at [`ALPHA`], two-sided.
    pub(crate) fn new(comparison: &ScoreComparison, decides: Option<&RuleRecord>) -> Self {
        let plain = |finding| Self { finding, p: None, tests: 0, by_gate: false };
        if comparison.incomparable.is_some() || comparison.pairs.is_empty() {
            return plain(Finding::Incomparable);
        }
        let Some(rule) = decides else {
            let p = comparison.p_two_sided();
            let finding = if p > ALPHA {
                Finding::NotSignificant
            } else if comparison.p_worse < comparison.p_better {
                Finding::Worse
            } else {
                Finding::Better
            };
            return Self { p: Some(p), ..plain(finding) };
        };
        let by_gate = true;
        let Some(against) = &rule.against else {
            return Self { by_gate, ..plain(Finding::Inconclusive) };
        };
        let finding = match rule.verdict {
            Verdict::Fail => Finding::Worse,
            Verdict::Inconclusive => Finding::Inconclusive,
            Verdict::Pass if against.improved => Finding::Better,
            Verdict::Pass if against.within_margin => Finding::WithinMargin,
            Verdict::Pass => Finding::NotSignificant,
        };
        let p = (against.gain < 0.0).then(|| against.decisive_p());
        Self { finding, p, tests: against.tests, by_gate }
    }

    /// `worse, p = 0.031 (3 tests)`
    pub(crate) fn words(self) -> String {
        let p = self.p.map(|p| format!(", {}", p_value(p, ALPHA))).unwrap_or_default();
        format!("{}{p}{}", self.finding.words(), self.of_tests())
    }

    /// The same for a column of p, and what stands behind it: `0.031`, `worse (3 tests)`
    #[cfg(feature = "cli")]
    pub(crate) fn cells(self) -> (String, String) {
        let p = self.p.map(|p| p_value(p, ALPHA).replace("p = ", "").replace("p < ", "<"));
        let words = format!("{}{}", self.finding.words(), self.of_tests());
        (p.unwrap_or_else(|| "-".to_owned()), words)
    }

    fn of_tests(self) -> String {
        match (self.p, self.tests) {
            (None, _) | (_, 0 | 1) => String::new(),
            (Some(_), tests) => format!(" ({tests} tests)"),
        }
    }
}

/// The verdict of the gate's `no_regression` of an evaluator on all cases, where the gate compared
/// with the run that is looked at; the worst, where there are several.
pub(crate) fn decided_by<'a>(
    rules: &Rules,
    gate: Option<&'a GateRecord>,
    before: &Snapshot,
    evaluator: usize,
) -> Option<&'a RuleRecord> {
    let gate = gate.filter(|gate| {
        let same = |at: &str, commit: Option<&str>| {
            at == before.accepted_at && commit == before.commit.as_deref()
        };
        gate.baseline.as_ref().is_some_and(|one| same(&one.accepted_at, one.commit.as_deref()))
    })?;
    let is_asked =
        |test: Test| matches!(test, Test::NoRegression { evaluator: of, .. } if of == evaluator);
    let about = rules.gates.iter().zip(&gate.rules);
    let about = about.filter(|(rule, _)| rule.slice.is_none() && is_asked(rule.test));
    about.map(|(_, record)| record).min_by_key(|record| match record.verdict {
        Verdict::Fail => 0,
        Verdict::Inconclusive => 1,
        Verdict::Pass => 2,
    })
}
