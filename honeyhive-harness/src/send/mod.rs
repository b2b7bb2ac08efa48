//! The parts that all senders share, whether they send records of a journal (`upload`) or the spans
//! of a running program (`program`).
//!
//! - [`Batch`] and [`Window`]: spans gather for a second, 512 spans or 2 MiB, and are encoded as
//!   they come.
//! - [`Receiver`]: HoneyHive or any receiver of OTLP takes a batch.
//! - [`Receiver::settle`]: a refused request is halved until each owner of spans knows what became
//!   of them.
//! - [`Breaker`]: a destination that fails is left alone, with growing pauses or as it asks.
//! - [`session`]: the updates of a session that HoneyHive gets.
//!
//! The retries of a single request and the table of what may pass are the client's
//! ([`Outlook`](crate::api::Outlook), [`Backoff`](crate::api::Backoff)).

mod batch;
mod breaker;
mod encode;
mod receiver;
pub(crate) mod session;
mod settlement;

pub(crate) use batch::{Batch, ResourceInfo, Window};
pub(crate) use breaker::Breaker;
pub(crate) use receiver::Receiver;
pub(crate) use settlement::{MOST_DOUBTS, Part, Shipment, Taken};
