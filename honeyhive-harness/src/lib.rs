//! Experiments as `cargo test`: datasets, evaluators, gates and traces for code with an LLM in
//! it.
//!
//! Put [`#[experiment]`](macro@experiment) on a function and [`#[evaluator]`](macro@evaluator) on
//! the checks of its output. `cargo test` then runs every datapoint of the dataset as a test case
//! under its own isolated OpenTelemetry tracer, scores it, and lets the scores decide the build.
//! Every result is on disk before its case is reported. Without a key nothing leaves the machine.
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
//! An evaluator takes what it needs by name: `output`, `ground_truth`, `inputs`, `metadata`,
//! `trace: &Trace` ([the spans](Trace) of the attempt); any other name is an input. It sees the
//! output as JSON, read into the type of its parameter. It returns `bool`, a number, a [`Score`]
//! (value, label, explanation, metadata), an `Option` of those (`None`: does not apply here), or a
//! `Result`. Settings are parameters that each use fills:
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
//! 1. A boolean score judges, and so does a number with a `threshold`; any other number only
//!    measures. With `repeats` the mean of the case is judged (a boolean needs 1.0 unless it has
//!    a `threshold`); `require(..)` looks at every attempt.
//! 2. A case fails when it is judged "no", when its function errs, panics or times out, or when
//!    an evaluator errs (NaN, infinity and values outside `range` are errors). An error is never a
//!    score of 0, and never dropped: every mean says its n.
//! 3. An evaluator that a rule of `gate(..)` with a limit names no longer decides cases, the gate does (a
//!    rule with a `slice` takes over only the cases of its slice; `error_rate` takes over errors). A
//!    miss is then shown in the summary only. Rules that compare with the baseline take nothing over. With fewer than 95 % of the cases scored, a gate is
//!    inconclusive.
//! 4. Where the gate does not judge, because a filter, `--exact` or `--skip` left out some cases or
//!    the gate itself, a gated miss fails its case, so that the printed rerun command shows the
//!    miss. In CI a sample (`HH_SAMPLE`) does the same; elsewhere its misses are only shown.
//! 5. An experiment with gates has a test `experiment::gate`, which judges full selections, is
//!    ignored with the reason in partial ones, and runs the whole experiment when asked for
//!    alone. An inconclusive gate is ignored locally and fails in CI or with
//!    `HH_REQUIRE_GATES=1`. CI is recognised by `CI` (`false` and `0` mean no) and by what the usual
//!    services set (`TF_BUILD`, `JENKINS_URL` ..); `HH_REQUIRE_GATES=0` overrides that, too.
//! 6. A run that tests nothing fails: no linked experiment (under nextest the test
//!    `no_experiment_is_linked` says so), an empty dataset, or no case with a score; so does a
//!    test that `--exact` names and its experiment does not have. A filter that means nothing in
//!    this target is a note, as other targets may have what it means. An experiment without evaluators does
//!    not compile, unless it says `smoke`: running without an error, a panic or a timeout is then the
//!    check.
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
//! latency, which is the function's own time, are taken over attempts. Quantiles are
//! nearest-rank. A verdict says value, n, the 95 % interval (Wilson's where every score is 0 or 1,
//! else Student's t) and the worst three cases. `reduce(correct = at_least(2))` makes one score of
//! attempts in another way; `cluster = "document"` says which cases belong together; `stop = decided` ends
//! a run as soon as its gate [can come to no other verdict](how_gates_decide#stopping-once-it-is-decided).
//! [`how_gates_decide`] has each rule with its formula, what it can notice, how often it is red by
//! mistake, and which one you want.
//!
//! # Datasets
//!
//! `dataset = "file"` names a `.jsonl`, `.json` or `.csv` file relative to the manifest of the
//! function's crate, `dataset = path::to::function` a function that returns an iterator (or a
//! `Result` of one) of [`Datapoint`]s. A row is `{"id", "inputs": {..}, "ground_truth",
//! "metadata", "tags", "history"}`, or flat, where every other key is an input. Without an `id` a
//! row is named by a hash of its inputs, so that inserting a row or mending a label renames none. A
//! parameter `history` or `metadata` reads what stands beside the inputs.
//! A bad row is a failing case `line-17`; a fault of the whole file is one failing case
//! `experiment::dataset`. Nothing of a file is dropped without a word:
//!
//! - A key that is repeated in one object, or a column that is repeated in a header, is an error. So is
//!   a key that is a known one but for its case, blanks, `-` or `_` (`ID`, `Ground Truth`), and one
//!   that is so near to an `Option` parameter that the row lacks.
//! - An `id` that is a number keeps its digits as they are written. Two rows that come to one id in
//!   HoneyHive are an error: an id that begins with `EXT-` stays as it is, any other becomes
//!   `EXT-<dataset>-<id>`.
//! - CSV cells are text. A parameter that is not a text gets the cell parsed as JSON, where `TRUE` and
//!   `True` are booleans and `12.0` is an integer, too; `1,234`, `0,5` and `yes` are errors. An empty
//!   cell, quoted or not, is absent; a `.jsonl` can have an empty text.
//! - CSV files may be separated by commas, semicolons, tabs or `|`, as the header or a first line `sep=;`
//!   shows. Blank lines and records without any text are no rows; a quote that never closes, or text
//!   beside a quoted cell, is an error.
//! - Files are UTF-8, with or without a byte order mark; lines end in `\n`, `\r\n` or `\r`.
//!
//! Any other format (YAML, Parquet, several files) is read in a dataset function. It yields
//! [`Datapoint`]s, JSON values in the shape of a row, or `Result`s of them; `Datapoint` is
//! `Deserialize`, and [`Datapoint::place`] says where a row stands, for error texts. A row is skipped by
//! leaving it out there.
//!
//! `dataset = managed("66f1..")` names a dataset that is kept in HoneyHive by its id, `managed(name =
//! "golden")` by its name. It is fetched before the first case; a datapoint that is listed but cannot
//! be fetched is a failing case. Listing tests and `HH_OFFLINE=1` take the copy that was fetched
//! last.
//!
//! # Traces
//!
//! Each attempt has its own [`Tracer`]: a root span named after the function, the spans of your
//! code below it, then one `evaluator.<name>` span each. Take `tracer: &Tracer`, or
//! [`current_tracer`] anywhere below; libraries that use [`opentelemetry::global`] reach the right
//! attempt by themselves. A spawned task or thread does not inherit the context: carry it with
//! [`Span::instrument`] or [`Span::context`]. Code that sets a global tracer provider of its own
//! takes its spans elsewhere; the run says so. Set it in `main`, not in what experiments call.
//!
//! [`#[trace]`](macro@trace) makes every call of a function a span with its arguments, output and
//! error. [`enrich_span`] says more about the span that code runs in, [`enrich_session`] about the
//! whole attempt. [`Tracer::inject`] and [`Tracer::extract`] carry a trace into other processes.
//!
//! A server or a job that is no experiment makes tracers of its own, with sessions for each of its
//! users: see [`tracer`](tracer#tracing-any-program).
//!
//! # The journal
//!
//! Results are appended to `target/honeyhive/<invocation>/*.jsonl` and synced to disk before a
//! case is reported. See [`journal`] for the format, and [`journal_format`] for each field.
//!
//! # HoneyHive
//!
//! With `HH_API_KEY` set, the content of the journal is also uploaded to HoneyHive, in the
//! background: each experiment is a run, each attempt a session with its inputs, output, ground truth,
//! scores, error and spans. The first line on stderr says where results go, one line at the end what
//! arrived. What did not get through within 15 seconds after the last case, or until Ctrl-C, is
//! marked beside the journal, and `cargo honeyhive push` sends it, each thing once.
//!
//! - A server that cannot be reached or refuses never fails a case; `HH_REQUIRE_UPLOAD=1` makes it a
//!   failure of the run.
//! - What is not taken is kept, whatever the reason: no connection, a certificate that is not
//!   trusted, any status, an answer that does not come from HoneyHive or a receiver of spans. `cargo
//!   honeyhive runs` shows the reason, and `push` sends it, also after settings have changed.
//! - A server *refuses* an attempt when it answers 400, 413 or 422 to it alone and takes the others.
//!   `cargo honeyhive push --again` sends such attempts once more; so does `push` with another key,
//!   encoding or certificate. Requests that are too large (413) are halved first.
//! - A partial selection (a filter, `--exact`) is not sent unless `HH_UPLOAD=always`.
//! - A run ends as `completed`, as `failed` when it stopped before its end or nothing came out of it,
//!   or as `cancelled` after Ctrl-C.
//! - `HH_RUN_ID` names the run. Where a test target has several experiments, each run's id is a
//!   UUID (version 5) of it and the experiment's name. Use a different `HH_RUN_ID` for
//!   each test target.
//! - `HH_RESULTS=average` (or `min`, `max`, `median`, `p90`, `p95`, `p99`, `sum`, `count`) waits for
//!   HoneyHive's own figures and prints them. The local ones are always there.
//!
//! [`HoneyHive`] is the client by itself. The standard variables of OpenTelemetry
//! (`OTEL_EXPORTER_OTLP_ENDPOINT` or `.._TRACES_ENDPOINT`, `.._HEADERS`, `.._PROTOCOL`,
//! `.._TIMEOUT`, `.._CERTIFICATE`) send the same spans to any receiver of OTLP over HTTP, with or
//! without HoneyHive. A value that cannot be used is a note, and no spans are sent there;
//! `HH_REQUIRE_UPLOAD=1` makes it an error.
//!
//! `cargo install --path honeyhive-harness --features cli` installs `cargo honeyhive`, in a clone of
//! the repository.
//!
//! # Secrets
//!
//! What is recorded, printed or sent has `[redacted]` in the place of the values of environment
//! variables that are named like secrets (a word of the name is `KEY`, `TOKEN`, `PASSWORD`, `PASS`,
//! `SECRET`, `PAT`, `DSN`, `COOKIE` ..), of keys of well-known shapes, and of passwords in addresses.
//! [`redact!`] registers a function that masks more. Functions and evaluators see real values; the
//! end of a run says which variables were redacted how often. What was redacted cannot be judged
//! again: `cargo honeyhive rejudge` gives such a case no score and says so. `HH_CAPTURE=none` keeps inputs, outputs, truths,
//! explanations and texts of errors out of the record altogether. See [`journal`] for the details.
//!
//! # Environment
//!
//! | variable | meaning |
//! |---|---|
//! | `HH_DIR` | the directory for journals, instead of `target/honeyhive` |
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
//! A variable `HH_..` of another name has no meaning: a note says so, and which one may be meant.
//!
//! # Where files are looked for
//!
//! Datasets, baselines and tracked files are read at run time, relative to the package of the
//! function. Where that is, cargo and nextest say (`CARGO_MANIFEST_DIR`; an archive of nextest with
//! `--workspace-remap`), also for the other packages of the workspace. A binary that is started by
//! itself reads the sources that it was compiled from, or those beside its target directory when
//! the checkout was moved; where neither can be told, the experiment fails and says so.
//!
//! # Editors
//!
//! rust-analyzer renames functions, evaluators, settings and aliases with every place that names
//! them, in rules too, and goes from each to its definition. Above an experiment of a test target it
//! offers to run it (in a library it does not: there a test target runs the experiments), by the path
//! of the function, which `--exact` takes, too: `--exact module::function`. A filter that is the path
//! of a module selects the experiments in it. For all that,
//! the attributes return other code to rust-analyzer than to rustc; "expand macro" shows that code.
//!
//! # How do I ..
//!
//! [`how_do_i`] has short answers: a shared async client, temporary directories, one experiment over
//! several models, skipped rows, YAML, filters, `#[test]` beside experiments, statics and teardown.
//!
//! # Coming from Python
//!
//! [`coming_from_python`] is for those who know HoneyHive's Python SDK: what is what, and every
//! difference in what is sent, with its reason.
//!
//! # Limitations
//!
//! - `#[evaluator] fn correct` also generates a struct named `correct`. A module of the same name that is
//!   re-exported clashes with it; a function that is named like a crate shadows the crate; links in
//!   docs want `correct()` with parentheses.
//! - Functions in `#[cfg(test)]` modules of a library and in binaries cannot be linked into a test
//!   target; each has a `#[test]` there that fails and says so. A library must be named in
//!   `main!(my_lib)`.
//! - Functions with `#[test]` beside experiments do not run, as the target has no libtest; the test
//!   `functions_that_never_run` fails and names them, but not those that a macro makes.
//! - Output is not captured, so what a function prints mixes with the lines of the tests and the
//!   live line.
//! - A panic is caught only with `panic = "unwind"`; its text has the place, not the backtrace.
//! - A sync function that times out keeps its thread until the process ends. An async one that
//!   blocks its thread without awaiting takes a worker away; up to 63 at once harm nobody else.
//! - Every experiment of a library that is linked runs; a library is linked when `main!` names it or
//!   when the test target uses anything of it.
//! - Outputs and rows may be nested 100 deep. Integers beyond 64 bits become floats, in rows and in
//!   outputs; NaN and infinity within an output become `null`. What features of `serde_json` the build
//!   has (`arbitrary_precision`, `preserve_order`) makes no difference.
//! - Ids and names are not looked at for secrets, and neither is what a function prints itself.
//! - Spans are sent uncompressed, and by HTTP alone, no gRPC. A text in a span's attribute is clipped
//!   at 64 KiB; a session has the whole output.
//! - A request whose answer is lost is sent again under the same ids: HoneyHive sees one session, but
//!   a plain receiver of spans may count some twice.
//! - `std::process::exit` in the code under test ends the run, and the process ends with 101 and a line
//!   that says where. `abort`, `_exit` and `exec` cannot be noticed from within the process: the
//!   journal then has no end, and `_exit(0)` looks like success to cargo.
//! - A `static` is never dropped, so its `Drop` does not run at the end: flush a client in the function
//!   that uses it, and let a child process or container end by itself when the pipe to it closes, or
//!   start it outside, around `cargo test`.
//! - Ctrl-C and SIGTERM end a run in order, with exit code 130: calls under way have two seconds, what
//!   is not done by then is not run. A second signal ends the process at once; the journal is whole
//!   either way.
//! - A dataset function may yield a million rows that take a gibibyte (`HH_MAX_ROWS`,
//!   `HH_MAX_BYTES`): an iterator that does not end is stopped there. A dataset with more than a
//!   hundred rows that cannot be run is one failing test, and nothing of it is run.
//! - With a filter, the count of tests that are filtered out takes an experiment with a dataset
//!   function as one test where the filter cannot mean it, as the function is not called then.

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
mod files;
mod gate;
mod harness;
mod ids;
pub mod journal;
mod json;
mod redact;
mod registry;
mod report;
mod rule;
mod run;
mod score;
pub mod stats;
mod text;
pub mod tracer;
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
pub use registry::Call;
pub use run::{
    DatapointResult, EvaluatorResult, Evaluators, ExperimentOptions, ExperimentResult, Function,
    RunError, Totals, Upload, run_experiment,
};
pub use score::{Score, ScoreValue};
pub use tracer::{
    Enrichment, Flushed, Session, Span, SpanQuery, SpanRecord, Telemetry, Trace, Tracer,
    TracerBuilder, TracerError, current_tracer, enrich_session, enrich_span,
};

/// The `main` of a test target with experiments.
///
/// Names the libraries whose experiments are to run beside those of the target itself; a library
/// that nobody names is not linked, and its experiments would silently be missing.
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
/// The target needs `harness = false` in `Cargo.toml`. Where that is forgotten, the target has one
/// test, which fails and says so.
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

        // Not written `#[test]`: editors offer to run what has that attribute, and with
        // `harness = false` there is nothing to run.
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
