//! Parses the tokens between the parentheses of an attribute into options.
//!
//! Options are parsed one by one: a mistake in one does not hide those in the next.

pub(crate) mod evaluator;
pub(crate) mod experiment;
pub(crate) mod gate;
pub(crate) mod reduce;
mod stop;
#[cfg(test)]
mod tests;
pub(crate) mod uses;
pub(crate) mod value;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{LitStr, Path, Token, parenthesized};

use crate::errors::{Errors, at};
use crate::suggest;

/// The name and the notation of an option of an attribute.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// The way in which the option is written, for error texts.
    pub(crate) usage: &'static str,
}

/// The names that other tools use for an option.
pub(crate) struct Synonym {
    pub(crate) names: &'static [&'static str],
    /// The option that is meant, so that its absence is not reported as well.
    pub(crate) option: &'static str,
    /// The advice about what to write instead.
    pub(crate) hint: &'static str,
}

/// The name of an option in an attribute, before its value is read.
pub(crate) struct Key {
    pub(crate) ident: Ident,
    known: &'static Known,
}

/// Reads all options of an attribute. `read` is called for each one that is known.
///
/// Returns the names that were given or evidently meant, for checks that depend on their absence.
pub(crate) fn options(
    tokens: TokenStream,
    known: &'static [Known],
    synonyms: &'static [Synonym],
    errors: &mut Errors,
    mut read: impl FnMut(&Key, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> Vec<&'static str> {
    let mut seen = Vec::new();
    let parser = |input: ParseStream<'_>| {
        list(input, errors, |input, errors| {
            let key = key(input, known, synonyms, &mut seen)?;
            // The value of a repeated option is parsed, too, to find mistakes in it.
            if seen.contains(&key.known.name) {
                errors.at(&key.ident, format_args!("`{}` is given twice", key.known.name));
            }
            seen.push(key.known.name);
            read(&key, input, errors)
        });
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    seen
}

fn key(
    input: ParseStream<'_>,
    known: &'static [Known],
    synonyms: &'static [Synonym],
    seen: &mut Vec<&'static str>,
) -> syn::Result<Key> {
    let names: Vec<&str> = known.iter().map(|option| option.name).collect();
    if !input.peek(syn::Ident::peek_any) {
        let first = &known[0];
        if input.peek(LitStr) {
            seen.push(first.name);
        }
        let tree: TokenTree = input.parse()?;
        return at(tree, format_args!("expected an option, such as `{}`", first.usage));
    }
    let ident = input.call(Ident::parse_any)?;
    let name = ident.to_string();
    if let Some(known) = known.iter().find(|option| option.name == name) {
        return Ok(Key { ident, known });
    }
    if let Some(plain) = name.strip_prefix("r#").filter(|plain| names.contains(plain)) {
        seen.extend(known.iter().map(|option| option.name).find(|name| *name == plain));
        return at(ident, format_args!("write `{plain}`, not `{name}`"));
    }
    // Other tools also write `maxConcurrency`.
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let said = plain(&name);
    let means = |synonym: &&Synonym| synonym.names.iter().any(|other| plain(other) == said);
    if let Some(synonym) = synonyms.iter().find(means) {
        seen.push(synonym.option);
        return at(ident, format_args!("unknown option `{name}`; {}", synonym.hint));
    }
    let near = suggest::closest(&name, &names);
    seen.extend(known.iter().map(|option| option.name).find(|name| Some(*name) == near));
    at(ident, format_args!("unknown option `{name}`; {}", suggest::hint(&name, &names, "options")))
}

impl Key {
    /// Returns the name of the option.
    pub(crate) fn name(&self) -> &'static str {
        self.known.name
    }

    /// Returns how the option is written.
    pub(crate) fn usage(&self) -> &'static str {
        self.known.usage
    }

    /// Skips the `=` of `key = value`.
    pub(crate) fn assigned(&self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>]) {
            let equals: Token![=] = input.parse()?;
            if !input.is_empty() && !input.peek(Token![,]) {
                return Ok(());
            }
            return at(equals, format_args!("`{}` needs a value: `{}`", self.name(), self.usage()));
        }
        self.refuse(input)
    }

    /// Parses the contents of the parentheses of `key(..)`, which must not be empty.
    pub(crate) fn listed<T>(
        &self,
        input: ParseStream<'_>,
        read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> syn::Result<T> {
        if !input.peek(syn::token::Paren) {
            return self.refuse(input);
        }
        inside(input, |content| {
            if content.is_empty() {
                let (name, usage) = (self.name(), self.usage());
                return at(
                    &self.ident,
                    format_args!("`{name}()` is empty: write `{usage}`, or leave it out"),
                );
            }
            read(content)
        })
    }

    /// Checks an option that is a word without a value.
    pub(crate) fn alone(&self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        let name = self.name();
        at(value::rest(input), format_args!("`{name}` takes no value: write `{name}` alone"))
    }

    fn refuse<T>(&self, input: ParseStream<'_>) -> syn::Result<T> {
        if input.is_empty() || input.peek(Token![,]) {
            let name = self.name();
            return at(&self.ident, format_args!("`{name}` needs a value: `{}`", self.usage()));
        }
        at(&self.ident, format_args!("write `{}`", self.usage()))
    }

    /// Returns the error for a value of another kind.
    pub(crate) fn wrong<T>(&self, value: impl quote::ToTokens, takes: &str) -> syn::Result<T> {
        at(value, format_args!("`{}` takes {takes}: `{}`", self.name(), self.usage()))
    }
}

impl quote::ToTokens for Key {
    fn to_tokens(&self, out: &mut TokenStream) {
        self.ident.to_tokens(out);
    }
}

/// Parses the contents of parentheses, all of it or up to the first mistake.
pub(crate) fn inside<T>(
    input: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    parenthesized!(content in input);
    let result = read(&content);
    // The tokens after a mistake are skipped, since they are not mistakes of their own.
    let rest: TokenStream = content.parse()?;
    match result {
        Ok(_) if !rest.is_empty() => at(rest, "expected `)`"),
        result => result,
    }
}

/// Parses entries with commas between them; a wrong entry does not hide the next one.
pub(crate) fn list<T>(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<T>,
) -> Vec<T> {
    let mut out = Vec::new();
    while !input.is_empty() {
        match one(input, errors) {
            Ok(value) => {
                out.push(value);
                if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(input.error("expected `,`"));
                }
            }
            Err(error) => errors.push(error),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            // This cannot fail, since there is a token.
            drop(input.parse::<TokenTree>());
        }
        drop(input.parse::<Option<Token![,]>>());
    }
    out
}

/// Parses a path to an item, without generic arguments.
pub(crate) fn item_path(input: ParseStream<'_>, what: &str) -> syn::Result<Path> {
    let start = input.fork();
    let path = input.call(Path::parse_mod_style);
    let compares = input.peek(Token![<=]) || input.peek2(syn::Lit) || input.peek2(Token![-]);
    if input.peek(Token![<]) && !compares {
        return Err(input.error(format_args!("{what} takes no generic arguments")));
    }
    path.or_else(|_| {
        let tree: TokenTree = start.parse()?;
        at(tree, format_args!("expected the path of {what}"))
    })
}
