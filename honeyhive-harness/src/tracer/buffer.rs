//! Where the finished spans of one attempt wait until the attempt is over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::propagation;

/// Spans that one attempt may keep. A loop that opens spans for ever must not eat the machine.
const MAX_SPANS: usize = 10_000;

/// The finished spans of one attempt, in the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct SpanBuffer {
    spans: Mutex<State>,
    started: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    spans: Vec<SpanData>,
    closed: bool,
}

impl SpanBuffer {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while pushing cannot leave the list half written.
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with<T>(&self, read: impl FnOnce(&[SpanData]) -> T) -> T {
        read(&self.lock().spans)
    }

    /// Takes the spans; whatever ends later is counted as open.
    pub(super) fn close(&self) -> Vec<SpanData> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.spans)
    }

    /// Spans that were still open when the buffer closed, and spans beyond the limit.
    pub(super) fn lost(&self) -> (usize, usize) {
        let started = self.started.load(Ordering::Acquire);
        let ended = self.ended.load(Ordering::Acquire);
        (started.saturating_sub(ended), self.dropped.load(Ordering::Acquire))
    }

    fn push(&self, span: SpanData) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        self.ended.fetch_add(1, Ordering::AcqRel);
        if state.spans.len() < MAX_SPANS {
            state.spans.push(span);
        } else {
            self.dropped.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Feeds the buffer from the provider.
#[derive(Debug)]
pub(super) struct Processor(pub(super) Arc<SpanBuffer>);

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.0.started.fetch_add(1, Ordering::AcqRel);
        propagation::note_baggage(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        self.0.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
