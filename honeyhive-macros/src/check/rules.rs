//! Checks rules against the evaluators of the same attribute.

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

use crate::attr::experiment::Options;
use crate::attr::gate::{
    Against, Comparison, Gate, Limit, Limited, MEASURES, NOT_REQUIRED, Require,
};
use crate::attr::uses::{OF_CALLS, RESERVED, Use};
use crate::attr::value::duration;
use crate::errors::Errors;
use crate::{suggest, text};

/// A rule without mistakes.
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) of: Of,
    pub(crate) slice: Option<syn::LitStr>,
    /// The number of scores below which the rule is inconclusive.
    pub(crate) min_n: u32,
    /// The share of the cases that must be comparable with the baseline.
    pub(crate) coverage: Option<f64>,
    pub(crate) test: Test,
    /// The conditions that rustc has to check, as it alone knows the evaluator.
    pub(crate) checks: Checks,
}

/// The question that a rule asks.
pub(crate) enum Test {
    Limit {
        /// The variants of the harness' enums.
        mode: &'static str,
        measure: &'static str,
        comparison: Comparison,
        limit: f64,
    },
    Against {
        /// A variant of the harness' `Test`.
        variant: &'static str,
        margin: Option<f64>,
        alpha: f64,
        confirm: Option<u32>,
    },
}

/// The default of the loss that is tolerated: 2 percentage points.
const MARGIN: f64 = 0.02;

/// The default of the probability that a rule fails by chance.
const ALPHA: f64 = 0.05;

/// The subject of a rule.
pub(crate) enum Of {
    Evaluator(usize),
    Latency,
    Errors,
}

/// The conditions on the evaluator of a rule, each with the place that requires it.
#[derive(Default)]
pub(crate) struct Checks {
    /// The place that requires an evaluator that judges.
    pub(crate) judge: Option<TokenStream>,
    /// The place of a limit, which must be a possible value of the evaluator.
    pub(crate) limit: Option<TokenStream>,
    /// The place of a margin, which must be a loss that the evaluator's values can have.
    pub(crate) margin: Option<TokenStream>,
}

/// A `require` rule without mistakes.
pub(crate) struct Requirement {
    pub(crate) text: String,
    pub(crate) evaluator: usize,
    pub(crate) limit: Option<(Comparison, f64)>,
    pub(crate) checks: Checks,
}

/// Checks all rules of an experiment.
pub(crate) fn check(
    options: &Options,
    names: &Names,
    errors: &mut Errors,
) -> (Vec<Requirement>, Vec<Rule>) {
    let mut seen = HashSet::new();
    let mut twice = |option: &'static str, text: &str, place: TokenStream, errors: &mut Errors| {
        if !seen.insert((option, text.to_owned())) {
            errors.at(place, format_args!("the rule `{text}` is given twice"));
        }
    };
    for rule in &options.require {
        twice("require", &rule.text, rule.evaluator.to_token_stream(), errors);
    }
    for rule in &options.gates {
        let place = match rule {
            Gate::Limit(rule) => whole(rule),
            Gate::Against(rule) => rule.name.to_token_stream(),
        };
        twice("gate", rule.text(), place, errors);
    }
    let require =
        options.require.iter().filter_map(|rule| requirement(rule, names, errors)).collect();
    let gates = options
        .gates
        .iter()
        .filter_map(|rule| match rule {
            Gate::Limit(rule) => gate(rule, (options, names), errors),
            Gate::Against(rule) => against(rule, (options, names), errors),
        })
        .collect();
    (require, gates)
}

fn requirement(rule: &Require, names: &Names, errors: &mut Errors) -> Option<Requirement> {
    let Of::Evaluator(evaluator) = names.subject(&rule.evaluator, errors)? else {
        errors.at(&rule.evaluator, NOT_REQUIRED);
        return None;
    };
    let checks = match &rule.limit {
        None => Checks { judge: Some(rule.evaluator.to_token_stream()), ..Checks::default() },
        Some((_, number)) => Checks { limit: Some(number.tokens.clone()), ..Checks::default() },
    };
    let limit = rule.limit.as_ref().map(|(comparison, number)| (*comparison, number.value));
    Some(Requirement { text: rule.text.clone(), evaluator, limit, checks })
}

