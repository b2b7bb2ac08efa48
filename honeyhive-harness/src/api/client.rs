//! Defines the client of HoneyHive's API.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::Method;

use super::error::ApiError;
use super::http::{Http, Trouble};
use super::otlp::{Rejected, deliver};
use super::transport::Transport;
use super::{Datapoints, Datasets, Events, Runs, Sessions};
use crate::config::{Connection, printable};

/// The time limit of connecting; an available server accepts much sooner.
const CONNECT: Duration = Duration::from_secs(10);

/// The factor by which spans may take longer than other requests.
const LONGER: u32 = 3;

/// A client of HoneyHive's API.
///
/// A client is cheap to clone; clones share their connections. All calls need a tokio runtime, can be
/// cancelled safely (`tokio::time::timeout`, `select!`), and end: each try after
/// [`timeout`](super::HoneyHiveBuilder::timeout), all of them after
/// [`max_retries`](super::HoneyHiveBuilder::max_retries) further ones with growing pauses.
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
    pub(super) transport: Transport,
}

impl fmt::Debug for HoneyHive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoneyHive")
            .field("server", &printable(self.transport.server().as_str()))
            .field("family", &self.transport.family())
            .finish_non_exhaustive()
    }
}

impl HoneyHive {
    /// Creates a client for a connection as it was configured.
    ///
    /// # Errors
    /// Returns an error when there is no key, or when a key or the address is invalid.
    pub(crate) fn from_connection(connection: &Connection) -> Result<Self, ApiError> {
        let transport = Transport::new(connection, || Http::new(CONNECT, None))?;
        Ok(Self { transport })
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
        let transport = Transport::new(connection, || Ok(http.clone()))?;
        Ok(Self { transport })
    }

    /// Returns the client with a deadline: each call ends at `deadline` at the latest.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { transport: self.transport.until(deadline) }
    }

    /// Returns the client with a place where failed tries are noted.
    pub(crate) fn watched(self, trouble: Trouble) -> Self {
        Self { transport: self.transport.watched(trouble) }
    }

    /// Returns the calls about experiment runs, their results and comparisons.
    pub fn runs(&self) -> Runs<'_> {
        Runs(&self.transport)
    }

    /// Returns the calls about sessions, each of which is one execution.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(&self.transport)
    }

    /// Returns the calls about events: the steps of a session, and the session itself.
    pub fn events(&self) -> Events<'_> {
        Events(&self.transport)
    }

    /// Returns the calls about datasets that HoneyHive keeps.
    pub fn datasets(&self) -> Datasets<'_> {
        Datasets(&self.transport)
    }

    /// Returns the calls about datapoints of those datasets.
    pub fn datapoints(&self) -> Datapoints<'_> {
        Datapoints(&self.transport)
    }

    /// Returns a digest of the settings that decide whether a server accepts data.
    pub(crate) fn fingerprint(&self, protocol: &str) -> String {
        self.transport.fingerprint(protocol)
    }

    /// Returns the server's address, without a password.
    pub(crate) fn address(&self) -> String {
        printable(self.transport.server().as_str().trim_end_matches('/'))
    }

    /// Sends encoded spans; returns those that the server rejected.
    pub(crate) async fn send_spans(
        &self,
        content_type: &'static str,
        body: Vec<u8>,
        source: &str,
    ) -> Result<Option<Rejected>, ApiError> {
        let to = &self.transport;
        let call = to.call(Method::POST, &["opentelemetry", "v1", "traces"]).ingest();
        let call = call.repeatable(true).spans(content_type, source, body.into());
        let call = call.timeout(to.timeout().saturating_mul(LONGER));
        deliver(to.http(), call.outgoing()?, to.replies()).await
    }
}
