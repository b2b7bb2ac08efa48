//! The rules of an experiment as constants, and the checks that need the evaluator itself.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::uses::constant;
use super::{Root, option};
use crate::attr::gate::Comparison;
use crate::check::rules::{Checks, Of, Requirement, Rule};

fn comparison(root: &Root, comparison: Comparison) -> TokenStream {
    let p = root.private();
    match comparison {
        Comparison::AtLeast => quote!(#p::Comparison::AtLeast),
        Comparison::AtMost => quote!(#p::Comparison::AtMost),
    }
}

/// A `RequireRule`.
pub(crate) fn requirement(root: &Root, rule: &Requirement) -> TokenStream {
    let p = root.private();
    let Requirement { text, evaluator, .. } = rule;
    let limit = option(rule.limit.map(|(side, limit)| {
        let side = comparison(root, side);
        quote!((#side, #limit))
    }));
    quote!(#p::RequireRule { evaluator: #evaluator, limit: #limit, text: #text })
}

/// A `GateRule`.
pub(crate) fn gate(root: &Root, rule: &Rule) -> TokenStream {
    let p = root.private();
    let Rule { text, slice, limit, .. } = rule;
    let mode = format_ident!("{}", rule.mode);
    let measure = format_ident!("{}", rule.measure);
    let of = match rule.of {
        Of::Evaluator(index) => quote!(Evaluator(#index)),
        Of::Latency => quote!(Latency),
        Of::Errors => quote!(Errors),
    };
    let slice = option(slice.as_ref());
    let side = comparison(root, rule.comparison);
    quote! {
        #p::GateRule {
            text: #text,
            mode: #p::Mode::#mode,
            measure: #p::Measure::#measure,
            of: #p::Of::#of,
            slice: #slice,
            comparison: #side,
            limit: #limit,
        }
    }
}

/// What rustc checks of the evaluator of a rule, at the place in the rule.
pub(crate) fn checks(
    root: &Root,
    evaluator: usize,
    limit: Option<f64>,
    checks: &Checks,
) -> TokenStream {
    let judge = checks.judge.as_ref().map(|place| {
        let span = place.span();
        let p = root.private_at(span);
        let used = constant(evaluator, span);
        quote_spanned!(span=> const _: () = #p::require_judge(#used.info);)
    });
    let limit = checks.limit.as_ref().zip(limit).map(|(place, limit)| {
        let span = place.span();
        let p = root.private_at(span);
        let used = constant(evaluator, span);
        quote_spanned!(span=> const _: () = #p::require_limit(#used.info, #limit);)
    });
    quote!(#judge #limit)
}
