//! Decides whether a request is sent again, and how long to wait before.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime};

use super::error::ApiErrorKind;

/// The longest pause that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// The pauses after failures in a row: each is twice as long as the one before, up to a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// The pauses between the tries of one request.
    const REQUEST: Self =
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

    /// The pauses between requests to a destination that fails; each of them had several tries.
    pub(crate) const DESTINATION: Self =
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(30) };

    /// Returns the pause after this many failures in a row: as the server asks, up to a minute, or
    /// else our own.
    pub(crate) fn pause(self, failed: u32, asked: Option<Duration>) -> Duration {
        asked.map_or_else(|| self.own(failed, chance()), |asked| asked.min(LONGEST_ASKED))
    }

    /// `chance` from 0 to 1 makes the pause up to 20 % shorter or longer, so that many clients do
    /// not come back at the same moment.
    fn own(self, failed: u32, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        doubled.min(self.longest).mul_f64(0.8 + 0.4 * chance)
    }
}

/// The limits of sending a request repeatedly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// The number of tries in all, the first one included.
    pub(crate) tries: u32,
    /// The deadline of all pauses and answers.
    pub(crate) until: Option<Instant>,
    /// Set when the request may be done twice without harm. A request that is not repeatable is
    /// sent again only where the server certainly did nothing: no connection, or 429.
    pub(crate) repeatable: bool,
}

impl Retry {
    /// Returns limits by which a request is sent only once.
    pub(crate) fn never() -> Self {
        Self { tries: 1, until: None, repeatable: false }
    }

    /// Returns the pause before the next try; `None` if there is to be none.
    pub(super) fn pause(&self, failed: u32, kind: &ApiErrorKind) -> Option<Duration> {
        let may = kind.is_transient() && (self.repeatable || kind.is_untouched());
        if !may || failed >= self.tries {
            return None;
        }
        let asked = match kind {
            ApiErrorKind::Status(refusal) => refusal.retry_after,
            _ => None,
        };
        let pause = Backoff::REQUEST.pause(failed, asked);
        // The client does not begin a pause that would use up the remaining time.
        self.left().is_none_or(|left| pause < left).then_some(pause)
    }

    /// Returns the time until the deadline, if there is one.
    pub(super) fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }
}

/// Returns a random number from 0 to 1.
fn chance() -> f64 {
    // Each hasher state has random keys of its own.
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

/// Reads the value of `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = http_date(value)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Reads a date such as `Wed, 21 Oct 2015 07:28:00 GMT`, the only form that servers may write.
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::error::Refusal;

    fn busy(retry_after: Option<Duration>) -> ApiErrorKind {
        ApiErrorKind::Status(Refusal { status: 503, retry_after, ..Refusal::default() })
    }

    const OFTEN: Retry = Retry { tries: 100, until: None, repeatable: true };

    #[test]
    fn pauses_double_up_to_a_limit() {
        let millis = |failed| Backoff::REQUEST.own(failed, 0.5).as_millis();
        assert_eq!([1, 2, 3, 6, 7, 99].map(millis), [500, 1000, 2000, 16_000, 30_000, 30_000]);
        assert_eq!(Backoff::REQUEST.own(1, 0.0), Duration::from_millis(400));
        assert_eq!(Backoff::REQUEST.own(1, 1.0), Duration::from_millis(600));
        let drawn: Vec<f64> = (0..50).map(|_| chance()).collect();
        assert!(drawn.iter().all(|c| (0.0..=1.0).contains(c)));
        assert!(drawn.iter().any(|c| *c < 0.5) && drawn.iter().any(|c| *c > 0.5), "{drawn:?}");
    }

    #[test]
    fn the_server_says_how_long() {
        let pause = |seconds| OFTEN.pause(1, &busy(Some(Duration::from_secs(seconds))));
        assert_eq!(pause(7), Some(Duration::from_secs(7)));
        assert_eq!(pause(3600), Some(LONGEST_ASKED));
    }

    #[test]
    fn tries_and_time_are_limited() {
        assert_eq!(Retry::never().pause(1, &busy(None)), None);
        assert!(Retry { tries: 2, ..OFTEN }.pause(1, &busy(None)).is_some());
        assert_eq!(Retry { tries: 2, ..OFTEN }.pause(2, &busy(None)), None);
        let soon = Instant::now() + Duration::from_secs(5);
        let hurry = Retry { until: Some(soon), ..OFTEN };
        assert!(hurry.pause(1, &busy(None)).is_some());
        assert_eq!(hurry.pause(1, &busy(Some(Duration::from_secs(9)))), None);
        assert_eq!(Retry { until: Some(Instant::now()), ..OFTEN }.pause(1, &busy(None)), None);
    }

    #[test]
    fn what_must_not_happen_twice_is_repeated_only_when_it_did_not_happen() {
        let once = Retry { repeatable: false, ..OFTEN };
        assert_eq!(once.pause(1, &busy(None)), None);
        assert_eq!(once.pause(1, &ApiErrorKind::Broken(String::new())), None);
        assert!(once.pause(1, &ApiErrorKind::Connect(String::new())).is_some());
        let many = ApiErrorKind::Status(Refusal { status: 429, ..Refusal::default() });
        assert!(once.pause(1, &many).is_some());
        assert_eq!(OFTEN.pause(1, &ApiErrorKind::Certificate(String::new())), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = humantime::parse_rfc3339("2015-10-21T07:27:30Z").unwrap();
        let read = |text| retry_after(text, now).map(|wait| wait.as_millis());
        assert_eq!(read("120"), Some(120_000));
        assert_eq!(read(" 0.25 "), Some(250));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(30_000));
        assert_eq!(read("Wed, 21 Oct 2015 07:00:00 GMT"), Some(0));
        for nonsense in
            ["", "soon", "-1", "NaN", "inf", "Wed, 41 Oct 2015 07:28:00 GMT", "21 Oct 2015"]
        {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
