//! Tests scores on the chain span, and spans of evaluators.

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::{evals, root, sent, span, update, without_line};

fn metrics(fake: &Fake, id: &str) -> Value {
    let mut attributes = root(fake, id).attributes;
    attributes.retain(|key, _| key.starts_with("honeyhive_metrics."));
    Value::Object(attributes)
}

#[test]
fn check_20_to_22_scores_and_what_goes_with_them() {
    let (fake, _) = sent("scored");
    // Differs from the SDK: nested metadata of a score is sent as metadata, and None is not a
    // score.
    assert_eq!(
        metrics(&fake, "0001"),
        json!({
            "honeyhive_metrics.yes": true,
            "honeyhive_metrics.quarter": 0.25,
            "honeyhive_metrics.count": 1,
            "honeyhive_metrics.explained": 1.0,
            "honeyhive_metrics.explained_extra": 3,
            "honeyhive_metrics.explained_label": "good",
            "honeyhive_metrics.explained_explanation": "because",
        })
    );
    assert_eq!(
        update(&fake, "0001")["metrics"],
        json!({"yes": true, "quarter": 0.25, "count": 1, "explained": 1.0, "explained_extra": 3})
    );
    assert_eq!(root(&fake, "0001").attributes["honeyhive_metadata.explained_deep"], "[1]");
    assert_eq!(update(&fake, "0001")["metadata"]["explained_deep"], json!([1]));
}

#[test]
fn evaluators_have_spans_of_their_own() {
    let (fake, _) = sent("scored");
    let root = root(&fake, "0001");
    let of = span(&fake, "evaluator.explained");
    assert_eq!(of.parent_span_id, Some(root.span_id));
    // HoneyHive has no event type for evaluators.
    assert_eq!(of.attributes["honeyhive_event_type"], "tool");
    assert_eq!(of.attributes["openinference.span.kind"], "EVALUATOR");
    assert_eq!(of.attributes["evaluator.name"], "explained");
    assert_eq!(of.attributes["evaluator.type"], "code");
    assert_eq!(of.attributes["evaluator.score"], 1.0);
    assert_eq!(of.attributes["evaluator.metadata.extra"], 3);
    assert_eq!(of.attributes["input.value"], r#"{"output":1}"#);
    assert_eq!(of.attributes["output.value"], "1.0");
    assert_eq!(of.attributes["gen_ai.evaluation.name"], "explained");
    assert_eq!(of.attributes["gen_ai.evaluation.score.value"], 1.0);
    assert_eq!(of.attributes["gen_ai.evaluation.score.label"], "good");
    assert_eq!(of.attributes["gen_ai.evaluation.explanation"], "because");
}

#[test]
fn check_23_an_evaluator_that_fails_stops_nobody() {
    let fake = Fake::start();
    let run = evals(&fake, "misjudged").run();
    fake.assert_clean();
    // Differs from the SDK: a failing evaluator is an error of the case.
    assert_eq!(run.code, Some(101), "{}", run.output());
    // An error is not a metric: it is metadata in both places.
    assert_eq!(metrics(&fake, "0001"), json!({"honeyhive_metrics.yes": true}));
    let span_of_all = root(&fake, "0001").attributes;
    let panic = without_line(&run, &span_of_all["honeyhive_metadata.panics_error"]);
    assert_eq!(panic, "panicked at tests/evals.rs:<line>: cannot judge 1");
    assert_eq!(span_of_all["honeyhive_metadata.broken_error"], "no judge for 1");
    let told = update(&fake, "0001");
    assert_eq!(told["metrics"], json!({"yes": true}));
    assert_eq!(told["metadata"]["broken_error"], "no judge for 1");
    assert_eq!(span(&fake, "evaluator.broken").status, "ERROR");
    assert_eq!(fake.runs()[0].status, "completed");
}

#[test]
fn check_24_what_evaluators_are_given() {
    // Differs from the SDK: arguments are passed by name, in any order.
    let (_, run) = sent("seen");
    let mut notes = run.notes("sees");
    notes.sort();
    assert_eq!(notes, [r#"8 {"n":7} None"#, r#"8 {"n":7} Some("seven")"#]);
}
