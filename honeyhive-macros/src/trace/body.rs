//! Generates the new body of a traced function.
//!
//! The user's body stays as it was, as a closure or async block of the function's own return type: `?`
//! and `return` end that body, and its value is recorded before it is returned.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ReturnType;
use syn::spanned::Spanned as _;

use super::Parameter;
use super::options::Options;
use super::types::Returned;
use crate::expand::arguments::local;
use crate::expand::{Root, generated, option};
use crate::item::Function;
use crate::text;

/// Returns the code between the braces.
pub(super) fn expand(
    function: &Function,
    parameters: &[Parameter],
    options: &Options,
) -> TokenStream {
    let root = Root::new(options.root.as_ref());
    let p = root.private();
    let call = local("__hh_call");
    let returned = local("__hh_returned");
    let start = start(&p, function, parameters, options);
    let body = function.body();
    let record = record(&p);
    let output = Returned::of(&function.sig.output);
    if function.sig.asyncness.is_some() {
        let of = match output {
            Returned::Value(ty) | Returned::BoxedFuture(ty) => Some(ty),
            Returned::Future(_) | Returned::Opaque(Some(_)) => None,
            Returned::Opaque(None) => return diverging(&p, &start, body),
        };
        // The type of an async block cannot be written; a branch that is never taken determines it.
        // Where the body gives another type, rustc shows the place of this branch.
        let place = match &function.sig.output {
            ReturnType::Default => function.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        let place = generated(place);
        let there = root.private_at(place);
        let of = of.map(|ty| quote_spanned!(place=> if false { return #there::never::<#ty>(); }));
        return quote! {
            let #call = #start;
            let #returned = #p::Polled::new(#call.as_ref(), async move { #of #body }).await;
            #record
            #returned
        };
    }
    match output {
        Returned::Value(ty) => quote! {
            let #call = #start;
            let #returned = #p::run_traced(#call.as_ref(), move || -> #ty #body);
            #record
            #returned
        },
        Returned::Future(ty) => {
            let future = awaited(&p, &record);
            quote! {
                let #call = #start;
                let #returned = #p::run_future::<#ty, _>(#call.as_ref(), move || #body);
                #future
            }
        }
        Returned::BoxedFuture(ty) => {
            let future = awaited(&p, &record);
            quote! {
                let #call = #start;
                let #returned = #p::run_traced(#call.as_ref(), move || -> #ty #body);
                if #call.is_none() {
                    return #returned;
                }
                ::std::boxed::Box::pin(#future)
            }
        }
        Returned::Opaque(shown) => {
            let entered = local("__hh_entered");
            let shown = option(shown);
            quote! {
                let #entered = #p::enter(#start, #shown);
                #body
            }
        }
    }
}

/// Returns the body of an async function that never returns, which can only panic or be dropped.
fn diverging(p: &TokenStream, start: &TokenStream, body: &proc_macro2::TokenTree) -> TokenStream {
    let call = local("__hh_call");
    quote! {
        let #call = #start;
        #p::Polled::new(#call.as_ref(), async move #body).await
    }
}

/// Returns the code that awaits the future in `__hh_returned`, in its span.
fn awaited(p: &TokenStream, record: &TokenStream) -> TokenStream {
    let (call, returned) = (local("__hh_call"), local("__hh_returned"));
    quote!(async move {
        let #call = #call;
        let #returned = #p::Polled::new(#call.as_ref(), #returned).await;
        #record
        #returned
    })
}

/// Returns the code that begins the recorded call, if there is a tracer.
fn start(
    p: &TokenStream,
    function: &Function,
    parameters: &[Parameter],
    options: &Options,
) -> TokenStream {
    let own = format!("::{}", text::unraw(&function.sig.ident));
    let by_path = quote!(::core::concat!(::core::module_path!(), #own));
    let name = options.name.as_ref().map_or(by_path, ToTokens::to_token_stream);
    let event_name = option(options.name.as_ref());
    let event_type =
        options.event_type.as_ref().map_or_else(|| "tool".to_owned(), syn::LitStr::value);
    let inputs = local("__hh_inputs");
    let recorded = parameters.iter().filter(|parameter| {
        !parameter.is_tracer && !options.skip.iter().any(|skipped| parameter.is(skipped))
    });
    let adds: Vec<TokenStream> = recorded
        .map(|Parameter { ident, name, cfgs, .. }| {
            // A parameter whose name begins with `_` is recorded, too, which a lint would report.
            let unused = text::unraw(ident)
                .starts_with('_')
                .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
            quote! {
                #(#cfgs)*
                #unused
                #inputs.add(#name, (&&&#p::Shown(&#ident)).__hh_input());
            }
        })
        .collect();
    let closure = if adds.is_empty() {
        quote!(|_| {})
    } else {
        quote! {
            |#inputs| {
                use #p::{AsDebug as _, AsJson as _, AsName as _};
                #(#adds)*
            }
        }
    };
    quote! {
        #p::start(
            #p::Site { name: #name, event_name: #event_name, event_type: #event_type },
            #closure,
        )
    }
}

/// Returns the code that records the returned value.
fn record(p: &TokenStream) -> TokenStream {
    let (call, returned) = (local("__hh_call"), local("__hh_returned"));
    let (sides, seen) = (local("__hh_sides"), local("__hh_seen"));
    let (some, none) = (quote!(::core::option::Option::Some), quote!(::core::option::Option::None));
    quote! {
        if let #some(#call) = #call {
            use #p::{
                AsDebug as _, AsJson as _, AsName as _, ErrorAsDebug as _, ErrorAsDisplay as _,
                ErrorAsName as _, ResultKind as _, ValueKind as _,
            };
            let #sides = (&#returned).__kind().sides(&#returned);
            #call.returned(
                match #sides.output {
                    #some(#seen) => #some((&&&#p::Shown(#seen)).__hh_output()),
                    #none => #none,
                },
                match #sides.error {
                    #some(#seen) => #some((&&&#p::Shown(#seen)).__hh_error()),
                    #none => #none,
                },
            );
        }
    }
}
