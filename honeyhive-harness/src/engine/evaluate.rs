//! The evaluators of one attempt.
//!
//! Most evaluators are a comparison and done in a microsecond. So synchronous evaluators run one
//! after another on the thread that called the function. Each asynchronous evaluator is a task of
//! its own, beside the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::context::AttemptContext;
use super::current::Current;
use super::execute::{Caller, Done, Ended, Started, SyncCall, SyncCalls, Workers};
use super::record::{error_of, millis};
use crate::dataset::bind::Fault;
use crate::evaluators::{Answer, Evaluation, Subject};
use crate::gate::evaluator::Judge;
use crate::journal::{AttemptError, ErrorKind, ScoreRecord};
use crate::json::{TOO_DEEP, is_too_deep, normal_fields};
use crate::score::{Judges, Score, ScoreValue, rounded};
use crate::tracer::{Span, attributes};

/// The result of an evaluator's turn on the thread of the synchronous ones.
pub(super) enum Turn {
    Answer(Answer),
    /// The evaluator is async, so it has to run as a task.
    IsAsync,
}

/// Synchronous evaluators under way, one after another on one thread.
pub(super) struct InTurn {
    calls: SyncCalls,
    turns: UnboundedReceiver<Ended<Turn>>,
}

impl InTurn {
    /// Receives the turns of evaluators that run on the thread of these calls.
    pub(super) fn new(calls: SyncCalls, turns: UnboundedReceiver<Ended<Turn>>) -> Self {
        Self { calls, turns }
    }

    /// Starts a thread with the evaluators from `first` on.
    fn start(
        workers: &Arc<Workers>,
        context: &Arc<AttemptContext>,
        subject: &Subject,
        first: usize,
    ) -> Self {
        let (context, subject) = (Arc::clone(context), subject.clone());
        let (turns, received) = unbounded_channel();
        let calls =
            workers.start_sync(move |caller| in_turn(caller, &turns, context, subject, first));
        Self::new(calls, received)
    }

    /// Waits for the next turn.
    async fn next(&mut self, limit: Duration) -> Done<Turn> {
        self.calls.result(self.turns.recv(), limit).await
    }
}

/// Runs the synchronous evaluators from `first` on, below the context of the root span, and sends
/// the result of each.
pub(super) fn in_turn(
    caller: &Caller,
    turns: &UnboundedSender<Ended<Turn>>,
    context: Arc<AttemptContext>,
    subject: Subject,
    first: usize,
) {
    let mut next = context.next_in_turn(first);
    while let Some(index) = next {
        let used = &context.spec.evaluators[index];
        let judge = &context.spec.rules.judges[index];
        let ended = caller.call(&context.root, || {
            match Arc::clone(&used.evaluator).evaluate(subject.clone()) {
                Evaluation::Async(_) => Turn::IsAsync,
                Evaluation::Sync(work) => {
                    let span = context.call.tracer.start_evaluator_span(&context.root, &judge.name);
                    let _current = span.enter();
                    let answer = Current::evaluator(&context, index).run(work);
                    Turn::Answer(conclude(judge, answer, span.context()))
                }
            }
        });
        next = context.next_in_turn(index + 1);
        if next.is_none() {
            // Before the last result: the attempt then has its output and its tracer for itself.
            drop((context, subject));
            let _ = turns.send(ended);
            return;
        }
        if turns.send(ended).is_err() {
            // The evaluator timed out; another thread goes on with the next one.
            return;
        }
    }
}

/// Waits for the scores of all evaluators, in order, and whether each could read the output.
/// `in_turn` is the thread of a synchronous function, which goes on with the evaluators.
pub(super) async fn all(
    workers: &Arc<Workers>,
    context: &Arc<AttemptContext>,
    subject: &Subject,
    mut in_turn: Option<InTurn>,
) -> (Vec<ScoreRecord>, Vec<bool>) {
    let spec = &context.spec;
    let count = spec.evaluators.len();
    let mut results: Vec<Option<(ScoreRecord, bool)>> = vec![None; count];
    let mut beside: Vec<Beside> = Vec::new();
    for index in (0..count).filter(|index| context.is_async[*index]) {
        beside.push(Beside::start(workers, context, subject, index));
    }
    let mut next = context.next_in_turn(0);
    while let Some(index) = next {
        let mut running =
            in_turn.take().unwrap_or_else(|| InTurn::start(workers, context, subject, index));
        let (turn, took) = running.next(spec.timeout).await;
        // A panic leaves the thread in order; after a timeout another one takes over.
        let goes_on = turn.as_ref().map_or_else(|error| error.kind == ErrorKind::Panic, |_| true);
        in_turn = Some(running).filter(|_| goes_on);
        match turn {
            Ok(Turn::Answer(answer)) => {
                results[index] = Some(score(context, index, Ok(answer), took));
            }
            Ok(Turn::IsAsync) => {
                spec.evaluators[index].note_async();
                beside.push(Beside::start(workers, context, subject, index));
            }
            Err(error) => results[index] = Some(score(context, index, Err(error), took)),
        }
        next = context.next_in_turn(index + 1);
    }
    for running in beside {
        let index = running.index;
        results[index] = Some(running.finish(context).await);
    }
    results.into_iter().flatten().unzip()
}