/// Checks a rule that compares with the baseline.
fn against(
    rule: &Against,
    (options, names): (&Options, &Names),
    errors: &mut Errors,
) -> Option<Rule> {
    let of = names.subject(&rule.evaluator, errors)?;
    if let Of::Latency = of {
        errors.at(
            &rule.evaluator,
            "latency depends on the machine, and a baseline comes from another one; write `p95(latency) <= \"2s\"`",
        );
        return None;
    }
    let alpha = rule.alpha.as_ref().map_or(ALPHA, |alpha| alpha.value);
    let mut checks = Checks::default();
    let variant = match rule.name.to_string().as_str() {
        "no_regression" => "NoRegression",
        "no_collapse" => "NoCollapse",
        "no_loss" => "NoLoss",
        "no_worse_than" => "NoWorseThan",
        _ => "NonInferior",
    };
    let counts_cases = matches!(variant, "NoCollapse" | "NoLoss");
    let tolerates = matches!(variant, "NoWorseThan" | "NonInferior");
    if counts_cases {
        checks.judge = Some(rule.evaluator.to_token_stream());
    }
    if tolerates && rule.margin.is_none() {
        let name = &rule.name;
        errors.at(
            name,
            format_args!("`{name}` needs the loss that you tolerate: `{name}(.., margin = 0.02)`"),
        );
        return None;
    }
    let are_shares = matches!(of, Of::Evaluator(index) if counts(options, index));
    match &rule.margin {
        Some(margin) if are_shares && margin.value > 1.0 => {
            errors.at(&margin.tokens, "the scores of cases are shares here, between 0 and 1");
            return None;
        }
        Some(margin) if !are_shares => checks.margin = Some(margin.tokens.clone()),
        Some(_) | None => {}
    }
    let margin = rule.margin.as_ref().map_or(MARGIN, |margin| margin.value);
    let test = Test::Against {
        variant,
        margin: (!counts_cases).then_some(margin),
        alpha,
        confirm: (variant == "NoRegression").then_some(rule.confirm.unwrap_or(0)),
    };
    let coverage = rule.coverage.as_ref().map(|coverage| coverage.value);
    Some(Rule {
        text: rule.text.clone(),
        of,
        slice: rule.slice.clone(),
        min_n: rule.min_n.unwrap_or(0),
        coverage,
        test,
        checks,
    })
}

/// The reducer of an evaluator: the variant and its number. The list of them is in the order of
/// `evaluators(..)`.
pub(crate) struct Reducer {
    pub(crate) variant: &'static str,
    pub(crate) count: Option<u32>,
    /// The place that requires an evaluator that judges, since its good attempts are counted.
    pub(crate) judge: Option<TokenStream>,
}

/// Checks `reduce(..)`.
pub(crate) fn reducers(options: &Options, names: &Names, errors: &mut Errors) -> Vec<Reducer> {
    let mean = || Reducer { variant: "Mean", count: None, judge: None };
    let mut reducers: Vec<Reducer> = options.evaluators.iter().map(|_| mean()).collect();
    let mut seen = HashSet::new();
    for rule in &options.reduce {
        let index = match names.subject(&rule.evaluator, errors) {
            Some(Of::Evaluator(index)) => index,
            Some(_) => {
                errors.at(
                    &rule.evaluator,
                    "`reduce` is about scores; a latency is that of each attempt",
                );
                continue;
            }
            None => continue,
        };
        if !seen.insert(index) {
            let name = text::of_type(&rule.evaluator);
            errors.at(&rule.evaluator, format_args!("`{name}` is reduced twice"));
        }
        if let Some((k, place)) = &rule.count {
            let repeats = options.repeats.unwrap_or(1);
            if *k > repeats {
                errors.at(
                    place,
                    format_args!("`{}` needs {k} attempts, and a case has {repeats}: add `repeats = {k}` or more", rule.text),
                );
            }
        }
        reducers[index] = Reducer {
            variant: rule.variant,
            count: rule.count.as_ref().map(|(k, _)| *k),
            judge: rule.count.as_ref().map(|_| rule.evaluator.to_token_stream()),
        };
    }
    reducers
}

