//! The summary at the end of a run, for a terminal of 80 columns.

use super::table::render_table;
use super::{BOLD, COLUMNS, DIM, ExperimentSummary, Fault, GREEN, RED, Summary, YELLOW};
use crate::gate::miss::Miss;
use crate::journal::Verdict;
use crate::stats;
use crate::text::{age, count, middle, number, prefix, seconds, thousands, width};

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
    for fault in &summary.faults {
        render_fault(&mut text, fault);
    }
    text.push('\n');
    if summary.interrupted {
        let done: usize = summary.experiments.iter().flat_map(|e| &e.counts[..4]).sum();
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

/// The summary of a run in which nothing could be run.
pub(super) fn render_faults(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        render_fault(&mut text, fault);
    }
    let names: Vec<&str> = faults.iter().map(Fault::experiment).collect();
    text.push('\n');
    line(&mut text, &format!("{RED}FAIL{RED:#} nothing was run: {}", names.join(", ")));
    text
}

fn render_fault(text: &mut String, fault: &Fault) {
    text.push('\n');
    line(text, &format!("{BOLD}{}{BOLD:#} {DIM}· not run{DIM:#}", fault.experiment()));
    text.push('\n');
    for part in fault.text.lines() {
        wrapped(text, part, 4);
    }
}

pub(super) fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

/// The path as seen from the working directory, when that is shorter.
pub(super) fn relative(path: &std::path::Path) -> String {
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
    let all = summary.experiments.len() + summary.faults.len();
    let experiments = if summary.faults.is_empty() {
        count(all, "experiment")
    } else {
        format!("{} of {}", summary.experiments.len(), count(all, "experiment"))
    };
    let what = format!(
        "{} in {experiments}, {}",
        count(cases, "case"),
        seconds(summary.elapsed.as_secs_f64())
    );
    if !summary.failed {
        let inconclusive = summary.experiments.iter().any(|experiment| {
            experiment.verdict.as_ref().is_some_and(|verdict| {
                verdict.verdict == Verdict::Inconclusive && verdict.reason.is_none()
            })
        });
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
        let faults: Vec<&str> = summary.faults.iter().map(Fault::experiment).collect();
        if !faults.is_empty() {
            wrapped(text, &format!("not run: {}", faults.join(", ")), 5);
        }
    }
}

/// What is not as it should be although nothing failed.
fn forgiven(summary: &Summary) -> String {
    let misses: usize =
        summary.experiments.iter().map(|e| e.counts[1..4].iter().sum::<usize>()).sum();
    let sampled = summary.experiments.iter().any(|experiment| experiment.sampled);
    match misses {
        0 => String::new(),
        misses if sampled => format!("; {}, which no gate judged", count_misses(misses)),
        misses => format!("; {}, which a gate allows", count_misses(misses)),
    }
}

/// `1 miss`, `1,319 misses`
fn count_misses(misses: usize) -> String {
    if misses == 1 { "1 miss".to_owned() } else { format!("{} misses", thousands(misses)) }
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
            experiment.name,
            experiment.origin,
            elapsed.unwrap_or_default()
        ),
    );
    render_misses(text, experiment);
    render_table(text, experiment);
    render_spread(text, experiment);
    render_flaky(text, experiment);
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
            let what = if miss.failed { "failing" } else { "misses, for the gate to decide" };
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
pub(super) fn wrapped(text: &mut String, content: &str, indent: usize) {
    let room = COLUMNS - indent;
    let mut current = String::new();
    // A number keeps its unit.
    let content = content.replace(" %", "\u{a0}%");
    for mut word in content.split(' ') {
        if !current.is_empty() && width(&current) + 1 + width(word) > room {
            line(text, &format!("{:indent$}{}", "", current.replace('\u{a0}', " ")));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        // A word that no line can hold is broken.
        while width(word) > room && current.is_empty() {
            let (part, rest) = word.split_at(prefix(word, room).len());
            line(text, &format!("{:indent$}{part}", ""));
            word = rest;
        }
        current.push_str(word);
    }
    line(text, &format!("{:indent$}{}", "", current.replace('\u{a0}', " ")));
}

/// How much the attempts of a case scatter: what `repeats` are for.
fn render_spread(text: &mut String, experiment: &ExperimentSummary) {
    let spreads: Vec<String> = experiment
        .rules
        .judges
        .iter()
        .enumerate()
        .filter_map(|(index, judge)| {
            let scored =
                experiment.cases.iter().filter_map(|case| case.scores.get(index)?.scored());
            let spreads: Vec<f64> = scored.filter_map(|scored| scored.spread).collect();
            let mean = stats::mean(&spreads).filter(|mean| *mean > 0.0)?;
            Some(format!("{} {}", judge.name, number(mean)))
        })
        .collect();
    if !spreads.is_empty() {
        text.push('\n');
        line(text, &format!("  {DIM}spread within a case (mean standard deviation){DIM:#}"));
        wrapped(text, &spreads.join(", "), 4);
    }
}

/// Cases whose attempts disagree.
fn render_flaky(text: &mut String, experiment: &ExperimentSummary) {
    let flaky = &experiment.flaky;
    if flaky.is_empty() {
        return;
    }
    let more = flaky.len().saturating_sub(SHOWN_MISSES);
    let more = if more > 0 { format!(" and {} more", thousands(more)) } else { String::new() };
    text.push('\n');
    let of = count(experiment.cases.len(), "case");
    line(
        text,
        &format!(
            "  {YELLOW}flaky{YELLOW:#} {DIM}{} of {of}, good attempts of all{DIM:#}",
            flaky.len()
        ),
    );
    wrapped(text, &format!("{}{more}", flaky[..flaky.len().min(SHOWN_MISSES)].join(", ")), 4);
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
    if let Some(baseline) = &verdict.baseline {
        text.push('\n');
        let day = baseline.accepted_at.split('T').next().unwrap_or_default();
        let mut words = format!("baseline of {day}");
        let commit = baseline.commit.as_deref().map(|commit| prefix(commit, 7)).unwrap_or_default();
        for part in [age(&baseline.accepted_at).as_str(), commit] {
            if !part.is_empty() {
                words.push_str(&format!(", {part}"));
            }
        }
        match &baseline.changed[..] {
            [] => words.push_str("; nothing that is tracked has changed since"),
            changed => words.push_str(&format!("; changed since: {}", changed.join(", "))),
        }
        wrapped(text, &words, 2);
    }
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
