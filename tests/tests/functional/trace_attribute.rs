//! `#[trace]`: what the journal says of the calls of traced functions.

use std::fmt::Write as _;
use std::sync::LazyLock;

use honeyhive_harness::SpanRecord;
use honeyhive_harness::journal::AttemptRecord;
use honeyhive_harness::tracer::SpanStatus;
use honeyhive_tests::{Project, Run, tree};
use insta::assert_snapshot;
use serde_json::Value;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("trace-attribute", include_str!("evals/trace_attribute.rs"))
});

fn run(experiment: &str) -> Run {
    PROJECT.evals([format!("{experiment}::")]).run()
}

/// Everything about the spans below the root, in the order in which they ended, but for ids and
/// times.
fn spans(attempt: &AttemptRecord) -> String {
    let mut text = String::new();
    let of_evaluator = |span: &&SpanRecord| !span.name.starts_with("evaluator.");
    for span in
        attempt.spans.iter().filter(|span| span.parent_span_id.is_some()).filter(of_evaluator)
    {
        let mut attributes = span.attributes.clone();
        let took = attributes.remove("honeyhive_duration_ms").and_then(|took| took.as_f64());
        assert!(took.is_some_and(|took| took >= 0.0), "{span:?}");
        let _ = writeln!(text, "{}", span.name);
        if let SpanStatus::Error(message) = &span.status {
            let _ = writeln!(text, "  error: {message}");
        }
        for event in &span.events {
            let _ = writeln!(text, "  {} {}", event.name, Value::from(event.attributes.clone()));
        }
        for (key, value) in attributes {
            let _ = writeln!(text, "  {key} = {value}");
        }
    }
    text
}

#[test]
fn sync_async_method_and_generic() {
    let run = run("answers");
    assert_eq!(run.code, Some(0), "{}", run.output());
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"");
    assert_snapshot!(spans(&attempt), @"");
    assert!(!run.output().contains("sk-secret"));
}

#[test]
fn an_error_on_its_way_out() {
    let run = run("too_long");
    assert_snapshot!(run.report(), @"");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"");
    assert_snapshot!(spans(&attempt), @"");
}

#[test]
fn a_panic_on_its_way_out() {
    let run = run("panics");
    assert_snapshot!(run.report(), @"");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"");
    assert_snapshot!(spans(&attempt), @"");
}

#[test]
fn a_call_that_a_timeout_ends() {
    let run = run("times_out");
    assert_snapshot!(run.report(), @"");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"");
    assert_snapshot!(spans(&attempt), @"");
}
