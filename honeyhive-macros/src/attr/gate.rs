//! Parses `require(..)` and `gate(..)`.
//!
//! Rules are read as written here; [`crate::check`] checks whether their evaluators exist and their
//! limits make sense.

mod against;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitStr, Path, Token};

use super::uses::OF_CALLS;
use super::value::{Number, rest};
use super::{inside, item_path};
use crate::errors::at;
use crate::{suggest, text};
pub(crate) use against::{AGAINST, Against};

/// The measures as users write them, with the variants of the harness.
pub(crate) const MEASURES: &[(&str, &str)] = &[
    ("mean", "Mean"),
    ("median", "Median"),
    ("min", "Min"),
    ("max", "Max"),
    ("p50", "P50"),
    ("p90", "P90"),
    ("p95", "P95"),
    ("p99", "P99"),
    ("stddev", "Stddev"),
    ("pass_rate", "PassRate"),
];

/// The side of the limit that is good.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
    AtLeast,
    AtMost,
}

impl Comparison {
    fn symbol(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }
}

/// The limit, to the right of the comparison.
pub(crate) enum Limit {
    Number(Number),
    Text(LitStr),
}

impl Limit {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.text.clone(),
            Self::Text(text) => text.to_token_stream().to_string(),
        }
    }

    /// Returns the tokens, as the place of errors.
    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            Self::Number(number) => number.tokens.clone(),
            Self::Text(text) => text.to_token_stream(),
        }
    }
}

/// One entry of `require(..)`: `evaluator` or `evaluator >= 0.7`.
pub(crate) struct Require {
    pub(crate) evaluator: Path,
    pub(crate) limit: Option<(Comparison, Number)>,
    pub(crate) text: String,
}

/// One entry of `gate(..)`, as written.
pub(crate) enum Gate {
    Limit(Limited),
    Against(Against),
}

impl Gate {
    /// Returns the rule as text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Limit(rule) => &rule.text,
            Self::Against(rule) => &rule.text,
        }
    }
}

/// A rule with a limit.
pub(crate) struct Limited {
    /// The function around the rule: `confident` or `not_worse`.
    pub(crate) wrapper: Option<Ident>,
    /// The measure: a name in [`MEASURES`], or `error_rate`.
    pub(crate) measure: Ident,
    /// The subject in the parentheses: an evaluator or `latency`.
    pub(crate) of: Option<Path>,
    pub(crate) slice: Option<LitStr>,
    /// The number of scores below which the rule is inconclusive.
    pub(crate) min_n: Option<u32>,
    pub(crate) comparison: Comparison,
    pub(crate) limit: Limit,
    pub(crate) text: String,
}

/// The text about a measure of calls in `require(..)`.
pub(crate) const NOT_REQUIRED: &str = "`require` looks at evaluators; write a rule such as `p95(latency) <= \"2s\"` in `gate(..)`, or `timeout = \"2s\"` for each call";

/// Parses one entry of `require(..)`.
pub(crate) fn require(input: ParseStream<'_>) -> syn::Result<Require> {
    let evaluator = item_path(input, "an evaluator")?;
    let name = text::of_type(&evaluator);
    if input.peek(syn::token::Paren) {
        return at(
            evaluator,
            "`require` looks at every attempt, not at a measure of them: \
             write `require(evaluator)` or `require(evaluator >= 0.7)`, or move the rule to `gate(..)`",
        );
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Require { evaluator, limit: None, text: name });
    }
    let comparison = comparison(input)?;
    match limit(input, &name, comparison)? {
        Limit::Number(number) => {
            let text = format!("{name} {} {}", comparison.symbol(), number.text);
            Ok(Require { evaluator, limit: Some((comparison, number)), text })
        }
        Limit::Text(_) if OF_CALLS.contains(&name.as_str()) => at(evaluator, NOT_REQUIRED),
        Limit::Text(text) => at(text, "the limit of an evaluator is a number"),
    }
}

