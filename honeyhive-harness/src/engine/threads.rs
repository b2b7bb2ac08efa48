//! Threads for synchronous code.
//!
//! A call may block its thread for as long as it likes, so there is a thread for each that is under
//! way. But most calls are over sooner than a thread is woken. So only one thread at a time is on its
//! way to the queue: when it arrives and there is more, it calls the next one; and whoever is done
//! looks into the queue before it sleeps. In a hurry, few threads then do all the work, without
//! anybody being woken for each piece of it.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::execute::STACK;

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as there are calls at once.
pub(super) struct Threads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that sleep, the one that was just called included.
    idle: usize,
    /// Threads that were started and have not ended.
    alive: usize,
    /// A thread was called and has not come yet.
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

    /// Does this on one of the threads; after [`close`](Self::close) it is dropped instead.
    ///
    /// # Errors
    /// When there is no thread and none can be started; then it is dropped, too.
    pub(super) fn start(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.closed {
            return Ok(());
        }
        state.jobs.push_back(Box::new(job));
        let called = self.0.call(&mut state);
        if called.is_err() && state.alive == 0 {
            let dropped = std::mem::take(&mut state.jobs);
            drop(state);
            // Not under the lock: whoever waits for it is told.
            drop(dropped);
            return called;
        }
        // Threads that are there do it when they are done.
        Ok(())
    }

    /// Starts nothing more and lets go of the threads, without waiting for those that are at work.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.jobs);
        drop(state);
        self.0.bell.notify_all();
        // Not under the lock: whoever waits for them is told.
        drop(left);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a thread comes if there is something to do.
    fn call(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if state.coming || state.jobs.is_empty() {
            return Ok(());
        }
        if state.idle > 0 {
            state.coming = true;
            self.bell.notify_one();
            return Ok(());
        }
        let shared = Arc::clone(self);
        let thread = Builder::new().name("honeyhive-worker".to_owned()).stack_size(STACK);
        thread.spawn(move || shared.work())?;
        state.coming = true;
        state.alive += 1;
        Ok(())
    }

    fn work(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            state.coming = false;
            while let Some(job) = state.jobs.pop_front() {
                // Without another thread, this one does the rest.
                let _ = self.call(&mut state);
                drop(state);
                // It has told whoever waits, by being dropped.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
            }
            if state.closed {
                state.alive -= 1;
                return;
            }
            state.idle += 1;
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
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
                let job = move || {
                    together.wait();
                };
                threads.start(job).unwrap();
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
            let job = move || {
                ids.lock().unwrap().insert(std::thread::current().id());
                done.send(()).unwrap();
            };
            threads.start(job).unwrap();
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
