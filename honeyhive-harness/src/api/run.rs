//! Defines runs as they are created, changed, read and listed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::lenient::{Object, null};

/// The status of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// The run was created, but has not begun.
    #[default]
    Pending,
    /// The run is under way.
    Running,
    /// The run is over and has results.
    Completed,
    /// The run is over without usable results.
    Failed,
    /// The run was cancelled.
    Cancelled,
    /// The status is not known to this version.
    Other(String),
}

impl RunStatus {
    /// Returns the name of the status in the API.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for RunStatus {
    fn from(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "running" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RunStatus {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RunStatus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(from)?.as_str()))
    }
}

/// The fields of a run to be created.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewRun {
    /// A UUID of yours, which makes the call safe to repeat. The server may return another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The name of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The description of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The status of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// The id of a dataset that HoneyHive keeps. The id of a local one (`EXT-..`) goes into
    /// `metadata` as `offline_dataset_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
    /// The subject of the run: model, prompt, revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The configuration of the run: function, evaluators, concurrency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Object>,
    /// Your own results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Object>,
    /// The ids of sessions that exist already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// The ids of sessions, once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ids: Option<Vec<String>>,
    /// The ids of its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoint_ids: Option<Vec<String>>,
    /// The evaluators that HoneyHive runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluators: Option<Vec<Value>>,
    /// The range of passing values for each metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passing_ranges: Option<Object>,
}

/// The changes of a run. The server may replace `metadata` as a whole: send all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunUpdate {
    /// The name of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The description of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The status of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// The subject of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The configuration of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Object>,
    /// Your own results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Object>,
    /// The ids of all its sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// The ids of all its sessions, once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ids: Option<Vec<String>>,
    /// The ids of its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoint_ids: Option<Vec<String>>,
    /// The evaluators that HoneyHive runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluators: Option<Vec<Value>>,
    /// The range of passing values for each metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passing_ranges: Option<Object>,
}

/// A run as HoneyHive stores it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Run {
    /// HoneyHive's id of the record.
    #[serde(deserialize_with = "null")]
    pub id: String,
    /// The id of the run.
    #[serde(deserialize_with = "null")]
    pub run_id: String,
    /// The name of the run.
    pub name: Option<String>,
    /// The description of the run.
    pub description: Option<String>,
    /// The status of the run.
    #[serde(deserialize_with = "null")]
    pub status: RunStatus,
    /// The id of a dataset that HoneyHive keeps.
    pub dataset_id: Option<String>,
    /// The name of that dataset.
    pub dataset_name: Option<String>,
    /// The subject of the run; an object, or null.
    pub metadata: Value,
    /// The configuration of the run; an object, or null.
    pub configuration: Value,
    /// The results as they were given; an object, or null.
    pub results: Value,
    /// The metrics that HoneyHive measured.
    pub metrics: Value,
    /// The ids of its sessions.
    #[serde(deserialize_with = "null")]
    pub event_ids: Vec<String>,
    /// Set to false once the run was archived.
    pub is_active: Option<bool>,
    /// The time when it was created, in the server's notation.
    pub created_at: Value,
    /// The time when it was last changed.
    pub updated_at: Value,
}

/// The answer to a run that was made.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunCreated {
    /// The id to use from now on: that of the server, else your own.
    #[serde(deserialize_with = "null")]
    pub run_id: String,
    /// The run itself.
    pub evaluation: Option<Run>,
}

/// The answer to a run that was changed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunUpdated {
    /// The run as it is now.
    pub evaluation: Option<Run>,
    /// The warning of a server that made the change all the same.
    pub warning: Option<String>,
}

/// The runs to list; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// The id of the dataset of the runs.
    pub dataset_id: Option<String>,
    /// The ids of the runs. More than 100 take several calls, and pages do not apply.
    pub run_ids: Vec<String>,
    /// The name of the runs.
    pub name: Option<String>,
    /// The status of the runs.
    pub status: Option<RunStatus>,
    /// The number of the page, from 1.
    pub page: Option<u32>,
    /// The number of runs on a page.
    pub limit: Option<u32>,
    /// The field to sort by, such as `created_at`.
    pub sort_by: Option<String>,
    /// The order: `asc` or `desc`.
    pub sort_order: Option<String>,
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunList {
    /// The runs of this page.
    #[serde(deserialize_with = "null")]
    pub evaluations: Vec<Run>,
    /// The place of this page.
    pub pagination: Option<Pagination>,
    /// The names of all metrics that the runs have.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<String>,
}

/// The place of a page among all pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Pagination {
    /// The number of this page, from 1.
    pub page: Option<u64>,
    /// The most entries on a page.
    pub limit: Option<u64>,
    /// The number of entries on all pages.
    pub total: Option<u64>,
    /// The number of entries without the filter.
    pub total_unfiltered: Option<u64>,
    /// The number of pages.
    pub total_pages: Option<u64>,
    /// Set when a page follows.
    pub has_next: Option<bool>,
    /// Set when a page comes before.
    pub has_prev: Option<bool>,
}
