//! Formats tokens as a person would write them, and hashes them.
//!
//! `TokenStream::to_string` puts spaces where people do not, and differently in each version of
//! rustc; records and error texts show types, rules and settings, and a change of formatting must
//! not look like a change of code.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

/// The operators of more than one character, as far as they matter for spacing (`>>` closes two
/// generics).
const LONG: &[&str] = &[
    "::", "->", "=>", "==", "!=", ">=", "<=", "&&", "||", "..", "..=", "...", "+=", "-=", "*=",
    "/=",
];

/// Formats a type or a path on one line: every `<` opens generic arguments.
pub(crate) fn of_type(tokens: impl ToTokens) -> String {
    Printer::default().print(tokens.to_token_stream(), true)
}

/// Formats an expression on one line: a `<` compares, unless it follows `::`.
pub(crate) fn of_expr(tokens: impl ToTokens) -> String {
    Printer::default().print(tokens.to_token_stream(), false)
}

/// Returns the name of an identifier without `r#`: `r#type` is `type`.
pub(crate) fn unraw(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

#[derive(PartialEq)]
enum Lexeme {
    Word(String),
    Operator(String),
    Open(char),
    Close(char),
}

struct Printer {
    out: String,
    /// Set when the next lexeme follows without a space.
    glued: bool,
    /// Set when an operator that comes next stands before its operand: `-3`, `&x`.
    prefix: bool,
    /// The number of open angle brackets.
    angles: usize,
    /// Set between the bars of a closure's parameters.
    bars: bool,
}

impl Default for Printer {
    fn default() -> Self {
        Self { out: String::new(), glued: true, prefix: true, angles: 0, bars: false }
    }
}

impl Printer {
    fn print(mut self, tokens: TokenStream, is_type: bool) -> String {
        let mut lexemes = Vec::new();
        flatten(tokens, &mut lexemes);
        for (i, lexeme) in lexemes.iter().enumerate() {
            match lexeme {
                // A lifetime stands before another lexeme, like an operator.
                Lexeme::Word(word) => self.put(word, self.glued, false, word.starts_with('\'')),
                Lexeme::Open('{') => self.put("{", self.glued, false, true),
                Lexeme::Open(open) => {
                    self.put(&open.to_string(), self.glued || !self.prefix, true, true);
                }
                Lexeme::Close('}') => self.put("}", false, false, false),
                Lexeme::Close(close) => self.put(&close.to_string(), true, false, false),
                Lexeme::Operator(operator) => {
                    let after_path = i > 0 && lexemes[i - 1] == Lexeme::Operator("::".to_owned());
                    let before_group = matches!(lexemes.get(i + 1), Some(Lexeme::Open(_)));
                    self.operator(operator, is_type || after_path, before_group);
                }
            }
        }
        self.out
    }

    fn operator(&mut self, operator: &str, opens_generics: bool, before_group: bool) {
        match operator {
            "," | ";" | ":" => self.put(operator, true, false, true),
            "?" => self.put(operator, true, false, false),
            "." | ".." | "..=" => self.put(operator, true, true, true),
            "::" => self.put(operator, self.glued || !self.prefix, true, false),
            "!" if before_group && !self.prefix => self.put(operator, true, true, false),
            "<" if opens_generics => {
                self.angles += 1;
                self.put(operator, self.glued || !self.prefix, true, true);
            }
            ">" if self.angles > 0 => {
                self.angles -= 1;
                self.put(operator, true, false, false);
            }
            "|" if self.bars => {
                self.bars = false;
                self.put(operator, true, false, true);
            }
            "|" if self.prefix => {
                self.bars = true;
                self.put(operator, self.glued, true, true);
            }
            "||" if self.prefix => self.put(operator, self.glued, false, true),
            _ if self.prefix => self.put(operator, self.glued, true, true),
            _ => self.put(operator, false, false, true),
        }
    }

    fn put(&mut self, text: &str, attached: bool, glues: bool, prefix: bool) {
        if !attached && !self.out.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(text);
        (self.glued, self.prefix) = (glues, prefix);
    }
}

fn flatten(tokens: TokenStream, out: &mut Vec<Lexeme>) {
    let mut operator = String::new();
    for tree in tokens {
        if let TokenTree::Punct(punct) = &tree {
            let longer = format!("{operator}{}", punct.as_char());
            if LONG.contains(&longer.as_str()) {
                operator = longer;
                continue;
            }
            flush(&mut operator, out);
            operator.push(punct.as_char());
            continue;
        }
        let lifetime = operator == "'";
        if !lifetime {
            flush(&mut operator, out);
        }
        match tree {
            TokenTree::Ident(ident) => {
                out.push(Lexeme::Word(format!("{}{ident}", std::mem::take(&mut operator))));
            }
            TokenTree::Group(group) => {
                let marks = match group.delimiter() {
                    Delimiter::Parenthesis => Some(('(', ')')),
                    Delimiter::Bracket => Some(('[', ']')),
                    Delimiter::Brace => Some(('{', '}')),
                    Delimiter::None => None,
                };
                out.extend(marks.map(|(open, _)| Lexeme::Open(open)));
                flatten(group.stream(), out);
                out.extend(marks.map(|(_, close)| Lexeme::Close(close)));
            }
            other => out.push(Lexeme::Word(other.to_string())),
        }
    }
    flush(&mut operator, out);
}

fn flush(operator: &mut String, out: &mut Vec<Lexeme>) {
    if !operator.is_empty() {
        out.push(Lexeme::Operator(std::mem::take(operator)));
    }
}

/// Returns a 64-bit FNV-1a hash of the tokens, without regard to white space and comments.
pub(crate) fn hash(tokens: impl ToTokens) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325;
    feed_all(tokens.to_token_stream(), &mut state);
    format!("{state:016x}")
}

