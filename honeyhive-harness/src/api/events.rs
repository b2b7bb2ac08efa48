//! Records, changes and reads events: the steps of a session, and the session itself.

use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::event::{EventBatch, EventList, EventQuery, EventUpdate, NewEvent, StoredEvents};
use super::transport::Transport;
use crate::config::Family;

/// The least time limit of an export: a server takes long for thousands of events.
const EXPORT: Duration = Duration::from_secs(300);

#[derive(Serialize)]
struct Wrapped<'a> {
    event: &'a NewEvent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Created {
    event_id: Option<String>,
}

/// The calls about events; see [`HoneyHive::events`](super::HoneyHive::events).
#[derive(Clone, Copy, Debug)]
pub struct Events<'a>(pub(super) &'a Transport);

impl Events<'_> {
    /// Records an event, and returns its id.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create(&self, event: &NewEvent) -> Result<String, ApiError> {
        let call = match self.0.family() {
            Family::Legacy => self.0.call(Method::POST, &["events"]).json(&Wrapped { event }),
            Family::V1 => self.0.call(Method::POST, &["v1", "events"]).json(event),
        };
        let call = call.ingest().repeatable(event.event_id.is_some());
        let mut answer = call.fetch::<Created>().await?;
        match answer.value.event_id.take().filter(|id| !id.is_empty()) {
            Some(id) => Ok(id),
            None => Err(answer.lacks("`event_id`")),
        }
    }

    /// Changes an event or a session.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn update(&self, update: &EventUpdate) -> Result<(), ApiError> {
        let call = match self.0.family() {
            Family::Legacy => self.0.call(Method::PUT, &["events"]),
            Family::V1 => self.0.call(Method::PUT, &["v1", "events", &update.event_id]),
        };
        call.ingest().json(update).object().await
    }

    /// Records several events.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create_batch(&self, batch: &EventBatch) -> Result<StoredEvents, ApiError> {
        let call = match self.0.family() {
            Family::Legacy => self.0.call(Method::POST, &["events", "batch"]),
            Family::V1 => self.0.call(Method::POST, &["v1", "events", "batch"]),
        };
        let ours = batch.events.iter().all(|event| event.event_id.is_some());
        Ok(call.ingest().json(batch).repeatable(ours).fetch().await?.value)
    }

    /// Reads one page of many events. A try may take 300 s.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn export(&self, query: &EventQuery) -> Result<EventList, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "events", "export"]).json(query);
        Ok(call.repeatable(true).timeout(EXPORT).fetch().await?.value)
    }

    /// Reads one page of some events.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn search(&self, query: &EventQuery) -> Result<EventList, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "events", "search"]).json(query);
        Ok(call.repeatable(true).fetch().await?.value)
    }
}
