//! The context of one attempt: everything that its function and its evaluators run with.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::Context;
use serde_json::Value;

use super::spec::Spec;
use crate::evaluators::Subject;
use crate::registry::Call;
use crate::tracer::Trace;

/// The context of one attempt: everything that its function and its evaluators run with.
pub(super) struct AttemptContext {
    pub(super) spec: Arc<Spec>,
    pub(super) call: Call,
    pub(super) row: usize,
    /// The context of the root span.
    pub(super) root: Context,
    pub(super) started: SystemTime,
    /// The spans of a recorded attempt that is judged again.
    pub(super) recorded: Option<Arc<Trace>>,
    /// Set, per evaluator, when it is known to be async. Read once per attempt, since another attempt
    /// may find it out meanwhile.
    pub(super) is_async: Box<[bool]>,
}

impl AttemptContext {
    /// Returns the first evaluator from `first` on that is not known to be async.
    pub(super) fn next_in_turn(&self, first: usize) -> Option<usize> {
        (first..self.is_async.len()).find(|index| !self.is_async[*index])
    }

    /// Returns a text about the row, after `file:line`.
    pub(super) fn at_row(&self, text: &str) -> String {
        let dataset = &self.spec.dataset;
        format!("{}: {text}", dataset.place(&dataset.rows[self.row]))
    }

    /// Creates the subject of the evaluators, once per attempt, so that all of them see the same
    /// spans.
    pub(super) fn subject(&self, output: Arc<Value>) -> Subject {
        if let Some(trace) = &self.recorded {
            let (datapoint, trace) = (Arc::clone(&self.call.datapoint), Arc::clone(trace));
            return Subject { datapoint, output, trace };
        }
        let wants_trace = self.spec.evaluators.iter().any(|used| used.info.reads_trace);
        let trace = if wants_trace {
            self.call.tracer.snapshot(&self.spec.function, self.started)
        } else {
            Trace::default()
        };
        Subject { datapoint: Arc::clone(&self.call.datapoint), output, trace: Arc::new(trace) }
    }
}
