//! Sends spans to HoneyHive and to any other receiver of OTLP over HTTP.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};
use serde_json::Value;

use super::error::{ApiError, ApiErrorKind, Knobs};
use super::http::{AGENT, Http, Incoming, Outgoing, Trouble, is_page};
use super::outlook::Outlook;
use super::retry::Retry;
use crate::config::{OtlpTarget, Protocol};
use crate::ids::short_hash;
use crate::text::{count, one_line};

/// The number of tries of a request to a receiver other than HoneyHive, the first one included.
const TRIES: u32 = 4;

/// The time after which all tries of such a request together end.
const LONGEST: Duration = Duration::from_secs(90);

/// The spans that a receiver rejected, with its reason. They must not be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) spans: usize,
    pub(crate) why: String,
}

/// A receiver of spans that is not HoneyHive.
#[derive(Clone)]
pub(crate) struct OtlpReceiver {
    http: Http,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    protocol: Protocol,
    fingerprint: String,
    replies: Arc<Replies>,
    until: Option<Instant>,
    trouble: Option<Trouble>,
}

// `Debug` is not derived, because headers may hold keys.
impl fmt::Debug for OtlpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpReceiver").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl OtlpReceiver {
    /// Creates a receiver from its settings.
    ///
    /// # Errors
    /// Returns an error when its address, its headers or its certificates cannot be used.
    pub(crate) fn new(target: &OtlpTarget) -> Result<Self, ApiError> {
        let url = Url::parse(&target.url).map_err(|error| {
            let text = format!("OTEL_EXPORTER_OTLP_ENDPOINT={}: {error}", target.printable());
            ApiError::early(ApiErrorKind::Address(text))
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in &target.headers {
            let pair = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_str(value.expose()).ok());
            let Some((name, mut value)) = pair else {
                let text = format!("OTEL_EXPORTER_OTLP_HEADERS: `{name}` is no header");
                return Err(ApiError::early(ApiErrorKind::Settings(text)));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let http = Http::new(target.timeout, target.certificate.as_deref());
        let http = http.map_err(|error| match error.kind() {
            ApiErrorKind::Certificate(text) => {
                let text = format!("{}: {text}", Knobs::OTLP.certificate);
                ApiError::early(ApiErrorKind::Settings(text))
            }
            _ => error,
        })?;
        let mut settings = vec![target.url.as_str(), target.protocol.name()];
        settings.extend(target.headers.iter().flat_map(|(name, value)| [&**name, value.expose()]));
        // A file with other certificates counts as another setting, whatever its name is.
        let trusted = target.certificate.as_ref().and_then(|path| std::fs::read(path).ok());
        let trusted = trusted.map(|bytes| short_hash(&bytes, 16)).unwrap_or_default();
        settings.push(&trusted);
        Ok(Self {
            fingerprint: fingerprint(&settings),
            http,
            url,
            headers,
            timeout: target.timeout,
            protocol: target.protocol,
            replies: Arc::default(),
            until: None,
            trouble: None,
        })
    }

    /// Returns the receiver, with each request ending at `deadline` at the latest.
    pub(crate) fn until(&self, deadline: Instant) -> Self {
        Self { until: Some(deadline), ..self.clone() }
    }

    /// Returns the receiver with a place where failed tries are noted.
    pub(crate) fn watched(self, trouble: Trouble) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns a digest of the settings that decide whether the receiver accepts data.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Sends encoded spans; returns those that the receiver rejected.
    pub(crate) async fn send(
        &self,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Option<Rejected>, ApiError> {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let longest = Instant::now() + LONGEST;
        let until = Some(self.until.map_or(longest, |until| until.min(longest)));
        let request = Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body: body.into(),
            timeout: self.timeout,
            retry: Retry { tries: TRIES, until, repeatable: true },
            knobs: Knobs::OTLP,
            trouble: self.trouble.clone(),
        };
        deliver(&self.http, request, &self.replies).await
    }
}

/// Returns a digest of settings; keys cannot be read out of it.
pub(super) fn fingerprint(settings: &[&str]) -> String {
    let text = format!("settings of a destination\0{}", settings.join("\0"));
    short_hash(text.as_bytes(), 16)
}

/// The state of what is known about the answers of a receiver.
///
/// A receiver must answer with an `ExportTraceServiceResponse`, and say so in the content type.
/// Some real receivers answer 200 and nothing else; a proxy, or a network with a log-in page, can
/// do that, too, and accepts nothing.
#[derive(Debug, Default)]
pub(super) struct Replies(AtomicU8);

impl Replies {
    /// The state in which no answer was blank.
    const PROPER: u8 = 0;
    /// The state after one blank answer: whether it came from the receiver or from a proxy could
    /// not be found out.
    const DOUBTFUL: u8 = 1;
    /// The state in which the receiver itself is known to give blank answers.
    const BLANK: u8 = 2;

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

/// The meaning of an answer with a status from 200 to 299.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    /// The spans were accepted, except for these.
    Taken(Option<Rejected>),
    /// The answer does not show whether it comes from a receiver.
    Blank,
    /// The answer is a page for browsers.
    Foreign,
}

fn read(answer: &Incoming) -> Reply {
    if is_page(&answer.body) || answer.content_type == "text/html" {
        return Reply::Foreign;
    }
    let is_json = answer.content_type.ends_with("json");
    if is_json || answer.body.trim_ascii_start().starts_with(b"{") {
        // Any JSON object counts as the answer of a receiver, whatever its fields.
        return match serde_json::from_slice::<Value>(&answer.body) {
            Ok(Value::Object(response)) => {
                Reply::Taken(response.get("partialSuccess").and_then(rejected_json))
            }
            _ => Reply::Blank,
        };
    }
    if answer.body.is_empty() && !answer.content_type.contains("protobuf") {
        return Reply::Blank;
    }
    match ExportTraceServiceResponse::decode(answer.body.clone()) {
        Ok(response) => Reply::Taken(
            response
                .partial_success
                .and_then(|partial| rejected(partial.rejected_spans, &partial.error_message)),
        ),
        Err(_) => Reply::Blank,
    }
}

/// Reads a partial success in JSON. Whole numbers of 64 bits are texts in the JSON of protobuf;
/// some receivers do not follow that.
fn rejected_json(partial: &Value) -> Option<Rejected> {
    let spans = match partial.get("rejectedSpans")? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    let message = partial.get("errorMessage").and_then(Value::as_str);
    rejected(spans, message.unwrap_or_default())
}

fn rejected(spans: i64, message: &str) -> Option<Rejected> {
    let spans = usize::try_from(spans).ok().filter(|count| *count > 0)?;
    let mut why = format!("{} rejected", count(spans, "span"));
    if !message.is_empty() {
        why.push_str(&format!(": {}", one_line(message, 200)));
    }
    Some(Rejected { spans, why })
}

/// Sends spans, and makes sure that a receiver answered.
pub(super) async fn deliver(
    http: &Http,
    request: Outgoing,
    replies: &Replies,
) -> Result<Option<Rejected>, ApiError> {
    let answer = http.send(&request).await?;
    let text = match read(&answer) {
        Reply::Taken(rejected) => return Ok(rejected),
        Reply::Foreign => "a page for browsers",
        Reply::Blank if replies.get() == Replies::BLANK => return Ok(None),
        Reply::Blank if is_blank_receiver(http, &request, replies).await => {
            replies.set(Replies::BLANK);
            return Ok(None);
        }
        Reply::Blank => "an answer that no receiver of spans gives",
    };
    let kind = ApiErrorKind::Decode(format!("{} with {text}", answer.status));
    Err(ApiError::new(request.asked(), kind, 1))
}

/// Returns whether a receiver that answers 200 and nothing else is there: it refuses a body that is
/// not spans, and answers to zero spans as it does to some.
async fn is_blank_receiver(http: &Http, request: &Outgoing, replies: &Replies) -> bool {
    let ask = |body: &'static [u8]| {
        let body = Bytes::from_static(body);
        Outgoing { body, retry: Retry::never(), trouble: None, ..request.clone() }
    };
    match http.send(&ask(b"neither protobuf nor JSON")).await {
        // The server accepts anything.
        Ok(_) => return false,
        Err(error) => match error.kind() {
            ApiErrorKind::Broken(_) => {}
            ApiErrorKind::Status(refusal) if refusal.status >= 400 => {}
            _ => return false,
        },
    }
    let json = request.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let none: &'static [u8] = if json { br#"{"resourceSpans":[]}"# } else { b"" };
    match http.send(&ask(none)).await {
        Ok(answer) => read(&answer) == Reply::Blank,
        // The server examines the body. If that happens a second time, the blank answers are its
        // own.
        Err(error) if error.outlook() == Outlook::Content => {
            let before = replies.get();
            replies.set(Replies::DOUBTFUL);
            before != Replies::PROPER
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(content_type: &str, body: &[u8]) -> Reply {
        let content_type = content_type.to_owned();
        read(&Incoming { status: 200, content_type, body: Bytes::copy_from_slice(body) })
    }

    #[test]
    fn a_receiver_is_told_from_what_answers_anything() {
        let taken = Reply::Taken(None);
        assert_eq!(reply("application/x-protobuf", b""), taken);
        assert_eq!(reply("application/json", b"{}"), taken);
        assert_eq!(reply("application/json", br#"{"partialSuccess":{}}"#), taken);
        assert_eq!(reply("application/json", br#"{"success":true}"#), taken);
        for (content_type, body) in [
            ("", &b""[..]),
            ("text/plain", b"OK"),
            ("application/json", b""),
            ("application/json", b"null"),
            ("application/json", b"[]"),
            ("application/x-protobuf", b"OK"),
        ] {
            assert_eq!(reply(content_type, body), Reply::Blank, "{content_type} {body:?}");
        }
        assert_eq!(reply("", b" <!doctype html>"), Reply::Foreign);
        assert_eq!(reply("text/html", b""), Reply::Foreign);
    }

    #[test]
    fn what_was_rejected_is_counted() {
        use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
        let partial =
            ExportTracePartialSuccess { rejected_spans: 3, error_message: "too\nold".to_owned() };
        let response = ExportTraceServiceResponse { partial_success: Some(partial) };
        let why = "3 spans rejected: too⏎old".to_owned();
        let expected = Reply::Taken(Some(Rejected { spans: 3, why }));
        assert_eq!(reply("application/x-protobuf", &response.encode_to_vec()), expected);
        let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too\nold"}}"#;
        assert_eq!(reply("application/json", json), expected);
    }

    #[test]
    fn other_settings_have_another_fingerprint() {
        let mut target = OtlpTarget::new("http://localhost:4318/v1/traces".to_owned());
        let of = |target: &OtlpTarget| OtlpReceiver::new(target).unwrap().fingerprint;
        let first = of(&target);
        assert_eq!(first, of(&target));
        target.protocol = Protocol::Json;
        let json = of(&target);
        target.add_header("x-key".to_owned(), "secret-4711");
        let with_key = of(&target);
        assert!(first != json && json != with_key && !with_key.contains("4711"));
    }
}
