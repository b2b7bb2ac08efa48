//! Defines the client of HoneyHive's API.
//!
//! All requests of the uploader and of programs go through one [`HoneyHive`] client: one set of
//! connections, one policy of retries, errors that say what to do. Its types are those of the API
//! as it is, with two rules: fields of a request that are `None` are not sent, and answers may lack
//! fields, hold `null`, or hold more than is known here.
//!
//! A request is a literal that ends in `..NewRun::default()` (or the default of its own type): a later
//! version may add fields.

mod builder;
mod call;
pub(crate) mod client;
mod datapoints;
mod datasets;
pub(crate) mod error;
mod event;
mod events;
pub(crate) mod http;
mod lenient;
mod otlp;
mod outlook;
mod results;
pub(crate) mod retry;
mod run;
mod runs;
mod sessions;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod transport;

pub use crate::config::Family;
pub use builder::HoneyHiveBuilder;
pub use client::HoneyHive;
pub use datapoints::{Datapoints, ManagedDatapoint, NewDatapoint, NewDatapointBatch};
pub use datasets::{Datasets, ManagedDataset, Mapping, NewDataset};
pub use error::{ApiError, ApiErrorKind, Refusal};
pub use event::{
    DateRange, Event, EventBatch, EventFilter, EventList, EventQuery, EventType, EventUpdate,
    NewEvent, StoredEvents,
};
pub use events::Events;
pub(crate) use http::{Http, Trouble};
pub use lenient::Object;
pub(crate) use otlp::{OtlpReceiver, Rejected};
pub(crate) use outlook::Outlook;
pub use results::{
    ComparedEvents, EventComparison, EventPair, MetricChange, MetricOfDatapoint, MetricResult,
    Passing, ResultMetrics, RunComparison, RunDatapoint, RunMetrics, RunResult,
};
pub(crate) use retry::Backoff;
pub use run::{
    NewRun, Pagination, Run, RunCreated, RunFilter, RunList, RunStatus, RunUpdate, RunUpdated,
};
pub use runs::Runs;
pub use sessions::{NewSession, SessionStarted, Sessions};
