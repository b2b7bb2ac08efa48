//! Explains what a text is that is nearly JSON.
//!
//! `serde_json` says where a text stops to be JSON, but "expected value" does not help a user who
//! printed a Python dict.

use serde::de::IgnoredAny;

/// The part of a file that a text is, which decides how it can be fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A line of a file with a row per line.
    Line,
    /// A whole file.
    File,
    /// A cell of a table.
    Cell,
}

/// Returns the error of `serde_json` without its line, which counts within the text, and what the
/// text may be instead.
pub(crate) fn explain(text: &str, part: Part, error: &serde_json::Error) -> String {
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
    let place = match error.line() {
        0 | 1 => format!("column {}", error.column()),
        line => format!("line {line} of the row, column {}", error.column()),
    };
    // A repeated key is a fault of valid JSON, so the text is not examined further.
    if error.is_data() {
        return format!("{message} ({place})");
    }
    let hint = match hint(text, part, message) {
        Some(hint) => format!(": {hint}"),
        None => String::new(),
    };
    format!("not valid JSON: {message} ({place}){hint}")
}

fn hint(text: &str, part: Part, message: &str) -> Option<String> {
    if message.starts_with("trailing characters") {
        return Some(trailing(text, part).to_owned());
    }
    if message.contains("surrogate") || message.contains("hex escape") {
        return Some(
            "an escape `\\uXXXX` has no four digits, or half of a UTF-16 pair stands alone".into(),
        );
    }
    if message.starts_with("control character") {
        return Some(
            "within a string, write a line break as \\n, a tab as \\t, others as \\u00XX".into(),
        );
    }
    outside_of_strings(text).or_else(|| {
        message.starts_with("EOF while parsing a string").then(|| {
            "a string has no closing quote; write a line break within it as \\n".to_owned()
        })
    })
}

/// Returns the hint about text that follows a value.
fn trailing(text: &str, part: Part) -> &'static str {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let _value = values.next();
    let rest = text[values.byte_offset()..].trim();
    match (rest, part) {
        (",", Part::Line) => "remove the comma at the end of the line",
        (",", Part::File | Part::Cell) => "remove the comma at the end",
        (_, Part::Line) => "text follows the end of the value; write each row on a line of its own",
        (_, Part::File) => {
            "text follows the end of the array; remove it, or move it into the array"
        }
        (_, Part::Cell) => "text follows the end of the value; remove it",
    }
}

/// Finds the first thing outside of strings that JSON does not have.
fn outside_of_strings(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = after_string(&rest[1..])?;
            continue;
        }
        let tail = &rest[c.len_utf8()..];
        match c {
            '\u{feff}' => {
                return Some(
                    "a byte order mark (U+FEFF) stands in the middle; remove it, it is left over \
                     from joining files"
                        .to_owned(),
                );
            }
            '\'' => {
                return Some(
                    "JSON has no single quotes; if Python printed this, write it with json.dumps(..)"
                        .to_owned(),
                );
            }
            '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' => {
                return Some(format!(
                    "{c} (U+{:04X}) is not the quote `\"`; an editor may have replaced it",
                    u32::from(c)
                ));
            }
            '#' => return Some("JSON has no comments".to_owned()),
            '/' if tail.starts_with(['/', '*']) => return Some("JSON has no comments".to_owned()),
            ',' if tail.trim_start().starts_with(['}', ']']) => {
                let closing = tail.trim_start().chars().next().unwrap_or('}');
                return Some(format!("remove the comma before the closing `{closing}`"));
            }
            '+' if tail.starts_with(|c: char| c.is_ascii_digit()) => {
                return Some("JSON numbers have no leading `+`".to_owned());
            }
            c if c.is_alphabetic() || c == '_' || c == '$' => {
                let end = rest
                    .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
                    .unwrap_or(rest.len());
                let (word, tail) = rest.split_at(end);
                if let Some(hint) = word_hint(word, tail) {
                    return Some(hint);
                }
                rest = tail;
                continue;
            }
            c if c.is_ascii_digit() => {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"._+-".contains(c))
                    .unwrap_or(rest.len());
                let (number, tail) = rest.split_at(end);
                if let Some(hint) = number_hint(number) {
                    return Some(hint);
                }
                rest = tail;
                continue;
            }
            c if !c.is_ascii() || (c.is_control() && !c.is_whitespace()) => {
                return Some(format!(
                    "the character U+{:04X} stands outside of a string",
                    u32::from(c)
                ));
            }
            _ => {}
        }
        rest = tail;
    }
    None
}