/// Parses one entry of `gate(..)`.
pub(crate) fn gate(input: ParseStream<'_>) -> syn::Result<Gate> {
    if input.peek(syn::Lit) {
        return at(rest(input), "write the measure first: `mean(correct) >= 0.9`");
    }
    let head = item_path(input, "a measure")?;
    if let Some(name) = head.get_ident().filter(|i| AGAINST.iter().any(|name| *i == name)) {
        return against::against(name, input).map(Gate::Against);
    }
    let Some(wrapper) = head.get_ident().filter(|i| *i == "confident" || *i == "not_worse") else {
        return rule(head, input).map(Gate::Limit);
    };
    let example = format!("write the whole rule inside: `{wrapper}(mean(correct) >= 0.9)`");
    if !input.peek(syn::token::Paren) {
        return at(wrapper, example);
    }
    let inner = inside(input, |content| {
        if content.is_empty() {
            return at(wrapper, &example);
        }
        let head = item_path(content, "a measure")?;
        if head.is_ident("confident") || head.is_ident("not_worse") {
            return at(head, "`confident` and `not_worse` cannot be combined");
        }
        if let Some(name) = head.get_ident().filter(|i| AGAINST.iter().any(|name| *i == name)) {
            return at(
                &head,
                format_args!("`{name}` is a test of its own: write it without `{wrapper}`"),
            );
        }
        // The user wrote the limit outside: `confident(mean(correct)) >= 0.9`.
        if content.peek(syn::token::Paren) && content.peek2(syn::parse::End) {
            return at(wrapper, &example);
        }
        let inner = rule(head, content)?;
        match rest(content) {
            extra if !extra.is_empty() => at(extra, "expected `)`"),
            _ if content.is_empty() => Ok(inner),
            _ => at(content.parse::<TokenStream>()?, format_args!("`{wrapper}` holds one rule")),
        }
    })?;
    let text = format!("{wrapper}({})", inner.text);
    Ok(Gate::Limit(Limited { wrapper: Some(wrapper.clone()), text, ..inner }))
}

/// Parses `measure(..) >= limit`, after its first name.
fn rule(head: Path, input: ParseStream<'_>) -> syn::Result<Limited> {
    let is_errors = head.is_ident("error_rate");
    let known =
        head.get_ident().filter(|i| is_errors || MEASURES.iter().any(|(name, _)| i == name));
    let mut said = Said::default();
    if input.peek(syn::token::Paren) {
        let Some(measure) = known else {
            let names: Vec<&str> = MEASURES
                .iter()
                .map(|(name, _)| *name)
                .chain(["error_rate"])
                .chain(AGAINST.iter().copied())
                .collect();
            let name = text::of_type(&head);
            let hint = suggest::hint(&name, &names, "measures");
            return at(head, format_args!("unknown measure `{name}`; {hint}"));
        };
        said = inside(input, |content| subject(content, measure, is_errors))?;
    }
    let name = text::of_type(&head);
    let Some(measure) = known.cloned() else {
        let example = match name.as_str() {
            "latency" => "`p95(latency) <= \"2s\"`".to_owned(),
            _ => format!("`mean({name}) >= 0.9`"),
        };
        return at(head, format_args!("a rule needs a measure: {example}"));
    };
    if said.of.is_none() && !is_errors {
        return at(measure, format_args!("`{name}` of what? write `{name}(correct) >= 0.9`"));
    }
    let Said { of, slice, min_n } = said;
    let mut text = name;
    let inside: Vec<String> = of
        .iter()
        .map(text::of_type)
        .chain(slice.iter().map(|slice: &LitStr| format!("slice = {}", slice.to_token_stream())))
        .chain(min_n.iter().map(|min_n| format!("min_n = {min_n}")))
        .collect();
    if !inside.is_empty() {
        text = format!("{text}({})", inside.join(", "));
    }
    if input.is_empty() || input.peek(Token![,]) {
        return at(measure, format_args!("this rule needs a limit: `{text} >= ..`"));
    }
    let comparison = comparison(input)?;
    let limit = limit(input, &text, comparison)?;
    let text = format!("{text} {} {}", comparison.symbol(), limit.text());
    Ok(Limited { wrapper: None, measure, of, slice, min_n, comparison, limit, text })
}

/// The contents of the parentheses of a measure.
#[derive(Default)]
struct Said {
    of: Option<Path>,
    slice: Option<LitStr>,
    min_n: Option<u32>,
}

/// Parses `subject, slice = "key:value", min_n = 20`.
fn subject(content: ParseStream<'_>, measure: &Ident, is_errors: bool) -> syn::Result<Said> {
    let is_setting =
        |input: ParseStream<'_>| input.peek(syn::Ident::peek_any) && input.peek2(Token![=]);
    let mut said = Said::default();
    if !content.is_empty() && !is_setting(content) {
        if content.peek(LitStr) {
            return at(rest(content), "expected an evaluator of `evaluators(..)`, or `latency`");
        }
        let path = item_path(content, "an evaluator")?;
        if is_errors {
            return at(
                path,
                "`error_rate` is that of the whole experiment: write `error_rate <= 0.05`, or `error_rate(slice = \"key:value\") <= 0.05`",
            );
        }
        said.of = Some(path);
        if !content.is_empty() && !content.peek(Token![,]) {
            return at(content.parse::<TokenTree>()?, "expected `,` or `)`");
        }
        content.parse::<Option<Token![,]>>()?;
    }
    if said.of.is_none() && !is_errors {
        return at(measure, format_args!("`{measure}` of what? write `{measure}(correct) >= 0.9`"));
    }
    if content.is_empty() && said.of.is_none() {
        return at(measure, "leave out the empty parentheses: `error_rate <= 0.05`");
    }
    while !content.is_empty() {
        if !is_setting(content) {
            return at(rest(content), "expected `slice = \"key:value\"` or `min_n = 20`");
        }
        setting(&mut said, content)?;
        if !content.is_empty() && !content.peek(Token![,]) {
            return at(rest(content), "expected `,` or `)`");
        }
        content.parse::<Option<Token![,]>>()?;
    }
    Ok(said)
}

