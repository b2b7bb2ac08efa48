//! What can go wrong on the way to a server, in words that lead out of it.
//!
//! A text says what was asked, what came, and what to do. Keys, query strings and the password
//! of an address are in none of them, whatever the server or a library puts into its own text.

use std::fmt;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::text::{one_line, seconds};

/// What a server says is cut to this many columns.
const LONGEST_MESSAGE: usize = 300;

/// Why a request got no answer that could be used.
///
/// Cheap to clone. `Display` is one line, such as
///
/// ```text
/// POST /v1/runs: 401 Unauthorized: key expired. Check HH_API_KEY, and that the key belongs to this server (https://api.example.com) and project
/// ```
#[derive(Clone)]
pub struct ApiError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    asked: Option<Asked>,
    kind: ApiErrorKind,
    tries: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// No key was given; nothing was sent.
    NoKey,
    /// A key that cannot be one; nothing was sent. The text names the setting, not the key.
    BadKey(String),
    /// Settings of the environment that cannot be understood; nothing was sent.
    Settings(String),
    /// An address or id that no request can be sent to; nothing was sent.
    Address(String),
    /// A request that has no JSON form; nothing was sent.
    Encode(String),
    /// There is no tokio runtime to send with; nothing was sent.
    NoRuntime,
    /// TLS: no trusted certificates on this machine, or the server's is not trusted.
    Certificate(String),
    /// No connection: nobody listens, the name is unknown, the network is down.
    Connect(String),
    /// The connection broke before the answer was complete.
    Broken(String),
    /// No complete answer in this time.
    Timeout(Duration),
    /// An answer whose status is not 200 to 299.
    Status(Refusal),
    /// An answer that is not what was asked for.
    Decode(String),
    /// An answer of more than this many bytes.
    TooLarge(usize),
}

/// What a server answered instead of what was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status, such as 401.
    pub status: u16,
    /// What the server says about it: one line of at most 300 columns.
    pub message: Option<String>,
    /// The server's own code of the error.
    pub code: Option<String>,
    /// The server's id of the request, for its support.
    pub request_id: Option<String>,
    /// How long the server wants us to wait.
    pub retry_after: Option<Duration>,
    /// Where the server sends us instead; nothing is sent there.
    pub location: Option<String>,
}

/// The settings that a failed request may be mended with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knobs {
    pub(crate) key: &'static str,
    pub(crate) address: &'static str,
    pub(crate) timeout: &'static str,
    /// What names a file of trusted certificates.
    pub(crate) certificate: &'static str,
}

impl Knobs {
    /// What takes the project's key.
    pub(crate) const PROJECT: Self = Self {
        key: "HH_API_KEY",
        address: "HH_API_URL",
        timeout: "HH_API_TIMEOUT",
        certificate: "SSL_CERT_FILE",
    };

    /// A receiver of spans that is not HoneyHive.
    pub(crate) const OTLP: Self = Self {
        key: "OTEL_EXPORTER_OTLP_HEADERS",
        address: "OTEL_EXPORTER_OTLP_ENDPOINT",
        timeout: "OTEL_EXPORTER_OTLP_TIMEOUT",
        certificate: "OTEL_EXPORTER_OTLP_CERTIFICATE",
    };

    /// What takes an ingestion key.
    pub(crate) const INGESTION: Self = Self { key: "HH_INGESTION_API_KEY", ..Self::PROJECT };
}

/// What was asked, without anything secret.
#[derive(Clone)]
pub(super) struct Asked {
    /// `POST /v1/runs`.
    what: String,
    /// `https://api.example.com`.
    server: String,
    knobs: Knobs,
}

impl Asked {
    pub(super) fn new(method: &str, url: &Url, knobs: Knobs) -> Self {
        // The origin has no user and no password, the path no query.
        let server = url.origin().ascii_serialization();
        Self { what: format!("{method} {}", one_line(url.path(), 200)), server, knobs }
    }
}

impl ApiError {
    /// An error before any request.
    pub(crate) fn early(kind: ApiErrorKind) -> Self {
        Self(Box::new(Inner { asked: None, kind, tries: 0 }))
    }

