//! Expands `#[experiment]`, from tokens to tokens.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::attr::experiment::{Options, reserved};
use crate::check::{function, reach, rules, stop};
use crate::errors::Errors;
use crate::expand::editor;
use crate::expand::experiment::{Experiment, expand};
use crate::ignore::Ignore;
use crate::item::{Function, Item, read};
use crate::params::{self, Parameter, last_segment};
use crate::text;

/// Expands the macro; returns the item and the mistakes where there are any.
pub(crate) fn experiment(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut function = match read(item.clone()) {
        Ok(Item::Function(function)) => function,
        Ok(Item::Other(keyword, what)) => {
            errors.at(
                keyword,
                format_args!("`#[experiment]` goes on a function, and this is {what}"),
            );
            return given_back(item, errors);
        }
        Err(error) => {
            errors.push(error);
            return given_back(item, errors);
        }
    };
    let options = Options::read(attribute, &mut errors);
    let ignore = Ignore::take(&mut function.attrs, &mut errors);
    let parameters = params::take(&mut function, &mut errors);
    // The effect of another attribute on the parameters is reported by that attribute.
    if !function::other_attributes(&mut function, "experiment", &mut errors) {
        function::check(&function, "experiment", &mut errors);
        reach::associated(&function, "experiment", &mut errors);
        for parameter in &parameters {
            check_parameter(parameter, &mut errors);
        }
    }
    check_name(&function, &options, &mut errors);
    let names = rules::Names::new(&options);
    let (require, gates) = rules::check(&options, &names, &mut errors);
    let reducers = rules::reducers(&options, &names, &mut errors);
    stop::check(&options, &gates, &mut errors);
    if editor::is_caller() {
        let button = editor::run_button();
        let names = editor::experiment(&function, &options, &names);
        return given_back(quote!(#button #function #names), errors);
    }
    reach::evaluators(&options, &mut errors);
    reach::main(&mut errors);
    if !errors.is_empty() {
        return given_back(function, errors);
    }
    let generated = expand(&Experiment {
        function: &function,
        parameters: &parameters,
        options: &options,
        require: &require,
        gates: &gates,
        reducers: &reducers,
        ignore: &ignore,
    });
    quote!(#function #generated)
}

/// Returns the item as it was, so that nothing else breaks, and the mistakes.
pub(crate) fn given_back(item: impl ToTokens, errors: Errors) -> TokenStream {
    let errors = errors.into_tokens();
    let mut out = item.into_token_stream();
    out.extend(errors);
    out
}

fn check_name(function: &Function, options: &Options, errors: &mut Errors) {
    if options.name.is_none()
        && let Some(text) = reserved(&text::unraw(&function.sig.ident))
    {
        errors.at(&function.sig.ident, text);
    }
}

fn check_parameter(parameter: &Parameter, errors: &mut Errors) {
    let Parameter { ident, name, ty, .. } = parameter;
    if parameter.setting.is_some() {
        return errors.at(ident, "settings belong to evaluators; an experiment reads its inputs");
    }
    let named = parameter.input.is_none().then_some(name.as_str());
    let is_tracer = matches!(params::plain(ty), Type::Reference(reference)
        if reference.mutability.is_none() && last_segment(&reference.elem).is_some_and(|last| last == "Tracer"));
    match named {
        Some("tracer") if !is_tracer => errors.at(
            ty,
            "`tracer` is the tracer of the attempt: take `&Tracer`, or name an input of that name by `#[input(\"tracer\")]`",
        ),
        Some("tracer") => {}
        Some("ground_truth" | "expected" | "output") => errors.at(
            ident,
            format_args!("an experiment sees only the inputs; take `{name}` in an evaluator, or name an input of that name by `#[input(\"{name}\")]`"),
        ),
        _ if is_tracer => errors.at(ident, "the tracer of the attempt is passed as `tracer: &Tracer`"),
        _ => function::parameter_type(parameter, false, errors),
    }
}
