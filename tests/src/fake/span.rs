//! Converts received spans into a form for tests, and finds faults in them.

use std::collections::{HashMap, HashSet};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message as _;
use serde_json::{Map, Value, json};

/// A span that was received.
///
/// Attributes are JSON values of the same type: an integer stays an integer (`3`), and a double is
/// never an integer (`3.0`). Values that JSON does not have are shown as `{"doubleValue": "NaN"}`
/// or `{"bytesValue": "00ff"}`.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSpan {
    /// The id of the trace: 32 hex digits.
    pub trace_id: String,
    /// The id of the span: 16 hex digits.
    pub span_id: String,
    /// The id of the parent; `None` for the root of a trace.
    pub parent_span_id: Option<String>,
    /// The name of the span.
    pub name: String,
    /// The kind of the span: `INTERNAL`, `CLIENT`, ..
    pub kind: &'static str,
    /// The start, in nanoseconds since 1970.
    pub start_ns: u64,
    /// The end, in nanoseconds since 1970.
    pub end_ns: u64,
    /// The attributes by key.
    pub attributes: Map<String, Value>,
    /// The events, in the order in which they came.
    pub events: Vec<StoredSpanEvent>,
    /// The number of links to other spans.
    pub links: usize,
    /// The status of the span: `UNSET`, `OK` or `ERROR`.
    pub status: &'static str,
    /// The description of the error.
    pub status_message: String,
    /// The attributes of the resource that sent the span.
    pub resource: Map<String, Value>,
    /// The name of the instrumentation scope.
    pub scope: String,
    /// The version of the instrumentation scope.
    pub scope_version: String,
    /// The number of deliveries, each with the same bytes.
    pub deliveries: usize,
    /// The encoded span. Two deliveries of a span must have the same bytes.
    pub(super) bytes: Vec<u8>,
}

/// An event of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSpanEvent {
    /// The name of the event.
    pub name: String,
    /// The time of the event, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The attributes by key.
    pub attributes: Map<String, Value>,
}

/// The resource and scope that spans come from.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) resource: Map<String, Value>,
    pub(super) scope: String,
    pub(super) scope_version: String,
}

/// The spans of one receiver, each stored once.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    pub(super) spans: Vec<StoredSpan>,
    by_id: HashMap<(String, String), usize>,
    session_of_trace: HashMap<String, String>,
}

impl Receiver {
    /// Returns the conflicts of new spans with the stored ones.
    pub(super) fn faults(&self, spans: &[StoredSpan]) -> Vec<String> {
        let mut new = HashSet::new();
        let fault = |span: &StoredSpan| {
            let id = (span.trace_id.clone(), span.span_id.clone());
            if !new.insert(id.clone()) {
                return Some(format!("{} is in this request twice", span.label()));
            }
            let known = &self.spans[*self.by_id.get(&id)?];
            (known.bytes != span.bytes)
                .then(|| format!("{} was sent before with other content", span.label()))
        };
        spans.iter().filter_map(fault).collect()
    }

    pub(super) fn push(&mut self, spans: Vec<StoredSpan>) {
        for span in spans {
            let id = (span.trace_id.clone(), span.span_id.clone());
            if let Some(index) = self.by_id.get(&id) {
                self.spans[*index].deliveries += 1;
            } else {
                self.by_id.insert(id, self.spans.len());
                self.spans.push(span);
            }
        }
    }

    /// Assigns a trace to a session; returns the other session if it belonged to one before.
    pub(super) fn claim(&mut self, trace: &str, session: &str) -> Option<String> {
        let owner = self.session_of_trace.entry(trace.to_owned()).or_insert(session.to_owned());
        (owner != session).then(|| owner.clone())
    }

    /// Returns the spans whose parents never came.
    pub(super) fn orphans(&self) -> impl Iterator<Item = String> {
        self.spans.iter().filter_map(|span| {
            let parent = span.parent_span_id.clone()?;
            let there = self.by_id.contains_key(&(span.trace_id.clone(), parent.clone()));
            (!there).then(|| format!("{}: its parent {parent} never came", span.label()))
        })
    }
}

impl StoredSpan {
    /// Returns the name of the span in complaints.
    pub(super) fn label(&self) -> String {
        format!("span {:?} ({} {})", self.name, self.trace_id, self.span_id)
    }