/// Returns whether the scores of cases are shares of good attempts, and so between 0 and 1.
pub(super) fn counts(options: &Options, evaluator: usize) -> bool {
    let name = options.evaluators.get(evaluator).map(Use::called);
    options.reduce.iter().any(|rule| {
        rule.count.is_some()
            && (Some(text::of_type(&rule.evaluator)) == name
                || options.evaluators.get(evaluator).is_some_and(|used| {
                    text::of_type(&used.path) == text::of_type(&rule.evaluator)
                }))
    })
}

fn gate(rule: &Limited, (options, names): (&Options, &Names), errors: &mut Errors) -> Option<Rule> {
    let of = match &rule.of {
        Some(path) => names.subject(path, errors)?,
        None => Of::Errors,
    };
    let measure = rule.measure.to_string();
    wrapper(rule, &measure, &of, errors);
    if let (Of::Latency, "pass_rate") = (&of, measure.as_str()) {
        errors
            .at(&rule.measure, "latency neither passes nor fails; write `p95(latency) <= \"2s\"`");
        return None;
    }
    let limit = limit(rule, &measure, &of, errors)?;
    let mut checks = Checks::default();
    if let (Of::Evaluator(_), Some(path)) = (&of, &rule.of) {
        match measure.as_str() {
            "pass_rate" => checks.judge = Some(path.to_token_stream()),
            "stddev" => {}
            _ if matches!(of, Of::Evaluator(index) if counts(options, index)) => {
                if !(0.0..=1.0).contains(&limit) {
                    let place = rule.limit.tokens();
                    errors.at(place, "the scores of cases are shares here, between 0 and 1");
                    return None;
                }
            }
            _ => checks.limit = Some(rule.limit.tokens()),
        }
    }
    Some(Rule {
        text: rule.text.clone(),
        of,
        slice: rule.slice.clone(),
        min_n: rule.min_n.unwrap_or(0),
        coverage: None,
        test: Test::Limit {
            mode: match &rule.wrapper {
                Some(wrapper) if wrapper == "confident" => "Confident",
                Some(_) => "NotWorse",
                None => "Point",
            },
            measure: MEASURES
                .iter()
                .find(|(name, _)| *name == measure)
                .map_or("ErrorRate", |(_, variant)| variant),
            comparison: rule.comparison,
            limit,
        },
        checks,
    })
}

fn wrapper(rule: &Limited, measure: &str, of: &Of, errors: &mut Errors) {
    let Some(wrapper) = &rule.wrapper else { return };
    let has_interval = match of {
        Of::Evaluator(_) => matches!(measure, "mean" | "pass_rate"),
        Of::Errors => true,
        Of::Latency => false,
    };
    if !has_interval {
        errors.at(
            wrapper,
            format_args!("`{wrapper}` needs a confidence interval, which `mean` and `pass_rate` of an evaluator and `error_rate` have"),
        );
    }
}

