//! Datasets.

pub mod bind;
mod cell;
pub(crate) mod function;
