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

/// What each field of [`Belongs`] is called, in its order.
const NAMES: [&[&str]; 6] = [
    &["honeyhive.run_id", "traceloop.association.properties.run_id", "honeyhive_metadata.run_id"],
    &[
        "honeyhive.dataset_id",
        "traceloop.association.properties.dataset_id",
        "honeyhive_metadata.dataset_id",
    ],
    &[
        "honeyhive.datapoint_id",
        "traceloop.association.properties.datapoint_id",
        "honeyhive_metadata.datapoint_id",
    ],
    &["honeyhive.session_id", "traceloop.association.properties.session_id", "session.id"],
    &["honeyhive.source", "traceloop.association.properties.source"],
    &["honeyhive.project", "traceloop.association.properties.project"],
];

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
    let values = [
        belongs.run_id,
        belongs.dataset_id,
        belongs.datapoint_id,
        belongs.session_id,
        belongs.source,
        belongs.project,
    ];
    for (value, names) in values.into_iter().zip(NAMES).filter(|(value, _)| !value.is_empty()) {
        for name in names {
            all.insert((*name).to_owned(), Value::from(value));
        }
    }
    all
}
