//! One attempt: the function, then its evaluators, under a tracer of its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot};

use super::context::AttemptContext;
use super::current::Current;
use super::evaluate::{self, InTurn};
use super::execute::Workers;
use super::function::{Run, SyncFunction};
use super::halt::Halt;
use super::record::{begin, error_of, millis};
use super::replay::Recalled;
use super::spec::{Evaluation, Spec};
use crate::datapoint::Datapoint;
use crate::evaluators::Subject;
use crate::journal::{AttemptError, AttemptRecord, ErrorKind};
use crate::registry::Call;
use crate::tracer::{Finished, Ids, TracerPool};

/// The pause before the second try; it doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An attempt whose code has run, or that was not made.
pub(super) struct Attempted {
    record: Box<AttemptRecord>,
    readable: Vec<bool>,
    /// Its spans, and the attempt that it was made of; absent where nothing was run.
    rest: Option<(Finished, Option<Recalled>)>,
}

impl Attempted {
    /// Creates one that was not made.
    pub(super) fn not_made(record: Box<AttemptRecord>) -> Self {
        Self { record, readable: Vec::new(), rest: None }
    }

    /// Returns why the function or an evaluator was not called to its end, where that is not its own
    /// fault.
    pub(super) fn cut_off(&self) -> Option<&str> {
        let scores = self.record.scores.iter().filter_map(|score| score.error.as_ref());
        let mut errors = self.record.error.iter().chain(scores);
        let error = errors.find(|error| error.kind == ErrorKind::NotRun)?;
        Some(&error.message)
    }

    /// Returns whether the function or an evaluator ended in an error that a child process may have
    /// caused by getting a signal.
    pub(super) fn may_come_from_signal(&self) -> bool {
        let scores = self.record.scores.iter().filter_map(|score| score.error.as_ref());
        let mut errors = self.record.error.iter().chain(scores);
        errors.any(|error| matches!(error.kind, ErrorKind::Returned | ErrorKind::Panic))
    }

    /// Returns the whole record, and per evaluator whether it could read the output; empty without
    /// one.
    pub(super) fn record(self) -> (Box<AttemptRecord>, Vec<bool>) {
        let Self { mut record, readable, rest } = self;
        if let Some((mut finished, recalled)) = rest {
            record.spans = finished.take_spans();
            record.trace_id = finished.trace_id;
            record.open_spans = finished.open;
            record.dropped_spans = finished.dropped;
            if let Some(recalled) = recalled {
                recalled.merge_into(&mut record);
            }
        }
        (record, readable)
    }
}

/// The parts of a run that attempts are made with.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) workers: Arc<Workers>,
    pub(super) halt: Arc<Halt>,
    tracers: TracerPool,
}

impl Tools {
    /// Creates the parts, with this many threads for asynchronous code.
    pub(super) fn new(threads: usize, halt: Arc<Halt>) -> std::io::Result<Self> {
        Ok(Self { workers: Arc::new(Workers::new(threads)?), halt, tracers: TracerPool::default() })
    }
}

/// Runs one attempt to its end.
pub(super) async fn run(
    Tools { workers, halt, tracers }: &Tools,
    spec: &Arc<Spec>,
    row: usize,
    attempt: u32,
    datapoint: Arc<Datapoint>,
) -> Attempted {
    let mut record = begin(spec, row, attempt, Some(&datapoint));
    let tracer = tracers.tracer(Ids {
        run_id: Arc::clone(&spec.run_id),
        dataset_id: Arc::clone(&spec.external.dataset),
        datapoint_id: record.datapoint_id.as_str().into(),
        session_id: record.session_id.as_str().into(),
    });
    let recalled = match spec.replay.as_ref().map(|replay| replay.attempt(&record.case, attempt)) {
        None => None,
        Some(Ok(recalled)) => Some(recalled),
        Some(Err(error)) => {
            record.error = Some(error);
            return Attempted::not_made(record);
        }
    };
    let started = SystemTime::now();
    let root = tracer.start_root(spec.function.clone());
    let context = Arc::new(AttemptContext {
        spec: Arc::clone(spec),
        row,
        call: Call { datapoint, tracer: tracer.clone() },
        root: root.context().clone(),
        started,
        recorded: recalled.as_ref().map(Recalled::trace),
        is_async: spec.evaluators.iter().map(Evaluation::is_async).collect(),
    });

    let (tries, result, took) = match &recalled {
        None => call_function(workers, halt, &context).await,
        Some(recalled) => {
            let output = recalled.output();
            let called = output.map(|output| (context.subject(Arc::new(output)), None));
            (recalled.tries(), called, recalled.took())
        }
    };
    record.tries = tries;
    record.duration_ms = millis(took);
    let mut readable = Vec::new();
    match result {
        Err(mut error) => {
            if error.kind == ErrorKind::Argument && recalled.is_none() {
                error.message = context.at_row(&error.message);
            }
            root.fail(error.kind.name(), &error.message);
            record.error = Some(error);
        }
        Ok((subject, in_turn)) => {
            (record.scores, readable) = evaluate::all(workers, &context, &subject, in_turn).await;
            record.output = Some(Arc::unwrap_or_clone(subject.output));
        }
    }
    drop(root);
    let finished = tracer.finish();
    record.enrichment = tracer.session_enrichment();
    drop(context);
    tracers.take_back(tracer);
    Attempted { record, readable, rest: Some((finished, recalled)) }
}

