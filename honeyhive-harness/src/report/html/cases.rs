//! Renders the cases: a toolbar, and the table with those first that need attention.
//!
//! The script replaces the rows. The rows that are written here are those that it shows at first, and
//! the only ones without the script.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::escape::{cut, text};
use super::{data, sign};
use crate::journal::{AttemptRecord, CaseState};
use crate::outcome::{Case, CaseScore, Change, Evaluated, Experiment, shown};
use crate::text::{count, number, seconds, thousands};

/// The most rows that are written; the script shows as many at first.
const ROWS: usize = 100;

/// The most characters of a text in a cell. Three lines are fewer.
const CELL: usize = 240;

/// The most characters of a text below a case that failed.
const WHOLE: usize = 4_000;

/// The most inputs, reasons and explanations of a case that are written.
const MANY: usize = 8;

/// The most evaluators that have a column; the drawer has them all.
const COLUMNS: usize = 8;

pub(super) fn render(experiment: &Experiment<'_>, index: usize) -> String {
    if experiment.cases.is_empty() {
        return "<p>No case was run.</p>\n".to_owned();
    }
    let mut html = toolbar(experiment, index);
    let rows = &experiment.figures.evaluators[..experiment.figures.evaluators.len().min(COLUMNS)];
    let compared = experiment.compared.is_some();
    let _ = write!(
        html,
        "<div class=\"scroll\"><table class=\"cases\" id=\"cases{index}\" tabindex=\"-1\">\n\
         <caption class=\"away\">Cases of {}</caption>\n<thead><tr>",
        text(experiment.name)
    );
    html.push_str(&column("state", "State", ""));
    if compared {
        html.push_str(&column("change", "Δ", "change"));
    }
    for (key, name) in [("id", "Case"), ("in", "Input"), ("ex", "Expected"), ("out", "Output")] {
        html.push_str(&column(key, name, ""));
    }
    for row in rows {
        // A long name is broken only between its words.
        let name = text(&row.record.name).replace('_', "_<wbr>");
        html.push_str(&column(&format!("e{}", row.index), &name, ""));
    }
    html.push_str(&column("time", "Time", ""));
    html.push_str("</tr></thead>\n<tbody>\n");
    let shown = first(experiment);
    for case in shown.iter().take(ROWS) {
        html.push_str(&row(case, rows, compared));
    }
    html.push_str("</tbody></table></div>\n");
    let left = shown.len().saturating_sub(ROWS);
    if left > 0 {
        let _ = writeln!(
            html,
            "<noscript><p>{} more: they need JavaScript here, and are in the journal.</p>\
             </noscript>",
            count(left, "case")
        );
    }
    let _ = writeln!(
        html,
        "<p class=\"more\" hidden><button type=\"button\" data-more=\"{index}\"></button></p>"
    );
    html
}

/// Returns all cases, the most urgent first, in the order of the script, which also sorts by scores.
fn first<'a, 'b>(experiment: &'b Experiment<'a>) -> Vec<&'b Case<'a>> {
    let mut all: Vec<&Case<'a>> = experiment.cases.iter().collect();
    all.sort_by_key(|case| {
        let forgiven = case.passed && case.state != CaseState::Pass;
        let same = case.change != Some(Change::Regressed);
        let attention = !data::needs_attention(case);
        (
            !case.is_bad(),
            attention,
            forgiven,
            if case.is_bad() { case.novelty() } else { 0 },
            !data::lost(case),
            same,
            case.state == CaseState::Fail,
        )
    });
    all
}

fn toolbar(experiment: &Experiment<'_>, index: usize) -> String {
    let of = |wanted: &dyn Fn(&Case<'_>) -> bool| {
        experiment.cases.iter().filter(|case| wanted(case)).count()
    };
    let regressed = |case: &Case<'_>| case.change == Some(Change::Regressed);
    let mut filters = vec![
        ("attention", "Needs attention", of(&data::needs_attention)),
        ("all", "All", experiment.cases.len()),
        ("failed", "✘ Failed", of(&|case| case.state == CaseState::Fail && !case.is_miss())),
        (
            "errors",
            "! Errors",
            of(&|case| matches!(case.state, CaseState::Error | CaseState::Unscored)),
        ),
    ];
    if experiment.figures.counts.misses > 0 {
        filters.push(("misses", "– Misses", experiment.figures.counts.misses));
    }
    if experiment.compared.is_some() {
        filters.push(("regressed", "▼ Worse", of(&regressed)));
        filters.push(("fixed", "▲ Better", of(&|case| case.change == Some(Change::Fixed))));
    }
    if experiment.cases.iter().any(|case| case.output_before.is_some()) {
        filters.push(("changed", "Changed output", of(&data::changed_output)));
    }
    if experiment.cases.iter().any(|case| case.attempts.len() > 1) {
        filters.push(("flaky", "≈ Flaky", of(&|case| case.flaky)));
    }
    let mut html = format!(
        "<div class=\"toolbar\" role=\"search\" aria-label=\"Cases of {}\" hidden>\n\
         <input type=\"search\" id=\"q{index}\" placeholder=\"Search\" autocomplete=\"off\" \
         spellcheck=\"false\" aria-label=\"Search in ids, inputs, outputs and reasons\" \
         aria-keyshortcuts=\"/\">\n<div class=\"filters\" role=\"group\" aria-label=\"Show\">",
        text(experiment.name)
    );
    for (key, name, n) in filters {
        let _ = write!(
            html,
            "<button type=\"button\" data-f=\"{key}\" aria-pressed=\"false\">{name} \
             <small>{}</small></button>",
            thousands(n)
        );
    }
    html.push_str(
        "</div>\n<select class=\"slices\" aria-label=\"Tag or slice\" hidden></select>\n\
         <button type=\"button\" class=\"chip\" hidden></button>\n\
         <p class=\"shown\" aria-live=\"polite\"></p>\
         <button type=\"button\" class=\"clear\" hidden>Clear</button>\n</div>\n",
    );
    html
}