/// Returns the text after a string; `None` when the string never ends.
fn after_string(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

fn word_hint(word: &str, tail: &str) -> Option<String> {
    if matches!(word, "true" | "false" | "null") {
        return None;
    }
    if tail.trim_start().starts_with(':') {
        return Some(format!("the key `{word}` needs double quotes"));
    }
    Some(match word {
        "NaN" | "nan" | "Infinity" | "inf" | "Inf" => {
            let shown =
                if word.to_ascii_lowercase().starts_with("inf") { "Infinity" } else { "NaN" };
            format!(
                "JSON has no {shown}; write null or leave the key out (in Python, \
                 json.dumps(.., allow_nan=False) refuses it)"
            )
        }
        "True" | "False" | "None" => {
            let json = match word {
                "True" => "true",
                "False" => "false",
                _ => "null",
            };
            format!(
                "`{word}` is Python, JSON writes `{json}`; if Python printed this, write it with \
                 json.dumps(..)"
            )
        }
        "TRUE" | "FALSE" | "NULL" => format!("JSON writes `{}`", word.to_ascii_lowercase()),
        "undefined" => "JSON has no undefined; write null or leave the key out".to_owned(),
        _ => {
            let shown: String = word.chars().take(40).collect();
            format!("`{shown}` stands outside of a string; a text needs double quotes")
        }
    })
}

fn number_hint(number: &str) -> Option<String> {
    let digits = number.trim_start_matches('-');
    if digits.len() > 1
        && digits.starts_with('0')
        && digits[1..].starts_with(|c: char| c.is_ascii_digit())
    {
        return Some(format!(
            "`{number}` has a leading zero; write it without, or as a text in quotes"
        ));
    }
    if number.contains('_') || digits.starts_with("0x") || number.ends_with('.') {
        return Some(format!("`{number}` is not a JSON number"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::strict;
    use super::*;

    fn said(text: &str) -> String {
        explain(text, Part::Line, &strict::parse(text).unwrap_err())
    }

    #[test]
    fn text_after_a_value_is_told_by_where_it_stands() {
        let said = |text: &str, part| explain(text, part, &strict::parse(text).unwrap_err());
        let row = r#"{"id":"c","q":1}, "#;
        assert_eq!(
            said(row, Part::Line),
            "not valid JSON: trailing characters (column 17): remove the comma at the end of the line"
        );
        for (text, part, want) in [
            (r#"{"a":1},{"a":2}"#, Part::Line, "write each row on a line of its own"),
            ("[1],\n", Part::File, "remove the comma at the end"),
            ("[1]\n[2]", Part::File, "text follows the end of the array; remove it"),
            ("[1] # rows", Part::File, "text follows the end of the array"),
            ("[1],", Part::Cell, "remove the comma at the end"),
            (r#"{"a":1}{"a":2}"#, Part::Cell, "text follows the end of the value; remove it"),
        ] {
            let said = said(text, part);
            assert!(said.contains(want), "{text}: {said}");
            assert_eq!(part == Part::Line, said.contains("a line of its own"), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_nearly_json_is_named() {
        for (text, want) in [
            (r#"{"w":NaN}"#, "JSON has no NaN"),
            (r#"{"w":-Infinity}"#, "JSON has no Infinity"),
            ("{'a': 1}", "json.dumps"),
            (r#"{"a": True}"#, "`True` is Python, JSON writes `true`"),
            (r#"{"a": None}"#, "JSON writes `null`"),
            (r#"{"a": 1,}"#, "remove the comma before the closing `}`"),
            ("[1, 2 , ]", "remove the comma before the closing `]`"),
            ("{\"a\": 1} // why", "text follows the end"),
            ("{\"a\": /* why */ 1}", "JSON has no comments"),
            ("# rows", "JSON has no comments"),
            ("{a: 1}", "the key `a` needs double quotes"),
            ("{\"a\": yes}", "`yes` stands outside of a string"),
            ("{\"a\": \u{201c}x\u{201d}}", "(U+201C) is not the quote"),
            ("{\"a\":\u{a0}1}", "U+00A0 stands outside of a string"),
            ("{\"a\":\u{feff}1}", "byte order mark (U+FEFF)"),
            (r#"{"a": 007}"#, "leading zero"),
            (r#"{"a": +1}"#, "leading `+`"),
            (r#"{"a": 1_000}"#, "is not a JSON number"),
            (r#"{"a": undefined}"#, "no undefined"),
            (r#"{"a": "x"#, "no closing quote"),
            ("{\"a\": \"x\ty\"}", "write a line break as \\n, a tab as \\t"),
            (r#"{"a": "\ud800"}"#, "half of a UTF-16 pair"),
            (r#"{"a":1}{"b":2}"#, "each row on a line of its own"),
            (r#"{"a":1e999}"#, "number out of range"),
        ] {
            let said = said(text);
            assert!(said.contains(want), "{text}: {said}");
            assert!(said.starts_with("not valid JSON: "), "{text}: {said}");
        }
        // The hints do not depend on the contents of strings.
        let plain = said(r#"{"a": "it's // True, \" NaN", "b" 1}"#);
        assert_eq!(plain, "not valid JSON: expected `:` (column 35)");
        assert_eq!(
            said("{\n \"a\" 1}"),
            "not valid JSON: expected `:` (line 2 of the row, column 6)"
        );
        assert_eq!(
            said(r#"{"a":1,"a":2}"#),
            "the key `a` is repeated in one object; keep one of them (column 10)"
        );
    }
}
