//! Creates, reads and changes the datasets that HoneyHive keeps.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::lenient::{Object, null};
use super::transport::Transport;

/// The fields of a dataset to be created or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewDataset {
    /// The name of the dataset; a new one needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The description of the dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The ids of its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints: Option<Vec<String>>,
}

/// A dataset as HoneyHive stores it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ManagedDataset {
    /// The id of the dataset.
    #[serde(deserialize_with = "null")]
    pub id: String,
    /// The name of the dataset.
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// The description of the dataset.
    pub description: Option<String>,
    /// The ids of its datapoints, in their order.
    #[serde(deserialize_with = "null")]
    pub datapoints: Vec<String>,
    /// The time when it was created, in the server's notation.
    pub created_at: Value,
    /// The time when it was last changed.
    pub updated_at: Value,
}

/// The mapping of the fields of a row to those of a datapoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The fields that are inputs.
    pub inputs: Vec<String>,
    /// The fields that hold the earlier messages of a chat.
    pub history: Vec<String>,
    /// The fields that hold the expected output.
    pub ground_truth: Vec<String>,
}

#[derive(Serialize)]
struct Change<'a> {
    dataset_id: &'a str,
    #[serde(flatten)]
    change: &'a NewDataset,
}

#[derive(Serialize)]
struct Rows<'a> {
    data: &'a [Object],
    mapping: &'a Mapping,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    #[serde(deserialize_with = "null")]
    datasets: Vec<ManagedDataset>,
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
    #[serde(rename = "insertedId")]
    id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Updated {
    result: Option<ManagedDataset>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Added {
    #[serde(deserialize_with = "null")]
    datapoint_ids: Vec<String>,
}

/// The calls about datasets; see [`HoneyHive::datasets`](super::HoneyHive::datasets).
#[derive(Clone, Copy, Debug)]
pub struct Datasets<'a>(pub(super) &'a Transport);

impl Datasets<'_> {
    /// Returns the datasets with this id and this name; all datasets of the project without either.
    ///
    /// # Errors
    /// Returns an [`ApiError`]. A dataset that does not exist is not an error, but gives an empty
    /// list.
    pub async fn list(
        &self,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Vec<ManagedDataset>, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "datasets"]);
        let call = call.query("dataset_id", id).query("name", name);
        Ok(call.fetch::<List>().await?.value.datasets)
    }

    /// Creates a dataset, and returns its id.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn create(&self, dataset: &NewDataset) -> Result<String, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datasets"]).json(dataset);
        let mut answer = call.fetch::<Created>().await?;
        match answer.value.result.id.take() {
            Some(id) => Ok(id),
            None => Err(answer.lacks("`result.insertedId`")),
        }
    }

    /// Changes a dataset, and returns its new state, where the server sends that.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn update(
        &self,
        id: &str,
        change: &NewDataset,
    ) -> Result<Option<ManagedDataset>, ApiError> {
        let change = Change { dataset_id: id, change };
        let call = self.0.call(Method::PUT, &["v1", "datasets"]).json(&change);
        Ok(call.fetch::<Updated>().await?.value.result)
    }

    /// Removes a dataset. Its datapoints stay.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        let call = self.0.call(Method::DELETE, &["v1", "datasets"]);
        call.query("dataset_id", Some(id)).done().await
    }

    /// Creates datapoints from rows, adds them to a dataset, and returns their ids.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn add_datapoints(
        &self,
        id: &str,
        rows: &[Object],
        mapping: &Mapping,
    ) -> Result<Vec<String>, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datasets", id, "datapoints"]);
        let call = call.json(&Rows { data: rows, mapping });
        Ok(call.fetch::<Added>().await?.value.datapoint_ids)
    }

    /// Removes a datapoint from a dataset. The datapoint itself stays.
    ///
    /// # Errors
    /// Returns an [`ApiError`].
    pub async fn remove_datapoint(&self, id: &str, datapoint_id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "datasets", id, datapoint_id]).done().await
    }
}
