//! Defines the fields of request bodies in HoneyHive's API.

use super::shape::Shape::{
    self, Amount, Any, Bool, Count, List, Map, Name, OneOf, Scalar, Struct, Text, Time, Uuid,
};
use super::shape::{Field, may, must};

const STATUS: Shape = OneOf(&["pending", "running", "completed", "failed", "cancelled"]);
const OBJECT: Shape = Map(&Any);
const IDS: Shape = List(&Name);
const SESSIONS: Shape = List(&Uuid);

const GIT: Shape = Struct(&[
    may("commit_hash", Name),
    may("commit_hash_short", Name),
    may("branch", Name),
    may("commit_message", Name),
    may("author_name", Name),
    may("author_email", Name),
    may("remote_url", Name),
    may("is_dirty", Bool),
]);

/// The keys of a run's configuration that have a fixed type; it may have more keys.
pub(super) static CONFIGURATION: [(&str, Shape); 4] = [
    ("function", Name),
    ("evaluators", List(&Name)),
    ("max_workers", Count),
    ("aggregate_function", Name),
];

/// The keys of a run's metadata that have a fixed type; it may have more keys.
pub(super) static RUN_METADATA: [(&str, Shape); 2] = [("git", GIT), ("offline_dataset_id", Name)];

/// The body of `POST /v1/runs`.
pub(super) static NEW_RUN: Shape = Struct(&[
    must("run_id", Uuid),
    must("name", Name),
    may("description", Text),
    must("status", STATUS),
    must("metadata", OBJECT),
    may("results", OBJECT),
    may("dataset_id", Name),
    must("event_ids", SESSIONS),
    must("configuration", OBJECT),
    may("evaluators", List(&Any)),
    may("session_ids", SESSIONS),
    must("datapoint_ids", IDS),
    may("passing_ranges", OBJECT),
]);

/// The body of `PUT /v1/runs/{id}`.
pub(super) static RUN_UPDATE: Shape = Struct(&[
    may("name", Name),
    may("description", Text),
    may("status", STATUS),
    may("metadata", OBJECT),
    may("results", OBJECT),
    may("event_ids", SESSIONS),
    may("configuration", OBJECT),
    may("evaluators", List(&Any)),
    may("session_ids", SESSIONS),
    may("datapoint_ids", IDS),
    may("passing_ranges", OBJECT),
]);

static SESSION_FIELDS: [Field; 14] = [
    must("session_id", Uuid),
    must("session_name", Name),
    may("event_name", Name),
    must("source", Name),
    may("project", Name),
    may("start_time", Time),
    may("end_time", Time),
    may("duration", Amount),
    may("config", OBJECT),
    may("inputs", OBJECT),
    may("outputs", OBJECT),
    may("metadata", OBJECT),
    may("user_properties", OBJECT),
    may("children_ids", SESSIONS),
];

/// The body of `POST /v1/sessions`.
pub(super) static SESSION: Shape = Struct(&SESSION_FIELDS);

/// The body of `POST /session/start`.
pub(super) static WRAPPED_SESSION: Shape = Struct(&[must("session", Struct(&SESSION_FIELDS))]);

/// The body of `PUT /events`; `PUT /v1/events/{id}` may omit the id, which is in the path.
pub(super) static EVENT_UPDATE: Shape = Struct(&[
    may("event_id", Uuid),
    may("metadata", OBJECT),
    may("feedback", OBJECT),
    may("metrics", Map(&Scalar)),
    may("outputs", OBJECT),
    may("config", OBJECT),
    may("user_properties", OBJECT),
    may("duration", Amount),
    may("end_time", Time),
    may("children_ids", SESSIONS),
]);

static EVENT_FIELDS: [Field; 20] = [
    must("event_type", OneOf(&["chain", "model", "tool", "session"])),
    must("inputs", OBJECT),
    may("event_name", Name),
    may("event_id", Uuid),
    must("session_id", Uuid),
    may("parent_id", Uuid),
    may("children_ids", SESSIONS),
    may("source", Name),
    may("project", Text),
    may("project_id", Name),
    may("config", OBJECT),
    may("outputs", OBJECT),
    may("error", Text),
    may("start_time", Time),
    may("end_time", Time),
    may("duration", Amount),
    may("metadata", OBJECT),
    may("feedback", OBJECT),
    may("metrics", Map(&Scalar)),
    may("user_properties", OBJECT),
];

/// The body of `POST /events`.
pub(super) static WRAPPED_EVENT: Shape = Struct(&[must("event", Struct(&EVENT_FIELDS))]);

/// The body of `POST /events/batch`.
pub(super) static EVENT_BATCH: Shape = Struct(&[
    must("events", List(&Struct(&EVENT_FIELDS))),
    may("single_session", Bool),
    may(
        "session_properties",
        Struct(&[
            may("session_name", Name),
            may("start_time", Time),
            may("user_properties", OBJECT),
            may("metadata", OBJECT),
        ]),
    ),
]);
