//! Makes names and ids: slugs for test names, content hashes, external ids.

pub(crate) mod python;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The number of characters up to which a test name stays readable in a terminal.
const SLUG_LENGTH: usize = 60;

/// The last segments of test names that are not those of datapoints.
const RESERVED: [&str; 2] = ["gate", "dataset"];

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// Returns the first `digits` hex digits of the SHA-256 of a text.
pub(crate) fn short_hash(text: &[u8], digits: usize) -> String {
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(digits);
    hash
}

/// Writes a session id the way it is written everywhere; `None` where it is not a UUID.
pub(crate) fn session_uuid(text: &str) -> Option<String> {
    Uuid::try_parse(text.trim()).ok().map(|id| id.to_string())
}

/// Appends JSON with sorted keys and no spaces: the same text for the same content.
///
/// The map of `serde_json` is sorted unless some crate of the build turns on `preserve_order`; an id
/// must not depend on that.
fn canonical(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => canonical_fields(fields, into),
        Value::Array(items) => {
            into.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    into.push(',');
                }
                canonical(item, into);
            }
            into.push(']');
        }
        Value::String(text) => canonical_text(text, into),
        scalar => into.push_str(&scalar.to_string()),
    }
}

/// Appends a string in quotes, with long stretches that need no escape copied at once. Test builds are
/// not optimised, and there the escaping of JSON takes 30 ns a byte: 0.15 s for an input of 5 MB.
fn canonical_text(text: &str, into: &mut String) {
    let bytes = text.as_bytes();
    into.push('"');
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        if byte < b' ' || byte == b'"' || byte == b'\\' {
            into.push_str(&text[copied..at]);
            let escaped = Value::from(&text[at..=at]).to_string();
            into.push_str(escaped.trim_start_matches('"').strip_suffix('"').unwrap_or_default());
            copied = at + 1;
        }
        at += 1;
    }
    into.push_str(&text[copied..]);
    into.push('"');
}

fn canonical_fields(fields: &serde_json::Map<String, Value>, into: &mut String) {
    let mut keys: Vec<&String> = fields.keys().collect();
    keys.sort_unstable();
    into.push('{');
    for (i, key) in keys.into_iter().enumerate() {
        if i > 0 {
            into.push(',');
        }
        into.push_str(&Value::from(key.as_str()).to_string());
        into.push(':');
        canonical(&fields[key], into);
    }
    into.push('}');
}

/// Returns the id of a row without one: 16 hex digits of a hash of its inputs. Inserting another row or
/// fixing a label does not change it.
pub(crate) fn content_id(inputs: &serde_json::Map<String, Value>) -> String {
    let mut text = String::new();
    canonical_fields(inputs, &mut text);
    short_hash(text.as_bytes(), 16)
}

/// Returns 16 hex digits of a hash of all that defines the question of a row: its inputs, its expected
/// output, and the messages before.
pub(crate) fn content_hash(
    inputs: &serde_json::Map<String, Value>,
    ground_truth: Option<&Value>,
    history: &[Value],
) -> String {
    let mut text = String::new();
    canonical_fields(inputs, &mut text);
    if let Some(ground_truth) = ground_truth {
        text.push_str("\ntruth ");
        canonical(ground_truth, &mut text);
    }
    for message in history {
        text.push_str("\nhistory ");
        canonical(message, &mut text);
    }
    short_hash(text.as_bytes(), 16)
}

/// Returns the part of a test name that stands for a datapoint: letters, digits, `_`, `.`, `-`.
///
/// An id that had to be changed gets six hex digits of its hash, so that two such ids stay apart and no
/// row changes its name because of another one.
pub(crate) fn slug(id: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '~');
    if id.len() <= SLUG_LENGTH && !id.is_empty() && id.chars().all(fine) && !RESERVED.contains(&id)
    {
        return id.to_owned();
    }
    let mut slug: String =
        id.chars().map(|c| if fine(c) { c } else { '_' }).take(SLUG_LENGTH - 7).collect();
    slug.push('-');
    slug.push_str(&short_hash(id.as_bytes(), 6));
    slug
}

