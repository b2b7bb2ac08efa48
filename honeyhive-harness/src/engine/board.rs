//! Keeps the results of cases for the tests that wait for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::baseline::Snapshot;
use crate::gate::case::Case;
use crate::gate::miss::Miss;
use crate::journal::AttemptRecord;

/// The result that a case's test reports.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) passed: bool,
    /// Set when it was not run, because the run or its experiment was stopped. It passes where the reason is
    /// that the gate was decided without it.
    pub(crate) skipped: bool,
    /// The reason why it failed, or was not run: at most two lines.
    pub(crate) message: String,
}

/// The most misses that are kept with their contents; the rest are counted.
const KEPT_MISSES: usize = 60;

/// The results of one experiment.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The results, by index in the selection.
    outcomes: Vec<OnceLock<Outcome>>,
    done: AtomicUsize,
    /// The number of done cases that were not run.
    not_run: AtomicUsize,
    all_done: OnceLock<()>,
    cases: Mutex<Vec<Case>>,
    misses: Mutex<Vec<Miss>>,
    attempts: Mutex<Vec<(usize, Vec<AttemptRecord>)>>,
    /// The times when its first attempt started and when its last case was done.
    pub(crate) times: Mutex<(Option<Instant>, Option<Instant>)>,
    /// The reason why the rest of the experiment was not run.
    pub(crate) stopped: OnceLock<String>,
    /// Set when the gate is decided, so that no further case of the experiment is started.
    pub(super) decided: AtomicBool,
    /// The baseline, once a case misses; `None` where there is none that can be read.
    before: OnceLock<Option<Snapshot>>,
}

/// The results of all experiments of a run.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) lanes: Vec<Lane>,
}

