//! Writes the data for the page's script: one JSON value, as small as possible.
//!
//! Fields with the usual value are left out, so that each of a thousand cases takes a few hundred bytes.
//! Names are short for the same reason; `report.js` maps them to long ones.

use serde_json::{Map, Value, json};

use super::escape::push_json;
use super::limits;
use crate::journal::{AttemptRecord, CaseState, ScoreRecord};
use crate::outcome::{Case, CaseScore, Change, Document, Evaluated, Experiment};
use crate::score::{Comparison, Direction, ScoreValue};

/// Adds everything that the script needs of a document, except spans. Writes case by case, since a value
/// of all cases would take many times the memory of its text.
pub(super) fn push(to: &mut Vec<u8>, document: &Document<'_>, longest: usize) {
    to.extend_from_slice(b"{\"x\":[");
    for (at, one) in document.experiments.iter().enumerate() {
        separate(to, at);
        push_json(to, &experiment(one));
        // The cases become its last field.
        to.pop();
        to.extend_from_slice(b",\"c\":[");
        for (at, each) in one.cases.iter().enumerate() {
            separate(to, at);
            push_json(to, &case(each, at, one, longest));
        }
        to.extend_from_slice(b"]}");
    }
    to.extend_from_slice(b"]}");
}

fn separate(to: &mut Vec<u8>, at: usize) {
    if at > 0 {
        to.push(b',');
    }
}

/// Returns the data of an experiment without its cases.
fn experiment(experiment: &Experiment<'_>) -> Value {
    let evaluators: Vec<Value> =
        experiment.figures.evaluators.iter().map(|row| evaluator(row, &experiment.cases)).collect();
    let rerun = experiment.cases.first().and_then(|case| case.rerun.strip_suffix(&case.test));
    json!({
        "n": experiment.name,
        "r": rerun.unwrap_or_default(),
        "b": experiment.compared.as_ref().map(|compared| compared.label.as_str()),
        "k": experiment.record.repeats,
        "e": evaluators,
    })
}

fn evaluator(row: &Evaluated<'_>, cases: &[Case<'_>]) -> Value {
    let minimize = match row.limit {
        Some((comparison, _)) => comparison == Comparison::AtMost,
        None => row.record.direction == Direction::Minimize,
    };
    json!({
        "n": row.record.name,
        "l": row.limit.map(|(_, limit)| limit),
        "m": minimize,
        "b": all_are_bools(row, cases),
    })
}

/// A JSON object whose fields are set only where their value is not the usual one.
#[derive(Default)]
struct Sparse(Map<String, Value>);

impl Sparse {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn set_if(&mut self, says: bool, name: &str, value: impl Into<Value>) {
        if says {
            self.set(name, value);
        }
    }
}

fn case(case: &Case<'_>, at: usize, experiment: &Experiment<'_>, longest: usize) -> Value {
    let mut to = Sparse::default();
    to.set("i", case.id);
    to.set_if(case.row != at, "n", case.row);
    let test = case.test.strip_prefix(experiment.name).and_then(|test| test.strip_prefix("::"));
    to.set_if(test != Some(case.id), "t", case.test.as_str());
    to.set_if(case.state != CaseState::Pass, "s", case.state.index());
    to.set_if(case.passed && case.state != CaseState::Pass, "g", 1);
    to.set_if(case.flaky, "f", 1);
    to.set_if(missed_before(case), "p", 1);
    to.set_if(needs_attention(case), "u", if lost(case) { 2 } else { 1 });
    let reasons: Vec<String> =
        case.reasons.iter().map(|reason| limits::text(reason, longest.min(4096))).collect();
    to.set_if(!reasons.is_empty(), "w", reasons);
    match case.change {
        Some(Change::Fixed) => to.set("d", 1),
        Some(Change::Regressed) => to.set("d", 2),
        Some(Change::Added) => to.set("d", 3),
        Some(Change::Same | Change::Incomparable) | None => {}
    }
    if let Some(first) = case.attempts.first() {
        to.set("in", limits::map(&first.inputs, longest));
        if let Some(truth) = &first.ground_truth {
            to.set("x", limits::value(truth, longest));
        }
        to.set_if(!first.tags.is_empty(), "tg", first.tags.clone());
        to.set_if(!first.metadata.is_empty(), "md", limits::map(&first.metadata, longest));
        let history: Vec<Value> =
            first.history.iter().map(|turn| limits::value(turn, longest)).collect();
        to.set_if(!history.is_empty(), "h", history);
    }
    if let Some(before) = case.output_before {
        to.set("o", limits::value(before, longest));
        to.set_if(changed_output(case), "oc", 1);
    }
    to.set("v", case.scores.iter().map(score).collect::<Vec<Value>>());
    let attempts = case.attempts.iter().enumerate();
    let attempts: Vec<Value> = attempts
        .map(|(index, one)| attempt(case, &experiment.figures.evaluators, index, one, longest))
        .collect();
    to.set("a", attempts);
    Value::Object(to.0)
}

