//! Reads the journal for the destination.

use std::sync::Arc;

use super::{Arrived, Delivery};
use crate::journal::{AttemptRecord, Record, SCHEMA};
use crate::upload::runs::Run;

impl Delivery<'_> {
    /// Returns the next attempt that has not arrived yet, and notes the records before it.
    pub(super) fn next(&mut self) -> Option<(u64, Box<AttemptRecord>)> {
        while let Some(begin) = self.again.pop_front() {
            if let Ok(Record::Attempt(record)) = self.tail.again(begin)
                && matches!(self.arrived(&record), Arrived::No)
            {
                return Some((begin, record));
            }
        }
        while !self.at_end {
            match self.tail.next() {
                Ok(Some((begin, Record::Attempt(record)))) => {
                    self.runs.attempt(&record);
                    if !self.is_wanted(&record) {
                        self.sent.partial += 1;
                        continue;
                    }
                    self.sent.attempts += 1;
                    match self.arrived(&record) {
                        Arrived::No => return Some((begin, record)),
                        Arrived::Whole => self.sent.before += 1,
                        Arrived::Refused(why) => {
                            self.sent.refused += 1;
                            self.sent.refusal = Some(why);
                        }
                    }
                }
                Ok(Some((_, Record::Invocation(invocation)))) if invocation.schema > SCHEMA => {
                    self.sent.fatal = Some(format!(
                        "the journal was written by a later honeyhive-harness (schema {}, this one \
                         knows {SCHEMA}); update it",
                        invocation.schema
                    ));
                    self.at_end = true;
                }
                Ok(Some((_, Record::Invocation(invocation)))) => {
                    self.invocation = Arc::new(invocation.clone());
                    self.runs.note(Record::Invocation(invocation));
                }
                Ok(Some((_, record))) => self.runs.note(record),
                Ok(None) => self.at_end = true,
                Err(error) => {
                    self.sent.problem(format!("cannot read the journal: {error}"));
                    self.at_end = true;
                }
            }
        }
        None
    }

    pub(super) fn is_wanted(&self, record: &AttemptRecord) -> bool {
        let partial = self.runs.get(&record.run_id).is_none_or(Run::is_partial);
        !partial || self.to.takes_partial()
    }

    pub(super) fn arrived(&mut self, record: &AttemptRecord) -> Arrived {
        let known = self.marks.borrow().session(&self.to.name, &record.session_id);
        if let Some(there) = &known.there {
            self.runs.session(&record.run_id, record.row, record.attempt, there);
        }
        if let Some(why) = known.refused {
            Arrived::Refused(why)
        } else if known.spans && (known.updated || !self.to.has_sessions()) {
            Arrived::Whole
        } else {
            Arrived::No
        }
    }
}
