//! The parts of a program's tracer that one of an attempt does not have: filters and destinations.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value};

use super::outbox::Outbox;
use super::processor::{Filter, Processor};
use crate::tracer::SessionSink;
use crate::tracer::buffer::{Full, SpanBuffer};
use crate::tracer::session::SessionState;

/// The part of a program's tracer that is not recording.
#[derive(Debug)]
pub(super) struct Program {
    /// The outboxes of its destinations: HoneyHive, a receiver of OTLP, both or none.
    pub(super) outboxes: Vec<Arc<Outbox>>,
    /// The reason why spans go nowhere, where that is so.
    pub(super) local: Option<String>,
    /// The reason why spans do not go to the receiver that the environment names.
    pub(super) otlp_fault: Option<String>,
    /// The buffer that [`Tracer::trace`](crate::Tracer::trace) shows: of a tracer that sends, the spans that
    /// are not on their way to the first destination.
    pub(super) buffer: Arc<SpanBuffer>,
    filter: Filter,
    /// The number of spans that the filter left out.
    pub(super) filtered: Arc<AtomicU64>,
}

impl Program {
    /// Makes one that sends nothing, for the reason `why`.
    pub(super) fn local(why: String, room: usize, filter: Filter) -> Self {
        let buffer = Arc::new(SpanBuffer::new(room, Full::Oldest));
        let (local, filtered) = (Some(why), Arc::default());
        Self { outboxes: Vec::new(), local, otlp_fault: None, buffer, filter, filtered }
    }

    /// Makes one that sends by way of the outboxes; `None` where there are none.
    pub(super) fn sending(
        outboxes: Vec<Arc<Outbox>>,
        otlp_fault: Option<String>,
        filter: Filter,
    ) -> Option<Self> {
        let buffer = Arc::clone(&outboxes.first()?.buffer);
        Some(Self { outboxes, local: None, otlp_fault, buffer, filter, filtered: Arc::default() })
    }

    /// Returns the outbox of the destination that knows sessions.
    fn sessions(&self) -> Option<&Arc<Outbox>> {
        self.outboxes.iter().find(|outbox| outbox.has_sessions())
    }

    /// Makes the processor that fills the outboxes; `own` is the session of spans without another one.
    pub(super) fn processor(&self, own: &Arc<SessionState>) -> Processor {
        Processor::new(
            Arc::clone(own),
            self.outboxes.clone(),
            Arc::clone(&self.buffer),
            self.filter.clone(),
            Arc::clone(&self.filtered),
        )
    }
}

impl SessionSink for Program {
    fn begin(&self, session: &Arc<SessionState>, name: String, inputs: Option<Map<String, Value>>) {
        match self.sessions() {
            None => session.settle(Arc::clone(session.id())),
            Some(outbox) => outbox.begin(session, name, inputs),
        }
    }

    fn enriched(&self, session: &Arc<SessionState>) {
        if let Some(outbox) = self.sessions() {
            outbox.enriched(session);
        }
    }

    fn beginning(&self, id: &str) -> Option<Arc<SessionState>> {
        self.sessions()?.sessions.beginning(id)
    }
}

impl Drop for Program {
    /// Notes that the last clone of the tracer was dropped; its spans and sessions are still sent.
    fn drop(&mut self) {
        for outbox in &self.outboxes {
            outbox.abandon();
        }
    }
}
