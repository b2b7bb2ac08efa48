//! Sessions: one execution each, such as an attempt at a datapoint.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::HoneyHive;
use super::error::ApiError;
use super::lenient::{Object, null};
use crate::config::Family;

/// A session to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewSession {
    /// A UUID of yours; makes the call safe to repeat. The server may answer another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Where it comes from, such as `dev`, `evaluation`, `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The project, for keys of old that do not name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Milliseconds since 1970; by default, now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// How it is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// What goes in: of a datapoint, its inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Object>,
    /// What came out, where that is known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// In an experiment, `run_id`, `dataset_id` and `datapoint_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// Who it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
    /// Ids of events that are already there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
}

/// A session that was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SessionStarted {
    /// The id to use from now on: the server's word.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// The id of the session as an event; the same as a rule.
    pub event_id: Option<String>,
    /// The project it went to.
    pub project_id: Option<String>,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    session: &'a NewSession,
}

/// The calls about sessions; see [`HoneyHive::sessions`].
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a>(pub(super) &'a HoneyHive);

impl Sessions<'_> {
    /// Starts a session.
    ///
    /// # Errors
    /// See [`ApiError`].
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
