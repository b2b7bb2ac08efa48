//! The attribute macros of `honeyhive-harness`: [`experiment`](macro@experiment),
//! [`evaluator`](macro@evaluator) and [`trace`](macro@trace).
//!
//! Use them from there; this crate is an implementation detail with the same version. The pages of
//! the macros are their manual.
//!
//! The module `attr` reads the tokens between the parentheses, `item` and `params` read the function,
//! `source` reads the file around it, `check` looks for what does not fit together, `expand` generates.
//! Every mistake is reported at its own token and none hides another; the function itself is always
//! given back, so that nothing else breaks. `HH_MACROS_DEBUG=1` in the environment of the compiler
//! prints what is generated.

mod attr;
mod check;
mod errors;
mod evaluator;
mod expand;
mod experiment;
mod ignore;
mod item;
mod params;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod trace;

use proc_macro::TokenStream;

/// Makes a function an experiment: it runs once for every datapoint of a dataset, and evaluators score
/// its return value.
///
/// ```ignore
/// use honeyhive_harness::{evaluator, experiment};
///
/// #[evaluator]
/// fn correct(output: &str, ground_truth: &str) -> bool {
///     output == ground_truth
/// }
///
/// #[experiment(
///     dataset = "data/sentences.jsonl",
///     evaluators(correct),
///     gate(mean(correct) >= 0.9, p95(latency) <= "2s"),
/// )]
/// async fn detect_language(text: &str) -> anyhow::Result<String> {
///     // the code under test
/// }
///
/// honeyhive_harness::main!();
/// ```
///
/// The function stays an ordinary function that can be called.
///
/// # The function
///
/// An experiment is a free function, sync or `async`, without generics and lifetimes. A sync function
/// runs on a thread where blocking is fine; the future of an `async` one must be `Send`.
///
/// It returns anything that implements `serde::Serialize`, or a `Result` of that with an error that
/// implements `Display` (the whole chain of an `anyhow::Error` is shown), also behind a type alias.
///
/// Its arguments come from the datapoint's `inputs`, by name:
///
/// | parameter | what it gets |
/// |---|---|
/// | `text: &str`, `list: &[T]`, `file: &Path` | the input of this name, borrowed from a `String`, `Vec<T>`, `PathBuf` |
/// | `message: &T` | the same, borrowed from a `T` |
/// | `number: T` | the same by value; `T: serde::Deserialize` |
/// | `Option<T>`, `Option<&str>`, `Option<&[T]>`, `Option<&Path>`, `Option<&T>` | `None` where the input is missing or null; anywhere else that is an error |
/// | `_text: &str` | one leading `_` does not belong to the name |
/// | `#[input("the-key")] key: T` | the input of another name, such as one that is not an identifier |
/// | `inputs: T` | the whole `inputs` object |
/// | `metadata: T` | the metadata of the row; an empty object where it has none |
/// | `history: Vec<Message>`, `&[T]`, `Option<..>` | the earlier messages of the row; empty, or `None`, where it has none |
/// | `tracer: &Tracer` | the tracer of this attempt |
///
/// A row may have an input named `metadata` or `history` instead, which is then read. A row that has
/// the name twice, within `inputs` and beside them, is an error: rename one of them, or read the input
/// by `#[input("history")]`.
///
/// Values that all cases share, such as a client or a pool of connections, are not parameters: keep them
/// in a `static` with `std::sync::LazyLock`, or `tokio::sync::OnceCell` where creating them is async.
///
/// `Option` is recognised by its name: behind a type alias it is a type like any other.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `dataset = "file"` | a `.jsonl`, `.json` or `.csv` file, relative to the `Cargo.toml` of the crate | needed |
/// | `dataset = path::to::function` | a function without arguments that returns datapoints, or a `Result` of them; the way to read any other format | |
/// | `evaluators(..)` | what scores the output, see below | needed, or `smoke` or a gate on `latency` or `error_rate` |
/// | `smoke` | nothing scores the output: a case passes when the function runs without an error, a panic and a timeout | |
/// | `require(..)` | what must hold in every attempt of every case, see below | none |
/// | `gate(..)` | what must hold for the whole suite, see below | none |
/// | `repeats = 3` | attempts per datapoint | 1 |
/// | `reduce(correct = at_least(2))` | how the attempts of a case become one score, see below | `mean` |
/// | `retries = 2` | further tries after an error | 0 |
/// | `concurrency = 8` | attempts at once | 16 |
/// | `timeout = "60s"` | the longest that one call of the function may take | 60 s |
/// | `name = "greeting"` | how the experiment and its tests are called: letters, digits, `_`, `.`, `-` | the function's name |
/// | `dataset_name = "greetings"` | how the dataset is called | the file's or function's name |
/// | `tags("nightly", "slow")` | recorded with the experiment, for reports | none |
/// | `metadata(model = MODEL, temperature = 0.7, prompt = prompt_version())` | what is recorded with the run: any expressions of types that implement `serde::Serialize`, or a `LazyLock` of one; evaluated once per run, before the first case | none |
/// | `track("prompts/*.md", "schema.json")` | files, relative to the `Cargo.toml` of the crate, whose changes a comparison names; each pattern must match | none |
/// | `baseline = "baselines/greeting.json"` | the accepted run that later ones are compared with | `baselines/<name>.json` beside the dataset |
/// | `cluster = "document"` | the key in the metadata of rows that says which cases belong together | none |
/// | `stop = decided` | starts no further case once the gate, whose rules are plain limits, can have no other verdict; cases then run in random order | all cases run |
/// | `crate = path` | the harness, where the crate knows it by another name | `::honeyhive_harness` |
///
/// `#[ignore]`, `#[ignore = "reason"]`, `#[cfg_attr(condition, ignore)]` and `#[cfg(..)]` on the
/// function mean what they mean on a test.
///
/// # Evaluators
///
/// An entry is a function with [`#[evaluator]`](macro@evaluator), by its path; with its settings by
/// name, if it has some; with an alias where one is used more than once:
///
/// ```text
/// evaluators(correct, checks::polite, long_enough(min = 3), strict = long_enough(min = 9))
/// ```
///
/// # Rules
///
/// `require(a, b >= 0.7)` is checked for every attempt: evaluator `a` must judge it good, and the number
/// of `b` must hold the limit.
///
/// `gate(..)` is checked for the suite. A rule is a measure, `>=` or `<=`, and a limit, on which a value
/// still holds:
///
/// ```text
/// gate(
///     mean(correct) >= 0.85,
///     mean(correct, slice = "length:long") >= 0.95,
///     confident(pass_rate(strict) >= 0.9),
///     p95(latency) <= "2s",
///     error_rate <= 0.05,
///     no_regression(correct, margin = 0.02, alpha = 0.05),
///     no_collapse(correct, alpha = 0.05),
/// )
/// ```
///
/// | part | choices |
/// |---|---|
/// | measure | `mean` `median` `min` `max` `p50` `p90` `p95` `p99` `stddev` `pass_rate` |
/// | of | an evaluator as `evaluators(..)` names it (alias, path, or last name of the path), or `latency` with a duration as limit |
/// | errors | `error_rate <= 0.05`, or `error_rate(slice = "..")`, without an evaluator |
/// | `min_n = 20` | in any rule: with fewer scores than this the rule is inconclusive, as in `mean(correct, min_n = 20) >= 0.9` |
/// | `slice = ".."` | only the cases with this `key:value` in their metadata, or with this tag |
/// | `confident(rule)` | the confidence bound must be on the right side of the limit, too |
/// | `not_worse(rule)` | fails only when it is confidently on the wrong side |
/// | `no_regression(a)` | the mean has not fallen below the baseline's by `margin` or more, in more than chance explains (`alpha`); `confirm = 2` looks again before it fails |
/// | `no_collapse(a)` | no more cases that always held in the baseline never hold now than chance explains (`alpha`) |
/// | `no_loss(a)` | no single case lost more of its attempts than chance explains, from a baseline of 8 attempts (`alpha`) |
/// | `no_worse_than(a, margin = 0.02)` | the mean has not surely fallen by more than the margin (`alpha`) |
/// | `non_inferior(a, margin = 0.02)` | the mean is shown not to have fallen by more than the margin (`alpha`) |
///
/// `confident` and `not_worse` go around `mean` and `pass_rate` of an evaluator and around `error_rate`.
/// `pass_rate(a)`, `no_collapse(a)`, `no_loss(a)` and `require(a)` need an evaluator that judges: one
/// that returns `bool`, or has a `threshold`. An evaluator may be named `latency`, `first_token`, `cost`
/// or `tokens`: then a rule about this name means the evaluator. No evaluator can be named `error_rate`.
///
/// `reduce(correct = at_least(2), close = median)` defines how the attempts of a case become one score:
/// `mean`, `median`, `min` or `max` of their scores, or of the good ones `at_least(k)` (1 or 0),
/// `pass_at(k)` (how probably one of `k` is good) or `pass_all(k)` (how probably all of `k` are).
///
/// # Limitations
///
/// - Associated functions cannot be experiments or evaluators. Write a free function that calls them.
/// - Experiments run where `main!()` runs them: in a test target with `harness = false`, and in the
///   libraries that it names. In a target with libtest each has a `#[test]` that fails and says so: in a
///   test target without `harness = false`, below `#[cfg(test)]` in a library, in a program. Examples and
///   document tests are compiled by `cargo test` but not run, without a warning; there is no warning about
///   an experiment inside of a function, or made by a `macro_rules!`, either.
/// - `#[test]` beside experiments, and above one, never runs in a target with `harness = false`, as rustc
///   takes such functions away. `main!()` looks for them in the files of the target and adds the test
///   `functions_that_never_run`, which fails and names them. It does not see those that macros make, and
///   leaves out a module that another file in `tests/` declares as well.
/// - A `#[cfg(..)]` on a parameter is not supported.
#[proc_macro_attribute]
pub fn experiment(attribute: TokenStream, item: TokenStream) -> TokenStream {
    shown(experiment::experiment(attribute.into(), item.into()))
}

