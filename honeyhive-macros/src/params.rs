//! Reads parameters: their names, the attributes on them, and how to make a value of their type.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, GenericArgument, LitStr, Meta, Pat, PathArguments, Type};

use crate::errors::Errors;
use crate::item::Function;
use crate::text;

/// A parameter as the user wrote it.
pub(crate) struct Parameter {
    /// The identifier as it stands in the source.
    pub(crate) ident: Ident,
    /// The name without one leading `_` and without `r#`.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// The key in `#[input("key")]`.
    pub(crate) input: Option<LitStr>,
    /// The place of `#[setting]`.
    pub(crate) setting: Option<Span>,
}

/// Returns the parameters of the function, and removes our attributes from them.
///
/// Patterns and receivers are reported here, since nothing else can be checked about them.
pub(crate) fn take(function: &mut Function, errors: &mut Errors) -> Vec<Parameter> {
    let marks: Vec<Marks> =
        function.parameter_attrs().map(|attrs| Marks::take(attrs, errors)).collect();
    let mut parameters = Vec::new();
    for (argument, marks) in function.sig.inputs.iter().zip(marks) {
        let FnArg::Typed(typed) = argument else { continue };
        match &*typed.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                let name = text::unraw(&pat.ident);
                parameters.push(Parameter {
                    ident: pat.ident.clone(),
                    name: name
                        .strip_prefix('_')
                        .filter(|n| !n.is_empty())
                        .unwrap_or(&name)
                        .to_owned(),
                    ty: (*typed.ty).clone(),
                    input: marks.input,
                    setting: marks.setting,
                });
            }
            Pat::Wild(wild) => errors.at(
                wild,
                "this parameter needs a name: values are found by it (`_name` is read as `name`)",
            ),
            pat => errors.at(
                pat,
                "a parameter must be a plain name, as values are found by it; \
                 take the pattern apart inside the function",
            ),
        }
    }
    parameters
}

/// The attributes of ours on one parameter.
#[derive(Default)]
struct Marks {
    input: Option<LitStr>,
    setting: Option<Span>,
}

impl Marks {
    fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut marks = Self::default();
        attrs.retain(|attr| match conditional(attr) {
            Some(metas) => {
                // A user who switches the macro on by `cfg_attr` does so for its helper attributes,
                // too.
                let ours: Vec<bool> = metas.iter().map(|meta| marks.note(meta, errors)).collect();
                !ours.contains(&true)
            }
            None if attr.path().is_ident("cfg") => {
                errors.at(
                    attr,
                    "`#[cfg]` on a parameter is not supported here; put it on the function",
                );
                true
            }
            None => !marks.note(&attr.meta, errors),
        });
        if let (Some(input), Some(_)) = (&marks.input, marks.setting) {
            errors.at(input, "a setting comes from `evaluators(..)`, not from the inputs");
        }
        marks
    }

    /// Notes one of our attributes; returns `false` for any other attribute.
    fn note(&mut self, meta: &Meta, errors: &mut Errors) -> bool {
        if meta.path().is_ident("input") {
            let key = match meta {
                Meta::List(list) => syn::parse2::<LitStr>(list.tokens.clone()).ok(),
                Meta::NameValue(_) | Meta::Path(_) => None,
            };
            match key {
                None => errors.at(meta, "write the key of the input: `#[input(\"key\")]`"),
                Some(key) if key.value().is_empty() => {
                    errors.at(key, "the key of an input is not empty");
                }
                Some(key) if self.input.is_some() => {
                    errors.at(key, "`#[input(..)]` is given twice");
                }
                Some(key) => self.input = Some(key),
            }
            return true;
        }
        if meta.path().is_ident("setting") {
            if let Meta::Path(_) = meta {
                if self.setting.is_some() {
                    errors.at(meta, "`#[setting]` is given twice");
                }
            } else {
                errors.at(
                    meta,
                    "`#[setting]` takes no value; for a default, write `settings(name = ..)` in `#[evaluator(..)]`",
                );
            }
            self.setting = Some(meta.span());
            return true;
        }
        false
    }
}

/// Returns the attributes inside a `cfg_attr`; `None` for any other attribute.
pub(crate) fn conditional(attr: &Attribute) -> Option<Vec<Meta>> {
    if !attr.path().is_ident("cfg_attr") {
        return None;
    }
    let parse = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let metas = attr.parse_args_with(parse).ok()?;
    Some(metas.into_iter().skip(1).collect())
}

