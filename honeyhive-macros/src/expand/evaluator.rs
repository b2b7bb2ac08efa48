//! `#[evaluator]`: the struct beside the function, and what it implements.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ReturnType, Type};

use super::arguments::{Arguments, Filling, local};
use super::experiment::called;
use super::{Root, moved, option};
use crate::attr::evaluator::Options;
use crate::item::Function;
use crate::params::{self, Parameter, made_static};
use crate::text;

/// A parameter that is filled where the evaluator is used.
pub(crate) struct Setting<'a> {
    pub(crate) parameter: &'a Parameter,
    pub(crate) default: Option<&'a Expr>,
}

/// Everything known about an evaluator without mistakes.
pub(crate) struct Evaluator<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) settings: Vec<Setting<'a>>,
    pub(crate) options: &'a Options,
}

/// What is generated beside the function.
pub(crate) fn expand(evaluator: &Evaluator<'_>) -> TokenStream {
    let Evaluator { function, options, .. } = evaluator;
    let root = Root::new(options.root.as_ref());
    let cfgs = function.cfgs();
    let companion = called(function);
    let name = text::unraw(&companion);
    let vis = moved_vis(function);
    let fields: Vec<Field<'_>> = evaluator.settings.iter().map(|s| Field::new(s, &name)).collect();
    let declared = fields.iter().map(Field::declared);
    let cloned = fields.iter().map(Field::cloned);
    let settings = settings(&root, &name, &vis, &fields);
    let info = info(&root, evaluator);
    let evaluate = evaluate(&root, evaluator);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #companion {
            #(#declared)*
        }

        #(#cfgs)*
        const _: () = {
            type __HhCompanion = #companion;

            impl ::core::clone::Clone for __HhCompanion {
                fn clone(&self) -> Self {
                    Self { #(#cloned)* }
                }
            }

            impl ::core::fmt::Debug for __HhCompanion {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(#name)
                }
            }

            #info
            #evaluate
            #settings
        };
    }
}

/// The visibility of the function, for tokens that lints take for generated.
fn moved_vis(function: &Function) -> TokenStream {
    function
        .vis
        .to_token_stream()
        .into_iter()
        .map(|mut tree| {
            tree.set_span(Span::mixed_site().located_at(tree.span()));
            tree
        })
        .collect()
}

/// A field of the companion.
struct Field<'a> {
    ident: Ident,
    ty: TokenStream,
    /// The argument is borrowed from the field.
    default: Option<TokenStream>,
    required: Option<(String, String)>,
    parameter: &'a Parameter,
}

impl<'a> Field<'a> {
    fn new(setting: &Setting<'a>, evaluator: &str) -> Self {
        let parameter = setting.parameter;
        let name = &parameter.name;
        let optional = params::option(&parameter.ty).is_some();
        let default = match setting.default {
            Some(default) => Some(default.to_token_stream()),
            None if optional => Some(quote!(::core::option::Option::None)),
            None => None,
        };
        let required = default.is_none().then(|| {
            let text = format!("`{evaluator}` needs the setting `{name}`: write `{evaluator}({name} = ..)`");
            (name.clone(), text)
        });
        Self {
            ident: crate::attr::uses::field(Ident::new(name, parameter.ident.span())),
            ty: made_static(parameter.ty.to_token_stream()),
            default,
            required,
            parameter,
        }
    }

