//! Reads, writes and compares baselines: the results of an experiment that a person accepted as good
//! enough, kept in git.
//!
//! `cargo honeyhive accept` writes a snapshot of a recorded run to `baselines/<experiment>.json` beside
//! the dataset. Later runs are compared with it case by case, and since it has fingerprints of rows,
//! evaluators, files and metadata, the comparison can tell which scores can be compared and what has
//! changed.
//!
//! # The file
//!
//! The file is JSON, sorted, with one line per case, so that a diff shows the cases that moved and
//! nothing else:
//!
//! ```json
//! {
//!   "schema": 2,
//!   "experiment": "detect_language",
//!   "accepted_at": "2026-11-22T19:02:11Z",
//!   "commit": "9f3e1c2b..",
//!   "dirty": false,
//!   "invocation": "20261122T190158-3f2a",
//!   "dataset": "sentences",
//!   "evaluators": {
//!     "correct": {"source":"5c1d..","settings":"","direction":"maximize","reduce":"mean","good":"true"}
//!   },
//!   "files": {
//!     "prompts/system.md": "8a8c.."
//!   },
//!   "metadata": {
//!     "model": "small"
//!   },
//!   "models": ["small-2026-10-01"],
//!   "cases": {
//!     "en-07": {"row":"015abd7f5cc57a2d","scores":{"correct":{"score":1.0,"attempts":3,"good":3}}}
//!   }
//! }
//! ```
//!
//! `row` is a hash of inputs, ground truth and history: a row with another hash counts as another
//! question and is not compared. Metadata and tags are not in it. `score` is the score of the case, made
//! of its attempts by the reducer, and `good` the number of them that the evaluator judged good (absent
//! when it only measures). Of an evaluator, `good` says which scores of an attempt are good, and `range`
//! is the range of its scores: with another threshold or range it measures something else. A case keeps
//! its `cluster`, the `slices` it is in, and the evaluators whose score is `missing` after an error.
//! Files of schema 1 have none of these four and can still be read.

mod changed;
mod collapse;
mod compare;
mod comparison;
pub(crate) mod exchange;
mod file;
mod pairs;
mod slices;
mod snapshot;
mod tracked;
#[cfg(feature = "cli")]
mod trend;

// The format of the file is public, the types that read and compare it are not.
pub(crate) use changed::RowChanges;
#[doc(hidden)]
pub use changed::changed;
#[doc(hidden)]
pub use collapse::collapses;
pub(crate) use collapse::held_and_collapsed;
#[doc(hidden)]
pub use compare::compare;
pub(crate) use compare::of_pairs;
#[cfg(feature = "cli")]
pub(crate) use comparison::Pair;
pub(crate) use comparison::ScoreComparison;
#[doc(hidden)]
pub use file::{BaselineError, read, write};
pub(crate) use pairs::{Both, Paired, Scope, Unit, pair};
pub(crate) use slices::{sliced_by, slices};
pub(crate) use snapshot::row_print;
#[doc(hidden)]
pub use snapshot::{CaseSnapshot, EvaluatorPrint, SCHEMA, ScoreSnapshot, Snapshot};
pub(crate) use tracked::tracked;
#[cfg(all(test, feature = "cli"))]
pub(crate) use trend::TrendPoint;
#[cfg(feature = "cli")]
pub(crate) use trend::{Trend, TrendLine, measures_the_same};