/// The subject of the evaluators, and the thread of a synchronous function, which goes on with them.
type Called = Result<(Subject, Option<InTurn>), AttemptError>;

/// Calls the function until it gives a result or the tries are used up. A run that is stopped makes
/// no further try.
async fn call_function(
    workers: &Arc<Workers>,
    halt: &Halt,
    context: &Arc<AttemptContext>,
) -> (u32, Called, Duration) {
    let spec = &context.spec;
    let mut tries = 1;
    let mut pause = FIRST_PAUSE;
    loop {
        let (called, took) = match &spec.run {
            Run::Sync(function) => call_sync(workers, context, Arc::clone(function)).await,
            Run::Async(function) => {
                let (function, call) = (Arc::clone(function), context.call.clone());
                // The call itself is made inside the task, where a panic is caught.
                let current = Current::function(context);
                let task = workers
                    .start_async(&context.root, current, async move { function(call).await });
                let (result, took) = task.finish(spec.timeout).await;
                let output = result.and_then(|returned| returned.map_err(|fault| error_of(&fault)));
                (output.map(|output| (context.subject(Arc::new(output)), None)), took)
            }
        };
        match called {
            Err(error) if tries <= spec.retries && can_heal(error.kind) => {
                tokio::select! {
                    biased;
                    () = halt.stopped() => {
                        let message = format!("not tried again after: {}", error.message);
                        let error = AttemptError { kind: ErrorKind::NotRun, message };
                        return (tries, Err(error), took);
                    }
                    () = tokio::time::sleep(pause) => {}
                }
                tries += 1;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            called => return (tries, called, took),
        }
    }
}

/// Calls a synchronous function; its thread goes on with the evaluators by itself, since waking
/// another thread takes longer than most of them.
async fn call_sync(
    workers: &Arc<Workers>,
    context: &Arc<AttemptContext>,
    function: Arc<SyncFunction>,
) -> (Called, Duration) {
    let here = Arc::clone(context);
    let (output, received) = oneshot::channel();
    let (turns, received_turns) = mpsc::unbounded_channel();
    let mut calls = workers.start_sync(move |caller| {
        let ended = caller.call(&here.root, || {
            let output = Current::function(&here).run(|| function(&here.call));
            output.map(|output| here.subject(Arc::new(output)))
        });
        let subject = ended.done.0.as_ref().ok().and_then(|output| output.as_ref().ok()).cloned();
        // Nothing waits for the output after a timeout.
        if output.send(ended).is_ok()
            && let Some(subject) = subject
        {
            evaluate::in_turn(caller, &turns, here, subject, 0);
        }
    });
    let (returned, took) = calls.result(async { received.await.ok() }, context.spec.timeout).await;
    let called = match returned {
        Ok(Ok(subject)) => Ok((subject, Some(InTurn::new(calls, received_turns)))),
        Ok(Err(fault)) => Err(error_of(&fault)),
        Err(error) => Err(error),
    };
    (called, took)
}

/// Returns whether another try may succeed: an argument that cannot be read, or an output that cannot be
/// written, stays so.
fn can_heal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Returned | ErrorKind::Panic | ErrorKind::Timeout)
}
