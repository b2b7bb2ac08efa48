//! The finished spans of an attempt, as evaluators, the journal and reports see them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value as OtelValue};
use opentelemetry_sdk::trace::SpanData;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::redact::Redactor;

/// The status with which a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanStatus {
    /// The status was not set.
    #[default]
    Unset,
    /// The span succeeded, as its code says.
    Ok,
    /// The span failed, with this message.
    Error(String),
}

/// Something that happened within a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpanEvent {
    /// Its name, `exception` for errors.
    pub name: String,
    /// Nanoseconds since 1970.
    pub at_unix_ns: u64,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

/// One span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpanRecord {
    /// Its name.
    pub name: String,
    /// 16 hex digits.
    pub span_id: String,
    /// 16 hex digits; `None` for the root of the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// `internal`, `client`, `server`, `producer` or `consumer`.
    pub kind: String,
    /// Nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Nanoseconds since 1970; 0 while the span is open.
    pub end_unix_ns: u64,
    /// The status with which it ended.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub status: SpanStatus,
    /// Its attributes, typed as JSON.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// The events within it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SpanEvent>,
    /// Spans of other traces that it points at, as `trace id-span id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

// Signature demanded by `skip_serializing_if`.
fn is_unset(status: &SpanStatus) -> bool {
    *status == SpanStatus::Unset
}

pub(crate) fn unix_ns(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn json(value: OtelValue) -> Value {
    match value {
        OtelValue::Bool(yes) => Value::Bool(yes),
        OtelValue::I64(number) => Value::from(number),
        OtelValue::F64(number) => Value::from(number),
        OtelValue::String(text) => Value::String(text.into()),
        OtelValue::Array(Array::Bool(items)) => Value::from(items),
        OtelValue::Array(Array::I64(items)) => Value::from(items),
        OtelValue::Array(Array::F64(items)) => Value::from(items),
        OtelValue::Array(Array::String(items)) => {
            items.into_iter().map(|text| Value::String(text.into())).collect()
        }
        other => Value::from(other.to_string()),
    }
}

fn attributes(pairs: Vec<KeyValue>) -> Map<String, Value> {
    pairs.into_iter().map(|pair| (pair.key.into(), json(pair.value))).collect()
}

fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal => "internal",
    }
}

impl From<SpanData> for SpanRecord {
    fn from(span: SpanData) -> Self {
        let parent = span.parent_span_id;
        Self {
            name: span.name.into_owned(),
            span_id: span.span_context.span_id().to_string(),
            parent_span_id: (parent != SpanId::INVALID).then(|| parent.to_string()),
            kind: kind(&span.span_kind).to_owned(),
            start_unix_ns: unix_ns(span.start_time),
            end_unix_ns: unix_ns(span.end_time),
            status: match span.status {
                Status::Unset => SpanStatus::Unset,
                Status::Ok => SpanStatus::Ok,
                Status::Error { description } => SpanStatus::Error(description.into_owned()),
            },
            attributes: attributes(span.attributes),
            events: span
                .events
                .events
                .into_iter()
                .map(|event| SpanEvent {
                    name: event.name.into_owned(),
                    at_unix_ns: unix_ns(event.timestamp),
                    attributes: attributes(event.attributes),
                })
                .collect(),
            links: span
                .links
                .iter()
                .map(|link| {
                    format!("{}-{}", link.span_context.trace_id(), link.span_context.span_id())
                })
                .collect(),
        }
    }
}

