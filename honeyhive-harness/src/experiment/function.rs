//! The function and the evaluators of an experiment in code.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::dataset::bind::Fault;
use crate::engine::Run;
use crate::evaluators::Evaluator;
use crate::registry::Call;
use crate::text::error_text;

/// The function of an experiment in code.
#[derive(Clone, Debug)]
pub struct Function(pub(super) Run);

impl Function {
    /// Creates one from an async function or closure. It runs as a task, under the tracer of its attempt.
    pub fn new<F, R, T, E>(function: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Display,
    {
        Self(Run::Async(Arc::new(move |call| {
            let returned = function(call);
            Box::pin(async move { output(returned.await) })
        })))
    }

    /// Creates one from a function or closure that may block. It runs on a thread of its own.
    pub fn blocking<F, T, E>(function: F) -> Self
    where
        F: Fn(&Call) -> Result<T, E> + Send + Sync + 'static,
        T: Serialize,
        E: Display,
    {
        Self(Run::Sync(Arc::new(move |call| output(function(call)))))
    }
}

fn output<T: Serialize, E: Display>(returned: Result<T, E>) -> Result<Value, Fault> {
    let returned = returned.map_err(|error| Fault::Failed(error_text(&error)))?;
    crate::json::to_value(&returned).map_err(Fault::Output)
}

/// The evaluators of an experiment in code.
#[derive(Clone, Default)]
pub struct Evaluators(pub(super) Vec<(String, Arc<dyn Evaluator>)>);

impl fmt::Debug for Evaluators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Evaluators {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an evaluator under its own name: `.with(correct {})`, `.with(at_most { characters: 80 })`.
    #[must_use]
    pub fn with(self, evaluator: impl Evaluator) -> Self {
        let name = evaluator.info().name;
        self.named(name, evaluator)
    }

    /// Adds an evaluator under another name, for one that is used twice.
    #[must_use]
    pub fn named(mut self, name: &str, evaluator: impl Evaluator) -> Self {
        self.0.push((name.to_owned(), Arc::new(evaluator)));
        self
    }
}