/// Makes a function an evaluator, which scores the return value of an experiment's function.
///
/// ```ignore
/// use honeyhive_harness::{Score, Trace, evaluator};
///
/// /// Did it name the right language?
/// #[evaluator]
/// fn correct(output: &str, ground_truth: &str) -> bool {
///     output == ground_truth
/// }
///
/// /// Used as `long_enough(min = 3)`, or with another unit: `long_enough(min = 3, unit = "words")`.
/// #[evaluator(settings(min, unit = "characters"), threshold = 0.5)]
/// fn long_enough(output: &str, min: usize, unit: &str) -> f64 {
///     // ..
/// }
///
/// /// Only where the datapoint says what to find.
/// #[evaluator(range(0.0, 1.0))]
/// async fn grounded(output: Answer, sources: Option<Vec<String>>, trace: &Trace) -> Option<Score> {
///     let sources = sources?;
///     Some(Score::new(0.5).explanation("2 of 4 facts are in the sources"))
/// }
/// ```
///
/// The function stays an ordinary function that can be called.
///
/// # The function
///
/// An evaluator is a free function, sync or `async`, without generics and lifetimes. Its arguments come
/// by name:
///
/// | parameter | what it gets |
/// |---|---|
/// | `output` | what the experiment's function returned, written as JSON and read into the parameter's type |
/// | `ground_truth` | the datapoint's ground truth |
/// | `inputs`, `metadata` | the whole object of the datapoint |
/// | `history` | the earlier messages of the datapoint |
/// | `trace: &Trace` | the finished spans of the attempt |
/// | a setting | what `evaluators(..)` gives, see below |
/// | any other name | the input field of this name; `#[input("the-key")]` names another |
///
/// The types are those of [`#[experiment]`](macro@experiment): owned, or borrowed as `&str`, `&[T]`,
/// `&Path`, `&T`, or an `Option` of these for values that may be missing.
///
/// # What it returns
///
/// An evaluator returns `bool`, a number, `Score`, an `Option` of those (`None` means that the evaluator
/// does not apply here), or a `Result` of any of them, also behind a type alias. A `bool` decides
/// whether the case is good; a number does so only with a `threshold`, and else is measured and shown.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = ".."` | what its scores are reported as | the function's name |
/// | `threshold = 0.7` | from here on a score is good (down from here when minimizing); for a `bool`, the share of attempts that must be good | none; all for a `bool` |
/// | `direction = minimize` | less is better | `maximize` |
/// | `range(0.0, 5.0)` | any other value is an error of the evaluator; one beyond an end by rounding (`1e-9·max(1, \|end\|)`, for `f32` four of its steps) is that end | none |
/// | `settings(min, word = "x")` | the parameters that are settings, with the defaults of those that have one | none |
/// | `crate = path` | the harness, where the crate knows it by another name | `::honeyhive_harness` |
///
/// # Settings
///
/// A parameter listed in `settings(..)`, or marked `#[setting]`, is filled where an experiment uses the
/// evaluator. The value has the type of the parameter; a reference must be `&'static`, and a type that
/// is taken by value must be `Clone + Send + Sync`. A setting without a default has to be given, unless
/// it is an `Option`, which then is `None`.
///
/// Where the attribute itself stands in a `cfg_attr`, use `settings(..)`: rustc does not know
/// `#[setting]` while the macro is switched off. `#[cfg_attr(condition, input("the-key"))]` on a
/// parameter works with the same condition.
///
/// # What it generates
///
/// The macro adds a struct of the same name and visibility beside the function, with a field for each
/// setting, so that one `use` brings both. Hence:
///
/// - a module, type or crate of the same name in the same place clashes with it,
/// - links in documentation have to say which is meant: ``[`correct()`]``.
///
/// An evaluator that no experiment uses is reported by rustc as a function that is never used.
#[proc_macro_attribute]
pub fn evaluator(attribute: TokenStream, item: TokenStream) -> TokenStream {
    shown(evaluator::evaluator(attribute.into(), item.into()))
}

