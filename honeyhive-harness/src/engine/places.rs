//! Limits how many attempts run at once, over all jobs and of each job.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::board::lock;

/// The places for attempts that are free.
#[derive(Debug)]
pub(super) struct Places(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    free: Mutex<Free>,
    changed: Notify,
}

#[derive(Debug)]
struct Free {
    all: usize,
    each: Box<[usize]>,
}

impl Places {
    /// Creates places for `all` attempts of all jobs, and for as many of each job as `each` says.
    pub(super) fn new(all: usize, each: impl Iterator<Item = usize>) -> Self {
        let free = Mutex::new(Free { all, each: each.collect() });
        Self(Arc::new(Counts { free, changed: Notify::new() }))
    }

    /// Takes a place for the first of these jobs that has a free one.
    pub(super) fn take(&self, mut jobs: impl Iterator<Item = usize>) -> Option<(usize, Place)> {
        let mut free = lock(&self.0.free);
        if free.all == 0 {
            return None;
        }
        let job = jobs.find(|job| free.each[*job] > 0)?;
        free.all -= 1;
        free.each[job] -= 1;
        Some((job, Place { counts: Arc::clone(&self.0), job }))
    }

    /// Wakes the schedule, because a place is free or some job is to be stopped.
    pub(super) fn notify(&self) {
        self.0.changed.notify_one();
    }

    /// Waits until [`notify`](Self::notify) is called, unless it was since the last time.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

/// The place of an attempt. Dropping it frees it.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<Counts>,
    job: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut free = lock(&self.counts.free);
        free.all += 1;
        free.each[self.job] += 1;
        drop(free);
        self.counts.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_job_with_a_free_place_gets_it() {
        let places = Places::new(3, [1, 5].into_iter());
        let taken: Vec<_> = (0..3).map(|_| places.take(0..2).unwrap()).collect();
        assert_eq!(taken.iter().map(|(job, _)| *job).collect::<Vec<_>>(), [0, 1, 1]);
        assert!(places.take(0..2).is_none());
        drop(taken);
        assert_eq!(places.take(1..2).unwrap().0, 1);
        assert_eq!(places.take(0..2).unwrap().0, 0);
    }
}
