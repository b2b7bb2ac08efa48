//! Finds and decodes the files of datasets, and reads them by their format.

use std::path::Path;

use super::{DatasetFault, Scanned, Store, csv_file, json_file, line_of};
use crate::files;
use crate::text::closest;

/// The advice for a file of an unknown format.
const WAY_OUT: &str = "a dataset file ends in .jsonl, .json or .csv; read any other format in a \
                       function and name that: `dataset = my_rows`";

/// Reads a file: the name of its dataset, its text and its rows.
///
/// # Errors
/// Returns an error when the file is missing, unreadable, not UTF-8 or not in its format as a
/// whole.
pub(super) fn scan(base: &Path, path: &str) -> Result<(String, Store, Vec<Scanned>), DatasetFault> {
    let name = Path::new(path);
    let extension = name.extension().and_then(|ext| ext.to_str()).unwrap_or_default();
    let extension = extension.to_ascii_lowercase();
    if base.join(name).is_dir() {
        return Err(DatasetFault(format!("{path} is a directory; {WAY_OUT}")));
    }
    if !matches!(extension.as_str(), "jsonl" | "json" | "csv") {
        return Err(DatasetFault(format!("{path}: {WAY_OUT}")));
    }
    let text = read(base, path)?;
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let fail = |fault: String| at(path, &fault);
    let (store, scanned) = match extension.as_str() {
        "jsonl" => {
            let scanned = json_file::scan_lines(&text, start).map_err(fail)?;
            (Store::Json(text), scanned)
        }
        "json" => {
            let scanned = json_file::scan_array(&text, start).map_err(fail)?;
            (Store::Json(text), scanned)
        }
        _ => {
            let (header, scanned) = csv_file::scan(&text, start).map_err(fail)?;
            (Store::Csv { text, header }, scanned)
        }
    };
    let stem = name.file_stem().map_or_else(|| path.into(), |stem| stem.to_string_lossy());
    Ok((stem.into_owned(), store, scanned))
}

fn at(path: &str, fault: &str) -> DatasetFault {
    DatasetFault(format!("{path}{fault}"))
}

fn read(base: &Path, path: &str) -> Result<String, DatasetFault> {
    let file = base.join(path);
    let bytes = files::read(&file).map_err(|error| {
        DatasetFault(match error.kind() {
            std::io::ErrorKind::NotFound => missing(base, path),
            _ => format!("cannot read {}: {error}", file.display()),
        })
    })?;
    decode(bytes).map_err(|fault| at(path, &fault))
}

/// Returns the text of a file.
///
/// # Errors
/// Returns an error when the text is not UTF-8; it starts with `:line: `.
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    const AS_UTF8: &str = "save the file as UTF-8";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(format!(":1: the file is UTF-16 (its first bytes say so); {AS_UTF8}"));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        let what =
            if zeros * 3 > bytes.len() { "the file is UTF-16 or UTF-32" } else { "a NUL byte" };
        return Err(format!(":{}: {what}; {AS_UTF8}, without NUL bytes", line_of(&bytes[..at])));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = line_of(&bytes[..valid]);
        // The part before the first invalid byte is UTF-8.
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let before = before.rsplit(['\r', '\n']).next().unwrap_or_default();
        let column = before.chars().count() + 1;
        let byte = bytes[valid];
        let hint = match byte {
            // These bytes stand for the characters of the same number in Windows-1252.
            0xa0..=0xff => format!(", which is `{}` in Latin-1 and Windows-1252", char::from(byte)),
            _ => String::new(),
        };
        format!(":{line}: not UTF-8: byte 0x{byte:02X} at column {column}{hint}; {AS_UTF8}")
    })
}

/// Describes a file that does not exist.
fn missing(base: &Path, path: &str) -> String {
    let file = base.join(path);
    if Path::new(path).is_absolute() {
        return format!("no file {path}{}", similar_file(&file));
    }
    let relative = if base == Path::new(".") { "the working directory" } else { "its Cargo.toml" };
    // The path may be relative to the workspace, for instance.
    let above = base.ancestors().skip(1).take(3).enumerate();
    let elsewhere =
        above.map(|(steps, above)| (steps, above.join(path))).find(|(_, file)| file.is_file());
    let hint = match &elsewhere {
        Some((steps, found)) => match found.strip_prefix(base) {
            Ok(inside) => format!("; did you mean {}?", inside.display()),
            Err(_) => format!("; did you mean {}{path}?", "../".repeat(steps + 1)),
        },
        None => similar_file(&file),
    };
    format!("no file {path} in {} (the path is relative to {relative}){hint}", base.display())
}

/// Returns a hint about files of similar names: `; did you mean data/qa.jsonl?`, or the files of
/// the directory.
fn similar_file(file: &Path) -> String {
    let Some((directory, wanted)) = file.parent().zip(file.file_name()) else {
        return String::new();
    };
    let Ok(entries) = std::fs::read_dir(directory) else {
        return format!("; there is no directory {}", directory.display());
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| {
            let extension = Path::new(name).extension().and_then(|ext| ext.to_str());
            matches!(extension, Some("jsonl" | "json" | "csv"))
        })
        .collect();
    names.sort();
    match closest(&wanted.to_string_lossy(), names.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean {near}?"),
        None if names.is_empty() => String::new(),
        None => format!("; the directory has {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> String {
        decode(bytes.to_vec()).unwrap_err()
    }

    #[test]
    fn other_encodings_are_named() {
        assert_eq!(
            fault(b"{\"q\":\"ok\"}\n{\"q\":\"caf\xe9\"}"),
            ":2: not UTF-8: byte 0xE9 at column 10, which is `é` in Latin-1 and Windows-1252; save the \
             file as UTF-8"
        );
        assert!(fault(b"a\xff\xfe").starts_with(":1: not UTF-8: byte 0xFF at column 2"));
        assert!(fault(b"\xff\xfea\0").contains("the file is UTF-16"));
        assert!(fault(b"{\0\"\0a\0\"\0").contains("the file is UTF-16 or UTF-32"));
        assert_eq!(
            fault(b"q\na\0bcdef"),
            ":2: a NUL byte; save the file as UTF-8, without NUL bytes"
        );
        assert!(decode("é\u{feff}".into()).is_ok());
    }
}
