//! Datasets that HoneyHive keeps.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::HoneyHive;
use super::error::ApiError;
use super::lenient::{Object, null};

/// A dataset to be made, or what changes in one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewDataset {
    /// What people call it; a new one needs a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Ids of its datapoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints: Option<Vec<String>>,
}

/// A dataset as HoneyHive has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ManagedDataset {
    /// Its id.
    #[serde(deserialize_with = "null")]
    pub id: String,
    /// What people call it.
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// What is in it.
    pub description: Option<String>,
    /// Ids of its datapoints, in their order.
    #[serde(deserialize_with = "null")]
    pub datapoints: Vec<String>,
    /// When it was made, as the server writes times.
    pub created_at: Value,
    /// When it was last changed.
    pub updated_at: Value,
}

/// Which fields of a row become what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// Fields that are inputs.
    pub inputs: Vec<String>,
    /// Fields that hold a chat so far.
    pub history: Vec<String>,
    /// Fields that hold the right answer.
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

/// The calls about datasets; see [`HoneyHive::datasets`].
#[derive(Clone, Copy, Debug)]
pub struct Datasets<'a>(pub(super) &'a HoneyHive);

impl Datasets<'_> {
    /// The datasets with this id and this name; all of the project without either.
    ///
    /// # Errors
    /// See [`ApiError`]. A dataset that does not exist is an empty list.
    pub async fn list(
        &self,
        id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Vec<ManagedDataset>, ApiError> {
        let call = self.0.call(Method::GET, &["v1", "datasets"]);
        let call = call.query("dataset_id", id).query("name", name);
        Ok(call.fetch::<List>().await?.value.datasets)
    }

    /// Makes a dataset, and says its id.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn create(&self, dataset: &NewDataset) -> Result<String, ApiError> {
        let call = self.0.call(Method::POST, &["v1", "datasets"]).json(dataset);
        let mut answer = call.fetch::<Created>().await?;
        match answer.value.result.id.take() {
            Some(id) => Ok(id),
            None => Err(answer.lacks("`result.insertedId`")),
        }
    }

    /// Changes a dataset, and says what it is then, where the server does.
    ///
    /// # Errors
    /// See [`ApiError`].
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
    /// See [`ApiError`].
    pub async fn delete(&self, id: &str) -> Result<(), ApiError> {
        let call = self.0.call(Method::DELETE, &["v1", "datasets"]);
        call.query("dataset_id", Some(id)).done().await
    }

    /// Makes datapoints of rows and adds them to a dataset; says their ids.
    ///
    /// # Errors
    /// See [`ApiError`].
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

    /// Takes a datapoint out of a dataset. The datapoint stays.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn remove_datapoint(&self, id: &str, datapoint_id: &str) -> Result<(), ApiError> {
        self.0.call(Method::DELETE, &["v1", "datasets", id, datapoint_id]).done().await
    }
}