/// An evaluator that runs beside the others.
struct Beside {
    index: usize,
    span: Span,
    running: Running,
}

enum Running {
    Thread(SyncCall<Answer>),
    Task(Started<Answer>),
}

impl Beside {
    fn start(
        workers: &Arc<Workers>,
        context: &AttemptContext,
        subject: &Subject,
        index: usize,
    ) -> Self {
        let judge = context.spec.rules.judges[index].clone();
        let span = context.call.tracer.start_evaluator_span(&context.root, &judge.name);
        let evaluator = Arc::clone(&context.spec.evaluators[index].evaluator);
        let (own, cx) = (judge, span.context().clone());
        let current = Current::evaluator(context, index);
        let prepare = || evaluator.evaluate(subject.clone());
        let evaluation = catch_unwind(AssertUnwindSafe(prepare)).unwrap_or_else(|_| {
            let text = "`Evaluator::evaluate` panicked before the evaluation began";
            Evaluation::Sync(Box::new(|| Err(Fault::Failed(text.to_owned()))))
        });
        let running = match evaluation {
            Evaluation::Sync(work) => {
                let span_context = cx.clone();
                // An error of the call itself is put on the span by `finish`.
                let work = move || conclude(&own, current.run(work), &span_context);
                Running::Thread(workers.start_call(cx, work))
            }
            Evaluation::Async(work) => {
                let work = async move { conclude(&own, work.await, &cx) };
                Running::Task(workers.start_async(span.context(), current, work))
            }
        };
        Self { index, span, running }
    }

    async fn finish(self, context: &AttemptContext) -> (ScoreRecord, bool) {
        let limit = context.spec.timeout;
        let (answer, took) = match self.running {
            Running::Thread(call) => call.finish(limit).await,
            Running::Task(task) => task.finish(limit).await,
        };
        if let Err(error) = &answer {
            self.span.fail(error.kind.name(), &error.message);
        }
        score(context, self.index, answer, took)
    }
}

/// The record of an answer, and whether the evaluator could read the output.
fn score(
    context: &AttemptContext,
    index: usize,
    answer: Result<Answer, AttemptError>,
    took: Duration,
) -> (ScoreRecord, bool) {
    let mut record = ScoreRecord {
        evaluator: context.spec.rules.judges[index].name.clone(),
        duration_ms: millis(took),
        ..ScoreRecord::default()
    };
    let mut could_read = true;
    match answer {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(Score { value, label, explanation, metadata }))) => {
            record.value = Some(value);
            record.label = label;
            record.explanation = explanation;
            record.metadata = metadata;
        }
        Ok(Err(fault)) => {
            let mut error = error_of(&fault);
            if let Fault::Argument { from_output, text } = &fault {
                could_read = !from_output;
                if could_read {
                    error.message = context.at_row(text);
                }
            }
            record.error = Some(error);
        }
        Err(error) => record.error = Some(error),
    }
    (record, could_read)
}

/// Checks the answer, puts it on the evaluator's span and ends that: within the evaluator's own
/// thread or task, so that the span's duration is the evaluator's.
fn conclude(judge: &Judge, answer: Answer, cx: &Context) -> Answer {
    let answer = answer.and_then(|score| match score {
        Some(score) => checked(judge, score).map(Some),
        None => Ok(None),
    });
    let span = cx.span();
    match &answer {
        Ok(None) => {}
        Ok(Some(score)) => {
            let value = score.value.as_f64();
            span.set_attribute(KeyValue::new(attributes::EVALUATOR_SCORE, value));
            let judged = match (judge.judges(), score.value) {
                (Judges::Always, _) | (Judges::WhenBool, ScoreValue::Bool(_)) => true,
                (Judges::WhenBool | Judges::Never, _) => false,
            };
            if judged {
                let good = judge.is_good(score.value);
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_PASSED, good));
            }
            if let Some(label) = &score.label {
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_LABEL, label.clone()));
            }
            if let Some(text) = &score.explanation {
                span.set_attribute(KeyValue::new(attributes::EVALUATOR_EXPLANATION, text.clone()));
            }
        }
        Err(fault) => {
            let error = error_of(fault);
            crate::tracer::fail(&span, error.kind.name(), &error.message);
        }
    }
    span.end();
    answer
}

fn checked(judge: &Judge, mut score: Score) -> Result<Score, Fault> {
    let value = score.value.as_f64();
    if !value.is_finite() {
        return Err(Fault::Failed(format!("returned {value}, which is no score")));
    }
    if score.metadata.values().any(is_too_deep) {
        return Err(Fault::Failed(format!("returned metadata; {TOO_DEEP}")));
    }
    normal_fields(&mut score.metadata)
        .map_err(|error| Fault::Failed(format!("returned metadata; {error}")))?;
    if let ScoreValue::Number(number) = &mut score.value {
        *number = rounded(*number, judge.range, judge.threshold);
    }
    let value = score.value.as_f64();
    match judge.range {
        Some((low, high)) if value < low || value > high => {
            Err(Fault::Failed(format!("returned {value}, outside its range {low} to {high}")))
        }
        _ => Ok(score),
    }
}
