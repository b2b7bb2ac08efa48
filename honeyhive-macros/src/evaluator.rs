//! Expands `#[evaluator]`, from tokens to tokens.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ReturnType, Type};

use crate::attr::evaluator::{Options, reserved};
use crate::check::{function, reach};
use crate::errors::Errors;
use crate::expand::companion::Setting;
use crate::expand::editor;
use crate::expand::evaluator::{Evaluator, expand, fallback};
use crate::experiment::given_back;
use crate::item::{Function, Item, read};
use crate::params::{self, Parameter, arguments, last_segment};
use crate::source::target;
use crate::{suggest, text};

/// Expands the macro; returns the item and the mistakes where there are any.
pub(crate) fn evaluator(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut function = match read(item.clone()) {
        Ok(Item::Function(function)) => function,
        Ok(Item::Other(keyword, what)) => {
            errors
                .at(keyword, format_args!("`#[evaluator]` goes on a function, and this is {what}"));
            return given_back(item, errors);
        }
        Err(error) => {
            errors.push(error);
            return given_back(item, errors);
        }
    };
    let options = Options::read(attribute, &mut errors);
    // The hash includes the attributes of parameters, which change what is scored.
    let source_hash = text::hash(function.source());
    let parameters = params::take(&mut function, &mut errors);
    let settings = settings(&parameters, &options, &mut errors);
    // The result of another attribute is reported by that attribute.
    if !function::other_attributes(&mut function, "evaluator", &mut errors) {
        function::check(&function, "evaluator", &mut errors);
        reach::associated(&function, "evaluator", &mut errors);
        for parameter in &parameters {
            let is_setting =
                settings.iter().any(|setting| setting.parameter.ident == parameter.ident);
            check_parameter(parameter, is_setting, &mut errors);
        }
        check_return(&function, &options, &mut errors);
    }
    check_name(&function, &options, &mut errors);
    if editor::is_caller() {
        let names = function::method(&function.sig)
            .is_none()
            .then(|| editor::evaluator(&function, &settings, &options));
        return given_back(quote!(#function #names), errors);
    }
    if !errors.is_empty() {
        let is_associated = function::method(&function.sig).is_some()
            || target::place().is_some_and(|(_, _, context)| context.in_impl);
        let fallback = (!is_associated).then(|| fallback(&function, &settings, &options));
        return given_back(quote!(#function #fallback), errors);
    }
    let generated = expand(&Evaluator {
        function: &function,
        parameters: &parameters,
        settings,
        options: &options,
        source_hash,
    });
    quote!(#function #generated)
}

/// Returns the parameters that `#[setting]` or `settings(..)` marks, in the order of the function.
fn settings<'a>(
    parameters: &'a [Parameter],
    options: &'a Options,
    errors: &mut Errors,
) -> Vec<Setting<'a>> {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for (i, listed) in options.settings.iter().enumerate() {
        let name = text::unraw(&listed.ident);
        if options.settings[..i].iter().any(|other| text::unraw(&other.ident) == name) {
            errors.at(&listed.ident, format_args!("the setting `{name}` is listed twice"));
        } else if !names.contains(&name.as_str()) {
            let hint = match suggest::closest(&name, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add one, `{name}: ..`, or remove it here"),
            };
            errors
                .at(&listed.ident, format_args!("the function has no parameter `{name}`; {hint}"));
        }
    }
    let mut settings = Vec::new();
    for parameter in parameters {
        let listed =
            options.settings.iter().find(|listed| text::unraw(&listed.ident) == parameter.name);
        if let (Some(_), Some(listed)) = (parameter.setting, listed) {
            errors.at(
                &listed.ident,
                format_args!(
                    "the setting `{}` is marked twice: here and by `#[setting]`",
                    parameter.name
                ),
            );
        }
        if let (Some(key), Some(_)) = (&parameter.input, listed) {
            errors.at(key, "a setting comes from `evaluators(..)`, not from the inputs");
        }
        if parameter.setting.is_some() || listed.is_some() {
            settings.push(Setting { parameter, default: listed.and_then(|s| s.default.as_ref()) });
        }
    }
    settings
}

fn check_parameter(parameter: &Parameter, is_setting: bool, errors: &mut Errors) {
    let Parameter { ident, name, ty, .. } = parameter;
    if is_setting {
        if matches!(
            name.as_str(),
            "output" | "ground_truth" | "inputs" | "metadata" | "history" | "trace"
        ) {
            errors.at(
                ident,
                format_args!("`{name}` is part of what is judged; give the setting another name"),
            );
        }
        return function::parameter_type(parameter, true, errors);
    }
    let named = parameter.input.is_none().then_some(name.as_str());
    let is_trace = matches!(params::plain(ty), Type::Reference(reference)
        if reference.mutability.is_none() && last_segment(&reference.elem).is_some_and(|last| last == "Trace"));
    let meant = match named {
        Some("outputs") => Some("output"),
        Some("expected" | "ground_truths") => Some("ground_truth"),
        _ => None,
    };
    match (named, meant) {
        (_, Some(meant)) => errors.at(
            ident,
            format_args!("did you mean `{meant}`? an input of this name is taken by `#[input(\"{name}\")]`"),
        ),
        (Some("trace"), _) if !is_trace => errors.at(
            ty,
            "`trace` is the trace of the attempt: take `&Trace`, or name an input of that name by `#[input(\"trace\")]`",
        ),
        (Some("trace"), _) => {}
        _ if is_trace => errors.at(ident, "the trace of the attempt is passed as `trace: &Trace`"),
        _ => function::parameter_type(parameter, false, errors),
    }
}

fn check_name(function: &Function, options: &Options, errors: &mut Errors) {
    if options.name.is_none()
        && let Some(text) = reserved(&text::unraw(&function.sig.ident))
    {
        errors.at(&function.sig.ident, text);
    }
}

fn check_return(function: &Function, options: &Options, errors: &mut Errors) {
    let ty = match &function.sig.output {
        ReturnType::Type(_, ty) => params::plain(ty),
        ReturnType::Default => {
            return errors.at(
                &function.sig.ident,
                "an evaluator returns a score: `bool`, a number, `Score`, an `Option` of those, or a `Result` of any of them",
            );
        }
    };
    let Some(threshold) = &options.threshold else { return };
    if options.range.is_none() && is_bool(ty) && !(0.0..=1.0).contains(&threshold.value) {
        errors.at(
            &threshold.tokens,
            "a `bool` counts as 0 or 1, so its threshold lies between 0 and 1: the share of attempts that must be good",
        );
    }
}

fn is_bool(ty: &Type) -> bool {
    match params::plain(ty) {
        Type::Path(path) if path.path.is_ident("bool") => true,
        ty => ["Option", "Result"]
            .iter()
            .filter_map(|wrapper| arguments(ty, wrapper)?.next())
            .any(is_bool),
    }
}
