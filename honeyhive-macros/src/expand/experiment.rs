//! Generates the code of `#[experiment]`: the record that the harness finds, and the function that
//! runs one call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ReturnType;
use syn::spanned::Spanned;

use super::arguments::{Arguments, Filling, local};
use super::{Root, generated, option, rules, uses};
use crate::attr::experiment::{Dataset, Options};
use crate::check::rules::{Checks, Of, Reducer, Requirement, Rule, Test};
use crate::check::{reach, stop};
use crate::ignore::Ignore;
use crate::item::Function;
use crate::params::Parameter;
use crate::text;

/// The parsed parts of an experiment without mistakes.
pub(crate) struct Experiment<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: &'a [Parameter],
    pub(crate) options: &'a Options,
    pub(crate) require: &'a [Requirement],
    pub(crate) gates: &'a [Rule],
    pub(crate) reducers: &'a [Reducer],
    pub(crate) ignore: &'a Ignore,
}

/// Returns the code that is generated beside the function.
pub(crate) fn expand(experiment: &Experiment<'_>) -> TokenStream {
    let Experiment { function, options, .. } = experiment;
    let root = Root::new(options.root.as_ref());
    let p = root.private();
    let beside = function.beside();
    let arguments = Arguments::new(&root, &fillings(experiment.parameters));
    let params = &arguments.params;
    let (run, runner) = run(&root, function, &arguments);
    let (load, dataset) = dataset(&root, options);
    let evaluators =
        options.evaluators.iter().zip(experiment.reducers).enumerate().map(
            |(i, (used, reducer))| uses::expand(&root, i, used, &rules::reducer(&root, reducer)),
        );
    let constants = (0..options.evaluators.len()).map(|i| uses::constant(i, Span::mixed_site()));
    let distinct = uses::distinct(&root, &options.evaluators);
    let require = experiment.require.iter().map(|rule| rules::requirement(&root, rule));
    let gates = experiment.gates.iter().map(|rule| rules::gate(&root, rule));
    let checks = checks(&root, experiment);
    let name = text::unraw(&function.sig.ident);
    let shown = options.name.as_ref().map_or(name.clone(), syn::LitStr::value);
    let dataset_name = option(options.dataset_name.as_ref());
    let timeout_ms = option(options.timeout_ms);
    let concurrency = option(options.concurrency);
    let repeats = options.repeats.unwrap_or(1);
    let retries = options.retries.unwrap_or(0);
    let (tags, track) = (&options.tags, &options.track);
    let baseline = option(options.baseline.as_ref());
    let cluster = option(options.cluster.as_ref());
    let stop = option(options.stop.as_ref().map(|_| quote!(#p::Stop::Decided)));
    let metadata = options.metadata.iter().map(|(key, value)| metadata(&root, key, value));
    let ignore = experiment.ignore.to_tokens();
    let never_runs = never_runs(&root, function);
    quote! {
        #never_runs

        #beside
        const _: () = {
            const __HH_PARAMS: &[#p::Param] = &[#(#params),*];
            #run
            #load
            #(#evaluators)*
            #distinct
            #checks
            #p::inventory::submit! {
                #p::Experiment {
                    name: #shown,
                    function: #name,
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
                    package: ::core::env!("CARGO_PKG_NAME"),
                    dataset: #dataset,
                    dataset_name: #dataset_name,
                    params: __HH_PARAMS,
                    runner: #runner,
                    evaluators: &[#(#constants),*],
                    require: &[#(#require),*],
                    gates: &[#(#gates),*],
                    repeats: #repeats,
                    timeout_ms: #timeout_ms,
                    retries: #retries,
                    concurrency: #concurrency,
                    tags: &[#(#tags),*],
                    metadata: &[#(#metadata),*],
                    track: &[#(#track),*],
                    baseline: #baseline,
                    cluster: #cluster,
                    stop: #stop,
                    ignore: #ignore,
                }
            }
        };
    }
}

/// Returns a `#[test]` that fails, where rustc makes a binary that runs tests but no experiments.
fn never_runs(root: &Root, function: &Function) -> TokenStream {
    let name = text::unraw(&function.sig.ident);
    let Some(text) = reach::never_runs(&name) else { return TokenStream::new() };
    let p = root.private();
    let beside = function.beside();
    let test = format_ident!("{name}_did_not_run", span = generated(function.sig.ident.span()));
    quote! {
        #beside
        #[cfg(test)]
        #[::core::prelude::v1::test]
        fn #test() {
            #p::did_not_run(#text);
        }
    }
}

fn fillings(parameters: &[Parameter]) -> Vec<(&Parameter, Filling)> {
    let call = local("__hh_call");
    parameters
        .iter()
        .map(|parameter| {
            let filling = match (&parameter.input, parameter.name.as_str()) {
                (Some(key), _) => Filling::Field(quote!(Input(#key))),
                (None, "inputs") => Filling::Field(quote!(Inputs)),
                (None, "metadata") => Filling::Field(quote!(Metadata)),
                (None, "history") => Filling::Field(quote!(History)),
                (None, "tracer") => Filling::Borrowed(quote!(&#call.tracer)),
                (None, name) => Filling::Field(quote!(Input(#name))),
            };
            (parameter, filling)
        })
        .collect()
}

/// Returns a key of the metadata, and the function that evaluates its expression.
fn metadata(root: &Root, key: &str, value: &TokenStream) -> TokenStream {
    let span = generated(value.span());
    let p = root.private_at(span);
    let given = Ident::new("__hh_value", span);
    let kinds = quote!(use #p::{LazyKind as _, PlainKind as _};);
    // A `match` keeps the temporary values of the expression until they are written.
    let read = quote_spanned!(span=> match &(#value) { #given => #given.__kind().json(#given) });
    quote!((#key, || { #kinds #read }))
}

/// Returns the function that reads the arguments, calls, and writes the output; and the `Runner`.
fn run(root: &Root, function: &Function, arguments: &Arguments) -> (TokenStream, TokenStream) {
    let p = root.private();
    let (reads, passed) = (&arguments.reads, &arguments.passed);
    let name = called(function);
    let call = local("__hh_call");
    let fields = (!reads.is_empty()).then(|| {
        let fields = local("__hh_fields");
        quote!(let #fields = #call.fields();)
    });
    // An error about the return type is shown at the return type.
    let place = match &function.sig.output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let returned = Ident::new("__hh_returned", place);
    let written = quote_spanned!(generated(place)=> (&#returned).__kind().json(#returned));
    let output = quote!(::core::result::Result<#p::Value, #p::Fault>);
    let kinds = quote!(use #p::{ResultKind as _, ValueKind as _};);
    if function.sig.asyncness.is_some() {
        let run = local("__hh_run");
        let awaited = awaited(&name, passed);
        (
            quote! {
                async fn #run(#call: #p::Call) -> #output {
                    #kinds
                    #fields
                    #(#reads)*
                    let #returned = #awaited;
                    #written
                }
            },
            quote!(#p::Runner::Async(|#call| ::std::boxed::Box::pin(#run(#call)))),
        )
    } else {
        (
            quote! {
                fn __hh_run(#call: &#p::Call) -> #output {
                    #kinds
                    #fields
                    #(#reads)*
                    let #returned = #name(#(#passed),*);
                    #written
                }
            },
            quote!(#p::Runner::Sync(__hh_run)),
        )
    }
}

/// Returns the code that calls an async function and awaits it.
///
/// The future must be able to move between threads. That is required here, so that rustc shows the
/// function and names it, and not the code that is generated around it.
pub(crate) fn awaited(name: &Ident, passed: &[TokenStream]) -> TokenStream {
    let future = local("__hh_future");
    let boxed =
        quote_spanned!(generated(name.span())=> ::std::boxed::Box::pin(#name(#(#passed),*)));
    quote! {
        {
            let #future: ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = _> + ::core::marker::Send + '_
            >> = #boxed;
            #future.await
        }
    }
}

/// Returns the function's name for a call that lints take for generated.
pub(crate) fn called(function: &Function) -> Ident {
    let mut name = function.sig.ident.clone();
    name.set_span(generated(name.span()));
    name
}

/// Returns the function that loads the rows, if there is one, and the `Source`.
fn dataset(root: &Root, options: &Options) -> (TokenStream, TokenStream) {
    let p = root.private();
    match &options.dataset {
        None => (TokenStream::new(), TokenStream::new()),
        Some(Dataset::File(file)) => (TokenStream::new(), quote!(#p::Source::File(#file))),
        Some(Dataset::ManagedId(id)) => {
            (TokenStream::new(), quote!(#p::Source::Managed(#p::Managed::Id(#id))))
        }
        Some(Dataset::ManagedName(name)) => {
            (TokenStream::new(), quote!(#p::Source::Managed(#p::Managed::Name(#name))))
        }
        Some(Dataset::Function(path)) => {
            let shown = text::of_type(path);
            let span = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
            let rows = Ident::new("__hh_rows", span);
            let body = quote_spanned! {generated(span)=>
                let #rows = #path();
                (&#rows).__kind().datapoints(#rows)
            };
            (
                quote! {
                    fn __hh_load() -> #p::LoadedRows {
                        use #p::{ResultKind as _, ValueKind as _};
                        #body
                    }
                },
                quote!(#p::Source::Function { path: #shown, load: __hh_load }),
            )
        }
    }
}

fn checks(root: &Root, experiment: &Experiment<'_>) -> TokenStream {
    let require = experiment.require.iter().map(|rule| {
        rules::checks(root, rule.evaluator, rule.limit.map(|(_, limit)| limit), &rule.checks)
    });
    let gates = experiment.gates.iter().map(|rule| match (&rule.of, &rule.test) {
        (Of::Evaluator(index), Test::Limit { limit, .. }) => {
            rules::checks(root, *index, Some(*limit), &rule.checks)
        }
        (Of::Evaluator(index), Test::Against { margin, .. }) => {
            rules::checks(root, *index, *margin, &rule.checks)
        }
        (Of::Latency | Of::Errors, _) => TokenStream::new(),
    });
    let reducers = experiment.reducers.iter().enumerate().map(|(index, reducer)| {
        let checks = Checks { judge: reducer.judge.clone(), ..Checks::default() };
        rules::checks(root, index, None, &checks)
    });
    let bounded = experiment.options.stop.as_ref().and_then(|place| {
        let evaluators = stop::bounded(experiment.options, experiment.gates)?;
        let span = place.span();
        let p = root.private_at(span);
        let used = evaluators.iter().map(|index| uses::constant(*index, span));
        Some(quote_spanned!(span=> const _: () = #p::require_bounded(&[#(#used.info),*]);))
    });
    require.chain(gates).chain(reducers).chain(bounded).collect()
}
