//! Escapes text of others for a page, so that it cannot become markup.
//!
//! Outputs of models are not trusted: they may have tags, scripts, escape sequences of terminals, and
//! characters that reverse the reading order of the text after them.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::Formatter;
use serde_json::{Serializer, Value};

use crate::text::is_invisible;

/// Returns a text for a page, between tags or in a quoted attribute. Invisible characters become visible.
pub(super) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => push_visible(&mut escaped, c),
        }
    }
    escaped
}

/// Adds a character; control characters as their pictures (`␛`), bidirectional overrides as their
/// numbers. The script of the page does the same with texts that it shows.
fn push_visible(text: &mut String, c: char) {
    match c {
        '\n' | '\t' => text.push(c),
        '\r' => {}
        '\u{0}'..='\u{1f}' => text.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => text.push('␡'),
        '\u{80}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => number(text, c),
        c => text.push(c),
    }
}

fn number(text: &mut String, c: char) {
    let _ = write!(text, "[U+{:04X}]", u32::from(c));
}

/// Adds JSON for a `<script>`, in which nothing can end the element or begin a comment.
pub(super) fn push_json(to: &mut Vec<u8>, value: &Value) {
    // A value can always be written into memory.
    let _ = value.serialize(&mut Serializer::with_formatter(to, Unmarked));
}

/// A formatter that escapes `<` and invisible characters, which occur in JSON strings only; the file may
/// be shown in a terminal.
struct Unmarked;

impl Formatter for Unmarked {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut copied = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| *c == '<' || is_invisible(*c)) {
            writer.write_all(&fragment.as_bytes()[copied..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            copied = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[copied..])
    }
}

/// Returns the first characters of a text, and whether there are more.
pub(super) fn cut(text: &str, most: usize) -> (&str, bool) {
    match text.char_indices().nth(most) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_keeps_its_content_and_shows_nothing_hidden() {
        for payload in crate::text::payloads() {
            let value = json!({ payload.as_str(): [payload] });
            let mut written = Vec::new();
            push_json(&mut written, &value);
            let text = String::from_utf8(written).unwrap();
            assert!(!text.contains('<') && !text.contains(is_invisible), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            text("</script><img src='x' onerror=\"a&b\">"),
            "&lt;/script&gt;&lt;img src=&#39;x&#39; onerror=&quot;a&amp;b&quot;&gt;"
        );
        assert_eq!(text("a\u{1b}[31mb\0c\r\n\td\u{7f}"), "a␛[31mb␀c\n\td␡");
        assert_eq!(text("\u{202e}abc\u{2069}\u{85}"), "[U+202E]abc[U+2069][U+0085]");
        assert_eq!(text("日本 🦀 é"), "日本 🦀 é");
    }

    #[test]
    fn json_cannot_end_its_element() {
        let hostile = json!({"<!--<script>": "</script>"});
        let mut written = Vec::new();
        push_json(&mut written, &hostile);
        let text = String::from_utf8_lossy(&written);
        assert_eq!(text, r#"{"\u003c!--\u003cscript>":"\u003c/script>"}"#);
        let read: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(read, hostile);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("日本語", 2), ("日本", true));
        assert_eq!(cut("日本語", 3), ("日本語", false));
    }
}
