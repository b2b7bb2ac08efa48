//! Tracks the code and files of the user that the process waits for outside of attempts, so that a
//! process that hangs, or is ended by that code, can say where.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

static UNDER_WAY: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The id of the innermost activity of this thread; zero for none. It has no destructor, so
    /// that it can be read while the process ends.
    static INNERMOST: Cell<u64> = const { Cell::new(0) };
}

/// The description of an activity.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Text(Cow<'static, str>),
    /// A description that is computed only when it is shown: such activities are too frequent to
    /// format a text each time.
    Lazy(fn(usize) -> String, usize),
}

#[derive(Debug)]
struct Entry {
    id: u64,
    thread: ThreadId,
    what: What,
    since: Instant,
}

/// The guard of an activity, which lasts until this is dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct Activity {
    id: u64,
    outer: u64,
}

/// An activity as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    pub(crate) what: String,
    pub(crate) since: Duration,
}

impl From<String> for What {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl What {
    fn describe(&self) -> String {
        match self {
            Self::Text(text) => text.clone().into_owned(),
            Self::Lazy(describe, subject) => describe(*subject),
        }
    }
}

fn under_way() -> MutexGuard<'static, Vec<Entry>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins an activity of this thread: it waits for code or a file of the user.
pub(crate) fn enter(what: impl Into<What>) -> Activity {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let (thread, since) = (std::thread::current().id(), Instant::now());
    under_way().push(Entry { id, thread, what: what.into(), since });
    Activity { id, outer: INNERMOST.replace(id) }
}

impl Drop for Activity {
    fn drop(&mut self) {
        INNERMOST.set(self.outer);
        let mut all = under_way();
        if let Some(at) = all.iter().rposition(|entry| entry.id == self.id) {
            all.remove(at);
        }
    }
}

/// Returns the activity that has lasted longest; of each thread, only the innermost one counts.
pub(crate) fn longest() -> Option<Waiting> {
    let (id, what, since) = {
        let all = under_way();
        let innermost = all
            .iter()
            .enumerate()
            .filter(|(at, entry)| !all[at + 1..].iter().any(|later| later.thread == entry.thread));
        let (_, entry) = innermost.min_by_key(|(_, entry)| entry.since)?;
        (entry.id, entry.what.clone(), entry.since.elapsed())
    };
    // The description is computed without the lock, since it may take other locks.
    Some(Waiting { id, what: what.describe(), since })
}

/// Describes the innermost activity of this thread; `None` outside of activities.
pub(crate) fn here() -> Option<String> {
    let id = INNERMOST.get();
    // The process may be ending: another thread that holds the lock may never give it back.
    let what = UNDER_WAY.try_lock().ok()?.iter().find(|entry| entry.id == id)?.what.clone();
    Some(what.describe())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_activity_of_a_thread_is_told() {
        // Other tests of this process have activities of their own.
        let thread = std::thread::spawn(|| {
            assert_eq!(here(), None);
            let outer = enter("the rows of `rows()`".to_owned());
            {
                let _inner = enter(What::Lazy(|line| format!("the hook at a.rs:{line}"), 7));
                assert_eq!(here().as_deref(), Some("the hook at a.rs:7"));
                let all = under_way();
                let own: Vec<u64> = all
                    .iter()
                    .filter(|entry| entry.thread == std::thread::current().id())
                    .map(|entry| entry.id)
                    .collect();
                assert_eq!(own.len(), 2);
            }
            assert_eq!(here().as_deref(), Some("the rows of `rows()`"));
            assert!(longest().is_some());
            drop(outer);
            assert_eq!(here(), None);
        });
        thread.join().unwrap();
    }
}
