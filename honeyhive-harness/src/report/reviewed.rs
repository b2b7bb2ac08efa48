//! Renders one case for the person who reviews it.

use serde_json::Value;

use super::lines::wrapped;
use super::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::journal::CaseState;
use crate::outcome::{Reviewed, ReviewedOutput, ReviewedScore};
use crate::text::{count, number, one_line};

/// The most lines of a text that are shown.
const LINES: usize = 40;

pub(super) fn render(card: &Reviewed, at: usize, of: usize) -> String {
    let (word, style) = match card.state {
        CaseState::Pass => ("pass", GREEN),
        CaseState::Fail => ("fail", RED),
        CaseState::Error => ("error", RED),
        CaseState::Unscored => ("unscored", YELLOW),
        CaseState::Skipped => ("not run", YELLOW),
    };
    let mut text = format!(
        "{DIM}{at}/{of}{DIM:#} {BOLD}{}{BOLD:#}  {style}{word}{style:#}\n",
        one_line(&card.test, 60)
    );
    for reason in &card.reasons {
        wrapped(&mut text, &one_line(reason, 400), 4);
    }
    for score in &card.scores {
        text.push_str(&score_line(score));
    }
    let inputs = match &card.inputs {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.as_str(), shown(value))).collect()
        }
        other => vec![("input", shown(other))],
    };
    for (name, value) in inputs {
        block(&mut text, name, &value);
    }
    if let Some(expected) = &card.expected {
        block(&mut text, "expected", &shown(expected));
    }
    let mut before: Option<String> = None;
    for (at, output) in card.outputs.iter().enumerate() {
        let (name, value) = match output {
            ReviewedOutput::Output(output) => ("output", shown(output)),
            ReviewedOutput::Error(error) => ("error", error.clone()),
        };
        let name =
            if card.outputs.len() > 1 { format!("{name} {}", at + 1) } else { name.to_owned() };
        if before.as_ref() == Some(&value) {
            text.push_str(&format!("  {DIM}{name}{DIM:#}  the same\n"));
        } else {
            block(&mut text, &name, &value);
        }
        before = Some(value);
    }
    for (evaluator, explanation) in &card.explanations {
        block(&mut text, evaluator, explanation);
    }
    text.push('\n');
    text
}

/// Returns a score beside that of the baseline: `correct 0.333 (1 of 3), 1 in the baseline`.
fn score_line(score: &ReviewedScore) -> String {
    let counts = match score.good {
        Some(good) if score.attempts > 1 => format!(" ({good} of {})", score.attempts),
        _ => String::new(),
    };
    let gain = score.gain();
    let style = if gain < -1e-12 {
        RED
    } else if gain > 1e-12 {
        GREEN
    } else {
        DIM
    };
    let before = match score.before {
        Some(before) => format!(", {style}{} in the baseline{style:#}", number(before)),
        None => String::new(),
    };
    format!("  {} {}{counts}{before}\n", one_line(&score.evaluator, 40), number(score.score))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// Adds a name and a text of several lines below it; control characters are made visible.
fn block(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("  {DIM}{}{DIM:#}\n", one_line(name, 70)));
    let lines: Vec<&str> = value.lines().collect();
    for line in lines.iter().take(LINES) {
        let own = line.trim_start_matches(' ');
        let indent = (line.len() - own.len()).min(20);
        wrapped(text, &one_line(own, 2000), 4 + indent);
    }
    if lines.len() > LINES {
        text.push_str(&format!(
            "    {DIM}… and {}{DIM:#}\n",
            count(lines.len() - LINES, "more line")
        ));
    }
}
