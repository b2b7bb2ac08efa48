//! What became of what a tracer recorded, and waiting for it.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use tokio::time::Instant;

use super::outbox::{Counters, Outbox};
use super::pipeline::Word;
use super::sink::{Program, Way};
use crate::tracer::Tracer;

/// Nothing is waited for longer, whatever a program asks for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of the spans of a tracer, from its first one on; see [`Tracer::flush`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// Spans that HoneyHive took.
    pub sent: u64,
    /// Spans that found no room in the [buffer](super::TracerBuilder::span_buffer).
    pub dropped: u64,
    /// Spans that HoneyHive did not take, and that are not tried again.
    pub failed: u64,
    /// Spans that are still to be sent.
    pub pending: u64,
    /// The last thing that went wrong, even where another try went well.
    pub error: Option<String>,
}

impl Flushed {
    /// Whether all that was recorded is with HoneyHive.
    pub fn is_complete(&self) -> bool {
        self.dropped == 0 && self.failed == 0 && self.pending == 0
    }
}

/// How a tracer fares, from its beginning on; see [`Tracer::telemetry`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// Why nothing is sent; `None` where something is.
    pub local: Option<String>,
    /// What became of its spans.
    pub spans: Flushed,
    /// Spans that a [filter](super::TracerBuilder::only_spans) left out.
    pub filtered: u64,
    /// Sessions that HoneyHive started.
    pub sessions_started: u64,
    /// Sessions that it could not be told of. Their spans are sent with our own ids of them.
    pub sessions_failed: u64,
    /// Times that it was told more of a session.
    pub updates_sent: u64,
    /// Times that it could not be told more.
    pub updates_failed: u64,
}

impl Tracer {
    /// Sends what there is, and waits for that until `timeout`. What is not through by then stays
    /// [pending](Flushed::pending), and is sent later.
    ///
    /// Blocks the thread. In async code that is no deadlock, but nothing else runs on the thread
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
        if let Some(outbox) = self.outbox() {
            wait(outbox, timeout);
        }
        self.telemetry().spans
    }

    /// [`flush`](Self::flush) for async code, of any runtime.
    pub async fn flush_async(&self, timeout: Duration) -> Flushed {
        if let Some(outbox) = self.outbox() {
            let runtime = outbox.pipeline.runtime();
            // Fails when the thread of the pipelines is gone, and then nothing comes.
            let _ = runtime.spawn(idle(Arc::clone(outbox), timeout)).await;
        }
        self.telemetry().spans
    }

    /// Sends what there is, and ends the tracer: spans that begin or end later are not recorded.
    ///
    /// Waits until `timeout` at most. What is not through by then counts as
    /// [failed](Flushed::failed), or as pending where it is just on its way. Blocks the thread like
    /// [`flush`](Self::flush). The tracer of an experiment's attempt cannot be ended.
    pub fn shutdown(&self, timeout: Duration) -> Flushed {
        let Some(program) = self.program() else { return self.telemetry().spans };
        self.stop_recording();
        if let Some(outbox) = program.outbox() {
            wait(outbox, timeout);
            outbox.give_up_after(Duration::ZERO);
            outbox.give_up();
            outbox.pipeline.say(Word::Now);
        }
        self.telemetry().spans
    }

    /// How this tracer fares. Nothing that goes wrong with it is told in any other way: it never
    /// panics, prints or keeps the program waiting.
    pub fn telemetry(&self) -> Telemetry {
        let Some(program) = self.program() else {
            let why = "it belongs to an attempt, which is recorded in the journal";
            return Telemetry { local: Some(why.to_owned()), ..Telemetry::default() };
        };
        let filtered = program.filtered.load(Ordering::Relaxed);
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let dropped = count(program.buffer.lost().1);
        match &program.way {
            Way::Local(why) => Telemetry {
                local: Some(why.clone()),
                spans: Flushed { dropped, ..Flushed::default() },
                filtered,
                ..Telemetry::default()
            },
            Way::Sending(outbox) => {
                let Counters {
                    sent,
                    failed,
                    sessions_started,
                    sessions_failed,
                    updates_sent,
                    updates_failed,
                    ..
                } = &outbox.counters;
                let (waiting, under_way) = outbox.buffer.pending();
                let spans = Flushed {
                    sent: sent.load(Ordering::Acquire),
                    dropped,
                    failed: failed.load(Ordering::Acquire),
                    pending: count(waiting + under_way),
                    error: outbox.counters.error(),
                };
                Telemetry {
                    local: None,
                    spans,
                    filtered,
                    sessions_started: sessions_started.load(Ordering::Acquire),
                    sessions_failed: sessions_failed.load(Ordering::Acquire),
                    updates_sent: updates_sent.load(Ordering::Acquire),
                    updates_failed: updates_failed.load(Ordering::Acquire),
                }
            }
        }
    }

    pub(super) fn program(&self) -> Option<&Program> {
        let sink: &dyn Any = self.sink()?;
        sink.downcast_ref()
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.program()?.outbox()
    }
}

/// Waits on this thread, which may be one of any runtime.
fn wait(outbox: &Arc<Outbox>, timeout: Duration) {
    let timeout = timeout.min(LONGEST);
    let (done, waiting) = mpsc::sync_channel(1);
    let idle = idle(Arc::clone(outbox), timeout);
    outbox.pipeline.runtime().spawn(async move {
        idle.await;
        // Nobody listens any more after the timeout.
        let _ = done.send(());
    });
    let _ = waiting.recv_timeout(timeout);
}

/// Waits until all is sent.
async fn idle(outbox: Arc<Outbox>, timeout: Duration) {
    let until = Instant::now() + timeout.min(LONGEST);
    outbox.stuck.store(0, Ordering::Release);
    outbox.pipeline.say(Word::Now);
    loop {
        let changed = outbox.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        // A wrong address does not become right while somebody waits. Once may be chance.
        let is_over = outbox.is_idle() || outbox.stuck.load(Ordering::Acquire) > 1;
        if is_over || tokio::time::timeout_at(until, changed).await.is_err() {
            return;
        }
        // What came meanwhile; but a server that fails is left alone between two tries.
        outbox.pipeline.say(Word::Soon);
    }
}
