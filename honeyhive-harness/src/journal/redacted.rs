//! Takes secrets out of records, and with `HH_CAPTURE=none` also contents.

use super::schema::{
    AttemptError, AttemptRecord, ErrorKind, ExperimentRecord, GitRecord, InvocationRecord,
    ScoreRecord,
};
use serde_json::Value;

use crate::redact::Redactor;

impl InvocationRecord {
    /// Takes secrets out of the arguments.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        redact_all(&mut self.arguments, redactor);
    }
}

impl ExperimentRecord {
    /// Takes secrets out of the texts that people write: settings, tags and metadata.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        for used in &mut self.evaluators {
            redactor.string(&mut used.settings);
        }
        redact_all(&mut self.tags, redactor);
        redactor.map(&mut self.metadata);
    }
}

impl GitRecord {
    /// Takes secrets out of the texts that people write: branch, message and address.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let texts = [&mut self.branch, &mut self.commit_message, &mut self.remote_url];
        redact_all(texts.into_iter().flatten(), redactor);
    }
}

impl AttemptRecord {
    /// Takes secrets out of everything but ids and the names of experiment, case and evaluators.
    /// With `HH_CAPTURE=none`, contents are left out: inputs, output, ground truth, history, texts
    /// of errors, explanations of evaluators, and the attributes of spans that hold the same.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let mut parts = Vec::new();
        let mut note = |part: &str, changed: bool| {
            if changed {
                parts.push(part.to_owned());
            }
        };
        if redactor.captures() {
            note("inputs", redactor.map(&mut self.inputs));
            let turns = self.history.iter_mut();
            note("history", turns.fold(false, |changed, turn| redactor.value(turn) | changed));
            note("ground_truth", self.ground_truth.as_mut().is_some_and(|it| redactor.value(it)));
            note("output", self.output.as_mut().is_some_and(|it| redactor.value(it)));
        } else {
            self.inputs.clear();
            self.history.clear();
            self.ground_truth = None;
            self.output = None;
        }
        self.enrichment.redact(redactor);
        note("metadata", redactor.map(&mut self.metadata));
        redact_all(&mut self.tags, redactor);
        if let Some(error) = &mut self.error {
            error.redact(redactor);
        }
        self.scores.iter_mut().for_each(|score| score.redact(redactor));
        let spans = self.spans.iter_mut();
        note("spans", spans.fold(false, |changed, span| span.redact(redactor) | changed));
        self.redacted = Some(parts);
    }

    /// Returns those of `parts` from which secrets were taken out, so that they differ from what
    /// the evaluators saw. Journals of older versions do not list them; there, a part is found by
    /// the mark in its text.
    pub(crate) fn redacted_among<'a>(&self, parts: &[&'a str]) -> Vec<&'a str> {
        let marked = |value: &Value| value.to_string().contains(MARK);
        let changed = |part: &&&str| match (&self.redacted, **part) {
            (Some(parts), part) => parts.iter().any(|changed| changed == part),
            (None, "inputs") => self.inputs.values().any(marked),
            (None, "history") => self.history.iter().any(marked),
            (None, "ground_truth") => self.ground_truth.as_ref().is_some_and(marked),
            (None, "output") => self.output.as_ref().is_some_and(marked),
            (None, "metadata") => self.metadata.values().any(marked),
            (None, _) => self.spans.iter().any(|span| span.attributes.values().any(marked)),
        };
        parts.iter().filter(changed).copied().collect()
    }
}

/// The prefix of every text that replaces a redacted one.
const MARK: &str = "[redacted";

fn redact_all<'a>(texts: impl IntoIterator<Item = &'a mut String>, redactor: &Redactor) {
    for text in texts {
        redactor.string(text);
    }
}

impl AttemptError {
    fn redact(&mut self, redactor: &Redactor) {
        match self.kind {
            // These texts are made by the harness; they say how long the function took, or why it
            // was not run.
            ErrorKind::Timeout | ErrorKind::NotRun => redactor.string(&mut self.message),
            _ => redactor.error(&mut self.message),
        };
    }
}

impl ScoreRecord {
    fn redact(&mut self, redactor: &Redactor) {
        redact_all(&mut self.label, redactor);
        if let Some(error) = &mut self.error {
            error.redact(redactor);
        }
        if redactor.captures() {
            redact_all(&mut self.explanation, redactor);
            redactor.map(&mut self.metadata);
        } else {
            self.explanation = None;
            // The metadata may hold the answer of a judge model word for word.
            self.metadata.retain(|_, value| value.is_number() || value.is_boolean());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::tracer::{Enrichment, SpanEvent, SpanRecord, SpanStatus};

    /// A secret that the test puts in every text of the record, except ids and names.
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
        // The other fields stay the same.
        let before = serde_json::to_string(&record()).unwrap();
        let parts = ["inputs", "history", "ground_truth", "output", "metadata", "spans"];
        assert_eq!(clean.redacted_among(&parts), parts);
        clean.redacted = None;
        assert_eq!(clean.redacted_among(&parts), parts, "by the mark, as in older journals");
        let text = serde_json::to_string(&clean).unwrap();
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
