//! A pool of the parts that tracers of attempts are made of.
//!
//! Each attempt has a provider of its own. Building one reads the environment and runs the resource
//! detectors of the SDK, whatever resource it is given afterwards, and takes longer than anything else
//! about an attempt that does little: without the pool, the CPU time of the benchmark's rows is
//! 1.03 (`noop_1_000`), 1.23 (`noop_100_000`) and 1.27 (`sync_100_000`) times as high, 5 to 6 us per attempt
//! (2 cores, 2026-11).
//!
//! The parts of a finished tracer go to a later one only if nothing can reach them any more: no clone of
//! the tracer is left, in no context and no thread, and none of its spans is open. Otherwise the provider
//! is shut down. Whatever is added to [`Tracer`] must keep this true; the tests below say what it means.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::buffer::SpanBuffer;
use super::{Ids, Inner, Tracer};

/// Parts of finished tracers, for later ones.
#[derive(Debug, Default)]
pub(crate) struct TracerPool(Mutex<Vec<Parts>>);

/// The parts of a tracer that no other one shares.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) provider: SdkTracerProvider,
    pub(super) tracer: SdkTracer,
    pub(super) buffer: Arc<SpanBuffer>,
}

impl TracerPool {
    fn lock(&self) -> MutexGuard<'_, Vec<Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a tracer for one attempt.
    pub(crate) fn tracer(&self, ids: Ids) -> Tracer {
        let parts = self.lock().pop();
        match parts {
            Some(parts) => Tracer::of_parts(ids, parts),
            None => Tracer::new(ids),
        }
    }

    /// Takes back the parts of a finished tracer.
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

/// Shuts a tracer down: clones that are left make no more spans.
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
        let pool = TracerPool::default();
        let first = pool.tracer(ids("one"));
        drop(first.start_root("first"));
        let trace_id = first.trace_id();
        assert_eq!(names(&first), ["first"]);
        pool.take_back(first);
        assert_eq!(pool.lock().len(), 1);
        let second = pool.tracer(ids("two"));
        assert_eq!(pool.lock().len(), 0);
        let (root, inner) = (second.start_root("second"), second.start_span("inner"));
        drop((inner, root));
        assert_eq!(&*second.ids().datapoint_id, "two");
        assert_ne!(second.trace_id(), trace_id);
        let mut finished = second.finish();
        assert_eq!((finished.open, finished.dropped, finished.take_spans().len()), (0, 0, 2));
    }

    #[test]
    fn parts_that_can_still_be_reached_are_not_used_again() {
        let pool = TracerPool::default();
        // A thread that outlives its attempt has a clone, or a context.
        let cloned = pool.tracer(ids("one"));
        let kept = cloned.clone();
        // A span is still open.
        let left_open = pool.tracer(ids("two"));
        let span = left_open.start_span("open");
        // A span ended, but its context lives on.
        let in_context = pool.tracer(ids("three"));
        let ended = in_context.start_span("ended");
        let context = ended.context().clone();
        drop(ended);
        for tracer in [cloned, left_open, in_context] {
            tracer.finish();
            pool.take_back(tracer);
        }
        assert_eq!(pool.lock().len(), 0);
        let next = pool.tracer(ids("four"));
        drop(kept.start_span("late"));
        drop(span);
        drop(context);
        drop(next.start_span("own"));
        assert_eq!(names(&next), ["own"]);
    }
}
