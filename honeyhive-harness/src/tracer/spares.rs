//! What the tracers of attempts are made of, to be used again.
//!
//! A provider of the SDK finds out about its machine whenever one is made, which takes longer than
//! anything else about an attempt that does little. So what a finished tracer was made of goes to a
//! later one; but only if nobody can reach it any more: no clone of the tracer is left, in no
//! context and no thread, and none of its spans is open. Otherwise it is closed for good.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::buffer::SpanBuffer;
use super::{Ids, Inner, Tracer};

/// Parts that wait for their next tracer.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Parts>>);

/// What a tracer has for itself.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) provider: SdkTracerProvider,
    pub(super) tracer: SdkTracer,
    pub(super) buffer: Arc<SpanBuffer>,
}

impl Spares {
    fn lock(&self) -> MutexGuard<'_, Vec<Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tracer for one attempt.
    pub(crate) fn tracer(&self, ids: Ids) -> Tracer {
        let spare = self.lock().pop();
        match spare {
            Some(parts) => Tracer::of_parts(ids, parts),
            None => Tracer::new(ids),
        }
    }

    /// Takes back what a finished tracer was made of.
    pub(crate) fn take_back(&self, tracer: Tracer) {
        match Arc::try_unwrap(tracer.inner) {
            Ok(Inner { provider, tracer, buffer, .. }) if buffer.lost().0 == 0 => {
                buffer.open_again();
                self.lock().push(Parts { provider, tracer, buffer });
            }
            Ok(inner) => close(&inner),
            Err(inner) => close(&inner),
        }
    }
}

/// Whatever still has it makes no more spans.
fn close(inner: &Inner) {
    let _ = inner.provider.shutdown();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::new_session_id;

    fn ids(datapoint: &str) -> Ids {
        Ids {
            run_id: "run".into(),
            dataset_id: "EXT-set".into(),
            datapoint_id: datapoint.into(),
            session_id: new_session_id(),
        }
    }

    fn names(tracer: &Tracer) -> Vec<String> {
        tracer.finish().take_spans().into_iter().map(|span| span.name).collect()
    }

    #[test]
    fn parts_are_used_again_and_remember_nothing() {
        let spares = Spares::default();
        let first = spares.tracer(ids("one"));
        drop(first.start_root("first"));
        let trace_id = first.trace_id();
        assert_eq!(names(&first), ["first"]);
        spares.take_back(first);
        assert_eq!(spares.lock().len(), 1);
        let second = spares.tracer(ids("two"));
        assert_eq!(spares.lock().len(), 0);
        let (root, inner) = (second.start_root("second"), second.start_span("inner"));
        drop((inner, root));
        assert_eq!(&*second.ids().datapoint_id, "two");
        assert_ne!(second.trace_id(), trace_id);
        let mut finished = second.finish();
        assert_eq!((finished.open, finished.dropped, finished.take_spans().len()), (0, 0, 2));
    }

    #[test]
    fn what_somebody_can_still_reach_is_not_used_again() {
        let spares = Spares::default();
        // A thread that outlives its attempt has a clone, or a context.
        let cloned = spares.tracer(ids("one"));
        let kept = cloned.clone();
        // A span is still open.
        let left_open = spares.tracer(ids("two"));
        let span = left_open.start_span("open");
        // A span ended, but its context lives on.
        let in_context = spares.tracer(ids("three"));
        let ended = in_context.start_span("ended");
        let context = ended.context().clone();
        drop(ended);
        for tracer in [cloned, left_open, in_context] {
            tracer.finish();
            spares.take_back(tracer);
        }
        assert_eq!(spares.lock().len(), 0);
        let next = spares.tracer(ids("four"));
        drop(kept.start_span("late"));
        drop(span);
        drop(context);
        drop(next.start_span("own"));
        assert_eq!(names(&next), ["own"]);
    }
}
