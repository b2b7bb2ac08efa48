//! Splits Rust source into words and punctuation, each with its place.
//!
//! This is not `proc_macro2`: inside of a macro its lexer is rustc's, which reports mistakes of a file
//! as errors of this crate, and gives no lines that can be compared with those of an attribute.

/// A word, a punctuation character, or the place of a literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lexeme<'a> {
    pub(crate) kind: Kind<'a>,
    /// The line, from 1, as rustc counts.
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The kind and the text of a lexeme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    /// An identifier or keyword, without `r#`.
    Word(&'a str),
    /// Any other character that is not a space.
    Punct(char),
    /// A string, with its text as written between the quotes.
    Text(&'a str),
    /// Any other literal, or a lifetime.
    Literal,
}

/// Returns all lexemes of a file, without comments.
pub(crate) fn lex(source: &str) -> Vec<Lexeme<'_>> {
    let mut cursor = Cursor { rest: source, line: 1, column: 1 };
    let mut out = Vec::new();
    while let Some(next) = cursor.rest.chars().next() {
        let (line, column) = (cursor.line, cursor.column);
        let mut push = |kind| out.push(Lexeme { kind, line, column });
        let rest = cursor.rest;
        if next.is_whitespace() {
            cursor.eat(next.len_utf8());
        } else if rest.starts_with("//") {
            cursor.eat(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            cursor.eat(block_comment(rest));
        } else if let Some((length, text)) = string(rest) {
            push(Kind::Text(text));
            cursor.eat(length);
        } else if next == '\'' {
            push(Kind::Literal);
            cursor.eat(quoted(rest));
        } else if is_start(next) {
            let word = rest.strip_prefix("r#").unwrap_or(rest);
            let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
            push(Kind::Word(&word[..end]));
            cursor.eat(rest.len() - word.len() + end);
        } else if next.is_ascii_digit() {
            push(Kind::Literal);
            cursor.eat(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        } else {
            push(Kind::Punct(next));
            cursor.eat(next.len_utf8());
        }
    }
    out
}

struct Cursor<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Cursor<'_> {
    fn eat(&mut self, length: usize) {
        let (eaten, rest) = self.rest.split_at(length);
        for c in eaten.chars() {
            if c == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
    }
}

fn is_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Returns the length of `/* .. */`, with others inside.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Returns the length of a string of any kind, and its text.
fn string(rest: &str) -> Option<(usize, &str)> {
    let unprefixed = ["b", "c", ""].iter().find_map(|prefix| {
        let rest = rest.strip_prefix(prefix)?;
        (rest.starts_with('"') || rest.starts_with("r\"") || rest.starts_with("r#")).then_some(rest)
    })?;
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        // This is the identifier `r#name`.
        let body = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = body.find(&close).unwrap_or(body.len());
        let length = prefix + 1 + hashes + 1 + end + close.len();
        return Some((length.min(rest.len()), &body[..end]));
    }
    let body = unprefixed.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((prefix + 1 + at + 1, &body[..at])),
            _ => {}
        }
    }
    Some((rest.len(), body))
}

/// Returns the length of a character such as `'a'` or `'\n'`, or of a lifetime.
fn quoted(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            // An escaped character cannot end the literal.
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(rest.len(), |(at, _)| at + 1)
        }
        Some((at, c)) => {
            let after = at + c.len_utf8();
            if rest[after..].starts_with('\'') {
                after + 1
            } else {
                rest[after..].find(|c| !is_part(c)).map_or(rest.len(), |end| after + end)
            }
        }
        None => rest.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<&str> {
        lex(source)
            .into_iter()
            .filter_map(|lexeme| match lexeme.kind {
                Kind::Word(word) => Some(word),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn comments_and_strings_have_no_words() {
        let source = r###"
            a // test
            /* test /* test */ test */ b "test \" test" c r"test" d r#"test " test"# e b"test" f
            '"' g '\'' h 'x' i "//" j '\u{1F600}' k br##"test"# "## l c"test" m b'"' n
            /// test
            //! test
        "###;
        let found = words(source);
        assert_eq!(
            found,
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "b", "n"]
        );
    }

    #[test]
    fn lifetimes_are_not_characters() {
        assert_eq!(words("fn f<'a>(x: &'a str, y: &'static str) { 'l: loop {} }").len(), 7);
        assert_eq!(words("r#type r#fn 1_000u8 0.5 x"), ["type", "fn", "x"]);
    }

    #[test]
    fn places_are_counted_as_rustc_does() {
        let lexemes = lex("fn é() {\n    é \"x\ny\" z\n}");
        let z = lexemes.iter().find(|lexeme| lexeme.kind == Kind::Word("z")).unwrap();
        assert_eq!((z.line, z.column), (3, 4));
    }

    #[test]
    fn what_is_cut_off_ends_with_the_file() {
        for source in ["\"abc", "r#\"abc", "/* abc", "'", "'\\", "b\"", "r#", "/*/"] {
            drop(lex(source));
        }
    }
}