fn column(key: &str, name: &str, spoken: &str) -> String {
    let spoken =
        if spoken.is_empty() { String::new() } else { format!(" aria-label=\"{spoken}\"") };
    format!(
        "<th scope=\"col\" class=\"c-{}\" data-s=\"{key}\"><button type=\"button\" \
         disabled{spoken}>{name}</button></th>",
        if key.starts_with('e') && key != "ex" { "score" } else { key }
    )
}

fn row(case: &Case<'_>, rows: &[Evaluated<'_>], compared: bool) -> String {
    let name = if case.is_miss() { "miss" } else { case.state.name() };
    let sign = sign(name);
    let mut html = format!(
        "<tr><td class=\"c-state s-{name}\"><i aria-hidden=\"true\">{sign}</i> {name}{}</td>",
        if data::missed_before(case) { "<small>missed before</small>" } else { "" }
    );
    if compared {
        html.push_str(match case.change {
            Some(Change::Fixed) => "<td class=\"c-change s-pass\">▲<span> better</span></td>",
            Some(Change::Regressed) => "<td class=\"c-change s-fail\">▼<span> worse</span></td>",
            _ => "<td class=\"c-change\"></td>",
        });
    }
    let _ = write!(html, "<td class=\"c-id\"><b>{}</b>", cell(case.id));
    if let Some(reason) = case.reasons.first() {
        let _ = write!(html, "<small>{}</small>", cell(reason));
    }
    let attempt = case.worst_attempt();
    if case.is_bad() {
        html.push_str(&more(case, attempt));
    }
    html.push_str("</td>");
    let input = attempt.map(|attempt| inputs(&attempt.inputs, CELL)).unwrap_or_default();
    let expected =
        attempt.and_then(|attempt| attempt.ground_truth.as_ref()).map(shown).unwrap_or_default();
    let output = match attempt.map(|attempt| (&attempt.output, &attempt.error)) {
        Some((Some(output), _)) => shown(output),
        Some((None, Some(error))) => Cow::Borrowed(error.message.as_str()),
        _ => Cow::default(),
    };
    for (key, value) in [("in", input), ("ex", expected), ("out", output)] {
        let _ =
            write!(html, "<td class=\"c-{key}\"><div class=\"clamp\">{}</div></td>", cell(&value));
    }
    for row in rows {
        html.push_str(&score(&case.scores[row.index], &text(&row.record.name)));
    }
    let time = attempt.map_or_else(String::new, |attempt| seconds(attempt.duration_ms / 1000.0));
    let _ = writeln!(html, "<td class=\"c-time\">{time}</td></tr>");
    html
}

/// Returns the details of a case that needs attention, as in the drawer, for readers without the script.
fn more(case: &Case<'_>, attempt: Option<&AttemptRecord>) -> String {
    let mut html = String::from("<details><summary>more</summary>");
    let mut tell = |what: &str| {
        let (told, rest) = cut(what, WHOLE);
        let _ = write!(html, "<p>{}{}</p>", text(told), if rest { "…" } else { "" });
    };
    for reason in case.reasons.iter().skip(1).take(MANY) {
        tell(reason);
    }
    if let Some(attempt) = attempt {
        for score in attempt.scores.iter().take(MANY) {
            if let Some(explanation) = &score.explanation {
                tell(&format!("{}: {explanation}", score.evaluator));
            }
        }
        let input = inputs(&attempt.inputs, WHOLE);
        let expected = attempt.ground_truth.as_ref().map(shown);
        let output = attempt.output.as_ref().map(shown);
        // Values that a cell has as a whole are left out.
        let long = [("input", Some(input)), ("expected", expected), ("output", output)];
        for (name, value) in long {
            if let Some(value) = value.filter(|value| cut(value, CELL).1) {
                tell(&format!("{name}: {value}"));
            }
        }
    }
    let _ = write!(html, "<code>{}</code></details>", text(&case.rerun));
    html
}

/// Returns the inputs as a text: the value alone where there is one, several with their names.
fn inputs(inputs: &Map<String, Value>, most: usize) -> Cow<'_, str> {
    if inputs.len() == 1 {
        return inputs.values().next().map(shown).unwrap_or_default();
    }
    let lines = inputs.iter().map(|(name, value)| {
        let value = shown(value);
        format!("{name}: {}", cut(&value, most).0)
    });
    Cow::Owned(lines.take(MANY).collect::<Vec<String>>().join("\n"))
}

fn cell(value: &str) -> String {
    let (value, more) = cut(value, CELL);
    format!("{}{}", text(value), if more { "…" } else { "" })
}

fn score(score: &CaseScore, name: &str) -> String {
    let Some(value) = score.value() else {
        let mark = if score.is_missing() { "!" } else { "–" };
        return format!("<td class=\"c-score\" data-l=\"{name}\">{mark}</td>");
    };
    let class = if score.good() == Some(false) { " s-fail" } else { "" };
    let value = match (data::is_bool(score), value) {
        (true, 0.0) => "✘".to_owned(),
        (true, 1.0) => "✔".to_owned(),
        _ => number(value),
    };
    format!("<td class=\"c-score{class}\" data-l=\"{name}\">{value}</td>")
}
