//! Parses `reduce(correct = at_least(2), close = median)`, which says how the attempts of a case
//! become one score.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Path, Token};

use super::value::rest;
use super::{inside, item_path};
use crate::errors::at;
use crate::{suggest, text};

/// The reducers without a number, with the variants of the harness.
const PLAIN: &[(&str, &str)] =
    &[("mean", "Mean"), ("median", "Median"), ("min", "Min"), ("max", "Max")];

/// The reducers that count good attempts.
const COUNTING: &[(&str, &str)] =
    &[("at_least", "AtLeast"), ("pass_at", "PassAt"), ("pass_all", "PassAll")];

/// One entry of `reduce(..)`.
pub(crate) struct Reduce {
    pub(crate) evaluator: Path,
    /// The name of the variant of the harness.
    pub(crate) variant: &'static str,
    /// The number of a reducer that counts, and its place.
    pub(crate) count: Option<(u32, TokenStream)>,
    /// The reducer as written: `at_least(2)`.
    pub(crate) text: String,
}

/// Parses one entry.
pub(crate) fn reduce(input: ParseStream<'_>) -> syn::Result<Reduce> {
    const USAGE: &str = "write `reduce(correct = at_least(2))`";
    let evaluator = item_path(input, "an evaluator")?;
    if !input.peek(Token![=]) {
        let extra = rest(input);
        return at(quote!(#evaluator #extra), USAGE);
    }
    input.parse::<Token![=]>()?;
    if !input.peek(syn::Ident::peek_any) {
        let found = rest(input);
        return if found.is_empty() { at(evaluator, USAGE) } else { at(found, USAGE) };
    }
    let name = input.call(Ident::parse_any)?;
    let word = text::unraw(&name);
    if let Some((word, variant)) = PLAIN.iter().find(|(known, _)| *known == word) {
        if input.peek(syn::token::Paren) {
            return at(rest(input), format_args!("`{word}` takes no number"));
        }
        return Ok(Reduce { evaluator, variant, count: None, text: (*word).to_owned() });
    }
    let Some((word, variant)) = COUNTING.iter().find(|(known, _)| *known == word) else {
        rest(input);
        let names: Vec<&str> = PLAIN.iter().chain(COUNTING).map(|(name, _)| *name).collect();
        let hint = suggest::hint(&word, &names, "reducers");
        return at(name, format_args!("unknown reducer `{word}`; {hint}"));
    };
    if !input.peek(syn::token::Paren) {
        return at(name, format_args!("`{word}` of how many attempts? write `{word}(2)`"));
    }
    let (k, place) = inside(input, |content| {
        if content.is_empty() {
            return at(&name, format_args!("`{word}` of how many attempts? write `{word}(2)`"));
        }
        if !content.peek(syn::LitInt) {
            return at(
                rest(content),
                format_args!("`{word}` takes a whole number of attempts: `{word}(2)`"),
            );
        }
        let number: syn::LitInt = content.parse()?;
        match number.base10_parse::<u32>() {
            Ok(k) if k > 0 => Ok((k, number.to_token_stream())),
            _ => at(number, format_args!("`{word}` takes a number of attempts from 1")),
        }
    })?;
    Ok(Reduce { evaluator, variant, count: Some((k, place)), text: format!("{word}({k})") })
}
