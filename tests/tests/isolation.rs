//! Runs 500 attempts at once: every span must be in its own attempt's trace, and none may be
//! missing.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use honeyhive_harness::opentelemetry::trace::{FutureExt as _, Tracer as _};
use honeyhive_harness::opentelemetry::{Context, global};
use honeyhive_harness::{
    Call, Datapoint, Dataset, Evaluators, ExperimentOptions, Fault, Function, SpanRecord, Trace,
    current_tracer, evaluator, run_experiment,
};

const ATTEMPTS: usize = 500;

/// The spans that one attempt opens, each with the name of its parent.
const TREE: [(&str, &str); 9] = [
    ("outer", "work"),
    ("in task", "outer"),
    ("in task of task", "in task"),
    ("in blocking task", "outer"),
    ("in thread", "outer"),
    ("in thread of thread", "in thread"),
    ("found by context", "outer"),
    ("joined 1", "outer"),
    ("joined 2", "outer"),
];

fn mark(name: &'static str, n: i64) {
    // The tracer is found through the context alone.
    let tracer = current_tracer().unwrap();
    let span = tracer.start_span(name);
    span.set_attribute("n", n);
    std::thread::yield_now();
}

async fn work(call: Call) -> Result<i64, Fault> {
    let n: i64 = call.input("n")?;
    let outer = call.tracer.start_span("outer");
    outer.set_attribute("n", n);

    let task = tokio::spawn(outer.instrument(async move {
        let tracer = current_tracer().unwrap();
        let span = tracer.start_span("in task");
        span.set_attribute("n", n);
        tokio::task::yield_now().await;
        tokio::spawn(span.instrument(async move {
            tokio::task::yield_now().await;
            mark("in task of task", n);
        }))
        .await
        .unwrap();
    }));
    let cx = outer.context().clone();
    let blocking = tokio::task::spawn_blocking(move || {
        let _entered = cx.attach();
        mark("in blocking task", n);
    });
    let cx = outer.context().clone();
    let thread = std::thread::spawn(move || {
        let _entered = cx.attach();
        let tracer = current_tracer().unwrap();
        tracer.in_span("in thread", |span| {
            span.set_attribute("n", n);
            let cx = Context::current();
            std::thread::spawn(move || {
                let _entered = cx.attach();
                mark("in thread of thread", n);
            })
            .join()
            .unwrap();
        });
    });
    let both = async {
        let one = async {
            tokio::task::yield_now().await;
            mark("joined 1", n);
        };
        let two = async {
            mark("joined 2", n);
            tokio::task::yield_now().await;
        };
        tokio::join!(one, two);
    };
    outer.instrument(both).await;
    async {
        tokio::task::yield_now().await;
        mark("found by context", n);
    }
    .with_context(outer.context().clone())
    .await;
    task.await.unwrap();
    blocking.await.unwrap();
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    // A library's span without the context belongs to no attempt, and must not get into any trace.
    tokio::spawn(async { drop(global::tracer("library").start("lost")) }).await.unwrap();
    Ok(n)
}

#[evaluator]
fn sees_its_own(output: i64, trace: &Trace) -> bool {
    trace.spans.iter().filter_map(|span| span.attributes.get("n")).all(|n| *n == output)
        && trace.spans.len() == TREE.len() + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_span_is_lost_or_in_a_foreign_trace() {
    let rows = (0..ATTEMPTS).map(|n| Datapoint::new().id(format!("n{n}")).input("n", n));
    let dataset = Dataset::from_datapoints("numbers", rows).unwrap();
    let options = ExperimentOptions::new().concurrency(ATTEMPTS);
    let evaluators = Evaluators::new().with(sees_its_own {});
    let result = run_experiment("work", dataset, Function::new(work), evaluators, options);
    let result = result.await.unwrap();
    assert_eq!(result.totals.passed, ATTEMPTS);

    let (mut traces, mut sessions, mut spans) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for datapoint in &result.datapoints {
        let attempt = &datapoint.attempts[0];
        assert_eq!((attempt.open_spans, attempt.dropped_spans), (0, 0));
        assert!(traces.insert(attempt.trace_id.clone()), "two attempts share a trace");
        assert!(sessions.insert(attempt.session_id.clone()), "two attempts share a session");
        let names: BTreeMap<&str, &SpanRecord> =
            attempt.spans.iter().map(|span| (span.name.as_str(), span)).collect();
        assert_eq!(names.len(), TREE.len() + 2, "{:?}", names.keys());
        for (name, parent) in TREE.into_iter().chain([("evaluator.sees_its_own", "work")]) {
            let span = names[name];
            assert_eq!(span.parent_span_id.as_ref(), Some(&names[parent].span_id), "{name}");
            assert!(span.end_unix_ns >= span.start_unix_ns, "{name}");
        }
        assert_eq!(names["work"].parent_span_id, None);
        for span in &attempt.spans {
            assert!(spans.insert(span.span_id.clone()), "two spans share an id");
            if let Some(n) = span.attributes.get("n") {
                assert_eq!(format!("n{n}"), datapoint.id, "a span of another attempt");
            }
        }
    }
}
