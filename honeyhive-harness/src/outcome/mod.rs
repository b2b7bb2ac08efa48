//! Computes the results of a run from its records, as plain data for all outputs.
//!
//! A [`Document`] is made once from the records of an invocation, whether they are still in memory or were
//! read from its files. Every output renders it: the pages and files of `report`, `compare`, `review`,
//! and, as an [`Overview`], `runs`. The numbers over all cases of an experiment are its [`Figures`]; the
//! terminal and the result of an experiment in code show them without the rest of a document.
//!
//! No renderer computes a mean, an interval or a p: a number that stands in two outputs of a run is the
//! same number. Verdicts come from `gate`, differences from `baseline`.

mod case;
mod counts;
mod difference;
mod document;
mod ending;
mod evaluated;
mod experiment;
mod figures;
#[cfg(feature = "cli")]
mod overview;
#[cfg(feature = "cli")]
mod review;
#[cfg(test)]
pub(crate) mod samples;
mod source;

pub(crate) use case::{Case, CaseScore, Change, shown, shown_inputs};
pub(crate) use counts::Counts;
#[cfg(feature = "cli")]
pub(crate) use difference::Difference;
pub(crate) use difference::{ALPHA, Finding};
pub(crate) use document::Document;
pub(crate) use ending::{Ending, Outcome};
pub(crate) use evaluated::{Evaluated, Measured};
pub(crate) use experiment::{Against, Compared, Experiment};
pub(crate) use figures::{Figures, Latency, Seen};
#[cfg(all(test, feature = "cli"))]
pub(crate) use overview::ScoreOverview;
#[cfg(feature = "cli")]
pub(crate) use overview::{ExperimentOverview, Overview};
#[cfg(feature = "cli")]
pub(crate) use review::{Reviewed, ReviewedOutput, ReviewedScore};
pub(crate) use source::DocumentSource;
