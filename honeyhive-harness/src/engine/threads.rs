//! Threads for synchronous code.
//!
//! A call may block its thread for as long as it likes, so there is a thread for each call under
//! way. But most calls end sooner than a thread wakes up. So at most one thread at a time is being
//! woken for the queue: when it arrives and there is more, it wakes the next one; and a thread that
//! ends a call takes the next one from the queue before it sleeps. Many short calls are then made by
//! few threads, without a wake-up for each.
//!
//! tokio's `spawn_blocking` wakes a thread per call. With it, the CPU time of the benchmark's rows is
//! 1.25 (`noop_1_000`), 1.75 (`noop_100_000`) and 1.93 (`sync_100_000`) times as high: 18 us per call
//! (2 cores, 2026-11).

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use crate::unwind;

/// The size of a thread's stack: that of a main thread, which recursive code is used to.
pub(crate) const STACK: usize = 8 << 20;

type Work = Box<dyn FnOnce() + Send>;

/// A pool of threads with as many as there are calls at once.
pub(super) struct Threads(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    not_empty: Condvar,
}

#[derive(Default)]
struct State {
    calls: VecDeque<Work>,
    /// The number of threads that sleep, the one that was just woken included.
    idle: usize,
    /// The number of threads that were started and have not ended.
    alive: usize,
    /// Set when a thread was started or woken and has not looked into the queue yet.
    coming: bool,
    closed: bool,
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

impl Threads {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Makes a call on one of the threads; after [`close`](Self::close) it is dropped instead.
    ///
    /// # Errors
    /// When there is no thread and none can be started; then it is dropped, too.
    pub(super) fn start(&self, call: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.closed {
            return Ok(());
        }
        state.calls.push_back(Box::new(call));
        let woken = self.0.wake(&mut state);
        if woken.is_err() && state.alive == 0 {
            let dropped = std::mem::take(&mut state.calls);
            drop(state);
            // Not under the lock: dropping a call wakes the task that waits for it.
            drop(dropped);
            return woken;
        }
        // The threads that there are make the call when they are done.
        Ok(())
    }

    /// Starts nothing more and ends the threads, without waiting for those that are in a call.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.calls);
        drop(state);
        self.0.not_empty.notify_all();
        // Not under the lock: dropping a call wakes the task that waits for it.
        drop(left);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes or starts a thread if there is a call, unless one is coming.
    fn wake(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if state.coming || state.calls.is_empty() {
            return Ok(());
        }
        if state.idle > 0 {
            state.coming = true;
            self.not_empty.notify_one();
            return Ok(());
        }
        let queue = Arc::clone(self);
        let thread = Builder::new().name("honeyhive-worker".to_owned()).stack_size(STACK);
        thread.spawn(move || queue.work())?;
        state.coming = true;
        state.alive += 1;
        Ok(())
    }

    fn work(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            state.coming = false;
            while let Some(call) = state.calls.pop_front() {
                // Without another thread, this one makes the other calls.
                let _ = self.wake(&mut state);
                drop(state);
                // A panic has dropped the call, which wakes the task that waits for it.
                let _ = unwind::catch(call);
                state = self.lock();
            }
            if state.closed {
                state.alive -= 1;
                return;
            }
            state.idle += 1;
            state = self.not_empty.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn calls_that_wait_for_each_other_all_have_a_thread() {
        let threads = Threads::new();
        // Twice: with new threads, and with those that sleep by then.
        for _ in 0..2 {
            let together = Arc::new(Barrier::new(101));
            for _ in 0..100 {
                let together = Arc::clone(&together);
                let call = move || {
                    together.wait();
                };
                threads.start(call).unwrap();
            }
            together.wait();
        }
        threads.close();
    }

    #[test]
    fn short_calls_share_few_threads_and_none_is_forgotten() {
        let threads = Threads::new();
        let (done, all) = channel();
        let ids = Arc::new(Mutex::new(std::collections::HashSet::new()));
        for _ in 0..10_000 {
            let (done, ids) = (done.clone(), Arc::clone(&ids));
            let call = move || {
                ids.lock().unwrap().insert(std::thread::current().id());
                done.send(()).unwrap();
            };
            threads.start(call).unwrap();
        }
        for _ in 0..10_000 {
            all.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        assert!(ids.lock().unwrap().len() < 1000);
        threads.close();
    }

    #[test]
    fn a_panic_takes_no_thread_away_and_closing_drops_what_is_left() {
        struct Counts(Arc<AtomicUsize>);
        impl Drop for Counts {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::AcqRel);
            }
        }
        let threads = Threads::new();
        threads.start(|| std::panic::resume_unwind(Box::new("on purpose"))).unwrap();
        let (done, over) = channel();
        threads.start(move || done.send(()).unwrap()).unwrap();
        over.recv_timeout(Duration::from_secs(60)).unwrap();
        threads.close();
        let dropped = Arc::new(AtomicUsize::new(0));
        let counts = Counts(Arc::clone(&dropped));
        threads.start(move || drop(counts)).unwrap();
        assert_eq!(dropped.load(Ordering::Acquire), 1);
    }
}