    /// The field in the companion.
    fn declared(&self) -> TokenStream {
        let Self { ident, ty, .. } = self;
        quote!(#[doc(hidden)] pub #ident: #ty,)
    }

    fn cloned(&self) -> TokenStream {
        let Self { ident, ty, .. } = self;
        let span = Span::mixed_site().located_at(self.parameter.ty.span());
        // `self` has the hygiene of a local.
        let this = quote!(self);
        quote_spanned!(span=> #ident: <#ty as ::core::clone::Clone>::clone(&#this.#ident),)
    }
}

/// The settings as options, and how the companion is made of them.
fn settings(root: &Root, evaluator: &str, vis: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let p = root.private();
    // Rustc prints this name when a setting is misspelt.
    let settings = format_ident!("{evaluator}_settings", span = Span::mixed_site());
    let declared = fields.iter().map(|Field { ident, ty, .. }| {
        quote!(#[doc(hidden)] pub #ident: ::core::option::Option<#ty>,)
    });
    let empty = fields.iter().map(|Field { ident, .. }| quote!(#ident: ::core::option::Option::None,));
    let required = fields.iter().filter_map(|field| field.required.as_ref()).map(|(name, text)| quote!((#name, #text)));
    let given = local("__hh_settings");
    let filled = fields.iter().map(|Field { ident, ty, default, required, .. }| {
        let value = local("__hh_value");
        let otherwise = match (default, required) {
            (Some(default), _) => quote!({ let #value: #ty = #default; #value }),
            (None, Some((_, text))) => quote!(::core::panic!("{}", #text)),
            (None, None) => TokenStream::new(),
        };
        quote! {
            #ident: match #given.#ident {
                ::core::option::Option::Some(#value) => #value,
                ::core::option::Option::None => #otherwise,
            },
        }
    });
    let unused = fields.is_empty().then(|| quote!(let _ = #given;));
    quote! {
        #[allow(non_camel_case_types)]
        #vis struct #settings {
            #(#declared)*
        }

        impl ::core::default::Default for #settings {
            fn default() -> Self {
                Self { #(#empty)* }
            }
        }

        impl #p::Companion for __HhCompanion {
            const INFO: #p::EvaluatorInfo = __HH_INFO;
            const REQUIRED: &'static [(&'static str, &'static str)] = &[#(#required),*];
            type Settings = #settings;
            fn from_settings(#given: #settings) -> Self {
                #unused
                Self { #(#filled)* }
            }
        }
    }
}

/// The constant with what is known before the evaluator runs.
fn info(root: &Root, evaluator: &Evaluator<'_>) -> TokenStream {
    let Evaluator { function, options, .. } = evaluator;
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
    let source_hash = text::hash(function.source());
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

/// `<Returned as IntoScore>::item`, standing at the return type.
fn score(root: &Root, function: &Function, item: &TokenStream) -> TokenStream {
    match &function.sig.output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => {
            let span = ty.span();
            let p = root.private_at(span);
            let item = moved(item.clone(), span);
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

/// The parameters, the function that scores one output, and the trait impl that starts it.
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
    let Arguments { params, reads, arguments } = Arguments::new(root, &fillings);
    let fields = (!reads.is_empty()).then(|| {
        let fields = local("__hh_fields");
        quote!(let #fields = #subject.fields();)
    });
    let owned = evaluator.settings.iter().any(|setting| !borrowed(setting.parameter));
    let this_copy = owned.then(|| quote!(let #this = <__HhCompanion as ::core::clone::Clone>::clone(&#this);));
    let unused = (reads.is_empty()).then(|| quote!(let _ = &#subject;));
    let name = called(function);
    let into_score = score(root, function, &quote!(into_score));
    let answered = quote! {
        ::core::result::Result::map_err(#into_score(#returned), #p::Fault::Failed)
    };
    let at = Span::mixed_site().located_at(name.span());
    let asyncness = &function.sig.asyncness.map(|_| quote!(async));
    let awaited = function.sig.asyncness.map(|_| quote!(.await));
    let evaluation = if function.sig.asyncness.is_some() {
        let owner = quote!(self);
        let boxed = quote_spanned!(at=> ::std::boxed::Box::pin(__hh_score(#owner, #subject)));
        quote!(#p::Evaluation::Async(#boxed))
    } else {
        quote!(#p::Evaluation::Sync(::std::boxed::Box::new(move || __hh_score(self, #subject))))
    };
    quote! {
        const __HH_PARAMS: &[#p::Param] = &[#(#params),*];

        #asyncness fn __hh_score(#this: #p::Arc<__HhCompanion>, #subject: #p::Subject) -> #p::Answer {
            #unused
            #fields
            #(#reads)*
            #this_copy
            let #returned = #name(#(#arguments),*) #awaited;
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

/// A setting of a reference type is passed on as it is; the others are cloned for each call.
fn borrowed(parameter: &Parameter) -> bool {
    matches!(params::plain(&parameter.ty), Type::Reference(_))
}

fn filling(parameter: &Parameter, evaluator: &Evaluator<'_>, subject: &Ident, this: &Ident) -> Filling {
    if is_setting(parameter, evaluator) {
        let field = crate::attr::uses::field(Ident::new(&parameter.name, parameter.ident.span()));
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
        (None, _) => quote!(Input(#name)),
    })
}
