//! The attribute macros of `honeyhive-harness`.

mod attr;
mod check;
mod errors;
mod evaluator;
mod expand;
mod experiment;
mod ignore;
mod item;
mod params;
mod suggest;
mod text;

use proc_macro::TokenStream;

/// Makes a function an experiment.
#[proc_macro_attribute]
pub fn experiment(attribute: TokenStream, item: TokenStream) -> TokenStream {
    shown(experiment::experiment(attribute.into(), item.into()))
}

/// Makes a function an evaluator.
#[proc_macro_attribute]
pub fn evaluator(attribute: TokenStream, item: TokenStream) -> TokenStream {
    shown(evaluator::evaluator(attribute.into(), item.into()))
}

/// The expansion, also on stderr when `HH_MACROS_DEBUG=1` asks for it.
#[allow(clippy::print_stderr)]
fn shown(expansion: proc_macro2::TokenStream) -> TokenStream {
    if std::env::var_os("HH_MACROS_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}");
    }
    expansion.into()
}