fn feed_all(tokens: TokenStream, state: &mut u64) {
    for tree in tokens {
        if let TokenTree::Group(group) = tree {
            feed(&format!("{:?}", group.delimiter()), state);
            feed_all(group.stream(), state);
            feed("end", state);
        } else {
            feed(&tree.to_string(), state);
        }
    }
}

fn feed(text: &str, state: &mut u64) {
    for byte in text.bytes().chain([0]) {
        *state = (*state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn types_read_as_written() {
        for ty in [
            "&str",
            "Option<&[String]>",
            "Result<Vec<u8>, Box<dyn Error + Send>>",
            "&'a [u8; 4]",
            "std::collections::HashMap<String, Vec<u8>>",
            "fn(u8) -> bool",
            "(u8, ::core::primitive::str)",
            "Cow<'_, str>",
        ] {
            let tokens: TokenStream = ty.parse().unwrap();
            assert_eq!(of_type(tokens), ty);
        }
    }

    #[test]
    fn expressions_read_as_written() {
        for expr in [
            "-3",
            "\"x\"",
            "&[\"a\", \"b\"]",
            "Duration::from_secs(3)",
            "vec![1, 2]",
            "a + b * -2",
            "a < b",
            "Vec::<u8>::new()",
            "x.y(1)?",
            "0..=9",
            "!flag",
            "|a, b: &u8| a + b",
            "f(|| x || y)",
        ] {
            let tokens: TokenStream = expr.parse().unwrap();
            assert_eq!(of_expr(tokens), expr);
        }
    }

    #[test]
    fn the_hash_sees_code_and_not_formatting() {
        let spaced: TokenStream = "fn f ( a : u8 ) { a+1 }".parse().unwrap();
        assert_eq!(hash(spaced), hash(quote! { fn f(a: u8) { a + 1 } }));
        assert_ne!(hash(quote! { f(a) }), hash(quote! { f[a] }));
        assert_eq!(hash(quote! { f(a) }).len(), 16);
    }
}
