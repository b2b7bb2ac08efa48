//! Records without secrets, and with `HH_CAPTURE=none`, without contents.

use super::schema::{
    AttemptError, AttemptRecord, ErrorKind, ExperimentRecord, GitRecord, InvocationRecord,
    ScoreRecord,
};
use crate::redact::Redactor;

impl InvocationRecord {
    /// Takes secrets out of the arguments.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        self.arguments.iter_mut().for_each(|argument| redactor.string(argument));
    }
}

impl ExperimentRecord {
    /// Takes secrets out of whatever is written by hand.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        self.evaluators.iter_mut().for_each(|used| redactor.string(&mut used.settings));
        self.tags.iter_mut().for_each(|tag| redactor.string(tag));
        redactor.map(&mut self.metadata);
    }
}

impl GitRecord {
    /// Takes secrets out of what people wrote.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let texts = [&mut self.branch, &mut self.commit_message, &mut self.remote_url];
        texts.into_iter().flatten().for_each(|text| redactor.string(text));
    }
}

impl AttemptRecord {
    /// Takes secrets out of everything but ids and the names of experiment, case and evaluators.
    /// With `HH_CAPTURE=none`, contents are left out: inputs, output, ground truth, history, texts
    /// of errors, what evaluators explain, and the attributes of spans that say the same.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        if redactor.captures() {
            redactor.map(&mut self.inputs);
            self.history.iter_mut().for_each(|turn| redactor.value(turn));
            for value in self.ground_truth.iter_mut().chain(&mut self.output) {
                redactor.value(value);
            }
        } else {
            self.inputs.clear();
            self.history.clear();
            self.ground_truth = None;
            self.output = None;
        }
        self.enrichment.redact(redactor);
        redactor.map(&mut self.metadata);
        self.tags.iter_mut().for_each(|tag| redactor.string(tag));
        self.error.iter_mut().for_each(|error| error.redact(redactor));
        self.scores.iter_mut().for_each(|score| score.redact(redactor));
        self.spans.iter_mut().for_each(|span| span.redact(redactor));
    }
}

impl AttemptError {
    fn redact(&mut self, redactor: &Redactor) {
        match self.kind {
            // These texts are ours; they say how long, or why it was not run.
            ErrorKind::Timeout | ErrorKind::NotRun => redactor.string(&mut self.message),
            _ => redactor.error(&mut self.message),
        }
    }
}

impl ScoreRecord {
    fn redact(&mut self, redactor: &Redactor) {
        self.label.iter_mut().for_each(|label| redactor.string(label));
        self.error.iter_mut().for_each(|error| error.redact(redactor));
        if redactor.captures() {
            self.explanation.iter_mut().for_each(|text| redactor.string(text));
            redactor.map(&mut self.metadata);
        } else {
            self.explanation = None;
            // A judge's answer may be in there, word for word.
            self.metadata.retain(|_, value| value.is_number() || value.is_boolean());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::tracer::{Enrichment, SpanEvent, SpanRecord, SpanStatus};

    /// Every text of this record that is no id or name has this in it.
    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

    fn record() -> AttemptRecord {
        let texts = || -> Map<String, serde_json::Value> {
            let mut map = Map::new();
            map.insert("text".to_owned(), json!([{ KEY: KEY }]));
            map.insert("number".to_owned(), json!(7));
            map
        };
        let error = || AttemptError { kind: ErrorKind::Panic, message: KEY.to_owned() };
        let mut attributes = texts();
        for name in ["honeyhive_inputs.question", "gen_ai.output.messages", "input.value"] {
            attributes.insert(name.to_owned(), KEY.into());
        }
        AttemptRecord {
            case: "case".to_owned(),
            inputs: texts(),
            ground_truth: Some(KEY.into()),
            metadata: texts(),
            tags: vec![KEY.to_owned()],
            history: vec![KEY.into()],
            output: Some(json!(texts())),
            error: Some(error()),
            scores: vec![ScoreRecord {
                evaluator: "right".to_owned(),
                label: Some(KEY.to_owned()),
                explanation: Some(KEY.to_owned()),
                metadata: texts(),
                error: Some(error()),
                ..ScoreRecord::default()
            }],
            spans: vec![SpanRecord {
                name: format!("GET {KEY}"),
                span_id: "00f067aa0ba902b7".to_owned(),
                parent_span_id: None,
                kind: "internal".to_owned(),
                start_unix_ns: 1,
                end_unix_ns: 2,
                status: SpanStatus::Error(KEY.to_owned()),
                attributes: attributes.clone(),
                events: vec![SpanEvent { name: KEY.to_owned(), at_unix_ns: 1, attributes }],
                links: Vec::new(),
            }],
            enrichment: Enrichment::new()
                .metadata("text", KEY)
                .feedback("text", KEY)
                .input("text", KEY)
                .output("text", KEY)
                .error(KEY),
            ..AttemptRecord::default()
        }
    }

    #[test]
    fn no_text_is_forgotten() {
        let mut clean = record();
        clean.redact(&Redactor::default());
        let text = serde_json::to_string(&clean).unwrap();
        assert!(!text.contains(KEY), "{text}");
        // Nothing else is changed.
        let before = serde_json::to_string(&record()).unwrap();
        assert_eq!(before.replace(KEY, crate::redact::REDACTED), text);
    }

    #[test]
    fn a_record_without_contents_says_what_happened() {
        let mut bare = record();
        bare.redact(&Redactor::capturing_nothing());
        assert!(bare.inputs.is_empty() && bare.history.is_empty());
        assert_eq!((&bare.output, &bare.ground_truth), (&None, &None));
        let error = bare.error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Panic, "[not captured]"));
        let score = &bare.scores[0];
        assert_eq!((&score.explanation, score.metadata.len()), (&None, 1));
        assert_eq!(score.label.as_deref(), Some("[redacted]"));
        let span = &bare.spans[0];
        assert_eq!(span.status, SpanStatus::Error("[not captured]".to_owned()));
        let names: Vec<&String> = span.attributes.keys().collect();
        assert_eq!(names, ["number", "text"]);
        assert_eq!(bare.metadata["number"], 7);
        let said = serde_json::to_value(&bare.enrichment).unwrap();
        let texts = json!({"text": "[redacted]"});
        let wanted = json!({"metadata": texts, "feedback": texts, "error": "[not captured]"});
        assert_eq!(said, wanted);
    }
}
