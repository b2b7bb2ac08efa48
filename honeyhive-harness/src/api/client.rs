//! Defines the client of HoneyHive's API.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use reqwest::{Method, Url};

use super::call::Call;
use super::error::{ApiError, ApiErrorKind};
use super::http::{Http, Trouble};
use super::otlp::{Replies, fingerprint};
use super::{Datapoints, Datasets, Events, HoneyHiveBuilder, Runs, Sessions};
use crate::config::{
    Connection, Family, NO_INGESTION_KEY, Secret, is_header, is_ingestion_key, printable, server,
};

/// The headers that identify this client, on every request to HoneyHive.
pub(crate) const IDENTITY: [(&str, &str); 3] = [
    ("hh-client-version", env!("CARGO_PKG_VERSION")),
    ("hh-client-language", "rust"),
    ("hh-client-package", env!("CARGO_PKG_NAME")),
];

/// The header with the time when a call began, in nanoseconds since 1970.
pub(super) const TIMESTAMP: HeaderName = HeaderName::from_static("hh-client-timestamp");

/// The time limit of connecting; an available server accepts much sooner.
const CONNECT: Duration = Duration::from_secs(10);

/// A client of HoneyHive's API.
///
/// It is cheap to clone; clones share their connections. All calls need a tokio runtime, can be
/// cancelled safely (`tokio::time::timeout`, `select!`), and end: each try after
/// [`timeout`](HoneyHiveBuilder::timeout), all of them after
/// [`max_retries`](HoneyHiveBuilder::max_retries) further ones with growing pauses.
///
/// A request that failed for a passing reason (no connection, a broken one, a timeout, 408, 425,
/// 429, and 5xx except for 501, 505, 506, 508, 510 and 511) is tried again, unless that could do a
/// thing twice: a request that creates something without an id of yours is sent again only where
/// the server certainly did nothing.
///
/// ```no_run
/// use honeyhive_harness::HoneyHive;
/// use honeyhive_harness::api::{NewRun, RunStatus, RunUpdate};
///
/// # async fn example() -> Result<(), honeyhive_harness::api::ApiError> {
/// // Keys and address from `HH_API_KEY`, `HH_INGESTION_API_KEY`, `HH_API_URL`.
/// let client = HoneyHive::builder().build()?;
/// let run = NewRun { name: Some("nightly".to_owned()), ..NewRun::default() };
/// let run = client.runs().create(&run).await?;
/// let done = RunUpdate { status: Some(RunStatus::Completed), ..RunUpdate::default() };
/// client.runs().update(&run.run_id, &done).await?;
/// for metric in client.runs().result(&run.run_id, "average").await?.metrics.details {
///     // ..
///     # let _ = metric.aggregate;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HoneyHive {
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

impl fmt::Debug for HoneyHive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoneyHive")
            .field("server", &printable(self.inner.server.as_str()))
            .field("family", &self.inner.family)
            .finish_non_exhaustive()
    }
}

impl HoneyHive {
    /// Returns a builder for a client.
    pub fn builder() -> HoneyHiveBuilder {
        HoneyHiveBuilder::default()
    }

    /// Creates a client for a connection as it was configured.
    ///
    /// # Errors
    /// Returns an error when there is no key, or when a key or the address is invalid.
    pub(crate) fn from_connection(connection: &Connection) -> Result<Self, ApiError> {
        Self::over(connection, || Http::new(CONNECT, None))
    }

    /// Creates the HTTP client that many API clients of one process share.
    ///
    /// # Errors
    /// Returns an error when the HTTP client cannot be created.
    pub(crate) fn shared_http() -> Result<Http, ApiError> {
        Http::shared(CONNECT)
    }

    /// Creates a client for a connection, over HTTP connections that are shared.
    ///
    /// # Errors
    /// Returns the same errors as [`from_connection`](Self::from_connection).
    pub(crate) fn from_connection_over(
        connection: &Connection,
        http: &Http,
    ) -> Result<Self, ApiError> {
        Self::over(connection, || Ok(http.clone()))
    }

    fn over(
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

    /// Returns the client with a deadline: each call ends at `deadline` at the latest.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { until: Some(deadline), ..self.clone() }
    }

    /// Returns the client with a place where failed tries are noted.
    pub(crate) fn watched(self, trouble: Trouble) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    /// Returns the calls about experiment runs, their results and comparisons.
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }

    /// Returns the calls about sessions, each of which is one execution.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// Returns the calls about events: the steps of a session, and the session itself.
    pub fn events(&self) -> Events<'_> {
        Events(self)
    }

    /// Returns the calls about datasets that HoneyHive keeps.
    pub fn datasets(&self) -> Datasets<'_> {
        Datasets(self)
    }

    /// Returns the calls about datapoints of those datasets.
    pub fn datapoints(&self) -> Datapoints<'_> {
        Datapoints(self)
    }

    pub(super) fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        Call::new(self, method, path)
    }

    pub(super) fn server(&self) -> &Url {
        &self.inner.server
    }

    /// Returns the HTTP client, whose connections other senders to HoneyHive share.
    pub(crate) fn http(&self) -> &Http {
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
    pub(crate) fn fingerprint(&self, protocol: &str) -> String {
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

/// The value of the `User-Agent` header.
pub(crate) const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

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
