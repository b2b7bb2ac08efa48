//! What a pipeline does, one round after the other.
//!
//! A round starts sessions, sends spans, tells what was said of sessions. A request that failed but
//! may succeed later is held and comes first in the next round, which then waits a while. So spans
//! are sent in the order in which they ended, and none twice in different words.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::outbox::{Outbox, add};
use super::pipeline::{Pipeline, Word};
use crate::api::{ApiError, HoneyHive, Outlook};
use crate::tracer::otlp::{Batch, ResourceInfo};
use crate::tracer::session::SessionState;

/// Spans wait this long for others to go with.
const GATHER: Duration = Duration::from_secs(1);

/// Requests about sessions at once.
const AT_ONCE: usize = 16;

/// One request with all its tries ends after this.
const LONGEST: Duration = Duration::from_secs(30);

/// The rest after a request that failed but may succeed later; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A pipeline that no tracer uses any more ends when nothing came for so long. Until then its
/// connections are there for the next tracer.
const LINGER: Duration = Duration::from_secs(15);

/// Spans that go in one request, however often it is sent.
struct Request {
    batch: Batch,
    resource: ResourceInfo,
    source: String,
    /// How many spans of whom, in the order of the batch.
    parts: Vec<(Arc<Outbox>, usize)>,
}

impl Request {
    /// It is over: so many spans of all did not arrive.
    fn settle(self, mut failed: usize, why: Option<&str>) {
        for (outbox, spans) in self.parts {
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

    fn spans(&self) -> usize {
        self.parts.iter().map(|(_, spans)| spans).sum()
    }

    /// Keeps the first half of the spans; the others are the result.
    fn split_off(&mut self) -> Self {
        let mut keep = self.batch.len() / 2;
        let batch = self.batch.split_off(keep);
        let mut rest = Vec::new();
        let mut first = Vec::new();
        for (outbox, spans) in std::mem::take(&mut self.parts) {
            let here = spans.min(keep);
            keep -= here;
            if here < spans {
                rest.push((Arc::clone(&outbox), spans - here));
            }
            if here > 0 {
                first.push((outbox, here));
            }
        }
        self.parts = first;
        Self { batch, resource: self.resource.clone(), source: self.source.clone(), parts: rest }
    }

    fn went_wrong(&self, error: &ApiError) {
        for (outbox, _) in &self.parts {
            outbox.counters.went_wrong(&error.to_string());
        }
    }
}

/// See the module.
pub(super) struct Worker {
    pipeline: Arc<Pipeline>,
    ready: Vec<Arc<Outbox>>,
    /// Requests that failed but may succeed later, in the order of their spans.
    held: VecDeque<Request>,
    due: Option<Instant>,
    /// Nothing is sent before, after a failure; and whether the server itself wants that.
    rest: Option<(Instant, bool)>,
    failures: u32,
}

impl Worker {
    pub(super) fn new(pipeline: Arc<Pipeline>) -> Self {
        let (ready, held) = (Vec::new(), VecDeque::new());
        Self { pipeline, ready, held, due: None, rest: None, failures: 0 }
    }

    pub(super) async fn run(mut self, mut heard: UnboundedReceiver<Word>) {
        loop {
            let now = Instant::now();
            let wait = self.next().map_or(LINGER, |at| at.saturating_duration_since(now));
            match tokio::time::timeout(wait, heard.recv()).await {
                Ok(Some(word)) => {
                    self.hear(word);
                    while let Ok(word) = heard.try_recv() {
                        self.hear(word);
                    }
                }
                Ok(None) => return,
                Err(_) if self.next().is_none() && self.pipeline.forget() => return,
                Err(_) => {}
            }
            if self.next().is_some_and(|at| at <= Instant::now()) {
                self.round().await;
            }
        }
    }

    /// When something is to be done.
    fn next(&self) -> Option<Instant> {
        let rest = self.rest.map(|(until, _)| until);
        self.due.map(|due| rest.map_or(due, |rest| rest.max(due)))
    }

    fn hear(&mut self, word: Word) {
        let now = Instant::now();
        match word {
            Word::Ready(outbox) => {
                self.ready.push(outbox);
                self.due.get_or_insert(now + GATHER);
            }
            Word::Soon => self.due = Some(now),
            Word::Now => {
                self.due = Some(now);
                self.rest = self.rest.filter(|(_, is_wish)| *is_wish);
            }
        }
    }

    async fn round(&mut self) {
        self.due = None;
        self.rest = None;
        self.start_sessions().await;
        let mut went = self.send_spans().await;
        if went.is_ok() {
            went = self.update_sessions().await;
        }
        match &went {
            Ok(()) => self.failures = 0,
            Err(error) => self.rest_after(error),
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
            self.due = Some(Instant::now() + GATHER);
        }
    }

    /// Until now, and a while.
    fn client(&self) -> HoneyHive {
        self.pipeline.client().until(Instant::now() + LONGEST)
    }

    async fn start_sessions(&self) {
        let new = self.ready.iter().flat_map(|outbox| {
            outbox.take_new().into_iter().map(move |(session, new)| (outbox, session, new))
        });
        let new: Vec<_> = new.collect();
        let client = self.client();
        let client = &client;
        let start = async |(outbox, session, new): (&Arc<Outbox>, _, _)| {
            let session: Arc<SessionState> = session;
            match client.sessions().start(&new).await {
                Ok(started) => {
                    add(&outbox.counters.sessions_started, 1);
                    session.settle(started.session_id.into());
                }
                Err(error) => {
                    // Its spans are worth more than its name.
                    add(&outbox.counters.sessions_failed, 1);
                    outbox.counters.went_wrong(&error.to_string());
                    session.settle(Arc::clone(session.id()));
                }
            }
            outbox.started(&session);
        };
        stream::iter(new).for_each_concurrent(AT_ONCE, start).await;
    }

    /// Sends what there is now.
    ///
    /// # Errors
    /// Why the rest is to be sent later.
    async fn send_spans(&mut self) -> Result<(), ApiError> {
        let mut left: usize = self.ready.iter().map(|outbox| outbox.buffer.pending().0).sum();
        while let Some(request) = self.held.pop_front().or_else(|| self.request()) {
            let spans = request.spans();
            self.send(request).await?;
            left = left.saturating_sub(spans);
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Spans of as many tracers as go together.
    fn request(&self) -> Option<Request> {
        let mut batch = Batch::new(self.pipeline.protocol());
        let mut parts: Vec<(Arc<Outbox>, usize)> = Vec::new();
        for outbox in &self.ready {
            if parts.first().is_some_and(|(first, _)| !first.about.goes_with(&outbox.about)) {
                continue;
            }
            let spans = outbox.fill(&mut batch);
            if spans > 0 {
                parts.push((Arc::clone(outbox), spans));
            }
        }
        let about = &parts.first()?.0.about;
        let (resource, source) = (about.resource.clone(), about.source.clone());
        Some(Request { batch, resource, source, parts })
    }

    /// # Errors
    /// Why the request is held.
    async fn send(&mut self, mut request: Request) -> Result<(), ApiError> {
        let client = self.client();
        let (content_type, body) = request.batch.encode(&request.resource);
        let error = match client.send_spans(content_type, body, &request.source).await {
            Ok(None) => {
                request.settle(0, None);
                return Ok(());
            }
            Ok(Some(rejected)) => {
                request.settle(rejected.spans, Some(&rejected.why));
                return Ok(());
            }
            Err(error) => error,
        };
        let over = request.parts.iter().all(|(outbox, _)| outbox.is_over());
        match error.outlook() {
            Outlook::Soon | Outlook::Later if !over => {
                request.went_wrong(&error);
                self.held.push_front(request);
                Err(error)
            }
            // One span that is not liked must not take the others with it.
            Outlook::Content if request.batch.len() > 1 && !over => {
                request.went_wrong(&error);
                let rest = request.split_off();
                self.held.push_front(rest);
                self.held.push_front(request);
                Ok(())
            }
            outlook => {
                let spans = request.spans();
                request.settle(spans, Some(&error.to_string()));
                match outlook {
                    Outlook::Soon | Outlook::Later => Err(error),
                    Outlook::Key | Outlook::Content => Ok(()),
                }
            }
        }
    }

    fn rest_after(&mut self, error: &ApiError) {
        let own = FIRST_REST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_REST);
        self.failures = self.failures.saturating_add(1);
        let wish = error.retry_after().map(|wish| wish.min(2 * LONGEST_REST));
        self.rest = Some((Instant::now() + wish.unwrap_or(own), wish.is_some()));
    }

    /// Tells what was said of sessions.
    ///
    /// # Errors
    /// Why some of it is to be told later.
    async fn update_sessions(&self) -> Result<(), ApiError> {
        let updates = self.ready.iter().flat_map(|outbox| {
            outbox
                .take_updates()
                .into_iter()
                .map(move |(session, update)| (outbox, session, update))
        });
        let updates: Vec<_> = updates.collect();
        let client = self.client();
        let client = &client;
        let failed = Mutex::new(None);
        let send = async |(outbox, session, update): (&Arc<Outbox>, _, _)| {
            let again = match client.events().update(&update).await {
                Ok(()) => {
                    add(&outbox.counters.updates_sent, 1);
                    None
                }
                Err(error) => {
                    outbox.counters.went_wrong(&error.to_string());
                    let passes = matches!(error.outlook(), Outlook::Soon | Outlook::Later);
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
            outbox.told(again);
        };
        stream::iter(updates).for_each_concurrent(AT_ONCE, send).await;
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
