//! The items that generated code uses. They are not public: they change without notice.

pub use inventory;
pub use serde_json::Value;
pub use std::sync::Arc;

use crate::baseline::Snapshot;
use crate::gate;
use crate::journal::Results;
use crate::outcome::{Against, Document};
use crate::report::html;
use crate::text::error_text;

pub use crate::dataset::bind::{Fault, Fields, FromField, FromOutput, Key, Param};
pub use crate::dataset::function::{IntoDatapoints, LoadedRows};
pub use crate::dataset::managed::Managed;
pub use crate::evaluators::{
    Answer, BoxFuture, Companion, Evaluation, Evaluator, EvaluatorInfo, Subject, answer,
};
pub use crate::harness::{Built, NeverRun, run};
pub use crate::redact::{Mask, RedactHook};
pub use crate::registry::{
    Call, EvaluatorUse, Experiment, MetadataEntry, Runner, Source, experiments,
};
pub use crate::rule::{GateRule, Measure, Mode, Of, RequireRule, Stop, Test};
pub use crate::score::{Comparison, Direction, IntoScore, Judges, Reducer, Shape};
pub use crate::tracer::call::{
    Entered, Inputs, Polled, Sides, Site, Traced, enter, never, run as run_traced, run_future,
    start,
};
pub use crate::tracer::capture::{
    AsDebug, AsJson, AsName, ErrorAsDebug, ErrorAsDisplay, ErrorAsName, Seen, Shown,
};
pub use crate::tracer::{Trace, Tracer};
pub use ::core::prelude::v1::test as unit_test;
pub use honeyhive_macros::__never_run;
pub use std::borrow::Cow;

/// All statistics, for tests of their figures.
pub mod stats {
    pub use crate::stats::bootstrap::{SplitMix64, bootstrap_interval};
    pub use crate::stats::cluster::{ClusteredMean, clustered_interval, clustered_mean};
    pub use crate::stats::distribution::{
        normal_cdf, normal_quantile, student_t_cdf, student_t_quantile,
    };
    pub use crate::stats::holm::holm;
    pub use crate::stats::mean_interval::{Spread, interval_of_mean, t_interval, t_lower, t_upper};
    pub use crate::stats::moments::{mean, stddev};
    pub use crate::stats::pass_at::{pass_at_k, pass_hat_k};
    pub use crate::stats::permutation::{SignFlip, sign_flip_test};
    pub use crate::stats::power::{mean_cases_needed, mean_power};
    pub use crate::stats::proportion_power::{
        proportion_cases_needed, proportion_detectable, proportion_power,
    };
    pub use crate::stats::quantile::{median, quantile, quantile_interval};
    pub use crate::stats::wilson::{wilson, wilson_upper};
    pub use crate::stats::{
        Alternative, Dealt, Interval, Method, dealing_test, mcnemar, mean_detectable,
        poisson_binomial_tail, wilson_lower,
    };
}

/// Returns the HTML report of a run, alone or against another one, for the test that opens it in a
/// browser.
pub fn report_html(now: &Results, other: Option<&Results>) -> String {
    let snapshots = |results: &Results| -> Vec<Snapshot> {
        results.experiments.iter().map(gate::snapshot::recorded).collect()
    };
    let (after, before) = (snapshots(now), other.map(snapshots).unwrap_or_default());
    let against: Vec<Option<Against<'_>>> = after
        .iter()
        .zip(&before)
        .enumerate()
        .map(|(index, (now, before))| {
            let label = "run 20261120T100000-91c2".to_owned();
            let results = other.and_then(|other| other.experiments.get(index));
            Some(Against { label, before, now, results })
        })
        .collect();
    String::from_utf8_lossy(&html::render(&Document::new(now, &against))).into_owned()
}

/// Returns the text of Python's `json.dumps(json.loads(text), sort_keys=True)`, for the tests of
/// ids.
///
/// # Errors
/// Returns an error when `text` is not JSON.
pub fn python_json(text: &str) -> Result<String, serde_json::Error> {
    crate::ids::python::dumps(text)
}

/// Fails the `#[test]` that stands beside an experiment, for targets that do not run this harness.
///
/// # Panics
/// Panics always.
#[track_caller]
pub fn did_not_run(text: &str) {
    panic!("{text}");
}

/// The types that an experiment's function may return, unless it returns a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as an output",
    label = "the output type does not implement `serde::Serialize`",
    note = "derive it with `#[derive(serde::Serialize)]`"
)]
pub trait Output {
    /// Converts the output into JSON.
    ///
    /// # Errors
    /// Returns an error when the output has no JSON form, such as a map whose keys are not strings.
    fn json(&self) -> Result<Value, Fault>;
}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize> Output for T {
    fn json(&self) -> Result<Value, Fault> {
        crate::json::to_value(self).map_err(Fault::Output)
    }
}

