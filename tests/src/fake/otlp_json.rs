//! Defines the form of OTLP as JSON.
//!
//! Decoders accept deviations: numbers for strings, names for enums, unknown keys. So the text is
//! checked against the specification before it is decoded.

use serde_json::{Value, json};

use super::shape::Shape::{
    self, Any, Bool, Count, Double, Hex, HexOrEmpty, IntText, List, Nanos, Struct, Text, Variant,
};
use super::shape::{may, must};

/// The shape of an `ExportTraceServiceRequest`.
pub(super) static REQUEST: Shape = Struct(&[must(
    "resourceSpans",
    List(&Struct(&[
        must("resource", RESOURCE),
        must("scopeSpans", List(&SCOPE_SPANS)),
        may("schemaUrl", Text),
    ])),
)]);

const RESOURCE: Shape = Struct(&[
    must("attributes", ATTRIBUTES),
    may("droppedAttributesCount", Count),
    may("entityRefs", List(&Any)),
]);

static SCOPE_SPANS: Shape = Struct(&[
    must(
        "scope",
        Struct(&[
            must("name", Text),
            may("version", Text),
            may("attributes", ATTRIBUTES),
            may("droppedAttributesCount", Count),
        ]),
    ),
    must("spans", List(&SPAN)),
    may("schemaUrl", Text),
]);

static SPAN: Shape = Struct(&[
    must("traceId", Hex(32)),
    must("spanId", Hex(16)),
    may("traceState", Text),
    may("parentSpanId", HexOrEmpty(16)),
    may("flags", Count),
    must("name", Text),
    // The specification has enums as numbers, not as names.
    must("kind", Count),
    must("startTimeUnixNano", Nanos),
    must("endTimeUnixNano", Nanos),
    may("attributes", ATTRIBUTES),
    may("droppedAttributesCount", Count),
    may("events", List(&EVENT)),
    may("droppedEventsCount", Count),
    may("links", List(&LINK)),
    may("droppedLinksCount", Count),
    may("status", Struct(&[may("message", Text), may("code", Count)])),
]);

static EVENT: Shape = Struct(&[
    must("timeUnixNano", Nanos),
    must("name", Text),
    may("attributes", ATTRIBUTES),
    may("droppedAttributesCount", Count),
]);

static LINK: Shape = Struct(&[
    must("traceId", Hex(32)),
    must("spanId", Hex(16)),
    may("traceState", Text),
    may("attributes", ATTRIBUTES),
    may("droppedAttributesCount", Count),
    may("flags", Count),
]);

const ATTRIBUTES: Shape = List(&ATTRIBUTE);

static ATTRIBUTE: Shape = Struct(&[must("key", Text), must("value", Variant(&VALUE))]);

static VALUE: [super::shape::Field; 7] = [
    may("stringValue", Text),
    may("boolValue", Bool),
    may("intValue", IntText),
    may("doubleValue", Double),
    may("bytesValue", Text),
    may("arrayValue", Struct(&[must("values", List(&Variant(&VALUE)))])),
    may("kvlistValue", Struct(&[must("values", List(&ATTRIBUTE))])),
];

/// Wraps doubles that are spelt out (`NaN`, `Infinity`), which are right but not known to the
/// decoder, in the form in which they are shown: `{"doubleValue": "NaN"}`.
pub(super) fn wrap_spelt_doubles(value: &mut Value) {
    match value {
        Value::Object(entries) => match entries.get("doubleValue") {
            Some(text @ Value::String(_)) => {
                let pair = json!({"key": "doubleValue", "value": {"stringValue": text}});
                *value = json!({"kvlistValue": {"values": [pair]}});
            }
            _ => entries.values_mut().for_each(wrap_spelt_doubles),
        },
        Value::Array(items) => items.iter_mut().for_each(wrap_spelt_doubles),
        _ => {}
    }
}
