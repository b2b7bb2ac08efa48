//! Propagates contexts from and to other processes.
//!
//! A service that is called from an attempt goes on with its trace when the request carries the
//! W3C headers; and what a user put into the baggage is known of every span below.

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{Span as _, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::Span;

use super::Tracer;

/// The keys of the baggage that the tracer sets itself.
pub(super) const OWN: [&str; 4] = ["run_id", "dataset_id", "datapoint_id", "session_id"];

/// Sets the baggage of the user on a new span, as `baggage.<key>`.
pub(crate) fn note_baggage(span: &mut Span, parent: &Context) {
    for (key, (value, _)) in parent.baggage() {
        if !OWN.contains(&key.as_str()) {
            span.set_attribute(KeyValue::new(format!("baggage.{key}"), value.clone()));
        }
    }
}

impl Tracer {
    /// Writes the current span into the headers of a request: `traceparent`, and `baggage` with
    /// the ids of the attempt and what the user put there.
    ///
    /// Without a current span of this tracer it is the attempt's root; where there is none either,
    /// no `traceparent` is written.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use honeyhive_harness::Tracer;
    ///
    /// let tracer = Tracer::builder().local().build();
    /// let mut headers = HashMap::new();
    /// tracer.in_span("call the service", |_| tracer.inject(&mut headers));
    ///
    /// // In the service:
    /// let service = Tracer::builder().local().build();
    /// let _attached = service.extract(&headers).attach();
    /// drop(service.start_span("handle"));
    /// assert_eq!(service.trace_id(), tracer.trace_id());
    /// ```
    pub fn inject(&self, carrier: &mut impl Injector) {
        let cx = self.parent();
        TraceContextPropagator::new().inject_context(&cx, carrier);
        BaggagePropagator::new().inject_context(&cx, carrier);
    }

    /// Reads the context that a caller wrote into the headers of a request, as one of this tracer: spans
    /// in it are children of the caller's span and know its baggage. The ids of the caller give
    /// way to this tracer's own.
    ///
    /// Without a `traceparent`, or with one that cannot be read, spans in it belong where they
    /// would without it.
    #[must_use = "a context does nothing until it is attached"]
    pub fn extract(&self, carrier: &impl Extractor) -> Context {
        let own = self.detached();
        let theirs = BaggagePropagator::new().extract_with_context(&Context::new(), carrier);
        let entries = own
            .baggage()
            .iter()
            .chain(theirs.baggage().iter().filter(|(key, _)| !OWN.contains(&key.as_str())))
            .map(|(key, (value, metadata))| {
                KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            });
        let cx = own.with_baggage(entries);
        let caller = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
        let caller = caller.span().span_context().clone();
        if caller.is_valid() { cx.with_remote_span_context(caller) } else { cx }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_baggage_of_the_user_is_on_every_span_below() {
        let tracer = Tracer::builder().local().run_id("r").build();
        let outer = tracer.start_span("outer");
        let tenant = KeyValue::new("tenant", "acme");
        let own = KeyValue::new("run_id", "r");
        let cx = outer.context().with_baggage([own, tenant]);
        {
            let _attached = cx.attach();
            tracer.in_span("below", |_| drop(tracer.start_span("far below")));
        }
        drop(outer);
        let trace = tracer.trace();
        let of = |at: usize| serde_json::Value::from(trace.spans[at].attributes.clone());
        assert_eq!(of(0), serde_json::json!({"baggage.tenant": "acme"}));
        assert_eq!(of(1), serde_json::json!({"baggage.tenant": "acme"}));
        assert_eq!(of(2), serde_json::json!({}));
    }

    #[test]
    fn a_trace_goes_on_in_another_process() {
        let caller = Tracer::builder().local().run_id("r-1").session_id("s-1").build();
        let mut headers = HashMap::new();
        let span = caller.start_span("call");
        {
            let tenant = KeyValue::new("tenant", "acme");
            let cx = span.context().clone();
            let own = [("run_id", "r-1"), ("session_id", "s-1")]
                .map(|(key, value)| KeyValue::new(key, value));
            let _attached = cx.with_baggage(own.into_iter().chain([tenant])).attach();
            caller.inject(&mut headers);
        }
        let span_id = span.context().span().span_context().span_id().to_string();
        assert_eq!(headers["traceparent"], format!("00-{}-{span_id}-01", caller.trace_id()));
        assert!(headers["baggage"].contains("tenant=acme"), "{headers:?}");

        let service = Tracer::builder().local().session_id("s-2").build();
        {
            let _attached = service.extract(&headers).attach();
            service.in_span("handle", |_| {
                Context::map_current(|cx| {
                    let of = |key| cx.baggage().get(key).map(|value| value.as_str().to_owned());
                    assert_eq!(of("session_id").as_deref(), Some("s-2"));
                    assert_eq!(of("run_id"), None);
                });
            });
        }
        let trace = service.trace();
        assert_eq!(trace.trace_id, caller.trace_id());
        assert_eq!(trace.spans[0].parent_span_id.as_deref(), Some(span_id.as_str()));
        assert_eq!(trace.spans[0].attributes["baggage.tenant"], "acme");
    }

    #[test]
    fn without_a_caller_spans_belong_where_they_did() {
        let tracer = Tracer::builder().local().build();
        let mut headers = HashMap::new();
        tracer.inject(&mut headers);
        assert_eq!(headers.get("traceparent"), None);
        let root = tracer.start_root("answer");
        tracer.inject(&mut headers);
        assert!(headers.contains_key("traceparent"), "that of the root");
        for wrong in ["", "00-0-0-00", "nonsense"] {
            let headers = HashMap::from([("traceparent".to_owned(), wrong.to_owned())]);
            let _attached = tracer.extract(&headers).attach();
            drop(tracer.start_span("handle"));
        }
        drop(root);
        let trace = tracer.trace();
        let root = trace.root().unwrap().span_id.clone();
        assert_eq!(trace.spans.len(), 4);
        assert!(trace.spans[..3].iter().all(|span| span.parent_span_id.as_ref() == Some(&root)));
    }
}
