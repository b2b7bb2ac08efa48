//! The circuit breaker of a destination: after a failure it is left alone for a pause.

use tokio::time::Instant;

use crate::api::{ApiError, Backoff};

/// The state of a destination: whether it is sent to now, or later after a failure.
///
/// The pauses grow with the failures in a row, and a server may ask for its own; see [`Backoff`].
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// The time before which nothing is sent; `None` while the destination answers.
    retry_at: Option<Instant>,
    /// Set when the server asked for this pause.
    is_asked: bool,
    failures: u32,
}

impl Breaker {
    /// Opens it after a failure.
    ///
    /// Only the first to fail of several requests under way lengthens the pause, since all of them tell
    /// of the same outage.
    pub(crate) fn failed(&mut self, error: &ApiError) {
        let now = Instant::now();
        let asked = error.retry_after();
        let is_known = self.retry_at.is_some_and(|at| at > now);
        if is_known && asked.is_none() {
            return;
        }
        if !is_known {
            self.failures = self.failures.saturating_add(1);
        }
        let at = now + Backoff::DESTINATION.pause(self.failures, asked);
        self.retry_at = Some(self.retry_at.map_or(at, |known| known.max(at)));
        self.is_asked = asked.is_some();
    }

    /// Closes it: the destination answers.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Returns when the destination is tried again; `None` while it answers.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Returns whether the last request failed.
    pub(crate) fn is_open(&self) -> bool {
        self.retry_at.is_some()
    }

    /// Ends the pause, unless the server asked for it.
    pub(crate) fn hurry(&mut self) {
        if !self.is_asked {
            self.retry_at = self.retry_at.map(|at| at.min(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{ApiErrorKind, Refusal};

    fn error(status: u16, retry_after: Option<u64>) -> ApiError {
        let retry_after = retry_after.map(Duration::from_secs);
        ApiError::early(ApiErrorKind::Status(Refusal { status, retry_after, ..Refusal::default() }))
    }

    fn pause(breaker: &Breaker) -> Duration {
        breaker.retry_at().unwrap().saturating_duration_since(Instant::now())
    }

    #[test]
    fn one_outage_lengthens_the_pause_once() {
        let mut breaker = Breaker::default();
        assert!(!breaker.is_open());
        for _ in 0..32 {
            breaker.failed(&error(503, None));
        }
        assert!(pause(&breaker) <= Duration::from_millis(1200), "{breaker:?}");
        // The pause is over, and the next try fails, too.
        breaker.hurry();
        breaker.failed(&error(503, None));
        let twice = Duration::from_millis(1500)..Duration::from_millis(2400);
        assert!(twice.contains(&pause(&breaker)), "{breaker:?}");
        breaker.succeeded();
        assert!(!breaker.is_open());
        breaker.failed(&error(503, None));
        assert!(pause(&breaker) <= Duration::from_millis(1200), "{breaker:?}");
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept() {
        let mut breaker = Breaker::default();
        breaker.failed(&error(429, Some(20)));
        breaker.hurry();
        assert!(pause(&breaker) > Duration::from_secs(19), "{breaker:?}");
        breaker.failed(&error(429, Some(3600)));
        assert!(pause(&breaker) <= Duration::from_secs(60), "{breaker:?}");
    }
}