fn setting(said: &mut Said, content: ParseStream<'_>) -> syn::Result<()> {
    const KNOWN: [&str; 2] = ["slice", "min_n"];
    let key = content.call(Ident::parse_any)?;
    let name = text::unraw(&key);
    content.parse::<Token![=]>()?;
    let given = match name.as_str() {
        "slice" => said.slice.is_some(),
        "min_n" => said.min_n.is_some(),
        _ => {
            let hint = match name.as_str() {
                "n" | "min" | "at_least" | "min_cases" | "min_samples" => {
                    "did you mean `min_n`?".to_owned()
                }
                _ => suggest::hint(&name, &KNOWN, "settings"),
            };
            return at(key, format_args!("a measure has no setting `{name}`; {hint}"));
        }
    };
    if given {
        return at(key, format_args!("`{name}` is given twice"));
    }
    if name == "slice" {
        said.slice = Some(slice_value(content)?);
    } else {
        said.min_n = Some(min_n_value(&key, content)?);
    }
    Ok(())
}

/// Parses the number of `min_n = 20`.
fn min_n_value(key: &Ident, content: ParseStream<'_>) -> syn::Result<u32> {
    const USAGE: &str =
        "`min_n` is a whole number from 1: how many scores the rule asks for, `min_n = 20`";
    if !content.peek(syn::LitInt) {
        let found = rest(content);
        return if found.is_empty() { at(key, USAGE) } else { at(found, USAGE) };
    }
    let number: syn::LitInt = content.parse()?;
    match number.base10_parse::<u32>() {
        Ok(least) if least > 0 => Ok(least),
        _ => at(number, USAGE),
    }
}

/// Parses the string of `slice = "key:value"`.
fn slice_value(content: ParseStream<'_>) -> syn::Result<LitStr> {
    if !content.peek(LitStr) {
        return at(rest(content), "a slice is a string: `slice = \"key:value\"`");
    }
    let slice: LitStr = content.parse()?;
    if slice.value().trim().is_empty() {
        return at(slice, "the slice is empty: write `slice = \"key:value\"`, or a tag");
    }
    Ok(slice)
}

fn comparison(input: ParseStream<'_>) -> syn::Result<Comparison> {
    if input.peek(Token![>=]) {
        input.parse::<Token![>=]>()?;
        return Ok(Comparison::AtLeast);
    }
    if input.peek(Token![<=]) {
        input.parse::<Token![<=]>()?;
        return Ok(Comparison::AtMost);
    }
    // Operators such as `==` and `=>` are two tokens.
    let mut operator = TokenStream::new();
    let mut shown = String::new();
    while let Ok(TokenTree::Punct(punct)) = input.fork().parse::<TokenTree>() {
        if matches!(punct.as_char(), ',' | '-') {
            break;
        }
        shown.push(punct.as_char());
        operator.extend([input.parse::<TokenTree>()?]);
    }
    match shown.as_str() {
        "" => at(input.parse::<TokenTree>()?, "expected `>=` or `<=`"),
        ">" | "=>" => {
            at(operator, format_args!("write `>=`, not `{shown}`: a value on the limit holds"))
        }
        "<" | "=<" => {
            at(operator, format_args!("write `<=`, not `{shown}`: a value on the limit holds"))
        }
        _ => at(operator, format_args!("expected `>=` or `<=`, not `{shown}`")),
    }
}

fn limit(input: ParseStream<'_>, left: &str, comparison: Comparison) -> syn::Result<Limit> {
    let example = || format!("{left} {} 0.9", comparison.symbol());
    if let Some(number) = Number::read(input)? {
        if input.peek(Token![%]) {
            let percent = rest(input);
            return at(percent, "write the share as a number: `0.9` for 90 %");
        }
        return Ok(Limit::Number(number));
    }
    if input.peek(LitStr) {
        return Ok(Limit::Text(input.parse()?));
    }
    match rest(input) {
        missing if missing.is_empty() => {
            Err(input.error(format_args!("this rule needs a limit: `{}`", example())))
        }
        other => at(other, format_args!("a limit is a number: `{}`", example())),
    }
}
