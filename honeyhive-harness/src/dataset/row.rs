//! Parses a row, in the shape that all formats share.
//!
//! A row with an `inputs` object is *structured*: every other key must be a known one. A row
//! without is *flat*: known keys keep their meaning, every other key is an input.

use serde_json::{Map, Value};

use crate::datapoint::Datapoint;
use crate::json::{TOO_DEEP, is_too_deep};
use crate::text::{alike, closest};

/// The keys that name the row; the first one wins.
pub(super) const ID_KEYS: [&str; 2] = ["id", "datapoint_id"];

/// The keys with a meaning of their own.
const KNOWN: [&str; 7] =
    ["id", "datapoint_id", "inputs", "ground_truth", "metadata", "tags", "history"];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Reads a row.
///
/// # Errors
/// Returns a description of everything that is wrong with the row, key by key.
pub(super) fn parse(value: Value) -> Result<Datapoint, String> {
    let mut fields = match value {
        Value::Object(fields) => fields,
        other => return Err(format!("a row is a JSON object, this is {}", kind(&other))),
    };
    let mut faults = Vec::new();
    let mut row = Datapoint {
        id: id(&mut fields, &mut faults),
        ground_truth: fields.remove("ground_truth").filter(|value| !value.is_null()),
        metadata: object(&mut fields, "metadata", &mut faults),
        tags: tags(&mut fields, &mut faults),
        history: match fields.remove("history") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(messages)) => messages,
            Some(other) => {
                faults.push(format!(
                    "`history` is an array of messages, this is {}; an input of this name stands \
                     within `inputs`",
                    kind(&other)
                ));
                Vec::new()
            }
        },
        ..Datapoint::default()
    };
    if fields.contains_key("inputs") {
        row.inputs = object(&mut fields, "inputs", &mut faults);
        for key in fields.keys() {
            let near = meant(key).or_else(|| closest(key, KNOWN)).or_else(|| synonym(key));
            faults.push(match near {
                Some(near) => format!("unknown key `{key}`; did you mean `{near}`?"),
                None if is_skip(key) => format!(
                    "unknown key `{key}`: a row has no key that skips it; leave it out in a dataset \
                     function, or its case with `-- --skip <experiment>::<id>`"
                ),
                None => format!(
                    "unknown key `{key}`: beside `inputs` a row has only {}",
                    KNOWN
                        .iter()
                        .filter(|known| **known != "inputs")
                        .copied()
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            });
        }
    } else {
        if let Some(key) = misspelt_inputs(&fields) {
            faults.push(format!("unknown key `{key}`; did you mean `inputs`?"));
        }
        for key in fields.keys() {
            if let Some(known) = meant(key) {
                faults.push(nearly(key, known));
            }
        }
        row.inputs = fields;
    }
    let values = row.inputs.values().chain(&row.ground_truth).chain(row.metadata.values());
    if values.chain(&row.history).any(is_too_deep) {
        faults.push(TOO_DEEP.to_owned());
    }
    if faults.is_empty() { Ok(row) } else { Err(faults.join("; ")) }
}

/// Returns the known key that equals a key except for case, blanks, `-`, `_` or Unicode form. As an
/// input of a flat row, such a key would be lost for its purpose.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known != key && alike(known, key))
}

/// Describes a key that is nearly a known one.
pub(super) fn nearly(key: &str, known: &str) -> String {
    format!(
        "the key `{}` is nearly `{known}`; write `{known}`, or rename it if it is an input",
        key.escape_debug()
    )
}

fn is_skip(key: &str) -> bool {
    matches!(key, "skip" | "skipped" | "ignore" | "ignored" | "disabled" | "enabled" | "xfail")
}

/// Returns the known key for which other tools use this name.
pub(super) fn synonym(key: &str) -> Option<&'static str> {
    match key {
        "expected" | "expected_output" | "expected_answer" | "answer" | "label" | "target"
        | "ideal" | "reference" | "reference_output" | "ground_truths" => Some("ground_truth"),
        "input" => Some("inputs"),
        _ => None,
    }
}

/// Returns a row that does not come from JSON as JSON, in the structured shape.
pub(super) fn to_json(row: &Datapoint, id: Option<&str>) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(key.to_owned(), value);
        }
    };
    set("id", id.map(Value::from));
    set("inputs", Some(Value::Object(row.inputs.clone())));
    set("ground_truth", row.ground_truth.clone());
    set("metadata", Some(Value::Object(row.metadata.clone())).filter(|_| !row.metadata.is_empty()));
    set("tags", Some(Value::from(row.tags.clone())).filter(|_| !row.tags.is_empty()));
    set("history", Some(Value::from(row.history.clone())).filter(|_| !row.history.is_empty()));
    Value::Object(fields)
}

