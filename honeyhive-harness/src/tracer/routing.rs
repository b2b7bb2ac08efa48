//! Routes spans of libraries to the tracers of their cases.
//!
//! A library that is instrumented with `opentelemetry::global::tracer(..)` knows nothing of
//! attempts. The harness installs a global provider whose tracers look the attempt up in the
//! context and hand the span to its tracer; outside an attempt they record nothing. So the
//! global provider keeps no spans, and those of two cases cannot be mixed there.

use std::borrow::Cow;
use std::cell::Cell;

use opentelemetry::trace::{SpanBuilder, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::CurrentTracer;

#[derive(Clone, Debug)]
struct RoutingProvider {
    nowhere: SdkTracer,
}

#[derive(Clone, Debug)]
struct RoutingTracer {
    nowhere: SdkTracer,
    library: Cow<'static, str>,
}

impl TracerProvider for RoutingProvider {
    type Tracer = RoutingTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> RoutingTracer {
        ASKED.set(true);
        RoutingTracer { nowhere: self.nowhere.clone(), library: scope.name().to_owned().into() }
    }
}

impl Tracer for RoutingTracer {
    type Span = opentelemetry_sdk::trace::Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Self::Span {
        match parent.get::<CurrentTracer>() {
            Some(current) => {
                // The span is recorded under our scope; say whose it is.
                builder
                    .attributes
                    .get_or_insert_default()
                    .push(KeyValue::new("otel.library.name", self.library.clone()));
                current.0.sdk().build_with_context(builder, parent)
            }
            None => self.nowhere.build_with_context(builder, parent),
        }
    }
}

thread_local! {
    /// Set when a routing provider was asked for a tracer, on this thread.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Makes the routing provider the global one. The harness owns `main`, so it comes first; a
/// program that sets another one later replaces it.
pub(crate) fn install_global() {
    let off = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    opentelemetry::global::set_tracer_provider(RoutingProvider { nowhere: off.tracer("off") });
}

/// Returns whether the global provider is still the routing one: then that is asked for a tracer.
pub(crate) fn is_global() -> bool {
    ASKED.set(false);
    let _ = opentelemetry::global::tracer("honeyhive");
    ASKED.get()
}
