//! Rules as values, for experiments in code.
//!
//! A value is only another way to write the text: it becomes one, and is read by the same grammar.

use std::fmt;
use std::time::Duration;

use super::Measure;
use crate::score::Comparison;

/// A rule of a gate, by the names of the experiment's evaluators.
///
/// ```
/// use honeyhive_harness::Rule;
/// use std::time::Duration;
///
/// assert_eq!(Rule::mean("correct").at_least(0.9).to_string(), "mean(correct) >= 0.9");
/// assert_eq!(
///     Rule::mean("correct").slice("lang:de").at_least(0.8).confident().to_string(),
///     "confident(mean(correct, slice = \"lang:de\") >= 0.8)"
/// );
/// assert_eq!(
///     Rule::p95("latency").at_most(Duration::from_secs(2)).to_string(),
///     "p95(latency) <= \"2s\""
/// );
/// assert_eq!(
///     Rule::no_regression("correct").margin(0.01).to_string(),
///     "no_regression(correct, margin = 0.01)"
/// );
/// ```
///
/// Settings that a rule does not have are errors of `Experiment::run`, with the settings that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    wrapper: Option<&'static str>,
    head: Measured,
    limit: Option<(Comparison, String)>,
}

/// A measure of scores, latencies or errors, which [`at_least`](Self::at_least) or
/// [`at_most`](Self::at_most) makes a [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a measure becomes a rule with `at_least` or `at_most`"]
pub struct Measured {
    name: &'static str,
    of: Option<String>,
    settings: Vec<(&'static str, String)>,
}

/// The limit of a rule: a number, or a duration for latencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit(String);

impl From<f64> for Limit {
    fn from(number: f64) -> Self {
        Self(number.to_string())
    }
}

impl From<i32> for Limit {
    fn from(number: i32) -> Self {
        Self(number.to_string())
    }
}

impl From<Duration> for Limit {
    fn from(duration: Duration) -> Self {
        Self(format!("\"{}\"", humantime::format_duration(duration)))
    }
}

/// An entry of `require`: must hold in every attempt of every case.
///
/// ```
/// use honeyhive_harness::Requirement;
///
/// assert_eq!(Requirement::good("polite").to_string(), "polite");
/// assert_eq!(Requirement::at_least("quality", 0.7).to_string(), "quality >= 0.7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    evaluator: String,
    limit: Option<(Comparison, String)>,
}

impl Requirement {
    /// Requires scores that the evaluator judges good.
    pub fn good(evaluator: &str) -> Self {
        Self { evaluator: written(evaluator), limit: None }
    }

    /// Requires scores of at least this.
    pub fn at_least(evaluator: &str, limit: impl Into<Limit>) -> Self {
        let limit = Some((Comparison::AtLeast, limit.into().0));
        Self { evaluator: written(evaluator), limit }
    }

    /// Requires scores of at most this.
    pub fn at_most(evaluator: &str, limit: impl Into<Limit>) -> Self {
        let limit = Some((Comparison::AtMost, limit.into().0));
        Self { evaluator: written(evaluator), limit }
    }
}

