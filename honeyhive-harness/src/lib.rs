//! Runs experiments as `cargo test`: datasets, evaluators, gates and traces for code that calls an
//! LLM.
//!
//! Put [`#[experiment]`](macro@experiment) on a function and [`#[evaluator]`](macro@evaluator) on
//! the checks of its output. `cargo test` then runs every datapoint of the dataset as a test case
//! under its own isolated OpenTelemetry tracer and scores it, and the scores decide whether the
//! test passes. Every result is on disk before its case is reported. Without a key nothing leaves
//! the machine.
//!
//! # A first experiment
//!
//! `Cargo.toml`:
//!
//! ```toml
//! [dev-dependencies]
//! honeyhive-harness = { path = "../honeyhive-rust/honeyhive-harness" } # a clone of the repository
//!
//! [[test]]
//! name = "evals"
//! harness = false
//! ```
//!
//! `data/capitals.jsonl`, one datapoint per line:
//!
//! ```json
//! {"id": "fr", "inputs": {"country": "France"}, "ground_truth": "Paris"}
//! ```
//!
//! `tests/evals.rs`:
//!
//! ```
//! use honeyhive_harness::{evaluator, experiment};
//!
//! /// Did it name the right city?
//! #[evaluator]
//! fn correct(output: &str, ground_truth: &str) -> bool {
//!     output == ground_truth
//! }
//!
//! #[experiment(
//!     dataset = "data/capitals.jsonl",
//!     evaluators(correct),
//!     gate(mean(correct) >= 0.9),
//! )]
//! fn capital_of(country: &str) -> Result<String, String> {
//!     // the code under test
//!     # let _ = country;
//!     Ok("Paris".to_owned())
//! }
//!
//! # mod target { // `main!()` makes the `main` of a test target
//! honeyhive_harness::main!();
//! # }
//! ```
//!
//! `cargo test --test evals` runs it; `cargo test --test evals -- --exact capital_of::fr` runs
//! one case, `.. -- --exact capital_of` all cases of one experiment and its gate.
//!
//! # Functions
//!
//! An experiment is a free function, sync or async, and remains callable as usual. Its arguments
//! come from the datapoint's `inputs` by name:
//!
//! | parameter | gets |
//! |---|---|
//! | `question: &str`, `words: &[String]`, `file: &Path`, `hint: Option<&str>` | borrowed from an owned value |
//! | `n: u32`, `order: Order`, `order: &Order` | anything that is `serde::Deserialize` |
//! | `_question` | `question`: one leading underscore is stripped |
//! | `#[input("due-date")] due: &str` | the input of that name |
//! | `inputs: T` | the whole `inputs` object |
//! | `tracer: &Tracer` | the [`Tracer`] of this attempt |
//!
//! A missing or null value for anything but an `Option` is an error of the case. The function
//! returns anything that is `serde::Serialize`, or a `Result` of it with any error that can be
//! displayed. Sync functions run on a blocking thread and may start their own runtime.
//!
//! # Evaluators
//!
//! The parameters of an evaluator say by their names what it gets: `output`, `ground_truth`,
//! `inputs`, `metadata`, `trace: &Trace` ([the spans](Trace) of the attempt); any other name is an
//! input. The output is passed as JSON and read into the type of the parameter. An evaluator
//! returns `bool`, a number, a [`Score`] (value, label, explanation, metadata), an `Option` of
//! those (`None`: does not apply here), or a `Result`. Settings are parameters that are set where
//! the evaluator is used:
//!
//! ```
//! use honeyhive_harness::{evaluator, experiment};
//!
//! #[evaluator]
//! fn at_most(output: &str, #[setting] characters: usize) -> bool {
//!     output.chars().count() <= characters
//! }
//!
//! #[evaluator(threshold = 0.7)]
//! fn coverage(output: &str, keywords: Vec<String>) -> f64 {
//!     let found = keywords.iter().filter(|word| output.contains(word.as_str())).count();
//!     found as f64 / keywords.len().max(1) as f64
//! }
//!
//! #[experiment(
//!     dataset = "data/articles.jsonl",
//!     evaluators(at_most(characters = 280), strict = at_most(characters = 140), coverage),
//!     gate(mean(strict) >= 0.5),
//! )]
//! async fn summarise(article: String) -> Result<String, std::io::Error> {
//!     # let _ = article;
//!     // ..
//!     # Ok(String::new())
//! }
//! ```
//!
//! # From scores to test outcomes
//!
//! 1. A boolean score decides its case, and so does a number with a `threshold`; any other number
//!    is only measured. With `repeats` the mean of the case is judged (a boolean needs 1.0 unless
//!    it has a `threshold`); `require(..)` looks at every attempt.
//! 2. A case fails when a score is not good enough, when its function returns an error, panics or
//!    times out, or when an evaluator fails (NaN, infinity and values outside `range` are errors).
//!    An error never counts as a score of 0 and is never left out silently: every mean is shown
//!    with its n.
//! 3. An evaluator that is named in a rule of `gate(..)` with a limit no longer decides cases; the
//!    gate does (a rule with a `slice` takes over only the cases of its slice; `error_rate` takes
//!    over errors). A miss is then shown in the summary only. Rules that compare with the baseline
//!    do not take over any cases. With fewer than 95 % of the cases scored, a gate is inconclusive.
//! 4. Where the gate does not judge, because a filter, `--exact` or `--skip` left out some cases or
//!    the gate itself, a case with a miss fails although the gate would decide about it, so that
//!    the printed rerun command shows the miss. In CI a sample (`HH_SAMPLE`) does the same;
//!    elsewhere its misses are only shown.
//! 5. An experiment with gates has a test `experiment::gate`, which judges full selections, is
//!    ignored with the reason in partial ones, and runs the whole experiment when it is selected
//!    alone. An inconclusive gate is ignored locally and fails in CI or with `HH_REQUIRE_GATES=1`.
//!    CI is recognised by `CI` (`false` and `0` mean no) and by the variables of common services
//!    (`TF_BUILD`, `JENKINS_URL` ..); `HH_REQUIRE_GATES=0` overrides that, too.
//! 6. A run that tests nothing fails: no linked experiment (under nextest the test
//!    `no_experiment_is_linked` reports it), an empty dataset, or no case with a score; so does a
//!    test that `--exact` names and its experiment does not have. A filter that matches nothing in
//!    this target is a note, as it may match tests of other targets. An experiment without
//!    evaluators does not compile, unless it has the option `smoke`: then the check is that it runs
//!    without an error, a panic or a timeout.
//! 7. Before the first case, every selected row is checked against the names that the function and
//!    its evaluators read. An evaluator that can read none of the first five outputs stops the
//!    experiment.
//!
//! # Gates
//!
//! `gate(mean(correct) >= 0.9, pass_rate(grounded) >= 0.95, p95(latency) <= "2s")`
//!
//! | | |
//! |---|---|
//! | measures | `mean median min max p50 p90 p95 p99 stddev pass_rate` of an evaluator; all but `pass_rate` of `latency`; `error_rate` |
//! | slices | `mean(correct, slice = "lang:de")`: metadata `lang` is `de`, or a tag of that text |
//! | `min_n = 20` | in any rule, as in `mean(correct, min_n = 20) >= 0.9`: with fewer scores the rule is inconclusive |
//! | `confident(mean(correct) >= 0.9)` | the one-sided 95 % bound must hold |
//! | `not_worse(mean(correct) >= 0.9)` | fails only when even the other bound does not hold |
//! | `no_regression(correct, margin = 0.02, alpha = 0.05)` | not worse than the accepted baseline; `confirm = 2` looks twice before it fails |
//! | `no_collapse(correct, alpha = 0.05)` | fails if cases that passed every attempt in the baseline now fail every attempt, and more of them than chance explains |
//! | `no_loss(correct, alpha = 0.05)` | fails if a single case lost more of its attempts than chance explains; takes a baseline of 8 attempts |
//! | `no_worse_than(correct, margin = 0.02)` | fails only when the loss is surely larger than the margin |
//! | `non_inferior(correct, margin = 0.02)` | holds only when the loss is shown to be smaller than the margin |
//! | `coverage = 0.9` | in any comparison with the baseline: the share of the cases that must be comparable, 0.95 by default |
//!
//! The datapoint is the unit: attempts are averaged first. Only percentiles and extremes of
//! latency, which is the time of the function alone, are taken over attempts. Quantiles are
//! nearest-rank. A verdict shows value, n, the 95 % interval (Wilson's where every score is 0 or 1,
//! else Student's t) and the worst three cases. `reduce(correct = at_least(2))` makes one score of
//! attempts in another way; `cluster = "document"` groups cases into clusters; `stop = decided`
//! ends a run as soon as its gate [can come to no other
//! verdict](how_gates_decide#stopping-once-it-is-decided). [`how_gates_decide`] explains each rule:
//! its formula, the changes that it can detect, its rate of false alarms, and when to use it.
//!
//! # Datasets
//!
//! `dataset = "file"` names a `.jsonl`, `.json` or `.csv` file relative to the manifest of the
//! function's crate, `dataset = path::to::function` a function that returns an iterator (or a
//! `Result` of one) of [`Datapoint`]s. A row is
//! `{"id", "inputs": {..}, "ground_truth", "metadata", "tags", "history"}`, or flat, where every
//! other key is an input. Without an `id` a row is named by a hash of its inputs, so that no name
//! changes when a row is inserted or a label is corrected. A parameter `history` or `metadata`
//! reads that field of the row. A bad row is a failing case `line-17`; a fault of the whole file is
//! one failing case `experiment::dataset`. No part of a file is ignored silently:
//!
//! - A key that is repeated in one object, or a column that is repeated in a header, is an error.
//!   So is a key that differs from a known one only in case, blanks, `-` or `_` (`ID`,
//!   `Ground Truth`), and one that resembles the name of an `Option` parameter that the row lacks.
//! - An `id` that is a number keeps its digits as they are written. Two rows with the same id in
//!   HoneyHive are an error: an id that begins with `EXT-` stays as it is, any other becomes
//!   `EXT-<dataset>-<id>`.
//! - CSV cells are text. A parameter that is not a text gets the cell parsed as JSON, where `TRUE` and
//!   `True` are booleans and `12.0` is an integer, too; `1,234`, `0,5` and `yes` are errors. An empty
//!   cell, quoted or not, is absent; a `.jsonl` can have an empty text.
//! - CSV files may be separated by commas, semicolons, tabs or `|`, as the header or a first line
//!   `sep=;` shows. Blank lines and records without any text are not rows; a quote that is never
//!   closed, or text beside a quoted cell, is an error.
//! - Files are UTF-8, with or without a byte order mark; lines end in `\n`, `\r\n` or `\r`.
//!
//! Any other format (YAML, Parquet, several files) is read in a dataset function. It yields
//! [`Datapoint`]s, JSON values in the shape of a row, or `Result`s of them; `Datapoint` is
//! `Deserialize`, and [`Datapoint::place`] sets the place of a row for error texts. To skip a row,
//! do not yield it.
//!
//! `dataset = managed("66f1..")` names a dataset that is kept in HoneyHive by its id, `managed(name =
//! "golden")` by its name. It is fetched before the first case; a datapoint that is listed but cannot
//! be fetched is a failing case. Listing tests and `HH_OFFLINE=1` take the copy that was fetched
//! last.
//!
//! # Traces
//!
//! Each attempt has its own [`Tracer`]: a root span named after the function, the spans of your
//! code below it, then one `evaluator.<name>` span each. Take `tracer: &Tracer`, or call
//! [`current_tracer`] anywhere below; libraries that use [`opentelemetry::global`] reach the right
//! attempt without changes. A spawned task or thread does not inherit the context: carry it with
//! [`Span::instrument`] or [`Span::context`]. If your code sets its own global tracer provider,
//! spans of libraries go there instead, and the run reports it. Set the provider in `main`, not in
//! code that experiments call.
//!
//! [`#[trace]`](macro@trace) makes every call of a function a span with its arguments, output and
//! error. [`enrich_span`] adds data to the current span, [`enrich_session`] to the whole attempt.
//! [`Tracer::inject`] and [`Tracer::extract`] carry a trace into other processes.
//!
//! A server or another program without experiments creates its own tracers, with sessions for each
//! of its users: see [`tracer`](tracer#tracing-any-program).
//!
//! # The journal
//!
//! Results are appended to `target/honeyhive/<invocation>/*.jsonl` and synced to disk before a
//! case is reported. See [`journal`] for the format, and [`journal_format`] for each field.
//!
//! # HoneyHive
//!
//! With `HH_API_KEY` set, the content of the journal is also uploaded to HoneyHive, in the
//! background: each experiment is a run, each attempt a session with its inputs, output, ground
//! truth, scores, error and spans. The first line on stderr says where results go, one line at the
//! end what arrived. Data that did not arrive within 15 seconds after the last case, or before
//! Ctrl-C, is marked beside the journal, and `cargo honeyhive push` sends each item once.
//!
//! - A server that cannot be reached or refuses data never fails a case; with `HH_REQUIRE_UPLOAD=1`
//!   the run fails.
//! - Data that the server does not accept is kept, whatever the reason: no connection, a
//!   certificate that is not trusted, any status, an answer that does not come from HoneyHive or a
//!   receiver of spans. `cargo honeyhive runs` shows the reason, and `push` sends the data, also
//!   after settings have changed.
//! - A server *refuses* an attempt when it answers 400, 413 or 422 to it alone and accepts the
//!   others. `cargo honeyhive push --again` sends such attempts once more; so does `push` with
//!   another key, encoding or certificate. Requests that are too large (413) are halved first.
//! - A partial selection (a filter, `--exact`) is not sent unless `HH_UPLOAD=always`.
//! - A run ends as `completed`, as `failed` when it stopped before its end or no case has a result,
//!   or as `cancelled` after Ctrl-C.
//! - `HH_RUN_ID` names the run. Where a test target has several experiments, each run's id is a
//!   UUID (version 5) of it and the experiment's name. Use a different `HH_RUN_ID` for
//!   each test target.
//! - `HH_RESULTS=average` (or `min`, `max`, `median`, `p90`, `p95`, `p99`, `sum`, `count`) waits
//!   for HoneyHive's own figures and prints them. The local figures are always printed.
//!
//! [`HoneyHive`] is the client by itself. The standard variables of OpenTelemetry
//! (`OTEL_EXPORTER_OTLP_ENDPOINT` or `.._TRACES_ENDPOINT`, `.._HEADERS`, `.._PROTOCOL`,
//! `.._TIMEOUT`, `.._CERTIFICATE`) send the same spans to any receiver of OTLP over HTTP, with or
//! without HoneyHive. For an invalid value a note is printed, and no spans are sent there;
//! `HH_REQUIRE_UPLOAD=1` makes it an error.
//!
//! `cargo install --path honeyhive-harness --features cli` installs `cargo honeyhive`, in a clone of
//! the repository.
//!
//! # Secrets
//!
//! In all recorded, printed and sent data, `[redacted]` replaces the values of environment
//! variables that are named like secrets (a word of the name is `KEY`, `TOKEN`, `PASSWORD`, `PASS`,
//! `SECRET`, `PAT`, `DSN`, `COOKIE` ..), keys of well-known shapes, and passwords in addresses.
//! [`redact!`] registers a function that masks more. Functions and evaluators see real values; the
//! end of a run says which variables were redacted how often. A case with redacted data cannot be
//! judged again: `cargo honeyhive rejudge` gives it no score and says so. With `HH_CAPTURE=none`,
//! inputs, outputs, truths, explanations and texts of errors are not recorded at all. See
//! [`journal`] for the details.
//!
//! # Environment
//!
//! | variable | meaning |
//! |---|---|
//! | `HH_DIR` | the directory for journals, instead of `target/honeyhive`; relative to where the command is typed |
//! | `HH_CAPTURE=none` | inputs, outputs and texts of errors are not recorded |
//! | `HH_CONCURRENCY` | attempts at once over all experiments; `--test-threads` wins |
//! | `HH_REPEATS` | attempts per case, for all experiments |
//! | `HH_MAX_ROWS`, `HH_MAX_BYTES` | how many rows a dataset function may yield (1,000,000), and how many bytes they may take (1 GiB) |
//! | `HH_SAMPLE`, `HH_SAMPLE_SEED` | run on so many cases of each experiment, always the same for a seed; gates do not decide |
//! | `HH_STOP=never` | all cases run, whatever `stop = decided` says |
//! | `HH_REQUIRE_GATES=1`, or `0` | a gate that cannot judge fails, or does not; the default is 1 in CI |
//! | `CI`, and variables of CI services | whether this is CI: a gate that cannot judge fails, misses of a sample fail, a misspelt `HH_` variable is an error, no baseline is accepted |
//! | `HH_API_KEY`, `HH_API_URL` | HoneyHive's key and address (`HH_SERVER_URL` is an older name) |
//! | `HH_INGESTION_API_KEY` | a key that may only write, for sessions, events and spans |
//! | `HH_PROJECT`, `HH_SOURCE` | what sessions and spans say; without `HH_SOURCE` the source is `evaluation` in experiments and `dev` in other programs |
//! | `HH_REPORT=html,junit` | the reports after a run: some of `html`, `md`, `junit`, `json`, or `none` |
//! | `HH_RUN_ID`, `HH_RESULTS`, `HH_UPLOAD=always`, `HH_REQUIRE_UPLOAD=1` | see [above](#honeyhive) |
//! | `HH_OFFLINE=1`, `HH_TEST_MODE=1` | nothing leaves the machine |
//! | `HH_FLUSH_TIMEOUT` | how long the end of a run waits for what is still to be sent: `15s` |
//! | `HH_API_TIMEOUT`, `HH_MAX_RETRIES` | per request: `10s`, 3 |
//! | `HH_API_FAMILY=v1` | sessions and events by HoneyHive's newer paths |
//! | `HH_OTLP_PROTOCOL=http/json` | spans to HoneyHive as JSON instead of protobuf |
//! | `OTEL_EXPORTER_OTLP_*`, `OTEL_SERVICE_NAME` | a further receiver of spans; the service's name |
//! | `HH_EXT_IDS=python` | external ids as HoneyHive's Python SDK makes them |
//! | `HH_MACROS_DEBUG=1` | prints what the attributes expand to, while compiling |
//! | `HH_SESSION_NAME`, `HH_SESSION_ID`, `HH_DATASET_ID`, `HH_DATAPOINT_ID` | what [tracers of programs](tracer#tracing-any-program) are made of |
//! | `NO_COLOR`, `CLICOLOR_FORCE` | no colours; colours also in a pipe |
//!
//! A variable `HH_..` of another name has no effect: a note names it, and the variable that may be
//! meant.
//!
//! # Location of files
//!
//! Datasets, baselines and tracked files are read at run time, relative to the package of the
//! function. cargo and nextest provide its directory (`CARGO_MANIFEST_DIR`; an archive of nextest
//! with `--workspace-remap`), also for the other packages of the workspace. A binary that is
//! started without them reads the sources that it was compiled from, or those beside its target
//! directory when the checkout was moved; if neither is found, the experiment fails and says so.
//!
//! # Editors
//!
//! rust-analyzer renames functions, evaluators, settings and aliases with every place that names
//! them, in rules too, and goes from each to its definition. Above an experiment of a test target
//! it offers to run it, by the path of the function, which `--exact` also accepts:
//! `--exact module::function`. (It does not do so in a library, whose experiments are run by a test
//! target.) A filter that is the path of a module selects the experiments in it. To make this work,
//! the attributes return other code to rust-analyzer than to rustc; "expand macro" shows that code.
//!
//! # In a program
//!
//! [`Experiment`] is the same engine without macros and without a test runner: a builder with
//! everything that the attribute has. Its gate takes rules as values ([`Rule`]) or as the text of the
//! attribute, and its [result](ExperimentResult) has the verdict. [`run_experiment`] is its short form.
//!
//! # How do I ..
//!
//! [`how_do_i`] has short answers: a shared async client, temporary directories, one experiment over
//! several models, skipped rows, YAML, filters, `#[test]` beside experiments, statics and teardown.
//!
//! # Coming from Python
//!
//! [`coming_from_python`] is for users of HoneyHive's Python SDK: the equivalent of each part, and
//! every difference in the data that is sent, with its reason.
//!
//! # Limitations
//!
//! - `#[evaluator] fn correct` also generates a struct named `correct`. A module of the same name
//!   that is re-exported clashes with it; a function that is named like a crate shadows the crate;
//!   links in docs need parentheses: `correct()`.
//! - Functions in `#[cfg(test)]` modules of a library and in binaries cannot be linked into a test
//!   target; each gets a `#[test]` that fails with this reason. A library must be named in
//!   `main!(my_lib)`.
//! - Functions with `#[test]` beside experiments do not run, as the target has no libtest; the test
//!   `functions_that_never_run` fails and names them, but not those that a macro makes.
//! - Output is not captured, so what a function prints mixes with the lines of the tests and the
//!   live line.
//! - A panic is caught only with `panic = "unwind"`; its text has the place, not the backtrace.
//! - A sync function that times out keeps its thread until the process ends. An async one that
//!   blocks its thread without awaiting occupies a worker thread; up to 63 such calls do not affect
//!   other cases.
//! - Every experiment of a library that is linked runs; a library is linked when `main!` names it or
//!   when the test target uses anything of it.
//! - Outputs and rows may be nested 100 deep. Integers beyond 64 bits become floats, in rows and in
//!   outputs; NaN and infinity within an output become `null`. Features of `serde_json` that the
//!   build turns on (`arbitrary_precision`, `preserve_order`) make no difference.
//! - Ids and names are not searched for secrets, and neither is the text that a function prints
//!   itself.
//! - Spans are sent uncompressed, and only by HTTP, not by gRPC. A text in a span's attribute is
//!   clipped at 64 KiB; a session has the whole output.
//! - A request whose answer is lost is sent again under the same ids: HoneyHive sees one session, but
//!   a plain receiver of spans may count some twice.
//! - `std::process::exit` in the code under test ends the run, and the process ends with 101 and a
//!   line that says where. `abort`, `_exit` and `exec` cannot be noticed from within the process:
//!   the journal then has no end, and `_exit(0)` looks like success to cargo.
//! - A `static` is never dropped, so its `Drop` does not run at the end: flush a client in the function
//!   that uses it, and let a child process or container end by itself when the pipe to it closes, or
//!   start it outside, around `cargo test`.
//! - After Ctrl-C or SIGTERM a run ends regularly, with exit code 130: running calls have two more
//!   seconds, and cases that are not done by then are not run. A second signal ends the process at
//!   once; the journal is valid in both cases.
//! - A dataset function may yield a million rows that take a gibibyte (`HH_MAX_ROWS`,
//!   `HH_MAX_BYTES`): an endless iterator is stopped there. A dataset with more than a hundred rows
//!   that cannot be read is one failing test, and none of its rows is run.
//! - With a filter, a dataset function whose experiment the filter cannot match is not called, so
//!   its experiment counts as one filtered-out test.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod activity;
pub mod api;
pub mod baseline;
mod cargo;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod config;
mod datapoint;
pub mod dataset;
mod engine;
mod evaluators;
mod experiment;
mod files;
mod gate;
mod harness;
mod ids;
mod invocation;
pub mod journal;
mod json;
mod outcome;
mod program;
mod redact;
mod registry;
mod report;
mod rule;
mod score;
mod send;
pub mod stats;
mod text;
pub mod tracer;
mod unwind;
mod upload;

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/coming-from-python.md")]
pub mod coming_from_python {}

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/how-do-i.md")]
pub mod how_do_i {}

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/how-gates-decide.md")]
pub mod how_gates_decide {}

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/journal-format.md")]
pub mod journal_format {}

