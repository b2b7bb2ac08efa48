//! Sends HTTP requests, for the REST calls here and for the export of spans.
//!
//! Connections are kept alive, every wait has a limit, and errors that may pass are retried by one
//! policy. A redirect is not followed: it would carry keys to a server that the user did not name,
//! and turn a POST into a GET.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, Url};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ApiError, ApiErrorKind, Asked, Knobs, Refusal, quote};
use super::retry::{Retry, retry_after};
use super::tls;
use crate::config::{Proxies, printable};

/// The value of the `User-Agent` header.
pub(super) const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Returns whether an answer is a page for browsers, or XML.
pub(super) fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// The most bytes that an answer may have.
const LARGEST: usize = 64 << 20;

/// The most bytes that are read of a refusal.
const LARGEST_REFUSAL: usize = 64 << 10;

/// The time after which an unused connection is closed. Many servers close it at about that age,
/// too, and a request that is sent on it in that moment would be lost.
const IDLE: Duration = Duration::from_secs(30);

/// The most connections to a server that stay open without a request.
const MOST_IDLE: usize = 32;

/// The limits of a sender that the whole process shares.
const IDLE_SHARED: Duration = Duration::from_secs(5);
const MOST_IDLE_SHARED: usize = 8;

/// The most concurrent requests of a shared sender: to one server, and in all. Each has a
/// connection, and the file descriptors belong to the program.
const AT_ONCE_PER_SERVER: usize = 32;
const AT_ONCE: usize = 128;

/// A sender of requests. It is cheap to clone; clones share their connections.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    /// The reason why no server can be trusted, where that is so.
    distrust: Option<String>,
    /// The limits of concurrent requests, where there are any.
    limits: Option<Arc<Limits>>,
    /// The proxies that requests go through, for error texts.
    proxies: Arc<Proxies>,
}

/// The limits of concurrent requests.
struct Limits {
    all: Arc<Semaphore>,
    /// The limits by the origin of the server, so that a server that does not answer does not delay
    /// requests to others for long.
    servers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Limits {
    fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), servers: Mutex::default() }
    }

    /// Waits for a permit of the server, then for one of all servers.
    async fn place(&self, url: &Url) -> Option<[OwnedSemaphorePermit; 2]> {
        let origin = url.origin().ascii_serialization();
        let server = {
            let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(AT_ONCE_PER_SERVER));
            Arc::clone(servers.entry(origin).or_insert_with(new))
        };
        // The semaphores are never closed.
        let server = server.acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some([server, all])
    }
}

/// The last failure of requests that are still retried, for code that stops waiting for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<ApiError>>>);

impl Trouble {
    /// Returns the last failure, unless a request was answered since.
    pub(crate) fn last(&self) -> Option<ApiError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, error: Option<ApiError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// A request. It is not `Debug`, because addresses and bodies may contain secrets.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The headers; values that are keys are marked sensitive, and never shown.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The time limit of each try, from connecting to the last byte of the answer.
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) knobs: Knobs,
    /// The place where failed tries are noted, for code that needs them before the request ends.
    pub(crate) trouble: Option<Trouble>,
}

impl Outgoing {
    /// Returns the description of the request for error texts.
    pub(super) fn asked(&self) -> Asked {
        Asked::new(self.method.as_str(), &self.url, self.knobs)
    }
}