    pub(super) fn new(asked: Asked, kind: ApiErrorKind, tries: u32) -> Self {
        Self(Box::new(Inner { asked: Some(asked), kind, tries }))
    }

    /// What happened.
    pub fn kind(&self) -> &ApiErrorKind {
        &self.0.kind
    }

    /// The HTTP status, where the server refused.
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            ApiErrorKind::Status(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// How long the server wants us to wait, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            ApiErrorKind::Status(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

impl std::error::Error for ApiError {}

// Not derived: the one line says all there is, and a struct in the output of `unwrap` does not.
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiError({self})")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { asked, kind, tries } = &*self.0;
        if let Some(asked) = asked {
            write!(f, "{}: ", asked.what)?;
        }
        write!(f, "{kind}")?;
        if *tries > 1 {
            write!(f, " ({tries} tries)")?;
        }
        if let Some(advice) = asked.as_ref().and_then(|asked| advice(asked, kind)) {
            write!(f, ". {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ApiErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str(
                "there is no API key: set HH_API_KEY, or give one to `HoneyHive::builder()`",
            ),
            Self::BadKey(text) | Self::Settings(text) | Self::Address(text) => f.write_str(text),
            Self::Encode(text) => write!(f, "the request has no JSON form: {text}"),
            Self::NoRuntime => f.write_str("requests need a tokio runtime, and there is none here"),
            Self::Certificate(text) => write!(f, "no trusted connection: {text}"),
            Self::Connect(text) => write!(f, "no connection: {text}"),
            Self::Broken(text) => write!(f, "the connection broke: {text}"),
            Self::Timeout(limit) => {
                write!(f, "no complete answer within {}", rounded(*limit))
            }
            Self::Status(refusal) => refusal.fmt(f),
            Self::Decode(text) => write!(f, "the answer is not understood: {text}"),
            Self::TooLarge(bytes) => {
                write!(f, "the answer has more than {} MiB", bytes >> 20)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = StatusCode::from_u16(self.status).ok();
        match known.and_then(|status| status.canonical_reason()) {
            Some(reason) => write!(f, "{} {reason}", self.status)?,
            None => write!(f, "{}", self.status)?,
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        let notes = [("code", &self.code), ("request", &self.request_id)];
        for (name, value) in notes {
            if let Some(value) = value {
                write!(f, " [{name} {value}]")?;
            }
        }
        Ok(())
    }
}

/// A limit of time without digits that nobody set: what is left until a deadline has many.
fn rounded(limit: Duration) -> String {
    let millis = limit.as_millis();
    match millis {
        0..10 => "10 ms".to_owned(),
        10..1000 => seconds((millis / 10 * 10) as f64 / 1000.0),
        _ => seconds((millis / 100) as f64 / 10.0),
    }
}

/// What to do about it.
fn advice(asked: &Asked, kind: &ApiErrorKind) -> Option<String> {
    let Asked { server, knobs: Knobs { key, address, timeout, certificate }, .. } = asked;
    Some(match kind {
        ApiErrorKind::Certificate(_) if *certificate == "SSL_CERT_FILE" => format!(
            "The certificate of {server} must be signed by an authority that this machine trusts; \
             on Linux, SSL_CERT_FILE names the file of those"
        ),
        ApiErrorKind::Certificate(_) => format!(
            "The certificate of {server} must be signed by an authority that this machine trusts; \
             {certificate} names a PEM file of further ones"
        ),
        ApiErrorKind::Connect(_) => {
            format!("Is {server} up, and is it the right {address}?")
        }
        ApiErrorKind::Timeout(_) => format!("Is {server} up? {timeout} sets the limit"),
        ApiErrorKind::Broken(_) | ApiErrorKind::Decode(_) => {
            format!("Is {server} the right {address}?")
        }
        ApiErrorKind::Status(refusal) => match refusal.status {
            300..=399 => match &refusal.location {
                Some(location) => format!("The server redirects to {location}: correct {address}"),
                None => format!("Is {server} the right {address}?"),
            },
            401 | 403 => format!(
                "Check {key}, and that the key belongs to this server ({server}) and project"
            ),
            404 => format!(
                "There is no such thing on this server; is {server} the right {address}, and is \
                 the id right?"
            ),
            413 => "It is larger than this server takes".to_owned(),
            415 => format!(
                "Is {server} the right {address}, and does it take this encoding? \
                 OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf (the default) or http/json"
            ),
            429 => match refusal.retry_after {
                Some(wait) => format!(
                    "Too many requests; the server wants {} of rest",
                    seconds(wait.as_secs_f64())
                ),
                None => "Too many requests; try again later".to_owned(),
            },
            405 | 501 => format!("Is {server} the right {address}?"),
            511 => "The network wants a log-in first".to_owned(),
            500.. => "The fault is the server's; try again later".to_owned(),
            _ => return None,
        },
        _ => return None,
    })
}

/// A foreign text as part of an error: no secrets, one line, not too long.
pub(super) fn quote(text: &str, secrets: &[&str]) -> String {
    // Shorter ones are no keys, and would blot out ordinary words.
    const SHORTEST: usize = 4;
    let mut text = text.trim().to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, "..");
    }
    one_line(&text, LONGEST_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: ApiErrorKind) -> String {
        let url = Url::parse("https://user:pw@a.example/v1/runs?token=t0ps3cret").unwrap();
        ApiError::new(Asked::new("POST", &url, Knobs::PROJECT), kind, 1).to_string()
    }

    fn refused(status: u16) -> String {
        shown(ApiErrorKind::Status(Refusal { status, ..Refusal::default() }))
    }

    #[test]
    fn an_error_says_what_to_do() {
        assert_eq!(
            refused(401),
            "POST /v1/runs: 401 Unauthorized. Check HH_API_KEY, and that the key belongs to this \
             server (https://a.example) and project"
        );
        assert!(refused(404).contains("is https://a.example the right HH_API_URL"));
        assert!(refused(503).ends_with("try again later"));
        assert_eq!(refused(400), "POST /v1/runs: 400 Bad Request");
        assert!(refused(599).starts_with("POST /v1/runs: 599. "));
        let slow = ApiErrorKind::Timeout(Duration::from_secs(10));
        assert!(shown(slow).starts_with("POST /v1/runs: no complete answer within 10 s. "));
    }

    #[test]
    fn times_are_rounded() {
        let shown = [0, 8, 280, 1234, 9_876, 10_000].map(|ms| rounded(Duration::from_millis(ms)));
        assert_eq!(shown, ["10 ms", "10 ms", "280 ms", "1.2 s", "9.8 s", "10 s"]);
    }

    #[test]
    fn the_variable_that_helps_is_named() {
        let url = Url::parse("https://a.example/v1/traces").unwrap();
        let of = |knobs| {
            let kind = ApiErrorKind::Certificate("unknown issuer".to_owned());
            ApiError::new(Asked::new("POST", &url, knobs), kind, 1).to_string()
        };
        assert!(
            of(Knobs::OTLP)
                .ends_with("OTEL_EXPORTER_OTLP_CERTIFICATE names a PEM file of further ones")
        );
        assert!(of(Knobs::PROJECT).contains("SSL_CERT_FILE"));
    }

    #[test]
    fn what_is_secret_in_an_address_is_not_shown() {
        for kind in [
            ApiErrorKind::Connect("refused".to_owned()),
            ApiErrorKind::Decode("empty".to_owned()),
            ApiErrorKind::Status(Refusal { status: 302, ..Refusal::default() }),
        ] {
            let text = shown(kind);
            assert!(!text.contains("pw") && !text.contains("t0ps3cret"), "{text}");
        }
    }

    #[test]
    fn a_foreign_text_is_short_and_holds_no_key() {
        assert_eq!(quote(" bad\nkey hh_abc ", &["hh_abc", "a", ""]), "bad⏎key ..");
        assert_eq!(quote(&"x".repeat(1000), &[]).chars().count(), 300);
    }
}
