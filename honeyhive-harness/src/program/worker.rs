//! The task of a pipeline, which works in rounds.
//!
//! A round starts sessions, sends spans, updates sessions. A request that failed but may succeed
//! later is held and comes first in the next round, which then waits for the breaker. So spans are
//! sent in the order in which they ended, and none twice in different words.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::outbox::{Outbox, Wake, add};
use super::owners::Owners;
use crate::api::{ApiError, Outlook};
use crate::send::{Batch, Breaker, Receiver, Shipment, Taken, Window};
use crate::tracer::session::SessionState;

/// The most requests about sessions at once.
const AT_ONCE: usize = 16;

/// The longest time of one request with all its tries.
const LONGEST: Duration = Duration::from_secs(30);

/// The time without anything to send after which a pipeline that no tracer uses ends. Until then its
/// connections are there for the next tracer.
const LINGER: Duration = Duration::from_secs(15);

/// A request: spans that go together, as long as the receiver takes it whole.
struct Request {
    batch: Batch,
    owners: Owners,
}

/// The task of a pipeline.
pub(super) struct Worker {
    receiver: Receiver,
    ready: Vec<Arc<Outbox>>,
    /// Requests that failed but may succeed later, in the order of their spans.
    held: VecDeque<Request>,
    window: Window,
    breaker: Breaker,
}

impl Worker {
    pub(super) fn new(receiver: Receiver) -> Self {
        let (ready, held) = (Vec::new(), VecDeque::new());
        let (window, breaker) = (Window::default(), Breaker::default());
        Self { receiver, ready, held, window, breaker }
    }

    /// Works until nothing came for a while and `forget` agrees that no tracer needs it.
    pub(super) async fn run(
        mut self,
        mut woken: UnboundedReceiver<Wake>,
        forget: impl Fn() -> bool,
    ) {
        loop {
            let now = Instant::now();
            let wait = self.next().map_or(LINGER, |at| at.saturating_duration_since(now));
            match tokio::time::timeout(wait, woken.recv()).await {
                Ok(Some(wake)) => {
                    self.hear(wake);
                    while let Ok(wake) = woken.try_recv() {
                        self.hear(wake);
                    }
                }
                Ok(None) => return,
                Err(_) if self.next().is_none() && forget() => return,
                Err(_) => {}
            }
            if self.next().is_some_and(|at| at <= Instant::now()) {
                self.round().await;
            }
        }
    }

    /// Returns when the next round begins.
    fn next(&self) -> Option<Instant> {
        let closes = self.window.closes_at()?;
        Some(self.breaker.retry_at().map_or(closes, |at| at.max(closes)))
    }

    fn hear(&mut self, wake: Wake) {
        match wake {
            Wake::Ready(outbox) => {
                self.ready.push(outbox);
                self.window.open();
            }
            Wake::Soon => self.window.close(),
            Wake::Now => {
                self.window.close();
                self.breaker.hurry();
            }
        }
    }

    async fn round(&mut self) {
        self.window.clear();
        self.start_sessions().await;
        let mut went = self.send_spans().await;
        if went.is_ok() {
            went = self.update_sessions().await;
        }
        match &went {
            Ok(()) => self.breaker.succeeded(),
            Err(error) => self.breaker.failed(error),
        }
        let stuck = went.as_ref().is_err_and(|error| error.outlook() == Outlook::Later);
        for outbox in &self.ready {
            if stuck {
                outbox.stuck.fetch_add(1, Ordering::AcqRel);
            } else {
                outbox.stuck.store(0, Ordering::Release);
            }
            if went.is_err() && outbox.is_over() {
                outbox.give_up();
            }
        }
        self.ready.retain(|outbox| {
            let stays = outbox.stays_listed();
            outbox.changed.notify_waiters();
            stays
        });
        if !self.ready.is_empty() || !self.held.is_empty() {
            self.window.open();
        }
    }

    /// Returns the receiver for one round's requests, which end after a while.
    fn receiver(&self) -> Receiver {
        self.receiver.until((Instant::now() + LONGEST).into_std())
    }

