//! What HoneyHive makes of runs: aggregates and comparisons.

use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, EventType};
use super::lenient::{null, number};
use super::run::{Run, RunStatus};

/// What HoneyHive makes of a run's sessions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunResult {
    /// How far the run is.
    #[serde(deserialize_with = "null")]
    pub status: RunStatus,
    /// Whether everything passed.
    pub success: Option<bool>,
    /// Why there is no result.
    pub error: Option<String>,
    /// Ids of datapoints that passed.
    #[serde(deserialize_with = "null")]
    pub passed: Vec<String>,
    /// Ids of datapoints that did not.
    #[serde(deserialize_with = "null")]
    pub failed: Vec<String>,
    /// By metric, over all datapoints.
    #[serde(deserialize_with = "null")]
    pub metrics: ResultMetrics,
    /// By datapoint.
    #[serde(deserialize_with = "null")]
    pub datapoints: Vec<DatapointResult>,
    /// The run.
    pub run_object: Option<Run>,
}

impl RunResult {
    /// The metric of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricResult> {
        self.metrics.details.iter().find(|metric| metric.metric_name == name)
    }
}

/// The metrics of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ResultMetrics {
    /// How values were put together, such as `average`.
    pub aggregation_function: Option<String>,
    /// One per metric and kind of event.
    #[serde(deserialize_with = "null")]
    pub details: Vec<MetricResult>,
}

/// A metric over all datapoints of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricResult {
    /// Its name: the evaluator's.
    #[serde(deserialize_with = "null")]
    pub metric_name: String,
    /// Who measured, such as `CLIENT_SIDE`.
    pub metric_type: Option<String>,
    /// The event that has it.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// The values put together; none where that cannot be done, such as with texts.
    #[serde(deserialize_with = "number")]
    pub aggregate: Option<f64>,
    /// The values.
    #[serde(deserialize_with = "null")]
    pub values: Vec<Value>,
    /// Ids of the datapoints that passed and that did not.
    #[serde(deserialize_with = "null")]
    pub datapoints: Passing,
    /// What passes: `{"min", "max"}`, or null.
    pub passing_range: Value,
}

/// Who passed and who did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Passing {
    /// Ids of datapoints.
    #[serde(deserialize_with = "null")]
    pub passed: Vec<String>,
    /// Ids of datapoints.
    #[serde(deserialize_with = "null")]
    pub failed: Vec<String>,
}

/// A datapoint in a run's result.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DatapointResult {
    /// Its id; sessions that were not started for a datapoint have none.
    pub datapoint_id: Option<String>,
    /// The session that ran it.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// Whether all its metrics passed.
    pub passed: Option<bool>,
    /// Its metrics.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<MetricOfDatapoint>,
}

/// A metric of one datapoint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricOfDatapoint {
    /// The metric.
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// The event that has it.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// What was measured.
    pub value: Value,
    /// Whether that passes.
    pub passed: Option<bool>,
}

/// The metrics of each event of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunMetrics {
    /// Objects with `event_name`, `event_type`, `session_id`, `metadata`, `metrics`.
    #[serde(deserialize_with = "null")]
    pub events: Vec<Event>,
    /// How many there are on all pages.
    #[serde(rename = "totalEvents")]
    pub total_events: Option<u64>,
}

/// Two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunComparison {
    /// By metric.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<MetricChange>,
    /// Ids of the datapoints that both runs have.
    #[serde(rename = "commonDatapoints", deserialize_with = "null")]
    pub common_datapoints: Vec<String>,
    /// The run to compare with.
    pub old_run: Option<Run>,
    /// The run in question.
    pub new_run: Option<Run>,
}

impl RunComparison {
    /// Metrics with at least one datapoint that got better.
    pub fn improved(&self) -> impl Iterator<Item = &MetricChange> {
        self.metrics.iter().filter(|metric| metric.improved_count > 0)
    }

    /// Metrics with at least one datapoint that got worse.
    pub fn degraded(&self) -> impl Iterator<Item = &MetricChange> {
        self.metrics.iter().filter(|metric| metric.degraded_count > 0)
    }
}

/// A metric in two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricChange {
    /// The metric.
    #[serde(deserialize_with = "null")]
    pub metric_name: String,
    /// Who measured.
    pub metric_type: Option<String>,
    /// The event that has it.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// Over the old run.
    #[serde(deserialize_with = "number")]
    pub old_aggregate: Option<f64>,
    /// Over the new run.
    #[serde(deserialize_with = "number")]
    pub new_aggregate: Option<f64>,
    /// New less old.
    #[serde(deserialize_with = "number")]
    pub difference: Option<f64>,
    /// The same in percent of the old.
    #[serde(deserialize_with = "number")]
    pub percentage_change: Option<f64>,
    /// Datapoints that have it in both runs.
    #[serde(deserialize_with = "null")]
    pub found_count: u64,
    /// Datapoints that got better.
    #[serde(deserialize_with = "null")]
    pub improved_count: u64,
    /// Datapoints that got worse.
    #[serde(deserialize_with = "null")]
    pub degraded_count: u64,
    /// Datapoints that stayed.
    #[serde(deserialize_with = "null")]
    pub same_count: u64,
    /// Ids of those that got better.
    #[serde(deserialize_with = "null")]
    pub improved: Vec<String>,
    /// Ids of those that got worse.
    #[serde(deserialize_with = "null")]
    pub degraded: Vec<String>,
    /// Ids of those that stayed.
    #[serde(deserialize_with = "null")]
    pub same: Vec<String>,
    /// What was measured in the old run.
    #[serde(deserialize_with = "null")]
    pub old_values: Vec<Value>,
    /// What was measured in the new run.
    #[serde(deserialize_with = "null")]
    pub new_values: Vec<Value>,
}

/// Which events of two runs to compare; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedEvents {
    /// Events of this name.
    pub event_name: Option<String>,
    /// Events of this kind.
    pub event_type: Option<EventType>,
    /// A filter as the API's documentation has it, in JSON.
    pub filter: Option<String>,
    /// How many on a page.
    pub limit: Option<u32>,
    /// Which page, from 1.
    pub page: Option<u32>,
}

/// Events of two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventComparison {
    /// By datapoint.
    #[serde(deserialize_with = "null")]
    pub events: Vec<EventPair>,
    /// How many there are on all pages.
    #[serde(rename = "totalEvents")]
    pub total_events: Option<u64>,
}

/// The events of one datapoint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventPair {
    /// The datapoint.
    pub datapoint_id: Option<String>,
    /// In the new run; where it has one.
    pub event_1: Option<Event>,
    /// In the old run; where it has one.
    pub event_2: Option<Event>,
}
