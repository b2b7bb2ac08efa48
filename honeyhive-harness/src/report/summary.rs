//! Renders the summary at the end of a run, for a terminal of 80 columns.

use std::collections::BTreeMap;

use super::lines::{line, wrapped};
use super::table::render_table;
use super::{BOLD, COLUMNS, DIM, ExperimentSummary, Fault, GREEN, RED, Summary, YELLOW};
use crate::gate::miss::{Miss, Parts};
use crate::journal::{CaseCounts, StoppedRecord, Verdict};
use crate::text::{
    accepted, count, number, one_line, plain, relative, seconds, shortened, thousands, width,
};

/// The message where no evaluator applied to any case, which fails the run.
const NOTHING_SCORED: &str = "every evaluator answered `None` for every case, so nothing was \
    measured; give the experiment an evaluator that applies, or cases that one applies to";

const ONLY_ERRORS: &str = "no case has a score: functions or evaluators ended in errors; fix the \
    first error above";

/// The most misses that are shown with their contents, per experiment.
const SHOWN_MISSES: usize = 5;

/// Returns the whole summary, with marks for styles.
pub(super) fn render(summary: &Summary<'_>) -> String {
    let mut text = String::new();
    for experiment in &summary.experiments {
        render_experiment(&mut text, experiment, summary.columns);
    }
    for fault in &summary.faults {
        render_fault(&mut text, fault);
    }
    text.push('\n');
    if summary.interrupted {
        let done: usize = summary.experiments.iter().map(|e| e.figures.counts.states.ran()).sum();
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
            &format!(
                "{RED}NOT RECORDED{RED:#} {}: {}",
                count(summary.unrecorded, "case"),
                plain(error)
            ),
        );
    }
    verdict_line(&mut text, summary);
    if let Some(journal) = &summary.journal {
        let whole = if summary.journal_error.is_some() { " (incomplete)" } else { "" };
        line(&mut text, &format!("{DIM}journal{DIM:#} {}{whole}", plain(&relative(journal))));
    }
    if !summary.redacted.is_empty() {
        wrapped(&mut text, &redacted(&summary.redacted), 0);
    }
    text
}

/// Returns `redacted: DB_PASSWORD once, OPENAI_API_KEY 3 times`; names of variables, never values.
fn redacted(taken: &BTreeMap<String, usize>) -> String {
    let times = |(name, count): (&String, &usize)| match count {
        1 => format!("{name} once"),
        2 => format!("{name} twice"),
        count => format!("{name} {} times", thousands(*count)),
    };
    let parts: Vec<String> = taken.iter().map(times).collect();
    format!("redacted: {}", parts.join(", "))
}

/// Returns the summary of a run in which nothing could be run.
pub(super) fn render_faults(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        render_fault(&mut text, fault);
    }
    let names: Vec<&str> = faults.iter().map(Fault::experiment).collect();
    text.push('\n');
    line(&mut text, &format!("{RED}FAIL{RED:#} nothing was run: {}", plain(&names.join(", "))));
    text
}

fn render_fault(text: &mut String, fault: &Fault) {
    text.push('\n');
    let name = plain(fault.experiment());
    line(text, &format!("{BOLD}{name}{BOLD:#} {DIM}· not run{DIM:#}"));
    text.push('\n');
    for part in fault.text.lines() {
        wrapped(text, part, 4);
    }
}