    /// Reads a span and collects the faults in it.
    pub(super) fn read(span: &Span, origin: &Origin, faults: &mut Vec<String>) -> Self {
        let mut found = span_faults(span);
        let status = span.status.clone().unwrap_or_default();
        let stored = Self {
            trace_id: hex(&span.trace_id),
            span_id: hex(&span.span_id),
            parent_span_id: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
            name: span.name.clone(),
            kind: SpanKind::try_from(span.kind)
                .map_or("?", |kind| kind.as_str_name().trim_start_matches("SPAN_KIND_")),
            start_ns: span.start_time_unix_nano,
            end_ns: span.end_time_unix_nano,
            attributes: attributes(&span.attributes, "attributes", &mut found),
            events: span.events.iter().map(|event| read_event(event, &mut found)).collect(),
            links: span.links.len(),
            status: StatusCode::try_from(status.code)
                .map_or("?", |code| code.as_str_name().trim_start_matches("STATUS_CODE_")),
            status_message: status.message,
            resource: origin.resource.clone(),
            scope: origin.scope.clone(),
            scope_version: origin.scope_version.clone(),
            deliveries: 1,
            bytes: span.encode_to_vec(),
        };
        let label = stored.label();
        faults.extend(found.into_iter().map(|fault| format!("{label}: {fault}")));
        stored
    }
}

fn span_faults(span: &Span) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |right: bool, fault: &str| {
        if !right {
            faults.push(fault.to_owned());
        }
    };
    demand(is_id(&span.trace_id, 16), "the trace id is no id");
    demand(is_id(&span.span_id, 8), "the span id is no id");
    demand(
        span.parent_span_id.is_empty() || is_id(&span.parent_span_id, 8),
        "the parent span id is no id",
    );
    demand(span.parent_span_id != span.span_id, "it is its own parent");
    demand(!span.name.trim().is_empty(), "it has no name");
    demand((1..=5).contains(&span.kind), "it has no kind");
    demand(span.start_time_unix_nano > 0, "it has no start");
    demand(span.end_time_unix_nano >= span.start_time_unix_nano, "it ends before it starts");
    let dropped =
        span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count;
    demand(dropped == 0, "something of it was dropped");
    if let Some(Status { message, code }) = &span.status {
        demand((0..=2).contains(code), "its status is unknown");
        demand(*code == 2 || message.is_empty(), "a status without error has a message");
    }
    for Link { trace_id, span_id, attributes: of_link, dropped_attributes_count, .. } in &span.links
    {
        demand(is_id(trace_id, 16) && is_id(span_id, 8), "a link has no ids");
        demand(*dropped_attributes_count == 0, "something of a link was dropped");
        let mut found = Vec::new();
        attributes(of_link, "a link's attributes", &mut found);
        demand(found.is_empty(), &found.join("; "));
    }
    faults
}

fn read_event(event: &Event, faults: &mut Vec<String>) -> StoredSpanEvent {
    if event.name.is_empty() || event.time_unix_nano == 0 {
        faults.push("an event has no name or time".to_owned());
    }
    if event.dropped_attributes_count != 0 {
        faults.push("something of an event was dropped".to_owned());
    }
    let place = format!("attributes of event {:?}", event.name);
    StoredSpanEvent {
        name: event.name.clone(),
        time_ns: event.time_unix_nano,
        attributes: attributes(&event.attributes, &place, faults),
    }
}

/// Reads attributes and collects the faults in them.
pub(super) fn attributes(
    pairs: &[KeyValue],
    place: &str,
    faults: &mut Vec<String>,
) -> Map<String, Value> {
    let mut read = Map::new();
    for pair in pairs {
        let key = &pair.key;
        if key.is_empty() {
            faults.push(format!("{place}: a key is empty"));
        }
        match pair.value.as_ref().and_then(|AnyValue { value }| value.as_ref()) {
            None => faults.push(format!("{place}: {key:?} has no value")),
            Some(value) => {
                let value = json_of(value, &format!("{place}: {key:?}"), faults);
                if read.insert(key.clone(), value).is_some() {
                    faults.push(format!("{place}: {key:?} is there twice"));
                }
            }
        }
    }
    read
}

fn json_of(value: &Any, place: &str, faults: &mut Vec<String>) -> Value {
    match value {
        Any::StringValue(text) => json!(text),
        Any::BoolValue(value) => json!(value),
        Any::IntValue(number) => json!(number),
        Any::DoubleValue(number) if number.is_finite() => json!(number),
        Any::DoubleValue(number) => json!({"doubleValue": number.to_string()}),
        Any::BytesValue(bytes) => json!({"bytesValue": hex(bytes)}),
        Any::KvlistValue(list) => Value::Object(attributes(&list.values, place, faults)),
        Any::ArrayValue(array) => {
            let items = array.values.iter().map(|item| match &item.value {
                Some(value) => json_of(value, place, faults),
                // An empty value is null.
                None => Value::Null,
            });
            Value::Array(items.collect())
        }
        Any::StringValueStrindex(_) => {
            faults.push(format!("{place} is an index of profiles"));
            Value::Null
        }
    }
}

fn is_id(bytes: &[u8], length: usize) -> bool {
    bytes.len() == length && bytes.iter().any(|byte| *byte != 0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
