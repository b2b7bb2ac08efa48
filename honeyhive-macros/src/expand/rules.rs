//! Generates the rules of an experiment as constants, and the checks that need the evaluator
//! itself.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::uses::constant;
use super::{Root, option};
use crate::attr::gate::Comparison;
use crate::check::rules::{Checks, Of, Reducer, Requirement, Rule, Test};

fn comparison(root: &Root, comparison: Comparison) -> TokenStream {
    let p = root.private();
    match comparison {
        Comparison::AtLeast => quote!(#p::Comparison::AtLeast),
        Comparison::AtMost => quote!(#p::Comparison::AtMost),
    }
}

/// Returns a `RequireRule`.
pub(crate) fn requirement(root: &Root, rule: &Requirement) -> TokenStream {
    let p = root.private();
    let Requirement { text, evaluator, .. } = rule;
    let limit = option(rule.limit.map(|(side, limit)| {
        let side = comparison(root, side);
        quote!((#side, #limit))
    }));
    quote!(#p::RequireRule { evaluator: #evaluator, limit: #limit, text: #p::Cow::Borrowed(#text) })
}

/// Returns a `GateRule`.
pub(crate) fn gate(root: &Root, rule: &Rule) -> TokenStream {
    let p = root.private();
    let Rule { text, slice, min_n, of, test, .. } = rule;
    let coverage = option(rule.coverage.map(|share| quote!(#share)));
    let slice = option(slice.as_ref().map(|slice| quote!(#p::Cow::Borrowed(#slice))));
    let test = match (test, of) {
        (Test::Limit { mode, measure, comparison: side, limit }, _) => {
            let (mode, measure) = (format_ident!("{mode}"), format_ident!("{measure}"));
            let of = match of {
                Of::Evaluator(index) => quote!(Evaluator(#index)),
                Of::Latency => quote!(Latency),
                Of::Errors => quote!(Errors),
            };
            let side = comparison(root, *side);
            quote! {
                Limit {
                    mode: #p::Mode::#mode,
                    measure: #p::Measure::#measure,
                    of: #p::Of::#of,
                    comparison: #side,
                    limit: #limit,
                }
            }
        }
        (Test::Against { variant, margin, alpha, confirm }, Of::Evaluator(index)) => {
            let variant = format_ident!("{variant}");
            let margin = margin.map(|margin| quote!(margin: #margin,));
            let confirm = confirm.map(|attempts| quote!(confirm: #attempts,));
            quote!(#variant { evaluator: #index, alpha: #alpha, #margin #confirm })
        }
        // Such a rule is about an evaluator, or it was refused.
        (Test::Against { .. }, _) => return TokenStream::new(),
    };
    quote! {
        #p::GateRule {
            text: #p::Cow::Borrowed(#text),
            slice: #slice,
            min_n: #min_n,
            coverage: #coverage,
            test: #p::Test::#test,
        }
    }
}

/// Returns a `Reducer`.
pub(crate) fn reducer(root: &Root, reducer: &Reducer) -> TokenStream {
    let p = root.private();
    let variant = format_ident!("{}", reducer.variant);
    let count = reducer.count.map(|count| quote!((#count)));
    quote!(#p::Reducer::#variant #count)
}

/// Returns the checks of the evaluator of a rule that rustc makes, at the place in the rule.
pub(crate) fn checks(
    root: &Root,
    evaluator: usize,
    number: Option<f64>,
    checks: &Checks,
) -> TokenStream {
    let judge = checks.judge.as_ref().map(|place| {
        let span = place.span();
        let p = root.private_at(span);
        let used = constant(evaluator, span);
        quote_spanned!(span=> const _: () = #p::require_judge(#used.info);)
    });
    let limit = checks.limit.as_ref().zip(number).map(|(place, limit)| {
        let span = place.span();
        let p = root.private_at(span);
        let used = constant(evaluator, span);
        quote_spanned!(span=> const _: () = #p::require_limit(#used.info, #limit);)
    });
    let margin = checks.margin.as_ref().zip(number).map(|(place, margin)| {
        let span = place.span();
        let p = root.private_at(span);
        let used = constant(evaluator, span);
        quote_spanned!(span=> const _: () = #p::require_margin(#used.info, #margin);)
    });
    quote!(#judge #limit #margin)
}
