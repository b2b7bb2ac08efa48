//! Tests spans in protobuf and JSON: what is read and what is refused.

use honeyhive_tests::Fake;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use serde_json::{Value, json};

use super::client::{Call, OTHER, RUN, SESSION, assert_refused, changed, session, with_session};

const HONEYHIVE: &str = "POST /opentelemetry/v1/traces";
const PLAIN: &str = "POST /v1/traces";

fn attribute(key: &str, value: Any) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

/// Returns a child and its parent, which ends later.
fn spans() -> Vec<Span> {
    let ids = |session: &str| {
        vec![
            text("honeyhive.session_id", session),
            text("traceloop.association.properties.session_id", session),
            text("honeyhive.run_id", RUN),
            text("honeyhive_metadata.run_id", RUN),
            text("honeyhive_metadata.datapoint_id", "EXT-cities-paris"),
            text("honeyhive.source", "evaluation"),
        ]
    };
    let mut root = Span {
        trace_id: vec![0xa1; 16],
        span_id: vec![1; 8],
        name: "capitals".to_owned(),
        kind: 1,
        start_time_unix_nano: 1_700_000_000_000_000_001,
        end_time_unix_nano: 1_700_000_000_000_000_009,
        attributes: ids(SESSION),
        status: Some(Status::default()),
        flags: 0x101,
        ..Span::default()
    };
    root.attributes.extend([
        attribute("honeyhive_metrics.right", Any::BoolValue(true)),
        attribute("honeyhive_metrics.words", Any::IntValue(3)),
        attribute("honeyhive_metrics.close", Any::DoubleValue(1.0)),
        attribute("odd", Any::DoubleValue(f64::NAN)),
        attribute(
            "list",
            Any::ArrayValue(ArrayValue {
                values: vec![AnyValue { value: Some(Any::IntValue(1)) }],
            }),
        ),
        attribute("map", Any::KvlistValue(KeyValueList { values: vec![text("a", "b")] })),
    ]);
    let child = Span {
        span_id: vec![2; 8],
        parent_span_id: vec![1; 8],
        name: "llm".to_owned(),
        kind: 3,
        attributes: ids(SESSION),
        events: vec![Event {
            time_unix_nano: 1_700_000_000_000_000_005,
            name: "exception".to_owned(),
            attributes: vec![text("exception.message", "no")],
            dropped_attributes_count: 0,
        }],
        links: vec![Link { trace_id: vec![9; 16], span_id: vec![9; 8], ..Link::default() }],
        status: Some(Status { message: "no".to_owned(), code: 2 }),
        ..root.clone()
    };
    vec![child, root]
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: "honeyhive-harness".to_owned(),
        version: "0.1.0".to_owned(),
        ..InstrumentationScope::default()
    };
    let resource =
        Resource { attributes: vec![text("service.name", "evals")], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let of_resource =
        ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }
}

fn call(fake: &Fake, kind: &str, content_type: &str, body: Vec<u8>) -> Call {
    let key = fake.ingestion_key().unwrap_or(fake.key());
    let mut call = Call::rest(fake, kind, None)
        .header("hh-client-timestamp", "")
        .header("Accept", "")
        .header("Content-Type", content_type)
        .header("X-Source", "evaluation")
        .header("Authorization", &format!("Bearer {key}"));
    if kind == PLAIN {
        call = call.header("Authorization", "");
    }
    call.body = body;
    call
}

fn protobuf(fake: &Fake, request: &ExportTraceServiceRequest) -> Call {
    call(fake, HONEYHIVE, "application/x-protobuf", request.encode_to_vec())
}

fn json_body() -> Value {
    serde_json::to_value(request(spans())).expect("JSON")
}

fn json(fake: &Fake, kind: &str, body: &Value) -> Call {
    call(fake, kind, "application/json", body.to_string().into_bytes())
}

fn send(fake: &Fake, call: &Call) {
    let reply = call.send(fake);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
}

