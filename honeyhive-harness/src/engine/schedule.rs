//! In which order attempts run, how many at once, and when to stop.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::attempt::Tools;
use super::board::{Board, Lane, lock};
use super::check::Faults;
use super::cursor::Cursor;
use super::execute::workers;
use super::halt::Halt;
use super::panics::{self, HookUse};
use super::settle::{self, Pending};
use super::spec::Spec;
use crate::gate::decided::Decided;
use crate::journal::{AttemptRecord, Writer};
use crate::redact::Redactor;

/// An experiment to run and the rows of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) spec: Arc<Spec>,
    /// Rows, in the order in which they run.
    pub(crate) selected: Vec<usize>,
    pub(crate) faults: Faults,
    /// Cases that were scored before, by id: they are judged again, not run again.
    pub(crate) recorded: HashMap<String, Vec<AttemptRecord>>,
    /// The attempts of each case: `1..=repeats`, or those of a second look.
    pub(crate) attempts: RangeInclusive<u32>,
    /// By row: the attempts of the first look, which the second one adds to.
    pub(crate) earlier: HashMap<usize, Vec<AttemptRecord>>,
    /// What the experiment's gate decides on does not fail cases: the gate judges in this run, or
    /// nothing does, as in a sample.
    pub(crate) leave_to_gate: bool,
    /// Starts no further case once the gate is decided.
    pub(crate) stop_decided: bool,
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Attempts at once over all experiments, where that is asked for.
    pub(crate) concurrency: Option<usize>,
    /// Threads for asynchronous code, where there can be fewer than the attempts want.
    pub(crate) workers: Option<usize>,
    /// Keep the attempts in memory.
    pub(crate) keep_attempts: bool,
    /// Start nothing more after the first failure.
    pub(crate) fail_fast: bool,
    /// Takes secrets out of whatever is recorded.
    pub(crate) redactor: Redactor,
}

/// What all of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) jobs: Vec<Job>,
    pub(crate) board: Board,
    pub(crate) journal: Arc<Writer>,
    pub(super) tools: Tools,
    pub(crate) options: Options,
    /// Panics of attempts are their results.
    _hook: HookUse,
    /// Cases whose record did not reach the disk.
    pub(crate) unrecorded: AtomicUsize,
    /// Attempts that are not recorded yet: job, row, start.
    pub(super) in_flight: Mutex<Vec<(usize, usize, Instant)>>,
    pub(super) progress: Vec<Progress>,
    /// A place became free, or there is a reason to stop.
    pub(super) freed: Notify,
}

/// What the stop rules and the live line need to know of a job.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Per evaluator: outputs that it could read, and could not.
    pub(super) readable: Vec<(AtomicUsize, AtomicUsize)>,
    /// The sum of the first evaluator's case means, and how many.
    pub(super) sum: Mutex<(f64, usize)>,
    pub(super) failing: AtomicUsize,
    /// What the gate knows already; only where it may stop the experiment.
    pub(super) decided: Option<Mutex<Decided>>,
    /// Models that answered.
    pub(super) models: Mutex<BTreeSet<String>>,
}

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
    let hook = panics::use_hook();
    let board = Board { lanes: jobs.iter().map(|job| Lane::new(job.selected.len())).collect() };
    let progress = jobs
        .iter()
        .map(|job| Progress {
            readable: job.spec.evaluators.iter().map(|_| Default::default()).collect(),
            decided: job.stop_decided.then(|| Mutex::new(Decided::new(&job.spec.rules))),
            ..Progress::default()
        })
        .collect();
    let wanted = workers(most_at_once(&jobs, &options));
    let tools = Tools::new(options.workers.map_or(wanted, |most| most.min(wanted)), halt)?;
    let shared = Arc::new(Shared {
        jobs,
        board,
        journal,
        tools,
        options,
        _hook: hook,
        unrecorded: AtomicUsize::new(0),
        in_flight: Mutex::default(),
        progress,
        freed: Notify::new(),
    });
    let runtime = shared.tools.turns.runtime()?;
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
    /// Waits until everything that was started is recorded, and lets go of the threads.
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

    /// Starts nothing more; attempts under way go on.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        self.tools.halt.stop(reason);
    }

    /// How far the run still goes.
    pub(crate) fn halt(&self) -> &Halt {
        &self.tools.halt
    }

    /// Whether every case has a result and no attempt is under way.
    pub(crate) fn is_over(&self) -> bool {
        self.board.lanes.iter().all(|lane| lane.done() == lane.total())
            && lock(&self.in_flight).is_empty()
    }

    /// Why nothing more is started.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.tools.halt.reason()
    }

    /// The number of attempts under way, and the one that has been so for longest.
    pub(crate) fn in_flight(&self) -> (usize, Option<(String, Duration)>) {
        let in_flight = lock(&self.in_flight);
        let oldest = in_flight.iter().min_by_key(|(.., at)| *at);
        let oldest =
            oldest.map(|(job, row, at)| (self.jobs[*job].spec.test_name(*row), at.elapsed()));
        (in_flight.len(), oldest)
    }

    /// The tests of the cases under way; `None` where another thread is at the list, which may be
    /// for ever when the process is ending.
    pub(crate) fn tests_in_flight(&self) -> Option<Vec<String>> {
        let in_flight = self.in_flight.try_lock().ok()?;
        Some(in_flight.iter().map(|(job, row, _)| self.jobs[*job].spec.test_name(*row)).collect())
    }

    /// The models that answered in a job so far.
    pub(crate) fn models(&self, job: usize) -> BTreeSet<String> {
        lock(&self.progress[job].models).clone()
    }

    /// The running mean of a job's first evaluator, and how many cases failed so far.
    pub(crate) fn running(&self, job: usize) -> (Option<f64>, usize) {
        let progress = &self.progress[job];
        let (sum, n) = *lock(&progress.sum);
        ((n > 0).then(|| sum / n as f64), progress.failing.load(Ordering::Acquire))
    }
}

