//! Rules against the evaluators of an experiment in code, with the checks of the attribute.

use std::borrow::Cow;
use std::collections::HashSet;

use super::RunError;
use crate::engine::Used;
use crate::rule::{
    Asks, At, GateRule, Gated, Measure, Mode, NOT_REQUIRED, Name, OF_CALLS, Of, Place, RequireRule,
    Required, RuleError, Stop, Test, WrittenLimit, gates, quoted, requirements,
};
use crate::score::{Comparison, Judges, Reducer, Shape};
use crate::text::closest;

/// The loss up to which a rule does not fail, unless it says otherwise: two points of a hundred.
const MARGIN: f64 = 0.02;

/// The probability that a rule fails by chance, unless it says otherwise.
const ALPHA: f64 = 0.05;

const ONLY_MEASURES: &str = "this evaluator only measures: compare its number (`mean(..) >= 0.7`, \
    `require(.. >= 0.7)`), or give it a threshold (`#[evaluator(threshold = 0.7)]`)";

const OUT_OF_REACH: &str = "this limit lies outside the values that the evaluator can have";

const NEVER_FAILS: &str = "a rule with this margin never fails: the evaluator's values do not lie \
    that far apart; two points of a hundred are `margin = 0.02`";

const SHARES: &str = "the scores of cases are shares here, between 0 and 1";

/// Reads the rules of a gate.
///
/// # Errors
/// The first mistake.
pub(super) fn gate(texts: &[String], used: &[Used]) -> Result<Vec<GateRule>, RunError> {
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for text in texts {
        let rule = Text { text, used };
        for gated in gates(text)? {
            if !seen.insert(gated.text.clone()) {
                return rule.fail(&gated.at, format!("the rule `{}` is given twice", gated.text));
            }
            rules.push(rule.gate(gated)?);
        }
    }
    Ok(rules)
}

/// Reads the rules that must hold in every attempt.
///
/// # Errors
/// The first mistake.
pub(super) fn require(texts: &[String], used: &[Used]) -> Result<Vec<RequireRule>, RunError> {
    let mut seen = HashSet::new();
    let mut rules = Vec::new();
    for text in texts {
        let rule = Text { text, used };
        for required in requirements(text)? {
            if !seen.insert(required.text.clone()) {
                let message = format!("the rule `{}` is given twice", required.text);
                return rule.fail(&required.evaluator.at, message);
            }
            rules.push(rule.require(required)?);
        }
    }
    Ok(rules)
}

/// Sets how the attempts of each case become one score.
///
/// # Errors
/// The first mistake.
pub(super) fn reduce(reducers: &[(String, Reducer)], used: &mut [Used]) -> Result<(), RunError> {
    let mut seen = HashSet::new();
    for (name, reducer) in reducers {
        let what = format!("reduce(\"{name}\", {reducer})");
        let index = match &*meant(name, used) {
            [index] => *index,
            _ => return Err(unknown(&what, name, used)),
        };
        if !seen.insert(index) {
            return Err(format!("{what}: `{name}` is reduced twice").into());
        }
        if reducer.attempts_needed() == 0 {
            return Err(format!("{what}: the number of attempts is at least 1").into());
        }
        if reducer.counts() && used[index].info.judges() == Judges::Never {
            return Err(format!("{what}: {ONLY_MEASURES}").into());
        }
        used[index].reduce = *reducer;
    }
    Ok(())
}