/// An answer with a status from 200 to 299.
#[derive(Clone)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    /// The value of `Content-Type` in lower case, without parameters; empty where there is none.
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Http {
    /// Creates a sender with connections of its own. `certificates` names a PEM file of authorities
    /// to trust beside those of the machine.
    ///
    /// # Errors
    /// Returns an error when the file cannot be used.
    pub(crate) fn new(connect: Duration, certificates: Option<&Path>) -> Result<Self, ApiError> {
        Self::with_pool(connect, certificates, (MOST_IDLE, IDLE), None)
    }

    /// Creates a sender that many keys share: concurrent requests and idle connections are limited,
    /// however many clients send with it.
    ///
    /// # Errors
    /// Returns the same errors as [`Http::new`].
    pub(crate) fn shared(connect: Duration) -> Result<Self, ApiError> {
        let limits = Some(Arc::new(Limits::new()));
        Self::with_pool(connect, None, (MOST_IDLE_SHARED, IDLE_SHARED), limits)
    }

    fn with_pool(
        connect: Duration,
        certificates: Option<&Path>,
        (most_idle, idle): (usize, Duration),
        limits: Option<Arc<Limits>>,
    ) -> Result<Self, ApiError> {
        let fail = |text| ApiError::early(ApiErrorKind::Certificate(text));
        let (tls, distrust) = tls::config(certificates).map_err(fail)?;
        let builder = Client::builder()
            .http1_only()
            .tls_backend_preconfigured(tls)
            .connect_timeout(connect)
            .pool_idle_timeout(idle)
            .pool_max_idle_per_host(most_idle)
            .redirect(reqwest::redirect::Policy::none())
            // The retries of this module are enough; for its own, the library would copy each
            // request beforehand.
            .retry(reqwest::retry::never().max_retries_per_request(0));
        // A proxy of the developer must not come between a test and its server.
        #[cfg(test)]
        let builder = builder.no_proxy();
        let proxies = if cfg!(test) { Proxies::default() } else { Proxies::from_env() };
        let client = builder.build().map_err(|error| fail(cause(&error)))?;
        Ok(Self { client, distrust, limits, proxies: Arc::new(proxies) })
    }

    /// Sends a request until it is answered or not worth another try.
    ///
    /// # Errors
    /// Returns an error for anything but an answer with a status from 200 to 299.
    pub(crate) async fn send(&self, request: &Outgoing) -> Result<Incoming, ApiError> {
        // The client would panic without a runtime.
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(ApiError::new(request.asked(), ApiErrorKind::NoRuntime, 0));
        }
        let host = request.url.host_str().unwrap_or_default();
        let asked = || request.asked().through(self.proxies.of(request.url.scheme(), host));
        if let (Some(fault), "https") = (&self.distrust, request.url.scheme()) {
            return Err(ApiError::new(
                request.asked(),
                ApiErrorKind::Certificate(fault.clone()),
                0,
            ));
        }
        let mut tries = 0;
        let mut before: Option<ApiErrorKind> = None;
        loop {
            tries += 1;
            let mut kind = match self.once(request).await {
                Ok(answer) => {
                    request.trouble.iter().for_each(|trouble| trouble.note(None));
                    return Ok(answer);
                }
                Err(kind) => kind,
            };
            // If a deadline cut this try short, the error of the try before says more.
            if let ApiErrorKind::Timeout(limit) = kind
                && limit < request.timeout
                && let Some(before) = before.take()
            {
                tries -= 1;
                kind = before;
            }
            let pause = request.retry.pause(tries, &kind);
            if let Some(trouble) = &request.trouble {
                trouble.note(Some(ApiError::new(asked(), kind.clone(), tries)));
            }
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(ApiError::new(asked(), kind, tries)),
            }
            before = Some(kind);
        }
    }

    async fn once(&self, request: &Outgoing) -> Result<Incoming, ApiErrorKind> {
        let left = request.retry.left();
        let place = async {
            match &self.limits {
                Some(limits) => limits.place(&request.url).await,
                None => None,
            }
        };
        // The wait for a permit must not count as time of the server.
        let _place = match left {
            None => place.await,
            Some(left) => tokio::time::timeout(left, place)
                .await
                .map_err(|_| ApiErrorKind::Timeout(left.min(request.timeout)))?,
        };
        let limit = request.retry.left().map_or(request.timeout, |left| left.min(request.timeout));
        let exchange = async {
            let built = self.client.request(request.method.clone(), request.url.clone());
            let built = built.body(request.body.clone()).build();
            let mut built = built.map_err(|error| kind_of(&error))?;
            let own = std::mem::replace(built.headers_mut(), request.headers.clone());
            // This is the header of a password in the address.
            for (name, value) in &own {
                built.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            let response = self.client.execute(built).await.map_err(|error| kind_of(&error))?;
            let status = response.status().as_u16();
            if response.status().is_success() {
                let content_type = content_type(response.headers());
                Ok(Incoming { status, content_type, body: whole(response, LARGEST).await? })
            } else {
                Err(refusal(response, &secrets(&request.headers)).await)
            }
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(ApiErrorKind::Timeout(limit)))
    }
}

