//! What an evaluator says of all cases.

use super::case::Case;
use crate::baseline::ScoreComparison;
use crate::gate::judge::mean_interval_within;
use crate::journal::{EvaluatorRecord, RuleRecord};
use crate::stats::{self, Spread};

/// A difference that chance alone makes less often than this is called one.
pub(crate) const ALPHA: f64 = 0.05;

/// A mean with what is known about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) mean: f64,
    /// The 95 % interval, or why there is none.
    pub(crate) spread: Spread,
    /// Of how many cases.
    pub(crate) n: usize,
}

impl Measured {
    /// The mean of one value per case, its interval within the values that there can be.
    pub(super) fn new(values: &[f64], limits: Option<(f64, f64)>) -> Option<Self> {
        let mean = stats::mean(values)?;
        Some(Self { mean, spread: mean_interval_within(limits, values), n: values.len() })
    }

    /// The ends of the interval, where there is one.
    pub(crate) fn interval(&self) -> Option<(f64, f64)> {
        match self.spread {
            Spread::Interval(interval) => Some((interval.low, interval.high)),
            Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
        }
    }
}

/// An evaluator of an experiment, over all its cases.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// Its place in the experiment's list, and in [`Case::scores`].
    pub(crate) index: usize,
    pub(crate) record: &'a EvaluatorRecord,
    /// Its scores decide cases: they are yes or no, or it has a threshold.
    pub(crate) judges: bool,
    /// From here on a case's score is good (down from here when minimizing), where it judges.
    pub(crate) limit: Option<f64>,
    /// All its values are yes or no.
    pub(crate) is_bool: bool,
    /// The mean of the cases' scores; absent when no case has one.
    pub(crate) measured: Option<Measured>,
    /// Cases without a score because the function or the evaluator failed.
    pub(crate) missing: usize,
    /// Cases that it does not apply to.
    pub(crate) not_applicable: usize,
    /// Cases that it judged good, where it judges.
    pub(crate) good: usize,
    /// What the gate's rules about it say, in the order of the attribute.
    pub(crate) rules: Vec<&'a RuleRecord>,
    /// What changed against what the experiment is compared with.
    pub(crate) comparison: Option<ScoreComparison>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        index: usize,
        record: &'a EvaluatorRecord,
        cases: &[Case<'a>],
        rules: &'a [RuleRecord],
        comparison: Option<ScoreComparison>,
    ) -> Self {
        let scores = || cases.iter().filter_map(|case| case.scores.get(index));
        let values: Vec<f64> = scores().filter_map(|score| score.value).collect();
        let is_bool =
            !values.is_empty() && scores().all(|score| score.is_bool || score.value.is_none());
        let judges = scores().any(|score| score.good.is_some());
        let limits = record.range.or(is_bool.then_some((0.0, 1.0)));
        let missing = scores().filter(|score| score.missing).count();
        Self {
            index,
            record,
            judges,
            limit: judges.then(|| super::case::limit(record)),
            is_bool,
            measured: Measured::new(&values, limits),
            missing,
            not_applicable: scores().count() - values.len() - missing,
            good: scores().filter(|score| score.good == Some(true)).count(),
            rules: rules.iter().filter(|rule| subject(&rule.rule) == record.name).collect(),
            comparison,
        }
    }
}

/// What a difference between two runs comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It got better, by more than chance.
    Better,
    /// It got worse, by more than chance.
    Worse,
    /// Chance alone makes such differences.
    NotSignificant,
    /// The two cannot be compared.
    Incomparable,
}

/// What a comparison comes to at [`ALPHA`], two-sided.
pub(crate) fn finding(comparison: &ScoreComparison) -> Finding {
    if comparison.incomparable.is_some() || comparison.pairs.is_empty() {
        Finding::Incomparable
    } else if comparison.p_two_sided() >= ALPHA {
        Finding::NotSignificant
    } else if comparison.p_worse < comparison.p_better {
        Finding::Worse
    } else {
        Finding::Better
    }
}

/// What a rule is about: the evaluator's name, `latency`, `error_rate` .. It stands in the
/// innermost parentheses: `confident(mean(strict, slice = "lang:de") >= 0.9)` is about `strict`.
pub(super) fn subject(rule: &str) -> &str {
    // A slice may have parentheses of its own, in quotes.
    let before_text = rule.split('"').next().unwrap_or(rule);
    let inner = before_text.rsplit('(').next().unwrap_or(before_text);
    let name = inner.split([',', ')', ' ', '<', '>']).next().unwrap_or(inner);
    name.rsplit("::").next().unwrap_or(name).trim_start_matches("r#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_what_it_is_about() {
        for (rule, about) in [
            ("mean(correct) >= 0.9", "correct"),
            ("confident(mean(judges::strict, slice = \"lang:de (AT)\") >= 0.9)", "strict"),
            ("p95(latency) <= \"2s\"", "latency"),
            ("error_rate <= 0.01", "error_rate"),
            ("not_worse(error_rate <= 0.01)", "error_rate"),
            ("no_regression(correct, margin = 0.02)", "correct"),
            ("no_regression(correct)", "correct"),
        ] {
            assert_eq!(subject(rule), about, "{rule}");
        }
    }
}
