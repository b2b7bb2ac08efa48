//! Defines the errors of requests, with texts that say what to do.
//!
//! A text says what was requested, what the answer was, and what to do. It contains no keys, query
//! strings or passwords of addresses, whatever the server or a library puts into its own text.

use std::fmt;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::text::{one_line, seconds};

/// The number of columns that the message of a server is cut to.
const LONGEST_MESSAGE: usize = 300;

/// The reason why a request got no usable answer.
///
/// An error is cheap to clone. `Display` is one line, such as
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

/// The kind of an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// No key was given; nothing was sent.
    #[error("there is no API key: set HH_API_KEY, or give one to `HoneyHive::builder()`")]
    NoKey,
    /// A key is invalid; nothing was sent. The text names the setting, not the key.
    #[error("{0}")]
    BadKey(String),
    /// The settings of the environment cannot be understood; nothing was sent.
    #[error("{0}")]
    Settings(String),
    /// No request can be sent to the address or id; nothing was sent.
    #[error("{0}")]
    Address(String),
    /// The request has no JSON form; nothing was sent.
    #[error("the request has no JSON form: {0}")]
    Encode(String),
    /// There is no tokio runtime to send with; nothing was sent.
    #[error("requests need a tokio runtime, and there is none here")]
    NoRuntime,
    /// TLS failed: there are no trusted certificates on this machine, or that of the server is not
    /// trusted.
    #[error("no trusted connection: {0}")]
    Certificate(String),
    /// The connection failed: no server listens, the name is unknown, the network is down.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke before the answer was complete.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer was not complete within this time.
    #[error("no complete answer within {}", rounded(*.0))]
    Timeout(Duration),
    /// The status of the answer is not 200 to 299.
    #[error("{0}")]
    Status(Refusal),
    /// The answer is not what was requested.
    #[error("the answer is not understood: {0}")]
    Decode(String),
    /// The answer has more than this many bytes.
    #[error("the answer has more than {} MiB", .0 >> 20)]
    TooLarge(usize),
}

/// The answer of a server that refused a request.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status, such as 401.
    pub status: u16,
    /// The message of the server: one line of at most 300 columns.
    pub message: Option<String>,
    /// The server's own code of the error.
    pub code: Option<String>,
    /// The server's id of the request, for its support.
    pub request_id: Option<String>,
    /// The time that the server asks the client to wait.
    pub retry_after: Option<Duration>,
    /// The address that the server redirects to; nothing is sent there.
    pub location: Option<String>,
}

/// The names of the settings that may fix a failed request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knobs {
    pub(crate) key: &'static str,
    pub(crate) address: &'static str,
    pub(crate) timeout: &'static str,
    /// The setting that names a file of trusted certificates.
    pub(crate) certificate: &'static str,
}

impl Knobs {
    /// The settings of requests with the project's key.
    pub(crate) const PROJECT: Self = Self {
        key: "HH_API_KEY",
        address: "HH_API_URL",
        timeout: "HH_API_TIMEOUT",
        certificate: "SSL_CERT_FILE",
    };

    /// The settings of a receiver of spans that is not HoneyHive.
    pub(crate) const OTLP: Self = Self {
        key: "OTEL_EXPORTER_OTLP_HEADERS",
        address: "OTEL_EXPORTER_OTLP_ENDPOINT",
        timeout: "OTEL_EXPORTER_OTLP_TIMEOUT",
        certificate: "OTEL_EXPORTER_OTLP_CERTIFICATE",
    };

    /// The settings of requests with an ingestion key.
    pub(crate) const INGESTION: Self = Self { key: "HH_INGESTION_API_KEY", ..Self::PROJECT };
}

/// The request in an error text, without anything secret.
#[derive(Clone)]
pub(super) struct Asked {
    /// The method and path: `POST /v1/runs`.
    what: String,
    /// The origin of the server: `https://api.example.com`.
    server: String,
    knobs: Knobs,
    /// The variable that names the proxy in between, if there is one.
    proxy: Option<&'static str>,
}

impl Asked {
    pub(super) fn new(method: &str, url: &Url, knobs: Knobs) -> Self {
        // The origin has no user and no password, the path no query.
        let server = url.origin().ascii_serialization();
        Self { what: format!("{method} {}", one_line(url.path(), 200)), server, knobs, proxy: None }
    }