/// Returns the key of a lone object whose name is nearly `inputs`. In a flat row every key is an input,
/// so a misspelt `inputs` would be accepted; a lone object with nearly that name is not there by chance.
pub(super) fn misspelt_inputs(fields: &Map<String, Value>) -> Option<&str> {
    fields
        .iter()
        .find(|(key, value)| {
            value.is_object() && key.as_str() != "input" && closest(key, ["inputs"]).is_some()
        })
        .map(|(key, _)| key.as_str())
}

fn id(fields: &mut Map<String, Value>, faults: &mut Vec<String>) -> Option<String> {
    let mut read = |key: &str| match fields.remove(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(other) => {
            faults.push(format!("`{key}` is a string or a number, this is {}", kind(&other)));
            None
        }
    };
    let (id, datapoint_id) = (read("id"), read("datapoint_id"));
    id.or(datapoint_id)
}

fn object(
    fields: &mut Map<String, Value>,
    key: &str,
    faults: &mut Vec<String>,
) -> Map<String, Value> {
    match fields.remove(key) {
        None => Map::new(),
        Some(Value::Null) if key != "inputs" => Map::new(),
        Some(Value::Object(object)) => object,
        Some(other) => {
            faults.push(format!("`{key}` is an object, this is {}", kind(&other)));
            Map::new()
        }
    }
}

fn tags(fields: &mut Map<String, Value>, faults: &mut Vec<String>) -> Vec<String> {
    let mut wrong = |value: &Value| {
        faults.push(format!("`tags` is an array of strings, this has {}", kind(value)));
    };
    match fields.remove("tags") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items
            .into_iter()
            .filter_map(|item| match item {
                Value::String(tag) => Some(tag),
                other => {
                    wrong(&other);
                    None
                }
            })
            .collect(),
        Some(other) => {
            faults.push(format!("`tags` is an array of strings, this is {}", kind(&other)));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_structured_row() {
        let row = parse(json!({
            "id": 7, "inputs": {"q": "?"}, "ground_truth": [1], "metadata": {"lang": "de"},
            "tags": ["hard"], "history": [{"role": "user"}]
        }))
        .unwrap();
        assert_eq!(row.id.as_deref(), Some("7"));
        assert_eq!(row.inputs["q"], "?");
        assert_eq!(row.ground_truth, Some(json!([1])));
        assert!(row.in_slice("lang:de") && row.in_slice("hard"));
        assert_eq!(row.history.len(), 1);
    }

    #[test]
    fn a_flat_row() {
        let row =
            parse(json!({"id": "", "datapoint_id": "x", "q": "?", "ground_truth": null})).unwrap();
        assert_eq!(row.id.as_deref(), Some("x"));
        assert_eq!(row.inputs.len(), 1);
        assert_eq!(row.ground_truth, None);
        assert!(parse(json!({"input": {"a": 1}})).is_ok());
    }

    #[test]
    fn a_key_that_is_nearly_a_known_one_is_no_input() {
        for (key, known) in [
            ("ID", "id"),
            (" id", "id"),
            ("Ground Truth", "ground_truth"),
            ("groundTruth", "ground_truth"),
            ("ground-truth ", "ground_truth"),
            ("Metadata", "metadata"),
            ("\u{feff}id", "id"),
        ] {
            let error = parse(json!({key: "x", "q": "?"})).unwrap_err();
            assert!(error.contains(&format!("is nearly `{known}`")), "{error}");
            let error = parse(json!({key: "x", "inputs": {"q": "?"}})).unwrap_err();
            assert!(error.contains(&format!("did you mean `{known}`?")), "{error}");
        }
        assert!(parse(json!({"identity": 1, "idx": 2, "tagged": 3, "truth": 4})).is_ok());
        let error = parse(json!({"inputs": {}, "skip": true})).unwrap_err();
        assert!(error.contains("leave it out in a dataset function"), "{error}");
    }

    #[test]
    fn every_mistake_is_named() {
        let error =
            parse(json!({"inputs": {}, "ground_thruth": 1, "notes": "", "tags": [1], "id": []}))
                .unwrap_err();
        for part in [
            "unknown key `ground_thruth`; did you mean `ground_truth`?",
            "unknown key `notes`: beside `inputs` a row has only id, datapoint_id, ground_truth",
            "`tags` is an array of strings, this has a number",
            "`id` is a string or a number, this is an array",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(parse(json!([1])).unwrap_err(), "a row is a JSON object, this is an array");
        assert_eq!(
            parse(json!({"inptus": {"q": "?"}})).unwrap_err(),
            "unknown key `inptus`; did you mean `inputs`?"
        );
        assert_eq!(
            parse(json!({"inputs": null})).unwrap_err(),
            "`inputs` is an object, this is null"
        );
    }
}
