//! The list of the attempts under way.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::board::lock;

/// The attempts that were started and are not recorded yet.
#[derive(Debug, Default)]
pub(super) struct InFlight(Mutex<Vec<Started>>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Started {
    job: usize,
    row: usize,
    at: Instant,
}

/// An attempt on the list. Dropping it takes it off.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    list: &'a InFlight,
    attempt: Started,
}

impl InFlight {
    /// Adds an attempt at a row of a job.
    pub(super) fn enter(&self, job: usize, row: usize) -> Entered<'_> {
        let attempt = Started { job, row, at: Instant::now() };
        lock(&self.0).push(attempt);
        Entered { list: self, attempt }
    }

    /// Returns the number of attempts, and job, row and age of the oldest one.
    pub(super) fn oldest(&self) -> (usize, Option<(usize, usize, Duration)>) {
        let list = lock(&self.0);
        let oldest = list.iter().min_by_key(|one| one.at);
        (list.len(), oldest.map(|one| (one.job, one.row, one.at.elapsed())))
    }

    /// Returns jobs and rows, or `None` where another thread holds the lock, which may be for ever
    /// when the process is ending.
    pub(super) fn cases(&self) -> Option<Vec<(usize, usize)>> {
        Some(self.0.try_lock().ok()?.iter().map(|one| (one.job, one.row)).collect())
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut list = lock(&self.list.0);
        if let Some(at) = list.iter().position(|other| *other == self.attempt) {
            list.swap_remove(at);
        }
    }
}
