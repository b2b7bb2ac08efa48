//! What the engine's one thread does first, and what it does later.
//!
//! When many calls come back at once, what matters is that the next ones go out: so what is left to
//! do about the former waits until there is nothing else to do. And the next ones go out together:
//! code that is started together wakes one thread, which calls the others as they are needed; started
//! one by one, each wakes another, and that takes longer than short code does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// As many attempts wait at most until they start together.
const TOGETHER: usize = 16;

/// As many attempts wait at most until they are recorded. More of them than fit into a cache take
/// longer.
const UNRECORDED: usize = 32;

/// The two kinds of work that wait for their turn.
#[derive(Debug)]
pub(super) struct Turns {
    starting: Gate,
    recording: Gate,
}

/// Where tasks wait until somebody opens, or until they are enough.
#[derive(Debug)]
struct Gate {
    enough: usize,
    waiting: AtomicUsize,
    bell: Notify,
}

impl Gate {
    fn new(enough: usize) -> Self {
        Self { enough, waiting: AtomicUsize::new(0), bell: Notify::new() }
    }

    /// Lets those through who wait; `false` when nobody does.
    fn open(&self) -> bool {
        let waited = self.waiting.swap(0, Ordering::AcqRel) > 0;
        if waited {
            self.bell.notify_waiters();
        }
        waited
    }

    async fn pass(&self) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 >= self.enough {
            self.open();
        } else {
            self.bell.notified().await;
        }
    }
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { starting: Gate::new(TOGETHER), recording: Gate::new(UNRECORDED) }
    }

    /// The runtime of a thread that gives turns whenever it has nothing else to do. All who wait for
    /// a turn must run there.
    pub(super) fn runtime(self: &Arc<Self>) -> io::Result<Runtime> {
        let turns = Arc::clone(self);
        let give = move || {
            let _ = turns.starting.open() || turns.recording.open();
        };
        Builder::new_current_thread().enable_time().on_thread_park(give).build()
    }

    /// Waits for the turn to start the user's code.
    pub(super) async fn to_start(&self) {
        self.starting.pass().await;
    }

    /// Waits for the turn to record what came of it.
    pub(super) async fn to_record(&self) {
        self.recording.pass().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn starts_come_first_and_nobody_is_forgotten() {
        let turns = Arc::new(Turns::new());
        let order = Arc::new(Mutex::new(Vec::new()));
        let runtime = turns.runtime().unwrap();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..20 {
                let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
                tasks.spawn(async move {
                    let starts = n % 2 == 1;
                    if starts {
                        turns.to_start().await;
                    } else {
                        turns.to_record().await;
                    }
                    order.lock().unwrap().push(starts);
                });
            }
            while tasks.join_next().await.is_some() {}
        });
        let order = order.lock().unwrap();
        assert_eq!(order[..], [[true; 10], [false; 10]].concat());
    }

    #[test]
    fn as_many_as_may_wait_at_once_wait_for_nobody() {
        let turns = Arc::new(Turns::new());
        turns.runtime().unwrap().block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..2 * UNRECORDED {
                let turns = Arc::clone(&turns);
                tasks.spawn(async move { turns.to_record().await });
            }
            // The thread always has something else to do.
            for _ in 0..10 * UNRECORDED {
                tokio::task::yield_now().await;
            }
            let over = std::iter::from_fn(|| tasks.try_join_next()).count();
            assert_eq!(over, 2 * UNRECORDED);
        });
    }
}
