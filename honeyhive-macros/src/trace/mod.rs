//! Expands `#[trace]`, from tokens to tokens.
//!
//! Unlike the other two attributes it can be used on any function, requires nothing of its types,
//! and changes its body instead of adding items beside it.

mod body;
mod options;
#[cfg(test)]
mod tests;
mod types;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, FnArg, Pat};

use crate::errors::Errors;
use crate::experiment::given_back;
use crate::item::{Function, Item, read};
use crate::params::{conditional, last_segment, plain};
use crate::{suggest, text};
use options::Options;

/// Expands the macro; returns the item and the mistakes where there are any.
pub(crate) fn trace(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut function = match read(item.clone()) {
        Ok(Item::Function(function)) => function,
        Ok(Item::Other(keyword, what)) => {
            let text = format!("`#[trace]` goes on a function, and this is {what}");
            let holds_functions = matches!(what, "an impl block" | "a trait" | "a module");
            let hint = if holds_functions { "; put it on the functions in it" } else { "" };
            errors.at(keyword, format_args!("{text}{hint}"));
            return given_back(item, errors);
        }
        Err(error) => {
            match semicolon(item.clone()) {
                Some(end) => errors.at(
                    end,
                    "this function has no body to trace; put `#[trace]` where it is implemented",
                ),
                None => errors.push(error),
            }
            return given_back(item, errors);
        }
    };
    let options = Options::read(attribute, &mut errors);
    let parameters = parameters(&function);
    check_skipped(&function, &parameters, &options, &mut errors);
    check_function(&mut function, &mut errors);
    if !errors.is_empty() {
        return given_back(function, errors);
    }
    let body = body::expand(&function, &parameters, &options);
    function.with_body(body).into_token_stream()
}

/// Returns the `;` that stands where a body should be.
fn semicolon(item: TokenStream) -> Option<TokenTree> {
    item.into_iter()
        .last()
        .filter(|last| matches!(last, TokenTree::Punct(punct) if punct.as_char() == ';'))
}

/// A name that a call binds to an argument, or to a part of it.
struct Parameter {
    ident: Ident,
    /// The name without one leading `_` and without `r#`.
    name: String,
    /// The `cfg`s of the parameter, which decide whether it exists at all.
    cfgs: Vec<Attribute>,
    /// Set when the parameter is a tracer, which is not recorded itself.
    is_tracer: bool,
}

fn parameters(function: &Function) -> Vec<Parameter> {
    let mut found = Vec::new();
    for argument in &function.sig.inputs {
        let FnArg::Typed(typed) = argument else { continue };
        let cfgs: Vec<Attribute> =
            typed.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        let ty = match plain(&typed.ty) {
            syn::Type::Reference(reference) => &reference.elem,
            _ => &typed.ty,
        };
        let is_tracer = last_segment(ty).is_some_and(|last| last == "Tracer");
        bound(&typed.pat, &mut |ident| {
            let name = text::unraw(ident);
            let name = name.strip_prefix('_').filter(|n| !n.is_empty()).unwrap_or(&name);
            found.push(Parameter {
                ident: ident.clone(),
                name: name.to_owned(),
                cfgs: cfgs.clone(),
                is_tracer,
            });
        });
    }
    found
}

/// Calls `note` with the names that a pattern of a parameter binds.
fn bound(pattern: &Pat, note: &mut impl FnMut(&Ident)) {
    match pattern {
        Pat::Ident(name) => {
            note(&name.ident);
            if let Some((_, inner)) = &name.subpat {
                bound(inner, note);
            }
        }
        Pat::Paren(inner) => bound(&inner.pat, note),
        Pat::Reference(inner) => bound(&inner.pat, note),
        Pat::Slice(all) => all.elems.iter().for_each(|each| bound(each, note)),
        Pat::Struct(all) => all.fields.iter().for_each(|field| bound(&field.pat, note)),
        Pat::Tuple(all) => all.elems.iter().for_each(|each| bound(each, note)),
        Pat::TupleStruct(all) => all.elems.iter().for_each(|each| bound(each, note)),
        // The other patterns bind nothing, or the same names as their first alternative.
        Pat::Or(all) => all.cases.iter().take(1).for_each(|each| bound(each, note)),
        _ => {}
    }
}

fn check_skipped(
    function: &Function,
    parameters: &[Parameter],
    options: &Options,
    errors: &mut Errors,
) {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for (i, skipped) in options.skip.iter().enumerate() {
        let name = text::unraw(skipped);
        if options.skip[..i].contains(skipped) {
            errors.at(skipped, format_args!("`{name}` is skipped twice"));
        }
        let is_receiver = name == "self" && function.sig.receiver().is_some();
        if is_receiver || parameters.iter().any(|parameter| parameter.is(skipped)) {
            continue;
        }
        let hint = match suggest::closest(&name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "it has none that could be skipped".to_owned(),
            None => format!("it has {}", suggest::quoted(&names)),
        };
        errors.at(skipped, format_args!("the function has no parameter `{name}`; {hint}"));
    }
}

impl Parameter {
    /// Returns whether a name in `skip` means this parameter: as it is written, or as it is
    /// recorded.
    fn is(&self, named: &Ident) -> bool {
        self.ident == *named || self.name == text::unraw(named)
    }
}

fn check_function(function: &mut Function, errors: &mut Errors) {
    if let Some(token) = &function.sig.constness {
        errors.at(
            token,
            "a `const fn` may run in the compiler, where nothing can be traced; remove `const`, or trace its caller",
        );
    }
    function.attrs.retain(|attr| {
        let inside = conditional(attr).unwrap_or_else(|| vec![attr.meta.clone()]);
        let again = inside.iter().any(|meta| is_trace(meta.path()));
        if again {
            errors.at(attr, "`#[trace]` is given twice");
        }
        !again
    });
}

/// Returns whether an attribute is ours, and not one of this name from elsewhere.
fn is_trace(path: &syn::Path) -> bool {
    path.is_ident("trace")
        || (path.segments.len() == 2
            && path.segments[0].ident == "honeyhive_harness"
            && path.segments[1].ident == "trace")
}
