//! Reads the text of `gate(..)` and `require(..)`, by the grammar of the attribute.
//!
//! The macros read tokens of rustc, with a place for each, and run inside the compiler; a program
//! has a text. What they share is the grammar, not the code: a parser that serves both would need
//! to be a published crate of its own, which each of them depends on, and would cost the macros the
//! exact places of their errors. So there are two, and a test (`tests/tests/rule_grammar.rs`) holds
//! them to each other: every rule of its table and every rule of the macros' own error tests goes
//! through both, and must come to the same rule, or to the same message at the same place.
//!
//! Two things differ, as a program has names of evaluators where an attribute has paths: a name that is
//! not a Rust path is written in quotes, `mean("at most 80") >= 0.9`, and of a path that is not a name
//! the last part counts.

use super::against::against;
use super::lexer::{Kind, Token, tokens};
use super::reader::{Read, Reader, hint, min_n, slice};
use super::written::{
    AGAINST, Asks, At, Gated, Limit, MEASURES, NOT_REQUIRED, Name, OF_CALLS, Required, RuleError,
};
use super::{Measure, Mode};

/// Reads the rules of a gate, with commas between them.
///
/// # Errors
/// The first mistake.
pub(crate) fn gates(text: &str) -> Result<Vec<Gated>, RuleError> {
    list(text, gate)
}

/// Reads the entries of `require(..)`, with commas between them.
///
/// # Errors
/// The first mistake.
pub(crate) fn requirements(text: &str) -> Result<Vec<Required>, RuleError> {
    list(text, require)
}

