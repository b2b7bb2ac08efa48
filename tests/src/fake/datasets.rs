//! Serves datasets that are kept in HoneyHive.

use serde_json::{Value, json};

use super::Options;
use super::route::{Refused, created_at, query, with};
use super::state::Request;

/// The largest number of datapoints in one request; the real server has the same limit.
const MAX_IDS: usize = 100;

/// A dataset that is served.
#[derive(Debug)]
pub(super) struct Dataset {
    pub(super) id: String,
    pub(super) name: String,
    /// The datapoints, each with its `id`.
    pub(super) datapoints: Vec<Value>,
}

pub(super) fn list(options: &Options, request: &Request) -> Result<Value, Refused> {
    let query = query(request, &["dataset_id", "name"])?;
    let fits = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
    let found = options.datasets.iter().filter(|dataset| {
        fits(query.one("dataset_id"), &dataset.id) && fits(query.one("name"), &dataset.name)
    });
    let datasets = found.map(|dataset| {
        let ids: Vec<&Value> = dataset.datapoints.iter().map(|row| &row["id"]).collect();
        json!({
            "id": dataset.id,
            "name": dataset.name,
            "description": "",
            "datapoints": ids,
            "created_at": created_at(),
            "updated_at": null,
        })
    });
    Ok(json!({"datasets": datasets.collect::<Vec<_>>()}))
}

pub(super) fn datapoint(options: &Options, request: &Request) -> Result<Value, Refused> {
    query(request, &[])?;
    let id = &request.parameters[0];
    let found = rows(options).find(|(_, row)| row["id"] == **id);
    let (dataset, row) = found.ok_or_else(|| Refused::missing(format!("no datapoint {id}")))?;
    Ok(json!({"datapoint": [object(dataset, row)]}))
}

pub(super) fn datapoints(options: &Options, request: &Request) -> Result<Value, Refused> {
    let query = query(request, &["datapoint_ids[]", "dataset_name"])?;
    let ids = query.all("datapoint_ids[]");
    if ids.len() > MAX_IDS {
        return Err(Refused::new(400, format!("{} ids at once", ids.len())));
    }
    let name = query.one("dataset_name");
    if ids.is_empty() && name.is_none() {
        return Err(Refused::new(400, "neither datapoint_ids[] nor dataset_name"));
    }
    let found = rows(options).filter(|(dataset, row)| {
        (ids.is_empty() || row["id"].as_str().is_some_and(|id| ids.contains(&id)))
            && name.is_none_or(|name| name == dataset.name)
    });
    let found: Vec<Value> = found.map(|(dataset, row)| object(dataset, row)).collect();
    Ok(json!({"datapoints": found}))
}

/// Returns all rows that are not missing.
fn rows(options: &Options) -> impl Iterator<Item = (&Dataset, &Value)> {
    let all = options.datasets.iter();
    let all = all.flat_map(|dataset| dataset.datapoints.iter().map(move |row| (dataset, row)));
    all.filter(|(_, row)| {
        !row["id"].as_str().is_some_and(|id| options.missing.iter().any(|other| other == id))
    })
}

fn object(dataset: &Dataset, row: &Value) -> Value {
    with(
        row.clone(),
        json!({
            "inputs": {},
            "history": [],
            "ground_truth": null,
            "metadata": null,
            "linked_event": null,
            "created_at": created_at(),
            "updated_at": null,
            "linked_datasets": [dataset.id],
        }),
    )
}
