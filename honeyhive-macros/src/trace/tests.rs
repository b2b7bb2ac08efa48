//! Tests the macro from tokens to tokens, as far as no compiler is needed.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ReturnType;

use super::options::Options;
use super::trace;
use super::types::Returned;
use crate::errors::Errors;

fn options(attribute: &str) -> (Options, Vec<String>) {
    let mut errors = Errors::default();
    let tokens: TokenStream = attribute.parse().unwrap();
    let options = Options::read(tokens, &mut errors);
    (options, errors.texts())
}

#[test]
fn everything_is_read() {
    let (options, errors) = options(
        r#"event_type = "chain", name = "a b", skip(x, r#type,), skip(self), crate = ::hh"#,
    );
    assert_eq!(errors, ["`skip` is given twice"]);
    assert_eq!(options.event_type.map(|given| given.value()).as_deref(), Some("chain"));
    assert_eq!(options.name.map(|given| given.value()).as_deref(), Some("a b"));
    assert_eq!(options.skip, ["x", "r#type", "self"]);
    assert!(options.root.is_some());
}

#[test]
fn every_mistake_is_told() {
    for (attribute, wanted) in [
        ("event_type", "`event_type` needs a value: `event_type = \"model\"`"),
        ("event_type =", "`event_type` needs a value: `event_type = \"model\"`"),
        ("event_type = model", "`event_type` takes a string: `event_type = \"model\"`"),
        ("event_type = \"modle\"", "unknown event type `modle`; did you mean `model`?"),
        (
            "event_type = \"LLM\"",
            "unknown event type `LLM`; the event types are `model`, `tool`, `chain`",
        ),
        ("event_typ = \"model\"", "unknown option `event_typ`; did you mean `event_type`?"),
        (
            "level = 3",
            "unknown option `level`; the options are `event_type`, `name`, `skip`, `crate`",
        ),
        ("name = \" \"", "`name` is empty: write `name = \"ask the model\"`"),
        ("skip", "`skip` needs a value: `skip(argument)`"),
        ("skip()", "`skip()` is empty: write `skip(argument)`, or leave it out"),
        ("skip = \"x\"", "write `skip(argument)`"),
        ("skip(\"x\")", "`skip` takes the names of parameters: `skip(argument)`"),
        ("\"model\"", "expected an option, such as `event_type = \"model\"`"),
    ] {
        assert_eq!(options(attribute).1, [wanted], "{attribute}");
    }
}

/// Counts how often a text stands in the expansion.
fn count(attribute: TokenStream, item: TokenStream, text: &str) -> usize {
    trace(attribute, item).to_string().matches(text).count()
}

#[test]
fn what_is_no_traceable_function_is_given_back_as_it_was() {
    for item in [
        quote! { struct Bot { name: String } },
        quote! { impl Bot { fn f() {} } },
        quote! { const fn f() -> u8 { 1 } },
        quote! { fn f(&self); },
    ] {
        let out = trace(quote!(), item.clone()).to_string();
        assert!(out.starts_with(&item.to_string()), "{out}");
        assert_eq!(out.matches("compile_error").count(), 1, "{out}");
    }
}

#[test]
fn the_function_stays_what_it_was_outside() {
    let item = quote! {
        /// Does it.
        #[must_use]
        pub(crate) async unsafe fn f<'a, T: Copy>(&'a self, (a, _): (u8, T)) -> Option<&'a T> where T: Send { None }
    };
    let out = trace(quote!(), item).to_string();
    let head = quote! {
        /// Does it.
        #[must_use]
        pub(crate) async unsafe fn f<'a, T: Copy>(&'a self, (a, _): (u8, T)) -> Option<&'a T> where T: Send
    };
    assert!(out.starts_with(&head.to_string()), "{out}");
}

#[test]
fn arguments_are_recorded_by_the_names_they_bind() {
    let item = || {
        quote! {
            fn f(&self, a: u8, _b: u8, (c, [d, ..]): (u8, [u8; 2]), Point { x, y: e @ 1.. }: Point,
                _: u8, tracer: &Tracer, #[cfg(unix)] g: u8, r#type: u8) {}
        }
    };
    let out = trace(quote!(skip(d, b)), item()).to_string();
    let names: Vec<&str> = out
        .split("__hh_inputs . add (\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(names, ["a", "c", "x", "e", "g", "type"]);
    assert_eq!(out.matches("# [cfg (unix)]").count(), 2);
    // Each mistake in `skip` is reported.
    assert_eq!(count(quote!(skip(self, z, a, a)), item(), "compile_error"), 2);
    assert_eq!(count(quote!(skip(self)), quote! { fn f() {} }, "compile_error"), 1);
}

#[test]
fn return_types_decide_how_a_body_is_wrapped() {
    let of = |ty: TokenStream| {
        let output: ReturnType = syn::parse2(ty).unwrap();
        match Returned::of(&output) {
            Returned::Value(ty) => format!("value {}", crate::text::of_type(ty)),
            Returned::Future(ty) => format!("future {}", crate::text::of_type(ty)),
            Returned::BoxedFuture(ty) => format!("boxed {}", crate::text::of_type(ty)),
            Returned::Opaque(shown) => format!("opaque {}", shown.unwrap_or_default()),
        }
    };
    for (ty, wanted) in [
        (quote!(), "value ()"),
        (quote!(-> Result<u8, E>), "value Result<u8, E>"),
        (quote!(-> Result<(impl A, &[impl B]), E>), "value Result<(_, &[_]), E>"),
        (quote!(-> impl Iterator<Item = u8>), "opaque impl Iterator<Item = u8>"),
        (quote!(-> !), "opaque "),
        (quote!(-> impl Future<Output = Result<impl A, E>> + Send + 'a), "future Result<_, E>"),
        (quote!(-> impl Future<Output = u8> + Unpin), "opaque impl Future<Output = u8> + Unpin"),
        (
            quote!(-> Pin<Box<dyn Future<Output = u8> + Send + 'a>>),
            "boxed Pin<Box<dyn Future<Output = u8> + Send + 'a>>",
        ),
        (quote!(-> Pin<Box<dyn Stream>>), "value Pin<Box<dyn Stream>>"),
        (quote!(-> Box<dyn Future<Output = u8>>), "value Box<dyn Future<Output = u8>>"),
    ] {
        assert_eq!(of(ty), wanted);
    }
}
