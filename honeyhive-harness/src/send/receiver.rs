//! The receivers of encoded spans: HoneyHive, or any other receiver of OTLP.

use std::time::Instant;

use super::batch::{Batch, ResourceInfo};
use crate::api::{ApiError, HoneyHive, OtlpReceiver, Rejected, Trouble};
use crate::config::Protocol;

/// A receiver of spans, with its connections and its retries.
#[derive(Clone, Debug)]
pub(crate) enum Receiver {
    /// HoneyHive, which knows sessions and runs beside spans.
    HoneyHive { client: HoneyHive, protocol: Protocol },
    /// Any other receiver of OTLP over HTTP; it knows spans alone.
    Otlp(Box<OtlpReceiver>),
}

impl Receiver {
    /// Returns the client for sessions and runs; `None` where the receiver knows spans alone.
    pub(crate) fn client(&self) -> Option<&HoneyHive> {
        match self {
            Self::HoneyHive { client, .. } => Some(client),
            Self::Otlp(_) => None,
        }
    }

    /// Returns how it takes spans.
    pub(crate) fn protocol(&self) -> Protocol {
        match self {
            Self::HoneyHive { protocol, .. } => *protocol,
            Self::Otlp(receiver) => receiver.protocol(),
        }
    }

    /// Returns a digest of the settings that decide whether it takes what it is sent.
    pub(crate) fn fingerprint(&self) -> String {
        match self {
            Self::HoneyHive { client, protocol } => client.fingerprint(protocol.name()),
            Self::Otlp(receiver) => receiver.fingerprint().to_owned(),
        }
    }

    /// Makes a receiver whose requests end at `deadline` at the latest.
    pub(crate) fn until(&self, deadline: Instant) -> Self {
        match self {
            Self::HoneyHive { client, protocol } => {
                Self::HoneyHive { client: client.until(deadline), protocol: *protocol }
            }
            Self::Otlp(receiver) => Self::Otlp(Box::new(receiver.until(deadline))),
        }
    }

    /// Makes a receiver that notes tries that failed while their request goes on.
    pub(crate) fn watched(self, trouble: Trouble) -> Self {
        match self {
            Self::HoneyHive { client, protocol } => {
                Self::HoneyHive { client: client.watched(trouble), protocol }
            }
            Self::Otlp(receiver) => Self::Otlp(Box::new(receiver.watched(trouble))),
        }
    }

    /// Sends spans in one request; returns the receiver's answer about those that it did not take.
    ///
    /// # Errors
    /// When the request failed, after its retries.
    pub(super) async fn send(
        &self,
        batch: &Batch,
        resource: &ResourceInfo,
        source: &str,
    ) -> Result<Option<Rejected>, ApiError> {
        if batch.len() == 0 {
            return Ok(None);
        }
        let (kind, body) = batch.encode(resource);
        match self {
            Self::HoneyHive { client, .. } => client.send_spans(kind, body, source).await,
            Self::Otlp(receiver) => receiver.send(kind, body).await,
        }
    }
}