/// Locks a mutex of the engine, whose contents are whole even after a panic of another thread.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    pub(super) fn new(cases: usize) -> Self {
        Self {
            outcomes: std::iter::repeat_with(OnceLock::new).take(cases).collect(),
            done: AtomicUsize::new(0),
            not_run: AtomicUsize::new(0),
            all_done: if cases == 0 { OnceLock::from(()) } else { OnceLock::new() },
            cases: Mutex::new(Vec::with_capacity(cases)),
            misses: Mutex::default(),
            attempts: Mutex::default(),
            times: Mutex::default(),
            stopped: OnceLock::new(),
            decided: AtomicBool::new(false),
            before: OnceLock::new(),
        }
    }

    /// Returns whether the gate was decided before all cases ended.
    pub(crate) fn is_decided(&self) -> bool {
        self.decided.load(Ordering::Acquire)
    }

    /// Sets the result of the case at `index` of the selection.
    pub(super) fn put(&self, index: usize, case: Case, miss: Option<Miss>, outcome: Outcome) {
        if self.has(index) {
            return;
        }
        lock(&self.cases).push(case);
        if let Some(miss) = miss {
            self.keep(miss);
        }
        let was_run = !outcome.skipped;
        if self.outcomes[index].set(outcome).is_err() {
            return;
        }
        if !was_run {
            self.not_run.fetch_add(1, Ordering::AcqRel);
        }
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.total() {
            lock(&self.times).1 = Some(Instant::now());
            let _ = self.all_done.set(());
        }
    }

    fn keep(&self, miss: Miss) {
        let mut misses = lock(&self.misses);
        let place = misses.partition_point(|other| {
            other.severity > miss.severity
                || (other.severity >= miss.severity && other.row < miss.row)
        });
        misses.insert(place, miss);
        misses.truncate(KEPT_MISSES);
    }

    /// Returns whether the case at `index` of the selection has a result.
    pub(super) fn has(&self, index: usize) -> bool {
        self.outcomes[index].get().is_some()
    }

    /// Returns whether the case at `index` of the selection has a result and passed.
    pub(crate) fn has_passed(&self, index: usize) -> bool {
        self.outcomes[index].get().is_some_and(|outcome| outcome.passed)
    }

    /// Waits for a case.
    pub(crate) fn wait(&self, index: usize) -> Outcome {
        self.outcomes[index].wait().clone()
    }

    /// Waits for all cases.
    pub(crate) fn wait_for_all(&self) {
        self.all_done.wait();
    }

    /// Returns the number of cases that have a result, those that were not run included.
    pub(crate) fn done(&self) -> usize {
        self.done.load(Ordering::Acquire)
    }

    /// Returns the number of cases that were run to their end.
    pub(crate) fn ran(&self) -> usize {
        self.done().saturating_sub(self.not_run.load(Ordering::Acquire))
    }

    pub(crate) fn total(&self) -> usize {
        self.outcomes.len()
    }

    /// Returns the cases that are done, in the order of the dataset.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = lock(&self.cases).clone();
        cases.sort_by_key(|case| case.row);
        cases
    }

    /// Keeps the attempts of a case.
    pub(super) fn keep_attempts(&self, row: usize, attempts: Vec<AttemptRecord>) {
        lock(&self.attempts).push((row, attempts));
    }

    /// Returns the attempts that were kept of these rows, by row.
    pub(crate) fn attempts_of(&self, rows: &[usize]) -> HashMap<usize, Vec<AttemptRecord>> {
        let attempts = lock(&self.attempts);
        attempts.iter().filter(|(row, _)| rows.contains(row)).cloned().collect()
    }

    /// Takes the attempts that were kept, in the order of the dataset.
    pub(crate) fn take_attempts(&self) -> Vec<(usize, Vec<AttemptRecord>)> {
        let mut attempts = std::mem::take(&mut *lock(&self.attempts));
        attempts.sort_by_key(|(row, _)| *row);
        attempts
    }

    /// Returns the baseline, read at the first call.
    pub(super) fn before(&self, read: impl FnOnce() -> Option<Snapshot>) -> Option<&Snapshot> {
        self.before.get_or_init(read).as_ref()
    }

    /// Returns the worst cases that are not as they should be: those that fail, and of these, and of the
    /// rest, those that did not miss in the baseline; then worst first.
    pub(crate) fn misses(&self) -> Vec<Miss> {
        lock(&self.misses).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::miss::Parts;
    use crate::journal::CaseState;
    use std::sync::Arc;

    fn case(row: usize) -> Case {
        Case {
            row,
            state: CaseState::Pass,
            attempts: 1,
            scores: Box::default(),
            latencies: Box::default(),
            in_slice: Box::default(),
            row_hash: String::new(),
            cluster: None,
            slices: Box::default(),
        }
    }

    fn passed() -> Outcome {
        Outcome { passed: true, skipped: false, message: String::new() }
    }

    #[test]
    fn everyone_who_waits_is_woken() {
        let lane = Arc::new(Lane::new(200));
        let waiters: Vec<_> = (0..200)
            .map(|index| {
                let lane = Arc::clone(&lane);
                std::thread::spawn(move || lane.wait(index).passed)
            })
            .collect();
        let all = Arc::clone(&lane);
        let gate = std::thread::spawn(move || all.wait_for_all());
        for index in (0..200).rev() {
            lane.put(index, case(index), None, passed());
        }
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap()));
        gate.join().unwrap();
        assert_eq!(
            lane.cases().iter().map(|case| case.row).collect::<Vec<_>>(),
            (0..200).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_case_that_was_not_run_is_done_and_did_not_run() {
        let lane = Lane::new(3);
        lane.put(0, case(0), None, passed());
        let left_out = Outcome { passed: false, skipped: true, message: String::new() };
        lane.put(2, case(2), None, left_out);
        assert_eq!((lane.ran(), lane.done(), lane.total()), (1, 2, 3));
    }

    #[test]
    fn the_worst_misses_are_kept() {
        let lane = Lane::new(100);
        for row in 0..100 {
            let miss = Miss {
                row,
                test: String::new(),
                failed: true,
                reasons: Vec::new(),
                inputs: Parts::default(),
                expected: None,
                output: None,
                is_new: false,
                severity: f64::from(u8::try_from(row % 50).unwrap()),
            };
            lane.put(row, case(row), Some(miss), passed());
        }
        let rows: Vec<usize> = lane.misses().iter().map(|miss| miss.row).collect();
        assert_eq!(rows[..4], [49, 99, 48, 98]);
        assert_eq!(rows.len(), KEPT_MISSES);
    }
}
