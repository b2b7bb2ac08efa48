//! Batches of spans that share a request, and the time when they are sent.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_sdk::resource::{ResourceDetector as _, TelemetryResourceDetector};
use prost::Message as _;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::encode::{pair, span};
use crate::config::Protocol;
use crate::tracer::SpanRecord;

/// The number of spans with which a batch is sent ..
const MOST_SPANS: usize = 512;

/// .. or about this size in bytes.
const MOST_BYTES: usize = 2 << 20;

/// The time that spans wait for others to share their request.
const GATHER: Duration = Duration::from_secs(1);

/// The time in which a batch gathers: it begins with the first thing to send.
#[derive(Debug, Default)]
pub(crate) struct Window {
    closes: Option<Instant>,
}

impl Window {
    /// Begins the window, unless it has begun: what is there now is sent after a second at most.
    pub(crate) fn open(&mut self) {
        self.closes.get_or_insert_with(|| Instant::now() + GATHER);
    }

    /// Ends the window: what is there is sent now.
    pub(crate) fn close(&mut self) {
        self.closes = Some(Instant::now());
    }

    /// Ends the window, with nothing to send.
    pub(crate) fn clear(&mut self) {
        self.closes = None;
    }

    /// Returns when what is there is to be sent; `None` where nothing is.
    pub(crate) fn closes_at(&self) -> Option<Instant> {
        self.closes
    }

    /// Returns whether what is there is to be sent now.
    pub(crate) fn is_over(&self) -> bool {
        self.closes.is_some_and(|closes| Instant::now() >= closes)
    }
}

/// The resource that all spans of a process come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceInfo {
    pub(crate) service: String,
    pub(crate) project: Option<String>,
}

impl ResourceInfo {
    fn encode(&self) -> Resource {
        let text = |key: &str, value: &str| pair(key.to_owned(), Value::from(value));
        let own = [
            text("service.name", &self.service),
            text("openinference.project.name", self.project.as_ref().unwrap_or(&self.service)),
        ];
        let sdk = TelemetryResourceDetector.detect();
        let sdk = sdk.iter().map(|(key, value)| text(key.as_str(), &value.as_str()));
        let mut attributes: Vec<KeyValue> = own.into_iter().chain(sdk).flatten().collect();
        // The SDK gives them in any order; a resource that changes would be another one.
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
        Resource { attributes, ..Resource::default() }
    }
}

/// Spans that are sent in one request.
///
/// Each is encoded as it comes. Hundreds of them with a text per attribute would take far more time
/// to allocate and to free again than to encode.
#[derive(Debug)]
pub(crate) struct Batch {
    protocol: Protocol,
    /// The spans in a row, as they stand in a request; in JSON with a comma after each.
    spans: Vec<u8>,
    /// The end of each span in `spans`.
    ends: Vec<usize>,
}

/// Numbers of fields in the messages around the spans.
const RESOURCE_SPANS: u8 = 1;
const RESOURCE: u8 = 1;
const SCOPE_SPANS: u8 = 2;
const SCOPE: u8 = 1;
const SPANS: u8 = 2;