fn verdict_line(text: &mut String, summary: &Summary<'_>) {
    let cases: usize = summary.experiments.iter().map(|e| e.selected).sum();
    let left_out = |e: &ExperimentSummary<'_>| e.stopped_early.map_or(0, StoppedRecord::not_run);
    let ran = cases - summary.experiments.iter().map(left_out).sum::<usize>();
    let failed: Vec<&str> = summary
        .experiments
        .iter()
        .filter(|experiment| is_failed(experiment))
        .map(|experiment| experiment.name.as_str())
        .collect();
    let not_run = faults_of_whole(summary);
    let all = summary.experiments.len() + not_run.len();
    let experiments = if not_run.is_empty() {
        count(all, "experiment")
    } else {
        format!("{} of {}", summary.experiments.len(), count(all, "experiment"))
    };
    let what = format!(
        "{}{} in {experiments}, {}",
        if ran < cases { format!("{} of ", thousands(ran)) } else { String::new() },
        count(cases, "case"),
        seconds(summary.elapsed.as_secs_f64())
    );
    if !summary.failed {
        let inconclusive = summary.experiments.iter().any(|one| one.figures.is_inconclusive());
        let sampled = summary.experiments.iter().any(|experiment| experiment.sampled);
        let (word, style) = match (sampled, inconclusive) {
            (true, _) => ("NOT FINAL", YELLOW),
            (false, true) => ("INCONCLUSIVE", YELLOW),
            (false, false) => ("PASS", GREEN),
        };
        line(text, &format!("{style}{word}{style:#} {what}{}", forgiven(summary)));
    } else if summary.interrupted {
        line(text, &format!("{RED}NOT FINISHED{RED:#} {what}"));
    } else {
        line(text, &format!("{RED}FAIL{RED:#} {what}"));
        if !failed.is_empty() {
            wrapped(text, &failed.join(", "), 5);
        }
        if !not_run.is_empty() {
            wrapped(text, &format!("not run: {}", not_run.join(", ")), 5);
        }
        let ran = |fault: &&Fault| !not_run.contains(&fault.experiment());
        let gone: Vec<&str> = summary.faults.iter().filter(ran).map(|one| &*one.test).collect();
        if !gone.is_empty() {
            wrapped(text, &format!("not there: {}", gone.join(", ")), 5);
        }
    }
}

/// Returns the experiments of which nothing could run. The fault of an experiment that ran is about a
/// case that was asked for by name.
fn faults_of_whole<'a>(summary: &'a Summary<'_>) -> Vec<&'a str> {
    let ran = |name: &str| summary.experiments.iter().any(|one| one.name == name);
    let mut names: Vec<&str> = summary.faults.iter().map(Fault::experiment).collect();
    names.retain(|name| !ran(name));
    names.dedup();
    names
}

/// Describes the misses in a run that did not fail.
fn forgiven(summary: &Summary<'_>) -> String {
    let misses: usize = summary.experiments.iter().map(|one| one.figures.counts.states.bad()).sum();
    let sampled = summary.experiments.iter().any(|experiment| experiment.sampled);
    match misses {
        0 => String::new(),
        misses if sampled => format!("; {}, not judged by a gate", count_misses(misses)),
        misses => format!("; {} within the gate's limits", count_misses(misses)),
    }
}

/// Returns a number of misses in words: `1 miss`, `1,319 misses`.
fn count_misses(misses: usize) -> String {
    if misses == 1 { "1 miss".to_owned() } else { format!("{} misses", thousands(misses)) }
}

fn is_failed(experiment: &ExperimentSummary<'_>) -> bool {
    experiment.figures.nothing_scored
        || experiment.stopped.is_some()
        || experiment.misses.iter().any(|(_, miss)| miss.failed)
        || experiment.figures.gate.is_some_and(|gate| !gate.passed)
}

fn render_experiment(text: &mut String, experiment: &ExperimentSummary<'_>, columns: usize) {
    let selected = if experiment.selected == experiment.rows {
        count(experiment.rows, "case")
    } else {
        format!("{} of {}", thousands(experiment.selected), count(experiment.rows, "case"))
    };
    let repeats =
        if experiment.repeats > 1 { format!(" × {}", experiment.repeats) } else { String::new() };
    let sampled = if experiment.sampled { " · a sample, not final" } else { "" };
    let recalled = match experiment.recalled {
        0 => String::new(),
        recalled => format!(" · {} scored in an earlier attempt", thousands(recalled)),
    };
    let elapsed =
        experiment.elapsed.map(|elapsed| format!(" · {}", seconds(elapsed.as_secs_f64())));
    text.push('\n');
    line(
        text,
        &format!(
            "{BOLD}{}{BOLD:#} {DIM}· {selected}{repeats}{sampled} · {}{recalled}{}{DIM:#}",
            plain(&experiment.name),
            plain(&experiment.origin),
            elapsed.unwrap_or_default()
        ),
    );
    render_misses(text, experiment, columns);
    render_table(text, experiment);
    render_spread(text, experiment);
    render_flaky(text, experiment);
    render_rules(text, experiment);
    if experiment.figures.nothing_scored {
        line(text, &format!("  {RED}nothing was scored{RED:#}"));
        let CaseCounts { error, unscored, .. } = experiment.figures.counts.states;
        let errors = error + unscored > 0;
        wrapped(text, if errors { ONLY_ERRORS } else { NOTHING_SCORED }, 4);
    }
    if let Some(reason) = &experiment.stopped {
        line(text, &format!("  {RED}stopped{RED:#}"));
        wrapped(text, reason, 4);
        line(
            text,
            &format!("  {} not run", count(experiment.figures.counts.states.skipped, "case")),
        );
    }
    if let Some(stopped) = experiment.stopped_early {
        text.push('\n');
        line(text, &format!("  {YELLOW}{}{YELLOW:#}", stopped.text()));
        let why = format!(
            "{} not run (stop = decided): no score could change the verdict. Means are of the cases \
             that ran; HH_STOP=never runs all",
            count(stopped.not_run(), "case")
        );
        wrapped(text, &why, 4);
    }
}

