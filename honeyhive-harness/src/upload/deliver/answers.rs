//! The answers of the destination, and what follows from them.

use tokio::time::Instant;

use super::{Delivery, Done, Doubt, Kind};
use crate::api::{ApiError, Outlook};
use crate::journal::AttemptRecord;
use crate::send::{MOST_DOUBTS, Part, Taken};
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
            // Nothing else can be sent without it.
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
            Done::Spans { of, parts } => {
                self.batches_under_way -= 1;
                self.taken(&of, parts);
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
                self.took(Kind::Session);
            }
        }
        if updated && !known.updated {
            self.marks.borrow_mut().add(&to, What::Update { session_id: session_id.clone() });
            self.sent.now += usize::from(known.spans);
            self.took(Kind::Update);
        }
        match error {
            None => self.back(),
            Some(error) => {
                let kind = if there.is_none() { Kind::Session } else { Kind::Update };
                if self.may_pass(&error) {
                    self.try_again(begin);
                } else {
                    self.objects(kind, &session_id, error);
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

    pub(super) fn taken(&mut self, of: &[(u64, String)], parts: Vec<Part>) {
        for (_, session_id) in of {
            self.spans_out.remove(session_id);
        }
        for Part { owners, taken } in parts {
            let of = &of[owners];
            match taken {
                Taken::Yes(rejected) => {
                    if let Some(rejected) = rejected {
                        self.sent.reject(rejected);
                    }
                    self.arrived_whole(of);
                }
                Taken::No(error, _) if self.may_pass(&error) => {
                    for (begin, _) in of {
                        self.try_again(*begin);
                    }
                }
                Taken::No(error, _) => {
                    for (_, session_id) in of {
                        self.objects(Kind::Spans, session_id, error.clone());
                    }
                }
                Taken::Untried(_) => {
                    for (begin, _) in of {
                        self.try_again(*begin);
                    }
                }
            }
        }
    }

    /// Notes that the spans of these attempts have arrived.
    fn arrived_whole(&mut self, of: &[(u64, String)]) {
        // That spans are taken does not mean that sessions are.
        if !(self.last_chance && self.to.has_sessions()) {
            self.back();
        }
        let whole = |(_, id): &&(u64, String)| {
            let known = self.marks.borrow().session(&self.to.name, id);
            let updated = known.updated || !self.to.has_sessions();
            known.refused.is_none() && updated && !known.spans
        };
        self.sent.now += of.iter().filter(whole).count();
        let session_ids = of.iter().map(|(_, id)| id.clone()).collect();
        self.marks.borrow_mut().add(&self.to.name, What::Spans { session_ids });
        self.took(Kind::Spans);
    }

    /// Returns whether a failed request is to be sent again.
    fn may_pass(&mut self, error: &ApiError) -> bool {
        match error.outlook() {
            Outlook::Content => return false,
            Outlook::Key => self.sent.fatal = Some(error.to_string()),
            Outlook::Soon | Outlook::Later => self.gone(error),
        }
        true
    }

    /// Handles a refusal of the content of a request about an attempt.
    ///
    /// The refusal is final only where the destination takes other requests of the kind: then its address is
    /// right, and the content of this attempt is what it refuses.
    fn objects(&mut self, kind: Kind, session_id: &str, error: ApiError) {
        self.moved = Instant::now();
        if self.took[kind as usize] {
            return self.refused(session_id, &error);
        }
        let doubt = Doubt { kind, session_id: session_id.to_owned(), error };
        self.doubts.push(doubt);
        let of_kind = self.doubts.iter().filter(|doubt| doubt.kind == kind).count();
        // Sessions whose outputs are refused still have spans.
        if of_kind >= MOST_DOUBTS && kind != Kind::Update {
            let error = &self.doubts[self.doubts.len() - 1].error;
            self.sent.fatal = Some(error.to_string());
        }
    }

    /// Notes that the destination took a request of this kind.
    fn took(&mut self, kind: Kind) {
        if std::mem::replace(&mut self.took[kind as usize], true) {
            return;
        }
        let (sure, doubts) =
            std::mem::take(&mut self.doubts).into_iter().partition(|doubt| doubt.kind == kind);
        self.doubts = doubts;
        let sure: Vec<Doubt> = sure;
        for doubt in &sure {
            self.refused(&doubt.session_id, &doubt.error);
        }
    }

    fn refused(&mut self, session_id: &str, error: &ApiError) {
        let known = self.marks.borrow().session(&self.to.name, session_id);
        self.sent.refusal = Some(error.to_string());
        if known.refused.is_none() {
            self.sent.refused += 1;
            let (session_id, why) = (session_id.to_owned(), error.to_string());
            self.marks.borrow_mut().add(&self.to.name, What::Refused { session_id, why });
        }
    }

    /// Notes that the server cannot be reached, or takes nothing as it is now.
    pub(super) fn gone(&mut self, error: &ApiError) {
        self.sent.problem(error.to_string());
        self.breaker.failed(error);
        // Without a connection, the tries of this request were the last ones: users do not like to
        // wait for a server that is not there.
        self.last_chance |= self.ending && error.is_unreachable();
    }

    /// Notes that the server answers.
    pub(super) fn back(&mut self) {
        self.moved = Instant::now();
        self.breaker.succeeded();
        self.last_chance = false;
    }
}
