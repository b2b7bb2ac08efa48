//! Tests the macros from tokens to tokens, as far as no compiler is needed.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{evaluator::evaluator, experiment::experiment};

fn count(expansion: &TokenStream, text: &str) -> usize {
    expansion.to_string().matches(text).count()
}

#[test]
fn the_function_comes_first_and_without_our_attributes() {
    let item = quote! {
        /// Greets.
        #[must_use]
        #[ignore]
        pub async fn greet(#[input("the-name")] name: &str) -> String { name.into() }
    };
    let out = experiment(quote!(dataset = "data.jsonl", smoke), item).to_string();
    let function = quote! {
        /// Greets.
        #[must_use]
        pub async fn greet(name: &str) -> String { name.into() }
    };
    assert!(out.starts_with(&function.to_string()), "{out}");
    assert_eq!(out.matches("inventory :: submit !").count(), 1);
}

#[test]
fn a_mistake_registers_nothing_and_keeps_the_item() {
    let item = quote! { fn greet(#[input("the-name")] name: &str, _: u8) {} };
    let out = experiment(quote!(dataset = "data.txt", repeats = 0, smoke), item);
    assert!(out.to_string().starts_with(&quote! { fn greet(name: &str, _: u8) {} }.to_string()));
    assert_eq!((count(&out, "compile_error"), count(&out, "submit")), (3, 0));
}

#[test]
fn what_is_no_function_is_given_back_as_it_was() {
    let item = quote! { struct Bot { #[input("x")] name: String } };
    for out in [experiment(quote!(), item.clone()), evaluator(quote!(), item.clone())] {
        assert!(out.to_string().starts_with(&item.to_string()));
        assert_eq!(count(&out, "compile_error"), 1);
    }
}

#[test]
fn a_broken_evaluator_can_still_be_used() {
    let item = quote! { fn good(outputs: &str, #[setting] min: u8) -> bool { true } };
    let out = evaluator(quote!(), item);
    assert_eq!(count(&out, "compile_error"), 1);
    assert_eq!((count(&out, "struct good {"), count(&out, "struct good_settings {")), (1, 1));
}

#[test]
fn conditions_are_copied() {
    let item = quote! { #[cfg(unix)] fn good(output: &str) -> bool { true } };
    assert_eq!(count(&evaluator(quote!(), item), "# [cfg (unix)]"), 3);
    let item = quote! { #[cfg(unix)] fn greet() {} };
    assert_eq!(count(&experiment(quote!(dataset = rows, smoke), item), "# [cfg (unix)]"), 2);
}
