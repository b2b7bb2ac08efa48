//! Prints to standard output and standard error; no other module does.
//!
//! Everything that this crate writes to standard output or standard error goes through this file,
//! apart from libtest-mimic's own lines, whose texts go through [`for_libtest`]. Datasets, outputs
//! of models and answers of servers are not trusted, so every text that is printed here
//!
//! - has no control character but the line break: no escape sequence, no bidirectional override,
//!   no line separator of Unicode. Colours are made here, of marks that no text can bring along:
//!   renderers write a [`Paint`], never an escape sequence;
//! - has no line with a command for a CI runner: GitHub reads commands from lines that start with `::`,
//!   and like Azure Pipelines and `TeamCity` from `##[`, `##vso[` anywhere in a line.
//!
//! Line breaks within texts of others are handled by the renderer, since only that knows where such a
//! text starts: see [`crate::text::one_line`].

use std::fmt;
use std::io::Write as _;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use libtest_mimic::ColorSetting;
use serde::de::IgnoredAny;

use crate::text::{break_commands, is_invisible, is_paint};

/// A style of a text. It is written as a noncharacter of Unicode (`U+FDD0` and following), which
/// [`crate::text`] removes from the texts of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(char);

pub(super) const RED: Paint = Paint('\u{fdd0}');
pub(super) const GREEN: Paint = Paint('\u{fdd1}');
pub(super) const YELLOW: Paint = Paint('\u{fdd2}');
pub(super) const DIM: Paint = Paint('\u{fdd3}');
pub(super) const BOLD: Paint = Paint('\u{fdd4}');
/// The mark that ends all styles.
const PLAIN: char = '\u{fdd5}';

impl fmt::Display for Paint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, if f.alternate() { PLAIN } else { self.0 })
    }
}

fn style(mark: char) -> Option<Style> {
    let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
    Some(match Paint(mark) {
        RED => color(AnsiColor::Red).bold(),
        GREEN => color(AnsiColor::Green).bold(),
        YELLOW => color(AnsiColor::Yellow),
        DIM => Style::new().dimmed(),
        BOLD => Style::new().bold(),
        _ => return None,
    })
}

/// Returns a text that is safe to print, with its colours as escape sequences.
///
/// Characters that cannot be printed are written as in JSON (`\u001b`), so that a JSON document stays
/// valid and keeps its content.
fn printable(text: &str) -> String {
    let is_json = is_json(text);
    let mut printed = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        let line = if is_json { json_without_commands(line) } else { without_commands(line) };
        for c in line.chars() {
            match c {
                '\n' => printed.push(c),
                PLAIN if !is_json => printed.push_str("\x1b[0m"),
                mark if is_paint(mark) && !is_json => {
                    printed.extend(style(mark).map(|style| style.render().to_string()));
                }
                c if is_invisible(c) => push_escaped(&mut printed, c),
                c => printed.push(c),
            }
        }
    }
    printed
}

fn push_escaped(to: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        to.push_str(&format!("\\u{unit:04x}"));
    }
}

/// Returns whether a text is one JSON document, or one per line.
fn is_json(text: &str) -> bool {
    text.starts_with(['{', '['])
        && serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>().all(|one| one.is_ok())
}

/// Returns a line of JSON without commands for a CI runner: `#` occurs only in strings, where an escape
/// stands for the same character.
fn json_without_commands(line: &str) -> String {
    match break_commands(line) {
        broken if broken == line => broken.into_owned(),
        _ => line.replace("##", "#\\u0023"),
    }
}

/// Returns a line without commands for a CI runner: `: :error`, `## [group]`.
fn without_commands(line: &str) -> String {
    let line = break_commands(line);
    let is_margin = |c: char| c.is_whitespace() || is_paint(c) || is_invisible(c);
    let start = line.len() - line.trim_start_matches(is_margin).len();
    if line[start..].starts_with("::") {
        return format!("{}: {}", &line[..start], &line[start + 1..]);
    }
    line.into_owned()
}

/// Returns a text that is safe for libtest-mimic to print: why a test failed, or was ignored.
pub(crate) fn for_libtest(text: &str) -> String {
    printable(text)
}

fn choice(color: Option<ColorSetting>) -> ColorChoice {
    match color {
        None | Some(ColorSetting::Auto) => ColorChoice::Auto,
        Some(ColorSetting::Always) => ColorChoice::Always,
        Some(ColorSetting::Never) => ColorChoice::Never,
    }
}

/// Prints a text with its colours, where they are wanted. Ignores errors, such as a closed pipe.
pub(super) fn print(text: &str, to_stderr: bool, color: Option<ColorSetting>) {
    let text = printable(text);
    if to_stderr {
        let _ = AutoStream::new(std::io::stderr().lock(), choice(color)).write_all(text.as_bytes());
    } else {
        let mut stream = AutoStream::new(std::io::stdout().lock(), choice(color));
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }
}

