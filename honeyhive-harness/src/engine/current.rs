//! Which call of the user's runs on this thread, for the message about code that ends the process.
//!
//! Read while the process ends, when thread-locals with destructors are gone. So this one has none.

use std::sync::Arc;

use super::attempt::Scene;
use super::schedule::Shared;

/// A call of an experiment's function, or of one of its evaluators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    /// The address of the experiment's spec.
    spec: usize,
    row: usize,
    /// Its index; the function itself where there is none.
    evaluator: Option<usize>,
}

tokio::task_local! {
    static CURRENT: Current;
}

impl Current {
    pub(super) fn function(scene: &Scene) -> Self {
        Self { spec: Arc::as_ptr(&scene.spec).addr(), row: scene.row, evaluator: None }
    }

    pub(super) fn evaluator(scene: &Scene, index: usize) -> Self {
        Self { evaluator: Some(index), ..Self::function(scene) }
    }

    pub(super) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    pub(super) async fn poll<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }
}

/// `function `f` (src/a.rs:3) of the case exp::c1`, where this thread runs code of an attempt.
pub(crate) fn describe_current(shared: &Shared) -> Option<String> {
    let Current { spec, row, evaluator } = CURRENT.try_with(|current| *current).ok()?;
    let spec = &shared.jobs.iter().find(|job| Arc::as_ptr(&job.spec).addr() == spec)?.spec;
    let test = spec.test_name(row);
    Some(match evaluator.and_then(|index| Some((index, spec.evaluators.get(index)?))) {
        None => format!("the function `{}` ({}) of the case {test}", spec.function, spec.place),
        Some((index, used)) => format!(
            "the evaluator `{}` ({}:{}) of the case {test}",
            spec.rules.judges[index].name, used.info.file, used.info.line
        ),
    })
}
