//! Writes and checks the lines of a journal file: a record, its number and its checksum.
//!
//! `{"type":"case",..,"line":12,"crc":"0a1b2c3d"}`: the last field is the CRC-32 (of ISO-HDLC, as in
//! zip and PNG) of all bytes before `,"crc"`, in 8 lower-case hex digits; `line` is the number of the line
//! in its file, from 1. The checksum finds changed bytes, the number finds lines that are missing, doubled
//! or in another order. Together they cost about 0.1 us a line.

use crc32fast::Hasher;

use super::schema::Record;

/// The bytes between the checked bytes and the checksum.
const BEFORE: &[u8] = br#","crc":""#;

/// The bytes that end a line.
const AFTER: &[u8] = br#""}"#;

/// The number of hex digits of a checksum.
const DIGITS: usize = 8;

/// Lines without numbers yet, ready to be appended to a file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The records, each without its closing brace, one after the other.
    text: Vec<u8>,
    /// The end of each record in `text`, and the CRC-32 of the record.
    ends: Vec<(usize, u32)>,
}

impl Lines {
    /// Adds a record. The thread that made the record calls this, so most of the work is done
    /// there.
    pub(super) fn push(&mut self, record: &Record) {
        let begin = self.text.len();
        // Records hold strings, numbers and JSON values, and serializing these cannot fail.
        if serde_json::to_writer(&mut self.text, record).is_err() {
            self.text.truncate(begin);
            return;
        }
        self.text.pop();
        self.ends.push((self.text.len(), crc32fast::hash(&self.text[begin..])));
    }

    /// Appends the lines to a file's text; `number` is the number of its last line.
    pub(super) fn append_to(&self, to: &mut Vec<u8>, number: &mut u64) {
        let mut begin = 0;
        for (end, crc) in &self.ends {
            *number += 1;
            let tail = format!(",\"line\":{number}");
            let mut hasher = Hasher::new_with_initial(*crc);
            hasher.update(tail.as_bytes());
            to.extend_from_slice(&self.text[begin..*end]);
            to.extend_from_slice(tail.as_bytes());
            to.extend_from_slice(BEFORE);
            to.extend_from_slice(format!("{:08x}", hasher.finalize()).as_bytes());
            to.extend_from_slice(AFTER);
            to.push(b'\n');
            begin = *end;
        }
    }
}

/// Returns the text of a journal file with these records, as a run writes it.
pub fn to_lines<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u8> {
    let mut lines = Lines::default();
    records.into_iter().for_each(|record| lines.push(record));
    let mut text = Vec::new();
    lines.append_to(&mut text, &mut 0);
    text
}

/// The checksum at the end of a line, compared with the line's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// The line has no checksum.
    Absent,
    /// The checksum matches the bytes. Holds the number of the line, where there is one.
    Right(Option<u64>),
    /// The checksum does not match the bytes.
    Wrong {
        /// The checksum in the line.
        written: String,
        /// The checksum of the bytes.
        actual: String,
    },
}

/// Compares a line, without its newline, with its checksum.
pub(super) fn check(line: &[u8]) -> Sum {
    let parts = line.strip_suffix(AFTER).and_then(|rest| {
        let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        Some((rest.strip_suffix(BEFORE)?, digits))
    });
    let Some((body, digits)) = parts else { return Sum::Absent };
    let actual = format!("{:08x}", crc32fast::hash(body));
    if digits == actual.as_bytes() {
        return Sum::Right(number(body));
    }
    Sum::Wrong { written: String::from_utf8_lossy(digits).into_owned(), actual }
}

/// Returns the number at the end of the checked bytes.
fn number(body: &[u8]) -> Option<u64> {
    let digits = body.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = body.split_at(body.len() - digits);
    rest.ends_with(br#","line":"#).then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::CaseRecord;

    fn case(id: &str) -> Record {
        Record::Case(CaseRecord { case: id.to_owned(), ..CaseRecord::default() })
    }

    #[test]
    fn a_line_ends_with_its_number_and_its_checksum() {
        let text = String::from_utf8(to_lines(&[case("a"), case("b")])).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(check(line.as_bytes()), Sum::Right(Some(at as u64 + 1)), "{line}");
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["line"], at + 1);
            assert_eq!(value["crc"].as_str().map(str::len), Some(8));
        }
        assert!(lines[0].starts_with(r#"{"type":"case","experiment":"","case":"a","#), "{text}");
        assert_eq!(check(br#"{"type":"case"}"#), Sum::Absent);
        assert_eq!(check(b""), Sum::Absent);
    }

    #[test]
    fn every_changed_bit_is_found() {
        let text = to_lines(&[case("en-07")]);
        let line = text.strip_suffix(b"\n").unwrap();
        for bit in 0..line.len() * 8 {
            let mut changed = line.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(check(&changed), Sum::Right(_)), "bit {bit}");
        }
    }
}
