//! Datapoints that HoneyHive keeps.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::HoneyHive;
use super::error::ApiError;
use super::event::{DateRange, EventFilter};
use super::lenient::{Object, null};
use super::runs::batches;

/// A datapoint to be made, or what changes in one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewDatapoint {
    /// What goes in; a new one needs inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Object>,
    /// A chat so far: objects with `role` and `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Value>>,
    /// The right answer; an object as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<Value>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The event it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_event: Option<String>,
    /// Ids of the datasets that have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_datasets: Option<Vec<String>>,
}

/// Datapoints to be made of recorded events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewDatapointBatch {
    /// Ids of the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Which fields of an event become what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Object>,
    /// Instead of ids, which events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<EventFilter>>,
    /// When those events began.
    #[serde(rename = "dateRange", skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
    /// By id of an event, whether it is meant.
    #[serde(rename = "checkState", skip_serializing_if = "Option::is_none")]
    pub check_state: Option<Object>,
    /// Whether all that the filters find are meant.
    #[serde(rename = "selectAll", skip_serializing_if = "Option::is_none")]
    pub select_all: Option<bool>,
    /// The dataset to add them to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
}

/// A datapoint as HoneyHive has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ManagedDatapoint {
    /// Its id.
    #[serde(deserialize_with = "null")]
    pub id: String,
    /// What goes in.
    #[serde(deserialize_with = "null")]
    pub inputs: Object,
    /// A chat so far.
    #[serde(deserialize_with = "null")]
    pub history: Vec<Value>,
    /// The right answer, or null.
    pub ground_truth: Value,
    /// Anything else.
    #[serde(deserialize_with = "null")]
    pub metadata: Object,
    /// The event it was made of.
    pub linked_event: Option<String>,
    /// Ids of the datasets that have it.
    #[serde(deserialize_with = "null")]
    pub linked_datasets: Vec<String>,
    /// When it was made, as the server writes times.
    pub created_at: Value,
    /// When it was last changed.
    pub updated_at: Value,
}

/// The server answers with a list of one; the one alone would do.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOf {
    List(Vec<ManagedDatapoint>),
    One(Box<ManagedDatapoint>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Single {
    datapoint: Option<OneOf>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    #[serde(deserialize_with = "null")]
    datapoints: Vec<ManagedDatapoint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Created {
    #[serde(deserialize_with = "null")]
    result: Inserted,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inserted {
    #[serde(rename = "insertedIds", deserialize_with = "null")]
    ids: Vec<String>,
}

/// The calls about datapoints; see [`HoneyHive::datapoints`].
#[derive(Clone, Copy, Debug)]
pub struct Datapoints<'a>(pub(super) &'a HoneyHive);

impl Datapoints<'_> {
    /// A datapoint.
    ///
    /// # Errors
    /// See [`ApiError`]; 404 when there is none.
    pub async fn get(&self, id: &str) -> Result<ManagedDatapoint, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "datapoints", id]);
        let mut answer = call.fetch_strict::<Single>().await?;
        let found = match answer.value.datapoint.take() {
            Some(OneOf::List(list)) => list.into_iter().next(),
            Some(OneOf::One(one)) => Some(*one),
            None => None,
        };
        found.ok_or_else(|| answer.lacks("datapoint"))
    }

    /// The datapoints with these ids and of the dataset of this name. More than 100 ids are asked
    /// for in several calls. Those that do not exist are missing in the list, whose order is the
    /// server's.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn list(
        &self,
        ids: &[String],
        dataset_name: Option<&str>,
    ) -> Result<Vec<ManagedDatapoint>, ApiError> {
        let mut all = Vec::with_capacity(ids.len());
        for ids in batches(ids) {
            let call = self.0.call(Method::GET, &["v1", "datapoints"]);
            let call = call.list("datapoint_ids", ids).query("dataset_name", dataset_name);
            all.extend(call.fetch::<List>().await?.value.datapoints);
        }
        Ok(all)
    }

    /// Makes a datapoint, and says its id.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create(&self, datapoint: &NewDatapoint) -> Result<String, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datapoints"]).json(datapoint);
        let mut answer = call.fetch::<Created>().await?;
        answer.value.result.ids.pop().ok_or_else(|| answer.lacks("`result.insertedIds`"))
    }

    /// Makes datapoints of recorded events, and says their ids.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create_batch(&self, batch: &NewDatapointBatch) -> Result<Vec<String>, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datapoints", "batch"]).json(batch);
        Ok(call.fetch::<Inserted>().await?.value.ids)
    }

    /// Changes a datapoint.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn update(&self, id: &str, change: &NewDatapoint) -> Result<(), ApiError> {
        self.0.call(Method::PUT, &["v1", "datapoints", id]).json(change).done().await
    }

    /// Removes a datapoint.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "datapoints", id]).done().await
    }
}
