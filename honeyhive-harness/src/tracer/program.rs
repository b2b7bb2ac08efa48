//! What a tracer of a program has that one of an attempt has not: sessions of others, filters, and
//! where its spans go.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use serde_json::{Map, Value};

use super::buffer::{Ended, Full, SpanBuffer};
use super::outbox::Outbox;
use super::propagation;
use super::session::{CurrentSession, SessionState};

/// Which spans are kept, by the beginnings of their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// `None` for all.
    pub(super) only: Option<Vec<String>>,
    pub(super) without: Vec<String>,
}

impl Filter {
    fn keeps(&self, name: &str) -> bool {
        let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        self.only.as_deref().is_none_or(begins) && !begins(&self.without)
    }
}

/// Where spans go.
#[derive(Debug)]
pub(super) enum Way {
    /// Nowhere, for this reason.
    Local(String),
    Sending(Arc<Outbox>),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) way: Way,
    pub(super) buffer: Arc<SpanBuffer>,
    filter: Filter,
    /// Spans that the filter left out.
    pub(super) filtered: Arc<AtomicU64>,
}

impl Program {
    pub(super) fn local(why: String, room: usize, filter: Filter) -> Self {
        let buffer = Arc::new(SpanBuffer::new(room, Full::Oldest));
        Self { way: Way::Local(why), buffer, filter, filtered: Arc::default() }
    }

    pub(super) fn sending(outbox: Arc<Outbox>, filter: Filter) -> Self {
        let buffer = Arc::clone(&outbox.buffer);
        Self { way: Way::Sending(outbox), buffer, filter, filtered: Arc::default() }
    }

    pub(super) fn outbox(&self) -> Option<&Arc<Outbox>> {
        match &self.way {
            Way::Local(_) => None,
            Way::Sending(outbox) => Some(outbox),
        }
    }

    /// Makes a session known, where there is anybody to know it.
    pub(super) fn begin(
        &self,
        session: &Arc<SessionState>,
        name: String,
        inputs: Option<Map<String, Value>>,
    ) {
        match &self.way {
            Way::Local(_) => session.settle(Arc::clone(session.id())),
            Way::Sending(outbox) => outbox.begin(session, name, inputs),
        }
    }

    /// There is news about a session.
    pub(super) fn enriched(&self, session: &Arc<SessionState>) {
        if let Way::Sending(outbox) = &self.way {
            outbox.enriched(session);
        }
    }

    /// What feeds the buffer; `own` is the session of spans that are of no other one.
    pub(super) fn processor(&self, own: &Arc<SessionState>) -> Processor {
        Processor {
            own: Arc::clone(own),
            outbox: self.outbox().cloned(),
            buffer: Arc::clone(&self.buffer),
            filter: self.filter.clone(),
            filtered: Arc::clone(&self.filtered),
            open: Mutex::default(),
        }
    }
}

impl Drop for Program {
    /// The last clone of a tracer is gone; what it recorded is still sent.
    fn drop(&mut self) {
        if let Way::Sending(outbox) = &self.way {
            outbox.abandon();
        }
    }
}

/// Feeds the buffer from the provider.
pub(super) struct Processor {
    own: Arc<SessionState>,
    outbox: Option<Arc<Outbox>>,
    buffer: Arc<SpanBuffer>,
    filter: Filter,
    filtered: Arc<AtomicU64>,
    /// Open spans of sessions that are not the tracer's own. When a span ends, its context is gone.
    open: Mutex<HashMap<SpanId, Arc<SessionState>>>,
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
        if self.buffer.push(Ended { span: Box::new(span), session })
            && let Some(outbox) = &self.outbox
        {
            outbox.span_came();
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
