//! Enrichments: data that code adds to its span or its session.

use opentelemetry::trace::{SpanRef, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::flatten::{Attributes, LONGEST, shorten};
use super::{CurrentTracer, Span, attributes, current_tracer};
use crate::json;
use crate::redact::Redactor;

/// The most values of one kind that an enrichment may hold.
const MOST: usize = 512;

/// The largest size of one value, in bytes of JSON.
const LARGEST: usize = 1 << 20;

/// Data that is added to a span or a session, beside what is recorded by itself.
///
/// Values are anything that is `Serialize`. On a span each of them becomes an attribute
/// `honeyhive_<kind>.<key>`, and an object one per field of it, `honeyhive_metadata.model.name`.
///
/// ```
/// use honeyhive_harness::{Enrichment, Tracer, enrich_span};
///
/// let tracer = Tracer::builder().local().build();
/// tracer.in_span("retrieve", |_| {
///     // Anywhere below, without the tracer at hand:
///     enrich_span(Enrichment::new().metadata("index", "docs-v3").metric("documents", 12));
/// });
/// let span = &tracer.trace().spans[0];
/// assert_eq!(span.attributes["honeyhive_metadata.index"], "docs-v3");
/// assert_eq!(span.attributes["honeyhive_metrics.documents"], 12);
/// ```
///
/// Data that cannot be recorded is left out, and [counted](Self::left_out): a value that has no JSON
/// form, is nested more than 100 deep or larger than 1 MiB, and what goes beyond 512 keys of a
/// kind. On a span, texts are cut at 64 KiB and an enrichment after 512 attributes; the attribute
/// `honeyhive_truncated` says so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use = "an enrichment says nothing until it is given to a span or a session"]
pub struct Enrichment {
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) metrics: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) feedback: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) inputs: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) outputs: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) user_properties: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip)]
    left_out: usize,
}

/// Adds a value; returns the number of values that were left out.
fn add<T: Serialize + ?Sized>(to: &mut Map<String, Value>, key: String, value: &T) -> usize {
    let small = json::to_text(value, LARGEST).ok().filter(|(_, whole)| *whole);
    match small.and_then(|(text, _)| json::read(text.as_bytes()).ok()) {
        Some(value) => put(to, key, value),
        None => 1,
    }
}

fn put(to: &mut Map<String, Value>, key: String, value: Value) -> usize {
    if to.len() >= MOST && !to.contains_key(&key) {
        return 1;
    }
    to.insert(key, value);
    0
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $method:ident => $field:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $method(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
                self.left_out += add(&mut self.$field, key.into(), &value);
                self
            }
        )*
    };
}

impl Enrichment {
    /// Returns all values, by kind.
    pub(crate) fn maps(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        [
            &mut self.metadata,
            &mut self.metrics,
            &mut self.feedback,
            &mut self.inputs,
            &mut self.outputs,
            &mut self.config,
            &mut self.user_properties,
        ]
        .into_iter()
    }

    /// Creates an empty enrichment.
    pub fn new() -> Self {
        Self::default()
    }

    kinds! {
        /// Adds metadata that helps to find or to understand it: a model, a version, an index.
        metadata => metadata;
        /// Adds a measurement: a number, `true` or `false`.
        metric => metrics;
        /// Adds feedback of a person, or from the ground truth.
        feedback => feedback;
        /// Adds an input, beside the arguments that `#[trace]` records.
        input => inputs;
        /// Adds an output, beside the value that `#[trace]` records.
        output => outputs;
        /// Adds a setting: a prompt template, a temperature.
        config => config;
        /// Adds a property of the user that it was done for.
        user_property => user_properties;
    }

    /// Sets the text of an error, although the span or session itself did not fail.
    ///
    /// The status of a span stays as it is; see [`Span::record_error`].
    pub fn error(mut self, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.len() > LONGEST {
            shorten(&mut text, LONGEST);
        }
        self.error = Some(text);
        self
    }

    /// Removes secrets from it, and contents where they are not to be kept.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        if !redactor.captures() {
            self.inputs.clear();
            self.outputs.clear();
        }
        let maps = [
            &mut self.metadata,
            &mut self.metrics,
            &mut self.feedback,
            &mut self.inputs,
            &mut self.outputs,
            &mut self.config,
            &mut self.user_properties,
        ];
        for map in maps {
            redactor.map(map);
        }
        if let Some(error) = &mut self.error {
            redactor.error(error);
        }
    }

    /// Returns whether it has no values and no error.
    pub fn is_empty(&self) -> bool {
        self.error.is_none() && self.kinds().iter().all(|(_, values)| values.is_empty())
    }

    /// Returns the number of values that could not be recorded.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the values by kind, with the name of the kind in attributes and events.
    fn kinds(&self) -> [(&'static str, &Map<String, Value>); 7] {
        [
            ("metadata", &self.metadata),
            ("metrics", &self.metrics),
            ("feedback", &self.feedback),
            ("inputs", &self.inputs),
            ("outputs", &self.outputs),
            ("config", &self.config),
            ("user_properties", &self.user_properties),
        ]
    }

    /// Adds the values of another enrichment, which win where both have a key.
    pub(super) fn merge(&mut self, other: Self) {
        let pairs = [
            (&mut self.metadata, other.metadata),
            (&mut self.metrics, other.metrics),
            (&mut self.feedback, other.feedback),
            (&mut self.inputs, other.inputs),
            (&mut self.outputs, other.outputs),
            (&mut self.config, other.config),
            (&mut self.user_properties, other.user_properties),
        ];
        for (ours, theirs) in pairs {
            for (key, value) in theirs {
                self.left_out += put(ours, key, value);
            }
        }
        self.left_out += other.left_out;
        self.error = other.error.or(self.error.take());
    }

    fn set_on(self, span: &SpanRef<'_>) {
        let mut attributes = Attributes::default();
        for (kind, values) in self.kinds() {
            for (key, value) in values {
                attributes.value(&format!("honeyhive_{kind}.{key}"), value);
            }
        }
        if let Some(error) = self.error {
            attributes.text(attributes::ERROR, error);
        }
        attributes.set_on(span);
        if self.left_out > 0 {
            let count = i64::try_from(self.left_out).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new(attributes::LEFT_OUT, count));
        }
    }
}

