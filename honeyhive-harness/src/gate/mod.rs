//! Rules and verdicts: from the records of attempts to pass and fail.
//!
//! `case` decides a datapoint, `judge` rules with a limit, `relative` and `margin` rules that compare
//! with the baseline; `correct` corrects their tests for each other, `verdict` judges the gate, and `decided`
//! knows when its verdict is certain.
//! All are functions of journal records and of the baseline, so what was decided live can be decided
//! again from the journal.

mod bounds;
pub(crate) mod case;
pub(crate) mod checked;
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
