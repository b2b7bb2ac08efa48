//! Runs: one experiment over one dataset.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::client::HoneyHive;
use super::error::ApiError;
use super::lenient::{Object, null};
use super::results::{ComparedEvents, EventComparison, RunComparison, RunMetrics, RunResult};

/// The most ids that one address holds.
pub(super) const IDS_PER_CALL: usize = 100;

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

/// The calls about runs; see [`HoneyHive::runs`].
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a>(pub(super) &'a HoneyHive);

impl Runs<'_> {
    /// Makes a run.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create(&self, run: &NewRun) -> Result<RunCreated, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "runs"]).json(run);
        let mut answer = call.repeatable(run.run_id.is_some()).fetch::<RunCreated>().await?;
        if answer.value.run_id.is_empty() {
            let inner = answer.value.evaluation.as_ref().map(|run| run.run_id.clone());
            let known = inner.filter(|id| !id.is_empty()).or_else(|| run.run_id.clone());
            match known {
                Some(id) => answer.value.run_id = id,
                None => return Err(answer.lacks("`run_id`")),
            }
        }
        Ok(answer.value)
    }

    /// Changes a run.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn update(&self, run_id: &str, update: &RunUpdate) -> Result<RunUpdated, ApiError> {
        let call = self.0.call(Method::PUT, &["v1", "runs", run_id]).json(update);
        Ok(call.fetch().await?.value)
    }

    /// A run.
    ///
    /// # Errors
    /// See [`ApiError`]; 404 when there is none.
    pub async fn get(&self, run_id: &str) -> Result<Run, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id]);
        let mut answer = call.fetch::<RunUpdated>().await?;
        match answer.value.evaluation.take() {
            Some(run) => Ok(run),
            None => Err(answer.lacks("`evaluation`")),
        }
    }

    /// The runs that a filter lets through.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn list(&self, filter: &RunFilter) -> Result<RunList, ApiError> {
        let page = filter.page.map(|page| page.to_string());
        let limit = filter.limit.map(|limit| limit.to_string());
        let mut all = RunList::default();
        let parts = batches(&filter.run_ids);
        let several = parts.len() > 1;
        for ids in parts {
            let call = self
                .0
                .call(Method::GET, &["v1", "runs"])
                .query("dataset_id", filter.dataset_id.as_deref())
                .list("run_ids", ids)
                .query("name", filter.name.as_deref())
                .query("status", filter.status.as_ref().map(RunStatus::as_str))
                .query("page", page.as_deref().filter(|_| !several))
                .query("limit", limit.as_deref().filter(|_| !several))
                .query("sort_by", filter.sort_by.as_deref())
                .query("sort_order", filter.sort_order.as_deref());
            let part = call.fetch::<RunList>().await?.value;
            all.evaluations.extend(part.evaluations);
            all.pagination = part.pagination.filter(|_| !several);
            for name in part.metrics {
                if !all.metrics.contains(&name) {
                    all.metrics.push(name);
                }
            }
        }
        Ok(all)
    }

    /// Removes a run. Its sessions stay.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete(&self, run_id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "runs", run_id]).done().await
    }

    /// What HoneyHive makes of a run's sessions, its metrics as `aggregate` (`average`, `min`,
    /// `max`, `median`, `p90`, `p95`, `p99`, `sum`, `count`). Sessions and spans arrive with a
    /// delay, so what was just sent may not be in it yet.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn result(&self, run_id: &str, aggregate: &str) -> Result<RunResult, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id, "result"]);
        Ok(call.query("aggregate_function", Some(aggregate)).fetch().await?.value)
    }

    /// The metrics of each event of a run.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn metrics(&self, run_id: &str) -> Result<RunMetrics, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", run_id, "metrics"]);
        Ok(call.fetch().await?.value)
    }

    /// What changed from the run `old` to the run `new`, over the datapoints they share.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn compare(
        &self,
        new: &str,
        old: &str,
        aggregate: &str,
    ) -> Result<RunComparison, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "runs", new, "compare-with", old]);
        Ok(call.query("aggregate_function", Some(aggregate)).fetch().await?.value)
    }

    /// The events of two runs side by side, by datapoint.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn compare_events(
        &self,
        new: &str,
        old: &str,
        which: &ComparedEvents,
    ) -> Result<EventComparison, ApiError> {
        let page = which.page.map(|page| page.to_string());
        let limit = which.limit.map(|limit| limit.to_string());
        let call = self
            .0
            .call(Method::GET, &["v1", "runs", "compare", "events"])
            .query("run_id_1", Some(new))
            .query("run_id_2", Some(old))
            .query("event_name", which.event_name.as_deref())
            .query("event_type", which.event_type.map(|kind| kind.as_str()))
            .query("filter", which.filter.as_deref())
            .query("limit", limit.as_deref())
            .query("page", page.as_deref());
        Ok(call.fetch().await?.value)
    }
}

/// Ids in parts that fit into an address; one empty part where there are none.
pub(super) fn batches(ids: &[String]) -> Vec<&[String]> {
    if ids.is_empty() { vec![ids] } else { ids.chunks(IDS_PER_CALL).collect() }
}