/// The types of errors that can be shown.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot be shown",
    label = "the error type does not implement `std::fmt::Display`",
    note = "implement `Display` for it, or convert it to a `String`"
)]
pub trait Failure {
    /// Returns the text of the error, with the whole chain of an `anyhow::Error`.
    fn text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<E: std::fmt::Display> Failure for E {
    fn text(&self) -> String {
        error_text(self)
    }
}

/// Dispatches method calls between `Result` and everything else, which sees through type aliases:
/// `(&returned).__kind().json(returned)`.
pub trait ResultKind {
    /// Returns the tag that handles a `Result`.
    fn __kind(&self) -> ResultTag {
        ResultTag
    }
}
impl<T, E> ResultKind for Result<T, E> {}

/// The part of the dispatch of [`ResultKind`] for plain values.
pub trait ValueKind {
    /// Returns the tag that handles a plain value.
    fn __kind(&self) -> ValueTag {
        ValueTag
    }
}
impl<T> ValueKind for &T {}

/// The tag that handles a `Result`.
#[derive(Clone, Copy, Debug)]
pub struct ResultTag;

/// The tag that handles a plain value.
#[derive(Clone, Copy, Debug)]
pub struct ValueTag;

impl ResultTag {
    /// Converts the return value of an experiment's function into JSON.
    ///
    /// # Errors
    /// Returns the error of the function, or that of writing JSON.
    pub fn json<T: Output, E: Failure>(self, returned: Result<T, E>) -> Result<Value, Fault> {
        returned.map_err(|error| Fault::Failed(error.text()))?.json()
    }

    /// Splits the return value of a traced function into its sides.
    pub fn sides<T, E>(self, returned: &Result<T, E>) -> Sides<'_, T, E> {
        Sides { output: returned.as_ref().ok(), error: returned.as_ref().err() }
    }

    /// Converts the return value of a dataset function into rows.
    ///
    /// # Errors
    /// Returns the error of the function.
    pub fn datapoints<T: IntoDatapoints, E: Failure>(self, returned: Result<T, E>) -> LoadedRows {
        returned.map_err(|error| error.text())?.into_datapoints()
    }
}

impl ValueTag {
    /// Converts the return value of an experiment's function into JSON.
    ///
    /// # Errors
    /// Returns the error of writing JSON.
    #[expect(clippy::needless_pass_by_value, reason = "like its twin for `Result`")]
    pub fn json<T: Output>(self, returned: T) -> Result<Value, Fault> {
        returned.json()
    }

    /// Wraps the return value of a traced function, which has one side.
    pub fn sides<T>(self, returned: &T) -> Sides<'_, T, std::convert::Infallible> {
        Sides { output: Some(returned), error: None }
    }

    /// Converts the return value of a dataset function into rows.
    ///
    /// # Errors
    /// Returns an error when there are too many rows.
    pub fn datapoints<T: IntoDatapoints>(self, returned: T) -> LoadedRows {
        returned.into_datapoints()
    }
}

/// The types that `metadata(..)` may record.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as metadata",
    label = "this type does not implement `serde::Serialize`",
    note = "metadata is a text, a number, `true` or `false`, an `Option` or a list of these, or any \
            other type that implements `serde::Serialize`; a `static` in a `LazyLock` is written by \
            its name"
)]
pub trait Metadata {
    /// Converts the value into JSON.
    ///
    /// # Errors
    /// Returns an error when the value has no JSON form.
    fn json(&self) -> Result<Value, String>;
}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + ?Sized> Metadata for T {
    fn json(&self) -> Result<Value, String> {
        crate::json::to_value(self)
    }
}

/// Dispatches method calls between `LazyLock` and everything else:
/// `(&value).__kind().json(&value)`.
pub trait LazyKind {
    /// Returns the tag that reads a `LazyLock`.
    fn __kind(&self) -> LazyTag {
        LazyTag
    }
}
impl<T, F> LazyKind for std::sync::LazyLock<T, F> {}

/// The part of the dispatch of [`LazyKind`] for plain values.
pub trait PlainKind {
    /// Returns the tag that reads a plain value.
    fn __kind(&self) -> PlainTag {
        PlainTag
    }
}
impl<T: ?Sized> PlainKind for &T {}

/// The tag that reads a `LazyLock`.
#[derive(Clone, Copy, Debug)]
pub struct LazyTag;

/// The tag that reads a plain value.
#[derive(Clone, Copy, Debug)]
pub struct PlainTag;

impl LazyTag {
    /// Converts the value of a key of the metadata into JSON.
    ///
    /// # Errors
    /// Returns an error when the value has no JSON form.
    pub fn json<T: Metadata, F: FnOnce() -> T>(
        self,
        value: &std::sync::LazyLock<T, F>,
    ) -> Result<Value, String> {
        Metadata::json(&**value)
    }
}