/// The way in which an argument is made from a value that was read.
pub(crate) struct Reading {
    /// The type to read: owned, without `Option`.
    pub(crate) owned: TokenStream,
    /// Set when the parameter is an `Option`.
    pub(crate) optional: bool,
    /// The way in which the parameter borrows from the value that was read, if it does.
    borrows: Option<Borrow>,
}

#[derive(Clone, Copy, PartialEq)]
enum Borrow {
    /// The parameter is a `&str` of a `String` or the like.
    Deref,
    /// The parameter is a `&T` of a `T`.
    Whole,
}

impl Reading {
    /// Returns how to read this type.
    pub(crate) fn of(ty: &Type) -> Self {
        let (inner, optional) = option(ty).map_or((ty, false), |inner| (inner, true));
        let Type::Reference(reference) = plain(inner) else {
            return Self { owned: inner.to_token_stream(), optional, borrows: None };
        };
        let target = plain(&reference.elem);
        // The tokens stand at the place of the type, where rustc reports that it cannot be read.
        let span = inner.span();
        let (owned, borrow) = match target {
            Type::Slice(slice) => {
                let item = &slice.elem;
                (quote_spanned!(span=> ::std::vec::Vec<#item>), Borrow::Deref)
            }
            Type::Path(path) if path.qself.is_none() && path.path.is_ident("str") => {
                (quote_spanned!(span=> ::std::string::String), Borrow::Deref)
            }
            Type::Path(_) if last_segment(target).is_some_and(|last| last == "Path") => {
                (quote_spanned!(span=> ::std::path::PathBuf), Borrow::Deref)
            }
            other => (other.to_token_stream(), Borrow::Whole),
        };
        Self { owned, optional, borrows: Some(borrow) }
    }

    /// Returns the argument, made from the local that holds the value that was read.
    pub(crate) fn argument(&self, local: &Ident) -> TokenStream {
        match (self.borrows, self.optional) {
            (None, _) => quote!(#local),
            (Some(_), false) => quote!(&#local),
            (Some(Borrow::Deref), true) => quote!(#local.as_deref()),
            (Some(Borrow::Whole), true) => quote!(#local.as_ref()),
        }
    }
}

/// Returns the type without the groups and parentheses that `macro_rules` puts around it.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        _ => ty,
    }
}

/// Returns the last name of a path type.
pub(crate) fn last_segment(ty: &Type) -> Option<&Ident> {
    match plain(ty) {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// Returns the `T` of an `Option<T>`.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    arguments(ty, "Option").and_then(|mut all| all.next())
}

/// Returns the type arguments of a path that ends in this name.
pub(crate) fn arguments<'a>(
    ty: &'a Type,
    name: &str,
) -> Option<impl Iterator<Item = &'a Type> + use<'a>> {
    let Type::Path(path) = plain(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else { return None };
    Some(generic.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }))
}

/// Returns the type with `'static` on every reference, since settings are kept for the whole run.
pub(crate) fn made_static(tokens: TokenStream) -> TokenStream {
    let mut out = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    let mut in_function = false;
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) if !in_function => {
                let mut inner =
                    proc_macro2::Group::new(group.delimiter(), made_static(group.stream()));
                inner.set_span(group.span());
                out.push(inner.into());
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                let lifetime = syn::Lifetime::new("'static", punct.span());
                out.push(punct.into());
                if matches!(trees.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'') {
                    trees.next();
                    trees.next();
                }
                out.extend(quote!(#lifetime));
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => match trees.next() {
                Some(TokenTree::Ident(name)) if name == "_" => {
                    out.extend(syn::Lifetime::new("'static", name.span()).into_token_stream());
                }
                name => out.extend([Some(punct.into()), name].into_iter().flatten()),
            },
            TokenTree::Ident(ident) => {
                // The lifetimes of the arguments of a function type are left as they are.
                in_function =
                    matches!(ident.to_string().as_str(), "fn" | "Fn" | "FnMut" | "FnOnce");
                out.push(ident.into());
                continue;
            }
            other => out.push(other),
        }
        in_function = false;
    }
    out.into_iter().collect()
}
