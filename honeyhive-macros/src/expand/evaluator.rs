//! Generates the code of `#[evaluator]`: the static facts, and the function that scores one output.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

use super::arguments::{Arguments, Filling, local};
use super::companion::{Companion, Setting};
use super::experiment::{awaited, called};
use super::{Root, option, respanned};
use crate::attr::evaluator::Options;
use crate::attr::uses::field;
use crate::item::Function;
use crate::params::{self, Parameter};
use crate::text;

/// The parsed parts of an evaluator without mistakes.
pub(crate) struct Evaluator<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) settings: Vec<Setting<'a>>,
    pub(crate) options: &'a Options,
    pub(crate) source_hash: String,
}

/// Returns the code that is generated beside the function.
pub(crate) fn expand(evaluator: &Evaluator<'_>) -> TokenStream {
    let root = Root::new(evaluator.options.root.as_ref());
    let companion = Companion::new(evaluator.function, &evaluator.settings);
    let parts = [
        companion.common_traits(),
        info(&root, evaluator),
        evaluate(&root, evaluator),
        companion.filled(&root),
    ];
    companion.with(&parts.into_iter().collect())
}

/// Returns the same items for an evaluator with mistakes, so that its uses do not get errors of
/// their own.
///
/// The declaration is what every rule could require: a score that judges, and may have any value.
pub(crate) fn fallback(
    function: &Function,
    settings: &[Setting<'_>],
    options: &Options,
) -> TokenStream {
    let root = Root::new(options.root.as_ref());
    let p = root.private();
    // A struct cannot have these types.
    let is_generic = !function.sig.generics.params.is_empty();
    let mut settings = settings.to_vec();
    settings.retain(|setting| {
        !is_generic && !matches!(params::plain(&setting.parameter.ty), Type::ImplTrait(_))
    });
    let companion = Companion::new(function, &settings);
    let name =
        options.name.as_ref().map_or_else(|| text::unraw(&function.sig.ident), syn::LitStr::value);
    let rest = quote! {
        const __HH_INFO: #p::EvaluatorInfo = #p::EvaluatorInfo {
            name: #name,
            file: "",
            line: 0,
            params: &[],
            reads_trace: false,
            threshold: ::core::option::Option::Some(0.0),
            direction: #p::Direction::Maximize,
            range: ::core::option::Option::None,
            shape: #p::Shape::Score,
            source_hash: "",
        };

        impl #p::Evaluator for __HhCompanion {
            fn info(&self) -> #p::EvaluatorInfo {
                __HH_INFO
            }

            fn evaluate(self: #p::Arc<Self>, _: #p::Subject) -> #p::Evaluation {
                ::core::unreachable!()
            }
        }
    };
    companion.with(&[rest, companion.unfilled(&root)].into_iter().collect())
}

