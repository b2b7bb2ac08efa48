//! Calls of functions under `#[trace]`.
//!
//! The generated code looks for the tracer, records the arguments only where there is one, and runs the
//! body in the span's context: for an async function, whenever it is polled.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use opentelemetry::trace::{SpanRef, TraceContextExt};
use opentelemetry::{Context, ContextGuard, KeyValue};
use pin_project_lite::pin_project;

use super::capture::Seen;
use super::flatten::{Attributes, LONGEST, shorten};
use super::{CurrentTracer, Span, attributes, fail};

/// The facts about a function that are known when it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The name of its spans.
    pub name: &'static str,
    /// The name that the user gave to it.
    pub event_name: Option<&'static str>,
    /// The event type: `chain`, `model` or `tool`.
    pub event_type: &'static str,
}

/// The arguments of a call, as attributes of its span.
pub struct Inputs(Attributes);

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Inputs {
    /// Adds the argument of this name.
    pub fn add(&mut self, name: &str, seen: Seen) {
        seen.add_to(&mut self.0, &format!("honeyhive_inputs.{name}"));
    }
}

/// A call that is going on. Its span ends with it.
#[derive(Debug)]
pub struct Traced {
    span: Span,
    since: Instant,
    over: bool,
}

/// Opens the span of a call, below the current one; `None` outside of an attempt.
pub fn start(site: Site, inputs: impl FnOnce(&mut Inputs)) -> Option<Traced> {
    Context::map_current(|cx| cx.get::<CurrentTracer>().map(|_| ()))?;
    let mut seen = Inputs(Attributes::default());
    inputs(&mut seen);
    open(site, seen)
}

fn open(site: Site, Inputs(inputs): Inputs) -> Option<Traced> {
    let parent = Context::current();
    let tracer = &parent.get::<CurrentTracer>()?.0;
    let kind = KeyValue::new(attributes::EVENT_TYPE, site.event_type);
    let span = tracer.start_in(site.name.into(), &parent, [kind]);
    if let Some(name) = site.event_name {
        span.set_attribute(attributes::EVENT_NAME, name);
    }
    inputs.set_on(&span.cx.span());
    Some(Traced { span, since: Instant::now(), over: false })
}

/// Runs the body of a call in its span.
pub fn run<R>(call: Option<&Traced>, body: impl FnOnce() -> R) -> R {
    let Some(call) = call else { return body() };
    let entered = call.span.enter();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(returned) => returned,
        Err(payload) => {
            panicked(&call.span.cx, call.since, &*payload);
            drop(entered);
            resume_unwind(payload)
        }
    }
}

/// Does the same as [`run`], for a body that makes a future: the bound tells rustc the type of its output
/// where the body alone does not.
pub fn run_future<T, F: Future<Output = T>>(call: Option<&Traced>, body: impl FnOnce() -> F) -> F {
    run(call, body)
}

/// Makes the current thread run in the span of a call until the value is dropped, for functions
/// whose result cannot be recorded: `output` stands for it.
pub fn enter(call: Option<Traced>, output: Option<&'static str>) -> Option<Entered> {
    call.map(|call| Entered { _guard: call.span.enter(), call: Some(call), output })
}

/// A guard that keeps the span of a call current; see [`enter`].
#[derive(Debug)]
pub struct Entered {
    _guard: ContextGuard,
    call: Option<Traced>,
    output: Option<&'static str>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if let Some(call) = self.call.take() {
            call.returned(self.output.map(|output| Seen::Text(output.to_owned(), true)), None);
        }
    }
}

pin_project! {
    /// A future that is polled in the span of its call.
    #[derive(Debug)]
    pub struct Polled<F> {
        #[pin]
        future: F,
        span: Option<(Context, Instant)>,
    }
}

impl<F: Future> Polled<F> {
    /// Creates a future that runs in the span of this call.
    pub fn new(call: Option<&Traced>, future: F) -> Self {
        Self { future, span: call.map(|call| (call.span.cx.clone(), call.since)) }
    }
}

impl<F: Future> Future for Polled<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((cx, since)) = this.span else { return this.future.poll(task) };
        let entered = cx.clone().attach();
        match catch_unwind(AssertUnwindSafe(|| this.future.poll(task))) {
            Ok(polled) => polled,
            Err(payload) => {
                panicked(cx, *since, &*payload);
                drop(entered);
                resume_unwind(payload)
            }
        }
    }
}

/// Tells rustc the type of an async block, in a branch that is never taken.
pub fn never<T>() -> T {
    unreachable!()
}

fn took(span: &SpanRef<'_>, since: Instant) {
    let duration = since.elapsed().as_secs_f64() * 1000.0;
    span.set_attribute(KeyValue::new(attributes::DURATION_MS, duration));
}

fn failed(span: &SpanRef<'_>, class: &'static str, text: &str) {
    fail(span, class, text);
    span.set_attribute(KeyValue::new(attributes::ERROR, text.to_owned()));
}

/// Ends the span of a call that panicked. Later changes to it, while the stack unwinds, have no effect.
fn panicked(cx: &Context, since: Instant, payload: &(dyn Any + Send)) {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    let mut text = text.to_owned();
    if text.len() > LONGEST {
        shorten(&mut text, LONGEST);
    }
    let span = cx.span();
    failed(&span, "panic", &text);
    took(&span, since);
    span.end();
}

impl Traced {
    /// Ends the span with what the function returned: an output, or an error's class and text.
    pub fn returned(mut self, output: Option<Seen>, error: Option<(&'static str, Seen)>) {
        self.over = true;
        let span = self.span.cx.span();
        if let Some(output) = output {
            let mut attributes = Attributes::default();
            output.add_to(&mut attributes, "honeyhive_outputs.result");
            attributes.set_on(&span);
        }
        if let Some((class, seen)) = error {
            failed(&span, class, &seen.into_text());
        }
        took(&span, self.since);
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let span = self.span.cx.span();
        if std::thread::panicking() {
            span.set_attribute(KeyValue::new(attributes::ERROR, "ended by a panic"));
        } else {
            span.set_attribute(KeyValue::new(attributes::CANCELLED, true));
        }
        took(&span, self.since);
    }
}

/// The two sides of what a function returned, if it has two.
#[derive(Debug)]
pub struct Sides<'a, T, E> {
    /// The output, where the function succeeded.
    pub output: Option<&'a T>,
    /// The error, where the function failed.
    pub error: Option<&'a E>,
}

#[cfg(test)]
mod tests;
