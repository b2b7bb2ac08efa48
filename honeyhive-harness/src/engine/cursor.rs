//! Tracks the place of a job in its selection of cases.

use std::sync::Arc;

use super::settle::Pending;

/// The progress of a job: which case comes next, and how many of its attempts were started.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    pub(super) index: usize,
    /// The index one past the last case to run.
    pub(super) end: usize,
    pub(super) attempts: u32,
    pub(super) pending: Option<Arc<Pending>>,
}

impl Cursor {
    pub(super) fn new(index: usize, end: usize) -> Self {
        Self { index, end, ..Self::default() }
    }
}
