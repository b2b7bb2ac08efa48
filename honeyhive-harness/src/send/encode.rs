//! Encodes a span as OTLP: names, times and values of a recorded span become those of the protocol.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Map, Value};

use crate::tracer::{SpanRecord, SpanStatus};

/// The longest text of an attribute in bytes; a session has the whole output.
const LONGEST_TEXT: usize = 64 << 10;

fn trace_bytes(hex: &str) -> Option<Vec<u8>> {
    let id = u128::from_str_radix(hex, 16).ok().filter(|id| *id != 0 && hex.len() == 32)?;
    Some(id.to_be_bytes().to_vec())
}

fn span_bytes(hex: &str) -> Option<Vec<u8>> {
    let id = u64::from_str_radix(hex, 16).ok().filter(|id| *id != 0 && hex.len() == 16)?;
    Some(id.to_be_bytes().to_vec())
}

/// Converts a span; `None` where its ids are not valid.
pub(super) fn span(
    trace_id: &str,
    record: SpanRecord,
    attributes: Map<String, Value>,
) -> Option<Span> {
    let kind = match record.kind.as_str() {
        "client" => SpanKind::Client,
        "server" => SpanKind::Server,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let (code, message) = match record.status {
        SpanStatus::Unset => (StatusCode::Unset, String::new()),
        SpanStatus::Ok => (StatusCode::Ok, String::new()),
        SpanStatus::Error(message) => (StatusCode::Error, clipped(message)),
    };
    Some(Span {
        trace_id: trace_bytes(trace_id)?,
        span_id: span_bytes(&record.span_id)?,
        parent_span_id: match &record.parent_span_id {
            Some(parent) => span_bytes(parent)?,
            None => Vec::new(),
        },
        name: record.name,
        kind: kind as i32,
        start_time_unix_nano: record.start_unix_ns,
        // The end is not before the start, even where the wall clock was set back meanwhile.
        end_time_unix_nano: record.end_unix_ns.max(record.start_unix_ns),
        attributes: pairs(attributes),
        events: record
            .events
            .into_iter()
            .map(|event| Event {
                time_unix_nano: event.at_unix_ns,
                name: event.name,
                attributes: pairs(event.attributes),
                dropped_attributes_count: 0,
            })
            .collect(),
        links: record.links.iter().filter_map(|link| self::link(link)).collect(),
        status: Some(Status { message, code: code as i32 }),
        ..Span::default()
    })
}

/// Reads `trace id-span id`, as the journal has it.
fn link(text: &str) -> Option<Link> {
    let (trace, span) = text.split_once('-')?;
    Some(Link { trace_id: trace_bytes(trace)?, span_id: span_bytes(span)?, ..Link::default() })
}

fn pairs(attributes: Map<String, Value>) -> Vec<KeyValue> {
    let mut pairs = Vec::with_capacity(attributes.len());
    pairs.extend(attributes.into_iter().filter_map(|(key, value)| pair(key, value)));
    pairs
}

/// Converts an attribute; `None` where it has no name or no value.
pub(super) fn pair(key: String, value: Value) -> Option<KeyValue> {
    let value = any(value)?;
    (!key.is_empty()).then(|| KeyValue { key, value: Some(value), ..KeyValue::default() })
}

/// Converts a value; `None` for `null`, which is the absence of a value and has no attribute in OTLP.
fn any(value: Value) -> Option<AnyValue> {
    let value = match value {
        Value::Null => return None,
        Value::Bool(yes) => any_value::Value::BoolValue(yes),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => any_value::Value::IntValue(whole),
            None => any_value::Value::DoubleValue(number.as_f64()?),
        },
        Value::String(text) => any_value::Value::StringValue(clipped(text)),
        Value::Array(items) => any_value::Value::ArrayValue(ArrayValue {
            values: items.into_iter().filter_map(any).collect(),
        }),
        object @ Value::Object(_) => any_value::Value::StringValue(clipped(object.to_string())),
    };
    Some(AnyValue { value: Some(value) })
}

fn clipped(text: String) -> String {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let mut end = LONGEST_TEXT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} [clipped, {} bytes in all]", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_clipped_between_letters() {
        let text = clipped(format!("a{}", "ä".repeat(LONGEST_TEXT)));
        assert!(text.ends_with("[clipped, 131073 bytes in all]"));
        assert!(text.len() < LONGEST_TEXT + 100);
        assert_eq!(clipped("short".to_owned()), "short");
    }
}
