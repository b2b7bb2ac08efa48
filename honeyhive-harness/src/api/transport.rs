//! Holds what every call of HoneyHive's API needs: the connections, the keys, the time limits.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::Url;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};

use super::error::{ApiError, ApiErrorKind};
use super::http::{AGENT, Http, Trouble};
use super::otlp::{Replies, fingerprint};
use crate::config::{
    Connection, Family, NO_INGESTION_KEY, Secret, is_header, is_ingestion_key, printable, server,
};

/// The headers that identify this client, on every request to HoneyHive.
const IDENTITY: [(&str, &str); 3] = [
    ("hh-client-version", env!("CARGO_PKG_VERSION")),
    ("hh-client-language", "rust"),
    ("hh-client-package", env!("CARGO_PKG_NAME")),
];

/// The header with the time when a call began, in nanoseconds since 1970.
pub(super) const TIMESTAMP: HeaderName = HeaderName::from_static("hh-client-timestamp");

/// The sender of the calls of a client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub(super) struct Transport {
    inner: Arc<Inner>,
    until: Option<Instant>,
    trouble: Option<Trouble>,
}

struct Inner {
    http: Http,
    server: Url,
    /// The headers that are the same in all calls.
    headers: HeaderMap,
    project: Key,
    ingestion: Option<Key>,
    timeout: Duration,
    retries: u32,
    family: Family,
    clock: Clock,
    /// The state of how the server answers to spans; see [`Replies`].
    replies: Replies,
}

struct Key {
    secret: Secret,
    header: HeaderValue,
}

impl Key {
    fn new(name: &str, secret: &Secret) -> Result<Self, ApiError> {
        let header = HeaderValue::from_str(&format!("Bearer {}", secret.expose())).ok();
        let mut header = header.filter(|_| is_header(secret.expose())).ok_or_else(|| {
            let text = format!("{name}: has characters that no key has (its value is not shown)");
            ApiError::early(ApiErrorKind::BadKey(text))
        })?;
        header.set_sensitive(true);
        Ok(Self { secret: secret.clone(), header })
    }
}

/// A clock of the time of day that never goes back.
struct Clock {
    anchor: Duration,
    since: Instant,
}

impl Clock {
    fn new() -> Self {
        let anchor = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { anchor, since: Instant::now() }
    }

    fn nanos(&self) -> u128 {
        (self.anchor + self.since.elapsed()).as_nanos()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("server", &printable(self.inner.server.as_str()))
            .field("family", &self.inner.family)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Creates a transport for a connection, over the HTTP client that `http` returns.
    ///
    /// # Errors
    /// Returns an error when there is no key, or when a key or the address is invalid.
    pub(super) fn new(
        connection: &Connection,
        http: impl FnOnce() -> Result<Http, ApiError>,
    ) -> Result<Self, ApiError> {
        let Some(key) = &connection.api_key else {
            return Err(ApiError::early(ApiErrorKind::NoKey));
        };
        let project = Key::new("HH_API_KEY", key)?;
        let ingestion = match &connection.ingestion_key {
            Some(key) if !is_ingestion_key(key.expose()) => {
                let text = format!("HH_INGESTION_API_KEY: {NO_INGESTION_KEY}");
                return Err(ApiError::early(ApiErrorKind::BadKey(text)));
            }
            Some(key) => Some(Key::new("HH_INGESTION_API_KEY", key)?),
            None => None,
        };
        let address = server(&connection.server).map_err(str::to_owned);
        let server = address
            .and_then(|text| Url::parse(&text).map_err(|error| error.to_string()))
            .map_err(|fault| {
                let shown = printable(&connection.server);
                ApiError::early(ApiErrorKind::Address(format!("HH_API_URL={shown}: {fault}")))
            })?;
        let http = http()?;
        let inner = Inner {
            http,
            server,
            headers: headers(&project),
            project,
            ingestion,
            timeout: connection.timeout,
            retries: connection.retries,
            family: connection.family,
            clock: Clock::new(),
            replies: Replies::default(),
        };
        Ok(Self { inner: Arc::new(inner), until: None, trouble: None })
    }

    /// Returns the transport with a deadline: each call ends at `deadline` at the latest.
    pub(super) fn until(&self, deadline: Instant) -> Self {
        Self { until: Some(deadline), ..self.clone() }
    }

    /// Returns the transport with a place where failed tries are noted.
    pub(super) fn watched(self, trouble: Trouble) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    pub(super) fn server(&self) -> &Url {
        &self.inner.server
    }

    /// Returns the HTTP client, whose connections other senders to HoneyHive share.
    pub(super) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(super) fn family(&self) -> Family {
        self.inner.family
    }

    pub(super) fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    pub(super) fn retries(&self) -> u32 {
        self.inner.retries
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until
    }

    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    pub(super) fn replies(&self) -> &Replies {
        &self.inner.replies
    }

    /// Returns a digest of the settings that decide whether a server accepts data.
    pub(super) fn fingerprint(&self, protocol: &str) -> String {
        let keys = self.secrets().join(" ");
        fingerprint(&[self.inner.server.as_str(), &keys, protocol, self.inner.family.name()])
    }

    pub(super) fn ingestion_key(&self) -> Option<&HeaderValue> {
        self.inner.ingestion.as_ref().map(|key| &key.header)
    }

    /// Returns the keys, which no text may show.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let keys = [Some(&self.inner.project), self.inner.ingestion.as_ref()];
        keys.into_iter().flatten().map(|key| key.secret.expose()).collect()
    }

    /// Returns the headers of a call that begins now, with the project's key.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = self.inner.headers.clone();
        if let Ok(now) = HeaderValue::from_str(&self.inner.clock.nanos().to_string()) {
            headers.insert(TIMESTAMP, now);
        }
        headers
    }
}

fn headers(project: &Key) -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, project.header.clone());
    headers.insert(CONTENT_TYPE, json.clone());
    headers.insert(ACCEPT, json);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in IDENTITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_back() {
        let clock = Clock::new();
        let times: Vec<u128> = (0..1000).map(|_| clock.nanos()).collect();
        assert!(times.is_sorted());
        assert!(times[0] > 1_600_000_000_000_000_000, "{}", times[0]);
    }
}
