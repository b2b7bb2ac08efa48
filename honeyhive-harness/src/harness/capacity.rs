//! The number of threads that the process can start, found out before any paid call.
//!
//! Containers limit threads (`pids.max`), users do (`ulimit -u`), and each needs address space
//! (`ulimit -v`). A pool that gets fewer threads than it counts on waits for ever or fails halfway.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::engine::{STACK, workers};
use crate::report;
use crate::text::count;

/// Threads that do not depend on the number of attempts: journal, engine, signals, sending, git, and
/// the live line.
const FIXED: usize = 6;

/// The most threads that are tried. Code that needs more starts them one by one, and reports where one
/// cannot be started.
const MOST: usize = 128;

/// The numbers of attempts and threads that a run may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capacity {
    /// The most attempts at once.
    pub(super) attempts: usize,
    /// The number of threads for asynchronous code.
    pub(super) workers: usize,
    /// The number of threads that wait for results.
    pub(super) waiting: usize,
}

impl Capacity {
    /// Returns what a run wants, or less where fewer threads can be started.
    ///
    /// # Errors
    /// When the threads are too few for one attempt.
    pub(super) fn new(attempts: usize, waiting: usize) -> Result<Self, String> {
        let wanted = Self { attempts, workers: workers(attempts), waiting };
        let most = wanted.total().min(MOST);
        let (available, error) = start(most);
        let Some(error) = error else { return Ok(wanted) };
        let fits = wanted.within(available).ok_or_else(|| {
            format!(
                "only {} can be started here, and a run needs at least {}: {error}; raise the \
                 limit of threads or memory (`ulimit -u`, `ulimit -v`, `pids.max` of the container)",
                count(available, "thread"),
                FIXED + 3
            )
        })?;
        report::note(&format!(
            "only {available} of {most} threads can be started here ({error}); running {} at once",
            fits.attempts
        ));
        Ok(fits)
    }

    /// Returns the number of all threads. Each attempt counts: synchronous calls have a thread each.
    fn total(self) -> usize {
        FIXED
            .saturating_add(self.attempts)
            .saturating_add(self.workers)
            .saturating_add(self.waiting)
    }

    /// Reduces each kind of thread to a third of those that are left.
    fn within(self, available: usize) -> Option<Self> {
        let each = available.checked_sub(FIXED)? / 3;
        (each > 0).then(|| Self {
            attempts: self.attempts.min(each),
            workers: self.workers.min(each),
            waiting: self.waiting.min(each),
        })
    }
}

/// Starts this many threads at once, with stacks as large as those of a run, and ends them again. Returns
/// how many could be started, and the error of the first that could not.
fn start(threads: usize) -> (usize, Option<io::Error>) {
    let over = Arc::new((Mutex::new(false), Condvar::new()));
    let mut started: Vec<JoinHandle<()>> = Vec::with_capacity(threads);
    let mut error = None;
    while started.len() < threads && error.is_none() {
        let over = Arc::clone(&over);
        let wait = move || {
            let mut ended = over.0.lock().unwrap_or_else(PoisonError::into_inner);
            while !*ended {
                ended = over.1.wait(ended).unwrap_or_else(PoisonError::into_inner);
            }
        };
        match Builder::new().stack_size(STACK).spawn(wait) {
            Ok(thread) => started.push(thread),
            Err(refused) => error = Some(refused),
        }
    }
    *over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    over.1.notify_all();
    let count = started.len();
    for thread in started {
        let _ = thread.join();
    }
    (count, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_is_shared() {
        let wanted = Capacity { attempts: 16, workers: 17, waiting: 16 };
        assert_eq!(wanted.total(), 55);
        assert_eq!(wanted.within(8), None);
        assert_eq!(wanted.within(9), Some(Capacity { attempts: 1, workers: 1, waiting: 1 }));
        assert_eq!(wanted.within(36), Some(Capacity { attempts: 10, workers: 10, waiting: 10 }));
        let few = Capacity { attempts: 1, workers: 4, waiting: 2 };
        assert_eq!(few.within(12), Some(Capacity { attempts: 1, workers: 2, waiting: 2 }));
    }

    #[test]
    fn all_threads_that_were_started_end() {
        let (count, error) = start(20);
        assert_eq!(count, 20);
        assert!(error.is_none());
    }
}
