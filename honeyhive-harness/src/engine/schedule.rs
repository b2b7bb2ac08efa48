//! Schedules attempts: their order, their number at once, and the end of a run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::task::JoinSet;

use super::board::lock;
use super::halt::Halt;
use super::job::{Job, Options};
use super::places::Place;
use super::settle::{self, Pending};
use super::state::Shared;
use crate::journal::Writer;

/// A run under way.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a run in the background.
///
/// # Errors
/// When threads cannot be started.
pub(crate) fn start(jobs: Vec<Job>, options: Options, journal: Arc<Writer>) -> io::Result<Running> {
    start_with(jobs, options, journal, Arc::default())
}

fn start_with(
    jobs: Vec<Job>,
    options: Options,
    journal: Arc<Writer>,
    halt: Arc<Halt>,
) -> io::Result<Running> {
    let shared = Arc::new(Shared::new(jobs, options, journal, halt)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let engine = Arc::clone(&shared);
    let thread =
        std::thread::Builder::new().name("honeyhive-engine".to_owned()).spawn(move || {
            let sweep = Sweep { shared: Arc::clone(&engine) };
            runtime.block_on(run(engine));
            drop(sweep);
        })?;
    Ok(Running { shared, thread: Some(thread) })
}

impl Running {
    /// Waits until everything that was started is recorded, and ends the threads.
    pub(crate) fn finish(mut self) -> Arc<Shared> {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.shared.tools.workers.shutdown();
        Arc::clone(&self.shared)
    }
}

impl Shared {
    /// Runs a job after the others, in the same way and into the same journal. Whatever stops one
    /// of the two runs stops the other.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub(crate) fn again(&self, job: Job) -> io::Result<Running> {
        let halt = Arc::clone(&self.tools.halt);
        start_with(vec![job], self.options.clone(), Arc::clone(&self.journal), halt)
    }
}

/// Gives a result to every case that has none when the engine's thread ends, even if the engine has
/// a fault: tests wait for all of them.
struct Sweep {
    shared: Arc<Shared>,
}

impl Drop for Sweep {
    fn drop(&mut self) {
        for (job, lane) in self.shared.board.lanes.iter().enumerate() {
            for index in (0..lane.total()).filter(|index| !lane.has(*index)) {
                let _ = lane.stopped.set("the engine failed; please report this".to_owned());
                settle::skip(&self.shared, job, index);
            }
        }
    }
}

/// Starts the attempts of a run, and returns when all of them are recorded.
async fn run(shared: Arc<Shared>) {
    let mut dispatcher = Dispatcher {
        cursors: shared.jobs.iter().map(|job| Cursor::new(0, job.selected.len())).collect(),
        shared,
    };
    let mut tasks = JoinSet::new();
    loop {
        // Frees the memory of those that have ended.
        while tasks.try_join_next().is_some() {}
        dispatcher.settle_recorded();
        dispatcher.skip_stopped();
        if !dispatcher.cursors.iter().any(Cursor::has_work) {
            break;
        }
        let shared = Arc::clone(&dispatcher.shared);
        let Some((job, place)) = dispatcher.place() else {
            tokio::select! {
                () = shared.places.changed() => {}
                () = shared.tools.halt.stopped() => {}
            }
            continue;
        };
        let (pending, attempt) = dispatcher.next_attempt(job);
        tasks.spawn(settle::run_one(shared, pending, attempt, place));
    }
    while tasks.join_next().await.is_some() {}
}

/// The progress of a job through its selection.
#[derive(Debug, Default)]
struct Cursor {
    /// The index of the case that comes next.
    index: usize,
    /// The index one past the last case to run.
    end: usize,
    /// The number of attempts of the case that were started.
    attempts: u32,
    /// The case, once its first attempt was started.
    pending: Option<Arc<Pending>>,
}

impl Cursor {
    fn new(index: usize, end: usize) -> Self {
        Self { index, end, ..Self::default() }
    }

    fn has_work(&self) -> bool {
        self.index < self.end
    }
}

/// Gives places to attempts, in the order of jobs and rows.
struct Dispatcher {
    shared: Arc<Shared>,
    /// The progress of each job, by job.
    cursors: Vec<Cursor>,
}

impl Dispatcher {
    /// Returns the first job, in order, that has work and a free place, and takes the place.
    fn place(&self) -> Option<(usize, Place)> {
        let lanes = &self.shared.board.lanes;
        let has_work =
            |job: &usize| lanes[*job].stopped.get().is_none() && self.cursors[*job].has_work();
        self.shared.places.take((0..self.cursors.len()).filter(has_work))
    }

    /// Returns the next attempt of a job that has work.
    fn next_attempt(&mut self, job: usize) -> (Arc<Pending>, u32) {
        lock(&self.shared.board.lanes[job].times).0.get_or_insert_with(Instant::now);
        let cursor = &mut self.cursors[job];
        let pending = cursor
            .pending
            .get_or_insert_with(|| Arc::new(Pending::new(&self.shared, job, cursor.index)));
        let pending = Arc::clone(pending);
        let attempts = &self.shared.jobs[job].attempts;
        let attempt = attempts.start() + cursor.attempts;
        cursor.attempts += 1;
        if attempt == *attempts.end() {
            *cursor = Cursor::new(cursor.index + 1, cursor.end);
        }
        (pending, attempt)
    }

    /// Puts the next cases on the board as long as they need no run: those that were scored before,
    /// and where recorded outputs are judged again, those that the gate was decided without.
    fn settle_recorded(&mut self) {
        for (job, cursor) in self.cursors.iter_mut().enumerate() {
            let Job { spec, selected, recorded, .. } = &self.shared.jobs[job];
            while cursor.pending.is_none() && cursor.has_work() {
                let id = &spec.dataset.rows[selected[cursor.index]].id;
                if let Some(attempts) = recorded.get(id) {
                    settle::replay(&self.shared, job, cursor.index, attempts);
                } else if spec.replay.as_ref().is_some_and(|replay| replay.left_out(id)) {
                    self.shared.board.lanes[job].decided.store(true, Ordering::Release);
                    settle::skip(&self.shared, job, cursor.index);
                } else {
                    break;
                }
                cursor.index += 1;
            }
        }
    }

    /// Skips cases that will not be run, without waiting for a place.
    fn skip_stopped(&mut self) {
        for job in 0..self.cursors.len() {
            let lane = &self.shared.board.lanes[job];
            if self.shared.stopped().is_none() && lane.stopped.get().is_none() {
                if self.shared.jobs[job].stop_decided && lane.is_decided() {
                    self.skip_undecisive(job);
                }
                continue;
            }
            let end = self.cursors[job].end;
            let cursor = std::mem::replace(&mut self.cursors[job], Cursor::new(end, end));
            let mut next = cursor.index;
            if let Some(pending) = cursor.pending {
                // Attempts of this case are under way; the rest of them are left out.
                let attempts = &self.shared.jobs[job].attempts;
                for _ in attempts.start() + cursor.attempts..=*attempts.end() {
                    settle::leave_out(&self.shared, &pending);
                }
                next += 1;
            }
            for index in next..end {
                settle::skip(&self.shared, job, index);
            }
        }
    }

    /// Skips the cases that the gate is decided without. One that is under way gets all of its
    /// attempts.
    fn skip_undecisive(&mut self, job: usize) {
        let cursor = &mut self.cursors[job];
        let next = cursor.index + usize::from(cursor.pending.is_some());
        for index in next..cursor.end {
            settle::skip(&self.shared, job, index);
        }
        cursor.end = cursor.end.min(next);
    }
}
