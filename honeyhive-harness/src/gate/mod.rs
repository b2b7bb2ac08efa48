//! Rules and verdicts.

pub mod rule;