/// Checks that the gate can be decided before the last case, where the run shall stop then.
///
/// # Errors
/// When it cannot.
pub(super) fn stop(stop: Option<Stop>, rules: &[GateRule], used: &[Used]) -> Result<(), RunError> {
    if stop.is_none() {
        return Ok(());
    }
    let wrong = |text: &str| Err(RunError::Setup(format!("stop: {text}")));
    if rules.is_empty() {
        return wrong("it needs a gate that can be decided: add `.gate(\"mean(correct) >= 0.9\")`");
    }
    if let Some(rule) = rules.iter().find(|rule| rule.needs_baseline()) {
        return wrong(&format!(
            "`{}` compares with the baseline case by case, which takes all cases; remove it, or `stop`",
            rule.text
        ));
    }
    let can_decide = |rule: &GateRule| match rule.test {
        Test::Limit {
            mode: Mode::Point, measure: Measure::PassRate | Measure::ErrorRate, ..
        } => Some(true),
        Test::Limit {
            mode: Mode::Point, measure: Measure::Mean, of: Of::Evaluator(index), ..
        } => Some(used[index].reduce.counts() || range(&used[index]).is_some()),
        _ => None,
    };
    let decidable: Vec<bool> = rules.iter().filter_map(can_decide).collect();
    if decidable.is_empty() {
        return wrong(
            "no rule of this gate can be decided before the last case; a plain limit on `mean(..)` or \
             `pass_rate(..)` of an evaluator, or on `error_rate`, can",
        );
    }
    if !decidable.contains(&true) {
        return wrong(
            "scores without bounds decide nothing before the last case: give the evaluator a range, \
             `#[evaluator(range(0.0, 1.0))]`",
        );
    }
    Ok(())
}

/// Returns the values that an evaluator can have, where they are known.
fn range(used: &Used) -> Option<(f64, f64)> {
    match (used.info.range, used.info.shape) {
        (None, Shape::Bool) => Some((0.0, 1.0)),
        (range, _) => range,
    }
}

/// Returns the evaluators that a name in a rule means: the name in the experiment, or the last part
/// of a path, or else the evaluator's own name.
fn meant(name: &str, used: &[Used]) -> Vec<usize> {
    let last = name.rsplit("::").next().unwrap_or(name);
    let steps: [&dyn Fn(&Used) -> bool; 4] = [
        &|used| used.name == name,
        &|used| used.name == last,
        &|used| used.info.name == name,
        &|used| used.info.name == last,
    ];
    let found = steps.iter().map(|fits| {
        let all = used.iter().enumerate().filter(|(_, used)| fits(used));
        all.map(|(index, _)| index).collect::<Vec<_>>()
    });
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// Returns the error of a name that means no evaluator, or several.
fn unknown(place: &str, name: &str, used: &[Used]) -> RunError {
    let names: Vec<&str> = used.iter().map(|used| &*used.name).collect();
    let several: Vec<&str> = meant(name, used).into_iter().map(|index| names[index]).collect();
    if several.len() > 1 {
        return RunError::Setup(format!(
            "{place}: several evaluators are meant by `{name}`: {}; name one of them",
            quoted(&several)
        ));
    }
    let nearest = closest(name, names.iter().copied()).map(str::to_owned);
    let hint = match &nearest {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has none; add one: `.evaluator(correct {})`".to_owned(),
        None => format!("its evaluators are {}", quoted(&names)),
    };
    RunError::UnknownEvaluator {
        text: format!("{place}: `{name}` is not an evaluator of this experiment; {hint}"),
        name: name.to_owned(),
        nearest,
    }
}

/// A text with rules, and the evaluators that they may name.
struct Text<'a> {
    text: &'a str,
    used: &'a [Used],
}

