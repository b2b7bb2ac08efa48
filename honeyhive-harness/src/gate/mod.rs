//! Rules and verdicts: from the records of attempts to pass and fail.
//!
//! `case` decides what became of a datapoint, `judge` what a rule says of all of them. Both
//! are functions of journal records and nothing else, so what was decided live can be decided
//! again from the journal.

pub(crate) mod case;
pub(crate) mod judge;
pub(crate) mod miss;
pub mod rule;
