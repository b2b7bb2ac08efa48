//! Defines evaluators, which score outputs.
//!
//! Users write a function and put `#[evaluator]` on it; the macro adds a struct of the same name
//! that implements [`Evaluator`].

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

/// The result of an evaluator: a score, `None` when it does not apply, or the reason why there is
/// none.
pub type Answer = Result<Option<Score>, Fault>;

/// The static facts about an evaluator, known before it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatorInfo {
    /// The name that scores are reported under.
    pub name: &'static str,
    /// The source file of the function, for error texts.
    pub file: &'static str,
    /// The line of the function, for error texts.
    pub line: u32,
    /// The parameters that the evaluator reads.
    pub params: &'static [Param],
    /// Set when the evaluator reads the spans of the attempt (`trace: &Trace`).
    pub reads_trace: bool,
    /// The lowest good score (the highest one when minimizing).
    pub threshold: Option<f64>,
    /// The direction in which scores are better.
    pub direction: Direction,
    /// The smallest and the largest valid value; any other value is an error.
    pub range: Option<(f64, f64)>,
    /// The kind of scores that the return type allows.
    pub shape: Shape,
    /// The hash of the function as written, which changes when the code does.
    pub source_hash: &'static str,
}

impl EvaluatorInfo {
    /// Returns whether the scores decide cases.
    pub const fn judges(&self) -> Judges {
        Judges::from_shape(self.shape, self.threshold.is_some())
    }

    /// Returns the limit that a case mean must hold, for scores that judge.
    pub const fn limit(&self) -> f64 {
        match self.threshold {
            Some(threshold) => threshold,
            None => self.direction.bool_limit(),
        }
    }
}

/// The data that an evaluator can read: the datapoint, the serialised output, and the trace.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The row of the case.
    pub datapoint: Arc<Datapoint>,
    /// The return value of the experiment's function, as JSON.
    pub output: Arc<Value>,
    /// The finished spans of the attempt.
    pub trace: Arc<Trace>,
}

impl Subject {
    /// Returns the values that arguments are taken from.
    pub fn fields(&self) -> Fields<'_> {
        Fields::with_output(&self.datapoint, &self.output)
    }

    /// Reads one argument.
    ///
    /// # Errors
    /// Returns an error when it is missing, null, or of another type.
    pub fn required<T: FromField>(&self, param: &Param) -> Result<T, Fault> {
        self.fields().required(param)
    }
}

/// An evaluation that is ready to run.
pub enum Evaluation {
    /// An evaluation that runs on a thread where blocking is fine.
    Sync(Box<dyn FnOnce() -> Answer + Send>),
    /// An evaluation that runs as a task.
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

/// The interface of evaluators, which score outputs.
///
/// [`#[evaluator]`](macro@crate::evaluator) implements it for the struct beside a function. Its methods
/// are for that attribute alone, and change without notice.
pub trait Evaluator: Send + Sync + 'static {
    /// Returns the static facts about the evaluator.
    #[doc(hidden)]
    fn info(&self) -> EvaluatorInfo;

    /// Prepares the evaluation of one output. It must return at once: work that takes time, or may
    /// fail, belongs into the evaluation.
    #[doc(hidden)]
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
    /// The value of [`Evaluator::info`], as a constant.
    const INFO: EvaluatorInfo;
    /// The settings that a use must give, each with the text of the error when it does not.
    const REQUIRED: &'static [(&'static str, &'static str)];
    /// The type of the settings, each an `Option`.
    type Settings: Default;
    /// Creates the evaluator with these settings; those that are not given have their defaults.
    fn from_settings(settings: Self::Settings) -> Self;
}

/// Converts the return value of an evaluator function into an answer.
///
/// # Errors
/// Returns the error of the evaluator.
pub fn answer(returned: impl IntoScore) -> Answer {
    returned.into_score().map_err(Fault::Failed)
}