/// Returns the id of a run: a new one, or the one that the environment asks for. Where several
/// experiments share that one, each has an id made of it and its name.
pub(crate) fn run_id(asked: Option<&str>, experiment: &str, alone: bool) -> String {
    match asked {
        None => Uuid::new_v4().to_string(),
        Some(asked) if alone => asked.to_owned(),
        Some(asked) => {
            let space = Uuid::parse_str(asked)
                .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, asked.as_bytes()));
            Uuid::new_v5(&space, experiment.as_bytes()).to_string()
        }
    }
}

/// The beginning of the ids of objects that were not created in HoneyHive.
pub(crate) const EXTERNAL: &str = "EXT-";

/// Returns the id of a local dataset in HoneyHive; one that has the prefix stays as it is.
pub(crate) fn external(id: &str) -> String {
    if id.starts_with(EXTERNAL) { id.to_owned() } else { format!("{EXTERNAL}{id}") }
}

/// Returns the external id of a datapoint, which is unique across datasets, since it contains that of
/// its dataset. One that has the prefix stays as it is.
pub(crate) fn external_datapoint(dataset: &str, id: &str) -> String {
    if id.starts_with(EXTERNAL) {
        return id.to_owned();
    }
    let dataset = dataset.strip_prefix(EXTERNAL).unwrap_or(dataset);
    format!("{EXTERNAL}{dataset}-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_simple_id_is_its_own_slug() {
        assert_eq!(slug("refund-1.b_C~2"), "refund-1.b_C~2");
    }

    #[test]
    fn other_ids_stay_apart() {
        assert_eq!(slug("a/b").len(), "a_b-123456".len());
        assert_ne!(slug("a/b"), slug("a b"));
        assert!(slug("a/b").starts_with("a_b-"));
        assert!(slug("gate").starts_with("gate-") && slug("dataset").starts_with("dataset-"));
        assert!(slug(&"x".repeat(300)).len() <= SLUG_LENGTH);
        assert!(slug("寿司").starts_with("__-"));
        assert!(slug("").starts_with('-'));
    }

    #[test]
    fn a_content_id_ignores_the_order_of_keys() {
        let id = |value: Value| content_id(value.as_object().unwrap());
        let one = id(json!({"a": 1, "b": {"x": [1, 2.5], "y": "ü"}}));
        let two = id(json!({"b": {"y": "ü", "x": [1, 2.5]}, "a": 1}));
        assert_eq!(one, two);
        assert_eq!(one.len(), 16);
        assert_ne!(one, id(json!({"a": 1})));
        // printf '{"a":1}' | sha256sum
        assert_eq!(id(json!({"a": 1})), "015abd7f5cc57a2d");
    }

    #[test]
    fn a_run_that_is_asked_for_is_shared_fairly() {
        assert_eq!(run_id(Some("abc"), "e", true), "abc");
        let one = run_id(Some("abc"), "e", false);
        assert_eq!(one, run_id(Some("abc"), "e", false));
        assert_ne!(one, run_id(Some("abc"), "f", false));
        let of_uuid = run_id(Some("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "python.org", false);
        // The values are those of the example in the documentation of Python's `uuid`.
        assert_eq!(of_uuid, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
        assert_ne!(run_id(None, "e", true), run_id(None, "e", true));
    }

    #[test]
    fn external_ids_are_prefixed_once() {
        assert_eq!(external("qa"), "EXT-qa");
        assert_eq!(external("EXT-qa"), "EXT-qa");
        assert_eq!(external_datapoint("qa", "7"), "EXT-qa-7");
        assert_eq!(external_datapoint("EXT-qa", "EXT-7"), "EXT-7");
        assert_eq!(external_datapoint("EXT-qa", "qa-7"), "EXT-qa-qa-7");
        assert_eq!(external_datapoint("qa", "EXT-qa-7"), "EXT-qa-7");
    }
}
