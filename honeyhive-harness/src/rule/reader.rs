//! Reads the parts that rules are made of: names, numbers, comparisons, limits.

use super::lexer::{Kind, Token};
use super::written::{At, Limit, Name, Place, RuleError};
use crate::score::Comparison;
use crate::text::closest;

/// The tokens of a text, and the place of the next one among them.
pub(super) struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

pub(super) type Read<T> = Result<T, RuleError>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens, at: 0 }
    }

    /// Takes the next token.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    pub(super) fn is_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Returns whether the next token is this mark.
    pub(super) fn is(&self, mark: &str) -> bool {
        self.is_ahead(0, mark)
    }

    pub(super) fn is_ahead(&self, ahead: usize, mark: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.kind == Kind::Mark && token.text == mark)
    }

    /// Returns whether this entry, or the text in parentheses, is at its end.
    pub(super) fn is_done(&self) -> bool {
        self.is_end() || self.is(",") || self.is(")")
    }

    pub(super) fn takes(&mut self, mark: &str) -> bool {
        let is_next = self.is(mark);
        self.at += usize::from(is_next);
        is_next
    }

    /// Returns the place of the next token.
    pub(super) fn here(&self) -> Place {
        match self.peek(0) {
            Some(token) => Place { column: token.column, found: token.text.clone() },
            None => Place { column: self.text.chars().count() + 1, found: String::new() },
        }
    }

    /// Returns the place of the rest of this entry, up to a comma or the closing parenthesis.
    pub(super) fn rest(&self) -> Place {
        let (mut ahead, mut depth) = (0, 0_usize);
        while let Some(token) = self.peek(ahead) {
            match &*token.text {
                "," | ")" if depth == 0 => break,
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            ahead += 1;
        }
        self.next(ahead)
    }

    /// Returns the place of this many of the next tokens, as they are written.
    fn next(&self, tokens: usize) -> Place {
        let here = self.here();
        let Some(last) = tokens.checked_sub(1).and_then(|last| self.peek(last)) else {
            return here;
        };
        let length = last.column + last.text.chars().count() - here.column;
        let found = self.text.chars().skip(here.column - 1).take(length).collect();
        Place { found, ..here }
    }

    pub(super) fn fail<T>(&self, place: &Place, message: impl Into<String>) -> Read<T> {
        Err(RuleError {
            text: self.text.to_owned(),
            column: place.column,
            found: place.found.clone(),
            message: message.into(),
        })
    }

    /// Reads a path, or a name in quotes.
    pub(super) fn name(&mut self, what: &str) -> Read<Name> {
        let at = self.here();
        if let Some(Token { kind: Kind::Text(text), text: written, .. }) = self.peek(0).cloned() {
            self.at += 1;
            return Ok(Name { text, written, at });
        }
        let mut text = String::new();
        if self.takes("::") {
            text.push_str("::");
        }
        loop {
            let Some(Token { kind: Kind::Name(name), .. }) = self.peek(0) else {
                let found = if text.is_empty() { at } else { self.here() };
                return self.fail(&found, format!("expected the path of {what}"));
            };
            text.push_str(name);
            self.at += 1;
            if !self.takes("::") {
                break;
            }
            text.push_str("::");
        }
        if self.is("<") && !matches!(self.peek(1).map(|t| &t.kind), Some(Kind::Number(..))) {
            return self.fail(&self.here(), format!("{what} takes no generic arguments"));
        }
        let end = self.tokens[self.at - 1].column + self.tokens[self.at - 1].text.chars().count();
        let found = self.text.chars().skip(at.column - 1).take(end - at.column).collect();
        Ok(Name { written: text.clone(), text, at: Place { found, ..at } })
    }

    /// Returns whether the next tokens begin a setting: `name = value`.
    pub(super) fn is_setting(&self) -> bool {
        matches!(self.peek(0), Some(Token { kind: Kind::Name(_), .. })) && self.is_ahead(1, "=")
    }

    /// Reads `0.7`, `3` or `-1.5`, with its text; `None` where there is something else.
    pub(super) fn number(&mut self) -> Read<Option<(At<f64>, String)>> {
        let minus = self.is("-");
        let Some(Token { kind: Kind::Number(value, _), text, .. }) = self.peek(usize::from(minus))
        else {
            return Ok(None);
        };
        let (value, sign) = if minus { (-value, "-") } else { (*value, "") };
        let text = format!("{sign}{text}");
        let at = self.next(1 + usize::from(minus));
        self.at += 1 + usize::from(minus);
        if !value.is_finite() {
            return self.fail(&at, "this number is too large");
        }
        Ok(Some((At { value, at }, text)))
    }

    /// Reads a whole number from 1.
    pub(super) fn count(&mut self, key: &Place, usage: &str) -> Read<u32> {
        match self.peek(0).map(|token| (&token.kind, token.text.replace('_', ""))) {
            Some((Kind::Number(_, true), text)) => match text.parse::<u32>() {
                Ok(number) if number > 0 => {
                    self.at += 1;
                    Ok(number)
                }
                _ => self.fail(&self.here(), usage),
            },
            _ if self.is_done() => self.fail(key, usage),
            _ => self.fail(&self.rest(), usage),
        }
    }

    pub(super) fn comparison(&mut self) -> Read<Comparison> {
        if self.takes(">=") {
            return Ok(Comparison::AtLeast);
        }
        if self.takes("<=") {
            return Ok(Comparison::AtMost);
        }
        let mut shown = String::new();
        let mut ahead = 0;
        while let Some(token) = self.peek(ahead)
            && token.kind == Kind::Mark
            && !matches!(&*token.text, "," | "-" | "(" | ")")
        {
            shown.push_str(&token.text);
            ahead += 1;
        }
        if shown.is_empty() {
            return self.fail(&self.here(), "expected `>=` or `<=`");
        }
        let place = self.next(ahead);
        let right = match &*shown {
            ">" | "=>" => ">=",
            "<" | "=<" => "<=",
            _ => return self.fail(&place, format!("expected `>=` or `<=`, not `{shown}`")),
        };
        self.fail(&place, format!("write `{right}`, not `{shown}`: a value on the limit holds"))
    }

    /// Reads the value on the right of a comparison, with its text.
    pub(super) fn limit(
        &mut self,
        left: &str,
        comparison: Comparison,
    ) -> Read<(At<Limit>, String)> {
        if let Some((number, text)) = self.number()? {
            if self.is("%") {
                return self.fail(&self.rest(), "write the share as a number: `0.9` for 90 %");
            }
            return Ok((At { value: Limit::Number(number.value), at: number.at }, text));
        }
        if let Some(Token { kind: Kind::Text(value), text, .. }) = self.peek(0).cloned() {
            let at = self.here();
            self.at += 1;
            return Ok((At { value: Limit::Text(value), at }, text));
        }
        let example = format!("{left} {} 0.9", comparison.symbol());
        if self.is_done() {
            return self.fail(&self.here(), format!("this rule needs a limit: `{example}`"));
        }
        self.fail(&self.rest(), format!("a limit is a number: `{example}`"))
    }
}

/// Returns the hint after "unknown ..": the nearest candidate, or else all of them.
pub(crate) fn hint(name: &str, candidates: &[&str], plural: &str) -> String {
    match closest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the {plural} are {}", quoted(candidates)),
    }
}

/// Returns names in backquotes, with commas.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Reads the number of `min_n = 20`.
pub(super) fn min_n(key: &Name, reader: &mut Reader<'_>) -> Read<u32> {
    const USAGE: &str =
        "`min_n` is a whole number from 1: how many scores the rule asks for, `min_n = 20`";
    reader.count(&key.at, USAGE)
}

/// Reads the string of `slice = "key:value"`: its value, and as it is written.
pub(super) fn slice(reader: &mut Reader<'_>) -> Read<(String, String)> {
    let Some(Token { kind: Kind::Text(value), text, .. }) = reader.peek(0).cloned() else {
        return reader.fail(&reader.rest(), "a slice is a string: `slice = \"key:value\"`");
    };
    if value.trim().is_empty() {
        let message = "the slice is empty: write `slice = \"key:value\"`, or a tag";
        return reader.fail(&reader.here(), message);
    }
    reader.skip();
    Ok((value, text))
}
