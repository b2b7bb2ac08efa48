//! Updates of a session that HoneyHive gets after the session was started.

use serde_json::{Map, Value};

use crate::api::EventUpdate;
use crate::tracer::Enrichment;

/// Returns the metadata of an enrichment, with what an update of a session has no field for: its
/// inputs and its error.
pub(crate) fn metadata(said: &mut Enrichment) -> Map<String, Value> {
    let mut metadata = std::mem::take(&mut said.metadata);
    let inputs = std::mem::take(&mut said.inputs);
    if !inputs.is_empty() {
        metadata.insert("inputs".to_owned(), inputs.into());
    }
    if let Some(error) = said.error.take() {
        metadata.insert("error".to_owned(), error.into());
    }
    metadata
}

/// Makes the update of a session. A server may merge it with what it has, or put it in its place,
/// so it holds all that is known; kinds without a value are left out.
pub(crate) fn update(id: &str, metadata: Map<String, Value>, said: Enrichment) -> EventUpdate {
    let some = |fields: Map<String, Value>| (!fields.is_empty()).then_some(fields);
    EventUpdate {
        event_id: id.to_owned(),
        metadata: some(metadata),
        metrics: some(said.metrics),
        feedback: some(said.feedback),
        outputs: some(said.outputs),
        config: some(said.config),
        user_properties: some(said.user_properties),
        ..EventUpdate::default()
    }
}
