//! Recorded outputs in the place of calls, for `cargo honeyhive rejudge`.
//!
//! The function is not called; its output, error, duration and spans are those of the record. All
//! the rest (evaluators, journal, gates, reports) is as in any run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::journal::{AttemptError, AttemptRecord, ErrorKind};
use crate::tracer::{SpanRecord, Trace};

/// The recorded attempts of an experiment, by the ids of the cases; or the reason why those of a case
/// cannot be used.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) cases: HashMap<String, Result<Vec<AttemptRecord>, String>>,
    /// The invocation that they are from.
    pub(crate) invocation: String,
    /// Set when its gate was decided before the last case: cases without a record are not run.
    pub(crate) stopped: bool,
}

impl Replay {
    /// Returns the most attempts that any case has.
    pub(crate) fn repeats(&self) -> u32 {
        let counts = self.cases.values().filter_map(|case| case.as_ref().ok()).map(Vec::len);
        u32::try_from(counts.max().unwrap_or(1)).unwrap_or(u32::MAX).max(1)
    }

    /// Returns whether a case was not run then because its gate was decided without it.
    pub(super) fn left_out(&self, case: &str) -> bool {
        self.stopped && !self.cases.contains_key(case)
    }

    /// Returns the record of an attempt.
    pub(super) fn attempt(&self, case: &str, attempt: u32) -> Result<Recalled, AttemptError> {
        let not_run = |message: String| AttemptError { kind: ErrorKind::NotRun, message };
        let from = &self.invocation;
        let attempts = match self.cases.get(case) {
            None => return Err(not_run(format!("{from} has no such case"))),
            Some(Err(why)) => return Err(not_run(why.clone())),
            Some(Ok(attempts)) => attempts,
        };
        let Some(record) = attempts.iter().find(|record| record.attempt == attempt) else {
            return Err(not_run(format!("{from} has no attempt {attempt} of this case")));
        };
        if record.output.is_none() && record.error.is_none() {
            return Err(not_run(format!(
                "{from} has no output of this case; was it recorded with HH_CAPTURE=none?"
            )));
        }
        Ok(Recalled::new(record.clone()))
    }
}

/// A recorded attempt without the results of its evaluators.
pub(super) struct Recalled {
    record: AttemptRecord,
    trace: Arc<Trace>,
}

impl Recalled {
    fn new(mut record: AttemptRecord) -> Self {
        record.scores.clear();
        record.spans.retain(|span| !span.name.starts_with("evaluator."));
        let trace = Trace { trace_id: record.trace_id.clone(), spans: record.spans.clone() };
        Self { record, trace: Arc::new(trace) }
    }

    pub(super) fn trace(&self) -> Arc<Trace> {
        Arc::clone(&self.trace)
    }

    pub(super) fn tries(&self) -> u32 {
        self.record.tries
    }

    pub(super) fn took(&self) -> Duration {
        Duration::try_from_secs_f64(self.record.duration_ms / 1000.0).unwrap_or_default()
    }

    /// Returns the recorded output of the function, or its recorded error.
    pub(super) fn output(&self) -> Result<serde_json::Value, AttemptError> {
        match (&self.record.error, &self.record.output) {
            (Some(error), _) => Err(error.clone()),
            (None, output) => Ok(output.clone().unwrap_or_default()),
        }
    }

    /// Turns the record of judging again into one of the attempt itself: with its spans and its duration, and
    /// with the spans of the current evaluators below the recorded root.
    pub(super) fn merge_into(self, record: &mut AttemptRecord) {
        let old = self.record;
        let root = old.spans.iter().find(|span| span.parent_span_id.is_none());
        let root = root.map(|span| span.span_id.clone());
        let evaluators = std::mem::take(&mut record.spans).into_iter().filter_map(|span| {
            span.name
                .starts_with("evaluator.")
                .then(|| SpanRecord { parent_span_id: root.clone(), ..span })
        });
        let spans: Vec<SpanRecord> = old.spans.iter().cloned().chain(evaluators).collect();
        record.spans = spans;
        record.started_at = old.started_at;
        record.trace_id = old.trace_id;
        record.enrichment = old.enrichment;
        record.open_spans = old.open_spans;
        record.dropped_spans = old.dropped_spans;
    }
}
