//! Adds lines to a text for the terminal.

use super::COLUMNS;
use crate::text::{plain, prefix, width};

/// Adds a line.
pub(super) fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// Adds a text as several lines, each after `indent` spaces, broken between words.
pub(super) fn wrapped(text: &mut String, content: &str, indent: usize) {
    let room = COLUMNS - indent;
    let mut current = String::new();
    // A number keeps its unit.
    let content = plain(content).replace(" %", "\u{a0}%");
    for mut word in content.split(' ') {
        if !current.is_empty() && width(&current) + 1 + width(word) > room {
            line(text, &format!("{:indent$}{}", "", current.replace('\u{a0}', " ")));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        // A word that no line can hold is broken.
        while width(word) > room && current.is_empty() {
            let (part, rest) = word.split_at(prefix(word, room).len());
            line(text, &format!("{:indent$}{part}", ""));
            word = rest;
        }
        current.push_str(word);
    }
    line(text, &format!("{:indent$}{}", "", current.replace('\u{a0}', " ")));
}