/// Attempts at once, over all jobs: no more than there are.
pub(crate) fn most_at_once(jobs: &[Job], options: &Options) -> usize {
    let attempts = |job: &Job| job.selected.len().saturating_mul(job.attempts.clone().count());
    let all = jobs.iter().map(attempts).fold(0, usize::saturating_add);
    let most = jobs.iter().map(|job| job.spec.concurrency).max().unwrap_or(1);
    options.concurrency.unwrap_or(most).min(all).max(1)
}

/// Whoever waits for a case must not wait for ever, even if this engine has a fault.
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

/// The places of an attempt: one of all, one of its job. Giving them back wakes the dispatcher.
pub(super) struct Places {
    held: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    shared: Arc<Shared>,
}

impl Drop for Places {
    fn drop(&mut self) {
        self.held = None;
        self.shared.freed.notify_one();
    }
}

/// Gives out places to attempts, in order.
struct Dispatcher {
    shared: Arc<Shared>,
    cursors: Vec<Cursor>,
    /// Places for all attempts, and for those of each job.
    all: Arc<Semaphore>,
    each: Vec<Arc<Semaphore>>,
}

/// An attempt to be made.
struct Work {
    pending: Arc<Pending>,
    attempt: u32,
    places: Places,
}

/// Tasks that run attempts, one after another. The task of an attempt is large, and making one for
/// each would be much of the engine's work on it. All of this happens on the engine's thread.
#[derive(Default)]
struct Crew {
    state: Mutex<CrewState>,
    bell: Notify,
}

#[derive(Default)]
struct CrewState {
    work: VecDeque<Work>,
    /// Tasks that wait for work, those that were called and have not come yet included.
    idle: usize,
    closed: bool,
}

impl Crew {
    /// Gives an attempt to a task that has nothing to do, or to a new one.
    fn hand(self: &Arc<Self>, work: Work, shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
        let mut state = lock(&self.state);
        state.work.push_back(work);
        if state.idle >= state.work.len() {
            self.bell.notify_one();
        } else {
            tasks.spawn(Arc::clone(self).run(Arc::clone(shared)));
        }
    }

    /// Lets the tasks end when they are done.
    fn close(&self) {
        lock(&self.state).closed = true;
        self.bell.notify_waiters();
    }

    async fn run(self: Arc<Self>, shared: Arc<Shared>) {
        loop {
            let work = {
                let mut state = lock(&self.state);
                let work = state.work.pop_front();
                match work {
                    None if state.closed => return,
                    None => state.idle += 1,
                    Some(_) => {}
                }
                work
            };
            if let Some(Work { pending, attempt, places }) = work {
                settle::run_one(&shared, pending, attempt, places).await;
            } else {
                self.bell.notified().await;
                lock(&self.state).idle -= 1;
            }
        }
    }
}