/// Returns the content type of an answer, in lower case and without parameters.
fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads the whole body of an answer.
async fn whole(mut response: Response, largest: usize) -> Result<Bytes, ApiErrorKind> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind_of(&error))? {
        if body.len() + chunk.len() > largest {
            return Err(ApiErrorKind::TooLarge(largest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Returns the kind of an error that ended an exchange.
fn kind_of(error: &reqwest::Error) -> ApiErrorKind {
    let text = cause(error);
    if distrusts(error) {
        ApiErrorKind::Certificate(text)
    } else if error.is_connect() && error.is_timeout() {
        ApiErrorKind::Connect("it took too long".to_owned())
    } else if error.is_connect() {
        ApiErrorKind::Connect(text)
    } else if error.is_builder() {
        ApiErrorKind::Address(text)
    } else {
        ApiErrorKind::Broken(text)
    }
}

/// Returns the innermost text of an error: the outer ones say "error sending request", and the
/// address with its query.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    if inner.is::<reqwest::Error>() {
        return "the request could not be made".to_owned();
    }
    let text = inner.to_string();
    // This is what `openssl req -x509` makes without further options; rustls says no more than its
    // name.
    if text.contains("CaUsedAsEndEntity") {
        return "its certificate is that of an authority (`CA:TRUE`), which no server may show; \
                make one with `openssl req -x509 -addext basicConstraints=critical,CA:FALSE`"
            .to_owned();
    }
    quote(&text, &[])
}

/// Returns whether the server's certificate was refused, which no further try fixes.
fn distrusts(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    // An I/O error does not return the error that it wraps as its source.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|inner| distrusts(inner)) || error.source().is_some_and(distrusts)
}

/// Returns the keys in the headers of a request, since a server may repeat them in its answer.
fn secrets(headers: &HeaderMap) -> Vec<String> {
    let keys = headers.values().filter(|value| value.is_sensitive());
    // The key of `Bearer key` is added alone as well.
    keys.filter_map(|value| value.to_str().ok())
        .flat_map(|value| [Some(value), value.split(' ').next_back()])
        .flatten()
        .map(str::to_owned)
        .collect()
}

/// Returns the error for an answer with another status.
async fn refusal(response: Response, secrets: &[String]) -> ApiErrorKind {
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let header = |name: &str| headers.get(name).map(HeaderValue::to_str).and_then(Result::ok);
    // An error of reading the body does not matter beside the status.
    let body = whole(response, LARGEST_REFUSAL).await.unwrap_or_default();
    let (message, code) = explain(&body);
    let quoted = |text: String| Some(quote(&text, &secrets)).filter(|text| !text.is_empty());
    let ids = ["x-request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];
    ApiErrorKind::Status(Refusal {
        status,
        message: message.and_then(quoted),
        code: code.and_then(quoted),
        request_id: ids.iter().find_map(|name| quoted(header(name)?.to_owned())),
        retry_after: header(RETRY_AFTER.as_str())
            .and_then(|value| retry_after(value, SystemTime::now())),
        location: header(LOCATION.as_str()).and_then(|value| {
            let end = value.find(['?', '#']).unwrap_or(value.len());
            quoted(printable(&value[..end]))
        }),
    })
}

/// Returns the message and the code in the body of a refusal.
fn explain(body: &[u8]) -> (Option<String>, Option<String>) {
    let text = String::from_utf8_lossy(body);
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return match text.trim_start() {
            "" => (None, None),
            page if page.starts_with('<') => (Some("a page for browsers".to_owned()), None),
            _ => (Some(text.into_owned()), None),
        };
    };
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    // The message may be in `{"message": ".."}`, `{"error": ".."}` or
    // `{"error": {"message": ".."}}`.
    let places = [&value, &value["error"]];
    let find = |names: &[&str]| {
        places.iter().find_map(|place| names.iter().find_map(|name| plain(&place[*name])))
    };
    let message = find(&["message", "error", "detail", "title"]);
    let message = message.or_else(|| match &value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    (message, find(&["errorCode", "error_code", "code"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_explain_themselves_in_many_ways() {
        let read = |body: &str| {
            let (message, code) = explain(body.as_bytes());
            (message.unwrap_or_default(), code.unwrap_or_default())
        };
        let pair = |message: &str, code: &str| (message.to_owned(), code.to_owned());
        assert_eq!(read(r#"{"message": "no", "errorCode": "E7"}"#), pair("no", "E7"));
        assert_eq!(read(r#"{"error": "no"}"#), pair("no", ""));
        assert_eq!(read(r#"{"error": {"message": "no", "code": 12}}"#), pair("no", "12"));
        assert_eq!(read(r#"["no"]"#), pair(r#"["no"]"#, ""));
        assert_eq!(read("no such host"), pair("no such host", ""));
        assert_eq!(read("<html><h1>502</h1>"), pair("a page for browsers", ""));
        assert_eq!(read(""), pair("", ""));
    }

    #[test]
    fn keys_are_found_in_headers_that_are_sensitive() {
        let mut key = HeaderValue::from_static("Bearer hh_key");
        key.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", key);
        headers.insert("accept", HeaderValue::from_static("application/json"));
        assert_eq!(secrets(&headers), ["Bearer hh_key", "hh_key"]);
    }
}