fn limit(rule: &Limited, measure: &str, of: &Of, errors: &mut Errors) -> Option<f64> {
    match (of, &rule.limit) {
        (Of::Latency, Limit::Text(text)) => {
            errors.keep(duration(text)).map(|duration| duration.as_secs_f64())
        }
        (Of::Latency, Limit::Number(number)) => {
            errors.at(&number.tokens, "a latency has a unit: `\"2s\"` or `\"500ms\"`");
            None
        }
        (_, Limit::Text(text)) => {
            let subject = rule.of.as_ref().and_then(Path::get_ident);
            match subject.filter(|subject| OF_CALLS.iter().any(|name| subject == name)) {
                Some(name) => errors.at(
                    text,
                    format_args!(
                        "`{name}` is an evaluator in `evaluators(..)` here, so this limit is a number, such as `0.9`"
                    ),
                ),
                None => errors.at(text, "this limit is a number, such as `0.9`"),
            }
            None
        }
        (_, Limit::Number(number)) => {
            let is_share = matches!(measure, "pass_rate" | "error_rate");
            if is_share && !(0.0..=1.0).contains(&number.value) {
                errors.at(&number.tokens, format_args!("`{measure}` lies between 0 and 1"));
                return None;
            }
            Some(number.value)
        }
    }
}

/// The evaluators of an experiment, by all names that a rule may use for them.
pub(crate) struct Names {
    /// The alias or the path as written, the last name of a path without an alias, the path in spite of
    /// an alias, and the last name in spite of one: the first step with a match counts.
    steps: [HashMap<String, Vec<usize>>; 4],
    called: Vec<String>,
    /// Set when all of `evaluators(..)` was understood.
    complete: bool,
}

impl Names {
    pub(crate) fn new(options: &Options) -> Self {
        let mut steps: [HashMap<String, Vec<usize>>; 4] = Default::default();
        for (index, used) in options.evaluators.iter().enumerate() {
            let (path, last) = (text::of_type(&used.path), used.last().to_string());
            let mut add = |step: usize, name: String| {
                steps[step].entry(name).or_default().push(index);
            };
            if let Some(alias) = &used.alias {
                add(0, alias.to_string());
            } else {
                add(0, path.clone());
                add(1, last.clone());
            }
            add(2, path);
            add(3, last);
        }
        let called = options.evaluators.iter().map(Use::called).collect();
        Self { steps, called, complete: options.evaluators_known }
    }

    /// Returns the evaluators that a name in a rule means.
    pub(crate) fn meant(&self, name: &str) -> &[usize] {
        self.steps.iter().find_map(|step| step.get(name)).map_or(&[], Vec::as_slice)
    }

    /// Finds the subject that a rule names: an evaluator, or else a measure of calls.
    fn subject(&self, path: &Path, errors: &mut Errors) -> Option<Of> {
        let name = text::of_type(path);
        let all = &self.called;
        match self.meant(&name) {
            [index] => return Some(Of::Evaluator(*index)),
            several @ [_, ..] => {
                let names: Vec<&str> = several.iter().map(|i| all[*i].as_str()).collect();
                errors.at(
                    path,
                    format_args!("several evaluators are meant by `{name}`: {}; give them aliases, `alias = path`, and name one", suggest::quoted(&names)),
                );
                return None;
            }
            [] => {}
        }
        match name.as_str() {
            "latency" => return Some(Of::Latency),
            RESERVED => {
                errors.at(path, "`error_rate` is a measure of its own: `error_rate <= 0.05`");
                return None;
            }
            _ if !self.complete => return None,
            _ => {}
        }
        if OF_CALLS.contains(&name.as_str()) {
            errors.at(
                path,
                format_args!("this version does not measure `{name}`: write an evaluator, `#[evaluator] fn {name}(..) -> f64`, and add it to `evaluators(..)`"),
            );
            return None;
        }
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let hint = match suggest::closest(&name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.len() > 10 => "add it there".to_owned(),
            None => {
                format!("add it: `evaluators({})`", [&names[..], &[&name]].concat().join(", "))
            }
        };
        errors.at(path, format_args!("`{name}` is not in `evaluators(..)`; {hint}"));
        None
    }
}

/// Returns the tokens of a rule, from its first to its last one.
fn whole(rule: &Limited) -> TokenStream {
    let first = rule.wrapper.as_ref().unwrap_or(&rule.measure);
    let last = rule.limit.tokens();
    quote!(#first #last)
}
