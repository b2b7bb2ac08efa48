//! Tests spans: encoding, ids, kinds, and those of threads, tasks and libraries.

use std::collections::HashSet;

use honeyhive_tests::Fake;
use serde_json::{Value, json};

use super::{CAPITALS, evals, root, sent, span};

const EXPORT: &str = "POST /opentelemetry/v1/traces";

#[test]
fn check_13_path_and_headers_of_an_export() {
    let (fake, _) = &*CAPITALS;
    let requests = fake.requests();
    let export = requests.iter().find(|request| request.kind == EXPORT).expect("an export");
    assert_eq!(export.header("authorization"), Some(&*format!("Bearer {}", fake.key())));
    assert_eq!(export.header("x-source"), Some("evaluation"));
    assert_eq!(export.header("hh-client-package"), Some("honeyhive-harness"));
    assert_eq!(export.header("hh-client-language"), Some("rust"));
    assert_eq!(export.header("hh-client-version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(export.header("hh-client-timestamp"), None);
}

fn content_types(variables: &[(&str, &str)]) -> HashSet<String> {
    let fake = Fake::start();
    let mut cargo = evals(&fake, "capitals");
    for (name, value) in variables {
        cargo = cargo.env(name, *value);
    }
    let run = cargo.run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(fake.spans().len(), CAPITALS.0.spans().len());
    let exports = fake.requests().into_iter().filter(|request| request.kind == EXPORT);
    exports.filter_map(|request| Some(request.header("content-type")?.to_owned())).collect()
}

#[test]
fn check_14_the_encoding() {
    // Differs from the SDK: protobuf is the default.
    let protobuf = HashSet::from(["application/x-protobuf".to_owned()]);
    let json = HashSet::from(["application/json".to_owned()]);
    assert_eq!(content_types(&[]), protobuf);
    assert_eq!(content_types(&[("HH_OTLP_PROTOCOL", "http/json")]), json);
    assert_eq!(content_types(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]), json);
    let both =
        [("HH_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")];
    assert_eq!(content_types(&both), protobuf);
}

#[test]
fn check_15_types_in_json() {
    let fake = Fake::start();
    let run = evals(&fake, "scored").env("HH_OTLP_PROTOCOL", "http/json").run();
    fake.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let body = super::bodies(&fake, EXPORT).remove(0);
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
    let of_root = |span: &&Value| span["name"] == "scored";
    let root = spans.iter().find(of_root).expect("the root");
    let hex = |value: &Value, length: usize| {
        let text = value.as_str().unwrap_or_default();
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    assert!(hex(&root["traceId"], 32) && hex(&root["spanId"], 16), "{root}");
    for time in ["startTimeUnixNano", "endTimeUnixNano"] {
        assert!(root[time].as_str().is_some_and(|text| text.parse::<u64>().is_ok()), "{root}");
    }
    let attribute = |key: &str| {
        let all = root["attributes"].as_array().expect("attributes");
        let found = all.iter().find(|pair| pair["key"] == key).map(|pair| pair["value"].clone());
        found.unwrap_or_else(|| panic!("no {key} in {root}"))
    };
    assert_eq!(attribute("honeyhive_inputs.n"), json!({"intValue": "1"}));
    assert_eq!(attribute("honeyhive_metrics.yes"), json!({"boolValue": true}));
    assert_eq!(attribute("honeyhive_metrics.quarter"), json!({"doubleValue": 0.25}));
    assert_eq!(attribute("honeyhive_event_type"), json!({"stringValue": "chain"}));
}

#[test]
fn check_16_the_chain_span() {
    let (fake, run) = &*CAPITALS;
    let attempt = run.attempt("fr");
    let span = root(fake, "-fr");
    assert_eq!((span.name.as_str(), span.kind, span.status), ("capital", "INTERNAL", "UNSET"));
    assert_eq!((&span.parent_span_id, &span.trace_id), (&None, &attempt.trace_id));
    let run_id = fake.runs()[0].id.clone();
    let expected = [
        ("honeyhive.session_id", json!(attempt.session_id)),
        ("traceloop.association.properties.session_id", json!(attempt.session_id)),
        ("honeyhive.source", json!("evaluation")),
        ("traceloop.association.properties.source", json!("evaluation")),
        ("honeyhive_metadata.run_id", json!(run_id)),
        ("honeyhive_metadata.dataset_id", json!("EXT-rows")),
        ("honeyhive_metadata.datapoint_id", json!("EXT-rows-fr")),
        ("honeyhive_metadata.region", json!("eu")),
        ("honeyhive_event_type", json!("chain")),
        ("honeyhive_event_name", json!("capital")),
        ("honeyhive_inputs.country", json!("France")),
        ("honeyhive_metrics.correct", json!(true)),
        ("honeyhive_outputs.result", json!("Paris")),
    ];
    for (key, value) in expected {
        assert_eq!(span.attributes.get(key), Some(&value), "{key}");
    }
    assert!(span.attributes["honeyhive_duration_ms"].is_f64());
    let without_project = ["honeyhive.project", "traceloop.association.properties.project"];
    assert!(without_project.iter().all(|key| !span.attributes.contains_key(*key)));
}

#[test]
fn check_17_every_span_has_the_ids() {
    let (fake, run) = sent("foreign");
    for attempt in run.attempts() {
        let of_trace = |span: &&_| -> bool {
            let span: &honeyhive_tests::fake::StoredSpan = span;
            span.trace_id == attempt.trace_id
        };
        let spans = fake.spans();
        let names: HashSet<&str> =
            spans.iter().filter(of_trace).map(|span| span.name.as_str()).collect();
        assert!(names.contains("in thread") && names.contains("in task"), "{names:?}");
        assert_eq!(names.len(), 14, "{names:?}");
        for span in spans.iter().filter(of_trace) {
            for prefix in ["honeyhive", "honeyhive_metadata", "traceloop.association.properties"] {
                for (name, id) in [
                    ("run_id", &attempt.run_id),
                    ("dataset_id", &attempt.dataset_id),
                    ("datapoint_id", &attempt.datapoint_id),
                ] {
                    let key = format!("{prefix}.{name}");
                    assert_eq!(span.attributes[&key], **id, "{key} of {}", span.name);
                }
            }
            assert_eq!(span.attributes["honeyhive.session_id"], attempt.session_id);
        }
    }
    assert_eq!(fake.spans().len(), 3 * 14, "and there are no others");
}

#[test]
fn check_18_a_child_span() {
    let (fake, _) = &*CAPITALS;
    let root = root(fake, "-fr");
    let spans = fake.spans();
    let of = |name: &str| {
        let found = spans.iter().find(|s| s.trace_id == root.trace_id && s.name.ends_with(name));
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let (outer, model, by_hand) = (of("lookup"), of("llm_call"), of("by hand"));
    assert_eq!(outer.parent_span_id.as_ref(), Some(&root.span_id));
    assert_eq!(by_hand.parent_span_id.as_ref(), Some(&root.span_id));
    assert_eq!(model.parent_span_id.as_ref(), Some(&outer.span_id));
    assert_eq!(model.attributes["honeyhive_event_type"], "model");
    assert_eq!(model.attributes["honeyhive_event_name"], "llm_call");
    assert_eq!(model.attributes["honeyhive_inputs.country"], "France");
    assert_eq!(model.attributes["honeyhive_outputs.result"], "Paris");
    assert_eq!(by_hand.attributes["honeyhive_event_type"], "tool");
}

#[test]
fn check_19_a_child_without_a_name() {
    let (fake, _) = &*CAPITALS;
    let child = span(fake, "evals::lookup");
    assert_eq!(child.attributes.get("honeyhive_event_name"), None);
    assert_eq!(child.attributes["honeyhive_event_type"], "tool");
}

#[test]
fn check_27_outputs_are_flattened() {
    let (fake, _) = sent("shaped");
    let outputs = |id: &str| {
        let mut attributes = root(&fake, id).attributes;
        attributes.retain(|key, _| key.starts_with("honeyhive_outputs"));
        Value::Object(attributes)
    };
    assert_eq!(
        outputs("-object"),
        json!({
            "honeyhive_outputs.result.a.b": 1,
            "honeyhive_outputs.result.list.0": true,
            "honeyhive_outputs.result.list.1": 0.5,
            "honeyhive_outputs.result.t": "x",
        })
    );
    assert_eq!(outputs("-text"), json!({"honeyhive_outputs.result": "just text"}));
    assert_eq!(outputs("-number"), json!({"honeyhive_outputs.result": 1.5}));
}

#[test]
fn check_43_wide_outputs_push_nothing_out() {
    let (fake, run) = sent("shaped");
    for (id, case) in [("-wide", 4), ("-wide too", 5)] {
        let attributes = root(&fake, id).attributes;
        let attempt = run.attempts().into_iter().find(|attempt| attempt.row == case);
        let attempt = attempt.expect("an attempt");
        assert_eq!(attributes["honeyhive.session_id"], attempt.session_id);
        assert_eq!(attributes["honeyhive_metadata.run_id"], attempt.run_id);
        assert_eq!(attributes["honeyhive_metrics.fine"], true);
        let wide = attributes.keys().filter(|key| key.starts_with("honeyhive_outputs.result."));
        assert_eq!(wide.count(), 200);
    }
}

#[test]
fn check_53_scope_and_resource_are_those_of_every_datapoint() {
    let (fake, _) = &*CAPITALS;
    let spans = fake.spans();
    assert!(spans.iter().all(|span| span.scope == "honeyhive-harness"), "{}", spans[0].scope);
    assert!(spans.iter().all(|span| span.scope_version == env!("CARGO_PKG_VERSION")));
    assert!(spans.iter().all(|span| span.resource == spans[0].resource));
    assert_eq!(spans[0].resource["service.name"], "honeyhive");
    let fake = Fake::start();
    evals(&fake, "capitals").env("OTEL_SERVICE_NAME", "my service").run();
    fake.assert_clean();
    assert_eq!(fake.spans()[0].resource["service.name"], "my service");
}

#[test]
fn check_54_baggage_of_the_user() {
    let (fake, _) = sent("foreign");
    assert_eq!(span(&fake, "with baggage").attributes["baggage.tenant"], "acme");
    assert_eq!(span(&fake, "plain").attributes.get("baggage.tenant"), None);
}

#[test]
fn check_55_the_kinds_of_foreign_spans() {
    let (fake, _) = sent("foreign");
    for (name, kind) in [
        ("gen_ai.operation.name chat", "model"),
        ("gen_ai.operation.name embeddings", "model"),
        ("gen_ai.operation.name invoke_agent", "chain"),
        ("gen_ai.operation.name execute_tool", "tool"),
        ("openinference.span.kind LLM", "model"),
        ("openinference.span.kind AGENT", "chain"),
        ("openinference.span.kind RETRIEVER", "tool"),
        ("gpt", "model"),
        ("plain", "tool"),
    ] {
        assert_eq!(span(&fake, name).attributes["honeyhive_event_type"], kind, "{name}");
    }
}