impl Text<'_> {
    fn fail<T>(&self, place: &Place, message: impl Into<String>) -> Result<T, RunError> {
        let (text, found) = (self.text.to_owned(), place.found.clone());
        Err(RuleError { text, column: place.column, found, message: message.into() }.into())
    }

    /// Finds what a rule names: an evaluator, or else what is measured of calls.
    fn subject(&self, name: &Name) -> Result<Of, RunError> {
        if let [index] = &*meant(&name.text, self.used) {
            return Ok(Of::Evaluator(*index));
        }
        let is_unknown = meant(&name.text, self.used).is_empty();
        match &*name.text {
            "latency" if is_unknown => Ok(Of::Latency),
            "error_rate" if is_unknown => self.fail(
                &name.at,
                "`error_rate` is a measure of its own: `error_rate <= 0.05`",
            ),
            name_of_calls if is_unknown && OF_CALLS.contains(&name_of_calls) => self.fail(
                &name.at,
                format!("this version does not measure `{name_of_calls}`: write an evaluator, `#[evaluator] fn {name_of_calls}(..) -> f64`, and add it to `evaluators(..)`"),
            ),
            _ => {
                let place = format!("the rule `{}`, column {}", self.text, name.at.column);
                Err(unknown(&place, &name.text, self.used))
            }
        }
    }

    /// Checks that an evaluator judges.
    fn judges(&self, index: usize, name: &Name) -> Result<(), RunError> {
        if self.used[index].info.judges() == Judges::Never {
            return self.fail(&name.at, ONLY_MEASURES);
        }
        Ok(())
    }

    /// Checks that a limit is a value that an evaluator can have.
    fn reaches(&self, index: usize, limit: f64, at: &Place) -> Result<(), RunError> {
        match range(&self.used[index]) {
            Some((low, high)) if !(low..=high).contains(&limit) => self.fail(at, OUT_OF_REACH),
            _ => Ok(()),
        }
    }

    fn require(&self, rule: Required) -> Result<RequireRule, RunError> {
        let Of::Evaluator(evaluator) = self.subject(&rule.evaluator)? else {
            return self.fail(&rule.evaluator.at, NOT_REQUIRED);
        };
        match &rule.limit {
            None => self.judges(evaluator, &rule.evaluator)?,
            Some((_, limit)) => self.reaches(evaluator, limit.value, &limit.at)?,
        }
        let limit = rule.limit.map(|(comparison, limit)| (comparison, limit.value));
        Ok(RequireRule { evaluator, limit, text: Cow::Owned(rule.text) })
    }

    fn gate(&self, rule: Gated) -> Result<GateRule, RunError> {
        let (test, coverage) = match &rule.asks {
            Asks::Limit { mode, measure, at, of, comparison, limit } => {
                let asked = (*mode, *measure, *comparison);
                (self.limit(asked, (at, &rule.at), of.as_ref(), limit)?, None)
            }
            Asks::Against { name, evaluator, margin, alpha, confirm, coverage } => {
                let alpha = alpha.unwrap_or(ALPHA);
                let test =
                    self.against((*name, &rule.at), evaluator, margin.as_ref(), (alpha, *confirm))?;
                (test, *coverage)
            }
        };
        let (slice, min_n) = (rule.slice.map(Cow::Owned), rule.min_n);
        Ok(GateRule { text: Cow::Owned(rule.text), slice, min_n, coverage, test })
    }

    fn limit(
        &self,
        (mode, measure, comparison): (Mode, Measure, Comparison),
        (at, whole): (&Place, &Place),
        name: Option<&Name>,
        limit: &At<WrittenLimit>,
    ) -> Result<Test, RunError> {
        let of = name.map_or(Ok(Of::Errors), |name| self.subject(name))?;
        let has_interval = match of {
            Of::Evaluator(_) => matches!(measure, Measure::Mean | Measure::PassRate),
            Of::Errors => true,
            Of::Latency => false,
        };
        if mode != Mode::Point && !has_interval {
            let wrapper = if mode == Mode::Confident { "confident" } else { "not_worse" };
            return self.fail(
                whole,
                format!("`{wrapper}` needs a confidence interval, which `mean` and `pass_rate` of an evaluator and `error_rate` have"),
            );
        }
        if of == Of::Latency && measure == Measure::PassRate {
            let message = "latency neither passes nor fails; write `p95(latency) <= \"2s\"`";
            return self.fail(at, message);
        }
        let value = self.value(measure, of, name, limit)?;
        if let (Of::Evaluator(index), Some(name)) = (of, name) {
            let is_share = self.used[index].reduce.counts();
            match measure {
                Measure::PassRate => self.judges(index, name)?,
                Measure::Stddev => {}
                _ if is_share && (0.0..=1.0).contains(&value) => {}
                _ if is_share => return self.fail(&limit.at, SHARES),
                _ => self.reaches(index, value, &limit.at)?,
            }
        }
        Ok(Test::Limit { mode, measure, of, comparison, limit: value })
    }

    /// Returns the value of a limit; seconds for latency.
    fn value(
        &self,
        measure: Measure,
        of: Of,
        name: Option<&Name>,
        limit: &At<WrittenLimit>,
    ) -> Result<f64, RunError> {
        match (of, &limit.value) {
            (Of::Latency, WrittenLimit::Text(text)) => match humantime::parse_duration(text) {
                Ok(duration) => Ok(duration.as_secs_f64()),
                Err(_) => self.fail(
                    &limit.at,
                    format!("`{text}` is no duration: write a number with a unit, such as `\"500ms\"`, `\"2s\"` or `\"1m 30s\"`"),
                ),
            },
            (Of::Latency, WrittenLimit::Number(_)) => {
                self.fail(&limit.at, "a latency has a unit: `\"2s\"` or `\"500ms\"`")
            }
            (_, WrittenLimit::Text(_)) => match name {
                Some(name) if OF_CALLS.contains(&&*name.text) => self.fail(
                    &limit.at,
                    format!("`{}` is an evaluator in `evaluators(..)` here, so this limit is a number, such as `0.9`", name.text),
                ),
                _ => self.fail(&limit.at, "this limit is a number, such as `0.9`"),
            },
            (_, WrittenLimit::Number(number)) => {
                let is_share = matches!(measure, Measure::PassRate | Measure::ErrorRate);
                if is_share && !(0.0..=1.0).contains(number) {
                    let measure = measure.name();
                    return self.fail(&limit.at, format!("`{measure}` lies between 0 and 1"));
                }
                Ok(*number)
            }
        }
    }

    fn against(
        &self,
        (name, at): (&str, &Place),
        evaluator: &Name,
        margin: Option<&At<f64>>,
        (alpha, confirm): (f64, Option<u32>),
    ) -> Result<Test, RunError> {
        let Of::Evaluator(index) = self.subject(evaluator)? else {
            return self.fail(
                &evaluator.at,
                "latency depends on the machine, and a baseline comes from another one; write `p95(latency) <= \"2s\"`",
            );
        };
        if matches!(name, "no_collapse" | "no_loss") {
            self.judges(index, evaluator)?;
        }
        if matches!(name, "no_worse_than" | "non_inferior") && margin.is_none() {
            return self.fail(
                at,
                format!("`{name}` needs the loss that you tolerate: `{name}(.., margin = 0.02)`"),
            );
        }
        if let Some(margin) = margin {
            let are_shares = self.used[index].reduce.counts();
            let widest = range(&self.used[index]).map(|(low, high)| high - low);
            if are_shares && margin.value > 1.0 {
                return self.fail(&margin.at, SHARES);
            }
            if !are_shares && widest.is_some_and(|widest| margin.value > widest) {
                return self.fail(&margin.at, NEVER_FAILS);
            }
        }
        let (evaluator, margin) = (index, margin.map_or(MARGIN, |margin| margin.value));
        Ok(match name {
            "no_regression" => {
                Test::NoRegression { evaluator, margin, alpha, confirm: confirm.unwrap_or(0) }
            }
            "no_collapse" => Test::NoCollapse { evaluator, alpha },
            "no_loss" => Test::NoLoss { evaluator, alpha },
            "no_worse_than" => Test::NoWorseThan { evaluator, margin, alpha },
            _ => Test::NonInferior { evaluator, margin, alpha },
        })
    }
}
