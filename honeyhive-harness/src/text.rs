//! Formats numbers, durations and values for people, and finds what a misspelt word may have meant.

mod apart;

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use unicode_normalization::UnicodeNormalization as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(crate) use apart::{apart, beside};

/// Returns the candidate nearest to a misspelt name: at most two edits away.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = name.chars().count();
    candidates
        .into_iter()
        // Most candidates are too long or too short, and comparing takes longer than counting.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= 2)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        // A one-letter name is two edits away from every other one.
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns whether two names are the same except for case, blanks, `-`, `_`, invisible characters and
/// Unicode form.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    let first = |name: &str| name.chars().next().filter(char::is_ascii_alphanumeric);
    if let (Some(one), Some(other)) = (first(one), first(other))
        && !one.eq_ignore_ascii_case(&other)
    {
        return false;
    }
    let folded = |name: &str| -> String {
        name.nfkc()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_') && c.width() != Some(0))
            .flat_map(char::to_lowercase)
            .collect()
    };
    folded(one) == folded(other)
}

/// The size from which numbers are formatted with an exponent: beyond it, not every integer is a float.
const LARGE: f64 = 1e15;

/// Formats a number with at most three decimals and without trailing zeros: `0.887`, `1`, `12.5`;
/// very small and very large ones with an exponent: `1.0e-5`, `1.798e308`.
pub(crate) fn number(value: f64) -> String {
    if value.is_finite() && value.abs() >= LARGE {
        let text = format!("{value:.3e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        return format!("{mantissa}e{exponent}");
    }
    if value != 0.0 && value.abs() < 0.0005 {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Formats a duration with the unit that suits it and three digits: `850 µs`, `35.2 ms`, `1.24 s`,
/// `2 m 03 s`.
pub(crate) fn seconds(value: f64) -> String {
    let digits = |value: f64, unit: &str| {
        let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        let text = format!("{value:.decimals$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        format!("{text} {unit}")
    };
    if value < 0.000_999_5 {
        digits(value * 1e6, "µs")
    } else if value < 0.9995 {
        digits(value * 1e3, "ms")
    } else if value < 59.95 {
        digits(value, "s")
    } else {
        let whole = Duration::from_secs_f64(value).as_secs();
        format!("{} m {:02} s", whole / 60, whole % 60)
    }
}

/// Formats a time as RFC 3339, with milliseconds. A time outside of the years 1970 to 9999, which has no
/// such text, counts as the nearer end.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(time.clamp(UNIX_EPOCH, last)).to_string()
}

/// Describes how long ago a time was: `today`, `1 day ago`, `12 days ago`; empty for a text that is not
/// a time.
pub(crate) fn age(rfc3339: &str) -> String {
    let Ok(then) = humantime::parse_rfc3339(rfc3339) else { return String::new() };
    let passed = std::time::SystemTime::now().duration_since(then).unwrap_or_default();
    match usize::try_from(passed.as_secs() / 86_400).unwrap_or(usize::MAX) {
        0 => "today".to_owned(),
        days => format!("{} ago", count(days, "day")),
    }
}

/// Formats a number with its noun: `1 case`, `2 cases`, `1,319 cases`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// Formats `1319` as `1,319`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number of bytes as `12.3 MB`.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Returns whether a character marks a style, which only the printing code may write: see
/// `report::screen`. These code points are permanently unassigned.
pub(crate) const fn is_paint(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// Returns whether a character cannot be part of a line: controls, among them the escape and its 8-bit
/// form, separators of lines, and characters that change the order or the presence of their neighbours.
/// Joiners within emoji are allowed.
pub(crate) fn is_invisible(c: char) -> bool {
    (c.is_control() && c != '\t')
        || is_paint(c)
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Returns the text changed so that no CI runner finds a command in it: runners obey `##[group]`,
/// `##vso[..]` and `##teamcity[..]` anywhere in a line.
pub(crate) fn break_commands(text: &str) -> Cow<'_, str> {
    let mut broken = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices("##") {
        let rest = &text[at + 2..];
        let word = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        if rest[word..].starts_with('[') {
            broken.push_str(&text[copied..at + 2]);
            broken.push(' ');
            copied = at + 2;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    broken.push_str(&text[copied..]);
    Cow::Owned(broken)
}

/// Returns a text from elsewhere on one line: line breaks and control characters become visible, so that
/// it can neither break the layout nor control the terminal or a CI runner.
pub(crate) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\u{2028}' | '\u{2029}' | '\u{85}' => line.push('⏎'),
            '\t' => line.push(' '),
            '\r' => {}
            // These characters reorder the rest of the terminal's line.
            '\u{61c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{200e}'
            | '\u{200f}' => line.push('�'),
            c if is_invisible(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    match break_commands(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(broken) => broken,
    }
}

/// Returns a text on one line of at most `width` columns; a longer one is cut at the end.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let line = plain(text);
    if line.width() <= width {
        return line;
    }
    let mut cut = prefix(&line, width.saturating_sub(1)).to_owned();
    cut.push('…');
    cut
}

/// Returns a text on one line of at most `width` columns; a longer one is cut in the middle, since an
/// answer often stands at the end.
pub(crate) fn middle(text: &str, width: usize) -> String {
    let line = plain(text);
    if line.width() <= width {
        return line;
    }
    let tail_width = width.saturating_sub(1) * 2 / 5;
    let head = prefix(&line, width.saturating_sub(1) - tail_width);
    format!("{head}…{}", suffix(&line, tail_width))
}

/// Shortens a text to at most `width` columns and says how much of it is left out: its start, the number
/// of characters that are not shown, its end. `hidden` characters in the middle of `line` are missing
/// already.
pub(crate) fn shortened(line: &str, hidden: usize, width: usize) -> String {
    if hidden == 0 && line.width() <= width {
        return line.to_owned();
    }
    let characters = line.chars().count() + hidden;
    let note = |left_out: usize| format!(" […{} characters…] ", thousands(left_out));
    let room = width.saturating_sub(note(characters).width());
    // An answer often stands at the end.
    let tail = suffix(line, room * 2 / 5);
    let head = prefix(line, room - room * 2 / 5);
    let left_out = characters - head.chars().count() - tail.chars().count();
    format!("{head}{}{tail}", note(left_out))
}

/// Returns the longest end of `text` that takes at most `width` columns.
fn suffix(text: &str, width: usize) -> &str {
    let mut start = text.len();
    let mut used = 0;
    for (index, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        start = index;
    }
    &text[start..]
}

/// Returns the longest start of `text` that takes at most `width` columns.
pub(crate) fn prefix(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..index];
        }
    }
    text
}

/// Returns `text` with spaces up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
    padded
}

/// Returns the path as seen from the working directory, where it is below it.
pub(crate) fn relative(path: &std::path::Path) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|directory| path.strip_prefix(directory).ok())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Describes when a baseline was accepted: `accepted 2 days ago (2026-11-20, at 9f3e1c2)`.
pub(crate) fn accepted(at: &str, commit: Option<&str>, dirty: bool) -> String {
    let day = at.split('T').next().unwrap_or_default();
    let commit = commit.map(|commit| {
        format!(
            ", at {}{}",
            prefix(commit, 7),
            if dirty { " with uncommitted changes" } else { "" }
        )
    });
    let commit = commit.unwrap_or_default();
    match age(at).as_str() {
        "" => format!("accepted on {day}{commit}"),
        age => format!("accepted {age} ({day}{commit})"),
    }
}

