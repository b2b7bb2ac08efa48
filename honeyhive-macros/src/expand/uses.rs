//! Generates the uses of evaluators in an experiment.
//!
//! Each evaluator is imported under a name that says what is missing when it is not one: rustc then
//! prints "expected type, found function `f_needs_the_attribute_evaluator`" at the user's token.
//! The import stands inside the block of the one that uses it, so that `self::`, `super::`,
//! `crate::` and functions of the same body resolve as they do beside the experiment.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{Root, generated};
use crate::attr::uses::Use;
use crate::text;

/// Returns the constant that holds the evaluator at this place of the list, as a token at `place`.
pub(crate) fn constant(index: usize, place: Span) -> Ident {
    Ident::new(&format!("__HH_EVALUATOR_{index}"), place)
}

/// Returns the constant for one evaluator.
pub(crate) fn expand(root: &Root, index: usize, used: &Use, reducer: &TokenStream) -> TokenStream {
    let span = used.last().span();
    let p = root.private_at(span);
    let constant = constant(index, span);
    let path = &used.path;
    let import =
        format_ident!("{}_needs_the_attribute_evaluator", text::unraw(used.last()), span = span);
    // Rustc looks for names of similar spelling only where a value is expected.
    let spelling = used
        .path
        .get_ident()
        .map(|name| quote_spanned!(generated(span)=> const _: fn() = || { let _ = #name; };));
    let name = used.alias.as_ref().map_or_else(
        || quote_spanned!(span=> <__HhCompanion as #p::Companion>::INFO.name),
        |alias| text::unraw(alias).to_token_stream(),
    );
    let make = make(root, used, span);
    let settings: Vec<String> = used
        .settings
        .iter()
        .map(|(name, value)| format!("{} = {}", text::unraw(name), text::of_expr(value)))
        .collect();
    let settings = settings.join(", ");
    quote_spanned! {span=>
        const #constant: #p::EvaluatorUse = {
            use #path as #import;
            type __HhCompanion = #import;
            type __HhSettings = <__HhCompanion as #p::Companion>::Settings;
            #spelling
            #make
            #p::EvaluatorUse {
                name: #name,
                settings: #settings,
                info: &<__HhCompanion as #p::Companion>::INFO,
                reduce: #reducer,
                make: __HH_MAKE,
            }
        };
    }
}

/// Returns the function that builds the evaluator, and the check that no setting is missing.
///
/// The check names the function: when a setting is misspelt there, rustc does not evaluate the
/// check, and so does not report a setting as missing that is only misspelt.
fn make(root: &Root, used: &Use, span: Span) -> TokenStream {
    let p = root.private_at(span);
    let filled = Ident::new("__hh_settings", span);
    let given = used.settings.iter().map(|(name, _)| text::unraw(name));
    let assignments = used.settings.iter().map(|(name, value)| {
        // A block of its own makes rustc compare the types at the value alone.
        let value = quote_spanned!(generated(name.span())=> { #value });
        quote_spanned!(name.span()=> #filled.#name = ::core::option::Option::Some(#value);)
    });
    let mutable = (!used.settings.is_empty()).then(|| quote!(mut));
    let empty = quote_spanned!(span=> <__HhSettings as ::core::default::Default>::default());
    let start = quote_spanned!(generated(span)=> let #mutable #filled = #empty;);
    quote_spanned! {span=>
        const __HH_MAKE: fn() -> #p::Arc<dyn #p::Evaluator> = || {
            #start
            #(#assignments)*
            #p::Arc::new(<__HhCompanion as #p::Companion>::from_settings(#filled))
        };
        const _: () = {
            let _ = __HH_MAKE;
            #p::require_settings(<__HhCompanion as #p::Companion>::REQUIRED, &[#(#given),*]);
        };
    }
}

/// Returns the check that no two evaluators report under one name.
///
/// The names are compared once, in a hash table, since comparing thousands of them in pairs would
/// take too long; each evaluator then checks whether it is the second of a name, so that the error
/// is at its place.
pub(crate) fn distinct(root: &Root, uses: &[Use]) -> TokenStream {
    if uses.len() < 2 {
        return TokenStream::new();
    }
    let p = root.private();
    let slots = (2 * uses.len()).next_power_of_two();
    let twin = Ident::new("__HH_TWIN", Span::mixed_site());
    let names = (0..uses.len()).map(|index| {
        let used = constant(index, Span::mixed_site());
        quote!(#used.name)
    });
    let checks = uses.iter().enumerate().skip(1).map(|(index, used)| {
        let span = used.alias.as_ref().unwrap_or_else(|| used.last()).span();
        let p = root.private_at(span);
        let twin = Ident::new("__HH_TWIN", span);
        quote_spanned!(span=> const _: () = #p::require_distinct(#twin, #index);)
    });
    quote! {
        const #twin: ::core::option::Option<usize> = #p::twin::<#slots>(&[#(#names),*]);
        #(#checks)*
    }
}
