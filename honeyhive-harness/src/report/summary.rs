//! The summary at the end of a run, for a terminal of 80 columns.

use std::fmt::Write as _;

use super::{BOLD, DIM, ExperimentSummary, GREEN, RED, Summary, YELLOW};
use crate::gate::case::{Case, CaseScore};
use crate::gate::judge::mean_interval;
use crate::gate::miss::Miss;
use crate::gate::rule::{GateRule, Measure, Mode, Of};
use crate::journal::{RuleRecord, Verdict};
use crate::stats::{self, Spread};
use crate::text::{count, middle, number, one_line, pad, seconds, thousands, width};

/// Columns of a terminal.
const COLUMNS: usize = 80;

/// Nothing to run is not success.
const NOTHING_SCORED: &str = "every evaluator answered `None` for every case, so nothing was \
    measured; give the experiment an evaluator that applies, or cases that one applies to";

const ONLY_ERRORS: &str = "no case has a score: functions or evaluators ended in errors; mend the \
    first one above";

/// Misses shown with their contents, per experiment.
const SHOWN_MISSES: usize = 5;

/// The whole summary, with ANSI styles.
pub(super) fn render(summary: &Summary) -> String {
    let mut text = String::new();
    for experiment in &summary.experiments {
        render_experiment(&mut text, experiment);
    }
    text.push('\n');
    if summary.interrupted {
        let done: usize = summary.experiments.iter().map(|e| e.cases.len() - e.counts[4]).sum();
        let all: usize = summary.experiments.iter().map(|e| e.selected).sum();
        line(
            &mut text,
            &format!(
                "{YELLOW}INTERRUPTED{YELLOW:#} {} of {} done and recorded",
                thousands(done),
                count(all, "case")
            ),
        );
    }
    if let Some(error) = &summary.journal_error {
        line(
            &mut text,
            &format!("{RED}NOT RECORDED{RED:#} {}: {error}", count(summary.unrecorded, "case")),
        );
    }
    verdict_line(&mut text, summary);
    line(&mut text, &format!("{DIM}journal{DIM:#} {}", relative(&summary.journal)));
    text
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// The path as seen from the working directory, when that is shorter.
fn relative(path: &std::path::Path) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|directory| path.strip_prefix(directory).ok())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn verdict_line(text: &mut String, summary: &Summary) {
    let cases: usize = summary.experiments.iter().map(|e| e.selected).sum();
    let failed: Vec<&str> = summary
        .experiments
        .iter()
        .filter(|experiment| is_failed(experiment))
        .map(|experiment| experiment.name.as_str())
        .collect();
    let what = format!(
        "{} in {}, {}",
        count(cases, "case"),
        count(summary.experiments.len(), "experiment"),
        seconds(summary.elapsed.as_secs_f64())
    );
    if !summary.failed {
        let inconclusive = summary.experiments.iter().any(|experiment| {
            experiment.verdict.as_ref().is_some_and(|verdict| {
                verdict.verdict == Verdict::Inconclusive && verdict.reason.is_none()
            })
        });
        let (word, style) = if inconclusive { ("INCONCLUSIVE", YELLOW) } else { ("PASS", GREEN) };
        line(text, &format!("{style}{word}{style:#} {what}{}", forgiven(summary)));
    } else if summary.interrupted {
        line(text, &format!("{RED}NOT FINISHED{RED:#} {what}"));
    } else {
        let room = COLUMNS.saturating_sub(7 + width(&what));
        let names = one_line(&failed.join(", "), room);
        let names = if failed.is_empty() { String::new() } else { format!(": {names}") };
        line(text, &format!("{RED}FAIL{RED:#} {what}{names}"));
    }
}

/// What is not as it should be although nothing failed.
fn forgiven(summary: &Summary) -> String {
    let misses: usize =
        summary.experiments.iter().map(|e| e.counts[1..4].iter().sum::<usize>()).sum();
    // Only a gate was asked for, so what fails beside it is no test of this run.
    let beside = summary.experiments.iter().any(|e| e.misses.iter().any(|(_, miss)| miss.failed));
    match misses {
        0 => String::new(),
        _ if beside => " (only gates were asked for; cases fail beside them)".to_owned(),
        1 => "; 1 miss, which a gate allows".to_owned(),
        misses => format!("; {} misses, which a gate allows", thousands(misses)),
    }
}

fn is_failed(experiment: &ExperimentSummary) -> bool {
    experiment.nothing_scored
        || experiment.stopped.is_some()
        || experiment.misses.iter().any(|(_, miss)| miss.failed)
        || experiment.verdict.as_ref().is_some_and(|verdict| !verdict.passed)
}

