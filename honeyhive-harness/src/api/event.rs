//! Defines events as they are recorded, changed and read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{Object, null, number};

/// The kind of work that an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventType {
    /// The event is a call of a model.
    Model,
    /// The event is any other single operation.
    #[default]
    Tool,
    /// The event has several steps.
    Chain,
    /// The event is a whole session.
    Session,
}

impl EventType {
    /// Returns the name of the kind in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Chain => "chain",
            Self::Session => "session",
        }
    }
}

/// The fields of an event to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewEvent {
    /// The kind of work that the event is.
    pub event_type: EventType,
    /// The inputs; the API requires them even when they are empty.
    pub inputs: Object,
    /// The name of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// A UUID of yours, which makes the call safe to repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The id of the session that the event belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The id of the event that this one is a step of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The ids of its own steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
    /// The source of the event, such as `dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The name of the project, for older keys that do not imply one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The configuration with which it is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// The outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// The reason why there is no output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The start time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// The end time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// The duration, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Further data; in an experiment, `run_id`, `dataset_id` and `datapoint_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The feedback of people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Object>,
    /// The scores of evaluators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Object>,
    /// The properties of the user it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
}

/// The changes of an event; a session is an event, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventUpdate {
    /// The id of the event or the session.
    pub event_id: String,
    /// Further data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The feedback of people; in an experiment, `ground_truth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Object>,
    /// The scores of evaluators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Object>,
    /// The outputs. The API accepts only objects: wrap a text or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Object>,
    /// The reason why there is no output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The configuration with which it was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object>,
    /// The properties of the user it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_properties: Option<Object>,
    /// The duration, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The end time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u64>,
    /// The ids of its steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_ids: Option<Vec<String>>,
}

/// Several events to be recorded at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventBatch {
    /// The events. Where each has an id of yours, the call is safe to repeat.
    pub events: Vec<NewEvent>,
    /// Set when all events belong to one session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_session: Option<bool>,
    /// The fields `session_name`, `start_time`, `user_properties` and `metadata` of that session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_properties: Option<Object>,
}

/// The ids of events that were recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoredEvents {
    /// The ids of the events.
    #[serde(deserialize_with = "null")]
    pub event_ids: Vec<String>,
    /// The id of the session that they were added to, where it is one.
    pub session_id: Option<String>,
}

/// A condition on a field of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventFilter {
    /// The field, such as `session_id` or `metadata.run_id`.
    pub field: String,
    /// The comparison, such as `is`, `is not`, `contains`, `greater than`.
    pub operator: String,
    /// The value to compare with.
    pub value: Value,
    /// The type of the field: `string`, `number`, `boolean`, `id`, `datetime`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A range of time, both ends as RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DateRange {
    /// The earliest time.
    #[serde(rename = "$gte", skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The latest time.
    #[serde(rename = "$lte", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The events to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventQuery {
    /// The conditions, all of which must hold.
    pub filters: Vec<EventFilter>,
    /// The range of time in which the events began.
    #[serde(rename = "dateRange", skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
    /// The fields to read; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projections: Option<Vec<String>>,
    /// The number of events on a page; at most 7500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The number of the page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Set to read in any order, which is faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_order: Option<bool>,
    /// The id of the run that the events belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
}

/// An event as HoneyHive stores it. A field whose contents a program may choose is a JSON value as
/// it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Event {
    /// The id of the event.
    #[serde(deserialize_with = "null")]
    pub event_id: String,
    /// The id of its session.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// The id of the event that this one is a step of.
    pub parent_id: Option<String>,
    /// The ids of its own steps.
    #[serde(deserialize_with = "null")]
    pub children_ids: Vec<String>,
    /// The kind of the event: `model`, `tool`, `chain`, `session`.
    pub event_type: Option<String>,
    /// The name of the event.
    pub event_name: Option<String>,
    /// The source of the event.
    pub source: Option<String>,
    /// The configuration with which it was run.
    pub config: Value,
    /// The inputs.
    pub inputs: Value,
    /// The outputs.
    pub outputs: Value,
    /// The reason why there is no output.
    pub error: Value,
    /// Further data.
    pub metadata: Value,
    /// The feedback of people.
    pub feedback: Value,
    /// The scores of evaluators.
    pub metrics: Value,
    /// The properties of the user it was for.
    pub user_properties: Value,
    /// The start time, in the server's notation.
    pub start_time: Value,
    /// The end time, in the server's notation.
    pub end_time: Value,
    /// The duration, in milliseconds.
    #[serde(deserialize_with = "number")]
    pub duration: Option<f64>,
}

/// A page of events.
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
    /// Returns the number of events on all pages, where the server sends it.
    pub fn total(&self) -> Option<u64> {
        self.total_events.or(self.count)
    }
}
