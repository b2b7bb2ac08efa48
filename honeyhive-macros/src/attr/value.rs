//! Parses the values of options: texts, numbers, durations.

use std::time::Duration;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Lit, LitStr, Token};

use super::Key;
use crate::errors::at;

/// A number as written, with its sign.
#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) value: f64,
    /// The number as written: `-0.5`.
    pub(crate) text: String,
    /// The tokens, as the place of errors.
    pub(crate) tokens: TokenStream,
}

impl Number {
    /// Parses `0.7`, `3` or `-1.5`; returns `None` when there is something else.
    pub(crate) fn read(input: ParseStream<'_>) -> syn::Result<Option<Self>> {
        let ahead = input.fork();
        let minus: Option<Token![-]> = ahead.parse()?;
        if !ahead.peek(syn::LitInt) && !ahead.peek(syn::LitFloat) {
            return Ok(None);
        }
        input.parse::<Option<Token![-]>>()?;
        let literal: Lit = input.parse()?;
        let tokens = quote!(#minus #literal);
        let parsed: syn::Result<f64> = match &literal {
            Lit::Int(number) => number.base10_parse(),
            Lit::Float(number) => number.base10_parse(),
            _ => at(&tokens, "expected a number"),
        };
        let value = parsed?;
        if !value.is_finite() {
            return at(tokens, "this number is too large");
        }
        let sign = if minus.is_some() { "-" } else { "" };
        Ok(Some(Self {
            value: if minus.is_some() { -value } else { value },
            text: format!("{sign}{}", literal.to_token_stream()),
            tokens,
        }))
    }
}

/// Parses `key = "text"`.
pub(crate) fn string(key: &Key, input: ParseStream<'_>) -> syn::Result<LitStr> {
    key.assigned(input)?;
    if !input.peek(LitStr) {
        return key.wrong(rest(input), "a string");
    }
    let text: LitStr = input.parse()?;
    if text.value().trim().is_empty() {
        return at(&text, format_args!("`{}` is empty: write `{}`", key.name(), key.usage()));
    }
    Ok(text)
}

/// Parses `key = 3`, at least `least`.
pub(crate) fn count(key: &Key, input: ParseStream<'_>, least: u32) -> syn::Result<u32> {
    key.assigned(input)?;
    if input.peek(Token![-]) {
        return at(rest(input), format_args!("`{}` is at least {least}", key.name()));
    }
    if !input.peek(syn::LitInt) {
        return key.wrong(rest(input), "a whole number");
    }
    let number: syn::LitInt = input.parse()?;
    match number.base10_parse() {
        Ok(value) if value >= least => Ok(value),
        Ok(_) => at(number, format_args!("`{}` is at least {least}", key.name())),
        Err(_) => at(number, format_args!("`{}` is at most {}", key.name(), u32::MAX)),
    }
}

/// Parses `key = 0.7`.
pub(crate) fn number(key: &Key, input: ParseStream<'_>) -> syn::Result<Number> {
    key.assigned(input)?;
    match Number::read(input)? {
        Some(number) => Ok(number),
        None => key.wrong(rest(input), "a number"),
    }
}

/// Parses the duration in a string such as `"1m 30s"`.
pub(crate) fn duration(text: &LitStr) -> syn::Result<Duration> {
    match humantime::parse_duration(&text.value()) {
        Ok(duration) => Ok(duration),
        Err(_) => at(
            text,
            format_args!(
                "`{}` is no duration: write a number with a unit, such as `\"500ms\"`, `\"2s\"` or `\"1m 30s\"`",
                text.value()
            ),
        ),
    }
}

/// Returns the remaining tokens of an entry, as the place of an error.
pub(crate) fn rest(input: ParseStream<'_>) -> TokenStream {
    let mut out = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        // This cannot fail, since there is a token.
        out.extend(input.parse::<TokenTree>());
    }
    out
}
