//! Decides the kind of a difference between two runs, once for all reports.

use crate::baseline::{ScoreComparison, Snapshot};
use crate::gate::case::Rules;
#[cfg(feature = "cli")]
use crate::gate::correct::p_cell;
use crate::gate::correct::p_value;
use crate::journal::{GateRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Test};

/// The p up to which a difference is more than chance.
pub(crate) const ALPHA: f64 = 0.05;

/// The kind of a difference between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The score got better, by more than chance.
    Better,
    /// The score got worse, by more than chance.
    Worse,
    /// The score got worse by more than chance, and by less than the margin of the gate's rule.
    WithinMargin,
    /// The score changed by no more than chance.
    NotSignificant,
    /// The gate cannot judge the difference.
    Inconclusive,
    /// The two runs cannot be compared.
    Incomparable,
}

impl Finding {
    /// Returns the name of the finding, for programs.
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
    /// The p that decided. Absent where the gate decided without one: it was inconclusive, or its test
    /// is about losses and there is none.
    pub(crate) p: Option<f64>,
    /// The number of tests that p is corrected for; 0 and 1 for none.
    pub(crate) tests: usize,
    /// Set when a rule of the gate decided it, one-sided. Otherwise p is two-sided.
    pub(crate) by_gate: bool,
    /// The alpha that p is compared with.
    alpha: f64,
}

impl Difference {
    /// Decides by the gate's rule on the evaluator where there is one, so that no report contradicts the
    /// gate; otherwise at [`ALPHA`], two-sided.
    pub(crate) fn new(
        comparison: &ScoreComparison,
        decides: Option<(&GateRule, &RuleRecord)>,
    ) -> Self {
        let plain = |finding| Self { finding, p: None, tests: 0, by_gate: false, alpha: ALPHA };
        if comparison.incomparable.is_some() || comparison.pairs.is_empty() {
            return plain(Finding::Incomparable);
        }
        let Some((asked, rule)) = decides else {
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
        let alpha = asked.alpha().unwrap_or(ALPHA);
        Self { finding, p, tests: against.tests, by_gate, alpha }
    }

    /// Describes the difference: `worse, p = 0.031 (3 tests)`
    pub(crate) fn words(self) -> String {
        let p = self.p.map(|p| format!(", {}", p_value(p, self.alpha))).unwrap_or_default();
        format!("{}{p}{}", self.finding.words(), self.of_tests())
    }

    /// Returns the difference as cells of a table, for p and for the words: `0.031`, `worse (3 tests)`
    #[cfg(feature = "cli")]
    pub(crate) fn cells(self) -> (String, String) {
        let p = self.p.map(|p| p_cell(p, self.alpha));
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

/// Returns the gate's `no_regression` rule of an evaluator on all cases and its verdict, where the gate
/// compared with the run that is looked at; the one with the worst verdict, where there are several.
pub(crate) fn decided_by<'a>(
    rules: &'a Rules,
    gate: Option<&'a GateRecord>,
    before: &Snapshot,
    evaluator: usize,
) -> Option<(&'a GateRule, &'a RuleRecord)> {
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
    about.min_by_key(|(_, record)| record.verdict.rank())
}