fn list<T>(
    text: &str,
    one: impl Fn(&mut Reader<'_>) -> Result<T, RuleError>,
) -> Result<Vec<T>, RuleError> {
    let error = |(column, message): (usize, String)| {
        let found = text.chars().skip(column - 1).collect();
        RuleError { text: text.to_owned(), column, found, message }
    };
    let tokens = tokens(text).map_err(error)?;
    let mut reader = Reader::new(text, &tokens);
    if reader.is_end() {
        return reader.fail(&reader.here(), "the rule is empty: write `mean(correct) >= 0.9`");
    }
    let mut entries = Vec::new();
    while !reader.is_end() {
        entries.push(one(&mut reader)?);
        if !reader.is_end() && !reader.takes(",") {
            return reader.fail(&reader.rest(), "expected `,`");
        }
    }
    Ok(entries)
}

fn require(reader: &mut Reader<'_>) -> Read<Required> {
    let evaluator = reader.name("an evaluator")?;
    if reader.is("(") {
        return reader.fail(
            &evaluator.at,
            "`require` looks at every attempt, not at a measure of them: \
             write `require(evaluator)` or `require(evaluator >= 0.7)`, or move the rule to `gate(..)`",
        );
    }
    let text = evaluator.written.clone();
    if reader.is_done() {
        return Ok(Required { evaluator, limit: None, text });
    }
    let comparison = reader.comparison()?;
    let (limit, written) = reader.limit(&text, comparison)?;
    match limit.value {
        Limit::Number(value) => {
            let text = format!("{text} {} {written}", comparison.symbol());
            let limit = Some((comparison, At { value, at: limit.at }));
            Ok(Required { evaluator, limit, text })
        }
        Limit::Text(_) if OF_CALLS.contains(&&*evaluator.text) => {
            reader.fail(&evaluator.at, NOT_REQUIRED)
        }
        Limit::Text(_) => reader.fail(&limit.at, "the limit of an evaluator is a number"),
    }
}

fn gate(reader: &mut Reader<'_>) -> Read<Gated> {
    if matches!(reader.peek(0), Some(Token { kind: Kind::Number(..) | Kind::Text(_), .. })) {
        return reader.fail(&reader.rest(), "write the measure first: `mean(correct) >= 0.9`");
    }
    let head = reader.name("a measure")?;
    if let Some(name) = AGAINST.iter().find(|name| **name == head.text) {
        return against(name, &head, reader);
    }
    let mode = match &*head.text {
        "confident" => Mode::Confident,
        "not_worse" => Mode::NotWorse,
        _ => return rule(head, reader),
    };
    let wrapper = &head.text;
    let example = format!("write the whole rule inside: `{wrapper}(mean(correct) >= 0.9)`");
    if !reader.takes("(") || reader.is(")") {
        return reader.fail(&head.at, example);
    }
    let inner = reader.name("a measure")?;
    if matches!(&*inner.text, "confident" | "not_worse") {
        return reader.fail(&inner.at, "`confident` and `not_worse` cannot be combined");
    }
    if AGAINST.contains(&&*inner.text) {
        let name = &inner.text;
        let message = format!("`{name}` is a test of its own: write it without `{wrapper}`");
        return reader.fail(&inner.at, message);
    }
    // The limit stands outside: `confident(mean(correct)) >= 0.9`.
    if reader.is("(") && closes_at_end(reader) {
        return reader.fail(&head.at, example);
    }
    let mut gated = rule(inner, reader)?;
    if !reader.is_done() {
        return reader.fail(&reader.rest(), "expected `)`");
    }
    if reader.is(",") {
        return reader.fail(&reader.here(), format!("`{wrapper}` holds one rule"));
    }
    if !reader.takes(")") {
        return reader.fail(&reader.here(), "expected `)`");
    }
    if let Asks::Limit { mode: inner, .. } = &mut gated.asks {
        *inner = mode;
    }
    gated.text = format!("{wrapper}({})", gated.text);
    gated.at = head.at;
    Ok(gated)
}

/// Returns whether the parentheses that open here close before those around them, with nothing between.
fn closes_at_end(reader: &Reader<'_>) -> bool {
    let (mut ahead, mut depth) = (0, 0_usize);
    while let Some(token) = reader.peek(ahead) {
        ahead += 1;
        match &*token.text {
            "(" => depth += 1,
            ")" if depth == 1 => return reader.is_ahead(ahead, ")"),
            ")" => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Reads `measure(..) >= limit`, after its first name.
fn rule(head: Name, reader: &mut Reader<'_>) -> Read<Gated> {
    let name = head.text.clone();
    let is_errors = name == "error_rate";
    let known = MEASURES.iter().find(|(known, _)| *known == name).map(|(_, measure)| *measure);
    let known = known.or(is_errors.then_some(Measure::ErrorRate));
    let mut subject = Subject::default();
    if reader.is("(") {
        if known.is_none() {
            let names = MEASURES.iter().map(|(name, _)| *name).chain(["error_rate"]);
            let names: Vec<&str> = names.chain(AGAINST).collect();
            let hint = hint(&name, &names, "measures");
            return reader.fail(&head.at, format!("unknown measure `{name}`; {hint}"));
        }
        subject = Subject::read(&head, is_errors, reader)?;
    }
    let Some(measure) = known else {
        let example = match &*name {
            "latency" => "`p95(latency) <= \"2s\"`".to_owned(),
            _ => format!("`mean({name}) >= 0.9`"),
        };
        return reader.fail(&head.at, format!("a rule needs a measure: {example}"));
    };
    if subject.of.is_none() && !is_errors {
        return reader.fail(&head.at, of_what(&name));
    }
    let mut text = name;
    let inside: Vec<String> = (subject.of.iter().map(|of| of.written.clone()))
        .chain(subject.slice.iter().map(|(_, written)| format!("slice = {written}")))
        .chain(subject.min_n.iter().map(|min_n| format!("min_n = {min_n}")))
        .collect();
    if !inside.is_empty() {
        text = format!("{text}({})", inside.join(", "));
    }
    if reader.is_done() {
        return reader.fail(&head.at, format!("this rule needs a limit: `{text} >= ..`"));
    }
    let comparison = reader.comparison()?;
    let (limit, written) = reader.limit(&text, comparison)?;
    let text = format!("{text} {} {written}", comparison.symbol());
    let Subject { of, slice, min_n } = subject;
    let (mode, at) = (Mode::Point, head.at.clone());
    Ok(Gated {
        slice: slice.map(|(slice, _)| slice),
        min_n: min_n.unwrap_or(0),
        asks: Asks::Limit { mode, measure, at, of, comparison, limit },
        at: head.at,
        text,
    })
}

fn of_what(measure: &str) -> String {
    format!("`{measure}` of what? write `{measure}(correct) >= 0.9`")
}

/// The contents of the parentheses of a measure.
#[derive(Default)]
struct Subject {
    of: Option<Name>,
    /// Its value, and as it is written.
    slice: Option<(String, String)>,
    min_n: Option<u32>,
}

impl Subject {
    /// Reads `(subject, slice = "key:value", min_n = 20)`.
    fn read(measure: &Name, is_errors: bool, reader: &mut Reader<'_>) -> Read<Self> {
        reader.takes("(");
        let mut subject = Self::default();
        if !reader.is(")") && !reader.is_setting() {
            let name = reader.name("an evaluator")?;
            if is_errors {
                return reader.fail(
                    &name.at,
                    "`error_rate` is that of the whole experiment: write `error_rate <= 0.05`, or `error_rate(slice = \"key:value\") <= 0.05`",
                );
            }
            subject.of = Some(name);
            if !reader.is_done() {
                return reader.fail(&reader.here(), "expected `,` or `)`");
            }
            reader.takes(",");
        }
        if subject.of.is_none() && !is_errors {
            return reader.fail(&measure.at, of_what(&measure.text));
        }
        if reader.is(")") && subject.of.is_none() {
            let message = "leave out the empty parentheses: `error_rate <= 0.05`";
            return reader.fail(&measure.at, message);
        }
        while !reader.is_end() && !reader.is(")") {
            if !reader.is_setting() {
                let message = "expected `slice = \"key:value\"` or `min_n = 20`";
                return reader.fail(&reader.rest(), message);
            }
            subject.setting(reader)?;
            if !reader.is_done() {
                return reader.fail(&reader.rest(), "expected `,` or `)`");
            }
            reader.takes(",");
        }
        if !reader.takes(")") {
            return reader.fail(&reader.here(), "expected `)`");
        }
        Ok(subject)
    }

    fn setting(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        let key = reader.name("a setting")?;
        reader.takes("=");
        let given = match &*key.text {
            "slice" => self.slice.is_some(),
            "min_n" => self.min_n.is_some(),
            name => {
                let hint = match name {
                    "n" | "min" | "at_least" | "min_cases" | "min_samples" => {
                        "did you mean `min_n`?".to_owned()
                    }
                    _ => hint(name, &["slice", "min_n"], "settings"),
                };
                let message = format!("a measure has no setting `{name}`; {hint}");
                return reader.fail(&key.at, message);
            }
        };
        if given {
            return reader.fail(&key.at, format!("`{}` is given twice", key.text));
        }
        if key.text == "slice" {
            self.slice = Some(slice(reader)?);
        } else {
            self.min_n = Some(min_n(&key, reader)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"confident(mean(checks::correct, slice = "a:\"b\"", min_n = 2) >= -0.9),
        p95(latency) <= "2s", no_regression("at most é", margin = 0.02, confirm = 2)"#;

    /// Every text that is a rule with a part left out, or with one character too many.
    fn damaged() -> Vec<String> {
        let chars: Vec<char> = RULES.chars().collect();
        let mut texts = Vec::new();
        for at in 0..chars.len() {
            let (before, after) = (&chars[..at], &chars[at..]);
            texts.push(before.iter().collect());
            texts.push(after.iter().collect());
            texts.push(before.iter().chain(&after[1..]).collect());
            for odd in ['(', ')', '"', ',', '=', '<', '%', '1', 'é', '\\'] {
                texts.push(before.iter().chain([&odd]).chain(after).collect());
            }
        }
        texts
    }

    #[test]
    fn any_text_is_read_or_has_an_error_with_a_place() {
        assert_eq!(gates(RULES).map(|rules| rules.len()), Ok(3));
        for text in damaged() {
            let errors = [gates(&text).err(), requirements(&text).err()];
            for error in errors.into_iter().flatten() {
                let end = text.chars().count() + 1;
                assert!((1..=end).contains(&error.column), "{error:?}");
                let rest: String = text.chars().skip(error.column - 1).collect();
                assert!(rest.starts_with(&error.found), "{error:?}");
                assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn a_rule_is_written_as_the_macros_write_it() {
        let texts: Vec<String> = gates(RULES).unwrap().into_iter().map(|rule| rule.text).collect();
        assert_eq!(
            texts,
            [
                r#"confident(mean(checks::correct, slice = "a:\"b\"", min_n = 2) >= -0.9)"#,
                "p95(latency) <= \"2s\"",
                "no_regression(\"at most é\", margin = 0.02, confirm = 2)",
            ]
        );
    }
}
