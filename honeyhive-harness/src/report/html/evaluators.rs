//! Renders the table of evaluators: mean and interval, distribution, difference, gate.

use std::fmt::Write as _;

use super::super::sliced;
use super::super::words::{self, capital, signed, three_decimals};
use super::escape::text;
use super::{chart, data};
use crate::journal::{RuleRecord, SlicesRecord, Verdict};
use crate::outcome::{Evaluated, Experiment, Finding, Measured};
use crate::rule::{Measure, Of, Test};
use crate::score::Direction;
use crate::stats::Spread;
use crate::text::{number, seconds, thousands};

/// Returns the table; empty without evaluators and rules.
pub(super) fn render(experiment: &Experiment<'_>) -> String {
    let errors = experiment.figures.error_rate.as_ref().filter(|rate| rate.mean > 0.0);
    if experiment.figures.evaluators.is_empty()
        && experiment.figures.latency.is_none()
        && errors.is_none()
    {
        return String::new();
    }
    let compared = experiment.compared.is_some();
    let gated = experiment.figures.gate.is_some();
    let mut html = format!(
        "<div class=\"wide\"><table class=\"evaluators\">\n<caption class=\"away\">Evaluators\
         </caption>\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\">{}</th>\
         <th scope=\"col\">Distribution of the cases</th>",
        capital(words::EVALUATOR),
        capital(words::MEAN)
    );
    if compared {
        html.push_str("<th scope=\"col\">Difference</th>");
    }
    if gated {
        let _ = write!(html, "<th scope=\"col\">{}</th>", capital(words::GATE));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &experiment.figures.evaluators {
        html.push_str(&evaluator(experiment, row, compared, gated));
    }
    if let Some(latency) = &experiment.figures.latency {
        let mean = mean(&latency.measured, &seconds);
        html.push_str(&other(words::LATENCY, &mean, &latency.rules, compared, gated));
    }
    if !experiment.figures.error_rules.is_empty() || errors.is_some() {
        let mean = experiment.figures.error_rate.as_ref().map(|rate| mean(rate, &three_decimals));
        let mean = mean.unwrap_or_default();
        html.push_str(&other(
            words::ERROR_RATE,
            &mean,
            &experiment.figures.error_rules,
            compared,
            gated,
        ));
    }
    html.push_str("</tbody></table></div>\n");
    for one in experiment.compared.iter().flat_map(|compared| &compared.slices) {
        html.push_str(&slices(one));
    }
    html
}

/// Returns the sentence that says whether slices differ, and a table of them.
fn slices(one: &SlicesRecord) -> String {
    let mut html = format!(
        "<p class=\"changed\">{}</p>\n<div class=\"wide\"><table class=\"gains\">\n\
         <caption class=\"away\">Slices of {} by {}</caption>\n<thead><tr>",
        text(&sliced::sentence(one)),
        text(&one.evaluator),
        text(&one.by)
    );
    for head in sliced::HEADS {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for [slice, n, gain, shrunken] in one.slices.iter().take(sliced::MOST).map(sliced::cells) {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{n}</td><td>{gain}</td><td>{shrunken}</td></tr>",
            text(&slice)
        );
    }
    html.push_str("</tbody></table></div>\n");
    if let Some(more) = sliced::more(one) {
        let _ = writeln!(html, "<p class=\"about\">{more}</p>");
    }
    html
}

fn evaluator(
    experiment: &Experiment<'_>,
    row: &Evaluated<'_>,
    compared: bool,
    gated: bool,
) -> String {
    let record = &row.record;
    let mut about = Vec::new();
    if !record.settings.is_empty() {
        about.push(text(&record.settings));
    }
    let bools = data::all_are_bools(row, &experiment.cases);
    if let Some((comparison, limit)) = row.limit.filter(|_| record.threshold.is_some() || !bools) {
        about.push(format!("needs {} {}", comparison.symbol(), number(limit)));
    }
    if record.direction == Direction::Minimize {
        about.push("less is better".to_owned());
    }
    if !row.judges() {
        about.push("measures only".to_owned());
    }
    let mut html = format!(
        "<tr><th scope=\"row\">{}<small>{}</small></th><td class=\"mean\">",
        text(&record.name),
        about.join(" · ")
    );
    match &row.measured {
        Some(measured) => html.push_str(&mean(measured, &three_decimals)),
        None => html.push_str("no score"),
    }
    html.push_str(&missing(row));
    html.push_str("</td><td class=\"spread\">");
    if let Some(scale) = chart::scale(row, &experiment.cases) {
        let limits = limits(experiment, row);
        html.push_str(&chart::histogram(row, &experiment.cases, &scale));
        html.push_str(&chart::whisker(row, &scale, &limits));
        html.push_str(&chart::legend(&scale, &limits));
    }
    html.push_str("</td>");
    if compared {
        let _ = write!(html, "<td class=\"difference\">{}</td>", difference(row));
    }
    if gated {
        let _ = write!(html, "<td class=\"gate\">{}</td>", rules(&row.rules));
    }
    html.push_str("</tr>\n");
    html
}

/// Returns a row without a distribution.
fn other(name: &str, mean: &str, about: &[&RuleRecord], compared: bool, gated: bool) -> String {
    let mut html =
        format!("<tr><th scope=\"row\">{name}</th><td class=\"mean\">{mean}</td><td></td>");
    if compared {
        html.push_str("<td></td>");
    }
    if gated {
        let _ = write!(html, "<td class=\"gate\">{}</td>", rules(about));
    }
    html.push_str("</tr>\n");
    html
}

fn mean(measured: &Measured, show: &dyn Fn(f64) -> String) -> String {
    let spread = match (measured.interval(), measured.spread) {
        (Some((low, high)), _) => format!("{} – {}", show(low), show(high)),
        (None, Spread::NoSpread { .. }) => "all equal".to_owned(),
        (None, _) => "too few for an interval".to_owned(),
    };
    format!(
        "<b>{}</b> <span title=\"95 % interval\">{spread}</span><small>n = {}</small>",
        show(measured.mean),
        measured.of_all()
    )
}

/// Returns the numbers of cases that the mean does not count.
fn missing(row: &Evaluated<'_>) -> String {
    let mut html = String::new();
    if row.missing > 0 {
        let _ = write!(
            html,
            "<small class=\"s-error\">! {} without a score</small>",
            thousands(row.missing)
        );
    }
    if row.not_applicable > 0 {
        let _ = write!(html, "<small>{} not applicable</small>", thousands(row.not_applicable));
    }
    html
}

/// Returns the paired difference, in words where it may be chance.
fn difference(row: &Evaluated<'_>) -> String {
    let Some(comparison) = &row.comparison else { return String::new() };
    if let Some(why) = &comparison.incomparable {
        return format!("<small>{}</small>", text(why));
    }
    if comparison.pairs.is_empty() {
        return "<small>no case has a score in both runs</small>".to_owned();
    }
    let Some(found) = row.difference else { return String::new() };
    let (class, sign) = match found.finding {
        Finding::Better => ("s-pass", "▲ "),
        Finding::Worse => ("s-fail", "▼ "),
        _ => ("", ""),
    };
    let minimize = row.record.direction == Direction::Minimize;
    let note = if minimize { " gain" } else { "" };
    let mut html = format!(
        "<b class=\"{class}\">{sign}{}{note}</b> ",
        signed(comparison.gain, &three_decimals)
    );
    if let Some(interval) = comparison.interval {
        let _ = write!(
            html,
            "<span title=\"95 % interval of the difference\">{} … {}</span>",
            signed(interval.low, &three_decimals),
            signed(interval.high, &three_decimals)
        );
    }
    let _ = write!(
        html,
        "<small>{}</small><small>{} better, {} worse of {} pairs</small>",
        text(&found.words()),
        thousands(comparison.better),
        thousands(comparison.worse),
        thousands(comparison.pairs.len())
    );
    html
}

fn rules(rules: &[&RuleRecord]) -> String {
    if rules.is_empty() {
        return "<span aria-label=\"no rule\">–</span>".to_owned();
    }
    let mut html = String::new();
    for rule in rules {
        let (class, sign, word) = match rule.verdict {
            Verdict::Pass => ("s-pass", "✔", "holds"),
            Verdict::Fail => ("s-fail", "✘", "fails"),
            Verdict::Inconclusive => ("s-error", "?", "inconclusive"),
        };
        let said = rule.text.strip_prefix(&rule.rule).unwrap_or(&rule.text);
        let _ = write!(
            html,
            "<div class=\"rule\"><span class=\"{class}\"><i aria-hidden=\"true\">{sign}</i> \
             {word}</span> <code>{}</code><small>{}</small></div>",
            text(&rule.rule),
            text(said.trim_start_matches(": "))
        );
    }
    html
}

/// Returns the limits of rules on the mean of all cases, for the ticks in its image.
fn limits(experiment: &Experiment<'_>, row: &Evaluated<'_>) -> Vec<f64> {
    let rules = experiment.record.gate_rules.iter().filter(|rule| rule.slice.is_none());
    let limits = rules.filter_map(|rule| match rule.test {
        Test::Limit { measure: Measure::Mean, of: Of::Evaluator(index), limit, .. } => {
            (index == row.index).then_some(limit)
        }
        _ => None,
    });
    limits.collect()
}