    async fn start_sessions(&self) {
        let new = self.ready.iter().flat_map(|outbox| {
            outbox.take_new().into_iter().map(move |(session, new)| (outbox, session, new))
        });
        let new: Vec<_> = new.collect();
        let receiver = self.receiver();
        let Some(client) = receiver.client() else { return };
        let start = async |(outbox, session, new): (&Arc<Outbox>, _, _)| {
            let session: Arc<SessionState> = session;
            match client.sessions().start(&new).await {
                Ok(started) => {
                    add(&outbox.counters.sessions_started, 1);
                    session.settle(started.session_id.into());
                }
                Err(error) => {
                    // Its spans are sent all the same, in a session without a name.
                    add(&outbox.counters.sessions_failed, 1);
                    outbox.counters.went_wrong(&error.to_string());
                    session.settle(Arc::clone(session.id()));
                }
            }
            outbox.sessions.started(&session);
        };
        stream::iter(new).for_each_concurrent(AT_ONCE, start).await;
    }

    /// Sends the spans that wait now.
    ///
    /// # Errors
    /// When the rest is to be sent later: the reason.
    async fn send_spans(&mut self) -> Result<(), ApiError> {
        let mut left: usize = self.ready.iter().map(|outbox| outbox.buffer.pending().0).sum();
        while let Some(request) = self.held.pop_front().or_else(|| self.request()) {
            let spans = request.batch.len();
            self.send(request).await?;
            left = left.saturating_sub(spans);
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Collects spans of as many tracers as go together.
    fn request(&self) -> Option<Request> {
        let mut batch = Batch::new(self.receiver.protocol());
        let mut owners = Owners::default();
        for outbox in &self.ready {
            if owners.info().is_none_or(|info| info.goes_with(&outbox.info)) {
                let spans = outbox.fill(&mut batch);
                owners.push(outbox, spans);
            }
        }
        (batch.len() > 0).then_some(Request { batch, owners })
    }

    /// Sends the spans of a request.
    ///
    /// # Errors
    /// When some of the request is held: the reason.
    async fn send(&mut self, request: Request) -> Result<(), ApiError> {
        let Request { batch, mut owners } = request;
        let Some(info) = owners.info().cloned() else { return Ok(()) };
        // Each span stands for itself: one that is refused takes no others with it.
        let sizes = vec![1; batch.len()];
        let (resource, source) = (&info.resource, &*info.source);
        // Nothing is kept for a server that refuses all content: it may be the content.
        let shipment = Shipment { batch, sizes: &sizes, resource, source, is_trusted: true };
        let mut held = Vec::new();
        let mut failed = Ok(());
        for part in self.receiver().settle(shipment).await {
            let spans = part.owners.len();
            let owners = owners.take(spans);
            match part.taken {
                Taken::Yes(None) => owners.settle(0, None),
                Taken::Yes(Some(rejected)) => owners.settle(rejected.spans, Some(&rejected.why)),
                Taken::Untried(batch) => held.push(Request { batch, owners }),
                Taken::No(error, batch) => {
                    let (may_pass, why) = (error.outlook().may_pass(), error.to_string());
                    if may_pass && !owners.are_over() {
                        owners.went_wrong(&why);
                        held.push(Request { batch, owners });
                    } else {
                        owners.settle(spans, Some(&why));
                    }
                    if may_pass {
                        failed = Err(error);
                    }
                }
            }
        }
        for request in held.into_iter().rev() {
            self.held.push_front(request);
        }
        failed
    }

    /// Updates sessions.
    ///
    /// # Errors
    /// When some of them are to be updated later: the reason.
    async fn update_sessions(&self) -> Result<(), ApiError> {
        let updates = self.ready.iter().flat_map(|outbox| {
            outbox
                .take_updates()
                .into_iter()
                .map(move |(session, update)| (outbox, session, update))
        });
        let updates: Vec<_> = updates.collect();
        let receiver = self.receiver();
        let Some(client) = receiver.client() else { return Ok(()) };
        let failed = Mutex::new(None);
        let send = async |(outbox, session, update): (&Arc<Outbox>, _, _)| {
            let again = match client.events().update(&update).await {
                Ok(()) => {
                    add(&outbox.counters.updates_sent, 1);
                    None
                }
                Err(error) => {
                    outbox.counters.went_wrong(&error.to_string());
                    let passes = error.outlook().may_pass();
                    let again = passes && !outbox.is_over();
                    if !again {
                        add(&outbox.counters.updates_failed, 1);
                    }
                    if passes {
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                    again.then_some(session)
                }
            };
            outbox.sessions.updated(again);
        };
        stream::iter(updates).for_each_concurrent(AT_ONCE, send).await;
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
