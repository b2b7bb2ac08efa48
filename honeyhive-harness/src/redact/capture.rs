//! Decides what `HH_CAPTURE=none` leaves out of spans.

use serde_json::{Map, Value};

use super::Redactor;

/// The replacement for a text that must not be recorded.
const NOT_CAPTURED: &str = "[not captured]";

/// The attributes that are contents.
const CONTENTS: [&str; 14] = [
    "error.message",
    "evaluator.explanation",
    "exception.message",
    "exception.stacktrace",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "honeyhive_error",
    "input.value",
    "output.value",
    "traceloop.entity.input",
    "traceloop.entity.output",
];

/// The beginnings of the names of further such attributes: the attribute itself, or one below it.
const FAMILIES: [&str; 11] = [
    "gen_ai.completion",
    "gen_ai.prompt",
    "honeyhive_ground_truth",
    "honeyhive_history",
    "honeyhive_inputs",
    "honeyhive_outputs",
    "llm.completions",
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "retrieval.documents",
];

fn is_content(name: &str) -> bool {
    let below = |family: &&str| {
        name.strip_prefix(*family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    CONTENTS.contains(&name)
        || FAMILIES.iter().any(below)
        || name.rsplit('.').next() == Some("content")
        || (name.starts_with("gen_ai.") && name.ends_with(".messages"))
}

impl Redactor {
    /// Returns whether inputs and outputs are recorded.
    pub(crate) fn captures(&self) -> bool {
        !self.0.capture_none
    }

    /// Takes secrets out of the attributes of a span or event; with `HH_CAPTURE=none`, takes out
    /// those that are contents. Returns whether a secret was taken out.
    pub(crate) fn attributes(&self, attributes: &mut Map<String, Value>) -> bool {
        if !self.captures() {
            attributes.retain(|name, _| !is_content(name));
        }
        self.map(attributes)
    }

    /// Takes secrets out of the text of an error; with `HH_CAPTURE=none`, replaces it as a whole.
    /// Returns whether a secret was taken out.
    pub(crate) fn error(&self, text: &mut String) -> bool {
        if self.captures() {
            return self.string(text);
        }
        NOT_CAPTURED.clone_into(text);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_known_by_their_names() {
        for name in [
            "honeyhive_inputs",
            "honeyhive_inputs.question",
            "honeyhive_outputs.result",
            "gen_ai.prompt.0.content",
            "gen_ai.input.messages",
            "gen_ai.some.new.messages",
            "llm.input_messages.0.message.content",
            "exception.message",
            "content",
        ] {
            assert!(is_content(name), "{name}");
        }
        for name in [
            "honeyhive_inputs_count",
            "honeyhive_metadata.model",
            "honeyhive_metrics.correct",
            "gen_ai.usage.input_tokens",
            "gen_ai.request.model",
            "gen_ai.prompts",
            "exception.type",
            "evaluator.label",
            "content_length",
        ] {
            assert!(!is_content(name), "{name}");
        }
    }
}
