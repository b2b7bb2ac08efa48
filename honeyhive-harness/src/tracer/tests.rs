use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, Tracer as _};

use super::*;

fn tracer(datapoint: &str) -> Tracer {
    Tracer::new(Ids {
        run_id: "run".into(),
        dataset_id: "EXT-set".into(),
        datapoint_id: datapoint.into(),
        session_id: new_session_id(),
    })
}

fn parents(spans: &[SpanRecord]) -> Vec<(String, Option<String>)> {
    let name_of =
        |id: &str| spans.iter().find(|span| span.span_id == id).map(|span| span.name.clone());
    spans
        .iter()
        .map(|span| (span.name.clone(), span.parent_span_id.as_deref().and_then(name_of)))
        .collect()
}

#[test]
fn spans_hang_below_the_root_and_each_other() {
    let tracer = tracer("one");
    let root = tracer.start_root("answer");
    {
        let _entered = root.enter();
        tracer.in_span("outer", |outer| {
            outer.set_attribute("n", 3);
            drop(tracer.start_span("inner"));
        });
    }
    // No context here: the tracer itself knows where its spans belong.
    drop(tracer.start_span("stray"));
    drop(root);
    let mut finished = tracer.finish();
    let spans = finished.take_spans();
    let wanted = [
        ("inner", Some("outer")),
        ("outer", Some("answer")),
        ("stray", Some("answer")),
        ("answer", None),
    ];
    assert_eq!(
        parents(&spans),
        wanted.map(|(name, parent)| (name.to_owned(), parent.map(str::to_owned)))
    );
    assert_eq!(spans[1].attributes["n"], 3);
    assert_eq!((finished.open, finished.dropped), (0, 0));
}

#[test]
fn the_context_carries_the_ids_as_baggage_and_the_tracer() {
    let tracer = tracer("two");
    let root = tracer.start_root("answer");
    let _entered = root.enter();
    assert_eq!(&*current_tracer().unwrap().ids().datapoint_id, "two");
    Context::map_current(|cx| {
        assert_eq!(cx.baggage().get("datapoint_id").unwrap().as_str(), "two");
        assert_eq!(cx.baggage().get("run_id").unwrap().as_str(), "run");
    });
}

#[test]
fn a_span_that_outlives_the_attempt_is_counted() {
    let tracer = tracer("three");
    let root = tracer.start_root("answer");
    let open = tracer.start_span("still going");
    drop(root);
    let finished = tracer.finish();
    assert_eq!((finished.spans.len(), finished.open), (1, 1));
    drop(open);
}

#[test]
fn a_loop_of_spans_stops_growing() {
    let tracer = tracer("four");
    for _ in 0..10_050 {
        drop(tracer.start_span("again"));
    }
    let finished = tracer.finish();
    assert_eq!((finished.spans.len(), finished.dropped), (10_000, 50));
}

/// Whatever is measured is measured with a clock that only goes forward; the times of spans are
/// those of the wall.
#[test]
fn a_wall_clock_that_goes_back_makes_no_negative_duration() {
    let tracer = tracer("six");
    let late = SystemTime::now() + Duration::from_secs(3600);
    let builder = tracer.sdk().span_builder("from the future").with_start_time(late);
    drop(builder.start(tracer.sdk()));
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let builder = tracer.sdk().span_builder("from the past").with_start_time(before_1970);
    drop(builder.start(tracer.sdk()));
    let spans = tracer.finish().take_spans();
    assert_eq!(spans[0].duration(), Duration::ZERO);
    assert_eq!(spans[1].start_unix_ns, 0);
    let trace = Trace { trace_id: String::new(), spans };
    assert_eq!(trace.count(&SpanQuery::named("from the future").at_most(Duration::ZERO)), 1);
}

#[test]
fn evaluators_see_finished_spans_and_the_open_root() {
    let tracer = tracer("five");
    let root = tracer.start_root("answer");
    let span = tracer.start_span("search");
    span.record_error(&"no index");
    drop(span);
    let trace = tracer.snapshot("answer", SystemTime::now());
    assert_eq!(trace.root().unwrap().name, "answer");
    assert_eq!(trace.children(trace.root().unwrap()).len(), 1);
    assert_eq!(trace.errors(), 1);
    assert_eq!(trace.count(&SpanQuery::named("search").failed(true)), 1);
    assert_eq!(trace.count(&SpanQuery::any().at_least(Duration::from_secs(5))), 0);
    drop(root);
}

/// Global state: the only test that installs the global provider.
#[test]
fn library_spans_find_the_case_they_belong_to() {
    install_global();
    let library = opentelemetry::global::tracer("some-library");
    drop(library.start("outside"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let cases: Vec<_> = (0..50).map(|i| tracer(&i.to_string())).collect();
    let library = Arc::new(library);
    let tasks: Vec<_> = cases
        .iter()
        .map(|case| {
            let root = case.start_root("answer");
            let library = Arc::clone(&library);
            let cx = root.context().clone();
            runtime.spawn(
                async move {
                    for _ in 0..3 {
                        drop(library.start("call"));
                        tokio::task::yield_now().await;
                    }
                    drop(root);
                }
                .with_context(cx),
            )
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    for case in &cases {
        let spans = case.finish().take_spans();
        assert_eq!(spans.len(), 4);
        let root = spans.last().unwrap();
        assert!(spans[..3].iter().all(|span| {
            span.parent_span_id.as_ref() == Some(&root.span_id)
                && span.attributes["otel.library.name"] == "some-library"
        }));
    }
}
