//! The counts of what was sent to each destination, and what was not.

use super::destination::Destination;
use crate::api::Rejected;
use crate::text::{count, thousands};

/// The counts and errors of sending to one destination.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// The destination's name for people.
    pub(crate) to: String,
    /// The number of attempts that are meant for it.
    pub(crate) attempts: usize,
    /// The number of attempts that arrived now.
    pub(crate) now: usize,
    /// The number of attempts that had arrived before.
    pub(crate) before: usize,
    /// The number of attempts that were refused, though others are taken.
    pub(crate) refused: usize,
    /// The reason why the last of them was refused.
    pub(crate) refusal: Option<String>,
    /// The destination's message about single spans that it left out.
    pub(crate) rejected: Option<String>,
    /// The number of attempts of partial selections, which are not meant for it.
    pub(crate) partial: usize,
    /// The number of runs whose end is not known there.
    pub(crate) unfinished: usize,
    /// The runs whose end is known there now: experiment and id.
    pub(crate) runs: Vec<(String, String)>,
    /// The error after which nothing more can be sent.
    pub(crate) fatal: Option<String>,
    /// The last problem, though it may have been solved since.
    problem: Option<String>,
    /// HoneyHive's own figures, line by line.
    pub(crate) results: Vec<String>,
}

impl Sent {
    pub(super) fn new(to: &Destination) -> Self {
        Self { to: to.shown.clone(), ..Self::default() }
    }

    /// Notes that the time is over. A reason that is known already, why things were not taken, stays.
    pub(super) fn out_of_time(&mut self, why: String) {
        self.problem.get_or_insert(why);
    }

    /// Creates the counts of a destination to which nothing could be sent.
    pub(super) fn failed(to: &Destination, why: String) -> Self {
        Self { fatal: Some(why), ..Self::new(to) }
    }

    pub(super) fn problem(&mut self, text: String) {
        self.problem = Some(text);
    }

    /// Notes that the destination left out some spans.
    pub(super) fn reject(&mut self, rejected: Rejected) {
        self.rejected = Some(rejected.why);
    }

    /// Returns the number of attempts that may still arrive.
    pub(crate) fn left(&self) -> usize {
        self.attempts.saturating_sub(self.now + self.before + self.refused)
    }

    /// Returns whether everything has arrived.
    pub(crate) fn is_complete(&self) -> bool {
        let whole = self.refused == 0 && self.rejected.is_none();
        self.left() == 0 && whole && self.unfinished == 0 && self.fatal.is_none()
    }

    /// Returns whether nothing is left to send, unless refused attempts are to be sent again.
    pub(crate) fn is_settled(&self) -> bool {
        self.left() == 0 && self.unfinished == 0 && self.fatal.is_none()
    }

    /// Returns the reason why something is left to send; `None` where nothing is.
    pub(crate) fn why(&self) -> Option<&str> {
        let why = self.fatal.as_deref().or(self.problem.as_deref());
        why.filter(|_| !self.is_settled())
    }

