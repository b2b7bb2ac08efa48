//! The attributes of a span's run, dataset, datapoint and session, by the names that its receivers read.
//!
//! They are added where spans leave, not while they are recorded: there they cannot be pushed out
//! by a program's own attributes, and cost nothing when no span leaves.

use serde_json::{Map, Value};

use super::trace::SpanRecord;
use super::{attributes, event_type};

/// The ids that a span belongs to. Empty texts are left out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Belongs<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) dataset_id: &'a str,
    pub(crate) datapoint_id: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) project: &'a str,
}

/// The attribute names of each field of [`Belongs`], in its order.
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

/// Returns the attributes of a span as they are sent: its own, and the ids that it belongs to.
pub(crate) fn leaving(record: &mut SpanRecord, belongs: Belongs<'_>) -> Map<String, Value> {
    let mut all = std::mem::take(&mut record.attributes);
    let kind = event_type::event_type_of(&record.name, &all).to_owned();
    contents(&mut all);
    model(&mut all);
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

/// Adds a text as it is, anything else as JSON, and its media type, under the names of `OpenInference`.
pub(crate) fn content(all: &mut Map<String, Value>, key: &str, value: &Value) {
    match value {
        Value::String(text) => typed(all, key, text.clone(), "text/plain"),
        other => typed(all, key, other.to_string(), "application/json"),
    }
}

/// Adds a text with this media type.
pub(crate) fn typed(all: &mut Map<String, Value>, key: &str, text: String, kind: &str) {
    all.insert(format!("{key}.value"), text.into());
    all.insert(format!("{key}.mime_type"), kind.into());
}

/// Adds inputs and outputs under the names of `OpenInference`, where `#[trace]` or an enrichment recorded
/// them under HoneyHive's.
fn contents(all: &mut Map<String, Value>) {
    for (prefix, key) in [("honeyhive_inputs.", "input"), ("honeyhive_outputs.", "output")] {
        if all.contains_key(&format!("{key}.value")) {
            continue;
        }
        let said = all.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        let said: Vec<(&str, &Value)> = said.collect();
        let Some(value) = joined(&said) else { continue };
        // The one that `#[trace]` sets is the value itself.
        let value = match value {
            Value::Object(mut fields) if key == "output" && fields.len() == 1 => {
                fields.remove("result").unwrap_or(Value::Object(fields))
            }
            other => other,
        };
        content(all, key, &value);
    }
}

/// Returns the one value whose leaves became these attributes: `a.b.0`.
fn joined(leaves: &[(&str, &Value)]) -> Option<Value> {
    if let [("", leaf)] = leaves {
        return Some((*leaf).clone());
    }
    if leaves.is_empty() {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for (path, _) in leaves {
        let name = path.split('.').next().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let below = |name: &str| -> Vec<(&str, &Value)> {
        let of = leaves.iter().filter_map(|(path, leaf)| {
            let rest = path.strip_prefix(name)?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
            Some((rest, *leaf))
        });
        of.collect()
    };
    let mut fields = Map::new();
    for name in names {
        let of = below(name);
        // A name that is both a leaf and the beginning of others: the leaf is kept.
        let leaf = of.iter().find(|(rest, _)| rest.is_empty()).map(|(_, leaf)| (*leaf).clone());
        if let Some(value) = leaf.or_else(|| joined(&of)) {
            fields.insert(name.to_owned(), value);
        }
    }
    let is_list = (0..fields.len()).all(|index| fields.contains_key(&index.to_string()));
    if is_list {
        let indexes = 0..fields.len();
        let at = |index: usize| fields.remove(&index.to_string());
        return Some(Value::Array(indexes.map(at).collect::<Option<_>>()?));
    }
    Some(Value::Object(fields))
}

/// Adds the model that was called, and the tokens that it took, in all vocabularies: those of
/// `OpenTelemetry`, `OpenInference` and HoneyHive. The first name that is there counts for the others.
fn model(all: &mut Map<String, Value>) {
    const NAMES: [&[&str]; 5] = [
        &[
            "gen_ai.request.model",
            "llm.model_name",
            "gen_ai.response.model",
            "honeyhive_config.model",
            "honeyhive_metadata.model",
        ],
        &["gen_ai.provider.name", "llm.provider", "gen_ai.system", "honeyhive_config.provider"],
        &[
            "gen_ai.usage.input_tokens",
            "llm.token_count.prompt",
            "honeyhive_metadata.prompt_tokens",
            "honeyhive_metrics.prompt_tokens",
            "gen_ai.usage.prompt_tokens",
        ],
        &[
            "gen_ai.usage.output_tokens",
            "llm.token_count.completion",
            "honeyhive_metadata.completion_tokens",
            "honeyhive_metrics.completion_tokens",
            "gen_ai.usage.completion_tokens",
        ],
        &[
            "llm.token_count.total",
            "honeyhive_metadata.total_tokens",
            "honeyhive_metrics.total_tokens",
        ],
    ];
    for names in NAMES {
        let found = names.iter().find_map(|name| all.get(*name)).filter(|value| !value.is_null());
        let Some(value) = found.cloned() else { continue };
        let is_total = names[0] == "llm.token_count.total";
        for name in &names[..if is_total { 1 } else { 2 }] {
            all.entry(*name).or_insert_with(|| value.clone());
        }
    }
    let count = |name: &str| all.get(name).and_then(Value::as_u64);
    let both = count("llm.token_count.prompt").zip(count("llm.token_count.completion"));
    if let Some((prompt, completion)) = both {
        all.entry("llm.token_count.total").or_insert_with(|| (prompt + completion).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn left(attributes: Value) -> Map<String, Value> {
        let Value::Object(attributes) = attributes else { panic!("an object") };
        let mut record = SpanRecord {
            name: "step".to_owned(),
            span_id: String::new(),
            parent_span_id: None,
            kind: "internal".to_owned(),
            start_unix_ns: 0,
            end_unix_ns: 0,
            status: crate::tracer::SpanStatus::Unset,
            attributes,
            events: Vec::new(),
            links: Vec::new(),
        };
        leaving(&mut record, Belongs::default())
    }

    #[test]
    fn what_went_in_and_came_out_has_the_names_of_openinference_too() {
        let all = left(json!({
            "honeyhive_inputs.question": "why", "honeyhive_inputs.k": 3,
            "honeyhive_outputs.result.answer": "so", "honeyhive_outputs.result.docs.0": "a",
            "honeyhive_outputs.result.docs.1": "b",
        }));
        let json_of =
            |key: &str| -> Value { serde_json::from_str(all[key].as_str().unwrap()).unwrap() };
        assert_eq!(json_of("input.value"), json!({"question": "why", "k": 3}));
        assert_eq!(json_of("output.value"), json!({"answer": "so", "docs": ["a", "b"]}));
        assert_eq!(all["output.mime_type"], "application/json");
        let all = left(json!({"honeyhive_outputs.result": "so", "input.value": "mine"}));
        assert_eq!((&all["output.value"], &all["input.value"]), (&json!("so"), &json!("mine")));
        assert_eq!(all["output.mime_type"], "text/plain");
        assert!(!left(json!({"a": 1})).contains_key("input.value"));
    }

    #[test]
    fn models_and_tokens_are_said_in_each_vocabulary() {
        let all = left(json!({
            "honeyhive_metadata.model": "m-1", "honeyhive_metrics.prompt_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
        }));
        assert_eq!(
            (&all["llm.model_name"], &all["gen_ai.request.model"]),
            (&json!("m-1"), &json!("m-1"))
        );
        assert_eq!(all["llm.token_count.prompt"], 12);
        assert_eq!(all["llm.token_count.completion"], 3);
        assert_eq!(all["llm.token_count.total"], 15);
        assert_eq!(all["gen_ai.usage.input_tokens"], 12);
    }
}
