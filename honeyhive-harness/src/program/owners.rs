//! The owners of the spans in a request.

use std::sync::Arc;

use super::info::TracerInfo;
use super::outbox::{Outbox, add};

/// The outboxes whose spans are in a request, each with how many, in the order of the request.
#[derive(Debug, Default)]
pub(super) struct Owners(Vec<(Arc<Outbox>, usize)>);

impl Owners {
    /// Adds the next ones.
    pub(super) fn push(&mut self, outbox: &Arc<Outbox>, spans: usize) {
        if spans > 0 {
            self.0.push((Arc::clone(outbox), spans));
        }
    }

    /// Returns what all the spans have in common; `None` where there are none.
    pub(super) fn info(&self) -> Option<&Arc<TracerInfo>> {
        self.0.first().map(|(outbox, _)| &outbox.info)
    }

    /// Takes the owners of the first `count` spans.
    pub(super) fn take(&mut self, count: usize) -> Self {
        let mut left = count;
        let (mut first, mut rest) = (Self::default(), Self::default());
        for (outbox, spans) in self.0.drain(..) {
            let here = spans.min(left);
            left -= here;
            first.push(&outbox, here);
            rest.push(&outbox, spans - here);
        }
        *self = rest;
        first
    }

    /// Returns whether none of them retries any more.
    pub(super) fn are_over(&self) -> bool {
        self.0.iter().all(|(outbox, _)| outbox.is_over())
    }

    /// Tells them what went wrong.
    pub(super) fn went_wrong(&self, why: &str) {
        for (outbox, _) in &self.0 {
            outbox.counters.went_wrong(why);
        }
    }

    /// Tells them that the request is over and this many of its spans did not arrive.
    pub(super) fn settle(self, mut failed: usize, why: Option<&str>) {
        for (outbox, spans) in self.0 {
            let lost = failed.min(spans);
            failed -= lost;
            add(&outbox.counters.sent, spans - lost);
            add(&outbox.counters.failed, lost);
            if let Some(why) = why {
                outbox.counters.went_wrong(why);
            }
            outbox.buffer.settle(spans);
            outbox.changed.notify_waiters();
        }
    }
}
