//! Generates code from the parsed parts.
//!
//! Generated code names everything by absolute paths below the harness, `::core` and `::std`, so
//! that it works where the prelude is shadowed or absent. Its tokens stand at the user's tokens
//! they come from, so that rustc reports errors there.

pub(crate) mod arguments;
pub(crate) mod companion;
pub(crate) mod editor;
pub(crate) mod evaluator;
pub(crate) mod experiment;
pub(crate) mod rules;
pub(crate) mod uses;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// The crate that generated code refers to.
pub(crate) struct Root {
    path: TokenStream,
    /// Set when the user wrote the path: its tokens must keep what they resolve to (`$crate`).
    is_given: bool,
}

impl Root {
    /// Creates the root from the `crate` option, or else from the harness by its own name.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self {
            path: path.map_or_else(|| quote!(::honeyhive_harness), ToTokens::to_token_stream),
            is_given: path.is_some(),
        }
    }

    /// Returns the path of the module whose items generated code uses.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.path;
        quote!(#root::__private)
    }

    /// Returns the path of that module, standing at a token of the user.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        if self.is_given {
            return respanned(self.private(), |own| own.located_at(span));
        }
        respanned(self.private(), |_| span)
    }
}

/// Returns the tokens with other spans.
pub(crate) fn respanned(tokens: TokenStream, span: impl Fn(Span) -> Span + Copy) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut tree| {
            if let TokenTree::Group(group) = &tree {
                tree = Group::new(group.delimiter(), respanned(group.stream(), span)).into();
            }
            tree.set_span(span(tree.span()));
            tree
        })
        .collect()
}

/// Returns the place of a token, with names that the user's code cannot see; lints take it for
/// generated code.
pub(crate) fn generated(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Returns `Some(value)` or `None`, by their absolute paths.
pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}
