//! Rules and verdicts: from the records of attempts to pass and fail.
//!
//! `case` decides what became of a datapoint, `judge` and `regression` what a rule says of all of
//! them, `verdict` what the rules of a gate come to together. All are functions of journal records
//! and of the baseline, so what was decided live can be decided again from the journal.

pub(crate) mod case;
pub(crate) mod checked;
pub(crate) mod counted;
pub(crate) mod evaluator;
pub(crate) mod judge;
pub(crate) mod miss;
#[cfg(feature = "cli")]
pub(crate) mod plan;
pub(crate) mod recorded;
mod regression;
#[cfg(test)]
mod simulation;
pub(crate) mod snapshot;
pub(crate) mod verdict;
