//! The attributes that say whose a span is, as its receivers read them.
//!
//! They are added where spans leave, not while they are recorded: there they cannot be pushed out
//! by a program's own attributes, and cost nothing when no span leaves.

use serde_json::{Map, Value};

use super::trace::SpanRecord;
use super::{attributes, event_type};

/// Whose a span is. Empty texts are left out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Belongs<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) dataset_id: &'a str,
    pub(crate) datapoint_id: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) project: &'a str,
}

/// The attributes of a span as they leave: its own, and whose it is.
pub(crate) fn leaving(record: &mut SpanRecord, belongs: Belongs<'_>) -> Map<String, Value> {
    let mut all = std::mem::take(&mut record.attributes);
    let kind = event_type::event_type_of(&record.name, &all).to_owned();
    let openinference = match kind.as_str() {
        "model" => "LLM",
        "tool" => "TOOL",
        _ => "CHAIN",
    };
    let is_evaluator = all.get(attributes::EVENT_TYPE).is_some_and(|kind| kind == "evaluator");
    // HoneyHive knows chain, model, tool and session.
    let kind = if is_evaluator { "tool".to_owned() } else { kind };
    all.insert(attributes::EVENT_TYPE.to_owned(), Value::from(kind));
    all.entry("openinference.span.kind")
        .or_insert_with(|| Value::from(if is_evaluator { "EVALUATOR" } else { openinference }));
    let ids = [
        ("run_id", belongs.run_id),
        ("dataset_id", belongs.dataset_id),
        ("datapoint_id", belongs.datapoint_id),
    ];
    let session = [
        ("session_id", belongs.session_id),
        ("source", belongs.source),
        ("project", belongs.project),
    ];
    for (name, value) in ids.into_iter().chain(session).filter(|(_, value)| !value.is_empty()) {
        all.insert(format!("honeyhive.{name}"), Value::from(value));
        all.insert(format!("traceloop.association.properties.{name}"), Value::from(value));
    }
    for (name, value) in ids.into_iter().filter(|(_, value)| !value.is_empty()) {
        all.insert(format!("honeyhive_metadata.{name}"), Value::from(value));
    }
    if !belongs.session_id.is_empty() {
        all.insert("session.id".to_owned(), Value::from(belongs.session_id));
    }
    all
}
