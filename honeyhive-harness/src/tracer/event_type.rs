//! The kind of work of a span (`model`, `chain`, `tool`), where the span does not have it as an attribute.
//!
//! Libraries that trace calls of models say it in one of two vocabularies, those of `OpenTelemetry`
//! and of `OpenInference`. HoneyHive knows `model`, `chain` and `tool`.

use serde_json::{Map, Value};

use super::{SpanRecord, attributes};

/// The values of `gen_ai.operation.name`.
const OPERATIONS: [(&str, &str); 9] = [
    ("chat", "model"),
    ("text_completion", "model"),
    ("generate_content", "model"),
    ("embeddings", "model"),
    ("invoke_agent", "chain"),
    ("create_agent", "chain"),
    ("invoke_workflow", "chain"),
    ("execute_tool", "tool"),
    ("retrieval", "tool"),
];

/// The values of `openinference.span.kind`.
const KINDS: [(&str, &str); 8] = [
    ("LLM", "model"),
    ("CHAIN", "chain"),
    ("AGENT", "chain"),
    ("TOOL", "tool"),
    ("RETRIEVER", "tool"),
    ("EMBEDDING", "tool"),
    ("RERANKER", "tool"),
    ("GUARDRAIL", "tool"),
];

/// Words in the name of a span that calls a model.
const MODEL_WORDS: [&str; 14] = [
    "anthropic",
    "chat",
    "claude",
    "completion",
    "completions",
    "embedding",
    "embeddings",
    "gemini",
    "generate",
    "generation",
    "gpt",
    "llama",
    "llm",
    "openai",
];

/// Returns `model`, `chain` or `tool`, or the type that the span itself has.
///
/// A span that says `tool` may still be something else by its vocabulary, as that is what a
/// function under `#[trace]` is by default; but not by its name.
pub(crate) fn event_type_of<'a>(name: &str, attributes: &'a Map<String, Value>) -> &'a str {
    let said = attributes.get(attributes::EVENT_TYPE).and_then(Value::as_str);
    if let Some(said) = said.filter(|said| *said != "tool" && !said.is_empty()) {
        return said;
    }
    let known = |key, known: &[(&str, &'static str)]| {
        let value = attributes.get(key)?.as_str()?;
        known.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)).map(|(_, kind)| *kind)
    };
    known("gen_ai.operation.name", &OPERATIONS)
        .or_else(|| known("openinference.span.kind", &KINDS))
        .unwrap_or(if said.is_none() && names_a_model(name) { "model" } else { "tool" })
}

/// Returns whether one of the words in a name is about models: `ChatCompletion`, `openai.chat`.
fn names_a_model(name: &str) -> bool {
    let mut words = String::with_capacity(name.len() + 8);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = c.is_lowercase();
        words.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    words
        .split(' ')
        .any(|word| MODEL_WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
}

impl SpanRecord {
    /// Returns the kind of work of the span: its own event type (`chain`, `model`, `tool`,
    /// `evaluator`), else the one that `gen_ai.operation.name`, `openinference.span.kind` or its name tell,
    /// else `tool`.
    pub fn event_type(&self) -> &str {
        event_type_of(&self.name, &self.attributes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_kind_of_a_foreign_span() {
        let operation = "gen_ai.operation.name";
        let kind = "openinference.span.kind";
        let own = "honeyhive_event_type";
        for (name, attributes, wanted) in [
            // What the span says, but for `tool`.
            ("x", json!({own: "chain", operation: "chat"}), "chain"),
            ("x", json!({own: "evaluator"}), "evaluator"),
            ("x", json!({own: "bogus", kind: "LLM"}), "bogus"),
            ("x", json!({own: "tool", operation: "chat"}), "model"),
            ("x", json!({own: "tool", kind: "AGENT"}), "chain"),
            ("my_app::chat::log", json!({own: "tool"}), "tool"),
            ("chat", json!({own: ""}), "tool"),
            ("chat", json!({own: 3}), "model"),
            // OpenTelemetry, before OpenInference.
            ("x", json!({operation: "chat", kind: "TOOL"}), "model"),
            ("x", json!({operation: "text_completion"}), "model"),
            ("x", json!({operation: "generate_content"}), "model"),
            ("x", json!({operation: "embeddings"}), "model"),
            ("x", json!({operation: "invoke_agent"}), "chain"),
            ("x", json!({operation: "create_agent"}), "chain"),
            ("x", json!({operation: "invoke_workflow"}), "chain"),
            ("chat", json!({operation: "execute_tool"}), "tool"),
            ("chat", json!({operation: "retrieval"}), "tool"),
            ("x", json!({operation: "new", kind: "llm"}), "model"),
            // OpenInference.
            ("x", json!({kind: "LLM"}), "model"),
            ("x", json!({kind: "CHAIN"}), "chain"),
            ("x", json!({kind: "agent"}), "chain"),
            ("chat", json!({kind: "TOOL"}), "tool"),
            ("x", json!({kind: "RETRIEVER"}), "tool"),
            ("x", json!({kind: "EMBEDDING"}), "tool"),
            ("x", json!({kind: "RERANKER"}), "tool"),
            ("x", json!({kind: "GUARDRAIL"}), "tool"),
            // Names.
            ("openai.chat", json!({}), "model"),
            ("ChatCompletion", json!({}), "model"),
            ("gpt-4o", json!({}), "model"),
            ("call gpt4", json!({}), "model"),
            ("claude", json!({}), "model"),
            ("generateContent", json!({}), "model"),
            ("chatter", json!({}), "tool"),
            ("regenerated", json!({}), "tool"),
            ("", json!({}), "tool"),
        ] {
            let Value::Object(attributes) = attributes else { panic!() };
            assert_eq!(event_type_of(name, &attributes), wanted, "{name} {attributes:?}");
        }
    }
}