/// Returns the number of columns that a text takes in a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Returns texts that try to control a terminal, a CI runner, or a reader of a report.
#[cfg(test)]
pub(crate) fn payloads() -> Vec<String> {
    [
        "\u{1b}[31mred",
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
        "\u{1b}P$q\u{1b}\\",
        "\u{1b}c",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "\u{7}\u{8}\u{8}\u{7f}",
        "\0nul",
        "a\rb",
        "a\r\nPASS 9 cases",
        "a\n::error file=a::pwned",
        "::error::x",
        "  ::add-mask::x",
        "\u{a0}::stop-commands::x",
        "\u{2028}::error::x",
        "\u{85}::error::x",
        "\u{b}::error::x",
        "\u{c}::warning::x",
        "##[command]x",
        "a ##[group]x",
        "##vso[task.setvariable variable=x]y",
        "a ##teamcity[testFailed name='x']",
        "\u{202e}gnp.exe",
        "\u{2066}a\u{2069}\u{200f}",
        "a\u{2029}b",
        "\u{feff}\u{200b}\u{2060}",
        "\u{e0041}\u{e0042}",
        "\u{fdd0}red\u{fdd5}",
        "</script><script>alert(1)</script><!--",
        "]]>&lt;&#x1b;",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_no_more_than_they_know() {
        let shown = [0.0, 1.0, 0.887_096, -0.0001, 12.5, 1e-7, 1319.0, -0.0].map(number);
        assert_eq!(shown, ["0", "1", "0.887", "-1.0e-4", "12.5", "1.0e-7", "1319", "0"]);
        let large = [999_999_999_999_999.0, 1e15, -1e300, f64::MAX].map(number);
        assert_eq!(large, ["999999999999999", "1e15", "-1e300", "1.798e308"]);
    }

    #[test]
    fn any_clock_has_a_time() {
        let day = Duration::from_secs(86_400);
        assert_eq!(timestamp(UNIX_EPOCH + 2 * day), "1970-01-03T00:00:00.000Z");
        assert_eq!(timestamp(UNIX_EPOCH - day), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(UNIX_EPOCH + 4_000_000 * day), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn durations_have_a_fitting_unit() {
        let shown = [0.0, 0.000_85, 0.0352, 0.100_14, 0.9996, 1.24, 123.4].map(seconds);
        assert_eq!(shown, ["0 µs", "850 µs", "35.2 ms", "100 ms", "1 s", "1.24 s", "2 m 03 s"]);
    }

    #[test]
    fn a_baseline_has_an_age() {
        let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
        let day = &now[..10];
        assert_eq!(accepted(&now, None, false), format!("accepted today ({day})"));
        assert_eq!(
            accepted(&now, Some("9f3e1c2aa"), true),
            format!("accepted today ({day}, at 9f3e1c2 with uncommitted changes)")
        );
        assert_eq!(accepted("some day", None, false), "accepted on some day");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1, "case"), "1 case");
        assert_eq!(count(1319, "case"), "1,319 cases");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[31mc", 80), "a⏎b\\u{1b}[31mc");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("日本語です", 6), "日本…");
        assert_eq!(one_line("日本語", 6), "日本語");
        assert_eq!(width(&pad("日本", 6)), 6);
    }

    #[test]
    fn a_plain_text_commands_nothing() {
        for payload in payloads() {
            let line = plain(&format!("a {payload}"));
            assert!(!line.contains(is_invisible), "{line:?}");
            assert_eq!(break_commands(&line), line);
            assert_eq!(plain(&line), line, "once is enough");
        }
        assert_eq!(plain("a ##[group]b ## [c] #[d] ##e"), "a ## [group]b ## [c] #[d] ##e");
        assert_eq!(plain("a\u{2028}b\u{9b}c\u{202e}d"), "a⏎b\\u{9b}c�d");
    }

    #[test]
    fn the_end_of_a_long_text_stays_visible() {
        assert_eq!(middle("short", 10), "short");
        assert_eq!(middle("a long story with the answer: 42", 16), "a long st…er: 42");
        assert_eq!(middle("日本語日本語日本語", 9), "日本…語");
        assert_eq!(shortened("short", 0, 10), "short");
        let long = format!("{}42", "x".repeat(2000));
        let cut = shortened(&long, 0, 60);
        assert_eq!(cut, format!("{} […1,964 characters…] {}42", "x".repeat(23), "x".repeat(13)));
        assert!(width(&cut) <= 60);
        assert!(shortened(&long, 1000, 60).contains("[…2,964 characters…]"));
        assert!(width(&shortened(&"日本".repeat(100), 0, 40)) <= 40);
    }

    #[test]
    fn suggestions_are_near() {
        let names = ["dataset", "timeout", "n"];
        assert_eq!(closest("datset", names), Some("dataset"));
        assert_eq!(closest("tiemout", names), Some("timeout"));
        assert_eq!(closest("m", names), None);
        assert_eq!(closest("concurrency", names), None);
    }
}
