//! Creates, reads and changes the datapoints that HoneyHive keeps.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::event::{DateRange, EventFilter};
use super::lenient::{Object, null};
use super::runs::batches;
use super::transport::Transport;

/// The fields of a datapoint to be created or changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewDatapoint {
    /// The inputs; a new datapoint needs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Object>,
    /// The earlier messages of a chat: objects with `role` and `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Value>>,
    /// The expected output; usually an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<Value>,
    /// Further data about the datapoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// The id of the event that the datapoint was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_event: Option<String>,
    /// The ids of the datasets that contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_datasets: Option<Vec<String>>,
}

/// The recorded events from which datapoints are to be created.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewDatapointBatch {
    /// The ids of the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// The mapping of fields of an event to fields of a datapoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Object>,
    /// The filters that choose the events, instead of ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<EventFilter>>,
    /// The range of time in which those events began.
    #[serde(rename = "dateRange", skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
    /// The events that are meant: for the id of an event, whether it is.
    #[serde(rename = "checkState", skip_serializing_if = "Option::is_none")]
    pub check_state: Option<Object>,
    /// Set to mean all events that the filters find.
    #[serde(rename = "selectAll", skip_serializing_if = "Option::is_none")]
    pub select_all: Option<bool>,
    /// The id of the dataset to add them to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
}

/// A datapoint as HoneyHive stores it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ManagedDatapoint {
    /// The id of the datapoint.
    #[serde(deserialize_with = "null")]
    pub id: String,
    /// The inputs.
    #[serde(deserialize_with = "null")]
    pub inputs: Object,
    /// The earlier messages of a chat.
    #[serde(deserialize_with = "null")]
    pub history: Vec<Value>,
    /// The expected output, or null.
    pub ground_truth: Value,
    /// Further data about the datapoint.
    #[serde(deserialize_with = "null")]
    pub metadata: Object,
    /// The id of the event that it was made from.
    pub linked_event: Option<String>,
    /// The ids of the datasets that contain it.
    #[serde(deserialize_with = "null")]
    pub linked_datasets: Vec<String>,
    /// The time when it was created, in the server's notation.
    pub created_at: Value,
    /// The time when it was last changed.
    pub updated_at: Value,
}

/// The answer of the server, which is a list of one; the datapoint alone is accepted, too.
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

/// The calls about datapoints; see [`HoneyHive::datapoints`](super::HoneyHive::datapoints).
#[derive(Clone, Copy, Debug)]
pub struct Datapoints<'a>(pub(super) &'a Transport);

impl Datapoints<'_> {
    /// Returns a datapoint.
    ///
    /// # Errors
    /// Returns an [`ApiError`]; its status is 404 when the datapoint does not exist.
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

    /// Returns the datapoints with these ids and of the dataset of this name. More than 100 ids
    /// take several calls. Datapoints that do not exist are missing in the list, whose order is the
    /// server's.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
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

    /// Creates a datapoint, and returns its id.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create(&self, datapoint: &NewDatapoint) -> Result<String, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datapoints"]).json(datapoint);
        let mut answer = call.fetch::<Created>().await?;
        answer.value.result.ids.pop().ok_or_else(|| answer.lacks("`result.insertedIds`"))
    }

    /// Creates datapoints from recorded events, and returns their ids.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create_batch(&self, batch: &NewDatapointBatch) -> Result<Vec<String>, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datapoints", "batch"]).json(batch);
        Ok(call.fetch::<Inserted>().await?.value.ids)
    }

    /// Changes a datapoint.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn update(&self, id: &str, change: &NewDatapoint) -> Result<(), ApiError> {
        self.0.call(Method::PUT, &["v1", "datapoints", id]).json(change).done().await
    }

    /// Removes a datapoint.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "datapoints", id]).done().await
    }
}
