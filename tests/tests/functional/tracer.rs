//! Tests the tracer of an attempt: the parents of spans, and that no span gets into another case.

use std::collections::HashSet;
use std::sync::LazyLock;

use honeyhive_harness::journal::AttemptRecord;
use honeyhive_harness::{SpanRecord, tracer::SpanStatus};
use honeyhive_tests::{Project, Run, tree};
use insta::assert_snapshot;
use serde_json::{Value, json};

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("tracer", include_str!("evals/tracer.rs")));

fn run(experiment: &str) -> Run {
    PROJECT.evals([format!("{experiment}::")]).run()
}

/// Returns the only attempt of an experiment that passes.
fn attempt(experiment: &str) -> AttemptRecord {
    let run = run(experiment);
    assert_eq!(run.code, Some(0), "{}", run.output());
    run.attempt("a")
}

fn span<'a>(attempt: &'a AttemptRecord, name: &str) -> &'a SpanRecord {
    attempt.spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn spans_of_a_sync_function() {
    let attempt = attempt("plain");
    assert_snapshot!(tree(&attempt), @"
    plain
      first
      second
        within second
        of a library
          below
      third
      evaluator.fine
    ");
    let first = span(&attempt, "first");
    assert_eq!(Value::from(first.attributes.clone()), json!({"n": 1}));
    assert_eq!(first.events[0].name, "halfway");
    assert_eq!(first.events[0].attributes["at"], 0.5);
    let of_library = span(&attempt, "of a library");
    assert_eq!(of_library.attributes["documents"], 3);
    assert_eq!(of_library.attributes["otel.library.name"], "a-library");
    let third = span(&attempt, "third");
    assert_eq!(third.status, SpanStatus::Error("it broke".to_owned()));
    assert_eq!(third.events[0].name, "exception");
}

#[test]
fn spans_of_an_async_function() {
    assert_snapshot!(tree(&attempt("asynchronous")), @"
    asynchronous
      outer
        awaited
        library in async
          below
      evaluator.fine
    ");
}

#[test]
fn spans_of_tasks_and_blocking_threads_with_the_context() {
    assert_snapshot!(tree(&attempt("spawned")), @"
    spawned
      task
        in task
          below
        own in task
      in spawn_blocking
        below
      evaluator.fine
    ");
}

#[test]
fn spans_of_threads() {
    assert_snapshot!(tree(&attempt("threads")), @"
    threads
      with context
        in thread
          below
      without context
      evaluator.fine
    ");
}

#[test]
fn evaluators_have_spans_with_their_scores() {
    let run = run("evaluated");
    assert_snapshot!(run.report(), @"
    exit code 101
    evaluated::a  FAILED  unscored
        evaluator `errs`: no judge
    ");
    let attempt = run.attempt("a");
    assert_snapshot!(tree(&attempt), @"
    evaluated
      search
      search
      evaluator.reads_trace
      evaluator.judge
        of an evaluator
          below
      evaluator.errs
      evaluator.does_not_apply
    ");
    let of = |name: &str| {
        let span = span(&attempt, name);
        let mut attributes = span.attributes.clone();
        if !span.events.is_empty() {
            attributes.insert("event".into(), span.events[0].name.clone().into());
        }
        format!("{}\n", Value::from(attributes))
    };
    let attributes =
        ["evaluator.reads_trace", "evaluator.judge", "evaluator.errs", "evaluator.does_not_apply"]
            .map(of);
    assert_snapshot!(attributes.concat(), @r#"
    {"evaluator.name":"reads_trace","evaluator.passed":true,"evaluator.score":1.0,"evaluator.type":"code","honeyhive_event_type":"evaluator"}
    {"evaluator.explanation":"half","evaluator.label":"so-so","evaluator.name":"judge","evaluator.passed":true,"evaluator.score":0.5,"evaluator.type":"code","honeyhive_event_type":"evaluator"}
    {"error.type":"returned","evaluator.name":"errs","evaluator.type":"code","event":"exception","honeyhive_event_type":"evaluator"}
    {"evaluator.name":"does_not_apply","evaluator.type":"code","honeyhive_event_type":"evaluator"}
    "#);
}

#[test]
fn an_evaluator_sees_the_finished_spans_and_the_open_root() {
    assert_snapshot!(run("evaluated").notes("trace").join("\n"), @r#"evaluated: ["search", "search", "evaluated"]"#);
}

#[test]
fn the_root_is_a_chain_that_outlives_its_evaluators() {
    let attempt = attempt("plain");
    let root = attempt.spans.iter().find(|span| span.parent_span_id.is_none()).expect("a root");
    assert_eq!(root.attributes["honeyhive_event_type"], "chain");
    assert!(attempt.spans.iter().all(|span| span.start_unix_ns >= root.start_unix_ns));
    assert!(attempt.spans.iter().all(|span| span.end_unix_ns <= root.end_unix_ns));
    assert_eq!(attempt.trace_id.len(), 32);
    assert!(attempt.spans.iter().all(|span| span.span_id.len() == 16));
}

#[test]
fn the_error_of_a_function_is_on_the_root() {
    let run = run("failing");
    assert_eq!(run.code, Some(101));
    let attempt = run.attempt("a");
    let root = span(&attempt, "failing");
    assert_eq!(root.status, SpanStatus::Error("no answer".to_owned()));
    assert_eq!(root.attributes["error.type"], "returned");
    assert_eq!(root.events[0].attributes["exception.message"], "no answer");
}

#[test]
fn baggage_reaches_sync_and_async_functions_and_evaluators() {
    for experiment in ["baggage_sync", "baggage_async"] {
        let attempt = attempt(experiment);
        let ids =
            [&attempt.run_id, &attempt.dataset_id, &attempt.datapoint_id, &attempt.session_id];
        assert_eq!(attempt.output, Some(json!(ids)), "{experiment}");
        assert!(ids.iter().all(|id| !id.is_empty()));
    }
}

#[test]
fn no_span_gets_into_another_case() {
    for (experiment, attempts, spans) in [("crowded", 120, 10), ("crowded_sync", 60, 5)] {
        let run = run(experiment);
        assert_eq!(run.code, Some(0), "{}", run.output());
        let all = run.attempts();
        assert_eq!(all.len(), attempts);
        for attempt in &all {
            let n = &attempt.inputs["n"];
            assert_eq!(attempt.spans.len(), spans, "{}", tree(attempt));
            let foreign =
                |span: &&SpanRecord| span.attributes.get("n").is_some_and(|other| other != n);
            assert_eq!(attempt.spans.iter().find(foreign), None, "in {}", attempt.case);
        }
        let distinct =
            |id: fn(&AttemptRecord) -> &String| all.iter().map(id).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|attempt| &attempt.trace_id), attempts);
        assert_eq!(distinct(|attempt| &attempt.session_id), attempts);
        assert_eq!(distinct(|attempt| &attempt.run_id), 1);
    }
}

#[test]
fn a_span_that_outlives_its_attempt_is_counted() {
    let attempt = attempt("left_open");
    assert_eq!((attempt.open_spans, attempt.dropped_spans), (1, 0));
    assert_snapshot!(tree(&attempt), @"
    left_open
      evaluator.fine
    ");
}

#[test]
fn a_provider_of_the_application_is_noticed() {
    let told = "the code under test set a tracer provider of its own";
    let run = run("telemetry_of_its_own");
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.stderr.matches(told).count(), 1, "{}", run.stderr);
    assert_snapshot!(tree(&run.attempt("a")), @"
    telemetry_of_its_own
      before
      evaluator.fine
    ");
    let run = self::run("plain");
    assert!(!run.stderr.contains(told), "{}", run.stderr);
}
