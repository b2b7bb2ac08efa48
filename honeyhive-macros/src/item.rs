//! Parses the item under the attribute, and gives it back.
//!
//! Only the signature is parsed. The body is kept as it is, so that syntax newer than this crate is
//! accepted, and a mistake in it is reported by rustc alone.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Signature, Visibility};

use crate::errors::at;

/// A function whose body is not parsed.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    body: TokenTree,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: body(input)?,
        })
    }
}

fn body(input: ParseStream<'_>) -> syn::Result<TokenTree> {
    match input.parse()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group.into()),
        other => at(other, "the function needs a body, as the harness calls it"),
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, out: &mut TokenStream) {
        out.append_all(&self.attrs);
        self.vis.to_tokens(out);
        self.sig.to_tokens(out);
        self.body.to_tokens(out);
    }
}

impl Function {
    /// Returns the attributes of all parameters.
    pub(crate) fn parameter_attrs(&mut self) -> impl Iterator<Item = &mut Vec<Attribute>> {
        self.sig.inputs.iter_mut().map(|argument| match argument {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(typed) => &mut typed.attrs,
        })
    }

    /// Returns the body, with its braces.
    pub(crate) fn body(&self) -> &TokenTree {
        &self.body
    }

    /// Returns the same function with another body.
    pub(crate) fn with_body(mut self, block: TokenStream) -> Self {
        // The new body stands at the place of the old one, where rustc shows that something is
        // missing at its end.
        let mut group = Group::new(Delimiter::Brace, block);
        group.set_span(self.body.span());
        self.body = group.into();
        self
    }

    /// Returns the tokens that change when the evaluator or experiment changes.
    pub(crate) fn source(&self) -> TokenStream {
        let mut source = self.sig.to_token_stream();
        self.body.to_tokens(&mut source);
        source
    }

    /// Returns the attributes for everything that is generated beside the function: its `cfg`s, and
    /// an `allow` to call it when it is deprecated.
    pub(crate) fn beside(&self) -> TokenStream {
        let mut out = TokenStream::new();
        out.append_all(self.attrs.iter().filter(|attr| attr.path().is_ident("cfg")));
        if self.attrs.iter().any(|attr| attr.path().is_ident("deprecated")) {
            out.extend(quote!(#[allow(deprecated)]));
        }
        out
    }
}

/// The item under the attribute.
pub(crate) enum Item {
    /// A function with a body.
    Function(Box<Function>),
    /// Any other item: the token that shows it, and its kind.
    Other(TokenTree, &'static str),
}

/// Parses the item, whether or not it is a function.
pub(crate) fn read(tokens: TokenStream) -> syn::Result<Item> {
    if let Some((tree, what)) = other_than_function(tokens.clone()) {
        return Ok(Item::Other(tree, what));
    }
    syn::parse2(tokens).map(|function| Item::Function(Box::new(function)))
}

/// Finds the keyword that makes the item something other than a function.
fn other_than_function(tokens: TokenStream) -> Option<(TokenTree, &'static str)> {
    let mut qualifier = None;
    for tree in tokens {
        let TokenTree::Ident(ident) = &tree else { continue };
        let what = match ident.to_string().as_str() {
            "fn" => return None,
            "struct" => "a struct",
            "enum" => "an enum",
            "union" => "a union",
            "impl" => "an impl block",
            "trait" => "a trait",
            "static" => "a static",
            "mod" => "a module",
            "type" => "a type alias",
            "use" => "an import",
            "macro_rules" | "macro" => "a macro",
            "let" => "a variable",
            // These keywords may still qualify a function: `const fn`, `extern "C" fn`.
            "const" => {
                qualifier = Some((tree, "a constant"));
                continue;
            }
            "extern" => {
                qualifier = Some((tree, "an extern block"));
                continue;
            }
            "pub" | "crate" | "async" | "unsafe" | "safe" | "default" => continue,
            _ => break,
        };
        return Some((tree, what));
    }
    qualifier
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(tokens: TokenStream) -> Option<&'static str> {
        other_than_function(tokens).map(|(_, what)| what)
    }

    #[test]
    fn functions_are_told_from_other_items() {
        assert_eq!(what(quote! { #[doc = "struct"] pub(crate) const fn f() {} }), None);
        assert_eq!(what(quote! { unsafe extern "C" fn f() {} }), None);
        assert_eq!(what(quote! { pub struct S; }), Some("a struct"));
        assert_eq!(what(quote! { unsafe impl Send for S {} }), Some("an impl block"));
        assert_eq!(what(quote! { const X: u8 = 1; }), Some("a constant"));
        assert_eq!(what(quote! { pub(crate) mod m {} }), Some("a module"));
    }

    #[test]
    fn a_body_is_not_parsed() {
        let Ok(Item::Function(function)) = read(quote! { fn f() { let = ; } }) else { panic!() };
        assert_eq!(
            function.to_token_stream().to_string(),
            quote! { fn f() { let = ; } }.to_string()
        );
    }
}
