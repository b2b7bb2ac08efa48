//! Evaluators: what a score comes from.
//!
//! Users write a function and put `#[evaluator]` on it; the macro adds a struct of the same name
//! that implements [`Evaluator`]. Writing the trait by hand is possible, too, for programs that
//! build their evaluators at run time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::datapoint::Datapoint;
use crate::dataset::bind::{Fault, Fields, FromField, Param};
use crate::score::{Direction, IntoScore, Judges, Score, Shape};
use crate::tracer::Trace;

/// A future that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What an evaluator answers: a score, `None` when it does not apply, or why there is none.
pub type Answer = Result<Option<Score>, Fault>;

/// What is known about an evaluator before it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatorInfo {
    /// The name that scores are reported under.
    pub name: &'static str,
    /// `file:line` of the function, for error texts.
    pub file: &'static str,
    /// See `file`.
    pub line: u32,
    /// What it reads.
    pub params: &'static [Param],
    /// It wants the spans of the attempt (`trace: &Trace`).
    pub reads_trace: bool,
    /// From here on a score is good (or down from here, when minimizing).
    pub threshold: Option<f64>,
    /// Which way is better.
    pub direction: Direction,
    /// The smallest and the largest value that makes sense; anything else is an error.
    pub range: Option<(f64, f64)>,
    /// What the return type says about its scores.
    pub shape: Shape,
    /// The function as the macro saw it: a hash that changes when the code does.
    pub source_hash: &'static str,
}

impl EvaluatorInfo {
    /// Whether its scores decide cases.
    pub const fn judges(&self) -> Judges {
        Judges::from_shape(self.shape, self.threshold.is_some())
    }

    /// The limit that a case mean must hold, for scores that judge.
    pub const fn limit(&self) -> f64 {
        match self.threshold {
            Some(threshold) => threshold,
            None => self.direction.bool_limit(),
        }
    }
}

/// What an evaluator looks at: the datapoint, the serialised output, and the trace.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The row.
    pub datapoint: Arc<Datapoint>,
    /// What the experiment's function returned, as JSON.
    pub output: Arc<Value>,
    /// The finished spans of the attempt.
    pub trace: Arc<Trace>,
}

impl Subject {
    /// The values that arguments are taken from.
    pub fn fields(&self) -> Fields<'_> {
        Fields::with_output(&self.datapoint, &self.output)
    }

    /// Reads one argument.
    ///
    /// # Errors
    /// When it is missing, null, or of another type.
    pub fn required<T: FromField>(&self, param: &Param) -> Result<T, Fault> {
        self.fields().required(param)
    }
}

/// An evaluation ready to run.
pub enum Evaluation {
    /// Runs on a thread where blocking is fine.
    Sync(Box<dyn FnOnce() -> Answer + Send>),
    /// Runs as a task.
    Async(BoxFuture<Answer>),
}

impl std::fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Evaluation::Sync(..)",
            Self::Async(_) => "Evaluation::Async(..)",
        })
    }
}

/// Something that scores outputs.
pub trait Evaluator: Send + Sync + 'static {
    /// What is known before it runs.
    fn info(&self) -> EvaluatorInfo;

    /// Prepares the evaluation of one output. This must return at once: whatever takes time, or may
    /// fail, belongs into the evaluation.
    fn evaluate(self: Arc<Self>, subject: Subject) -> Evaluation;
}

/// The struct beside an `#[evaluator]` function.
///
/// A plain function has none, which is how rustc finds out that the attribute is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an evaluator",
    label = "not an evaluator",
    note = "add `#[evaluator]` to the function"
)]
pub trait Companion: Evaluator + Sized {
    /// What [`Evaluator::info`] answers, known to the compiler.
    const INFO: EvaluatorInfo;
    /// The settings that a use must give, each with the text of the error when it does not.
    const REQUIRED: &'static [(&'static str, &'static str)];
    /// The settings, each an `Option`.
    type Settings: Default;
    /// The evaluator with these settings; what is not given has its default.
    fn from_settings(settings: Self::Settings) -> Self;
}

/// Turns what an evaluator function returned into an answer.
///
/// # Errors
/// The evaluator's own.
pub fn answer(returned: impl IntoScore) -> Answer {
    returned.into_score().map_err(Fault::Failed)
}
