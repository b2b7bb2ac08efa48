//! Decides cases and judges gates: computes verdicts from the records of attempts.
//!
//! `case` decides a datapoint, `judge` judges rules with a limit, `relative` and `margin` judge rules
//! that compare with the baseline; `correct` corrects their tests for each other, `verdict` judges the
//! gate, and `decided` finds out when its verdict is certain. All are functions of journal records and
//! of the baseline, so a verdict of a live run can be computed again from the journal.

mod bounds;
pub(crate) mod case;
pub(crate) mod checked;
mod compared;
pub(crate) mod correct;
pub(crate) mod counted;
pub(crate) mod decided;
pub(crate) mod evaluator;
pub(crate) mod input;
pub(crate) mod judge;
mod margin;
pub(crate) mod miss;
mod notice;
#[cfg(feature = "cli")]
pub(crate) mod plan;
pub(crate) mod recorded;
mod relative;
#[cfg(test)]
mod simulation;
pub(crate) mod snapshot;
pub(crate) mod verdict;