fn render_experiment(text: &mut String, experiment: &ExperimentSummary) {
    let selected = if experiment.selected == experiment.rows {
        count(experiment.rows, "case")
    } else {
        format!("{} of {}", thousands(experiment.selected), count(experiment.rows, "case"))
    };
    let repeats =
        if experiment.repeats > 1 { format!(" × {}", experiment.repeats) } else { String::new() };
    let elapsed =
        experiment.elapsed.map(|elapsed| format!(" · {}", seconds(elapsed.as_secs_f64())));
    text.push('\n');
    line(
        text,
        &format!(
            "{BOLD}{}{BOLD:#} {DIM}· {selected}{repeats} · {}{}{DIM:#}",
            experiment.name,
            experiment.origin,
            elapsed.unwrap_or_default()
        ),
    );
    render_misses(text, experiment);
    render_table(text, experiment);
    render_rules(text, experiment);
    if experiment.nothing_scored {
        line(text, &format!("  {RED}nothing was scored{RED:#}"));
        let errors = experiment.counts[2] + experiment.counts[3] > 0;
        wrapped(text, if errors { ONLY_ERRORS } else { NOTHING_SCORED }, 4);
    }
    if let Some(reason) = &experiment.stopped {
        line(text, &format!("  {RED}stopped{RED:#}"));
        wrapped(text, reason, 4);
        line(text, &format!("  {} not run", count(experiment.counts[4], "case")));
    }
}

fn render_misses(text: &mut String, experiment: &ExperimentSummary) {
    if experiment.misses.is_empty() {
        return;
    }
    let mut heading = None;
    for (rerun, miss) in experiment.misses.iter().take(SHOWN_MISSES) {
        if heading.replace(miss.failed) != Some(miss.failed) {
            let what = if miss.failed { "failing" } else { "misses that the gate decides on" };
            text.push('\n');
            line(text, &format!("  {DIM}{what}, worst first{DIM:#}"));
        }
        render_miss(text, rerun, miss);
    }
    let all: usize = experiment.counts[1..4].iter().sum();
    let more = all.saturating_sub(SHOWN_MISSES.min(experiment.misses.len()));
    if more > 0 {
        line(text, &format!("  {DIM}… and {} more in the journal{DIM:#}", thousands(more)));
    }
}

fn render_miss(text: &mut String, rerun: &str, miss: &Miss) {
    let (mark, style) = if miss.failed { ("✗", RED) } else { ("–", YELLOW) };
    let name = miss.test.split_once("::").map_or(miss.test.as_str(), |(_, name)| name);
    let mut reasons = miss.reasons.iter();
    let reason = reasons.next().map(String::as_str).unwrap_or_default();
    let room = COLUMNS.saturating_sub(6 + width(name));
    if width(reason) <= room {
        line(text, &format!("  {style}{mark} {name}{style:#}  {reason}"));
    } else {
        line(text, &format!("  {style}{mark} {name}{style:#}"));
        wrapped(text, reason, 4);
    }
    for reason in reasons {
        wrapped(text, reason, 4);
    }
    let mut field = |name: &str, value: &str| {
        line(text, &format!("    {DIM}{name:<8}{DIM:#}  {}", middle(value, COLUMNS - 14)));
    };
    if !miss.inputs.is_empty() {
        field("input", &miss.inputs);
    }
    if let Some(expected) = &miss.expected {
        field("expected", expected);
    }
    if let Some(output) = &miss.output {
        field("output", output);
    }
    // The command is there to be copied, so it is never cut either.
    line(text, &format!("    {DIM}rerun{DIM:#}     {rerun}"));
}

