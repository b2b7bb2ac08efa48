//! Experiments that open spans in all ways.

mod probe;

use std::thread;
use std::time::Duration;

use honeyhive_harness::opentelemetry::baggage::BaggageExt as _;
use honeyhive_harness::opentelemetry::trace::noop::NoopTracerProvider;
use honeyhive_harness::opentelemetry::trace::{TraceContextExt as _, Tracer as _};
use honeyhive_harness::opentelemetry::{Context, KeyValue, global};
use honeyhive_harness::{
    Datapoint, SpanQuery, Trace, Tracer, current_tracer, evaluator, experiment,
};
use serde_json::{Value, json};

fn one() -> Vec<Datapoint> {
    vec![Datapoint::new().id("a").input("n", 1)]
}

#[evaluator]
fn fine(output: Value) -> bool {
    !output.is_null()
}

/// Opens spans in the way of a library that does not know about experiments.
fn library(name: &'static str) {
    global::tracer("a-library").in_span(name, |cx| {
        cx.span().set_attribute(KeyValue::new("documents", 3));
        global::tracer("a-library").in_span("below", |_| {});
    });
}

#[experiment(dataset = one, evaluators(fine))]
fn plain(n: u32, tracer: &Tracer) -> u32 {
    let span = tracer.start_span("first");
    span.set_attribute("n", i64::from(n));
    span.add_event("halfway", vec![KeyValue::new("at", 0.5)]);
    drop(span);
    tracer.in_span("second", |_| {
        let _inner = tracer.start_span("within second");
        library("of a library");
    });
    tracer.start_span("third").record_error(&"it broke");
    n
}

#[experiment(dataset = one, evaluators(fine))]
async fn asynchronous(n: u32, tracer: &Tracer) -> u32 {
    let span = tracer.start_span("outer");
    span.instrument(async {
        tokio::task::yield_now().await;
        let _inner = tracer.start_span("awaited");
        tokio::time::sleep(Duration::from_millis(2)).await;
        library("library in async");
    })
    .await;
    n
}

#[experiment(dataset = one, evaluators(fine))]
async fn spawned(n: u32, tracer: &Tracer) -> u32 {
    let task_span = tracer.start_span("task");
    let in_task = tokio::spawn(task_span.instrument(async {
        library("in task");
        current_tracer().expect("the context came along").start_span("own in task");
    }));
    in_task.await.expect("the task ends");
    drop(task_span);

    let cx = Context::current();
    let blocking = tokio::task::spawn_blocking(move || {
        let _attached = cx.attach();
        library("in spawn_blocking");
    });
    blocking.await.expect("the thread ends");
    n
}

#[experiment(dataset = one, evaluators(fine))]
fn threads(n: u32, tracer: &Tracer) -> u32 {
    let with_context = tracer.start_span("with context");
    let cx = with_context.context().clone();
    let other = tracer.clone();
    thread::spawn(move || {
        let _attached = cx.attach();
        library("in thread");
    })
    .join()
    .expect("the thread ends");
    drop(with_context);
    // In a thread without the context, the tracer itself still belongs to its attempt.
    thread::spawn(move || {
        assert!(current_tracer().is_none());
        other.start_span("without context");
        library("lost");
    })
    .join()
    .expect("the thread ends");
    n
}

fn baggage() -> Value {
    Context::map_current(|cx| {
        let baggage = cx.baggage();
        let get = |key| baggage.get(key).map(|value| value.as_str().to_owned());
        json!([get("run_id"), get("dataset_id"), get("datapoint_id"), get("session_id")])
    })
}

#[evaluator]
fn same_baggage(output: Value) -> bool {
    output == baggage()
}

#[evaluator]
async fn same_baggage_async(output: Value) -> bool {
    tokio::task::yield_now().await;
    output == baggage()
}

#[experiment(dataset = one, evaluators(same_baggage, same_baggage_async))]
fn baggage_sync() -> Value {
    baggage()
}

#[experiment(dataset = one, evaluators(same_baggage, same_baggage_async))]
async fn baggage_async() -> Value {
    tokio::task::yield_now().await;
    baggage()
}

// ---- evaluators ----

#[evaluator]
fn reads_trace(trace: &Trace, output: u32) -> bool {
    let root = trace.root().expect("a root");
    probe::note("trace", format!("{}: {:?}", root.name, names(trace)));
    trace.count(&SpanQuery::named("search").attribute("index", "docs")) == output as usize
        && trace.errors() == 0
        && trace.children(root).len() == 2
}

fn names(trace: &Trace) -> Vec<&str> {
    trace.spans.iter().map(|span| span.name.as_str()).collect()
}

#[evaluator(threshold = 0.5)]
fn opens_spans(output: u32) -> honeyhive_harness::Score {
    library("of an evaluator");
    honeyhive_harness::Score::new(f64::from(output) / 4.0).label("so-so").explanation("half")
}

#[evaluator]
fn errs() -> Result<bool, String> {
    Err("no judge".to_owned())
}

#[evaluator]
fn does_not_apply() -> Option<bool> {
    None
}

#[experiment(dataset = one, evaluators(reads_trace, judge = opens_spans, errs, does_not_apply))]
fn evaluated(tracer: &Tracer) -> u32 {
    for _ in 0..2 {
        tracer.start_span("search").set_attribute("index", "docs");
    }
    2
}

#[experiment(dataset = one, evaluators(fine))]
fn failing() -> anyhow::Result<u32> {
    anyhow::bail!("no answer")
}

// ---- many at once ----

fn many() -> Vec<Datapoint> {
    (0..60).map(|n| Datapoint::new().id(format!("c{n}")).input("n", n)).collect()
}

#[evaluator]
async fn marks_its_span(n: u32, output: u32) -> bool {
    tokio::task::yield_now().await;
    mark("evaluator", n);
    n == output
}

fn mark(name: &'static str, n: u32) {
    global::tracer("a-library").in_span(name, |cx| {
        cx.span().set_attribute(KeyValue::new("n", i64::from(n)));
    });
}

#[experiment(dataset = many, repeats = 2, concurrency = 16, evaluators(marks_its_span))]
async fn crowded(n: u32, tracer: &Tracer) -> u32 {
    let span = tracer.start_span("work");
    span.set_attribute("n", i64::from(n));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn(span.instrument(async move {
                tokio::time::sleep(Duration::from_millis(u64::from(n % 5))).await;
                mark("task", n);
            }))
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
        mark("between", n);
    }
    n
}

#[experiment(dataset = many, concurrency = 16, evaluators(marks_its_span))]
fn crowded_sync(n: u32) -> u32 {
    mark("sync", n);
    probe::sleep(u64::from(n % 3));
    mark("sync", n);
    n
}

// ---- an application with a provider of its own ----

#[experiment(dataset = one, evaluators(fine))]
fn telemetry_of_its_own() -> u32 {
    mark("before", 1);
    global::set_tracer_provider(NoopTracerProvider::new());
    mark("after", 1);
    1
}

// ---- what outlives its attempt ----

#[experiment(dataset = one, evaluators(fine))]
fn left_open(tracer: &Tracer) -> u32 {
    let span = tracer.start_span("left open");
    thread::spawn(move || {
        probe::sleep(60_000);
        drop(span);
    });
    1
}

honeyhive_harness::main!();