fn render_misses(text: &mut String, experiment: &ExperimentSummary<'_>, columns: usize) {
    if experiment.misses.is_empty() {
        return;
    }
    let mut heading = None;
    for (rerun, miss) in experiment.misses.iter().take(SHOWN_MISSES) {
        if heading.replace(miss.failed) != Some(miss.failed) {
            let what = if miss.failed { "failing" } else { "misses (the gate decides)" };
            let mut group = experiment.misses.iter().filter(|(_, one)| one.failed == miss.failed);
            let news = group.any(|(_, other)| other.is_new);
            let order = if news { "new ones first" } else { "worst first" };
            text.push('\n');
            line(text, &format!("  {DIM}{what}, {order}{DIM:#}"));
        }
        render_miss(text, rerun, miss, columns);
    }
    let all = experiment.figures.counts.states.bad();
    let more = all.saturating_sub(SHOWN_MISSES.min(experiment.misses.len()));
    if more > 0 {
        let more = thousands(more);
        let said = "`cargo honeyhive review` shows them, and the report";
        line(text, &format!("  {DIM}… and {more} more: {said}{DIM:#}"));
    }
}

fn render_miss(text: &mut String, rerun: &str, miss: &Miss, columns: usize) {
    let (mark, style) = if miss.failed { ("✗", RED) } else { ("–", YELLOW) };
    let name = miss.test.split_once("::").map_or(miss.test.as_str(), |(_, name)| name);
    let mut reasons = miss.reasons.iter();
    let reason = reasons.next().map(String::as_str).unwrap_or_default();
    let (name, new) = (plain(name), if miss.is_new { "  ▼ new" } else { "" });
    let room = COLUMNS.saturating_sub(6 + width(&name) + width(new));
    if width(reason) <= room {
        line(text, &format!("  {style}{mark} {name}{new}{style:#}  {reason}"));
    } else {
        line(text, &format!("  {style}{mark} {name}{new}{style:#}"));
        wrapped(text, reason, 4);
    }
    for reason in reasons {
        wrapped(text, reason, 4);
    }
    render_parts(text, "input", &miss.inputs, columns);
    for (label, parts) in [("expected", &miss.expected), ("output", &miss.output)] {
        if let Some(parts) = parts {
            render_parts(text, label, parts, columns);
        }
    }
    // Users copy the command, so it is never cut either.
    line(text, &format!("    {DIM}rerun{DIM:#}     {}", plain(rerun)));
}

/// Adds a value, one line per field; each is cut alone, so that a long one does not hide the others.
fn render_parts(text: &mut String, label: &str, parts: &Parts, columns: usize) {
    let room = columns - 14;
    for (at, field) in parts.fields.iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let name = match field.name.as_str() {
            "" => String::new(),
            name => format!("{}: ", one_line(name, room / 3)),
        };
        let value = shortened(&field.text, field.hidden, room - width(&name));
        let name = if name.is_empty() { name } else { format!("{DIM}{name}{DIM:#}") };
        line(text, &format!("    {DIM}{label:<8}{DIM:#}  {name}{value}"));
    }
    if parts.more > 0 {
        let more = count(parts.more, "more field");
        line(text, &format!("              {DIM}… and {more}{DIM:#}"));
    }
}

