//! Generates the struct beside an evaluator's function, and its settings.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::arguments::local;
use super::experiment::called;
use super::{Root, generated, respanned};
use crate::attr::uses::field;
use crate::item::Function;
use crate::params::{self, Parameter, made_static};
use crate::text;

/// A parameter that is filled where the evaluator is used.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) parameter: &'a Parameter,
    pub(crate) default: Option<&'a Expr>,
}

/// The struct beside the function, with one field for each setting.
pub(crate) struct Companion<'a> {
    function: &'a Function,
    /// The name of the function.
    name: String,
    /// The visibility of the function, marked as generated, since lints have checked it at the
    /// function.
    vis: TokenStream,
    fields: Vec<Field<'a>>,
}

impl<'a> Companion<'a> {
    pub(crate) fn new(function: &'a Function, settings: &[Setting<'a>]) -> Self {
        let name = text::unraw(&function.sig.ident);
        let vis = respanned(function.vis.to_token_stream(), generated);
        let fields = settings.iter().map(|setting| Field::new(setting, &name)).collect();
        Self { function, name, vis, fields }
    }

    /// Returns the struct, and its implementations.
    ///
    /// `rest` stands in a block of its own, where the struct is called `__HhCompanion`.
    pub(crate) fn with(&self, rest: &TokenStream) -> TokenStream {
        let Self { function, vis, .. } = self;
        let beside = function.beside();
        let ident = called(function);
        let declared = self.fields.iter().map(Field::declared);
        quote! {
            #beside
            #[doc(hidden)]
            #vis struct #ident {
                #(#declared)*
            }

            #beside
            const _: () = {
                type __HhCompanion = #ident;
                #rest
            };
        }
    }

    /// Returns the implementations that every struct should have.
    pub(crate) fn common_traits(&self) -> TokenStream {
        let name = &self.name;
        let cloned = self.fields.iter().map(Field::cloned);
        quote! {
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
        }
    }

    /// Returns the settings, and the function that makes the struct from them.
    pub(crate) fn filled(&self, root: &Root) -> TokenStream {
        let required = self
            .fields
            .iter()
            .filter_map(|field| field.required.as_ref())
            .map(|(name, text)| quote!((#name, #text)));
        let given = local("__hh_settings");
        let filled = self.fields.iter().map(|field| field.filled(&given));
        let unused = self.fields.is_empty().then(|| quote!(let _ = #given;));
        let filled = quote! {
            #unused
            Self { #(#filled)* }
        };
        self.settings(root, &quote!(&[#(#required),*]), &given, &filled)
    }

    /// Returns the same settings, for an evaluator with mistakes, of which no struct can be made.
    pub(crate) fn unfilled(&self, root: &Root) -> TokenStream {
        let given = local("__hh_settings");
        self.settings(root, &quote!(&[]), &given, &quote!(let _ = #given; ::core::unreachable!()))
    }

    /// Returns the struct of the settings as options, and the trait that ties it to the companion.
    fn settings(
        &self,
        root: &Root,
        required: &TokenStream,
        given: &Ident,
        filled: &TokenStream,
    ) -> TokenStream {
        let p = root.private();
        let vis = &self.vis;
        // Rustc prints this name when a setting is misspelt.
        let settings = format_ident!("{}_settings", self.name, span = Span::mixed_site());
        let declared = self.fields.iter().map(|Field { ident, ty, .. }| {
            quote!(#[doc(hidden)] pub #ident: ::core::option::Option<#ty>,)
        });
        let empty = self
            .fields
            .iter()
            .map(|Field { ident, .. }| quote!(#ident: ::core::option::Option::None,));
        quote! {
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
                const REQUIRED: &'static [(&'static str, &'static str)] = #required;
                type Settings = #settings;
                fn from_settings(#given: #settings) -> Self {
                    #filled
                }
            }
        }
    }
}

/// A field of the companion.
struct Field<'a> {
    ident: Ident,
    ty: TokenStream,
    default: Option<TokenStream>,
    /// The name of a required setting, and the text for a use without it.
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
            let text = format!(
                "`{evaluator}` needs the setting `{name}`: write `{evaluator}({name} = ..)`"
            );
            (name.clone(), text)
        });
        Self {
            ident: field(Ident::new(name, parameter.ident.span())),
            ty: made_static(parameter.ty.to_token_stream()),
            default,
            required,
            parameter,
        }
    }

    /// Returns the declaration of the field in the companion.
    fn declared(&self) -> TokenStream {
        let Self { ident, ty, .. } = self;
        quote!(#[doc(hidden)] pub #ident: #ty,)
    }

    fn cloned(&self) -> TokenStream {
        let Self { ident, ty, .. } = self;
        let span = generated(self.parameter.ty.span());
        // The token `self` has the hygiene of a local.
        let this = quote!(self);
        quote_spanned!(span=> #ident: <#ty as ::core::clone::Clone>::clone(&#this.#ident),)
    }

    /// Returns the field, made from the settings.
    fn filled(&self, given: &Ident) -> TokenStream {
        let Self { ident, ty, default, required, .. } = self;
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
    }
}