/// Returns the constant with the static facts about the evaluator.
fn info(root: &Root, evaluator: &Evaluator<'_>) -> TokenStream {
    let Evaluator { function, options, source_hash, .. } = evaluator;
    let p = root.private();
    let own = text::unraw(&function.sig.ident);
    let name = options.name.as_ref().map_or(own, syn::LitStr::value);
    let reads_trace = evaluator.parameters.iter().any(|parameter| is_trace(parameter, evaluator));
    let threshold = option(options.threshold.as_ref().map(|threshold| threshold.value));
    let direction = format_ident!("{}", if options.minimize { "Minimize" } else { "Maximize" });
    let range = option(options.range.as_ref().map(|(low, high)| {
        let (low, high) = (low.value, high.value);
        quote!((#low, #high))
    }));
    let score = score(root, function, &quote!(SHAPE));
    quote! {
        const __HH_INFO: #p::EvaluatorInfo = #p::EvaluatorInfo {
            name: #name,
            file: ::core::file!(),
            line: ::core::line!(),
            params: __HH_PARAMS,
            reads_trace: #reads_trace,
            threshold: #threshold,
            direction: #p::Direction::#direction,
            range: #range,
            shape: #score,
            source_hash: #source_hash,
        };
    }
}

/// Returns `<Returned as IntoScore>::item`, standing at the return type.
fn score(root: &Root, function: &Function, item: &TokenStream) -> TokenStream {
    match &function.sig.output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => {
            let span = ty.span();
            let p = root.private_at(span);
            let item = respanned(item.clone(), |_| span);
            quote_spanned!(span=> <#ty as #p::IntoScore>::#item)
        }
    }
}

fn is_setting(parameter: &Parameter, evaluator: &Evaluator<'_>) -> bool {
    evaluator.settings.iter().any(|setting| setting.parameter.ident == parameter.ident)
}

fn is_trace(parameter: &Parameter, evaluator: &Evaluator<'_>) -> bool {
    parameter.name == "trace" && parameter.input.is_none() && !is_setting(parameter, evaluator)
}

/// Returns the parameters, the function that scores one output, and the trait impl that starts it.
fn evaluate(root: &Root, evaluator: &Evaluator<'_>) -> TokenStream {
    let function = evaluator.function;
    let p = root.private();
    let subject = local("__hh_subject");
    let this = local("__hh_this");
    let returned = local("__hh_returned");
    let fillings: Vec<(&Parameter, Filling)> = evaluator
        .parameters
        .iter()
        .map(|parameter| (parameter, filling(parameter, evaluator, &subject, &this)))
        .collect();
    let Arguments { params, reads, passed } = Arguments::new(root, &fillings);
    let fields = (!reads.is_empty()).then(|| {
        let fields = local("__hh_fields");
        quote!(let #fields = #subject.fields();)
    });
    let owned = evaluator.settings.iter().any(|setting| !borrowed(setting.parameter));
    let this_copy =
        owned.then(|| quote!(let #this = <__HhCompanion as ::core::clone::Clone>::clone(&#this);));
    let unused = (reads.is_empty()).then(|| quote!(let _ = &#subject;));
    let name = called(function);
    let into_score = score(root, function, &quote!(into_score));
    let answered = quote! {
        ::core::result::Result::map_err(#into_score(#returned), #p::Fault::Failed)
    };
    let asyncness = function.sig.asyncness.map(|_| quote!(async));
    let (called, evaluation) = if asyncness.is_some() {
        (
            awaited(&name, &passed),
            quote!(#p::Evaluation::Async(::std::boxed::Box::pin(__hh_score(self, #subject)))),
        )
    } else {
        (
            quote!(#name(#(#passed),*)),
            quote!(#p::Evaluation::Sync(::std::boxed::Box::new(move || __hh_score(self, #subject)))),
        )
    };
    quote! {
        const __HH_PARAMS: &[#p::Param] = &[#(#params),*];

        #asyncness fn __hh_score(#this: #p::Arc<__HhCompanion>, #subject: #p::Subject) -> #p::Answer {
            #unused
            #fields
            #(#reads)*
            #this_copy
            let #returned = #called;
            #answered
        }

        impl #p::Evaluator for __HhCompanion {
            fn info(&self) -> #p::EvaluatorInfo {
                __HH_INFO
            }

            fn evaluate(self: #p::Arc<Self>, #subject: #p::Subject) -> #p::Evaluation {
                #evaluation
            }
        }
    }
}

/// Returns whether a setting has a reference type, which is passed on as it is; the others are
/// cloned for each call.
fn borrowed(parameter: &Parameter) -> bool {
    matches!(params::plain(&parameter.ty), Type::Reference(_))
}

fn filling(
    parameter: &Parameter,
    evaluator: &Evaluator<'_>,
    subject: &Ident,
    this: &Ident,
) -> Filling {
    if is_setting(parameter, evaluator) {
        let field = field(Ident::new(&parameter.name, parameter.ident.span()));
        return Filling::Setting(quote!(#this.#field));
    }
    if is_trace(parameter, evaluator) {
        return Filling::Borrowed(quote!(&#subject.trace));
    }
    let name = parameter.name.as_str();
    Filling::Field(match (&parameter.input, name) {
        (Some(key), _) => quote!(Input(#key)),
        (None, "output") => quote!(Output),
        (None, "ground_truth") => quote!(GroundTruth),
        (None, "inputs") => quote!(Inputs),
        (None, "metadata") => quote!(Metadata),
        (None, "history") => quote!(History),
        (None, _) => quote!(Input(#name)),
    })
}