    /// Adds the variable that names the proxy which the request goes through.
    pub(super) fn through(self, proxy: Option<&'static str>) -> Self {
        Self { proxy, ..self }
    }

    /// Returns the variable of a proxy that can answer in place of the server: one that does not
    /// merely pass on encrypted bytes.
    fn answering(&self) -> Option<&'static str> {
        self.proxy.filter(|_| self.server.starts_with("http://"))
    }
}

impl ApiError {
    /// Creates an error that occurred before any request.
    pub(crate) fn early(kind: ApiErrorKind) -> Self {
        Self(Box::new(Inner { asked: None, kind, tries: 0 }))
    }

    pub(super) fn new(asked: Asked, kind: ApiErrorKind, tries: u32) -> Self {
        Self(Box::new(Inner { asked: Some(asked), kind, tries }))
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> &ApiErrorKind {
        &self.0.kind
    }

    /// Returns the HTTP status, where the server refused the request.
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            ApiErrorKind::Status(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// Returns the time that the server asks the client to wait, where it sent one.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            ApiErrorKind::Status(refusal) => refusal.retry_after,
            _ => None,
        }
    }
}

impl std::error::Error for ApiError {}

// `Debug` is not derived: the one line of `Display` says all there is, while a struct in the output of
// `unwrap` hides it.
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

/// Formats a time limit without needless digits: the time left until a deadline has many.
fn rounded(limit: Duration) -> String {
    let millis = limit.as_millis();
    match millis {
        0..10 => "10 ms".to_owned(),
        10..1000 => seconds((millis / 10 * 10) as f64 / 1000.0),
        _ => seconds((millis / 100) as f64 / 10.0),
    }
}

/// Returns the advice about what to do.
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
        ApiErrorKind::Connect(_) => match asked.proxy {
            Some(proxy) => format!(
                "Is {server} the right {address}, and is the proxy up that {proxy} names, and open to \
                 this server?"
            ),
            None => format!("Is {server} up, and is it the right {address}?"),
        },
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
                "Check {key}, and that the key belongs to this server ({server}) and project{}",
                match asked.answering() {
                    Some(proxy) => format!("; or did the proxy of {proxy} answer?"),
                    None => String::new(),
                }
            ),
            407 => format!(
                "The proxy wants other credentials, not the server: correct them in {} \
                 (http://user:password@host:port)",
                asked.proxy.unwrap_or("HTTP_PROXY")
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
            500.. => match asked.answering() {
                Some(proxy) => {
                    format!(
                        "The fault is the server's, or that of the proxy of {proxy}; try again later"
                    )
                }
                None => "The fault is the server's; try again later".to_owned(),
            },
            _ => return None,
        },
        _ => return None,
    })
}

/// Returns a text of a server as part of an error: without secrets, on one line, not too long.
pub(super) fn quote(text: &str, secrets: &[&str]) -> String {
    // Shorter texts are not keys, and replacing them would hide ordinary words.
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
    fn a_proxy_in_between_is_named() {
        let said = |server: &str, kind: ApiErrorKind| {
            let asked = Asked::new("POST", &Url::parse(server).unwrap(), Knobs::PROJECT);
            ApiError::new(asked.through(Some("ALL_PROXY")), kind, 1).to_string()
        };
        let status = |status| ApiErrorKind::Status(Refusal { status, ..Refusal::default() });
        let text = said("http://a.example/v1", status(407));
        assert!(text.contains("The proxy wants other credentials, not the server"), "{text}");
        assert!(
            text.contains("correct them in ALL_PROXY") && !text.contains("HH_API_KEY"),
            "{text}"
        );
        let down = || ApiErrorKind::Connect("refused".to_owned());
        assert!(said("https://a.example/v1", down()).contains("the proxy up that ALL_PROXY names"));
        for code in [401, 502] {
            let proxy = "proxy of ALL_PROXY";
            assert!(said("http://a.example/v1", status(code)).contains(proxy), "{code}");
            // Of an encrypted answer, the proxy cannot be the author.
            assert!(!said("https://a.example/v1", status(code)).contains(proxy), "{code}");
        }
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
