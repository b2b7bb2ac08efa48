//! Buffers of finished spans: those of an attempt until it is over, those of another program until
//! they are sent or, in a tracer that sends nothing, for as long as there is room.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::propagation;
use super::session::SessionState;

/// The most spans that one attempt may keep, so that a loop that opens spans cannot use up the memory.
pub(crate) const MAX_SPANS: usize = 10_000;

/// A finished span.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The span, in a box, since a list of these grows, and a span is large.
    pub(crate) span: Box<SpanData>,
    /// The session that it belongs to, where that is not the session of its tracer.
    pub(crate) session: Option<Arc<SessionState>>,
}

/// The span that is dropped when one ends and there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Drops the span that ended.
    Newest,
    /// Drops the oldest span.
    Oldest,
}

/// Finished spans in the order in which they ended.
#[derive(Debug)]
pub(crate) struct SpanBuffer {
    spans: Mutex<State>,
    most: usize,
    drops: Full,
    started: AtomicUsize,
    ended: AtomicUsize,
    dropped: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    spans: VecDeque<Ended>,
    /// The number of spans that were taken and are not settled yet.
    under_way: usize,
    closed: bool,
}

impl Default for SpanBuffer {
    /// Creates the buffer of an attempt.
    fn default() -> Self {
        Self::new(MAX_SPANS, Full::Newest)
    }
}

impl SpanBuffer {
    pub(crate) fn new(most: usize, drops: Full) -> Self {
        Self {
            spans: Mutex::default(),
            most,
            drops,
            started: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while pushing cannot leave the list half written.
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a function for every span, and returns its results.
    pub(crate) fn read<T>(&self, each: impl FnMut(&SpanData) -> T) -> Vec<T> {
        self.lock().spans.iter().map(|ended| ended.span.as_ref()).map(each).collect()
    }

    /// Takes all spans; those that end later are counted as open.
    pub(crate) fn close(&self) -> VecDeque<Ended> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.spans)
    }

    /// Resets the buffer. Only for a caller that nothing else shares it with.
    pub(crate) fn open_again(&self) {
        *self.lock() = State::default();
        for count in [&self.started, &self.ended, &self.dropped] {
            count.store(0, Ordering::Release);
        }
    }

    /// Takes the oldest span that may go. It stays [pending](Self::pending) until it is
    /// [settled](Self::settle).
    pub(crate) fn take(&self, may_go: impl Fn(&Ended) -> bool) -> Option<Ended> {
        let mut state = self.lock();
        let at = state.spans.iter().position(may_go)?;
        state.under_way += 1;
        state.spans.remove(at)
    }

    /// Notes that this many of the spans that were taken were sent or given up.
    pub(crate) fn settle(&self, spans: usize) {
        let mut state = self.lock();
        state.under_way = state.under_way.saturating_sub(spans);
    }

    /// Returns the numbers of spans that wait here, and of spans that are under way.
    pub(crate) fn pending(&self) -> (usize, usize) {
        let state = self.lock();
        (state.spans.len(), state.under_way)
    }

    /// Returns the numbers of spans that were open when the buffer closed, and of spans beyond the limit.
    pub(crate) fn lost(&self) -> (usize, usize) {
        let started = self.started.load(Ordering::Acquire);
        let ended = self.ended.load(Ordering::Acquire);
        (started.saturating_sub(ended), self.dropped.load(Ordering::Acquire))
    }

    /// Adds a span that ended; returns whether it was kept.
    pub(crate) fn push(&self, ended: Ended) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        self.ended.fetch_add(1, Ordering::AcqRel);
        if state.spans.len() >= self.most {
            self.dropped.fetch_add(1, Ordering::AcqRel);
            if self.drops == Full::Newest || state.spans.pop_front().is_none() {
                return false;
            }
        }
        state.spans.push_back(ended);
        true
    }
}

/// Feeds the buffer of an attempt from its provider.
#[derive(Debug)]
pub(super) struct Processor(pub(super) Arc<SpanBuffer>);

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.0.started.fetch_add(1, Ordering::AcqRel);
        propagation::note_baggage(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        self.0.push(Ended { span: Box::new(span), session: None });
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
