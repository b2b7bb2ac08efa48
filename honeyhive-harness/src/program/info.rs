//! The facts that all spans and sessions of one tracer have in common.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::api::{EventUpdate, NewSession};
use crate::redact::Redactor;
use crate::send::{ResourceInfo, session};
use crate::tracer::families::Belongs;
use crate::tracer::{Enrichment, Ids, unix_ns};

/// The facts that all spans and sessions of one tracer have in common.
#[derive(Debug)]
pub(super) struct TracerInfo {
    pub(super) resource: ResourceInfo,
    pub(super) ids: Ids,
    pub(super) source: String,
    pub(super) project: Option<String>,
    pub(super) redactor: Redactor,
}

impl TracerInfo {
    /// Returns the ids that are known, as the metadata of a session has them.
    fn metadata(&self) -> Map<String, Value> {
        let Ids { run_id, dataset_id, datapoint_id, .. } = &self.ids;
        [("run_id", run_id), ("dataset_id", dataset_id), ("datapoint_id", datapoint_id)]
            .into_iter()
            .filter(|(_, id)| !id.is_empty())
            .map(|(key, id)| (key.to_owned(), Value::from(id.as_ref())))
            .collect()
    }

    /// Returns what a span of the session says of what it belongs to.
    pub(super) fn belongs<'a>(&'a self, session_id: &'a str) -> Belongs<'a> {
        Belongs {
            run_id: &self.ids.run_id,
            dataset_id: &self.ids.dataset_id,
            datapoint_id: &self.ids.datapoint_id,
            session_id,
            source: &self.source,
            project: self.project.as_deref().unwrap_or_default(),
        }
    }

    /// Makes the request that starts a session now.
    pub(super) fn new_session(
        &self,
        id: &str,
        name: String,
        inputs: Option<Map<String, Value>>,
    ) -> NewSession {
        NewSession {
            session_id: Some(id.to_owned()),
            session_name: Some(name),
            source: Some(self.source.clone()),
            project: self.project.clone(),
            start_time: Some(unix_ns(SystemTime::now()) / 1_000_000),
            inputs,
            metadata: Some(self.metadata()).filter(|metadata| !metadata.is_empty()),
            ..NewSession::default()
        }
    }

    /// Makes the update of a session out of its enrichment.
    pub(super) fn update(&self, id: &str, mut said: Enrichment) -> EventUpdate {
        said.redact(&self.redactor);
        let mut metadata = session::metadata(&mut said);
        if !metadata.is_empty() {
            for (key, value) in self.metadata() {
                metadata.entry(key).or_insert(value);
            }
        }
        session::update(id, metadata, said)
    }

    /// Returns whether spans of both can go in one request.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.source == other.source && self.resource == other.resource
    }
}