/// Returns whether a case needs attention: it is bad, or [`lost`] a yes. A number that became a little
/// worse and is still good enough does not count.
pub(super) fn needs_attention(case: &Case<'_>) -> bool {
    case.is_bad() || lost(case)
}

/// Returns whether a case is bad, and missed in the other run, too.
pub(super) fn missed_before(case: &Case<'_>) -> bool {
    case.is_bad() && case.missed_before == Some(true)
}

/// Returns whether a yes became a no, or became rarer among the attempts.
pub(super) fn lost(case: &Case<'_>) -> bool {
    let worse = |score: &CaseScore| is_bool(score) && score.gain.is_some_and(|gain| gain < 0.0);
    case.change == Some(Change::Regressed) && case.scores.iter().any(worse)
}

/// Returns whether all scores of a case's attempts are yes or no.
pub(super) fn is_bool(score: &CaseScore) -> bool {
    let values = || score.attempts.iter().filter_map(|attempt| attempt.value);
    values().next().is_some() && values().all(|value| matches!(value, ScoreValue::Bool(_)))
}

/// Returns whether all scores of an evaluator are yes or no.
pub(super) fn all_are_bools(row: &Evaluated<'_>, cases: &[Case<'_>]) -> bool {
    let scores = || cases.iter().filter_map(|case| case.scores.get(row.index));
    let mut scored = scores().filter(|score| score.value().is_some()).peekable();
    scored.peek().is_some() && scored.all(is_bool)
}

/// Returns whether the output differs from that of the other run, where that is known.
pub(super) fn changed_output(case: &Case<'_>) -> bool {
    let now = case.attempts.iter().find_map(|attempt| attempt.output.as_ref());
    case.output_before.is_some() && now != case.output_before
}

/// Returns a good score without an earlier one as a number; otherwise the number, whether it is bad, and
/// the number before with the gain. A missing score is `"!"`.
fn score(score: &CaseScore) -> Value {
    let bad = score.good() == Some(false);
    match (score.value(), score.before) {
        (None, _) => json!(if score.is_missing() { Value::from("!") } else { Value::Null }),
        (Some(value), None) if !bad => short(value),
        (Some(value), None) => json!([short(value), 1]),
        (Some(value), Some(before)) => {
            json!([short(value), u8::from(bad), short(before), short(score.gain.unwrap_or(0.0))])
        }
    }
}

/// Returns a number rounded to six decimals; one below 0.001 keeps all digits.
fn short(value: f64) -> Value {
    let rounded = format!("{value:.6}").parse().unwrap_or(value);
    if value != 0.0 && value.abs() < 1e-3 {
        return Value::from(value);
    }
    // A whole number without `.0`.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if f64::fract(rounded).abs() == 0.0 && f64::abs(rounded) < 1e15 {
        return Value::from(rounded as i64);
    }
    Value::from(rounded)
}

fn attempt(
    case: &Case<'_>,
    rows: &[Evaluated<'_>],
    index: usize,
    attempt: &AttemptRecord,
    longest: usize,
) -> Value {
    let mut to = Sparse::default();
    if let Some(output) = &attempt.output {
        to.set("o", limits::value(output, longest));
    }
    if let Some(error) = &attempt.error {
        to.set("e", json!([error.kind.name(), limits::text(&error.message, longest)]));
    }
    to.set("d", short(attempt.duration_ms));
    to.set_if(attempt.tries > 1, "n", attempt.tries);
    // With one attempt, its scores are those of the case.
    let several = case.attempts.len() > 1;
    let scores: Vec<Value> = rows
        .iter()
        .zip(&case.scores)
        .map(|(row, score)| {
            let name = &row.record.name;
            let record = attempt.scores.iter().find(|record| &record.evaluator == name);
            let own = score.attempts.get(index);
            let value = own.filter(|_| several).and_then(|own| own.value).map(ScoreValue::as_f64);
            let bad = own.is_some_and(|own| several && own.good == Some(false));
            details(record, value, bad, longest)
        })
        .collect();
    to.set_if(scores.iter().any(|score| !score.is_null()), "v", scores);
    Value::Object(to.0)
}

/// Returns the details of an attempt's score, which the case's score does not have; null without any.
fn details(record: Option<&ScoreRecord>, value: Option<f64>, bad: bool, longest: usize) -> Value {
    let mut to = Sparse::default();
    if let Some(value) = value {
        to.set("v", short(value));
        to.set_if(bad, "b", 1);
    }
    if let Some(record) = record {
        let text = |text: &Option<String>| text.as_ref().map(|text| limits::text(text, longest));
        to.set_if(record.label.is_some(), "l", text(&record.label));
        to.set_if(record.explanation.is_some(), "x", text(&record.explanation));
        if let Some(error) = &record.error {
            to.set("e", limits::text(&error.message, longest));
        }
        to.set_if(!record.metadata.is_empty(), "m", limits::map(&record.metadata, longest));
    }
    if to.0.is_empty() { Value::Null } else { Value::Object(to.0) }
}
