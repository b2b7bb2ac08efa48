//! Reads `#[ignore]` on an experiment, which rustc knows for `#[test]` alone.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token, parse_quote};

use crate::errors::Errors;
use crate::expand::option;

/// The `ignore` attributes of an experiment.
#[derive(Default)]
pub(crate) struct Ignore {
    /// The reasons, each with its condition from `#[cfg_attr(condition, ignore)]`.
    found: Vec<(Option<Meta>, LitStr)>,
}

impl Ignore {
    /// Removes the attributes from the function and reads them.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut ignore = Self::default();
        let mut kept = Vec::new();
        for attr in attrs.drain(..) {
            if let Some(reason) = reason(&attr.meta, errors) {
                ignore.found.push((None, reason));
            } else if let Some(rest) = ignore.conditional(&attr, errors) {
                kept.extend(rest);
            } else {
                kept.push(attr);
            }
        }
        *attrs = kept;
        ignore
    }

    /// Removes `ignore` from a `cfg_attr`; returns what remains of it.
    fn conditional(&mut self, attr: &Attribute, errors: &mut Errors) -> Option<Vec<Attribute>> {
        if !attr.path().is_ident("cfg_attr") {
            return None;
        }
        let metas = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
        let mut metas = metas.into_iter();
        let condition = metas.next()?;
        let (mut ours, mut rest) = (false, Vec::new());
        for meta in metas {
            if let Some(reason) = reason(&meta, errors) {
                self.found.push((Some(condition.clone()), reason));
                ours = true;
            } else {
                rest.push(meta);
            }
        }
        if !ours {
            return None;
        }
        let attr = (!rest.is_empty()).then(|| parse_quote!(#[cfg_attr(#condition, #(#rest),*)]));
        Some(attr.into_iter().collect())
    }

    /// Returns the value of the field of the record.
    pub(crate) fn to_tokens(&self) -> TokenStream {
        let mut tokens = option(None::<LitStr>);
        for (condition, reason) in self.found.iter().rev() {
            let some = option(Some(reason));
            tokens = match condition {
                None => some,
                Some(condition) => quote!(if ::core::cfg!(#condition) { #some } else { #tokens }),
            };
        }
        tokens
    }
}

/// Returns the reason of an `ignore`, empty when there is none.
fn reason(meta: &Meta, errors: &mut Errors) -> Option<LitStr> {
    if !meta.path().is_ident("ignore") {
        return None;
    }
    match meta {
        Meta::Path(path) => return Some(LitStr::new("", path.segments[0].ident.span())),
        Meta::NameValue(pair) => {
            if let Expr::Lit(ExprLit { lit: Lit::Str(reason), .. }) = &pair.value {
                return Some(reason.clone());
            }
        }
        Meta::List(_) => {}
    }
    errors.at(meta, "write `#[ignore]` or `#[ignore = \"reason\"]`");
    Some(LitStr::new("", proc_macro2::Span::call_site()))
}
