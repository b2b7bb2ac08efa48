//! Parses `evaluators(a, path::b, strict = c(setting = 3))`.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Path, Token};

use super::value::rest;
use super::{inside, item_path, list};
use crate::errors::{Errors, at};
use crate::text;

/// The name that no evaluator can have: it is a measure without an evaluator.
pub(crate) const RESERVED: &str = "error_rate";

/// The names of measures of calls. An evaluator may have one of them; rules with that name are then
/// about the evaluator.
pub(crate) const OF_CALLS: &[&str] = &["latency", "first_token", "cost", "tokens"];

/// One evaluator of an experiment.
pub(crate) struct Use {
    /// The name before `=`.
    pub(crate) alias: Option<Ident>,
    pub(crate) path: Path,
    pub(crate) settings: Vec<(Ident, Expr)>,
}

impl Use {
    /// Returns the name of the function.
    pub(crate) fn last(&self) -> &Ident {
        // A parsed path has at least one segment.
        &self.path.segments[self.path.segments.len() - 1].ident
    }

    /// Returns the name that rules use for the evaluator.
    pub(crate) fn called(&self) -> String {
        text::unraw(self.alias.as_ref().unwrap_or_else(|| self.last()))
    }
}

/// Parses the contents of `evaluators(..)`.
pub(crate) fn read(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Use> {
    let uses = list(input, errors, one);
    check(&uses, errors);
    uses
}

fn one(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Use> {
    let alias = if input.peek(syn::Ident::peek_any) && input.peek2(Token![=]) {
        let alias = input.call(Ident::parse_any)?;
        let equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return at(equals, format_args!("expected the path of an evaluator: `{alias} = path`"));
        }
        Some(alias)
    } else {
        None
    };
    if input.peek(LitStr) {
        let name = rest(input);
        return at(name, "write the path of an evaluator without quotes: `evaluators(correct)`");
    }
    let is_path = input.peek(syn::Ident::peek_any) || input.peek(Token![::]);
    if !is_path || input.peek(Token![move]) || input.peek(Token![async]) {
        return at(
            rest(input),
            "expected the path of an evaluator: write a function with `#[evaluator]`, and its name here",
        );
    }
    let path = item_path(input, "an evaluator")?;
    let mut settings: Vec<(Ident, Expr)> = Vec::new();
    if input.peek(syn::token::Paren) {
        let name = text::of_type(&path);
        let given =
            inside(input, |content| Ok(list(content, errors, |input, _| setting(input, &name))))?;
        for (setting, value) in given {
            if settings.iter().any(|(other, _)| *other == setting) {
                errors.at(&setting, format_args!("the setting `{setting}` is given twice"));
            } else {
                settings.push((setting, value));
            }
        }
    }
    Ok(Use { alias, path, settings })
}

/// Parses `name = expression`.
fn setting(input: ParseStream<'_>, evaluator: &str) -> syn::Result<(Ident, Expr)> {
    let is_named =
        input.peek(syn::Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    if !is_named {
        return at(
            rest(input),
            format_args!(
                "settings are given by name: `{evaluator}(setting = ..)`; `{evaluator}` is a function with `#[evaluator]`, as there are no built-in evaluators in this version"
            ),
        );
    }
    let name = input.call(Ident::parse_any)?;
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return at(equals, format_args!("the setting `{name}` needs a value: `{name} = ..`"));
    }
    Ok((field(name), input.parse()?))
}

/// Returns the identifier of a field: keywords become raw.
pub(crate) fn field(name: Ident) -> Ident {
    if syn::parse_str::<Ident>(&name.to_string()).is_ok() {
        name
    } else {
        Ident::new_raw(&name.to_string(), name.span())
    }
}

fn check(uses: &[Use], errors: &mut Errors) {
    // These are sets, because an experiment may have thousands of evaluators.
    let (mut aliases, mut paths) = (HashSet::new(), HashSet::new());
    for used in uses {
        let called = used.called();
        if called == RESERVED {
            let place = used.alias.as_ref().unwrap_or_else(|| used.last());
            errors.at(
                place,
                "`error_rate` is the share of cases that end in an error; give the evaluator another name: `other = path`",
            );
        }
        match &used.alias {
            Some(alias) if !aliases.insert(called) => {
                errors.at(alias, format_args!("the alias `{alias}` is given twice"));
            }
            None => {
                let path = text::of_type(&used.path);
                if !paths.insert(path.clone()) {
                    errors.at(
                        &used.path,
                        format_args!(
                            "`{path}` is listed twice; give one of them an alias: `other = {path}`"
                        ),
                    );
                }
            }
            Some(_) => {}
        }
    }
}
