//! An event as it is recorded, changed and read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{Object, null, number};

/// What kind of work an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventType {
    /// A call of a model.
    Model,
    /// Anything else that does one thing.
    #[default]
    Tool,
    /// What has several steps.
    Chain,
    /// A whole session.
    Session,
}

impl EventType {
    /// As it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Chain => "chain",
            Self::Session => "session",
        }
    }
}

/// An event to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewEvent {
    /// What kind of work it is.
    pub event_type: EventType,
    /// What went in; the API wants it even when it is empty.
    pub inputs: Object,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// A UUID of yours; makes the call safe to repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The event it is a step of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Its own steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
    /// Where it comes from, such as `dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The project, for keys of old that do not name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How it is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// Why nothing came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Anything else; in an experiment, `run_id`, `dataset_id` and `datapoint_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// What people say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Object>,
    /// What evaluators say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Object>,
    /// Who it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
}

/// What changes in an event; a session is one, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventUpdate {
    /// The event, or the session.
    pub event_id: String,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// What people say of it; in an experiment, `ground_truth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Object>,
    /// What evaluators say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Object>,
    /// What came out. The API takes objects alone: wrap a text or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// Why nothing came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How it was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// Who it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// Its steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
}

/// Several events to be recorded at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventBatch {
    /// The events. Where each has an id of yours, the call is safe to repeat.
    pub events: Vec<NewEvent>,
    /// Whether they are all of one session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_session: Option<bool>,
    /// `session_name`, `start_time`, `user_properties`, `metadata` of that session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_properties: Option<Object>,
}

/// Events that were recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoredEvents {
    /// Their ids.
    #[serde(deserialize_with = "null")]
    pub event_ids: Vec<String>,
    /// The session they went to, where it is one.
    pub session_id: Option<String>,
}

/// A condition on a field of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventFilter {
    /// The field, such as `session_id` or `metadata.run_id`.
    pub field: String,
    /// How to compare, such as `is`, `is not`, `contains`, `greater than`.
    pub operator: String,
    /// What to compare with.
    pub value: Value,
    /// The type of the field: `string`, `number`, `boolean`, `id`, `datetime`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A span of time, both ends as RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DateRange {
    /// The earliest.
    #[serde(rename = "$gte", skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The latest.
    #[serde(rename = "$lte", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Which events to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventQuery {
    /// All of these must hold.
    pub filters: Vec<EventFilter>,
    /// When they began.
    #[serde(rename = "dateRange", skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
    /// The fields to read; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projections: Option<Vec<String>>,
    /// How many on a page; at most 7500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// In any order, which is faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_order: Option<bool>,
    /// Those of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
}

/// An event as HoneyHive has it. What a program may have put there is a JSON value as it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Event {
    /// Its id.
    #[serde(deserialize_with = "null")]
    pub event_id: String,
    /// Its session.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// The event it is a step of.
    pub parent_id: Option<String>,
    /// Its own steps.
    #[serde(deserialize_with = "null")]
    pub children_ids: Vec<String>,
    /// `model`, `tool`, `chain`, `session`.
    pub event_type: Option<String>,
    /// What people call it.
    pub event_name: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
    /// How it was run.
    pub config: Value,
    /// What went in.
    pub inputs: Value,
    /// What came out.
    pub outputs: Value,
    /// Why nothing came out.
    pub error: Value,
    /// Anything else.
    pub metadata: Value,
    /// What people say of it.
    pub feedback: Value,
    /// What evaluators say of it.
    pub metrics: Value,
    /// Who it was for.
    pub user_properties: Value,
    /// When it began, as the server writes times.
    pub start_time: Value,
    /// When it ended.
    pub end_time: Value,
    /// Milliseconds.
    #[serde(deserialize_with = "number")]
    pub duration: Option<f64>,
}

/// Some events.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventList {
    /// The events of this page.
    #[serde(deserialize_with = "null")]
    pub events: Vec<Event>,
    count: Option<u64>,
    #[serde(rename = "totalEvents")]
    total_events: Option<u64>,
}

impl EventList {
    /// How many there are on all pages, where the server says so.
    pub fn total(&self) -> Option<u64> {
        self.total_events.or(self.count)
    }
}
