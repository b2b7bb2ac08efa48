//! A span that a program starts and ends by itself.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use opentelemetry::trace::{FutureExt, SpanRef, Status, TraceContextExt, WithContext};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::attributes;
use crate::text::error_text;

/// A span of a [`Tracer`](super::Tracer). It ends when it is dropped.
pub struct Span {
    pub(super) cx: Context,
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span").field("context", self.cx.span().span_context()).finish()
    }
}

impl Span {
    /// Sets an attribute.
    pub fn set_attribute(
        &self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<opentelemetry::Value>,
    ) {
        self.cx.span().set_attribute(KeyValue::new(key, value));
    }

    /// Adds an event at this moment.
    pub fn add_event(&self, name: impl Into<Cow<'static, str>>, attributes: Vec<KeyValue>) {
        self.cx.span().add_event(name, attributes);
    }

    /// Marks the span as failed and records an `exception` event.
    pub fn record_error(&self, error: &(dyn fmt::Display + '_)) {
        self.fail("error", &error_text(error));
    }

    pub(crate) fn fail(&self, kind: &'static str, message: &str) {
        fail(&self.cx.span(), kind, message);
    }

    /// Returns the context in which this span is the current one, to carry into threads and tasks.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// Makes the span the current one on this thread until the guard is dropped.
    pub fn enter(&self) -> ContextGuard {
        self.cx.clone().attach()
    }

    /// Makes the span the current one whenever `future` is polled, on whichever thread.
    ///
    /// A task that is spawned does not inherit the context; spawn it instrumented:
    ///
    /// ```
    /// use honeyhive_harness::Tracer;
    ///
    /// async fn fetch_both(tracer: &Tracer) {
    ///     let span = tracer.start_span("fetch");
    ///     let one = tokio::spawn(span.instrument(async { /* spans here are children */ }));
    ///     let _ = one.await;
    /// }
    /// ```
    pub fn instrument<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.cx.clone())
    }
}

/// Marks a span as failed: one `exception` event, the class of the error, the status.
pub(crate) fn fail(span: &SpanRef<'_>, kind: &'static str, message: &str) {
    span.add_event(
        "exception",
        vec![
            KeyValue::new("exception.type", kind),
            KeyValue::new("exception.message", message.to_owned()),
        ],
    );
    span.set_attribute(KeyValue::new(attributes::ERROR_TYPE, kind));
    span.set_status(Status::error(message.to_owned()));
}

impl Drop for Span {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("panic", "ended by a panic");
        }
        self.cx.span().end();
    }
}