#[test]
fn spans_are_read_alike_from_protobuf_and_json() {
    // The encoder writes null for NaN, where the specification wants a string.
    let body = changed(
        json_body(),
        "/resourceSpans/0/scopeSpans/0/spans/1/attributes/9/value/doubleValue",
        json!("NaN"),
    );
    for ingestion in [false, true] {
        let start = || if ingestion { Fake::with_ingestion_key() } else { Fake::start() };
        let (first, second) = (with_session(start()), with_session(start()));
        send(&first, &protobuf(&first, &request(spans())));
        send(&second, &json(&second, HONEYHIVE, &body));
        first.assert_clean();
        second.assert_clean();
        let found = first.spans();
        assert_eq!(found.len(), 2);
        let [child, root] = &found[..] else { panic!("two spans") };
        assert_eq!(
            (root.trace_id.as_str(), root.span_id.as_str()),
            (&*"a1".repeat(16), "0101010101010101")
        );
        assert_eq!(
            (&root.parent_span_id, child.parent_span_id.as_ref()),
            (&None, Some(&root.span_id))
        );
        assert_eq!(
            (root.kind, child.kind, root.status, child.status),
            ("INTERNAL", "CLIENT", "UNSET", "ERROR")
        );
        assert_eq!(
            (root.start_ns, root.end_ns),
            (1_700_000_000_000_000_001, 1_700_000_000_000_000_009)
        );
        assert_eq!(root.attributes["honeyhive_metrics.right"], json!(true));
        assert_eq!(root.attributes["honeyhive_metrics.words"], json!(3));
        assert_eq!(root.attributes["honeyhive_metrics.close"], json!(1.0));
        assert_ne!(root.attributes["honeyhive_metrics.close"], json!(1));
        assert_eq!(root.attributes["odd"], json!({"doubleValue": "NaN"}));
        assert_eq!(
            (&root.attributes["list"], &root.attributes["map"]),
            (&json!([1]), &json!({"a": "b"}))
        );
        assert_eq!((child.events[0].name.as_str(), child.links), ("exception", 1));
        assert_eq!(child.events[0].attributes["exception.message"], "no");
        assert_eq!(
            (root.resource["service.name"].as_str(), root.scope.as_str()),
            (Some("evals"), "honeyhive-harness")
        );
        assert_eq!(second.spans().len(), 2);
        for (one, other) in found.iter().zip(second.spans()) {
            assert_eq!(
                (one.attributes.clone(), one.events.clone()),
                (other.attributes, other.events)
            );
            assert_eq!((&one.name, one.start_ns, one.deliveries), (&other.name, other.start_ns, 1));
        }
    }
}

#[test]
fn a_span_is_delivered_once_or_again_the_same() {
    let fake = with_session(Fake::start());
    for _ in 0..2 {
        send(&fake, &protobuf(&fake, &request(spans())));
    }
    fake.assert_clean();
    assert_eq!(fake.spans().iter().map(|span| span.deliveries).collect::<Vec<_>>(), [2, 2]);
    let mut other = spans();
    other[1].end_time_unix_nano += 1;
    let call = protobuf(&fake, &request(other));
    assert_refused(&fake, &call, 400, "was sent before with other content");
    let twice = [spans(), spans()[..1].to_vec()].concat();
    let fresh = with_session(Fake::start());
    assert_refused(&fresh, &protobuf(&fresh, &request(twice)), 400, "is in this request twice");
    assert!(fresh.spans().is_empty(), "what is refused is not kept");
}

#[test]
fn parents_may_come_later_but_must_come() {
    let fake = with_session(Fake::start());
    let [child, root] = spans().try_into().expect("two spans");
    send(&fake, &protobuf(&fake, &request(vec![child.clone()])));
    let complaints = fake.complaints();
    assert!(
        matches!(&complaints[..], [one] if one.contains("its parent 0101010101010101 never came"))
    );
    send(&fake, &protobuf(&fake, &request(vec![root.clone()])));
    fake.assert_clean();
    // A span of another trace cannot be the parent.
    let fake = with_session(Fake::start());
    let elsewhere = Span { trace_id: vec![0xb2; 16], ..root };
    send(&fake, &protobuf(&fake, &request(vec![child, elsewhere])));
    assert_eq!(fake.complaints().len(), 1);
}

