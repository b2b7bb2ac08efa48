//! Reads attempts without the parts that the reader of the journal does not need.
//!
//! Spans are most of a journal, and contents most of the rest: 100,000 attempts take about 1 GB in
//! memory with all their parts, and 150 MB with the parts that gates need.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::left_out::{LeftOut, models};
use super::schema::{AttemptError, AttemptRecord, Record, ScoreRecord};
use crate::files;
use crate::tracer::SpanRecord;

/// Returns the number of spans of an attempt.
pub(crate) fn span_count(attempt: &AttemptRecord) -> usize {
    let left_out = attempt.left_out.as_ref().and_then(|left_out| left_out.spans.as_ref());
    left_out.map_or(attempt.spans.len(), |(spans, ..)| *spans)
}

/// Returns the spans of an attempt; those that were left out are read again.
///
/// # Errors
/// Returns an error when the file cannot be read any more.
pub(crate) fn spans_of(attempt: &AttemptRecord) -> io::Result<std::borrow::Cow<'_, [SpanRecord]>> {
    let left_out = attempt.left_out.as_ref().and_then(|left_out| left_out.spans.as_ref());
    let Some((_, path, begin)) = left_out else {
        return Ok(std::borrow::Cow::Borrowed(&attempt.spans));
    };
    let mut file = BufReader::new(files::open_regular(path)?);
    file.seek(SeekFrom::Start(*begin))?;
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    match Record::read(&line)? {
        Record::Attempt(attempt) => Ok(std::borrow::Cow::Owned(attempt.spans)),
        _ => Err(io::Error::other("another record stands there")),
    }
}

/// Reads a line; leaves out the spans of an attempt.
pub(super) fn without_spans(line: &[u8], path: &Path, begin: u64) -> serde_json::Result<Record> {
    let mut record = Record::read(line)?;
    if let Record::Attempt(attempt) = &mut record {
        let spans = std::mem::take(&mut attempt.spans);
        let models = models(&spans).map(str::to_owned).collect();
        attempt.scores.shrink_to_fit();
        let spans = (!spans.is_empty()).then(|| (spans.len(), Arc::from(path), begin));
        attempt.left_out = Some(Box::new(LeftOut { models, spans }));
    }
    Ok(record)
}

/// The first bytes of the line of an attempt.
const ATTEMPT: &[u8] = br#"{"type":"attempt","#;

/// Reads a line; keeps of an attempt only the fields that gates and comparisons need.
pub(super) fn scores(line: &[u8]) -> serde_json::Result<Record> {
    if !line.starts_with(ATTEMPT) {
        let record = Record::read(line)?;
        return Ok(match record {
            Record::Attempt(attempt) => Record::Attempt(Box::new(shortened(*attempt))),
            other => other,
        });
    }
    let Judged {
        experiment,
        case,
        row,
        attempt,
        tries,
        duration_ms,
        metadata,
        tags,
        error,
        scores,
        spans,
    } = serde_json::from_slice(line)?;
    let models: BTreeSet<String> =
        spans.into_iter().filter_map(|span| span.attributes.model()).collect();
    Ok(Record::Attempt(Box::new(AttemptRecord {
        experiment,
        case,
        row,
        attempt,
        tries,
        duration_ms,
        metadata,
        tags,
        error,
        scores: fitting(scores),
        left_out: Some(Box::new(LeftOut { models, spans: None })),
        ..AttemptRecord::default()
    })))
}

/// Returns the list without spare capacity.
fn fitting(mut scores: Vec<ScoreRecord>) -> Vec<ScoreRecord> {
    scores.shrink_to_fit();
    scores
}

fn shortened(attempt: AttemptRecord) -> AttemptRecord {
    let models = models(&attempt.spans).map(str::to_owned).collect();
    AttemptRecord {
        experiment: attempt.experiment,
        case: attempt.case,
        row: attempt.row,
        attempt: attempt.attempt,
        tries: attempt.tries,
        duration_ms: attempt.duration_ms,
        metadata: attempt.metadata,
        tags: attempt.tags,
        error: attempt.error,
        scores: fitting(attempt.scores),
        left_out: Some(Box::new(LeftOut { models, spans: None })),
        ..AttemptRecord::default()
    }
}

/// The fields of an attempt that gates and comparisons need.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Judged {
    experiment: String,
    case: String,
    row: usize,
    attempt: u32,
    tries: u32,
    duration_ms: f64,
    metadata: Map<String, Value>,
    tags: Vec<String>,
    error: Option<AttemptError>,
    scores: Vec<ScoreRecord>,
    spans: Vec<Span>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Span {
    attributes: Attributes,
}

/// The attributes of a span that [`MODELS`] lists.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    #[serde(rename = "gen_ai.response.model")]
    response: Value,
    #[serde(rename = "gen_ai.request.model")]
    request: Value,
    #[serde(rename = "llm.model_name")]
    name: Value,
}

impl Attributes {
    fn model(self) -> Option<String> {
        [self.response, self.request, self.name].into_iter().find_map(|value| match value {
            Value::String(name) => Some(name),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_can_be_read_again() {
        let attributes = r#"{"gen_ai.request.model":"m-1","gen_ai.response.model":7}"#;
        let line = format!(
            r#"{{"type":"attempt","experiment":"e","case":"c","row":3,"attempt":2,"duration_ms":1.5,"inputs":{{"q":"x"}},"tags":["t"],"metadata":{{"lang":"en"}},"output":"y","scores":[{{"evaluator":"right","value":true}}],"spans":[{{"name":"s","span_id":"1","kind":"internal","start_unix_ns":1,"end_unix_ns":2,"attributes":{attributes}}}]}}"#
        );
        let path =
            std::env::temp_dir().join(format!("honeyhive-lean-{}.jsonl", std::process::id()));
        std::fs::write(&path, format!("first\n{line}\nlast\n")).unwrap();
        let attempt = |record| match record {
            Record::Attempt(attempt) => *attempt,
            other => panic!("{other:?}"),
        };
        let whole = attempt(Record::read(line.as_bytes()).unwrap());
        let contents = attempt(without_spans(line.as_bytes(), &path, 6).unwrap());
        assert!(contents.spans.is_empty() && contents.output.is_some());
        assert_eq!(span_count(&contents), 1);
        assert_eq!(spans_of(&contents).unwrap(), whole.spans);
        assert_eq!(spans_of(&whole).unwrap(), whole.spans);
        let few = attempt(scores(line.as_bytes()).unwrap());
        assert_eq!(
            (&few.scores, &few.metadata, &few.tags),
            (&whole.scores, &whole.metadata, &whole.tags)
        );
        assert_eq!((few.row, few.attempt, few.inputs.len()), (3, 2, 0));
        let moved = line.replacen(r#""type":"attempt","#, "", 1);
        let moved = format!("{},\"type\":\"attempt\"}}", &moved[..moved.len() - 1]);
        assert_eq!(attempt(scores(moved.as_bytes()).unwrap()), few);
        for attempt in [&contents, &few] {
            let models = &attempt.left_out.as_ref().unwrap().models;
            assert_eq!(models.iter().collect::<Vec<_>>(), ["m-1"]);
        }
        assert_eq!(models(&whole.spans).collect::<Vec<_>>(), ["m-1"]);
        std::fs::remove_file(path).unwrap();
    }
}
