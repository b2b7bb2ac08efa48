//! Renders the table of an experiment: evaluator, mean, interval, n, and the verdicts of its gate.

use std::fmt::Write as _;

use super::lines::line;
use super::words::{self, three_decimals};
use super::{COLUMNS, DIM, ExperimentSummary};
use crate::gate::correct::p_cell;
use crate::journal::RuleRecord;
use crate::outcome::{Figures, Measured};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::text::{number, one_line, pad, plain, seconds, thousands, width};

/// A row of the table: one per evaluator, one for latency, and one for errors.
struct Row {
    name: String,
    mean: String,
    interval: String,
    n: String,
    of: Of,
}

pub(super) fn render_table(text: &mut String, experiment: &ExperimentSummary<'_>) {
    let rows = rows(&experiment.figures);
    if rows.is_empty() {
        return;
    }
    let digits = rows.iter().map(|row| width(&row.n)).max().unwrap_or(0).max(5);
    let longest = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).clamp(9, 24);
    text.push('\n');
    line(
        text,
        &format!(
            "  {DIM}{}  {:>7}  {:<15}  {:>digits$}  {}{DIM:#}",
            pad(words::EVALUATOR, longest),
            words::MEAN,
            words::INTERVAL,
            words::N,
            words::GATE
        ),
    );
    for row in rows {
        let column = longest + 32 + digits;
        // A rule that does not fit into the column gets its own line, which begins as near to the
        // column as it can.
        let (beside, below): (Vec<_>, Vec<_>) = gates(&experiment.figures, row.of)
            .into_iter()
            .partition(|(_, width)| column + width <= COLUMNS);
        let mut beside = beside.into_iter().map(|(gate, _)| gate);
        let first = match (beside.next(), below.is_empty()) {
            (Some(gate), _) => gate,
            (None, true) => "-".to_owned(),
            (None, false) => String::new(),
        };
        let cells = format!(
            "  {}  {:>7}  {}  {:>digits$}  {first}",
            pad(&one_line(&row.name, longest), longest),
            row.mean,
            pad(&row.interval, 15),
            row.n
        );
        line(text, cells.trim_end());
        for gate in beside {
            line(text, &format!("{:column$}{gate}", ""));
        }
        for (gate, width) in below {
            let indent = COLUMNS.saturating_sub(width).clamp(4, column);
            line(text, &format!("{:indent$}{gate}", ""));
        }
    }
}

fn rows(figures: &Figures<'_>) -> Vec<Row> {
    let row = |name: &str, of: Of, measured: Option<&Measured>, show: &dyn Fn(f64) -> String| {
        let [mean, interval, n] = words::cells(measured, figures.cases, "too few cases", show);
        Row { name: name.to_owned(), mean, interval, n, of }
    };
    let mut rows: Vec<Row> = figures
        .evaluators
        .iter()
        .map(|one| {
            let of = Of::Evaluator(one.index);
            row(&one.record.name, of, one.measured.as_ref(), &three_decimals)
        })
        .collect();
    if let Some(latency) = &figures.latency {
        rows.push(row(words::LATENCY, Of::Latency, Some(&latency.measured), &seconds));
    }
    let errors = figures.error_rate.as_ref();
    let ruled = figures.rules.gates.iter().any(|rule| rule.of() == Of::Errors);
    if ruled || errors.is_some_and(|errors| errors.mean > 0.0) {
        rows.push(row(words::ERROR_RATE, Of::Errors, errors, &three_decimals));
    }
    rows
}

/// Returns a text such as `ok mean >= 0.85` per rule on this subject, each with its width in columns.
fn gates(figures: &Figures<'_>, of: Of) -> Vec<(String, usize)> {
    let records: &[RuleRecord] = figures.gate.map_or(&[], |gate| &gate.rules);
    figures
        .rules
        .gates
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.of() == of)
        .map(|(index, rule)| {
            let record = records.get(index);
            let (mark, style) =
                record.map_or(("not judged", DIM), |record| words::mark(record.verdict));
            let rule = plain(&short(rule, record));
            (format!("{style}{mark}{style:#} {rule}"), width(mark) + 1 + width(&rule))
        })
        .collect()
}

/// Returns a rule in short, with the value where the row does not show it: `mean >= 0.85`,
/// `p95 1.24 s <= 2 s`, `confident mean 0.93 >= 0.9 lang:de`, `no_regression -0.043 p 0.001`.
fn short(rule: &GateRule, record: Option<&RuleRecord>) -> String {
    let mut text = match rule.test {
        Test::Limit { mode, measure, of, comparison, limit } => {
            let in_row =
                rule.slice.is_none() && matches!(measure, Measure::Mean | Measure::ErrorRate);
            let value = record.and_then(|record| record.value).filter(|_| !in_row);
            let show = |value: f64| if of == Of::Latency { seconds(value) } else { number(value) };
            let value = value.map(|value| format!("{} ", show(value))).unwrap_or_default();
            let (mode, measure) = (mode_name(mode), measure_name(measure));
            format!("{mode}{measure}{value}{} {}", comparison.symbol(), show(limit))
        }
        Test::NoRegression { .. } => compared("no_regression", rule, record),
        Test::NoWorseThan { .. } => compared("no_worse_than", rule, record),
        Test::NonInferior { .. } => compared("non_inferior", rule, record),
        Test::NoCollapse { .. } => compared("no_collapse", rule, record),
        Test::NoLoss { .. } => compared("no_loss", rule, record),
    };
    if let Some(slice) = &rule.slice {
        let _ = write!(text, " {slice}");
    }
    text
}

/// Returns a rule on a comparison in short, with the p that decided:
/// `no_regression -0.125, p 0.062 (2 tests)`, `no_collapse 1 lost, p 0.1 (3 tests)`.
fn compared(name: &str, rule: &GateRule, record: Option<&RuleRecord>) -> String {
    let of_mean = !matches!(rule.test, Test::NoCollapse { .. } | Test::NoLoss { .. });
    let mut text = name.to_owned();
    let Some(against) = record.and_then(|record| record.against.as_ref()) else { return text };
    if of_mean {
        let sign = if against.after < against.before { "-" } else { "+" };
        let _ = write!(text, " {sign}{}", number((against.after - against.before).abs()));
    } else if against.worse > 0 {
        // `no_loss` counts each case whose share of good attempts fell.
        let what = if matches!(rule.test, Test::NoLoss { .. }) { "fell" } else { "lost" };
        let _ = write!(text, " {} {what}", thousands(against.worse));
    }
    let lost = if of_mean { against.gain < 0.0 } else { against.worse > 0 };
    if against.improved {
        text.push_str(" improved");
    } else if lost && name != "non_inferior" {
        let p = p_cell(against.decisive_p(), rule.alpha().unwrap_or_default());
        let _ = write!(text, ", p {p}");
        if against.tests > 1 {
            let _ = write!(text, " ({} tests)", against.tests);
        }
    }
    text
}

const fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Mean => "mean ",
        Measure::Median => "median ",
        Measure::Min => "min ",
        Measure::Max => "max ",
        Measure::P50 => "p50 ",
        Measure::P90 => "p90 ",
        Measure::P95 => "p95 ",
        Measure::P99 => "p99 ",
        Measure::Stddev => "stddev ",
        Measure::PassRate => "pass_rate ",
        Measure::ErrorRate => "",
    }
}

const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Point => "",
        Mode::Confident => "confident ",
        Mode::NotWorse => "not_worse ",
    }
}
