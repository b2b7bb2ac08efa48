//! Parses rules that compare with the baseline:
//! `no_regression(correct, margin = 0.02, alpha = 0.05)`.

use proc_macro2::Ident;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{LitStr, Path, Token};

use super::super::value::{Number, rest};
use super::super::{inside, item_path};
use super::{min_n_value, slice_value};
use crate::errors::at;
use crate::{suggest, text};

/// The names of these rules.
pub(crate) const AGAINST: &[&str] =
    &["no_regression", "no_collapse", "no_loss", "no_worse_than", "non_inferior"];

/// A rule that compares with the baseline.
pub(crate) struct Against {
    /// The name of the rule, one of [`AGAINST`].
    pub(crate) name: Ident,
    pub(crate) evaluator: Path,
    pub(crate) margin: Option<Number>,
    pub(crate) alpha: Option<Number>,
    /// The number of further attempts of a second look.
    pub(crate) confirm: Option<u32>,
    pub(crate) slice: Option<LitStr>,
    /// The number of pairs below which the rule is inconclusive.
    pub(crate) min_n: Option<u32>,
    /// The share of the cases that must be comparable.
    pub(crate) coverage: Option<Number>,
    pub(crate) text: String,
}

/// Parses the rule after its name.
pub(crate) fn against(name: &Ident, input: ParseStream<'_>) -> syn::Result<Against> {
    if !input.peek(syn::token::Paren) {
        return at(name, format_args!("`{name}` of what? write `{name}(correct)`"));
    }
    let rule = inside(input, |content| {
        let is_setting = content.peek(syn::Ident::peek_any) && content.peek2(Token![=]);
        if content.is_empty() || is_setting {
            return at(name, format_args!("`{name}` of what? write `{name}(correct)`"));
        }
        let evaluator = item_path(content, "an evaluator")?;
        if content.peek(syn::token::Paren) {
            let measured = rest(content);
            return at(
                quote!(#evaluator #measured),
                format_args!("`{name}` looks at every case: name the evaluator, `{name}(correct)`"),
            );
        }
        let mut rule = Against {
            name: name.clone(),
            text: text::of_type(&evaluator),
            evaluator,
            margin: None,
            alpha: None,
            confirm: None,
            slice: None,
            min_n: None,
            coverage: None,
        };
        while content.peek(Token![,]) {
            content.parse::<Token![,]>()?;
            if content.is_empty() {
                break;
            }
            setting(&mut rule, content)?;
        }
        if content.is_empty() { Ok(rule) } else { at(rest(content), "expected `,` or `)`") }
    })?;
    if !(input.is_empty() || input.peek(Token![,])) {
        let extra = rest(input);
        return at(
            extra,
            format_args!(
                "`{name}` compares with the baseline and takes no limit; write `{name}({})`",
                rule.text
            ),
        );
    }
    Ok(Against { text: format!("{name}({})", rule.text), ..rule })
}

/// Returns the names of the settings of a rule.
fn settings(rule: &Ident) -> &'static [&'static str] {
    match rule.to_string().as_str() {
        "no_regression" => &["margin", "alpha", "slice", "confirm", "coverage", "min_n"],
        "no_worse_than" | "non_inferior" => &["margin", "alpha", "slice", "coverage", "min_n"],
        _ => &["alpha", "slice", "coverage", "min_n"],
    }
}

/// Parses `margin = 0.02`, `alpha = 0.05`, `slice = "key:value"` and the like.
fn setting(rule: &mut Against, content: ParseStream<'_>) -> syn::Result<()> {
    let known = settings(&rule.name);
    if !(content.peek(syn::Ident::peek_any) && content.peek2(Token![=])) {
        return at(
            rest(content),
            format_args!(
                "settings have names: `{}`; they are {}",
                usage(known[0]),
                suggest::quoted(known)
            ),
        );
    }
    let key = content.call(Ident::parse_any)?;
    let name = text::unraw(&key);
    let given = match name.as_str() {
        "margin" => rule.margin.is_some(),
        "alpha" => rule.alpha.is_some(),
        "confirm" => rule.confirm.is_some(),
        "min_n" => rule.min_n.is_some(),
        "coverage" => rule.coverage.is_some(),
        _ => rule.slice.is_some(),
    };
    if !known.contains(&name.as_str()) {
        let hint = suggest::hint(&name, known, "settings");
        return at(key, format_args!("`{}` has no setting `{name}`; {hint}", rule.name));
    }
    if given {
        return at(key, format_args!("`{name}` is given twice"));
    }
    content.parse::<Token![=]>()?;
    if name == "slice" {
        let slice = slice_value(content)?;
        rule.text.push_str(&format!(", slice = {:?}", slice.value()));
        rule.slice = Some(slice);
        return Ok(());
    }
    if name == "min_n" {
        let least = min_n_value(&key, content)?;
        rule.text.push_str(&format!(", min_n = {least}"));
        rule.min_n = Some(least);
        return Ok(());
    }
    if name == "confirm" {
        let usage = "`confirm` is a number of attempts from 1: `confirm = 2`";
        if !content.peek(syn::LitInt) {
            let found = rest(content);
            return if found.is_empty() { at(key, usage) } else { at(found, usage) };
        }
        let number: syn::LitInt = content.parse()?;
        let Some(attempts) = number.base10_parse::<u32>().ok().filter(|attempts| *attempts > 0)
        else {
            return at(number, usage);
        };
        rule.text.push_str(&format!(", confirm = {attempts}"));
        rule.confirm = Some(attempts);
        return Ok(());
    }
    let Some(number) = Number::read(content)? else {
        let found = rest(content);
        let usage = usage(&name);
        return if found.is_empty() {
            at(key, format_args!("`{name}` is a number: `{usage}`"))
        } else {
            at(found, format_args!("`{name}` is a number: `{usage}`"))
        };
    };
    if content.peek(Token![%]) {
        let percent = rest(content);
        return at(percent, format_args!("write the share as a number: `{}`", usage(&name)));
    }
    rule.text.push_str(&format!(", {name} = {}", number.text));
    match name.as_str() {
        "margin" if number.value < 0.0 => at(number.tokens, "`margin` is at least 0"),
        "margin" => {
            rule.margin = Some(number);
            Ok(())
        }
        "coverage" if !(number.value > 0.0 && number.value <= 1.0) => at(
            number.tokens,
            "`coverage` lies above 0 and is at most 1: the share of the cases that must be \
             comparable with the baseline",
        ),
        "coverage" => {
            rule.coverage = Some(number);
            Ok(())
        }
        _ if !(number.value > 0.0 && number.value <= 0.5) => at(
            number.tokens,
            "`alpha` lies above 0 and is at most 0.5: how often the rule may fail by chance",
        ),
        _ => {
            rule.alpha = Some(number);
            Ok(())
        }
    }
}

/// Returns how a number is written.
fn usage(setting: &str) -> &'static str {
    match setting {
        "margin" => "margin = 0.02",
        "coverage" => "coverage = 0.9",
        _ => "alpha = 0.05",
    }
}
