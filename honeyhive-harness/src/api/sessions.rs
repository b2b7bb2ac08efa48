//! Starts sessions: each is one execution, such as an attempt at a datapoint.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::lenient::{Object, null};
use super::transport::Transport;
use crate::config::Family;

/// The fields of a session to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewSession {
    /// A UUID of yours, which makes the call safe to repeat. The server may return another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The name of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// The source of the session, such as `dev`, `evaluation`, `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The name of the project, for older keys that do not imply one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The start time, in milliseconds since 1970; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// The end time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// The duration, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The configuration with which it is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// The inputs: for a datapoint, its inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Object>,
    /// The outputs, where they are known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// Further data; in an experiment, `run_id`, `dataset_id` and `datapoint_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The properties of the user it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
    /// The ids of events that exist already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
}

/// A session that was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SessionStarted {
    /// The id to use from now on, chosen by the server.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// The id of the session as an event; usually the same.
    pub event_id: Option<String>,
    /// The id of the project that it was added to.
    pub project_id: Option<String>,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    session: &'a NewSession,
}

/// The calls about sessions; see [`HoneyHive::sessions`](super::HoneyHive::sessions).
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a>(pub(super) &'a Transport);

impl Sessions<'_> {
    /// Starts a session.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn start(&self, session: &NewSession) -> Result<SessionStarted, ApiError> {
        let call = match self.0.family() {
            Family::Legacy => {
                self.0.call(Method::POST, &["session", "start"]).json(&Wrapped { session })
            }
            Family::V1 => self.0.call(Method::POST, &["v1", "sessions"]).json(session),
        };
        let call = call.ingest().repeatable(session.session_id.is_some());
        let mut answer = call.fetch::<SessionStarted>().await?;
        if answer.value.session_id.is_empty() {
            match answer.value.event_id.clone().filter(|id| !id.is_empty()) {
                Some(id) => answer.value.session_id = id,
                None => return Err(answer.lacks("`session_id`")),
            }
        }
        Ok(answer.value)
    }
}
