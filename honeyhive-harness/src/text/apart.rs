//! Describes how two values differ that look the same.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_width::UnicodeWidthChar as _;

/// The distance, relative to `max(1, |limit|)`, up to which two numbers are the same to every limit.
const SAME: f64 = 1e-9;

/// The number of characters shown on each side of a difference.
const AROUND: usize = 8;

/// Describes how two values differ that a reader would take for the same: in their kind (`1` and `"1"`),
/// in blanks or invisible characters, in Unicode form, in letters of two alphabets. Returns `None` where
/// they are equal, or where the difference is plain to see.
pub(crate) fn apart(expected: &Value, output: &Value) -> Option<String> {
    if expected == output {
        return None;
    }
    if let (Value::String(one), Value::String(other)) = (expected, output) {
        return texts(one, other);
    }
    if std::mem::discriminant(expected) == std::mem::discriminant(output) {
        return None;
    }
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let bare = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (bare(expected) == bare(output)).then(|| {
        format!(
            "they look the same, but expected is {} ({expected}) and the output is {} ({output})",
            kind(expected),
            kind(output)
        )
    })
}

fn texts(one: &str, other: &str) -> Option<String> {
    let visible = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace() && c.width().unwrap_or(0) > 0).collect()
    };
    let what = if one.nfc().eq(other.nfc()) {
        "in Unicode form"
    } else if visible(one) == visible(other) {
        "in blanks or invisible characters"
    } else if one.nfkc().eq(other.nfkc()) || alphabets(one, other) {
        "in letters that look alike"
    } else {
        return None;
    };
    let at = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| -> String {
        let from = at.saturating_sub(AROUND);
        let shown: String = text
            .chars()
            .skip(from)
            .take(2 * AROUND)
            .map(|c| {
                if c.is_ascii_graphic() || c == ' ' {
                    c.to_string()
                } else {
                    c.escape_unicode().to_string()
                }
            })
            .collect();
        let before = if from > 0 { "…" } else { "" };
        let behind = if text.chars().count() > from + 2 * AROUND { "…" } else { "" };
        format!("\"{before}{shown}{behind}\"")
    };
    Some(format!(
        "they look the same, but differ {what} at character {}: expected {}, output {}",
        at + 1,
        around(one),
        around(other)
    ))
}

/// Returns whether two texts differ only where one has an ASCII letter and the other one of the Greek,
/// Cyrillic or Armenian alphabets.
fn alphabets(one: &str, other: &str) -> bool {
    let foreign = |c: char| c.is_alphabetic() && matches!(c, '\u{370}'..='\u{58f}');
    one.chars().count() == other.chars().count()
        && one.chars().zip(other.chars()).all(|(a, b)| {
            a == b
                || (a.is_ascii_alphabetic() && foreign(b))
                || (foreign(a) && b.is_ascii_alphabetic())
        })
}

/// Formats a value that stands beside its limit: with all its digits where it would otherwise look like
/// the limit and is beyond what a limit tolerates.
pub(crate) fn beside(value: f64, limit: f64, show: impl Fn(f64) -> String) -> String {
    let shown = show(value);
    if shown == show(limit) && (value - limit).abs() > SAME * limit.abs().max(1.0) {
        return value.to_string();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::number;
    use serde_json::json;

    #[test]
    fn values_that_look_the_same_are_told_apart() {
        for (expected, output, says) in [
            (
                json!("caf\u{e9}"),
                json!("cafe\u{301}"),
                "in Unicode form at character 4: expected \"caf\\u{e9}\", output \"cafe\\u{301}\"",
            ),
            (json!("a b"), json!("a\u{a0}b"), "in blanks or invisible characters at character 2"),
            (
                json!("de"),
                json!("de "),
                "in blanks or invisible characters at character 3: expected \"de\", output \"de \"",
            ),
            (json!("de"), json!("de\u{200b}"), "output \"de\\u{200b}\""),
            (json!("a\nb"), json!("a\r\nb"), "expected \"a\\u{a}b\", output \"a\\u{d}\\u{a}b\""),
            (json!("A"), json!("\u{410}"), "in letters that look alike at character 1"),
            (json!("A"), json!("\u{ff21}"), "in letters that look alike"),
            (json!(1), json!("1"), "expected is a number (1) and the output is a text (\"1\")"),
            (json!(null), json!("null"), "expected is null (null) and the output is a text"),
        ] {
            let said = apart(&expected, &output).unwrap_or_default();
            assert!(said.contains(says), "{expected} {output}: {said}");
        }
        for (expected, output) in [
            (json!("a"), json!("a")),
            (json!("a"), json!("b")),
            (json!(1), json!(2)),
            (json!("é"), json!("è")),
            (json!(1), json!(true)),
        ] {
            assert_eq!(apart(&expected, &output), None, "{expected} {output}");
        }
        let long = |end: &str| json!(format!("{}{end}", "x".repeat(100)));
        let said = apart(&long(" "), &long("")).unwrap_or_default();
        assert!(
            said.contains("at character 101: expected \"…xxxxxxxx \", output \"…xxxxxxxx\""),
            "{said}"
        );
    }

    #[test]
    fn a_number_beside_its_limit_has_the_digits_that_tell() {
        assert_eq!(beside(0.899_99, 0.9, number), "0.89999");
        assert_eq!(beside(0.85, 0.9, number), "0.85");
        assert_eq!(beside(0.1 + 0.2, 0.3, number), "0.3");
    }
}
