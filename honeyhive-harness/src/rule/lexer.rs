//! Splits the text of a rule into tokens, as rustc does it for an attribute.

/// A token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The text as written.
    pub(super) text: String,
    /// Its first character in the text, counted from 1.
    pub(super) column: usize,
}

/// The kind of a token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name, without the `r#` of a raw one.
    Name(String),
    /// A literal number without a sign: its value, and whether it is a whole one.
    Number(f64, bool),
    /// A string literal: its value.
    Text(String),
    /// A mark such as `>=`, `::` or `(`; any other character alone.
    Mark,
}

/// Marks of more than one character.
const LONG: [&str; 5] = [">=", "<=", "::", "==", "=>"];

/// Splits a text; returns the column and the message of the first invalid token otherwise.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        if rest[0].is_whitespace() {
            at += 1;
            continue;
        }
        let (kind, length) = token(rest).map_err(|message| (at + 1, message))?;
        let text = rest[..length].iter().collect();
        found.push(Token { kind, text, column: at + 1 });
        at += length;
    }
    Ok(found)
}

fn token(rest: &[char]) -> Result<(Kind, usize), String> {
    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
    let first = rest[0];
    if let Some(text) = string(rest) {
        return text;
    }
    if first == 'r' && rest.get(1) == Some(&'#') && rest.get(2).is_some_and(is_name) {
        let length = rest[2..].iter().take_while(|c| is_name(c)).count();
        return Ok((Kind::Name(rest[2..2 + length].iter().collect()), 2 + length));
    }
    if first.is_ascii_digit() {
        return number(rest);
    }
    if is_name(&first) {
        let length = rest.iter().take_while(|c| is_name(c)).count();
        return Ok((Kind::Name(rest[..length].iter().collect()), length));
    }
    let two: String = rest.iter().take(2).collect();
    Ok((Kind::Mark, if LONG.contains(&&*two) { 2 } else { 1 }))
}

/// Reads `3`, `0.7`, `1e-3`, `1_000` or `0.5f64`.
fn number(rest: &[char]) -> Result<(Kind, usize), String> {
    let digits =
        |from: usize| rest[from..].iter().take_while(|c| c.is_ascii_digit() || **c == '_').count();
    let mut length = digits(0);
    let mut is_whole = true;
    if rest.get(length) == Some(&'.') && rest.get(length + 1).is_some_and(char::is_ascii_digit) {
        length += 1 + digits(length + 1);
        is_whole = false;
    } else if rest.get(length) == Some(&'.') && rest.get(length + 1) != Some(&'.') {
        length += 1;
        is_whole = false;
    }
    if matches!(rest.get(length), Some('e' | 'E')) {
        let sign = usize::from(matches!(rest.get(length + 1), Some('+' | '-')));
        if rest.get(length + 1 + sign).is_some_and(char::is_ascii_digit) {
            length += 1 + sign + digits(length + 1 + sign);
            is_whole = false;
        }
    }
    let value: String = rest[..length].iter().filter(|c| **c != '_').collect();
    let suffix: String =
        rest[length..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
    length += suffix.chars().count();
    let written: String = rest[..length].iter().collect();
    match value.parse::<f64>() {
        Ok(value) if matches!(&*suffix, "" | "f32" | "f64") => {
            Ok((Kind::Number(value, is_whole && suffix.is_empty()), length))
        }
        _ => Err(format!("`{written}` is not a number: write it as in `0.9`")),
    }
}

/// Reads `"text"` or `r#"text"#`; `None` where there is something else.
fn string(rest: &[char]) -> Option<Result<(Kind, usize), String>> {
    let unfinished = || Some(Err("this string has no closing `\"`".to_owned()));
    if rest[0] == 'r' {
        let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
        if rest.get(1 + hashes) != Some(&'"') {
            return None;
        }
        let start = hashes + 2;
        let closes = |at: &usize| {
            rest[*at] == '"'
                && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        };
        let Some(end) = (start..rest.len()).find(closes) else { return unfinished() };
        let text = rest[start..end].iter().collect();
        return Some(Ok((Kind::Text(text), end + 1 + hashes)));
    }
    if rest[0] != '"' {
        return None;
    }
    let (mut text, mut at) = (String::new(), 1);
    while let Some(c) = rest.get(at) {
        at += 1;
        match c {
            '"' => return Some(Ok((Kind::Text(text), at))),
            '\\' => {
                let Some(escaped) = rest.get(at) else { return unfinished() };
                at += 1;
                text.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    '\\' | '"' | '\'' => *escaped,
                    'u' if rest.get(at) == Some(&'{') => {
                        let digits: String =
                            rest[at + 1..].iter().take_while(|c| **c != '}').collect();
                        at += digits.chars().count() + 2;
                        match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                            Some(c) => c,
                            None => return Some(Err(format!("`\\u{{{digits}}}` is no character"))),
                        }
                    }
                    other => {
                        return Some(Err(format!("a string has no escape `\\{other}`")));
                    }
                });
            }
            c => text.push(*c),
        }
    }
    unfinished()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).expect("tokens").into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_those_of_rust() {
        assert_eq!(texts("p95(latency)<=\"2s\""), ["p95", "(", "latency", ")", "<=", "\"2s\""]);
        assert_eq!(texts("a::b >= -1_0.5e-3"), ["a", "::", "b", ">=", "-", "1_0.5e-3"]);
        let kinds: Vec<Kind> = tokens(r##"r#mean "a\"b\u{e9}" r#"x"y"# 20 0.5f64"##)
            .expect("tokens")
            .into_iter()
            .map(|token| token.kind)
            .collect();
        assert_eq!(
            kinds,
            [
                Kind::Name("mean".to_owned()),
                Kind::Text("a\"bé".to_owned()),
                Kind::Text("x\"y".to_owned()),
                Kind::Number(20.0, true),
                Kind::Number(0.5, false),
            ]
        );
    }

    #[test]
    fn what_is_no_token_has_a_place() {
        assert_eq!(tokens("mean(\"x").map_err(|error| error.0), Err(6));
        assert_eq!(tokens("a >= 0x9").map_err(|error| error.0), Err(6));
        assert!(tokens("\"\\q\"").is_err());
    }
}
