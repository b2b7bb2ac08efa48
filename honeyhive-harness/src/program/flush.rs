//! Flushing a tracer, and the counts of its spans.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use tokio::time::Instant;

use super::outbox::{Counters, Outbox, Wake};
use super::sink::Program;
use crate::tracer::Tracer;

/// The longest timeout of a flush.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The counts of a tracer's spans by how they ended, from its first one on; see [`Tracer::flush`].
///
/// A span of a tracer with two destinations counts as sent when both have taken it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// The number of spans that were taken.
    pub sent: u64,
    /// The number of spans that found no room in the [buffer](super::TracerBuilder::span_buffer).
    pub dropped: u64,
    /// The number of spans that were not taken, and that are not tried again.
    pub failed: u64,
    /// The number of spans that are still to be sent.
    pub pending: u64,
    /// The last error, even where another try succeeded.
    pub error: Option<String>,
}

impl Flushed {
    /// Returns whether all that was recorded was taken.
    pub fn is_complete(&self) -> bool {
        self.dropped == 0 && self.failed == 0 && self.pending == 0
    }

    /// Combines the counts of the same spans at two destinations: those of the worse one.
    fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent.min(other.sent),
            dropped: self.dropped.max(other.dropped),
            failed: self.failed.max(other.failed),
            pending: self.pending.max(other.pending),
            error: self.error.or(other.error),
        }
    }
}

/// The state and the counts of a tracer, from its beginning on; see [`Tracer::telemetry`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// The reason why nothing is sent; `None` where something is.
    pub local: Option<String>,
    /// The counts of its spans over all destinations.
    pub spans: Flushed,
    /// The counts of its spans at HoneyHive, where it is a destination.
    pub honeyhive: Option<Flushed>,
    /// The counts of its spans at the [OTLP receiver](super::TracerBuilder::otlp), where there is one.
    /// Where the one that the environment names cannot be used, `error` says why.
    pub otlp: Option<Flushed>,
    /// The number of spans that a [filter](super::TracerBuilder::only_spans) left out.
    pub filtered: u64,
    /// The number of sessions that HoneyHive started.
    pub sessions_started: u64,
    /// The number of sessions that could not be started. Their spans are sent with the ids of the tracer.
    pub sessions_failed: u64,
    /// The number of updates of sessions that HoneyHive took.
    pub updates_sent: u64,
    /// The number of updates of sessions that could not be sent.
    pub updates_failed: u64,
}

impl Tracer {
    /// Sends what there is, and waits for that until `timeout`. What was not taken by then stays
    /// [pending](Flushed::pending), and is sent later.
    ///
    /// Blocks the thread. In async code that is not a deadlock, but nothing else runs on the thread
    /// meanwhile; [`flush_async`](Self::flush_async) leaves it free. A tracer that sends nothing
    /// has nothing to wait for.
    ///
    /// ```
    /// use std::time::Duration;
    /// use honeyhive_harness::Tracer;
    ///
    /// let tracer = Tracer::builder().local().build();
    /// drop(tracer.start_span("work"));
    /// let flushed = tracer.flush(Duration::from_secs(5));
    /// assert_eq!((flushed.sent, flushed.error), (0, None));
    /// ```
    pub fn flush(&self, timeout: Duration) -> Flushed {
        wait(self.outboxes(), timeout);
        self.telemetry().spans
    }

    /// Does the same as [`flush`](Self::flush), for async code of any runtime.
    pub async fn flush_async(&self, timeout: Duration) -> Flushed {
        let idle =
            |outbox: &Arc<Outbox>| outbox.worker.runtime.spawn(idle(Arc::clone(outbox), timeout));
        let waits: Vec<_> = self.outboxes().iter().map(idle).collect();
        for wait in waits {
            // Fails when the thread of the pipelines is gone, and then nothing comes.
            let _ = wait.await;
        }
        self.telemetry().spans
    }

    /// Sends what there is, and ends the tracer: spans that begin or end later are not recorded.
    ///
    /// Waits until `timeout` at most. What was not taken by then counts as
    /// [failed](Flushed::failed), or as pending where it is just on its way. Blocks the thread like
    /// [`flush`](Self::flush). The tracer of an experiment's attempt cannot be ended.
    pub fn shutdown(&self, timeout: Duration) -> Flushed {
        let Some(program) = self.program() else { return self.telemetry().spans };
        self.stop_recording();
        wait(&program.outboxes, timeout);
        for outbox in &program.outboxes {
            outbox.give_up_after(Duration::ZERO);
            outbox.give_up();
            outbox.worker.wake(Wake::Now);
        }
        self.telemetry().spans
    }