    /// Returns the first reason why it is not complete.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.why().or(self.refusal.as_deref()).or(self.rejected.as_deref())
    }

    /// Adds what another journal of the invocation had for the same destination.
    #[cfg(feature = "cli")]
    pub(super) fn add(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.now += other.now;
        self.before += other.before;
        self.refused += other.refused;
        self.refusal = other.refusal.or_else(|| self.refusal.take());
        self.rejected = other.rejected.or_else(|| self.rejected.take());
        self.partial += other.partial;
        self.unfinished += other.unfinished;
        self.runs.extend(other.runs);
        self.results.extend(other.results);
        self.fatal = self.fatal.take().or(other.fatal);
        self.problem = other.problem.or_else(|| self.problem.take());
    }

    /// Returns one line about it: what was sent, what was not, why, and what to do.
    pub(crate) fn line(&self, push: &str) -> String {
        let Self { to, attempts, now, before, refused, .. } = self;
        let there = now + before;
        let mut text = if *attempts == 0 && self.fatal.is_none() && self.unfinished == 0 {
            format!("nothing to send to {to}")
        } else if *before == *attempts && *now == 0 {
            format!("nothing to send to {to}: {} are there already", count(*before, "attempt"))
        } else if there == *attempts {
            format!("sent {} to {to}", count(there, "attempt"))
        } else {
            format!("sent {} of {} to {to}", thousands(there), count(*attempts, "attempt"))
        };
        if *before > 0 && *now > 0 {
            text.push_str(&format!(" ({} of them before)", thousands(*before)));
        }
        if let [(_, run)] = self.runs.as_slice() {
            text.push_str(&format!(", run {run}"));
        } else if !self.runs.is_empty() {
            text.push_str(&format!(", {}", count(self.runs.len(), "run")));
        }
        if let Some(rejected) = &self.rejected {
            text.push_str(&format!("; {rejected}"));
        }
        if *refused > 0 {
            text.push_str(&format!("; {} refused", thousands(*refused)));
            match &self.refusal {
                Some(why) if self.is_settled() => text.push_str(&format!(": {why}")),
                Some(why) => text.push_str(&format!(" ({why})")),
                None => {}
            }
        }
        if self.unfinished > 0 {
            text.push_str(&format!("; {} not finished", count(self.unfinished, "run")));
        }
        if let Some(why) = self.why() {
            text.push_str(&format!(": {why}"));
        }
        if self.left() > 0 || self.unfinished > 0 {
            let when = if self.fatal.is_some() { "when that is mended, " } else { "" };
            text.push_str(&format!("; {when}`{push}` sends the rest"));
        }
        if *refused > 0 {
            text.push_str(&format!("; `{push} --again` sends what was refused"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(attempts: usize, now: usize) -> Sent {
        Sent { to: "HoneyHive".to_owned(), attempts, now, ..Sent::default() }
    }

    const PUSH: &str = "cargo honeyhive push x";

    #[test]
    fn one_line_says_it_all() {
        let mut whole = sent(1319, 1319);
        whole.runs = vec![("capitals".to_owned(), "4035".to_owned())];
        assert_eq!(whole.line(PUSH), "sent 1,319 attempts to HoneyHive, run 4035");
        whole.runs.push(("sums".to_owned(), "4036".to_owned()));
        assert_eq!(whole.line(PUSH), "sent 1,319 attempts to HoneyHive, 2 runs");
        assert_eq!(sent(0, 0).line(PUSH), "nothing to send to HoneyHive");
        let mut part = sent(10, 4);
        part.problem("POST /session/start: no connection".to_owned());
        part.unfinished = 1;
        assert_eq!(
            part.line(PUSH),
            "sent 4 of 10 attempts to HoneyHive; 1 run not finished: POST /session/start: no \
             connection; `cargo honeyhive push x` sends the rest"
        );
        let mut mended = sent(10, 10);
        mended.problem("POST /session/start: 503".to_owned());
        assert_eq!(mended.line(PUSH), "sent 10 attempts to HoneyHive");
    }

    #[test]
    fn what_is_there_already_is_not_said_to_be_sent() {
        let mut there = sent(20, 0);
        there.before = 20;
        assert_eq!(there.line(PUSH), "nothing to send to HoneyHive: 20 attempts are there already");
        let mut wrong = sent(3, 0);
        wrong.fatal = Some("401 Unauthorized".to_owned());
        assert_eq!(
            wrong.line(PUSH),
            "sent 0 of 3 attempts to HoneyHive: 401 Unauthorized; when that is mended, `cargo \
             honeyhive push x` sends the rest"
        );
        let mut slow = sent(3, 0);
        slow.out_of_time("stopped by Ctrl-C".to_owned());
        assert!(slow.line(PUSH).contains("HoneyHive: stopped by Ctrl-C; "));
        // What was known before says more.
        slow.out_of_time("no answer within HH_FLUSH_TIMEOUT".to_owned());
        assert!(slow.line(PUSH).contains("HoneyHive: stopped by Ctrl-C; "));
    }

    #[test]
    fn what_is_refused_is_said() {
        let mut refused = sent(3, 1);
        refused.before = 1;
        refused.refused = 1;
        refused.refusal = Some("PUT /events: 400 Bad Request".to_owned());
        assert_eq!(
            refused.line(PUSH),
            "sent 2 of 3 attempts to HoneyHive (1 of them before); 1 refused: PUT /events: 400 \
             Bad Request; `cargo honeyhive push x --again` sends what was refused"
        );
        assert!(!refused.is_complete() && refused.left() == 0);
        refused.now = 0;
        refused.problem("no connection".to_owned());
        assert_eq!(
            refused.line(PUSH),
            "sent 1 of 3 attempts to HoneyHive; 1 refused (PUT /events: 400 Bad Request): no \
             connection; `cargo honeyhive push x` sends the rest; `cargo honeyhive push x --again` \
             sends what was refused"
        );
        let why = "2 spans rejected: too old".to_owned();
        let mut partly = sent(3, 3);
        partly.reject(Rejected { spans: 2, why });
        assert_eq!(partly.line(PUSH), "sent 3 attempts to HoneyHive; 2 spans rejected: too old");
        assert!(!partly.is_complete());
    }
}
