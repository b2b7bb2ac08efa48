//! The place of a job in its selection.

use std::sync::Arc;

use super::settle::Pending;

/// How far a job is: which case comes next, how many of its attempts were started.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    pub(super) index: usize,
    /// One past the last case that is to run.
    pub(super) end: usize,
    pub(super) attempts: u32,
    pub(super) pending: Option<Arc<Pending>>,
}

impl Cursor {
    pub(super) fn new(index: usize, end: usize) -> Self {
        Self { index, end, ..Self::default() }
    }
}
