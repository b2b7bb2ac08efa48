//! Sending spans, to HoneyHive and to any other receiver of OTLP over HTTP.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Url};

use super::client::{AGENT, HoneyHive};
use super::error::{ApiError, ApiErrorKind, Knobs};
use super::http::{Http, Outgoing};
use super::retry::Retry;
use crate::config::{OtlpTarget, Protocol};

/// Tries of a request to a receiver that is not HoneyHive's, the first one included.
const TRIES: u32 = 4;

/// Spans take so many times longer than other requests.
const LONGER: u32 = 3;

impl HoneyHive {
    /// The server's address, without a password.
    pub(crate) fn address(&self) -> String {
        crate::config::printable(self.server().as_str().trim_end_matches('/'))
    }

    /// Sends encoded spans; what the server answers to them.
    pub(crate) async fn send_spans(
        &self,
        content_type: &'static str,
        body: Vec<u8>,
        source: &str,
    ) -> Result<Bytes, ApiError> {
        let call = self.call(Method::POST, &["opentelemetry", "v1", "traces"]).ingest();
        let call = call.repeatable(true).spans(content_type, source, body.into());
        call.timeout(self.timeout().saturating_mul(LONGER)).bytes().await
    }
}

/// A receiver of spans that is not HoneyHive.
#[derive(Clone)]
pub(crate) struct OtlpReceiver {
    http: Http,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    protocol: Protocol,
}

// Not derived: headers may hold keys.
impl fmt::Debug for OtlpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpReceiver").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl OtlpReceiver {
    /// # Errors
    /// When its address, its headers or its certificates cannot be used.
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
        let http = Http::new(target.timeout, target.certificate.as_deref())?;
        Ok(Self { http, url, headers, timeout: target.timeout, protocol: target.protocol })
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Sends encoded spans; what the receiver answers to them.
    pub(crate) async fn send(
        &self,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Bytes, ApiError> {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let request = Outgoing {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body: body.into(),
            timeout: self.timeout,
            retry: Retry { tries: TRIES, until: None, repeatable: true },
            knobs: Knobs::OTLP,
        };
        Ok(self.http.send(&request).await?.body)
    }
}