impl Batch {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self { protocol, spans: Vec::new(), ends: Vec::new() }
    }

    /// Adds a span with its attributes as they are to be sent; `false` where its ids are not valid.
    pub(crate) fn push(
        &mut self,
        trace_id: &str,
        record: SpanRecord,
        attributes: Map<String, Value>,
    ) -> bool {
        let Some(span) = span(trace_id, record, attributes) else { return false };
        match self.protocol {
            Protocol::Protobuf => {
                self.spans.push(tag(SPANS));
                // Room is made as it is needed.
                let _ = span.encode_length_delimited(&mut self.spans);
            }
            Protocol::Json => {
                // Strings, numbers and lists of them; none can fail to be written.
                let _ = serde_json::to_writer(&mut self.spans, &span);
                self.spans.push(b',');
            }
        }
        self.ends.push(self.spans.len());
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MOST_SPANS || self.spans.len() >= MOST_BYTES
    }

    /// Keeps the first `count` spans, and returns the others.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let ends = self.ends.split_off(count.min(self.ends.len()));
        let begin = self.ends.last().copied().unwrap_or_default();
        let spans = self.spans.split_off(begin);
        let ends = ends.into_iter().map(|end| end - begin).collect();
        Self { protocol: self.protocol, spans, ends }
    }

    /// Returns the content type and body of the request: an `ExportTraceServiceRequest` with one resource
    /// and one scope.
    pub(crate) fn encode(&self, resource: &ResourceInfo) -> (&'static str, Vec<u8>) {
        let resource = resource.encode();
        let scope = InstrumentationScope {
            name: "honeyhive-harness".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        match self.protocol {
            Protocol::Protobuf => {
                let [mut of_scope, mut of_resource, mut request] = [const { Vec::new() }; 3];
                field(SCOPE, &scope.encode_to_vec(), &mut of_scope);
                of_scope.extend_from_slice(&self.spans);
                field(RESOURCE, &resource.encode_to_vec(), &mut of_resource);
                field(SCOPE_SPANS, &of_scope, &mut of_resource);
                field(RESOURCE_SPANS, &of_resource, &mut request);
                ("application/x-protobuf", request)
            }
            Protocol::Json => {
                let text = |value: serde_json::Result<String>| value.unwrap_or_default();
                let (resource, scope) =
                    (text(serde_json::to_string(&resource)), text(serde_json::to_string(&scope)));
                let begin = format!(
                    r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"scope":{scope},"spans":["#
                );
                let spans = self.spans.strip_suffix(b",").unwrap_or(&self.spans);
                let body = [begin.as_bytes(), spans, b"]}]}]}"].concat();
                ("application/json", body)
            }
        }
    }
}

/// Returns the byte that begins a field which holds a message.
fn tag(number: u8) -> u8 {
    number << 3 | 2
}

/// Writes a field that holds a message.
fn field(number: u8, message: &[u8], to: &mut Vec<u8>) {
    to.push(tag(number));
    // Room is made as it is needed.
    let _ = prost::encode_length_delimiter(message.len(), to);
    to.extend_from_slice(message);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::SpanStatus;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use serde_json::json;

    fn record() -> SpanRecord {
        SpanRecord {
            name: "search".to_owned(),
            span_id: "00f067aa0ba902b7".to_owned(),
            parent_span_id: Some("00f067aa0ba902b6".to_owned()),
            kind: "client".to_owned(),
            start_unix_ns: 20,
            end_unix_ns: 10,
            status: SpanStatus::Error("no index".to_owned()),
            attributes: Map::new(),
            events: Vec::new(),
            links: vec!["4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b5".to_owned()],
        }
    }

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn resource() -> ResourceInfo {
        ResourceInfo { service: "app".to_owned(), project: None }
    }

    #[test]
    fn json_is_as_the_specification_has_it() {
        let attributes = json!({
            "text": "a", "whole": 3, "half": 2.5, "round": 2.0, "yes": true, "list": [1, "b"],
            "nothing": null, "object": {"a": 1}
        });
        let mut batch = Batch::new(Protocol::Json);
        assert!(batch.push(TRACE, record(), attributes.as_object().unwrap().clone()));
        assert!(!batch.push("0", record(), Map::new()));
        let (content_type, body) = batch.encode(&resource());
        assert_eq!(content_type, "application/json");
        let body: Value = serde_json::from_slice(&body).unwrap();
        let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], TRACE);
        assert_eq!(span["parentSpanId"], "00f067aa0ba902b6");
        assert_eq!(span["startTimeUnixNano"], "20");
        assert_eq!(span["endTimeUnixNano"], "20");
        assert_eq!(span["kind"], 3);
        assert_eq!(span["status"], json!({"message": "no index", "code": 2}));
        assert_eq!(span["links"][0]["spanId"], "00f067aa0ba902b5");
        let value = |key: &str| {
            let found = span["attributes"].as_array().unwrap().iter().find(|a| a["key"] == key);
            found.map(|attribute| attribute["value"].clone())
        };
        assert_eq!(value("text").unwrap(), json!({"stringValue": "a"}));
        assert_eq!(value("whole").unwrap(), json!({"intValue": "3"}));
        assert_eq!(value("half").unwrap(), json!({"doubleValue": 2.5}));
        assert_eq!(value("round").unwrap(), json!({"doubleValue": 2.0}));
        assert_eq!(value("yes").unwrap(), json!({"boolValue": true}));
        assert_eq!(value("nothing"), None);
        assert_eq!(value("object").unwrap(), json!({"stringValue": "{\"a\":1}"}));
        let list = json!({"values": [{"intValue": "1"}, {"stringValue": "b"}]});
        assert_eq!(value("list").unwrap(), json!({"arrayValue": list}));
    }

    #[test]
    fn protobuf_says_the_same() {
        let encode = |protocol| {
            let mut batch = Batch::new(protocol);
            for name in ["one", "two"] {
                let record = SpanRecord { name: name.to_owned(), ..record() };
                assert!(batch.push(TRACE, record, Map::new()));
            }
            batch.encode(&resource()).1
        };
        let binary =
            ExportTraceServiceRequest::decode(encode(Protocol::Protobuf).as_slice()).unwrap();
        let text: ExportTraceServiceRequest =
            serde_json::from_slice(&encode(Protocol::Json)).unwrap();
        assert_eq!(binary, text);
        let [of_resource] = &binary.resource_spans[..] else { panic!("{binary:?}") };
        assert_eq!(of_resource.resource, Some(resource().encode()));
        let [of_scope] = &of_resource.scope_spans[..] else { panic!("{of_resource:?}") };
        assert_eq!(of_scope.scope.as_ref().unwrap().name, "honeyhive-harness");
        let names: Vec<&str> = of_scope.spans.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
    }

    #[test]
    fn a_batch_can_be_halved() {
        for protocol in [Protocol::Json, Protocol::Protobuf] {
            let mut batch = Batch::new(protocol);
            for name in ["one", "two", "three"] {
                let record = SpanRecord { name: name.to_owned(), ..record() };
                assert!(batch.push(TRACE, record, Map::new()));
            }
            let rest = batch.split_off(1);
            let names = |batch: &Batch| -> Vec<String> {
                let (_, body) = batch.encode(&resource());
                let request: ExportTraceServiceRequest = match protocol {
                    Protocol::Json => serde_json::from_slice(&body).unwrap(),
                    Protocol::Protobuf => ExportTraceServiceRequest::decode(&*body).unwrap(),
                };
                let scope = &request.resource_spans[0].scope_spans[0];
                scope.spans.iter().map(|span| span.name.clone()).collect()
            };
            assert_eq!((batch.len(), rest.len()), (1, 2));
            assert_eq!(
                (names(&batch), names(&rest)),
                (vec!["one".into()], vec!["two".into(), "three".into()])
            );
        }
    }
}
