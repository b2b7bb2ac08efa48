//! The span processor of a program's tracer.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::outbox::Outbox;
use crate::tracer::buffer::{Ended, SpanBuffer};
use crate::tracer::propagation;
use crate::tracer::session::{CurrentSession, SessionState};

/// A filter of spans by the beginnings of their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// The beginnings of names that are kept; `None` for all.
    pub(super) only: Option<Vec<String>>,
    pub(super) without: Vec<String>,
}

impl Filter {
    fn keeps(&self, name: &str) -> bool {
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        self.only.as_deref().is_none_or(begins) && !begins(&self.without)
    }
}

/// Fills the outboxes of a tracer, or the buffer of one that sends nothing, from its provider.
pub(super) struct Processor {
    /// The session of spans that belong to no other one.
    own: Arc<SessionState>,
    outboxes: Vec<Arc<Outbox>>,
    buffer: Arc<SpanBuffer>,
    filter: Filter,
    filtered: Arc<AtomicU64>,
    /// Open spans of sessions that are not the tracer's own. When a span ends, its context is gone.
    open: Mutex<HashMap<SpanId, Arc<SessionState>>>,
}

impl Processor {
    pub(super) fn new(
        own: Arc<SessionState>,
        outboxes: Vec<Arc<Outbox>>,
        buffer: Arc<SpanBuffer>,
        filter: Filter,
        filtered: Arc<AtomicU64>,
    ) -> Self {
        Self { own, outboxes, buffer, filter, filtered, open: Mutex::default() }
    }
}

impl fmt::Debug for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        propagation::note_baggage(span, cx);
        if let Some(CurrentSession(session)) = cx.get() {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.insert(span.span_context().span_id(), Arc::clone(session));
        }
    }

    fn on_end(&self, span: SpanData) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.remove(&span.span_context.span_id());
        drop(open);
        let session = Some(session.unwrap_or_else(|| Arc::clone(&self.own)));
        if !self.filter.keeps(&span.name) {
            self.filtered.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let ended = Ended { span: Box::new(span), session };
        match self.outboxes.split_first() {
            None => {
                self.buffer.push(ended);
            }
            Some((first, others)) => {
                for outbox in others {
                    outbox.push(ended.clone());
                }
                first.push(ended);
            }
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filtered_by_their_beginnings() {
        let filter = |only: Option<&[&str]>, without: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            Filter { only: only.map(texts), without: texts(without) }
        };
        assert!(filter(None, &[]).keeps("x"));
        assert!(!filter(Some(&[]), &[]).keeps("x"));
        let both = filter(Some(&["app.", "llm"]), &["app.health"]);
        assert!(both.keeps("app.answer") && both.keeps("llm"));
        assert!(!both.keeps("app.health.live") && !both.keeps("http"));
    }
}
