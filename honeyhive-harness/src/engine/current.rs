//! The call of user code that runs on this thread, for the message about code that ends the process.
//!
//! The message is made while the process ends, when thread-locals with destructors are gone. So this one
//! has no destructor.

use std::sync::Arc;

use super::context::AttemptContext;
use super::spec::Spec;

/// A call of an experiment's function, or of one of its evaluators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    /// The address of the experiment's spec.
    spec: usize,
    row: usize,
    /// The evaluator's index; `None` for the function itself.
    evaluator: Option<usize>,
}

tokio::task_local! {
    static CURRENT: Current;
}

impl Current {
    /// Creates that of the function.
    pub(super) fn function(context: &AttemptContext) -> Self {
        Self { spec: Arc::as_ptr(&context.spec).addr(), row: context.row, evaluator: None }
    }

    /// Creates that of an evaluator.
    pub(super) fn evaluator(context: &AttemptContext, index: usize) -> Self {
        Self { evaluator: Some(index), ..Self::function(context) }
    }

    /// Runs synchronous code as this call.
    pub(super) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// Runs asynchronous code as this call.
    pub(super) async fn poll<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// Returns the call that runs on this thread.
    pub(super) fn of_thread() -> Option<Self> {
        CURRENT.try_with(|current| *current).ok()
    }

    /// Returns whether it is a call of this experiment.
    pub(super) fn is_of(&self, spec: &Arc<Spec>) -> bool {
        Arc::as_ptr(spec).addr() == self.spec
    }

    /// Returns its name, place and case.
    pub(super) fn describe(&self, spec: &Spec) -> String {
        let test = spec.test_name(self.row);
        match self.evaluator.and_then(|index| Some((index, spec.evaluators.get(index)?))) {
            None => format!("the function `{}` ({}) of the case {test}", spec.function, spec.place),
            Some((index, used)) => format!(
                "the evaluator `{}` ({}:{}) of the case {test}",
                spec.rules.judges[index].name, used.info.file, used.info.line
            ),
        }
    }
}