/// Prints commands for GitHub Actions. Their texts are escaped by [`super::annotations`] already.
pub(crate) fn print_annotations(text: &str, to_stderr: bool) {
    let text: String = text.chars().filter(|c| *c == '\n' || !is_invisible(*c)).collect();
    if to_stderr {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    } else {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}

/// Prints a text with colours, where they are wanted.
///
/// # Errors
/// Returns an error when standard output cannot be written. A closed pipe is not an error.
#[cfg(feature = "cli")]
pub(crate) fn styled(text: &str, to_stderr: bool) -> Result<(), String> {
    if to_stderr {
        print(text, true, None);
        return Ok(());
    }
    let mut out = AutoStream::new(std::io::stdout().lock(), ColorChoice::Auto);
    printed(out.write_all(printable(text).as_bytes()).and_then(|()| out.flush()))
}

/// Returns the message about an error of standard output; a closed pipe is not an error.
fn printed(result: std::io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints a text of clap, whose styles are escape sequences.
///
/// # Errors
/// Returns an error when standard output cannot be written.
#[cfg(feature = "cli")]
pub(crate) fn usage(mut text: String, to_stderr: bool) -> Result<(), String> {
    for (sequence, mark) in [
        ("\x1b[1m\x1b[31m", RED.0),
        ("\x1b[1m\x1b[4m", BOLD.0),
        ("\x1b[31m", RED.0),
        ("\x1b[32m", GREEN.0),
        ("\x1b[33m", YELLOW.0),
        ("\x1b[1m", BOLD.0),
        ("\x1b[0m", PLAIN),
    ] {
        text = text.replace(sequence, mark.encode_utf8(&mut [0; 4]));
    }
    styled(&text, to_stderr)
}

/// Prints to standard output without colours.
///
/// # Errors
/// Returns an error when standard output cannot be written. A closed pipe is not an error.
pub(crate) fn out(text: &str) -> Result<(), String> {
    let mut out = AutoStream::new(std::io::stdout().lock(), ColorChoice::Never);
    printed(out.write_all(printable(text).as_bytes()).and_then(|()| out.flush()))
}

/// Prints an error to standard error.
pub(crate) fn error(text: &str) {
    print(&format!("{RED}error{RED:#}: {text}\n"), true, None);
}

/// Prints a note to standard error.
pub(crate) fn note(text: &str) {
    print(&format!("{YELLOW}note{YELLOW:#}: {text}\n"), true, None);
}

/// Prints a line about what was sent to standard error.
pub(crate) fn sent(text: &str, complete: bool) {
    let style = if complete { DIM } else { YELLOW };
    print(&format!("{style}{text}{style:#}\n"), true, None);
}

/// Prints the names of tests, as cargo and nextest read them. A reader may close the pipe early.
///
/// # Errors
/// Returns an error when they cannot be printed, since half a list would look like all tests.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let print = || {
        for name in names {
            out.write_all(printable(&format!("{name}: test\n")).as_bytes())?;
        }
        out.flush()
    };
    match print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("the list cannot be printed to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// The escape sequence that goes back to the first column and clears the line.
const CLEAR: &str = "\r\x1b[2K";

/// The escape sequence that turns wrapping off, so that the terminal cuts off a line that is too long:
/// a wrapped line would leave a part behind at each update.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// Draws the live line, which has no line break.
pub(crate) fn draw_line(text: &str) {
    live(&format!("{CLEAR}{NO_WRAP}{}{WRAP}", printable(&text.replace('\n', " "))));
}

/// Clears the live line.
pub(crate) fn clear_line() {
    live(CLEAR);
}

fn live(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

/// Returns a rendered text without its styles.
#[cfg(test)]
pub(crate) fn unstyled(text: &str) -> String {
    text.chars().filter(|c| !is_paint(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::payloads;

    /// Returns whether a text has no commands for a terminal or a CI runner.
    fn is_harmless(printed: &str) -> bool {
        let without_colors = anstream::adapter::strip_str(printed).to_string();
        let colors = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];
        let mut rest = printed.to_owned();
        for color in colors {
            rest = rest.replace(color, "");
        }
        rest == without_colors
            && !rest.contains(|c: char| c != '\n' && is_invisible(c))
            && !rest.lines().any(|line| line.trim_start().starts_with("::"))
            && rest.lines().all(|line| break_commands(line) == line)
    }

    #[test]
    fn nothing_that_is_printed_commands_a_terminal_or_a_runner() {
        for payload in payloads() {
            for text in [
                payload.clone(),
                format!("output  {payload}\n"),
                format!("{RED}{payload}{RED:#}\n"),
                format!("{{\"a\": {}}}", serde_json::Value::from(payload.as_str())),
            ] {
                let printed = printable(&text);
                assert!(is_harmless(&printed), "{text:?} {printed:?}");
            }
        }
    }

    #[test]
    fn a_json_document_keeps_its_content() {
        for payload in payloads() {
            let document = serde_json::json!({ payload.as_str(): [payload, 1] });
            for text in [format!("{document}\n{document}\n"), format!("{document:#}\n")] {
                let printed = printable(&text);
                assert!(is_harmless(&printed), "{printed:?}");
                let mut read = serde_json::Deserializer::from_str(&printed).into_iter();
                assert!(read.all(|one: serde_json::Result<serde_json::Value>| {
                    one.is_ok_and(|one| one == document)
                }));
            }
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "detect::en-01 … ok\n  a ## heading [x]\n\tünïcödé 👩‍👩‍👧 日本\n";
        assert_eq!(printable(text), text);
        assert_eq!(printable("::error::x\n"), ": :error::x\n");
        assert_eq!(printable("  ::error::x"), "  : :error::x");
        assert_eq!(printable("a ##[group]b ##vso[task.x]"), "a ## [group]b ## vso[task.x]");
        assert_eq!(printable("a\u{1b}[31mb\u{2028}c"), "a\\u001b[31mb\\u2028c");
        assert_eq!(printable(&format!("{RED}a{RED:#}")), "\x1b[1m\x1b[31ma\x1b[0m");
    }
}