#[test]
fn a_span_is_refused_for_each_thing_that_is_wrong() {
    fn set(span: &mut Span, key: &str, value: &str) {
        span.attributes.retain(|pair| pair.key != key);
        if !value.is_empty() {
            span.attributes.push(text(key, value));
        }
    }
    const TRACELOOP: &str = "traceloop.association.properties.session_id";
    type Change = fn(&mut Span);
    let rules: &[(&str, Change)] = &[
        ("the trace id is no id", |span| span.trace_id = vec![0; 16]),
        ("the trace id is no id", |span| span.trace_id = vec![1; 8]),
        ("the span id is no id", |span| span.span_id = vec![0; 8]),
        ("the span id is no id", |span| span.span_id = vec![1; 16]),
        ("the parent span id is no id", |span| span.parent_span_id = vec![1; 3]),
        ("it is its own parent", |span| span.parent_span_id.clone_from(&span.span_id)),
        ("it has no name", |span| span.name.clear()),
        ("it has no kind", |span| span.kind = 0),
        ("it has no kind", |span| span.kind = 6),
        ("it has no start", |span| span.start_time_unix_nano = 0),
        ("it ends before it starts", |span| span.end_time_unix_nano = 1),
        ("something of it was dropped", |span| span.dropped_attributes_count = 1),
        ("something of it was dropped", |span| span.dropped_events_count = 1),
        ("something of it was dropped", |span| span.dropped_links_count = 1),
        ("its status is unknown", |span| {
            span.status = Some(Status { message: String::new(), code: 3 });
        }),
        ("without error has a message", |span| {
            span.status = Some(Status { message: "!".into(), code: 1 });
        }),
        ("without error has a message", |span| {
            span.status = Some(Status { message: "!".into(), code: 0 });
        }),
        ("a key is empty", |span| span.attributes.push(text("", "a"))),
        ("\"a\" is there twice", |span| span.attributes.extend([text("a", "1"), text("a", "1")])),
        ("\"a\" has no value", |span| {
            span.attributes.push(KeyValue { key: "a".into(), ..KeyValue::default() });
        }),
        ("\"a\" has no value", |span| {
            let value = Some(AnyValue { value: None });
            span.attributes.push(KeyValue { key: "a".into(), value, ..KeyValue::default() });
        }),
        ("\"m\": a key is empty", |span| {
            let values = vec![text("", "x")];
            span.attributes.push(attribute("m", Any::KvlistValue(KeyValueList { values })));
        }),
        ("event \"e\": \"a\" is there twice", |span| {
            let attributes = vec![text("a", "1"), text("a", "2")];
            span.events.push(Event {
                time_unix_nano: 1,
                name: "e".into(),
                attributes,
                ..Event::default()
            });
        }),
        ("an event has no name or time", |span| {
            span.events.push(Event { name: "e".into(), ..Event::default() });
        }),
        ("something of an event was dropped", |span| {
            span.events.push(Event {
                time_unix_nano: 1,
                name: "e".into(),
                dropped_attributes_count: 1,
                ..Event::default()
            });
        }),
        ("a link has no ids", |span| span.links.push(Link::default())),
        ("are not one session", |span| set(span, "honeyhive.session_id", "")),
        ("are not one session", |span| set(span, TRACELOOP, "")),
        ("are not one session", |span| set(span, TRACELOOP, RUN)),
        ("are not one session", |span| {
            set(span, "honeyhive.session_id", "");
            set(span, TRACELOOP, "");
        }),
        ("honeyhive.run_id is \"3333", |span| set(span, "honeyhive.run_id", OTHER)),
        ("honeyhive_metadata.run_id is \"3333", |span| {
            set(span, "honeyhive_metadata.run_id", OTHER);
        }),
        ("honeyhive_metadata.dataset_id is", |span| {
            set(span, "honeyhive_metadata.dataset_id", "d");
        }),
        ("association.properties.datapoint_id is", |span| {
            set(span, "traceloop.association.properties.datapoint_id", "d");
        }),
        ("honeyhive.source is \"dev\"", |span| set(span, "honeyhive.source", "dev")),
    ];
    for (reason, change) in rules {
        let fake = with_session(Fake::start());
        let mut spans = spans();
        change(&mut spans[1]);
        assert_refused(&fake, &protobuf(&fake, &request(spans)), 400, reason);
        assert!(fake.spans().is_empty(), "{reason}: the other span is not kept either");
    }
    let fake = with_session(Fake::start());
    let mut unknown = vec![spans().remove(1)];
    set(&mut unknown[0], "honeyhive.session_id", OTHER);
    set(&mut unknown[0], TRACELOOP, OTHER);
    assert_refused(&fake, &protobuf(&fake, &request(unknown)), 400, "no session 33333333");
}

