//! A run as it is made, changed, read and listed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::lenient::{Object, null};

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// Made, not begun.
    #[default]
    Pending,
    /// Under way.
    Running,
    /// Over, with results.
    Completed,
    /// Over, without results worth the name.
    Failed,
    /// Given up.
    Cancelled,
    /// What this version does not know.
    Other(String),
}

impl RunStatus {
    /// As it is written in the API.
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

/// A run to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewRun {
    /// A UUID of yours; makes the call safe to repeat. The server may answer another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// A dataset that HoneyHive keeps. A local one (`EXT-..`) goes into `metadata` as
    /// `offline_dataset_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
    /// What was run: model, prompt, revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// How it was run: function, evaluators, concurrency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Object>,
    /// Results of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Object>,
    /// Sessions that are already there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// The same as sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ids: Option<Vec<String>>,
    /// Its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoint_ids: Option<Vec<String>>,
    /// Evaluators that HoneyHive runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluators: Option<Vec<Value>>,
    /// By metric, what passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passing_ranges: Option<Object>,
}

/// What changes in a run. The server may replace `metadata` as a whole: send all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunUpdate {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// What was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// How it was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Object>,
    /// Results of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Object>,
    /// Its sessions, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// The same as sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ids: Option<Vec<String>>,
    /// Its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoint_ids: Option<Vec<String>>,
    /// Evaluators that HoneyHive runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluators: Option<Vec<Value>>,
    /// By metric, what passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passing_ranges: Option<Object>,
}

/// A run as HoneyHive has it.
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
    /// What people call it.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// How far it is.
    #[serde(deserialize_with = "null")]
    pub status: RunStatus,
    /// A dataset that HoneyHive keeps.
    pub dataset_id: Option<String>,
    /// Its name.
    pub dataset_name: Option<String>,
    /// What was run; an object, or null.
    pub metadata: Value,
    /// How it was run; an object, or null.
    pub configuration: Value,
    /// Results as they were given; an object, or null.
    pub results: Value,
    /// What HoneyHive measured.
    pub metrics: Value,
    /// Its sessions.
    #[serde(deserialize_with = "null")]
    pub event_ids: Vec<String>,
    /// False once it was archived.
    pub is_active: Option<bool>,
    /// When it was made, as the server writes times.
    pub created_at: Value,
    /// When it was last changed.
    pub updated_at: Value,
}

/// The answer to a run that was made.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunCreated {
    /// The id to use from now on: the server's word, else your own.
    #[serde(deserialize_with = "null")]
    pub run_id: String,
    /// The run.
    pub evaluation: Option<Run>,
}

/// The answer to a run that was changed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunUpdated {
    /// The run as it is now.
    pub evaluation: Option<Run>,
    /// What the server did not like, but did.
    pub warning: Option<String>,
}

/// Which runs to list; everything by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Runs over this dataset.
    pub dataset_id: Option<String>,
    /// These runs. More than 100 are asked for in several calls, and pages do not apply.
    pub run_ids: Vec<String>,
    /// Runs of this name.
    pub name: Option<String>,
    /// Runs that are this far.
    pub status: Option<RunStatus>,
    /// Which page, from 1.
    pub page: Option<u32>,
    /// How many on a page.
    pub limit: Option<u32>,
    /// The field to sort by, such as `created_at`.
    pub sort_by: Option<String>,
    /// `asc` or `desc`.
    pub sort_order: Option<String>,
}

/// Some runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunList {
    /// The runs of this page.
    #[serde(deserialize_with = "null")]
    pub evaluations: Vec<Run>,
    /// Where this page is.
    pub pagination: Option<Pagination>,
    /// The names of all metrics that the runs have.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<String>,
}

/// Where a page is among others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Pagination {
    /// This page, from 1.
    pub page: Option<u64>,
    /// The most things on a page.
    pub limit: Option<u64>,
    /// Things on all pages.
    pub total: Option<u64>,
    /// Things without the filter.
    pub total_unfiltered: Option<u64>,
    /// Pages.
    pub total_pages: Option<u64>,
    /// Whether a page follows.
    pub has_next: Option<bool>,
    /// Whether a page comes before.
    pub has_prev: Option<bool>,
}
