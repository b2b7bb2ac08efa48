//! Checks the function under the attribute: whether the harness can call it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericParam, Path, ReturnType, Safety, Signature, Type, TypeParamBound};

use crate::errors::Errors;
use crate::item::Function;
use crate::params::{Parameter, conditional, last_segment, option, plain};
use crate::text;

/// Checks the requirements that both attributes have for a function.
pub(crate) fn check(function: &Function, attribute: &str, errors: &mut Errors) {
    let sig = &function.sig;
    qualifiers(sig, attribute, errors);
    generics(sig, attribute, errors);
    if let Some(method) = method(sig) {
        errors.at(
            method,
            format_args!("`#[{attribute}]` goes on a free function, outside of `impl`; write one that calls this"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "a variadic function cannot be called by the harness");
    }
    returned(sig, errors);
}

/// Returns the tokens that show that the function belongs to an impl block.
///
/// An associated function without `self` looks like any other, unless its signature says `Self`.
pub(crate) fn method(sig: &Signature) -> Option<TokenStream> {
    sig.receiver().map(ToTokens::to_token_stream).or_else(|| {
        find(
            sig.to_token_stream(),
            |trees| matches!(trees, [TokenTree::Ident(word), ..] if word == "Self"),
        )
        .map(|(word, _)| word.into())
    })
}

/// Reports attributes that cannot stand below ours. Returns whether there are any.
///
/// They are removed, so that they do not add mistakes of their own; but an evaluator below an
/// experiment stays one, as others may use it.
pub(crate) fn other_attributes(
    function: &mut Function,
    attribute: &str,
    errors: &mut Errors,
) -> bool {
    let mut found = false;
    function.attrs.retain(|attr| {
        let inside = conditional(attr).unwrap_or_else(|| vec![attr.meta.clone()]);
        let wrong = inside.iter().find_map(|meta| conflict(meta.path(), attribute));
        if let Some(text) = &wrong {
            errors.at(attr, text);
        }
        found |= wrong.is_some();
        wrong.is_none() || (attribute == "experiment" && attr.path().is_ident("evaluator"))
    });
    found
}

fn conflict(other: &Path, attribute: &str) -> Option<String> {
    match other.segments.last()?.ident.to_string().as_str() {
        "test" => Some(format!(
            "remove this: `#[{attribute}]` makes its own test cases, and async functions get their runtime"
        )),
        twice if twice == attribute => Some(format!("`#[{attribute}]` is given twice")),
        "experiment" | "evaluator" => Some(
            "a function is an experiment or an evaluator, not both; let one call the other"
                .to_owned(),
        ),
        _ => None,
    }
}

fn qualifiers(sig: &Signature, attribute: &str, errors: &mut Errors) {
    if let Some(token) = &sig.constness {
        errors.at(token, format_args!("`#[{attribute}]` goes on a function without `const`"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "the harness calls only safe functions; wrap the unsafe part in one that upholds its conditions",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, format_args!("`#[{attribute}]` goes on a function without `extern`"));
    }
}

fn generics(sig: &Signature, attribute: &str, errors: &mut Errors) {
    for param in &sig.generics.params {
        match param {
            GenericParam::Type(param) => errors.at(
                &param.ident,
                format_args!(
                    "`#[{attribute}]` needs to know the types; replace `{}` by a concrete type",
                    param.ident
                ),
            ),
            GenericParam::Const(param) => errors.at(
                &param.ident,
                format_args!(
                    "`#[{attribute}]` needs to know the values; replace `{}` by a constant",
                    param.ident
                ),
            ),
            GenericParam::Lifetime(param) => errors.at(
                &param.lifetime,
                "leave out the lifetime: arguments live as long as the call, so `&str` is enough",
            ),
        }
    }
}

fn returned(sig: &Signature, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &sig.output else { return };
    match plain(ty) {
        Type::Never(never) => {
            errors.at(never, "a function that never returns has nothing to score");
        }
        Type::ImplTrait(it) => {
            let is_future = it.bounds.iter().any(|bound| match bound {
                TypeParamBound::Trait(bound) => {
                    bound.path.segments.last().is_some_and(|last| last.ident == "Future")
                }
                _ => false,
            });
            errors.at(
                it,
                if is_future {
                    "write `async fn` instead of returning `impl Future`"
                } else {
                    "name a concrete return type, such as `Vec<String>`"
                },
            );
        }
        _ => {}
    }
}

/// Checks a type whose value is read from a datapoint, or kept as a setting.
pub(crate) fn parameter_type(parameter: &Parameter, is_setting: bool, errors: &mut Errors) {
    let ty = plain(&parameter.ty);
    if let Type::ImplTrait(it) = ty {
        return errors.at(it, "name a concrete type instead of `impl`");
    }
    if is_setting {
        if let Some((borrow, _)) = find(ty.to_token_stream(), exclusive) {
            errors.at(borrow, "a setting is shared by all cases and cannot be `&mut`");
        }
        return;
    }
    let inner = plain(option(ty).unwrap_or(ty));
    let target = match inner {
        Type::Reference(reference) => &reference.elem,
        other => other,
    };
    if parameter.input.is_none() && last_segment(target).is_some_and(|last| last == "Datapoint") {
        return errors.at(
            ty,
            "`Datapoint` is the row itself, and a parameter reads a part of it: an input by its name, or `inputs`, `metadata` or `history` as a whole; an input of such a type is taken by `#[input(\"name\")]`",
        );
    }
    let Type::Reference(reference) = inner else { return nested(inner, errors) };
    let shown = text::of_type(&reference.elem);
    if reference.mutability.is_some() {
        return errors.at(
            ty,
            format_args!(
                "arguments are read-only: take `&{shown}`, or `{}` by value",
                owned(&reference.elem)
            ),
        );
    }
    if let Some(lifetime) =
        reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
    {
        return errors
            .at(lifetime, format_args!("arguments live as long as the call: write `&{shown}`"));
    }
    match plain(&reference.elem) {
        Type::TraitObject(object) => {
            errors
                .at(object, "a trait object cannot be read from a datapoint; name a concrete type");
        }
        Type::Slice(slice) => nested(&slice.elem, errors),
        target => nested(target, errors),
    }
}

/// Reports nested references: references can be read only where a whole argument is one.
fn nested(ty: &Type, errors: &mut Errors) {
    if let Some((borrow, after)) = find(ty.to_token_stream(), |trees| match trees {
        [TokenTree::Punct(punct), ..] => punct.as_char() == '&',
        _ => false,
    }) {
        let hint = if after == "str" { "`String`" } else { "an owned type" };
        errors.at(
            borrow,
            format_args!("only an argument as a whole can be a reference; write {hint} here"),
        );
    }
}

/// Returns the owned type that people would use for a borrowed one.
fn owned(ty: &Type) -> String {
    match text::of_type(ty).as_str() {
        "str" => "String".to_owned(),
        other => match ty {
            Type::Slice(slice) => format!("Vec<{}>", text::of_type(&slice.elem)),
            _ => other.to_owned(),
        },
    }
}

fn exclusive(trees: &[TokenTree]) -> bool {
    matches!(trees, [TokenTree::Punct(punct), TokenTree::Ident(word), ..]
        if punct.as_char() == '&' && word == "mut")
}

/// Finds the first place for which `looks` holds, and the text of the token after it.
fn find(tokens: TokenStream, looks: fn(&[TokenTree]) -> bool) -> Option<(TokenTree, String)> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees.iter().enumerate().find_map(|(i, tree)| {
        if looks(&trees[i..]) {
            let after = trees.get(i + 1).map(ToString::to_string).unwrap_or_default();
            return Some((tree.clone(), after));
        }
        match tree {
            TokenTree::Group(group) => find(group.stream(), looks),
            _ => None,
        }
    })
}
