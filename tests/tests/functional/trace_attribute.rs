//! Tests `#[trace]`, by the records of calls of traced functions.

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

/// Formats the spans below the root in the order in which they ended, without ids and times.
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
    assert_snapshot!(tree(&attempt), @"
    answers
      evals::search
      ask the model
        evals::tokens
      evaluator.asked_once
    ");
    assert_snapshot!(spans(&attempt), @r#"
    evals::search
      honeyhive_event_type = "tool"
      honeyhive_inputs.client = "Client"
      honeyhive_inputs.limit = 1
      honeyhive_inputs.query = "why?"
      honeyhive_metadata.index = "docs"
      honeyhive_metrics.found = 1
      honeyhive_outputs.result.0.scores.0 = 0.5
      honeyhive_outputs.result.0.title = "why? 0"
    evals::tokens
      honeyhive_event_type = "tool"
      honeyhive_inputs.per_word = "3"
      honeyhive_inputs.words = "alloc::vec::into_iter::IntoIter<&str>"
      honeyhive_outputs.result = 1
    ask the model
      honeyhive_event_name = "ask the model"
      honeyhive_event_type = "model"
      honeyhive_inputs.prompt = "why?"
      honeyhive_outputs.result = "m says 1"
    "#);
    assert!(!run.output().contains("sk-secret"));
}

#[test]
fn an_error_on_its_way_out() {
    let run = run("too_long");
    assert_snapshot!(run.report(), @"
    exit code 101
    too_long::a  FAILED  error
        error: the model refused: more than 3 tokens
    ");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"
    too_long
      ask the model
        evals::tokens
    ");
    assert_snapshot!(spans(&attempt), @r#"
    evals::tokens
      honeyhive_event_type = "tool"
      honeyhive_inputs.per_word = "3"
      honeyhive_inputs.words = "alloc::vec::into_iter::IntoIter<&str>"
      honeyhive_outputs.result = 4
    ask the model
      error: more than 3 tokens
      exception {"exception.message":"more than 3 tokens","exception.type":"evals::ModelError"}
      error.type = "evals::ModelError"
      honeyhive_error = "more than 3 tokens"
      honeyhive_event_name = "ask the model"
      honeyhive_event_type = "model"
      honeyhive_inputs.prompt = "why? and so on"
    "#);
}

#[test]
fn a_panic_on_its_way_out() {
    let run = run("panics");
    assert_snapshot!(run.report(), @"
    exit code 101
    panics::a  FAILED  error
        panicked at tests/evals.rs:<line>: no more than 2
    ");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"
    panics
      evals::step
        evals::below
      evals::step
        evals::below
    ");
    assert_snapshot!(spans(&attempt), @r#"
    evals::below
      honeyhive_event_type = "tool"
      honeyhive_inputs.n = 1
      honeyhive_outputs.result = 1
    evals::step
      honeyhive_event_type = "chain"
      honeyhive_inputs.n = 1
      honeyhive_outputs.result = 2
    evals::below
      error: no more than 2
      exception {"exception.message":"no more than 2","exception.type":"panic"}
      error.type = "panic"
      honeyhive_error = "no more than 2"
      honeyhive_event_type = "tool"
      honeyhive_inputs.n = 2
    evals::step
      error: no more than 2
      exception {"exception.message":"no more than 2","exception.type":"panic"}
      error.type = "panic"
      honeyhive_error = "no more than 2"
      honeyhive_event_type = "chain"
      honeyhive_inputs.n = 2
    "#);
}

#[test]
fn a_call_that_a_timeout_ends() {
    let run = run("times_out");
    assert_snapshot!(run.report(), @"
    exit code 101
    times_out::a  FAILED  error
        timed out after 200ms
    ");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"
    times_out
      evals::slow
    ");
    assert_snapshot!(spans(&attempt), @r#"
    evals::slow
      honeyhive_cancelled = true
      honeyhive_event_type = "tool"
    "#);
}
