//! What the destination says to what it was sent.

use tokio::time::Instant;

use super::{Delivery, Done, FIRST_PAUSE, LONGEST_PAUSE};
use crate::api::{ApiError, ApiErrorKind};
use crate::journal::AttemptRecord;
use crate::upload::destination::Introduced;
use crate::upload::marks::What;

impl Delivery<'_> {
    fn run_created(&mut self, run_id: String, there: Result<String, ApiError>) {
        self.run_under_way = false;
        match there {
            Ok(there) => {
                self.back();
                self.marks.borrow_mut().add(&self.to.name, What::Run { run_id, there });
            }
            Err(error) if error.is_transient() => self.gone(&error),
            Err(error) => self.sent.fatal = Some(error.to_string()),
        }
    }

    pub(super) fn settle(&mut self, done: Done) {
        match done {
            Done::Attempt { begin, record, introduced } => {
                self.attempts_under_way -= 1;
                self.introduced(begin, record, introduced);
            }
            Done::Run { run_id, there } => self.run_created(run_id, there),
            Done::Spans { of, taken } => {
                self.batches_under_way -= 1;
                self.taken(of, taken);
            }
        }
    }

    pub(super) fn introduced(
        &mut self,
        begin: u64,
        record: Box<AttemptRecord>,
        introduced: Introduced,
    ) {
        let Introduced { there, updated, error } = introduced;
        let session_id = record.session_id.clone();
        let to = self.to.name.clone();
        let known = self.marks.borrow().session(&to, &session_id);
        if let Some(there) = &there {
            self.runs.session(&record.run_id, record.row, record.attempt, there);
            if known.there.is_none() {
                let (session_id, there) = (session_id.clone(), there.clone());
                self.marks.borrow_mut().add(&to, What::Session { session_id, there });
            }
        }
        if updated && !known.updated {
            self.marks.borrow_mut().add(&to, What::Update { session_id: session_id.clone() });
            self.sent.now += usize::from(known.spans);
        }
        match &error {
            None => self.back(),
            Some(error) => {
                if !self.refused(error, std::slice::from_ref(&session_id)) {
                    self.try_again(begin);
                }
            }
        }
        // A session without its outputs still has spans that tell what happened.
        let run = self.run_there(&record.run_id).unwrap_or_else(|| record.run_id.clone());
        if let Some(there) = there
            && !known.spans
            && !self.spans_out.contains(&session_id)
        {
            self.add_spans(begin, record, &run, &there);
        }
    }

    pub(super) fn try_again(&mut self, begin: u64) {
        if !self.again.contains(&begin) {
            self.again.push_back(begin);
        }
    }

    pub(super) fn taken(
        &mut self,
        of: Vec<(u64, String)>,
        taken: Result<Option<String>, ApiError>,
    ) {
        for (_, session_id) in &of {
            self.spans_out.remove(session_id);
        }
        match taken {
            Ok(complaint) => {
                // That spans are taken does not mean that sessions are.
                if !(self.last_chance && self.to.has_sessions()) {
                    self.back();
                }
                if let Some(complaint) = complaint {
                    self.sent.problem(complaint);
                }
                let whole = |(_, id): &&(u64, String)| {
                    let known = self.marks.borrow().session(&self.to.name, id);
                    !known.refused && (known.updated || !self.to.has_sessions())
                };
                self.sent.now += of.iter().filter(whole).count();
                let session_ids = of.into_iter().map(|(_, id)| id).collect();
                self.marks.borrow_mut().add(&self.to.name, What::Spans { session_ids });
            }
            // One attempt whose spans are not liked must not take the others with it.
            Err(error) if !may_pass(&error) && !is_key(&error) && of.len() > 1 => {
                self.moved = Instant::now();
                for (begin, _) in of {
                    self.alone.insert(begin);
                    self.try_again(begin);
                }
            }
            Err(error) => {
                let ids: Vec<String> = of.iter().map(|(_, id)| id.clone()).collect();
                if !self.refused(&error, &ids) {
                    for (begin, _) in &of {
                        self.try_again(*begin);
                    }
                }
            }
        }
    }

    /// Whether a destination will never take these sessions. If it may, they are sent again.
    pub(super) fn refused(&mut self, error: &ApiError, session_ids: &[String]) -> bool {
        if may_pass(error) {
            self.gone(error);
            return false;
        }
        if is_key(error) {
            self.sent.fatal = Some(error.to_string());
            return false;
        }
        self.moved = Instant::now();
        self.sent.problem(error.to_string());
        for session_id in session_ids {
            if self.is_refused(session_id) {
                continue;
            }
            self.sent.refused += 1;
            let what = What::Refused { session_id: session_id.clone(), why: error.to_string() };
            self.marks.borrow_mut().add(&self.to.name, what);
        }
        true
    }

    pub(super) fn is_refused(&self, session_id: &str) -> bool {
        self.marks.borrow().session(&self.to.name, session_id).refused
    }

    /// The server is away.
    pub(super) fn gone(&mut self, error: &ApiError) {
        self.sent.problem(error.to_string());
        let asked = error.retry_after().unwrap_or_default();
        self.away = Some(Instant::now() + self.pause.max(asked));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        // Where nobody listens, the tries of this request were the last chance: nobody likes to
        // wait for a server that is not there.
        self.last_chance |= self.ending && matches!(error.kind(), ApiErrorKind::Connect(_));
    }

    /// The server is there.
    pub(super) fn back(&mut self) {
        self.moved = Instant::now();
        self.away = None;
        self.pause = FIRST_PAUSE;
        self.last_chance = false;
    }
}

/// Whether another try may go well. HoneyHive took the run, so an answer that is none of its own is
/// that of something in between.
fn may_pass(error: &ApiError) -> bool {
    error.is_transient() || matches!(error.kind(), ApiErrorKind::Decode(_))
}

fn is_key(error: &ApiError) -> bool {
    matches!(error.status(), Some(401 | 403))
}
