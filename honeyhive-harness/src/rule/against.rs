//! Reads rules that compare with the baseline: `no_regression(correct, margin = 0.02)`.

use super::parse::{min_n, slice};
use super::reader::{Read, Reader, hint, quoted};
use super::written::{Asks, At, Gated, Name};

/// Reads a rule that compares with the baseline, after its name.
pub(super) fn against(name: &'static str, head: &Name, reader: &mut Reader<'_>) -> Read<Gated> {
    let of_what = || format!("`{name}` of what? write `{name}(correct)`");
    if !reader.takes("(") || reader.is(")") || reader.is_setting() {
        return reader.fail(&head.at, of_what());
    }
    let evaluator = reader.name("an evaluator")?;
    if reader.is("(") {
        let message =
            format!("`{name}` looks at every case: name the evaluator, `{name}(correct)`");
        return reader.fail(&evaluator.at, message);
    }
    let mut rule = Compared { text: evaluator.written.clone(), ..Compared::default() };
    while reader.takes(",") {
        if reader.is(")") {
            break;
        }
        rule.setting(name, reader)?;
    }
    if !reader.takes(")") {
        return reader.fail(&reader.rest(), "expected `,` or `)`");
    }
    if !reader.is_done() {
        let message = format!(
            "`{name}` compares with the baseline and takes no limit; write `{name}({})`",
            rule.text
        );
        return reader.fail(&reader.rest(), message);
    }
    let Compared { margin, alpha, confirm, slice, min_n, coverage, text } = rule;
    Ok(Gated {
        slice,
        min_n: min_n.unwrap_or(0),
        asks: Asks::Against { name, evaluator, margin, alpha, confirm, coverage },
        at: head.at.clone(),
        text: format!("{name}({text})"),
    })
}

/// The settings of a rule that compares with the baseline.
#[derive(Default)]
struct Compared {
    margin: Option<At<f64>>,
    alpha: Option<f64>,
    confirm: Option<u32>,
    slice: Option<String>,
    min_n: Option<u32>,
    coverage: Option<f64>,
    text: String,
}

/// Returns the settings of a rule.
fn settings(rule: &str) -> &'static [&'static str] {
    match rule {
        "no_regression" => &["margin", "alpha", "slice", "confirm", "coverage", "min_n"],
        "no_worse_than" | "non_inferior" => &["margin", "alpha", "slice", "coverage", "min_n"],
        _ => &["alpha", "slice", "coverage", "min_n"],
    }
}

/// Returns how a number is written.
fn usage(setting: &str) -> &'static str {
    match setting {
        "margin" => "margin = 0.02",
        "coverage" => "coverage = 0.9",
        _ => "alpha = 0.05",
    }
}

impl Compared {
    /// Reads `margin = 0.02`, `alpha = 0.05`, `slice = "key:value"` and the like.
    fn setting(&mut self, rule: &str, reader: &mut Reader<'_>) -> Read<()> {
        let known = settings(rule);
        if !reader.is_setting() {
            let usage = usage(known[0]);
            let message = format!("settings have names: `{usage}`; they are {}", quoted(known));
            return reader.fail(&reader.rest(), message);
        }
        let key = reader.name("a setting")?;
        let name = &*key.text;
        if !known.contains(&name) {
            let hint = hint(name, known, "settings");
            return reader.fail(&key.at, format!("`{rule}` has no setting `{name}`; {hint}"));
        }
        let given = match name {
            "margin" => self.margin.is_some(),
            "alpha" => self.alpha.is_some(),
            "confirm" => self.confirm.is_some(),
            "min_n" => self.min_n.is_some(),
            "coverage" => self.coverage.is_some(),
            _ => self.slice.is_some(),
        };
        if given {
            return reader.fail(&key.at, format!("`{name}` is given twice"));
        }
        reader.takes("=");
        let written = match name {
            "slice" => {
                let (value, _) = slice(reader)?;
                let written = format!("{value:?}");
                self.slice = Some(value);
                written
            }
            "min_n" => {
                let least = min_n(&key, reader)?;
                self.min_n = Some(least);
                least.to_string()
            }
            "confirm" => {
                let usage = "`confirm` is a number of attempts from 1: `confirm = 2`";
                let attempts = reader.count(&key.at, usage)?;
                self.confirm = Some(attempts);
                attempts.to_string()
            }
            _ => self.number(&key, reader)?,
        };
        self.text.push_str(&format!(", {name} = {written}"));
        Ok(())
    }

    /// Reads the number of `margin`, `alpha` or `coverage`; returns it as written.
    fn number(&mut self, key: &Name, reader: &mut Reader<'_>) -> Read<String> {
        let name = &*key.text;
        let Some((number, written)) = reader.number()? else {
            let place = if reader.is_done() { key.at.clone() } else { reader.rest() };
            return reader.fail(&place, format!("`{name}` is a number: `{}`", usage(name)));
        };
        if reader.is("%") {
            let message = format!("write the share as a number: `{}`", usage(name));
            return reader.fail(&reader.rest(), message);
        }
        match name {
            "margin" if number.value < 0.0 => {
                return reader.fail(&number.at, "`margin` is at least 0");
            }
            "margin" => self.margin = Some(number),
            "coverage" if !(number.value > 0.0 && number.value <= 1.0) => {
                return reader.fail(
                    &number.at,
                    "`coverage` lies above 0 and is at most 1: the share of the cases that must be \
                     comparable with the baseline",
                );
            }
            "coverage" => self.coverage = Some(number.value),
            _ if !(number.value > 0.0 && number.value <= 0.5) => {
                return reader.fail(
                    &number.at,
                    "`alpha` lies above 0 and is at most 0.5: how often the rule may fail by chance",
                );
            }
            _ => self.alpha = Some(number.value),
        }
        Ok(written)
    }
}