impl PlainTag {
    /// Converts the value of a key of the metadata into JSON.
    ///
    /// # Errors
    /// Returns an error when the value has no JSON form.
    pub fn json<T: Metadata + ?Sized>(self, value: &T) -> Result<Value, String> {
        value.json()
    }
}

/// Stops the compiler when a use of an evaluator leaves out a setting that has no default.
#[track_caller]
pub const fn require_settings(required: &[(&'static str, &'static str)], given: &[&'static str]) {
    let mut i = 0;
    while i < required.len() {
        let (name, text) = required[i];
        let mut j = 0;
        let mut found = false;
        while j < given.len() {
            found |= same(name, given[j]);
            j += 1;
        }
        assert!(found, "{}", text);
        i += 1;
    }
}

/// Returns the first evaluator whose name an earlier one has. The names are kept in a hash table of
/// `SLOTS` slots, a power of two and more than there are names.
pub const fn twin<const SLOTS: usize>(names: &[&'static str]) -> Option<usize> {
    // Each slot has the place of a name in the list, plus one.
    let mut table = [0; SLOTS];
    let mut i = 0;
    while i < names.len() {
        let mut slot = hash(names[i]) & (SLOTS - 1);
        while table[slot] != 0 {
            if same(names[table[slot] - 1], names[i]) {
                return Some(i);
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
        table[slot] = i + 1;
        i += 1;
    }
    None
}

/// Computes the FNV-1a hash of a text, with its upper half folded into its lower one.
const fn hash(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut state: u32 = 0x811c_9dc5;
    let mut i = 0;
    while i < bytes.len() {
        state = (state ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (state ^ (state >> 16)) as usize
}

/// Stops the compiler when this evaluator reports under the name of an earlier one.
#[track_caller]
pub const fn require_distinct(twin: Option<usize>, index: usize) {
    if let Some(twin) = twin {
        assert!(
            twin != index,
            "two evaluators of one name: give one of them an alias, `alias = path`"
        );
    }
}

/// Stops the compiler when a rule needs the judgement of an evaluator that only measures.
#[track_caller]
pub const fn require_judge(info: &EvaluatorInfo) {
    if matches!(info.judges(), Judges::Never) {
        panic!(
            "this evaluator only measures: compare its number (`mean(..) >= 0.7`, \
             `require(.. >= 0.7)`), or give it a threshold (`#[evaluator(threshold = 0.7)]`)"
        );
    }
}

/// Stops the compiler when a limit lies outside the values of the evaluator.
#[track_caller]
pub const fn require_limit(info: &EvaluatorInfo, limit: f64) {
    if let Some((low, high)) = range(info) {
        assert!(
            limit >= low && limit <= high,
            "this limit lies outside the values that the evaluator can have"
        );
    }
}

/// Stops the compiler when a margin is so large that no loss can exceed it.
#[track_caller]
pub const fn require_margin(info: &EvaluatorInfo, margin: f64) {
    if let Some((low, high)) = range(info) {
        assert!(
            margin <= high - low,
            "a rule with this margin never fails: the evaluator's values do not lie that far \
             apart; two points of a hundred are `margin = 0.02`"
        );
    }
}

/// Stops the compiler when no evaluator of a gate with `stop = decided` has bounded scores.
#[track_caller]
pub const fn require_bounded(all: &[&EvaluatorInfo]) {
    let (mut i, mut found) = (0, false);
    while i < all.len() {
        found |= range(all[i]).is_some();
        i += 1;
    }
    assert!(
        found,
        "scores without bounds decide nothing before the last case: give the evaluator a range, \
         `#[evaluator(range(0.0, 1.0))]`, or remove `stop = decided`"
    );
}

/// Returns the range of the values of the evaluator; `None` where it is not known.
const fn range(info: &EvaluatorInfo) -> Option<(f64, f64)> {
    match (info.range, info.shape) {
        (None, Shape::Bool) => Some((0.0, 1.0)),
        (range, _) => range,
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_evaluator_of_a_name_is_found() {
        assert_eq!(twin::<8>(&["a", "b", "c"]), None);
        assert_eq!(twin::<8>(&["a", "b", "a", "b"]), Some(2));
        let names: Vec<&'static str> =
            (0..2_000).map(|n| &*Box::leak(format!("evaluator_{n}").into_boxed_str())).collect();
        assert_eq!(twin::<4096>(&names), None);
        let twice: Vec<&'static str> = names.iter().copied().chain(["evaluator_7"]).collect();
        assert_eq!(twin::<4096>(&twice), Some(2_000));
    }
}
