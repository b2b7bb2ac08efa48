//! The consequences of a failed request for the data that was to be sent, in one table.
//!
//! The client retries by it. The rooms above that send (`upload`, `program`, by way of `send`)
//! decide by it what is kept to be sent again, what is sent in smaller requests, and what is given
//! up. No other place reads a status for that.

use super::error::{ApiError, ApiErrorKind};

/// The consequence of a failed request for the data that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// The same request may succeed soon, without any change.
    Soon,
    /// The request may succeed once the server, the network or a setting has changed. That says
    /// nothing about the data, so all of it is kept.
    Later,
    /// The key is refused: the request may succeed once a setting has changed, and until then the
    /// server accepts nothing else either.
    Key,
    /// The server read the request and refuses its content. That is final only where the server
    /// accepts other requests of the same kind: a wrong address can answer like this, too.
    Content,
}

impl Outlook {
    /// Returns whether the same request may succeed later, with the same key.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Soon | Self::Later)
    }
}

impl ApiError {
    /// Returns whether the same request may well succeed soon: the server could not be reached, broke
    /// off, was too slow, or is out of order or busy (408, 425, 429, and 5xx except for 501, 505, 506,
    /// 508, 510 and 511, which a person has to act on).
    pub fn is_transient(&self) -> bool {
        self.kind().is_transient()
    }

    /// Returns the consequence for the data that was to be sent.
    pub(crate) fn outlook(&self) -> Outlook {
        self.kind().outlook()
    }

    /// Returns whether there is no connection to the server, or no trusted one.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.kind().is_unreachable()
    }

    /// Returns whether the request was refused for its size, so that smaller ones may be taken.
    pub(crate) fn is_oversize(&self) -> bool {
        self.kind().is_oversize()
    }
}

impl ApiErrorKind {
    /// Returns the consequence of this kind of error; this is the table of [`Outlook`].
    pub(super) fn outlook(&self) -> Outlook {
        match self {
            Self::Connect(_) | Self::Broken(_) | Self::Timeout(_) => Outlook::Soon,
            Self::Status(refusal) => match refusal.status {
                401 | 403 => Outlook::Key,
                400 | 413 | 422 => Outlook::Content,
                // The server lacks the function or the version of HTTP, runs into a loop, or the network
                // requires a log-in.
                501 | 505 | 506 | 508 | 510 | 511 => Outlook::Later,
                408 | 425 | 429 | 500.. => Outlook::Soon,
                // Redirects, wrong paths and methods, media types, conflicts, payment and
                // the like.
                _ => Outlook::Later,
            },
            Self::Encode(_) => Outlook::Content,
            Self::NoKey
            | Self::BadKey(_)
            | Self::Settings(_)
            | Self::Address(_)
            | Self::NoRuntime
            | Self::Certificate(_)
            | Self::Decode(_)
            | Self::TooLarge(_) => Outlook::Later,
        }
    }

    /// Returns whether the same request may succeed by itself, and soon.
    pub(super) fn is_transient(&self) -> bool {
        self.outlook() == Outlook::Soon
    }

    /// Returns whether the server certainly did nothing, so that even a request that must not be done
    /// twice can be sent again.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Status(refusal) => refusal.status == 429,
            _ => false,
        }
    }

    /// Returns whether there is no connection to the server, or no trusted one.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Certificate(_))
    }

    /// Returns whether the request was refused for its size, so that smaller ones may be taken.
    pub(super) fn is_oversize(&self) -> bool {
        matches!(self, Self::Status(refusal) if refusal.status == 413)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::Refusal;

    #[test]
    fn what_may_pass_is_worth_another_try() {
        let status = |status| ApiErrorKind::Status(Refusal { status, ..Refusal::default() });
        for passing in [408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 522, 529, 530, 599] {
            assert!(status(passing).is_transient(), "{passing}");
        }
        for lasting in [302, 307, 402, 404, 405, 409, 410, 415, 421, 451, 501, 505, 511] {
            assert_eq!(status(lasting).outlook(), Outlook::Later, "{lasting}");
        }
        for content in [400, 413, 422] {
            assert_eq!(status(content).outlook(), Outlook::Content, "{content}");
        }
        assert_eq!([401, 403].map(|key| status(key).outlook()), [Outlook::Key; 2]);
        let answer = ApiErrorKind::Decode("200 with an empty answer".to_owned());
        assert_eq!(answer.outlook(), Outlook::Later);
        assert!(ApiErrorKind::Timeout(Duration::ZERO).is_transient());
        assert!(!ApiErrorKind::Timeout(Duration::ZERO).is_untouched());
        assert!(!ApiErrorKind::Certificate(String::new()).is_transient());
        assert!(status(413).is_oversize() && !status(400).is_oversize());
    }
}