    /// Returns the state and the counts of this tracer. This is the only place that tells of its
    /// failures: it never panics, prints or keeps the program waiting.
    pub fn telemetry(&self) -> Telemetry {
        let Some(program) = self.program() else {
            let why = "it belongs to an attempt, which is recorded in the journal";
            return Telemetry { local: Some(why.to_owned()), ..Telemetry::default() };
        };
        let mut telemetry = Telemetry {
            local: program.local.clone(),
            filtered: program.filtered.load(Ordering::Relaxed),
            ..Telemetry::default()
        };
        if let Some(fault) = &program.otlp_fault {
            telemetry.otlp = Some(Flushed { error: Some(fault.clone()), ..Flushed::default() });
        }
        let mut all: Option<Flushed> = None;
        for outbox in &program.outboxes {
            let spans = spans(outbox);
            all = Some(all.map_or(spans.clone(), |all| all.and(spans.clone())));
            if outbox.has_sessions() {
                telemetry.honeyhive = Some(spans);
                let counters = &outbox.counters;
                telemetry.sessions_started = counters.sessions_started.load(Ordering::Acquire);
                telemetry.sessions_failed = counters.sessions_failed.load(Ordering::Acquire);
                telemetry.updates_sent = counters.updates_sent.load(Ordering::Acquire);
                telemetry.updates_failed = counters.updates_failed.load(Ordering::Acquire);
            } else {
                telemetry.otlp = Some(spans);
            }
        }
        telemetry.spans = all.unwrap_or_else(|| {
            // The buffer of a tracer that sends nothing.
            Flushed { dropped: count(program.buffer.lost().1), ..Flushed::default() }
        });
        telemetry
    }

    pub(super) fn program(&self) -> Option<&Program> {
        let sink: &dyn Any = self.sink()?;
        sink.downcast_ref()
    }

    fn outboxes(&self) -> &[Arc<Outbox>] {
        self.program().map_or(&[], |program| &program.outboxes)
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Returns the counts of the spans at one destination.
fn spans(outbox: &Outbox) -> Flushed {
    let Counters { sent, failed, .. } = &outbox.counters;
    let (waiting, under_way) = outbox.buffer.pending();
    Flushed {
        sent: sent.load(Ordering::Acquire),
        dropped: count(outbox.buffer.lost().1),
        failed: failed.load(Ordering::Acquire),
        pending: count(waiting + under_way),
        error: outbox.counters.error(),
    }
}

/// Waits on this thread, which may be one of any runtime.
fn wait(outboxes: &[Arc<Outbox>], timeout: Duration) {
    let timeout = timeout.min(LONGEST);
    let until = std::time::Instant::now() + timeout;
    let (done, waiting) = mpsc::channel();
    for outbox in outboxes {
        let (idle, done) = (idle(Arc::clone(outbox), timeout), done.clone());
        outbox.worker.runtime.spawn(async move {
            idle.await;
            // After the timeout the other end is closed.
            let _ = done.send(());
        });
    }
    drop(done);
    for _ in outboxes {
        let left = until.saturating_duration_since(std::time::Instant::now());
        if waiting.recv_timeout(left).is_err() {
            return;
        }
    }
}

/// Waits until all is sent, or no more can be.
async fn idle(outbox: Arc<Outbox>, timeout: Duration) {
    let until = Instant::now() + timeout.min(LONGEST);
    outbox.stuck.store(0, Ordering::Release);
    outbox.worker.wake(Wake::Now);
    loop {
        let changed = outbox.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        // A wrong address does not become right during a flush; a single failure may be chance.
        let is_over = outbox.is_idle() || outbox.stuck.load(Ordering::Acquire) > 1;
        if is_over || tokio::time::timeout_at(until, changed).await.is_err() {
            return;
        }
        // What came meanwhile; the breaker keeps its pause between two tries.
        outbox.worker.wake(Wake::Soon);
    }
}
