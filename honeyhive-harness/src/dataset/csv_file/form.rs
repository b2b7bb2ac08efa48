//! Determines the form of a CSV file: the separator of its cells, and whether its quotes are in order.
//!
//! The `csv` crate accepts any text: a quote that never closes takes all further rows into one cell. So
//! each record is checked here before it is read.

/// The separators beside the comma.
const OTHERS: [u8; 3] = [b';', b'\t', b'|'];

/// Returns the separator that a first line `sep=;` names, as spreadsheets write it, and the length of
/// that line.
///
/// # Errors
/// Returns an error when the line names something else; it starts with `:1: `.
pub(super) fn directive(text: &str) -> Result<Option<(u8, usize)>, String> {
    let length = text.find(['\r', '\n']).unwrap_or(text.len());
    let line = text[..length].trim_matches('"');
    let Some(named) = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")) else {
        return Ok(None);
    };
    let &[separator @ (b',' | b';' | b'\t' | b'|')] = named.as_bytes() else {
        return Err(format!(
            ":1: `sep=` names {named:?}; a separator is a comma, a semicolon, a tab or `|`"
        ));
    };
    let rest = &text[length..];
    let end = if rest.starts_with("\r\n") { 2 } else { rest.len().min(1) };
    Ok(Some((separator, length + end)))
}

/// Returns the separator of the cells, as the header shows it.
///
/// # Errors
/// Returns an error when the header has several separators.
pub(super) fn separator(text: &str) -> Result<u8, String> {
    let mut counts = [0; 4];
    let mut quoted = false;
    for byte in text.trim_start_matches(['\r', '\n']).bytes() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\r' | b'\n' => break,
            b',' => counts[0] += 1,
            other => {
                if let Some(index) = OTHERS.iter().position(|separator| *separator == other) {
                    counts[index + 1] += 1;
                }
            }
        }
    }
    // Tabs beside commas are blanks.
    let [commas, semicolons, tabs, bars] = counts;
    let found = [
        (b',', commas),
        (b';', semicolons),
        (b'\t', if commas == 0 { tabs } else { 0 }),
        (b'|', bars),
    ];
    let found: Vec<u8> =
        found.iter().filter(|(_, count)| *count > 0).map(|(byte, _)| *byte).collect();
    match found[..] {
        [] => Ok(b','),
        [one] => Ok(one),
        _ => Err(format!(
            "the header may be separated by {}; put names that contain one of them into quotes, or \
             write `sep=,` (or another) as the first line",
            found.iter().map(|byte| name(*byte)).collect::<Vec<_>>().join(" or by ")
        )),
    }
}

fn name(separator: u8) -> &'static str {
    match separator {
        b';' => "semicolons",
        b'\t' => "tabs",
        b'|' => "`|`",
        _ => "commas",
    }
}

/// The result of checking the quotes of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// The quotes of the record are in order.
    Fine,
    /// The record has no text at all: a line of blanks or of separators alone.
    Blank,
    /// The quotes leave it uncertain where cells or records end.
    Broken {
        /// The place in the record, in bytes.
        at: usize,
        /// The description of what is wrong.
        fault: String,
    },
}