/// Adds an enrichment to the span that this code runs in.
///
/// That is the innermost one that is open: of a function under [`#[trace]`](macro@crate::trace),
/// of [`Span::enter`], of a library, else the attempt's root. Where no tracer is current it does
/// nothing.
pub fn enrich_span(enrichment: Enrichment) {
    Context::map_current(|cx| {
        if cx.get::<CurrentTracer>().is_some() {
            enrichment.set_on(&cx.span());
        }
    });
}

/// Adds an enrichment to the session that this code runs in: the attempt of an experiment, the innermost
/// [`Session`](super::Session) of another program, else the one of its tracer.
///
/// Later values win, key by key. Where no tracer is current it does nothing.
pub fn enrich_session(enrichment: Enrichment) {
    if let Some(tracer) = current_tracer() {
        tracer.enrich_session(enrichment);
    }
}

impl Span {
    /// Adds an enrichment to this span.
    pub fn enrich(&self, enrichment: Enrichment) {
        enrichment.set_on(&self.context().span());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::Tracer;
    use super::*;

    #[test]
    fn every_kind_has_its_attributes() {
        let tracer = Tracer::builder().local().build();
        let span = tracer.start_span("work");
        let all = Enrichment::new()
            .metadata("model", json!({"name": "m", "top": [1, 2.5], "none": null}))
            .metric("quality", 0.5)
            .metric("good", true)
            .feedback("stars", 4)
            .input("question", "why?")
            .output("answer", "so")
            .config("temperature", 0.0)
            .user_property("tier", "free")
            .error("not so good");
        span.enrich(all.clone());
        drop(span);
        let trace = tracer.trace();
        assert_eq!(
            Value::from(trace.spans[0].attributes.clone()),
            json!({
                "honeyhive_metadata.model.name": "m",
                "honeyhive_metadata.model.top.0": 1,
                "honeyhive_metadata.model.top.1": 2.5,
                "honeyhive_metrics.quality": 0.5,
                "honeyhive_metrics.good": true,
                "honeyhive_feedback.stars": 4,
                "honeyhive_inputs.question": "why?",
                "honeyhive_outputs.answer": "so",
                "honeyhive_config.temperature": 0.0,
                "honeyhive_user_properties.tier": "free",
                "honeyhive_error": "not so good",
            })
        );
        assert!(!trace.spans[0].is_error());
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Enrichment>(&text).unwrap(), all);
        assert_eq!(serde_json::to_string(&Enrichment::new()).unwrap(), "{}");
    }

    #[test]
    fn the_current_span_is_meant() {
        enrich_span(Enrichment::new().metadata("nobody", "listens"));
        enrich_session(Enrichment::new().metadata("nobody", "listens"));
        let tracer = Tracer::builder().local().build();
        tracer.in_span("outer", |_| {
            tracer.in_span("inner", |_| enrich_span(Enrichment::new().metadata("at", "inner")));
            enrich_span(Enrichment::new().metadata("at", "outer"));
        });
        let trace = tracer.trace();
        for span in &trace.spans {
            assert_eq!(span.attributes["honeyhive_metadata.at"], *span.name);
        }
    }

    #[test]
    fn the_last_word_about_a_session_counts() {
        let tracer = Tracer::builder().local().build();
        tracer.enrich_session(Enrichment::new().metadata("a", 1).metric("m", 1).error("first"));
        let span = tracer.start_span("work");
        let _entered = span.enter();
        enrich_session(Enrichment::new().metadata("a", 2).metadata("b", [1]));
        assert_eq!(
            serde_json::to_value(tracer.session_enrichment()).unwrap(),
            json!({"metadata": {"a": 2, "b": [1]}, "metrics": {"m": 1}, "error": "first"})
        );
    }

    #[test]
    fn what_cannot_be_recorded_is_counted() {
        let no_json = BTreeMap::from([((1, 2), 3)]);
        let said = Enrichment::new()
            .metadata("a", &no_json)
            .metadata("b", 1)
            .output("c", vec![0; LARGEST]);
        assert_eq!((said.left_out(), said.metadata.len(), said.outputs.len()), (2, 1, 0));
        let tracer = Tracer::builder().local().build();
        tracer.in_span("work", |span| span.enrich(said.clone()));
        assert_eq!(tracer.trace().spans[0].attributes["honeyhive_left_out"], 2);

        for n in 0..600 {
            tracer.enrich_session(Enrichment::new().metadata(format!("k{n}"), n));
        }
        tracer.enrich_session(said.metadata("k0", "again"));
        let session = tracer.session_enrichment();
        assert_eq!((session.metadata.len(), session.left_out()), (512, 88 + 2 + 1));
        assert_eq!(session.metadata["k0"], "again");
    }
}