/// Makes every call of a function a span of the current attempt, with its arguments, return value,
/// duration and error.
///
/// ```ignore
/// use honeyhive_harness::trace;
///
/// #[trace]
/// fn search(query: &str, limit: usize) -> Vec<String> {
///     // ..
/// }
///
/// #[trace(event_type = "model", name = "ask the model", skip(key))]
/// async fn complete(prompt: &str, key: &str) -> anyhow::Result<String> {
///     // ..
/// }
/// ```
///
/// The attempt is found in the OpenTelemetry context. Outside of one, in production, the function runs
/// as it would without the attribute, and nothing is recorded.
///
/// # The function
///
/// The attribute can be used on any function: free, associated or a method, sync or `async`, generic,
/// with `impl Trait`, in a trait or its implementation; but not a `const fn`. It requires nothing of the
/// types.
///
/// The span of an `async fn` opens when it is first polled, and is the current one whenever it is
/// polled, on whichever thread. A function that returns `impl Future` or
/// `Pin<Box<dyn Future>>`, as `#[async_trait]` makes it, has a span from the call until the future is
/// done. A task that is spawned inside does not inherit the context.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `event_type = "model"` | what kind of work it is: `model`, `tool` or `chain` | `tool` |
/// | `name = "ask the model"` | the name of the span | module path and function, `my_app::search` |
/// | `skip(key, client)` | arguments that are not recorded | none |
/// | `crate = path` | the harness, where the crate knows it by another name | `::honeyhive_harness` |
///
/// # The span
///
/// | attribute | value |
/// |---|---|
/// | `honeyhive_event_type` | as above |
/// | `honeyhive_event_name` | the `name`, where there is one |
/// | `honeyhive_inputs.<parameter>` | a number, a text, `true` or `false` as such, anything else as JSON text; a leading `_` does not belong to the name; of a pattern, every name in it |
/// | `honeyhive_outputs.result` | what was returned; one attribute per field of an object and element of a list, as in `.result.answer.0`, and none for null |
/// | `honeyhive_duration_ms` | a number |
/// | `honeyhive_error`, `error.type` | of an `Err`: its text, with the whole chain of an `anyhow::Error`, and its type; of a panic: its text, and `panic` |
/// | `honeyhive_cancelled` | `true` where a future was dropped before it was done |
/// | `honeyhive_truncated` | `true` where a text was longer than 64 KiB, or the values were more than 512 |
///
/// An error is also the status of the span and an `exception` event. `self`, and a parameter whose
/// type is named `Tracer`, are never recorded.
///
/// A value is recorded as JSON where its type is `serde::Serialize`, else as its `Debug` text, else
/// by the name of its type. An error is recorded by `Display`, else by `Debug`. In a generic function
/// that is decided by the bounds: a `T` without any is recorded by its name, whatever it is in a
/// call.
///
/// # Limitations
///
/// - The value of `-> impl Trait` is recorded as it is written, unless the trait is `Future`.
/// - In a function with `#[track_caller]`, `Location::caller()` is a place in the function itself.
/// - Where an attribute of another crate rewrites the function, the attribute further up comes first.
#[proc_macro_attribute]
pub fn trace(attribute: TokenStream, item: TokenStream) -> TokenStream {
    shown(trace::trace(attribute.into(), item.into()))
}

/// Lists the functions of the target that libtest would run, where there is no libtest: for `main!()`.
#[doc(hidden)]
#[proc_macro]
pub fn __never_run(_: TokenStream) -> TokenStream {
    let found = source::target::target().map(source::target::Target::never_run).unwrap_or_default();
    let found = found.iter().map(|function| {
        let source::target::NeverRun { name, file, line, is_experiment } = function;
        quote::quote!((#name, #file, #line, #is_experiment))
    });
    quote::quote!(&[#(#found),*]).into()
}

/// Returns the expansion, and prints it on stderr when `HH_MACROS_DEBUG=1` is set.
#[allow(clippy::print_stderr)]
fn shown(expansion: proc_macro2::TokenStream) -> TokenStream {
    if std::env::var_os("HH_MACROS_DEBUG").is_some_and(|value| value == "1") {
        eprintln!("{expansion}");
    }
    expansion.into()
}