#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/github-actions.md")]
pub mod github_actions {}

/// # Example
///
/// ```
/// use honeyhive_harness::{Tracer, trace};
///
/// #[trace]
/// fn search(query: &str, limit: usize) -> Vec<String> {
///     (0..limit).map(|n| format!("{query} {n}")).collect()
/// }
///
/// #[trace(event_type = "model", name = "ask the model", skip(key))]
/// fn complete(prompt: &str, key: &str) -> Result<String, std::num::ParseIntError> {
///     let number: u32 = prompt.parse()?;
///     Ok(format!("{number}{}", key.len()))
/// }
///
/// let tracer = Tracer::builder().local().build();
/// tracer.in_span("answer", |_| {
///     search("why", 2);
///     complete("why", "secret").unwrap_err();
/// });
/// let trace = tracer.trace();
///
/// let search = &trace.spans[0];
/// assert!(search.name.ends_with("::search"));
/// assert_eq!(search.attributes["honeyhive_inputs.query"], "why");
/// assert_eq!(search.attributes["honeyhive_outputs.result.1"], "why 1");
///
/// let complete = &trace.spans[1];
/// assert_eq!(complete.name, "ask the model");
/// assert_eq!(complete.attributes["honeyhive_error"], "invalid digit found in string");
/// assert!(!complete.attributes.contains_key("honeyhive_inputs.key"));
/// ```
pub use honeyhive_macros::trace;
pub use honeyhive_macros::{evaluator, experiment};
pub use opentelemetry;

