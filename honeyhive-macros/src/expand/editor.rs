//! Generates the code that rust-analyzer gets instead of the code that runs.
//!
//! rust-analyzer finds the definition of a name in an attribute by the spans of the tokens that the
//! macro returns: every token with the span of the name is a place to go to, to rename, to show on
//! hover. The code that runs has many of those, as rustc reports a mistake at the span of the token that
//! fails. So here each name of the user's stands exactly once for each definition that it means, and all
//! other tokens have the span of the attribute.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Path, Type};

use super::companion::Setting;
use super::{Root, respanned};
use crate::attr::evaluator;
use crate::attr::experiment::{Dataset, Options};
use crate::attr::gate::Gate;
use crate::attr::uses::{Use, field};
use crate::check::rules::Names;
use crate::item::Function;
use crate::params::{self, made_static};
use crate::text;

/// Returns whether the macro runs in rust-analyzer's server for macros.
pub(crate) fn is_caller() -> bool {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(std::path::Path::file_stem);
    name.is_some_and(|name| name.to_string_lossy().starts_with("rust-analyzer"))
}

/// Returns the attribute that makes the editor offer to run the experiment, at its function.
///
/// The code is returned only in test targets: in a library the editor would start the library's unit tests.
pub(crate) fn run_button() -> Option<TokenStream> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let is_library = variable("CARGO_CRATE_NAME") == variable("CARGO_PKG_NAME").replace('-', "_");
    let is_program = std::env::var_os("CARGO_BIN_NAME").is_some();
    (!is_library && !is_program).then(|| quote!(#[::core::prelude::v1::test]))
}

/// Returns tokens that the editor does not take for names of the user.
fn hidden(tokens: impl ToTokens) -> TokenStream {
    respanned(tokens.to_token_stream(), |_| Span::mixed_site())
}

/// Returns code with the names in the attribute of an experiment: evaluators, settings, rules, the
/// dataset's function.
pub(crate) fn experiment(function: &Function, options: &Options, names: &Names) -> TokenStream {
    let beside = function.beside();
    let uses = &options.evaluators;
    let paths = uses.iter().map(|used| &used.path);
    // An alias is only the name of its evaluator in rules.
    let aliases = uses
        .iter()
        .map(|used| used.alias.as_ref().map_or_else(|| quote!(_), ToTokens::to_token_stream));
    let settings = uses.iter().enumerate().filter(|(_, used)| !used.settings.is_empty());
    let settings = settings.map(|(index, used)| {
        let function = format_ident!("__hh_settings_{index}", span = Span::mixed_site());
        let ty = hidden(&used.path);
        let fields = used.settings.iter().map(|(name, value)| quote!(settings.#name = #value;));
        quote!(fn #function(mut settings: #ty) { #(#fields)* })
    });
    let rules: Vec<Named> = rules(options).filter_map(|path| named_by(path, uses, names)).collect();
    let values = rules.iter().map(|rule| &rule.tokens);
    // An evaluator is a function and a struct of one name: a rename must find both from everywhere.
    let types = rules.iter().filter(|rule| !rule.is_alias).map(|rule| rule.tokens.clone());
    let types = paths.clone().map(ToTokens::to_token_stream).chain(types);
    let dataset = match &options.dataset {
        Some(Dataset::Function(path)) => Some(quote!(let _ = #path;)),
        _ => None,
    };
    quote! {
        #beside
        #[allow(warnings)]
        const _: () = {
            fn __hh_names() {
                let (#(#aliases,)*) = (#(#paths,)*);
                #(let _ = #values;)*
                #dataset
            }
            fn __hh_types(#(_: &#types),*) {}
            #(#settings)*
        };
    }
}

/// Returns the evaluators as rules name them.
fn rules(options: &Options) -> impl Iterator<Item = &Path> {
    let required = options.require.iter().map(|rule| &rule.evaluator);
    let gates = options.gates.iter().filter_map(|rule| match rule {
        Gate::Limit(rule) => rule.of.as_ref(),
        Gate::Against(rule) => Some(&rule.evaluator),
    });
    let reduced = options.reduce.iter().map(|rule| &rule.evaluator);
    required.chain(gates).chain(reduced)
}

/// The subject that a rule names.
struct Named {
    /// The tokens of the rule; where it has only the last name of a path, the rest is hidden.
    tokens: TokenStream,
    is_alias: bool,
}

/// Returns the subject that a rule names, if it is unambiguous.
fn named_by(rule: &Path, uses: &[Use], names: &Names) -> Option<Named> {
    let [index] = *names.meant(&text::of_type(rule)) else { return None };
    let used = &uses[index];
    let Some(name) = rule.get_ident() else {
        return Some(Named { tokens: rule.to_token_stream(), is_alias: false });
    };
    if used.alias.as_ref() == Some(name) {
        return Some(Named { tokens: name.to_token_stream(), is_alias: true });
    }
    let mut whole: Path = syn::parse2(hidden(&used.path)).ok()?;
    whole.segments.last_mut()?.ident = name.clone();
    Some(Named { tokens: whole.to_token_stream(), is_alias: false })
}

/// Returns the struct beside an evaluator.
pub(crate) fn evaluator(
    function: &Function,
    settings: &[Setting<'_>],
    options: &evaluator::Options,
) -> TokenStream {
    let root = Root::new(options.root.as_ref());
    let p = hidden(root.private());
    let beside = function.beside();
    let vis = hidden(&function.vis);
    let ident = &function.sig.ident;
    let ty = hidden(ident);
    // A struct cannot have these types.
    let is_generic = !function.sig.generics.params.is_empty();
    let fields = settings.iter().filter(|setting| {
        !is_generic && !matches!(params::plain(&setting.parameter.ty), Type::ImplTrait(_))
    });
    // The body uses the parameter, and uses of the evaluator the field: a rename from either must
    // find both.
    let mut mentions = Vec::new();
    for setting in fields.clone() {
        let body = function.body().to_token_stream();
        mentioned(body, false, &setting.parameter.ident, &mut mentions);
    }
    let fields = fields.map(|setting| {
        let parameter = setting.parameter;
        let name = field(Ident::new(&parameter.name, parameter.ident.span()));
        let ty = hidden(made_static(parameter.ty.to_token_stream()));
        quote!(pub #name: #ty,)
    });
    let listed = options.settings.iter().map(|setting| {
        let name = field(setting.ident.clone());
        let default = setting.default.as_ref().map(|default| quote!(let _ = #default;));
        quote!(let _ = settings.#name; #default)
    });
    quote! {
        #beside
        #[doc(hidden)]
        #[allow(warnings)]
        #[derive(Clone, Debug)]
        #vis struct #ident {
            #(#fields)*
        }

        #beside
        #[allow(warnings)]
        const _: () = {
            impl #p::Evaluator for #ty {
                fn info(&self) -> #p::EvaluatorInfo {
                    ::core::unreachable!()
                }

                fn evaluate(self: #p::Arc<Self>, _: #p::Subject) -> #p::Evaluation {
                    ::core::unreachable!()
                }
            }

            fn __hh_settings(settings: #ty) {
                #(#listed)*
                #(let _ = settings.#mentions;)*
            }
        };
    }
}

/// Collects the places where code has a variable of this name, as far as tokens show it.
///
/// Methods and fields of that name are left out, and so is the shorthand `Struct { name }`, which a
/// rename changes in another way. Variables that shadow it are renamed with it.
fn mentioned(code: TokenStream, in_braces: bool, name: &Ident, found: &mut Vec<Ident>) {
    let trees: Vec<TokenTree> = code.into_iter().collect();
    let is = |place: Option<usize>, expected: char| {
        let tree = place.and_then(|place| trees.get(place));
        matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
    };
    for (place, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => {
                let braces = group.delimiter() == Delimiter::Brace;
                mentioned(group.stream(), braces, name, found);
            }
            TokenTree::Ident(ident) if ident == name => {
                let (before, after) = (place.checked_sub(1), place + 1);
                let begins = before.is_none() || is(before, ',');
                let ends = is(Some(after), ',') || (after == trees.len() && is(before, ','));
                let ends = ends || (is(Some(after), ':') && !is(Some(after + 1), ':'));
                let is_field = is(before, '.') || (in_braces && begins && ends);
                if !is_field {
                    found.push(ident.clone());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(code: TokenStream) -> usize {
        let mut found = Vec::new();
        mentioned(code, false, &Ident::new("most", Span::call_site()), &mut found);
        found.len()
    }

    #[test]
    fn variables_are_told_from_fields_and_shorthands() {
        assert_eq!(count(quote!({ output.len() <= most })), 1);
        assert_eq!(
            count(quote!({
                let it = f(most, &[most]);
                assert!(it == most);
                most
            })),
            4
        );
        assert_eq!(count(quote!({ output.most() + output.most })), 0);
        assert_eq!(count(quote!({ Limits { most, least: 2 } })), 0);
        assert_eq!(count(quote!({ Limits { least: 2, most } })), 0);
        assert_eq!(count(quote!({ Limits { most: most + 1, least: 2 } })), 1);
        assert_eq!(
            count(quote!({
                let most: usize = if even { most } else { most::of(1) };
            })),
            3
        );
        assert_eq!(
            count(quote!({
                let utmost = 1;
                "most"
            })),
            0
        );
    }
}