/// Checks the text of one record.
pub(super) fn quoting(record: &str, separator: u8) -> Quoting {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        /// The state before the first character of a cell that is not a blank.
        Start {
            padded: bool,
        },
        Bare,
        Quoted {
            opened: usize,
        },
        Closed {
            opened: usize,
        },
    }
    let mut state = State::Start { padded: false };
    let mut blank = true;
    for (at, byte) in record.bytes().enumerate() {
        state = match (state, byte) {
            (State::Quoted { opened }, b'"') => State::Closed { opened },
            (State::Quoted { .. }, _) => state,
            // A doubled quote is one quote within the cell.
            (State::Closed { opened }, b'"') => State::Quoted { opened },
            (_, byte) if byte == separator => State::Start { padded: false },
            (_, b'\r' | b'\n') => State::Start { padded: false },
            (State::Closed { opened }, _) => {
                let (column, tail) = (column(record, at), shown(record, at));
                return Quoting::Broken {
                    at: opened,
                    fault: format!(
                        "the quote that opens here is closed {column}, and {tail} follows it; write a \
                         quote within a quoted cell twice, and nothing between the closing quote and \
                         the separator"
                    ),
                };
            }
            (State::Start { padded: false }, b'"') => State::Quoted { opened: at },
            (State::Start { .. }, b'"') => {
                return Quoting::Broken {
                    at,
                    fault:
                        "a blank stands between the separator and an opening quote; remove it, or \
                            the quote is a part of the text"
                            .to_owned(),
                };
            }
            (State::Start { .. }, b' ' | b'\t') => State::Start { padded: true },
            // A quote within an unquoted cell is text, as spreadsheets read it.
            _ => State::Bare,
        };
        blank &= matches!(state, State::Start { .. });
    }
    match state {
        State::Quoted { opened } => Quoting::Broken {
            at: opened,
            fault: format!(
                "the quote before {} is never closed, so that all further lines would be one cell",
                shown(record, opened + 1)
            ),
        },
        _ if blank => Quoting::Blank,
        _ => Quoting::Fine,
    }
}

/// Returns some text from a place on, for messages.
fn shown(record: &str, at: usize) -> String {
    let from = (0..=at).rev().find(|at| record.is_char_boundary(*at)).unwrap_or(0);
    let tail = record[from..].lines().next().unwrap_or_default();
    let text: String = tail.chars().take(20).collect();
    format!("{text:?}")
}

fn column(record: &str, at: usize) -> String {
    let lines = super::line_of(&record.as_bytes()[..at]) - 1;
    match lines {
        0 => "on the same line".to_owned(),
        1 => "one line below".to_owned(),
        lines => format!("{lines} lines below"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_that_the_header_has() {
        for (text, want) in [
            ("id,text\n", b','),
            ("text\n", b','),
            ("id;text;ground_truth\na;b, c;d", b';'),
            ("id\ttext\n", b'\t'),
            ("id|text\n", b'|'),
            ("id,\"a;b\"\n", b','),
            ("id,\ttext\n", b','),
            ("\n\nid;text", b';'),
            ("", b','),
        ] {
            assert_eq!(separator(text), Ok(want), "{text:?}");
        }
        let error = separator("id;text, long;x\n").unwrap_err();
        assert!(error.contains("by commas or by semicolons"), "{error}");
        assert_eq!(directive("sep=;\r\nid;text"), Ok(Some((b';', 7))));
        assert_eq!(directive("\"sep=\t\"\nid"), Ok(Some((b'\t', 8))));
        assert_eq!(directive("separator,text\n"), Ok(None));
        assert!(directive("sep=::\nid").unwrap_err().contains("names \"::\""));
    }

    #[test]
    fn quotes_are_in_order_or_the_fault_is_said() {
        for fine in [
            "a,b\n",
            "\"a\",\"b\n,c\"\r\n",
            "\"a\"\"b\"",
            "a 5\" disk,x",
            "\"\"",
            "a,\"\",b",
            "  a,b",
        ] {
            assert_eq!(quoting(fine, b','), Quoting::Fine, "{fine:?}");
        }
        for blank in ["", "  \n", ",,,\r\n", " , ,\t"] {
            assert_eq!(quoting(blank, b','), Quoting::Blank, "{blank:?}");
        }
        for (broken, place, says) in [
            ("a,\"b\nc,d\n", 2, "before \"b\" is never closed"),
            ("a,\"b\nc,\"d\"", 2, "closed one line below, and \"d\\\"\" follows it"),
            ("\"a\" ,b", 0, "closed on the same line"),
            ("a, \"b\"", 3, "a blank stands between"),
        ] {
            let Quoting::Broken { at, fault } = quoting(broken, b',') else { panic!("{broken:?}") };
            assert!(at == place && fault.contains(says), "{broken:?}: {at} {fault}");
        }
    }
}