pub use api::HoneyHive;
pub use datapoint::Datapoint;
pub use dataset::Dataset;
pub use dataset::bind::Fault;
pub use evaluators::Evaluator;
pub use experiment::{
    DatapointResult, EvaluatorResult, Evaluators, Experiment, ExperimentOptions, ExperimentResult,
    Function, Report, RunError, Totals, Upload, run_experiment,
};
pub use registry::Call;
pub use rule::{Limit, Measured, Requirement, Rule, RuleError};
pub use score::{Reducer, Score, ScoreValue};
pub use tracer::{
    Enrichment, Flushed, Session, Span, SpanQuery, SpanRecord, Telemetry, Trace, Tracer,
    TracerBuilder, TracerError, current_tracer, enrich_session, enrich_span,
};

/// Generates the `main` of a test target with experiments.
///
/// Its arguments are the libraries whose experiments run beside those of the target itself; a
/// library that is not named is not linked, and its experiments would silently be missing.
///
/// ```
/// # mod target {
/// honeyhive_harness::main!();
/// # }
/// ```
///
/// ```text
/// honeyhive_harness::main!(my_app, other_crate);
/// ```
///
/// The target needs `harness = false` in `Cargo.toml`. Without it, the target has one test, which
/// fails and says so.
#[macro_export]
macro_rules! main {
    ($($krate:ident),* $(,)?) => {
        $(extern crate $krate as _;)*

        #[allow(dead_code, reason = "with `harness = true`, rustc's own `main` takes its place")]
        fn main() -> ::std::process::ExitCode {
            $crate::__private::run(&$crate::__private::Built {
                file: ::core::file!(),
                crate_name: ::core::module_path!(),
                package: ::core::option_env!("CARGO_PKG_NAME"),
                manifest_dir: ::core::option_env!("CARGO_MANIFEST_DIR"),
                target_tmpdir: ::core::option_env!("CARGO_TARGET_TMPDIR"),
                never_run: $crate::__private::__never_run!(),
            })
        }

        // The attribute is not written `#[test]`: editors offer to run functions with that
        // attribute, and with `harness = false` there is no test to run.
        #[cfg(test)]
        #[$crate::__private::unit_test]
        fn this_target_needs_harness_false() {
            ::core::panic!(
                "experiments did not run: this test target needs `harness = false` in Cargo.toml, \
                 below its `[[test]]` with `name = \"{}\"`",
                ::core::module_path!().split("::").next().unwrap_or_default()
            );
        }
    };
}