#[test]
fn a_trace_is_of_one_session() {
    let fake = with_session(Fake::start());
    let other = changed(session(), "/session_id", json!(OTHER));
    super::client::ok(&fake, "POST /v1/sessions", &other);
    let mut spans = spans();
    for pair in spans[0].attributes.iter_mut().filter(|pair| pair.key.ends_with("session_id")) {
        *pair = text(&pair.key, OTHER);
    }
    let call = protobuf(&fake, &request(spans));
    assert_refused(
        &fake,
        &call,
        400,
        &format!("of session {SESSION}, its trace of session {OTHER}"),
    );
}

#[test]
fn what_is_around_the_spans_must_be_right_too() {
    let fake = with_session(Fake::start());
    let good = request(spans());
    let mut no_scope = good.clone();
    no_scope.resource_spans[0].scope_spans[0].scope = None;
    let mut no_resource = good.clone();
    no_resource.resource_spans[0].resource = None;
    let mut twice = good.clone();
    if let Some(resource) = &mut twice.resource_spans[0].resource {
        resource.attributes.push(text("service.name", "b"));
    }
    for (request, reason) in [
        (request(Vec::new()), "a request without spans"),
        (ExportTraceServiceRequest::default(), "a request without spans"),
        (no_scope, "the scope has no name"),
        (no_resource, "the resource says nothing"),
        (twice, "resource: \"service.name\" is there twice"),
    ] {
        assert_refused(&fake, &protobuf(&fake, &request), 400, reason);
    }
    let bytes = good.encode_to_vec();
    let unknown_field = [&bytes[..], &[0x98, 0x06, 0x01]].concat();
    let half = bytes[..bytes.len() - 1].to_vec();
    for (body, content_type, status, reason) in [
        (unknown_field, "application/x-protobuf", 400, "more in it than spans"),
        (half, "application/x-protobuf", 400, "no OTLP"),
        (bytes.clone(), "application/json", 400, "no JSON"),
        (bytes.clone(), "application/protobuf", 415, "content-type is"),
    ] {
        assert_refused(&fake, &call(&fake, HONEYHIVE, content_type, body), status, reason);
    }
    let call = || protobuf(&fake, &good);
    for (name, value, status, reason) in [
        ("X-Source", "", 400, "X-Source is missing"),
        ("X-Source", "dev", 400, "honeyhive.source is \"evaluation\", not \"dev\""),
        ("Authorization", "Bearer x", 401, "Authorization is not"),
        ("hh-client-version", "", 400, "hh-client-version is []"),
        ("hh-client-language", "", 400, "hh-client-language is []"),
        ("hh-client-package", "", 400, "hh-client-package is []"),
        ("Content-Encoding", "gzip", 400, "the body is encoded"),
    ] {
        let refused = call().header(name, value).send(&fake);
        let complaints = fake.complaints().concat();
        assert_eq!(refused.status, status, "{reason}");
        assert!(complaints.contains(reason), "{reason}: {complaints}");
    }
    assert!(fake.spans().is_empty());
    send(&fake, &call());
}