/// Adds how much the scores of the attempts of a case scatter, which `repeats` are meant to show.
fn render_spread(text: &mut String, experiment: &ExperimentSummary<'_>) {
    let evaluators = experiment.figures.evaluators.iter();
    let spreads: Vec<String> = evaluators
        .filter_map(|evaluator| {
            let mean = evaluator.spread_within.filter(|mean| *mean > 0.0)?;
            Some(format!("{} {}", evaluator.record.name, number(mean)))
        })
        .collect();
    if !spreads.is_empty() {
        text.push('\n');
        line(text, &format!("  {DIM}spread within a case (mean standard deviation){DIM:#}"));
        wrapped(text, &spreads.join(", "), 4);
    }
}

/// Adds the names of the cases whose attempts disagree.
fn render_flaky(text: &mut String, experiment: &ExperimentSummary<'_>) {
    let flaky = &experiment.figures.flaky;
    if flaky.is_empty() {
        return;
    }
    let more = flaky.len().saturating_sub(SHOWN_MISSES);
    let more = if more > 0 { format!(" and {} more", thousands(more)) } else { String::new() };
    text.push('\n');
    let of = count(experiment.figures.cases, "case");
    line(
        text,
        &format!(
            "  {YELLOW}flaky{YELLOW:#} {DIM}{} of {of}, good attempts of all{DIM:#}",
            flaky.len()
        ),
    );
    let shown = flaky.iter().take(SHOWN_MISSES);
    let shown: Vec<String> =
        shown.map(|one| format!("{} {}/{}", one.name, one.good, one.attempts)).collect();
    wrapped(text, &format!("{}{more}", shown.join(", ")), 4);
}

/// Adds the full text of every rule that does not hold, and the reason of a gate that did not judge.
fn render_rules(text: &mut String, experiment: &ExperimentSummary<'_>) {
    let gates = !experiment.figures.rules.gates.is_empty();
    let reason = match experiment.figures.gate {
        Some(gate) => gate.reason.as_ref(),
        None => experiment.not_judging.as_ref().filter(|_| gates),
    };
    // The reason why an experiment was stopped stands below.
    if let Some(reason) = reason.filter(|_| experiment.stopped.is_none()) {
        text.push('\n');
        line(text, &format!("  {YELLOW}gate not judged{YELLOW:#}"));
        wrapped(text, reason, 4);
    }
    let Some(gate) = experiment.figures.gate else { return };
    if let Some(baseline) = &gate.baseline {
        text.push('\n');
        let when = accepted(&baseline.accepted_at, baseline.commit.as_deref(), false);
        let mut words = format!("baseline {when}");
        match &baseline.changed[..] {
            [] => words.push_str("; nothing that is tracked has changed since"),
            changed => words.push_str(&format!("; changed since: {}", changed.join(", "))),
        }
        wrapped(text, &words, 2);
        super::sliced::render(text, &baseline.slices);
    }
    // A reason that several rules share, such as a missing baseline, is shown once.
    let mut told: Vec<(Verdict, String, String)> = Vec::new();
    for rule in gate.rules.iter().filter(|rule| rule.verdict != Verdict::Pass) {
        let why = rule.text.strip_prefix(&rule.rule).unwrap_or(&rule.text);
        let known = told.iter_mut().find(|(_, _, other)| other == why);
        match known.filter(|(verdict, ..)| *verdict == Verdict::Inconclusive) {
            Some((_, rules, _)) => rules.push_str(&format!(", {}", rule.rule)),
            None => told.push((rule.verdict, rule.rule.clone(), why.to_owned())),
        }
    }
    for (verdict, rules, why) in told {
        let (mark, style) = match verdict {
            Verdict::Fail => ("gate FAIL", RED),
            _ => ("gate inconclusive", YELLOW),
        };
        text.push('\n');
        line(text, &format!("  {style}{mark}{style:#}"));
        wrapped(text, &format!("{rules}{why}"), 4);
    }
}