async fn run(shared: Arc<Shared>) {
    let limit = |job: &Job| job.spec.concurrency;
    let most = most_at_once(&shared.jobs, &shared.options);
    let mut dispatcher = Dispatcher {
        all: Arc::new(Semaphore::new(most)),
        each: shared.jobs.iter().map(|job| Arc::new(Semaphore::new(limit(job)))).collect(),
        cursors: shared.jobs.iter().map(|job| Cursor::new(0, job.selected.len())).collect(),
        shared,
    };
    let crew = Arc::<Crew>::default();
    let mut tasks = JoinSet::new();
    loop {
        dispatcher.replay_recorded();
        dispatcher.skip_unrecorded();
        dispatcher.skip_stopped();
        if !(0..dispatcher.cursors.len()).any(|job| dispatcher.has_work(job)) {
            break;
        }
        // The first experiment, in order, that has work and a place.
        let place = Arc::clone(&dispatcher.all).try_acquire_owned().ok();
        let found = place.and_then(|place| {
            let own = (0..dispatcher.cursors.len()).find_map(|job| dispatcher.place(job));
            own.map(|(job, own_place)| {
                (
                    job,
                    Places {
                        held: Some((place, own_place)),
                        shared: Arc::clone(&dispatcher.shared),
                    },
                )
            })
        });
        let Some((job, places)) = found else {
            // All places are taken; one becomes free, or there is a reason to stop.
            tokio::select! {
                () = dispatcher.shared.freed.notified() => {}
                () = dispatcher.shared.tools.halt.stopped() => {}
            }
            continue;
        };
        let (pending, attempt) = dispatcher.next_attempt(job);
        crew.hand(Work { pending, attempt, places }, &dispatcher.shared, &mut tasks);
    }
    crew.close();
    while tasks.join_next().await.is_some() {}
}

impl Dispatcher {
    fn has_work(&self, job: usize) -> bool {
        self.cursors[job].index < self.cursors[job].end
    }

    fn place(&self, job: usize) -> Option<(usize, OwnedSemaphorePermit)> {
        let stopped = self.shared.board.lanes[job].stopped.get().is_some();
        if stopped || !self.has_work(job) {
            return None;
        }
        Arc::clone(&self.each[job]).try_acquire_owned().ok().map(|place| (job, place))
    }

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

    /// Cases that were scored before are put up as they were.
    fn replay_recorded(&mut self) {
        for (job, cursor) in self.cursors.iter_mut().enumerate() {
            let Job { spec, selected, recorded, .. } = &self.shared.jobs[job];
            while !recorded.is_empty()
                && cursor.pending.is_none()
                && cursor.index < cursor.end
                && let Some(row) = selected.get(cursor.index)
                && let Some(attempts) = recorded.get(&spec.dataset.rows[*row].id)
            {
                settle::replay(&self.shared, job, cursor.index, attempts);
                cursor.index += 1;
            }
        }
    }

    /// Cases that are judged again and were not run then, as the gate was decided without them.
    fn skip_unrecorded(&mut self) {
        for (job, cursor) in self.cursors.iter_mut().enumerate() {
            let Job { spec, selected, .. } = &self.shared.jobs[job];
            let Some(replay) = &spec.replay else { continue };
            while cursor.pending.is_none()
                && cursor.index < cursor.end
                && replay.left_out(&spec.dataset.rows[selected[cursor.index]].id)
            {
                self.shared.board.lanes[job].decided.store(true, Ordering::Release);
                settle::skip(&self.shared, job, cursor.index);
                cursor.index += 1;
            }
        }
    }

    /// Cases that will not be run are put up without waiting for a place.
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

    /// Puts up the cases that the gate is decided without. One that is under way gets all of its attempts.
    fn skip_undecisive(&mut self, job: usize) {
        let cursor = &mut self.cursors[job];
        let next = cursor.index + usize::from(cursor.pending.is_some());
        for index in next..cursor.end {
            settle::skip(&self.shared, job, index);
        }
        cursor.end = cursor.end.min(next);
    }
}
