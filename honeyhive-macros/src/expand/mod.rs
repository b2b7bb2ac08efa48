//! From what was read to generated code.
//!
//! Generated code names everything by absolute paths below the harness, `::core` and `::std`, so
//! that it works where the prelude is shadowed or absent. Its tokens stand at the user's tokens
//! they come from: there rustc shows what is wrong with them.

pub(crate) mod arguments;
pub(crate) mod evaluator;
pub(crate) mod experiment;
pub(crate) mod rules;
pub(crate) mod uses;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// The crate that generated code refers to.
pub(crate) struct Root(TokenStream);

impl Root {
    /// The `crate` option, or else the harness by its own name.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self(path.map_or_else(|| quote!(::honeyhive_harness), ToTokens::to_token_stream))
    }

    /// The crate itself.
    pub(crate) fn path(&self) -> &TokenStream {
        &self.0
    }

    /// What generated code may touch.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.0;
        quote!(#root::__private)
    }

    /// The same, standing at a token of the user's.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        moved(self.private(), span)
    }
}

/// Tokens that mean what they meant and stand somewhere else.
pub(crate) fn moved(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut tree| {
            if let TokenTree::Group(group) = &tree {
                let mut inner = Group::new(group.delimiter(), moved(group.stream(), span));
                inner.set_span(group.span());
                tree = inner.into();
            }
            tree.set_span(tree.span().located_at(span));
            tree
        })
        .collect()
}

/// `Some(value)` or `None`, by their absolute paths.
pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