/// Text over several lines, each after `indent` spaces, broken between words.
fn wrapped(text: &mut String, content: &str, indent: usize) {
    let mut current = String::new();
    for word in content.split(' ') {
        if !current.is_empty() && width(&current) + 1 + width(word) > COLUMNS - indent {
            line(text, &format!("{:indent$}{current}", ""));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(text, &format!("{:indent$}{current}", ""));
}

/// One row per evaluator, and for latency and errors.
struct Row {
    name: String,
    mean: String,
    interval: String,
    n: usize,
    of: Of,
}

fn render_table(text: &mut String, experiment: &ExperimentSummary) {
    let rows = rows(experiment);
    if rows.is_empty() {
        return;
    }
    let longest = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).clamp(9, 24);
    text.push('\n');
    line(
        text,
        &format!(
            "  {DIM}{}  {:>7}  {:<15}  {:>5}  gate{DIM:#}",
            pad("evaluator", longest),
            "mean",
            "95 % interval",
            "n"
        ),
    );
    for row in rows {
        let mut gates = gates(experiment, row.of, COLUMNS - longest - 37).into_iter();
        let first = gates.next().unwrap_or_else(|| "-".to_owned());
        line(
            text,
            &format!(
                "  {}  {:>7}  {}  {:>5}  {first}",
                pad(&one_line(&row.name, longest), longest),
                row.mean,
                pad(&row.interval, 15),
                thousands(row.n)
            ),
        );
        for gate in gates {
            line(text, &format!("  {:longest$}  {:7}  {:15}  {:5}  {gate}", "", "", "", ""));
        }
    }
}

fn rows(experiment: &ExperimentSummary) -> Vec<Row> {
    let cases = &experiment.cases;
    let row = |name: &str, of: Of, values: &[f64], show: &dyn Fn(f64) -> String| Row {
        name: name.to_owned(),
        mean: stats::mean(values).map_or_else(|| "-".to_owned(), show),
        interval: match mean_interval(of, &experiment.rules.judges, values) {
            Spread::Interval(interval) => format!("{}–{}", show(interval.low), show(interval.high)),
            Spread::NoSpread { .. } => "no spread".to_owned(),
            Spread::TooFew { .. } => "too few".to_owned(),
        },
        n: values.len(),
        of,
    };
    let mut rows: Vec<Row> = experiment
        .rules
        .judges
        .iter()
        .enumerate()
        .map(|(index, judge)| {
            let values: Vec<f64> = cases
                .iter()
                .filter_map(|case| match case.scores.get(index) {
                    Some(CaseScore::Mean(mean, _)) => Some(*mean),
                    _ => None,
                })
                .collect();
            row(&judge.name, Of::Evaluator(index), &values, &number)
        })
        .collect();
    let latencies: Vec<f64> =
        cases.iter().filter_map(|case| stats::mean(&case.latencies)).collect();
    if !latencies.is_empty() {
        rows.push(row("latency", Of::Latency, &latencies, &seconds));
    }
    let ran: Vec<&Case> =
        cases.iter().filter(|case| case.state != crate::journal::CaseState::Skipped).collect();
    let errors: Vec<f64> = ran.iter().map(|case| f64::from(u8::from(case.is_error()))).collect();
    let ruled = experiment.rules.gates.iter().any(|rule| rule.of == Of::Errors);
    if ruled || errors.iter().any(|error| *error > 0.0) {
        rows.push(row("error_rate", Of::Errors, &errors, &number));
    }
    rows
}

/// `ok mean >= 0.85`, per rule on this subject.
fn gates(experiment: &ExperimentSummary, of: Of, room: usize) -> Vec<String> {
    let records: &[RuleRecord] = experiment.verdict.as_ref().map_or(&[], |verdict| &verdict.rules);
    experiment
        .rules
        .gates
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.of == of)
        .map(|(index, rule)| {
            let (mark, style) = match records.get(index).map(|record| record.verdict) {
                Some(Verdict::Pass) => ("ok", GREEN),
                Some(Verdict::Fail) => ("FAIL", RED),
                Some(Verdict::Inconclusive) => ("?", YELLOW),
                None => ("not judged", DIM),
            };
            let rule = one_line(&short(rule), room.saturating_sub(mark.len() + 1).max(8));
            format!("{style}{mark}{style:#} {rule}")
        })
        .collect()
}

/// `mean >= 0.85`, `p95 <= 2.0 s`, `confident mean >= 0.9 lang:de`
fn short(rule: &GateRule) -> String {
    let measure = match rule.measure {
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
    };
    let mode = match rule.mode {
        Mode::Point => "",
        Mode::Confident => "confident ",
        Mode::NotWorse => "not_worse ",
    };
    let limit = if rule.of == Of::Latency { seconds(rule.limit) } else { number(rule.limit) };
    let mut text = format!("{mode}{measure}{} {limit}", rule.comparison.symbol());
    if let Some(slice) = rule.slice {
        let _ = write!(text, " {slice}");
    }
    text
}

/// The full text of every rule that does not hold, and of a gate that did not judge.
fn render_rules(text: &mut String, experiment: &ExperimentSummary) {
    let gates = !experiment.rules.gates.is_empty();
    let reason = match &experiment.verdict {
        Some(verdict) => verdict.reason.as_ref(),
        None => experiment.not_judging.as_ref().filter(|_| gates),
    };
    // Why an experiment was stopped is said below.
    if let Some(reason) = reason.filter(|_| experiment.stopped.is_none()) {
        text.push('\n');
        line(text, &format!("  {YELLOW}gate not judged{YELLOW:#}"));
        wrapped(text, reason, 4);
    }
    let Some(verdict) = &experiment.verdict else { return };
    for rule in verdict.rules.iter().filter(|rule| rule.verdict != Verdict::Pass) {
        let (mark, style) = match rule.verdict {
            Verdict::Fail => ("gate FAIL", RED),
            _ => ("gate inconclusive", YELLOW),
        };
        text.push('\n');
        line(text, &format!("  {style}{mark}{style:#}"));
        wrapped(text, &rule.text, 4);
    }
}