impl SpanRecord {
    /// Creates a snapshot of the root span while it is open: evaluators run before it ends.
    pub(super) fn open_root(name: &str, context: &SpanContext, started: SystemTime) -> Self {
        Self {
            name: name.to_owned(),
            span_id: context.span_id().to_string(),
            parent_span_id: None,
            kind: "internal".to_owned(),
            start_unix_ns: unix_ns(started),
            end_unix_ns: 0,
            status: SpanStatus::Unset,
            attributes: Map::new(),
            events: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Removes secrets from everything but its ids. Returns whether there were any.
    pub(crate) fn redact(&mut self, redactor: &Redactor) -> bool {
        let mut changed = redactor.string(&mut self.name);
        changed |= redactor.attributes(&mut self.attributes);
        if let SpanStatus::Error(text) = &mut self.status {
            changed |= redactor.error(text);
        }
        for event in &mut self.events {
            changed |= redactor.string(&mut event.name);
            changed |= redactor.attributes(&mut event.attributes);
        }
        changed
    }

    /// Returns the duration; zero while it is open.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_unix_ns.saturating_sub(self.start_unix_ns))
    }

    /// Returns whether it failed.
    pub fn is_error(&self) -> bool {
        matches!(self.status, SpanStatus::Error(_))
    }
}

/// The spans of an attempt, for evaluators that look at how an output came about.
///
/// ```
/// use honeyhive_harness::{SpanQuery, Trace};
///
/// fn searched_once(trace: &Trace) -> bool {
///     trace.count(&SpanQuery::named("search")) == 1 && trace.errors() == 0
/// }
/// # assert!(!searched_once(&Trace::default()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trace {
    /// The id of the trace: 32 hex digits.
    pub trace_id: String,
    /// The finished spans in the order in which they ended, then the root span, still open.
    pub spans: Vec<SpanRecord>,
}

impl Trace {
    /// Returns the root span: the experiment's function.
    pub fn root(&self) -> Option<&SpanRecord> {
        self.spans.iter().find(|span| span.parent_span_id.is_none())
    }

    /// Returns the direct children of a span, in the order in which they started.
    pub fn children<'a>(&'a self, of: &SpanRecord) -> Vec<&'a SpanRecord> {
        let mut children: Vec<&SpanRecord> = self
            .spans
            .iter()
            .filter(|span| span.parent_span_id.as_deref() == Some(of.span_id.as_str()))
            .collect();
        children.sort_by_key(|span| span.start_unix_ns);
        children
    }

    /// Returns the spans that match, in the order in which they ended.
    pub fn find<'a>(&'a self, query: &SpanQuery) -> Vec<&'a SpanRecord> {
        self.spans.iter().filter(|span| query.matches(span)).collect()
    }

    /// Returns the number of spans that match.
    pub fn count(&self, query: &SpanQuery) -> usize {
        self.find(query).len()
    }

    /// Returns the number of spans that failed.
    pub fn errors(&self) -> usize {
        self.spans.iter().filter(|span| span.is_error()).count()
    }
}

/// A query for spans of a [`Trace`]: all conditions must hold.
///
/// ```
/// use std::time::Duration;
/// use honeyhive_harness::SpanQuery;
///
/// let slow_searches = SpanQuery::named("search")
///     .attribute("index", "docs")
///     .at_least(Duration::from_millis(500));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SpanQuery {
    name: Option<String>,
    contains: Option<String>,
    attributes: Vec<(String, Value)>,
    at_least: Option<Duration>,
    at_most: Option<Duration>,
    error: Option<bool>,
}

impl SpanQuery {
    /// Matches any span.
    pub fn any() -> Self {
        Self::default()
    }

    /// Matches spans of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Matches spans whose name contains this text.
    #[must_use]
    pub fn name_contains(mut self, part: impl Into<String>) -> Self {
        self.contains = Some(part.into());
        self
    }

    /// Matches spans with this attribute and value.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }

    /// Matches spans that took this long or longer.
    #[must_use]
    pub fn at_least(mut self, duration: Duration) -> Self {
        self.at_least = Some(duration);
        self
    }

    /// Matches spans that took no longer than this.
    #[must_use]
    pub fn at_most(mut self, duration: Duration) -> Self {
        self.at_most = Some(duration);
        self
    }

    /// Matches spans that failed (`true`), or that did not (`false`).
    #[must_use]
    pub fn failed(mut self, failed: bool) -> Self {
        self.error = Some(failed);
        self
    }

    /// Returns whether a span meets all conditions.
    pub fn matches(&self, span: &SpanRecord) -> bool {
        self.name.as_ref().is_none_or(|name| *name == span.name)
            && self.contains.as_ref().is_none_or(|part| span.name.contains(part.as_str()))
            && self.attributes.iter().all(|(key, value)| span.attributes.get(key) == Some(value))
            && self.at_least.is_none_or(|least| span.duration() >= least)
            && self.at_most.is_none_or(|most| span.duration() <= most)
            && self.error.is_none_or(|error| span.is_error() == error)
    }
}
