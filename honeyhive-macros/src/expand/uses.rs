//! The evaluators of an experiment.
//!
//! Each is imported under a name that says what is missing when it is no evaluator: rustc then
//! prints "expected type, found function `f_needs_the_attribute_evaluator`" at the user's token.
//! The import stands inside the block of the one that uses it, so that `self::`, `super::`,
//! `crate::` and functions of the same body resolve as they do beside the experiment.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::Root;
use super::arguments::local;
use crate::attr::uses::Use;
use crate::text;

/// The constant that holds the evaluator at this place of the list.
pub(crate) fn constant(index: usize) -> Ident {
    format_ident!("__HH_EVALUATOR_{index}", span = Span::mixed_site())
}

/// The constant for one evaluator.
pub(crate) fn expand(root: &Root, index: usize, used: &Use) -> TokenStream {
    let span = used.last().span();
    let p = root.private_at(span);
    let constant = constant(index);
    let path = &used.path;
    let import =
        format_ident!("{}_needs_the_attribute_evaluator", text::unraw(used.last()), span = span);
    let name = match &used.alias {
        Some(alias) => {
            let alias = text::unraw(alias);
            quote!(#alias)
        }
        None => quote_spanned!(span=> <__HhCompanion as #p::Companion>::INFO.name),
    };
    let settings: Vec<String> = used
        .settings
        .iter()
        .map(|(name, value)| format!("{} = {}", text::unraw(name), text::of_expr(value)))
        .collect();
    let settings = settings.join(", ");
    let given = used.settings.iter().map(|(name, _)| text::unraw(name));
    let filled = local("__hh_settings");
    let assignments = used.settings.iter().map(|(name, value)| {
        // A block of its own makes rustc compare the types at the value alone.
        let value_span = Span::mixed_site().located_at(name.span());
        let value = quote_spanned!(value_span=> { #value });
        quote_spanned!(name.span()=> #filled.#name = ::core::option::Option::Some(#value);)
    });
    let mutable = (!used.settings.is_empty()).then(|| quote!(mut));
    let generated = Span::mixed_site().located_at(span);
    let start = quote_spanned! {generated=>
        let #mutable #filled = <__HhSettings as ::core::default::Default>::default();
    };
    quote_spanned! {span=>
        const #constant: #p::EvaluatorUse = {
            use #path as #import;
            type __HhCompanion = #import;
            type __HhSettings = <__HhCompanion as #p::Companion>::Settings;
            const _: () = #p::require_settings(
                <__HhCompanion as #p::Companion>::REQUIRED,
                &[#(#given),*],
            );
            fn __hh_make() -> #p::Arc<dyn #p::Evaluator> {
                #start
                #(#assignments)*
                #p::Arc::new(<__HhCompanion as #p::Companion>::from_settings(#filled))
            }
            #p::EvaluatorUse {
                name: #name,
                settings: #settings,
                info: &<__HhCompanion as #p::Companion>::INFO,
                make: __hh_make,
            }
        };
    }
}

/// The check that no two evaluators report under one name.
pub(crate) fn distinct(root: &Root, uses: &[Use]) -> TokenStream {
    let mut pairs = Vec::new();
    for (later, used) in uses.iter().enumerate() {
        let span = used.alias.as_ref().unwrap_or_else(|| used.last()).span();
        let p = root.private_at(span);
        let this = constant(later);
        for earlier in 0..later {
            let other = constant(earlier);
            pairs.push(quote_spanned! {span=>
                #p::require_distinct(&[#other.name, #this.name]);
            });
        }
    }
    if pairs.is_empty() { TokenStream::new() } else { quote!(const _: () = { #(#pairs)* };) }
}
