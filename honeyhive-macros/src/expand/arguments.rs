//! Generates the description of each parameter, and the code that fills it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Root, generated};
use crate::params::{Parameter, Reading, option};
use crate::text;

/// The source of the value of a parameter.
pub(crate) enum Filling {
    /// A value of the row or the output: the variant of `Key` with its argument.
    Field(TokenStream),
    /// An expression that borrows from the call: the tracer, the trace.
    Borrowed(TokenStream),
    /// The local that holds the value of a setting.
    Setting(TokenStream),
}

/// The code for all parameters of a function.
pub(crate) struct Arguments {
    /// The `Param`s of the parameters that are read from fields.
    pub(crate) params: Vec<TokenStream>,
    /// The statements that read these parameters, from the local `__hh_fields`.
    pub(crate) reads: Vec<TokenStream>,
    /// The arguments between the parentheses of the call.
    pub(crate) passed: Vec<TokenStream>,
}

/// Returns a local of generated code, which the user's code cannot see.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

impl Arguments {
    pub(crate) fn new(root: &Root, parameters: &[(&Parameter, Filling)]) -> Self {
        let mut all = Self { params: Vec::new(), reads: Vec::new(), passed: Vec::new() };
        for (parameter, filling) in parameters {
            match filling {
                Filling::Borrowed(value) | Filling::Setting(value) => {
                    all.passed.push(value.clone());
                }
                Filling::Field(key) => all.field(root, parameter, key),
            }
        }
        all
    }

    fn field(&mut self, root: &Root, parameter: &Parameter, key: &TokenStream) {
        let reading = Reading::of(&parameter.ty);
        let index = self.params.len();
        let local = format_ident!("__hh_{index}", span = Span::mixed_site());
        let private = root.private();
        let (name, ty, required) =
            (&parameter.name, text::of_type(&parameter.ty), !reading.optional);
        self.params.push(quote! {
            #private::Param {
                name: #name,
                key: #private::Key::#key,
                ty: #ty,
                required: #required,
            }
        });
        // Every token that can fail stands at the type.
        let inner = option(&parameter.ty).unwrap_or(&parameter.ty);
        let span = generated(inner.span());
        let of_output = key.to_string() == "Output";
        let read = match (reading.optional, of_output) {
            (false, false) => "required",
            (true, false) => "optional",
            (false, true) => "required_output",
            (true, true) => "optional_output",
        };
        let read = Ident::new(read, span);
        let owned = &reading.owned;
        self.reads.push(quote_spanned! {span=>
            let #local = __hh_fields.#read::<#owned>(&__HH_PARAMS[#index])?;
        });
        self.passed.push(reading.argument(&local));
    }
}
