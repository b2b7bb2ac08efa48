//! What the tracer of a program has beside one of an attempt: filters, and where its spans go.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};

use super::outbox::Outbox;
use super::processor::{Filter, Processor};
use crate::tracer::SessionSink;
use crate::tracer::buffer::{Full, SpanBuffer};
use crate::tracer::session::SessionState;

/// Where spans go.
#[derive(Debug)]
pub(super) enum Way {
    /// Nowhere, for this reason.
    Local(String),
    Sending(Arc<Outbox>),
}

/// The part of a program's tracer that sends.
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

impl SessionSink for Program {
    fn begin(&self, session: &Arc<SessionState>, name: String, inputs: Option<Map<String, Value>>) {
        match &self.way {
            Way::Local(_) => session.settle(Arc::clone(session.id())),
            Way::Sending(outbox) => outbox.begin(session, name, inputs),
        }
    }

    fn enriched(&self, session: &Arc<SessionState>) {
        if let Way::Sending(outbox) = &self.way {
            outbox.enriched(session);
        }
    }

    fn beginning(&self, id: &str) -> Option<Arc<SessionState>> {
        self.outbox()?.beginning(id)
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