#[test]
fn json_is_as_the_specification_has_it() {
    let good = changed(
        json_body(),
        "/resourceSpans/0/scopeSpans/0/spans/1/attributes/9/value/doubleValue",
        json!(0.5),
    );
    let fake = with_session(Fake::start());
    for (pointer, value, reason) in [
        ("traceId", json!("A1".repeat(16)), "traceId` is not an id"),
        ("traceId", json!("oaGhoaGhoaGhoaGhoaGhoQ=="), "traceId` is not an id"),
        ("traceId", json!("0".repeat(32)), "traceId` is not an id"),
        ("spanId", json!("01"), "spanId` is not an id"),
        ("parentSpanId", Value::Null, "parentSpanId` is not an id"),
        ("kind", json!("SPAN_KIND_INTERNAL"), "kind` is not an integer"),
        ("startTimeUnixNano", json!(1_700_000_000_000_000_001_u64), "is not nanoseconds"),
        ("endTimeUnixNano", json!("1.7e18"), "is not nanoseconds"),
        ("status/code", json!("STATUS_CODE_OK"), "code` is not an integer"),
        ("status/deprecatedCode", json!(0), "deprecatedCode` is no field"),
        ("trace_id", json!("a1"), "trace_id` is no field"),
        ("attributes/6/value/boolValue", json!("true"), "boolValue` is not a bool"),
        ("attributes/7/value/intValue", json!(3), "intValue` is not an integer as a string"),
        ("attributes/7/value/intValue", json!("3.0"), "intValue` is not an integer as a string"),
        ("attributes/8/value/doubleValue", json!("1.0"), "doubleValue` is not a number"),
        ("attributes/8/value/doubleValue", Value::Null, "doubleValue` is not a number"),
        ("attributes/0/value/stringValue", json!(1), "stringValue` is not a string"),
        ("attributes/0/value/boolValue", json!(true), "has 2 values, not one"),
        ("attributes/0/value", json!({}), "has 0 values, not one"),
        ("attributes/0/value-", Value::Null, "value` is missing"),
        ("attributes/10/value/arrayValue/values/0/intValue", json!(1), "is not an integer as a"),
        ("attributes/11/value/kvlistValue/values/0/value/stringValue", json!(1), "is not a string"),
    ] {
        let pointer = format!("/resourceSpans/0/scopeSpans/0/spans/1/{pointer}");
        let body = changed(good.clone(), &pointer, value);
        assert_refused(&fake, &json(&fake, HONEYHIVE, &body), 400, reason);
    }
    let event = "/resourceSpans/0/scopeSpans/0/spans/0/events/0/timeUnixNano";
    let body = changed(good.clone(), event, json!(5));
    assert_refused(&fake, &json(&fake, HONEYHIVE, &body), 400, "timeUnixNano` is not nanoseconds");
    assert!(fake.spans().is_empty());
    send(&fake, &json(&fake, HONEYHIVE, &good));
    assert_eq!(fake.spans().len(), 2);
}

#[test]
fn the_plain_receiver_has_its_own_rules() {
    let fake = Fake::builder()
        .otlp_header("X-Tenant", "a")
        .otlp_header("Authorization", "Bearer t")
        .start();
    let plain = |fake: &Fake| {
        call(fake, PLAIN, "application/x-protobuf", request(spans()).encode_to_vec())
            .header("X-Tenant", "a")
            .header("Authorization", "Bearer t")
    };
    // The plain receiver has no sessions, and its spans are separate from HoneyHive's.
    send(&fake, &plain(&fake));
    fake.assert_clean();
    assert_eq!((fake.spans().len(), fake.otlp_spans().len()), (0, 2));
    assert_refused(&fake, &plain(&fake).header("X-Tenant", "b"), 400, "x-tenant is [\"b\"]");
    let leak = format!("Bearer {}", fake.key());
    let leak = plain(&Fake::start()).header("Authorization", &leak);
    assert_refused(&fake, &leak, 400, "a key of HoneyHive stands where it does not belong");
    let mut no_id = spans();
    no_id[0].span_id.clear();
    let mut call = plain(&fake);
    call.body = request(no_id).encode_to_vec();
    assert_refused(&fake, &call, 400, "the span id is no id");
}
