//! Sessions of which a server has to get a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::NewSession;
use crate::tracer::session::SessionState;

/// The most sessions that wait to be started, and that wait to be updated: a busy program must not grow
/// without limit while a server is down.
const MOST_SESSIONS: usize = 10_000;

/// The sessions of one tracer of which a server has to get a request.
#[derive(Debug, Default)]
pub(super) struct SessionQueue(Mutex<Queues>);

#[derive(Debug, Default)]
struct Queues {
    /// The sessions that are to be started.
    new: Vec<(Arc<SessionState>, NewSession)>,
    /// The sessions that are being started.
    starting: Vec<Arc<SessionState>>,
    /// The sessions with an enrichment that is to be sent.
    enriched: Vec<Arc<SessionState>>,
    /// The number of updates under way.
    updating: usize,
    /// Set when no more sessions are taken.
    is_closed: bool,
}

impl SessionQueue {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session that is to be started; `false` where there is no room.
    pub(super) fn push_new(&self, session: &Arc<SessionState>, new: NewSession) -> bool {
        let mut queues = self.lock();
        let has_room = !queues.is_closed && queues.new.len() < MOST_SESSIONS;
        if has_room {
            queues.new.push((Arc::clone(session), new));
        }
        has_room
    }

    /// Adds a session that is to be updated; `false` where there is no room.
    pub(super) fn push_enriched(&self, session: &Arc<SessionState>) -> bool {
        let mut queues = self.lock();
        let has_room = !queues.is_closed && queues.enriched.len() < MOST_SESSIONS;
        if has_room {
            queues.enriched.push(Arc::clone(session));
        }
        has_room
    }

    /// Takes no more sessions.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Drops the waiting sessions; returns how many were not started, and how many not updated.
    pub(super) fn clear(&self) -> (usize, usize) {
        let mut queues = self.lock();
        let counts = (queues.new.len(), queues.enriched.len());
        queues.new.clear();
        queues.enriched.clear();
        counts
    }

    /// Returns whether nothing waits and nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        let Queues { new, starting, enriched, updating, .. } = &*self.lock();
        new.is_empty() && starting.is_empty() && enriched.is_empty() && *updating == 0
    }

    /// Returns the session of this id that no server knows yet.
    pub(super) fn beginning(&self, id: &str) -> Option<Arc<SessionState>> {
        let queues = self.lock();
        let new = queues.new.iter().map(|(session, _)| session);
        new.chain(&queues.starting).find(|session| session.id().as_ref() == id).cloned()
    }

    /// Takes the sessions to start, each until it is [`started`](Self::started).
    pub(super) fn take_new(&self) -> Vec<(Arc<SessionState>, NewSession)> {
        let mut queues = self.lock();
        let new = std::mem::take(&mut queues.new);
        queues.starting.extend(new.iter().map(|(session, _)| Arc::clone(session)));
        new
    }

    /// Notes that a session has its id.
    pub(super) fn started(&self, session: &Arc<SessionState>) {
        self.lock().starting.retain(|other| !Arc::ptr_eq(other, session));
    }

    /// Takes the sessions to update whose id is certain, each until it is
    /// [`updated`](Self::updated).
    pub(super) fn take_enriched(&self) -> Vec<Arc<SessionState>> {
        let mut queues = self.lock();
        let enriched = std::mem::take(&mut queues.enriched);
        let (ready, waiting): (Vec<_>, Vec<_>) =
            enriched.into_iter().partition(|session| session.there().is_some());
        queues.enriched = waiting;
        queues.updating += ready.len();
        ready
    }

    /// Notes that the update of one session is over; `again` is to be updated once more.
    pub(super) fn updated(&self, again: Option<Arc<SessionState>>) {
        let mut queues = self.lock();
        queues.updating = queues.updating.saturating_sub(1);
        if let Some(session) = again
            && session.keep_news()
        {
            queues.enriched.push(session);
        }
    }
}
