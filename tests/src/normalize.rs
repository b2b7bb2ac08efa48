//! Puts placeholders for the parts that differ from run to run, so that whole outputs can be
//! compared.

use std::path::Path;

/// Replaces `12.3 ms` and the like with `<time>`, paths with `<project>` and `<scratch>`, the file
/// of the journal with `<journal>`, the report with `<report>`, and lines of a project's `evals.rs`
/// with `<line>`. Reduces the spaces between the columns of a line with a time, since its width
/// varies.
pub(crate) fn normalize(text: &str, project: &Path, scratch: &Path) -> String {
    let text = text
        .replace(&project.display().to_string(), "<project>")
        .replace(&scratch.display().to_string(), "<scratch>");
    let mut normal = String::new();
    for line in without_line_numbers(&text).lines() {
        let line = match line.split_once(' ') {
            Some(("journal", _)) => "journal <journal>".to_owned(),
            Some(("report", path)) if path.starts_with(' ') => "report  <report>".to_owned(),
            _ => times(line),
        };
        normal.push_str(line.trim_end());
        normal.push('\n');
    }
    normal
}

/// Replaces line numbers, which change with every edit of a project and are not tested.
fn without_line_numbers(text: &str) -> String {
    let mut parts = text.split("tests/evals.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "tests/evals.rs:<line>" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

fn times(line: &str) -> String {
    let mut normal = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let length = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let within_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        // A limit is shown as it was written, so it stays.
        let is_limit = before.ends_with("<= ") || before.ends_with(">= ");
        let tight = before.ends_with("finished in ");
        let unit = (!within_word && !is_limit).then(|| unit(&number[length..], tight)).flatten();
        normal.push_str(before);
        let (shown, length) = match unit {
            Some(unit) => ("<time>", length + unit),
            None => (&number[..length], length),
        };
        normal.push_str(shown);
        rest = &number[length..];
    }
    normal.push_str(rest);
    let normal = normal.replace("<time> <time>", "<time>");
    if !normal.contains("<time>") || line.trim_start() == line {
        return normal;
    }
    let indent = &normal[..normal.len() - normal.trim_start().len()];
    let words: Vec<&str> = normal.split_whitespace().collect();
    let mut normal = format!("{indent}{}", words.join(" "));
    if normal.starts_with("  latency ") {
        // The latencies of quick functions may or may not differ.
        for interval in ["<time>–<time>", "no spread"] {
            normal = normal.replace(interval, "<interval>");
        }
    }
    normal
}

/// Returns the length of a unit of time at the start of this text, after a space unless `tight`.
fn unit(text: &str, tight: bool) -> Option<usize> {
    let units: &[&str] = if tight { &["s"] } else { &[" µs", " ms", " s", " m"] };
    let is_whole = |unit: &&&str| {
        text.strip_prefix(**unit).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    units.iter().find(is_whole).map(|unit| unit.len())
}

/// Returns standard error without the lines of cargo itself.
pub(crate) fn without_cargo(text: &str) -> String {
    const VERBS: [&str; 6] = [
        "   Compiling ",
        "    Finished ",
        "     Running ",
        "    Blocking ",
        "   Doc-tests ",
        "Caused by:",
    ];
    let is_cargo = |line: &str| {
        VERBS.iter().any(|verb| line.starts_with(verb))
            || line.starts_with("error: test failed, to rerun pass")
            || line.starts_with("  process didn't exit successfully")
    };
    let lines = text.lines().filter(|line| !is_cargo(line));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_placeholders_and_limits_are_not() {
        for (line, normal) in [
            ("ok. 3 passed; finished in 0.07s", "ok. 3 passed; finished in <time>"),
            (
                "  latency   1.28 ms  935 µs–1.62 ms   80  ok p95 <= 50 ms",
                "  latency <time> <interval> 80 ok p95 <= 50 ms",
            ),
            ("PASS 80 cases, 2 m 03 s", "PASS 80 cases, <time>"),
            ("p95(latency) <= \"2s\": 30 ms, n = 3", "p95(latency) <= \"2s\": <time>, n = 3"),
            ("timed out after 1s: a 12 b v1.2 x2 s", "timed out after 1s: a 12 b v1.2 x2 s"),
        ] {
            assert_eq!(times(line), normal);
        }
    }
}