/// Returns a name as rules write it: in quotes where it is not a path.
fn written(name: &str) -> String {
    let is_word = |word: &str| {
        !word.starts_with(|c: char| c.is_ascii_digit())
            && !word.is_empty()
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if name.split("::").all(is_word) { name.to_owned() } else { format!("{name:?}") }
}

impl Rule {
    /// Measures the arithmetic mean of an evaluator, over the cases.
    pub fn mean(evaluator: &str) -> Measured {
        Measured::new(Measure::Mean, evaluator)
    }

    /// Measures the median of an evaluator, or of `latency`.
    pub fn median(of: &str) -> Measured {
        Measured::new(Measure::Median, of)
    }

    /// Measures the smallest value of an evaluator, or of `latency`.
    pub fn min(of: &str) -> Measured {
        Measured::new(Measure::Min, of)
    }

    /// Measures the largest value of an evaluator, or of `latency`.
    pub fn max(of: &str) -> Measured {
        Measured::new(Measure::Max, of)
    }

    /// Measures the 50th percentile of an evaluator, or of `latency`.
    pub fn p50(of: &str) -> Measured {
        Measured::new(Measure::P50, of)
    }

    /// Measures the 90th percentile of an evaluator, or of `latency`.
    pub fn p90(of: &str) -> Measured {
        Measured::new(Measure::P90, of)
    }

    /// Measures the 95th percentile of an evaluator, or of `latency`.
    pub fn p95(of: &str) -> Measured {
        Measured::new(Measure::P95, of)
    }

    /// Measures the 99th percentile of an evaluator, or of `latency`.
    pub fn p99(of: &str) -> Measured {
        Measured::new(Measure::P99, of)
    }

    /// Measures the sample standard deviation of an evaluator, or of `latency`.
    pub fn stddev(of: &str) -> Measured {
        Measured::new(Measure::Stddev, of)
    }

    /// Measures the share of cases that an evaluator judges good.
    pub fn pass_rate(evaluator: &str) -> Measured {
        Measured::new(Measure::PassRate, evaluator)
    }

    /// Measures the share of cases that end in an error.
    pub fn error_rate() -> Measured {
        Measured { name: Measure::ErrorRate.name(), of: None, settings: Vec::new() }
    }

    /// Fails when an evaluator's scores are worse than in the baseline, beyond chance and `margin`.
    pub fn no_regression(evaluator: &str) -> Self {
        Self::against("no_regression", evaluator)
    }

    /// Fails when more cases than by chance, that always held in the baseline, never hold now.
    pub fn no_collapse(evaluator: &str) -> Self {
        Self::against("no_collapse", evaluator)
    }

    /// Fails when any single case lost more than chance explains.
    pub fn no_loss(evaluator: &str) -> Self {
        Self::against("no_loss", evaluator)
    }

    /// Fails when an evaluator's mean surely fell by more than `margin`.
    pub fn no_worse_than(evaluator: &str, margin: f64) -> Self {
        Self::against("no_worse_than", evaluator).margin(margin)
    }

    /// Holds when an evaluator's mean is shown not to have fallen by more than `margin`.
    pub fn non_inferior(evaluator: &str, margin: f64) -> Self {
        Self::against("non_inferior", evaluator).margin(margin)
    }

    fn against(name: &'static str, evaluator: &str) -> Self {
        let head = Measured { name, of: Some(written(evaluator)), settings: Vec::new() };
        Self { wrapper: None, head, limit: None }
    }

    /// Holds only when the one-sided 95 % bound does: the value is surely good.
    #[must_use]
    pub fn confident(self) -> Self {
        Self { wrapper: Some("confident"), ..self }
    }

    /// Fails only when even the other 95 % bound does not hold: the value is surely bad.
    #[must_use]
    pub fn not_worse(self) -> Self {
        Self { wrapper: Some("not_worse"), ..self }
    }

    /// Sets the loss that is tolerated, in the unit of the score.
    #[must_use]
    pub fn margin(self, margin: f64) -> Self {
        self.with("margin", margin.to_string())
    }

    /// Sets the probability that the rule errs by chance.
    #[must_use]
    pub fn alpha(self, alpha: f64) -> Self {
        self.with("alpha", alpha.to_string())
    }

    /// Sets the number of further attempts that confirm a loss before the rule fails.
    #[must_use]
    pub fn confirm(self, attempts: u32) -> Self {
        self.with("confirm", attempts.to_string())
    }

    /// Sets the share of the cases that must be comparable with the baseline.
    #[must_use]
    pub fn coverage(self, share: f64) -> Self {
        self.with("coverage", share.to_string())
    }

    /// Looks only at the cases of a slice: `key:value` of metadata, or a tag.
    #[must_use]
    pub fn slice(self, slice: &str) -> Self {
        self.with("slice", format!("{slice:?}"))
    }

    /// Makes the rule inconclusive with fewer scores than this.
    #[must_use]
    pub fn min_n(self, least: u32) -> Self {
        self.with("min_n", least.to_string())
    }

    fn with(mut self, key: &'static str, value: String) -> Self {
        self.head.settings.push((key, value));
        self
    }
}

impl Measured {
    fn new(measure: Measure, of: &str) -> Self {
        Self { name: measure.name(), of: Some(written(of)), settings: Vec::new() }
    }

    /// Looks only at the cases of a slice: `key:value` of metadata, or a tag.
    pub fn slice(mut self, slice: &str) -> Self {
        self.settings.push(("slice", format!("{slice:?}")));
        self
    }

    /// Makes the rule inconclusive with fewer scores than this.
    pub fn min_n(mut self, least: u32) -> Self {
        self.settings.push(("min_n", least.to_string()));
        self
    }

    /// Asks for at least this.
    pub fn at_least(self, limit: impl Into<Limit>) -> Rule {
        Rule { wrapper: None, head: self, limit: Some((Comparison::AtLeast, limit.into().0)) }
    }

    /// Asks for at most this.
    pub fn at_most(self, limit: impl Into<Limit>) -> Rule {
        Rule { wrapper: None, head: self, limit: Some((Comparison::AtMost, limit.into().0)) }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings.iter().map(|(key, value)| format!("{key} = {value}"));
        let inside: Vec<String> = self.of.iter().cloned().chain(settings).collect();
        f.write_str(self.name)?;
        if inside.is_empty() { Ok(()) } else { write!(f, "({})", inside.join(", ")) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wrapper) = self.wrapper {
            write!(f, "{wrapper}(")?;
        }
        write!(f, "{}", self.head)?;
        limit(f, self.limit.as_ref())?;
        f.write_str(if self.wrapper.is_some() { ")" } else { "" })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.evaluator)?;
        limit(f, self.limit.as_ref())
    }
}

fn limit(f: &mut fmt::Formatter<'_>, limit: Option<&(Comparison, String)>) -> fmt::Result {
    match limit {
        Some((comparison, limit)) => write!(f, " {} {limit}", comparison.symbol()),
        None => Ok(()),
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}
