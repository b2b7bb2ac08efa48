//! Defines HoneyHive's results of runs: aggregates and comparisons.

use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, EventType};
use super::lenient::{null, number};
use super::run::{Run, RunStatus};

/// The result that HoneyHive computes from a run's sessions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunResult {
    /// The status of the run.
    #[serde(deserialize_with = "null")]
    pub status: RunStatus,
    /// Set when all metrics passed.
    pub success: Option<bool>,
    /// The reason why there is no result.
    pub error: Option<String>,
    /// The ids of datapoints that passed.
    #[serde(deserialize_with = "null")]
    pub passed: Vec<String>,
    /// The ids of datapoints that did not pass.
    #[serde(deserialize_with = "null")]
    pub failed: Vec<String>,
    /// The metrics over all datapoints.
    #[serde(deserialize_with = "null")]
    pub metrics: ResultMetrics,
    /// The results of each datapoint.
    #[serde(deserialize_with = "null")]
    pub datapoints: Vec<RunDatapoint>,
    /// The run itself.
    pub run_object: Option<Run>,
}

impl RunResult {
    /// Returns the metric of this name.
    pub fn metric(&self, name: &str) -> Option<&MetricResult> {
        self.metrics.details.iter().find(|metric| metric.metric_name == name)
    }
}

/// The metrics of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ResultMetrics {
    /// The function that aggregates values, such as `average`.
    pub aggregation_function: Option<String>,
    /// The results, one per metric and kind of event.
    #[serde(deserialize_with = "null")]
    pub details: Vec<MetricResult>,
}

/// A metric over all datapoints of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricResult {
    /// The name of the metric, which is that of the evaluator.
    #[serde(deserialize_with = "null")]
    pub metric_name: String,
    /// The origin of the metric, such as `CLIENT_SIDE`.
    pub metric_type: Option<String>,
    /// The name of the event that has the metric.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// The aggregate of the values; `None` where there is none, such as for texts.
    #[serde(deserialize_with = "number")]
    pub aggregate: Option<f64>,
    /// The single values.
    #[serde(deserialize_with = "null")]
    pub values: Vec<Value>,
    /// The ids of the datapoints that passed and of those that did not.
    #[serde(deserialize_with = "null")]
    pub datapoints: Passing,
    /// The range of passing values: `{"min", "max"}`, or null.
    pub passing_range: Value,
}

/// The datapoints that passed and those that did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Passing {
    /// The ids of datapoints that passed.
    #[serde(deserialize_with = "null")]
    pub passed: Vec<String>,
    /// The ids of datapoints that did not pass.
    #[serde(deserialize_with = "null")]
    pub failed: Vec<String>,
}

/// The result of a datapoint in a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunDatapoint {
    /// The id of the datapoint; sessions that were not started for a datapoint have none.
    pub datapoint_id: Option<String>,
    /// The id of the session that ran it.
    #[serde(deserialize_with = "null")]
    pub session_id: String,
    /// Set when all its metrics passed.
    pub passed: Option<bool>,
    /// The metrics of the datapoint.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<MetricOfDatapoint>,
}

/// A metric of one datapoint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricOfDatapoint {
    /// The name of the metric.
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// The name of the event that has it.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// The measured value.
    pub value: Value,
    /// Set when the value passes.
    pub passed: Option<bool>,
}

/// The metrics of each event of a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunMetrics {
    /// The events: objects with `event_name`, `event_type`, `session_id`, `metadata`, `metrics`.
    #[serde(deserialize_with = "null")]
    pub events: Vec<Event>,
    /// The number of events on all pages.
    #[serde(rename = "totalEvents")]
    pub total_events: Option<u64>,
}

/// The comparison of two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunComparison {
    /// The changes of each metric.
    #[serde(deserialize_with = "null")]
    pub metrics: Vec<MetricChange>,
    /// The ids of the datapoints that both runs have.
    #[serde(rename = "commonDatapoints", deserialize_with = "null")]
    pub common_datapoints: Vec<String>,
    /// The older run, with which the new one is compared.
    pub old_run: Option<Run>,
    /// The newer run.
    pub new_run: Option<Run>,
}

impl RunComparison {
    /// Returns the metrics with at least one datapoint that got better.
    pub fn improved(&self) -> impl Iterator<Item = &MetricChange> {
        self.metrics.iter().filter(|metric| metric.improved_count > 0)
    }

    /// Returns the metrics with at least one datapoint that got worse.
    pub fn degraded(&self) -> impl Iterator<Item = &MetricChange> {
        self.metrics.iter().filter(|metric| metric.degraded_count > 0)
    }
}

/// The change of a metric between two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MetricChange {
    /// The name of the metric.
    #[serde(deserialize_with = "null")]
    pub metric_name: String,
    /// The origin of the metric, such as `CLIENT_SIDE`.
    pub metric_type: Option<String>,
    /// The name of the event that has it.
    pub event_name: Option<String>,
    /// The kind of that event.
    pub event_type: Option<String>,
    /// The aggregate over the old run.
    #[serde(deserialize_with = "number")]
    pub old_aggregate: Option<f64>,
    /// The aggregate over the new run.
    #[serde(deserialize_with = "number")]
    pub new_aggregate: Option<f64>,
    /// The new aggregate minus the old one.
    #[serde(deserialize_with = "number")]
    pub difference: Option<f64>,
    /// The difference in percent of the old aggregate.
    #[serde(deserialize_with = "number")]
    pub percentage_change: Option<f64>,
    /// The number of datapoints that have the metric in both runs.
    #[serde(deserialize_with = "null")]
    pub found_count: u64,
    /// The number of datapoints that got better.
    #[serde(deserialize_with = "null")]
    pub improved_count: u64,
    /// The number of datapoints that got worse.
    #[serde(deserialize_with = "null")]
    pub degraded_count: u64,
    /// The number of datapoints that stayed the same.
    #[serde(deserialize_with = "null")]
    pub same_count: u64,
    /// The ids of the datapoints that got better.
    #[serde(deserialize_with = "null")]
    pub improved: Vec<String>,
    /// The ids of the datapoints that got worse.
    #[serde(deserialize_with = "null")]
    pub degraded: Vec<String>,
    /// The ids of the datapoints that stayed the same.
    #[serde(deserialize_with = "null")]
    pub same: Vec<String>,
    /// The values in the old run.
    #[serde(deserialize_with = "null")]
    pub old_values: Vec<Value>,
    /// The values in the new run.
    #[serde(deserialize_with = "null")]
    pub new_values: Vec<Value>,
}

/// The events of two runs to compare; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComparedEvents {
    /// The name of the events.
    pub event_name: Option<String>,
    /// The kind of the events.
    pub event_type: Option<EventType>,
    /// The filter, in JSON, as described in the API's documentation.
    pub filter: Option<String>,
    /// The number of events on a page.
    pub limit: Option<u32>,
    /// The number of the page, from 1.
    pub page: Option<u32>,
}

/// The events of two runs, side by side.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventComparison {
    /// The events of each datapoint.
    #[serde(deserialize_with = "null")]
    pub events: Vec<EventPair>,
    /// The number of events on all pages.
    #[serde(rename = "totalEvents")]
    pub total_events: Option<u64>,
}

/// The events of one datapoint in two runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EventPair {
    /// The id of the datapoint.
    pub datapoint_id: Option<String>,
    /// The event in the new run, where it has one.
    pub event_1: Option<Event>,
    /// The event in the old run, where it has one.
    pub event_2: Option<Event>,
}
