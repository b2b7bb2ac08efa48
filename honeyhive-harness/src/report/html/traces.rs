//! Writes the spans of each case, in separate elements that are only parsed when a case is opened.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::{escape, limits};
use crate::journal::{self, AttemptRecord};
use crate::outcome::{Case, Change, Document};
use crate::tracer::{SpanRecord, SpanStatus};

/// The most bytes of all traces together. Beyond it those of cases that need no attention are left out.
const ALL: usize = 5 << 20;

/// The number of successive cases whose spans are too long for the rest of [`ALL`] after which no more
/// cases are tried.
const MISFITS: usize = 20;

/// The longest text of an attribute, in bytes.
const LONGEST: usize = 16 << 10;

/// The most spans of one attempt.
const SPANS: usize = 1_000;

/// The spans as elements, and the number of cases whose spans are left out.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The HTML of the elements.
    pub(super) html: Vec<u8>,
    /// The number of cases whose spans are left out.
    pub(super) left_out: usize,
}

/// Writes the spans of as many cases as fit, those first that need attention.
pub(super) fn write(document: &Document<'_>) -> Traces {
    let mut cases: Vec<(usize, usize, &Case<'_>)> = Vec::new();
    for (place, experiment) in document.experiments.iter().enumerate() {
        let with_place = experiment.cases.iter().enumerate();
        cases.extend(with_place.map(|(index, case)| (place, index, case)));
    }
    cases.retain(|(_, _, case)| case.attempts.iter().any(has_trace));
    cases.sort_by_key(|(place, index, case)| {
        (!case.is_bad(), case.change != Some(Change::Regressed), !case.flaky, *place, *index)
    });
    let Traces { mut html, mut left_out } = Traces::default();
    let mut misfits = 0;
    for (place, index, case) in cases {
        if misfits == MISFITS {
            left_out += 1;
            continue;
        }
        let before = html.len();
        // Writing to memory cannot fail.
        let _ = write!(html, "<script type=\"application/json\" id=\"t{place}.{index}\">");
        escape::push_json(&mut html, &case.attempts.iter().map(attempt).collect());
        html.extend_from_slice(b"</script>\n");
        if html.len() > ALL {
            html.truncate(before);
            left_out += 1;
            misfits += 1;
        } else {
            misfits = 0;
        }
    }
    Traces { html, left_out }
}

fn has_trace(attempt: &AttemptRecord) -> bool {
    journal::span_count(attempt) > 0
}

fn attempt(attempt: &AttemptRecord) -> Value {
    // Spans are read again here, since all of them at once are most of a journal. Where reading fails, the
    // page has the attempt without them.
    let all = journal::spans_of(attempt).unwrap_or_default();
    let begin = all.iter().map(|span| span.start_unix_ns).min().unwrap_or(0);
    let spans: Vec<Value> = all.iter().take(SPANS).map(|one| span(one, begin)).collect();
    json!({
        "t": attempt.trace_id,
        "q": attempt.session_id,
        "b": attempt.started_at,
        // The numbers of spans that were still open at the end, that an attempt may not keep, and that
        // are not shown here.
        "o": attempt.open_spans,
        "l": attempt.dropped_spans + journal::span_count(attempt).saturating_sub(spans.len()),
        "s": spans,
    })
}

fn span(span: &SpanRecord, begin: u64) -> Value {
    let mut to = Map::new();
    let mut set = |name: &str, value: Value| {
        to.insert(name.to_owned(), value);
    };
    set("n", Value::from(limits::text(&span.name, LONGEST)));
    set("i", Value::from(span.span_id.as_str()));
    if let Some(parent) = &span.parent_span_id {
        set("p", Value::from(parent.as_str()));
    }
    set("s", Value::from(micros(span.start_unix_ns, begin)));
    set("d", Value::from(micros(span.end_unix_ns, span.start_unix_ns)));
    if let SpanStatus::Error(message) = &span.status {
        set("e", Value::from(limits::text(message, LONGEST)));
    }
    if !span.attributes.is_empty() {
        set("a", Value::Object(limits::map(&span.attributes, LONGEST)));
    }
    if !span.events.is_empty() {
        let events = span.events.iter().map(|event| {
            let attributes = limits::map(&event.attributes, LONGEST);
            json!([limits::text(&event.name, LONGEST), micros(event.at_unix_ns, begin), attributes])
        });
        set("v", events.collect());
    }
    if !span.links.is_empty() {
        set("l", Value::from(span.links.clone()));
    }
    Value::Object(to)
}

/// Returns the microseconds between two times; 0 where a clock was set back, or a span has no end.
fn micros(later: u64, earlier: u64) -> u64 {
    later.saturating_sub(earlier) / 1_000
}
