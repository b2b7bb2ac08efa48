//! Reads the options of `#[evaluator(..)]`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Path, Token};

use super::uses::RESERVED;
use super::value::{Number, number, rest, string};
use super::{Key, Known, Synonym, item_path, list, options};
use crate::errors::{Errors, at};
use crate::suggest;

const OPTIONS: &[Known] = &[
    Known { name: "name", usage: "name = \"correct\"" },
    Known { name: "threshold", usage: "threshold = 0.7" },
    Known { name: "direction", usage: "direction = minimize" },
    Known { name: "range", usage: "range(0.0, 1.0)" },
    Known { name: "settings", usage: "settings(min, word = \"x\")" },
    Known { name: "crate", usage: "crate = honeyhive_harness" },
];

const SYNONYMS: &[Synonym] = &[
    Synonym {
        names: &["min", "max", "bounds", "min_score", "max_score", "scale", "range_of"],
        option: "range",
        hint: "the smallest and the largest value are `range(0.0, 1.0)`; the value from which on a score is good is `threshold = 0.7`",
    },
    Synonym {
        names: &["limit", "cutoff", "pass_threshold", "pass_mark", "at_least", "expect", "target"],
        option: "threshold",
        hint: "the value from which on a score is good is `threshold = 0.7`",
    },
    Synonym {
        names: &[
            "goal",
            "minimize",
            "maximize",
            "minimise",
            "maximise",
            "lower_is_better",
            "higher_is_better",
            "greater_is_better",
            "optimize",
        ],
        option: "direction",
        hint: "write `direction = minimize` where less is better; more is better without it",
    },
    Synonym {
        names: &["title", "label", "id", "display_name", "metric", "metric_name"],
        option: "name",
        hint: "what its scores are reported as is `name = \"correct\"`",
    },
    Synonym {
        names: &[
            "setting",
            "params",
            "parameters",
            "args",
            "arguments",
            "config",
            "options",
            "defaults",
        ],
        option: "settings",
        hint: "parameters that are given where the evaluator is used are `settings(min, word = \"x\")`",
    },
    Synonym {
        names: &["model", "models", "prompt", "rubric", "llm", "judge"],
        option: "",
        hint: "an evaluator that asks a model is an `async fn` that calls it in its body",
    },
    Synonym {
        names: &["metrics", "aggregate", "aggregation", "reduce", "reducer"],
        option: "",
        hint: "how attempts become one score is said in the experiment: `reduce(correct = at_least(2))`; how cases do, in its `gate(mean(correct) >= 0.9)`",
    },
    Synonym {
        names: &["timeout", "retries", "max_retries", "concurrency", "repeats"],
        option: "",
        hint: "this is an option of `#[experiment(..)]`",
    },
];

/// One entry of `settings(..)`.
pub(crate) struct Setting {
    pub(crate) ident: Ident,
    pub(crate) default: Option<Expr>,
}

/// The options of `#[evaluator(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) threshold: Option<Number>,
    pub(crate) minimize: bool,
    pub(crate) range: Option<(Number, Number)>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) root: Option<Path>,
}

impl Options {
    /// Reads the options from the tokens of the attribute.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut read = Self::default();
        options(tokens, OPTIONS, SYNONYMS, errors, |key, input, errors| {
            read.option(key, input, errors)
        });
        read.check_threshold(errors);
        read
    }

    fn option(
        &mut self,
        key: &Key,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.name() {
            "name" => {
                let name = string(key, input)?;
                if let Some(text) = reserved(&name.value()) {
                    return at(name, text);
                }
                self.name = Some(name);
            }
            "threshold" => self.threshold = Some(number(key, input)?),
            "direction" => self.minimize = direction(key, input)?,
            "range" => self.range = Some(key.listed(input, |content| range(key, content))?),
            "settings" => key.listed(input, |content| {
                self.settings.extend(list(content, errors, |input, _| setting(input)));
                Ok(())
            })?,
            _ => {
                key.assigned(input)?;
                self.root = Some(item_path(input, "the harness")?);
            }
        }
        Ok(())
    }

    fn check_threshold(&self, errors: &mut Errors) {
        let (Some(threshold), Some((low, high))) = (&self.threshold, &self.range) else { return };
        if threshold.value < low.value || threshold.value > high.value {
            errors.at(
                &threshold.tokens,
                format_args!("the threshold lies outside of `range({}, {})`", low.text, high.text),
            );
        }
    }
}

/// Returns why an evaluator cannot have this name; `None` where it can.
pub(crate) fn reserved(name: &str) -> Option<&'static str> {
    (name == RESERVED).then_some(
        "an evaluator cannot be named `error_rate`: in `gate(error_rate <= 0.05)` this is the share of cases that end in an error; choose another name",
    )
}

fn direction(key: &Key, input: ParseStream<'_>) -> syn::Result<bool> {
    key.assigned(input)?;
    let Ok(word) = input.parse::<Ident>() else {
        return key.wrong(rest(input), "`minimize` or `maximize`");
    };
    match word.to_string().as_str() {
        "minimize" => Ok(true),
        "maximize" => Ok(false),
        other => at(
            &word,
            format_args!(
                "unknown direction `{other}`; {}",
                suggest::hint(other, &["minimize", "maximize"], "directions")
            ),
        ),
    }
}

fn range(key: &Key, content: ParseStream<'_>) -> syn::Result<(Number, Number)> {
    let bound = || match Number::read(content)? {
        Some(number) => Ok(number),
        None if content.is_empty() => key.wrong(key, "two numbers"),
        None => key.wrong(rest(content), "two numbers"),
    };
    let low = bound()?;
    content.parse::<Option<Token![,]>>()?;
    let high = bound()?;
    content.parse::<Option<Token![,]>>()?;
    if low.value < high.value {
        return Ok((low, high));
    }
    let (first, second) = (&low.tokens, &high.tokens);
    at(
        quote!(#first, #second),
        if low.value > high.value {
            format!("the smallest value comes first: `range({}, {})`", high.text, low.text)
        } else {
            "the smallest and the largest value are the same".to_owned()
        },
    )
}

/// Parses `name` or `name = default`.
fn setting(input: ParseStream<'_>) -> syn::Result<Setting> {
    if !input.peek(syn::Ident::peek_any) {
        return at(rest(input), "expected the name of a parameter: `settings(min, word = \"x\")`");
    }
    let ident = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) {
        return Ok(Setting { ident, default: None });
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return at(equals, format_args!("the setting `{ident}` needs a default behind `=`"));
    }
    Ok(Setting { ident, default: Some(input.parse()?) })
}
