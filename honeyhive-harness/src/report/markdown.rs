//! Renders `summary.md`, the comment of a pull request and GitHub's summary of a job.
//!
//! The file begins with a marker that is the same in every run of the same test targets
//! (`<!-- honeyhive: app/evals -->`), so that a script that posts it finds the last comment.
//!
//! Texts of others stand in code spans and code blocks, whose fences are longer than anything inside, so
//! that they cannot become markup, a link, a mention or the end of the marker. The whole is shorter than
//! GitHub allows, whatever the data.

use std::fmt::Write as _;

use super::{sliced, words};
use crate::journal::{GitRecord, RuleRecord, SlicesRecord, Verdict};
use crate::outcome::{
    Case, Change, Compared, Document, Ending, Evaluated, Experiment, Finding, Measured, Outcome,
    shown, shown_inputs,
};
use crate::text::{count, middle, number, one_line, seconds, thousands};

/// The most letters of the summary: GitHub takes 65,536, and a script that posts it may add a line.
const MOST: usize = 65_000;

/// The letters that are kept back for the note that something was left out.
const NOTE: usize = 500;

/// The most cases that are shown, per experiment.
const SHOWN_CASES: usize = 10;

/// The most rules that are shown of an evaluator.
const MOST_RULES: usize = 8;

/// The most columns of an input, output or reason.
const LONGEST: usize = 600;

/// The most columns of a name or rule in a table.
const LONGEST_CELL: usize = 120;

/// Returns the whole summary.
pub(crate) fn render(document: &Document<'_>) -> String {
    let mut page = Page::default();
    let marker: Vec<String> = document.targets().iter().map(|target| plain(target)).collect();
    page.add(&format!("<!-- honeyhive: {} -->\n", one_line(&marker.join(", "), 1000)));
    page.add(&heading(document));
    for experiment in &document.experiments {
        page.add(&of_experiment(experiment));
    }
    for experiment in &document.experiments {
        cases(&mut page, experiment);
    }
    page.finish()
}

/// A text to which blocks are added as long as there is room.
#[derive(Default)]
struct Page {
    text: String,
    letters: usize,
    left_out: bool,
}

impl Page {
    /// Adds a block where there is room; returns whether there was.
    fn add(&mut self, block: &str) -> bool {
        let letters = block.encode_utf16().count();
        let fits = self.letters + letters <= MOST - NOTE;
        if fits {
            self.text.push_str(block);
            self.letters += letters;
        } else {
            self.left_out = true;
        }
        fits
    }

    fn finish(mut self) -> String {
        if self.left_out {
            self.text.push_str(
                "\n> [!NOTE]\n> Not everything fits into a comment. The whole is in `report.html` \
                 and `results.jsonl`, and `cargo honeyhive report` writes them again.\n",
            );
        }
        self.text
    }
}

/// Returns the outcome of the run in two lines.
fn heading(document: &Document<'_>) -> String {
    let targets: Vec<String> = document.targets().iter().map(|target| code(target, 80)).collect();
    let mut text = format!(
        "## {} {}{}\n\n",
        mark(document.outcome),
        document.outcome.word(),
        if targets.is_empty() { String::new() } else { format!(" · {}", targets.join(", ")) }
    );
    let counts = document.counts;
    let states = counts.shown().into_iter().filter(|(_, _, cases)| *cases > 0);
    let states: Vec<String> =
        states.map(|(_, word, cases)| format!("{} {word}", thousands(cases))).collect();
    let mut parts = vec![count(counts.states.all(), "case")];
    if !states.is_empty() {
        parts[0].push_str(&format!(": {}", states.join(", ")));
    }
    parts.extend(document.elapsed.map(seconds));
    parts.extend(document.git.and_then(sources));
    match document.ending {
        Ending::Complete => {}
        Ending::Interrupted => parts.push("interrupted".to_owned()),
        Ending::Unfinished => parts.push("a process did not end, or still runs".to_owned()),
    }
    text.push_str(&parts.join(" · "));
    text.push('\n');
    text
}

fn sources(git: &GitRecord) -> Option<String> {
    let hash = git.commit_hash_short.as_ref().or(git.commit_hash.as_ref())?;
    let dirty = if git.is_dirty == Some(true) { " with uncommitted changes" } else { "" };
    Some(format!("commit {}{dirty}", code(hash, 40)))
}

const fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✅",
        Outcome::Inconclusive | Outcome::Unfinished => "⚠️",
        Outcome::Fail => "❌",
    }
}

/// Returns the part of an experiment: verdict, causes, what changed, and the table.
fn of_experiment(experiment: &Experiment<'_>) -> String {
    let mut text = format!(
        "\n### {} {} {}\n\n",
        mark(experiment.outcome),
        code(experiment.name, 80),
        experiment.outcome.word()
    );
    for cause in experiment.causes.iter().take(10) {
        let _ = writeln!(text, "- {}", code(cause, LONGEST));
    }
    if !experiment.causes.is_empty() {
        text.push('\n');
    }
    if let Some(stopped) = experiment.figures.stopped() {
        let _ = writeln!(
            text,
            "Run {}; {} not run, and means are of the cases that ran.\n",
            stopped.text(),
            thousands(stopped.not_run())
        );
    }
    if let Some(compared) = &experiment.compared {
        text.push_str(&against(compared));
    }
    text.push_str(&table(experiment));
    for one in experiment.compared.iter().flat_map(|compared| &compared.slices) {
        text.push_str(&slices(one));
    }
    text
}

/// Returns the sentence that says whether slices differ, and a table of them.
fn slices(one: &SlicesRecord) -> String {
    let [slice, n, gain, shrunken] = sliced::HEADS;
    let mut text = format!(
        "\n{}\n\n| {slice} | {n} | {gain} | {shrunken} |\n|---|--:|--:|--:|\n",
        code(&sliced::sentence(one), LONGEST)
    );
    for [slice, n, gain, shrunken] in one.slices.iter().take(sliced::MOST).map(sliced::cells) {
        let _ = writeln!(text, "| {} | {n} | {gain} | {shrunken} |", cell(&slice));
    }
    if let Some(more) = sliced::more(one) {
        let _ = writeln!(text, "\n{more}");
    }
    text
}

/// Returns `▼ 4 regressed, ▲ 6 fixed against the baseline`, and what may be the reason.
fn against(compared: &Compared<'_>) -> String {
    let parts = [
        ("▼", compared.regressed, "regressed"),
        ("▲", compared.fixed, "fixed"),
        ("=", compared.same, "same"),
        ("+", compared.incomparable, "not comparable"),
    ];
    let parts = parts.into_iter().filter(|(_, cases, _)| *cases > 0);
    let parts: Vec<String> =
        parts.map(|(sign, cases, word)| format!("{sign} {} {word}", thousands(cases))).collect();
    let label = code(&compared.label, 80);
    let mut text = format!("Against {label}: {}", parts.join(", "));
    if !compared.changed.is_empty() {
        let changed = compared.changed.iter().take(20).map(|change| code(change, LONGEST_CELL));
        let _ = write!(text, "  \nChanged since then: {}", changed.collect::<Vec<_>>().join(", "));
        let more = compared.changed.len().saturating_sub(20);
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
    }
    text.push_str("\n\n");
    text
}

fn table(experiment: &Experiment<'_>) -> String {
    let compared = experiment.compared.is_some();
    let figures = &experiment.figures;
    let mut text =
        format!("| {} | {} | {} | {} |", words::EVALUATOR, words::MEAN, words::INTERVAL, words::N);
    text.push_str(if compared { " change | better / worse |" } else { "" });
    let _ = writeln!(text, " {} |", words::GATE);
    text.push_str("|---|--:|---|--:|");
    text.push_str(if compared { "---|--:|---|\n" } else { "---|\n" });
    let mut line = |name: &str, [mean, interval, n]: [String; 3], change, gate: String| {
        let _ = write!(text, "| {name} | {mean} | {interval} | {n} |");
        if compared {
            let (change, moved): (String, String) = change;
            let _ = write!(text, " {change} | {moved} |");
        }
        let _ = writeln!(text, " {gate} |");
    };
    let cells = |measured: Option<&Measured>, show: &dyn Fn(f64) -> String| {
        words::cells(measured, figures.cases, "-", show)
    };
    let nothing = || (String::new(), String::new());
    let notes = |one: &Evaluated<'_>| -> String {
        let parts = [(one.not_applicable, "not applicable"), (one.missing, "without a score")];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{} {what}", thousands(*number)))
            .collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    };
    for one in &figures.evaluators {
        let name = format!("{}{}", cell(&one.record.name), notes(one));
        line(&name, cells(one.measured.as_ref(), &number), change(one), gates(&one.rules));
    }
    if let Some(latency) = &figures.latency {
        let measured = cells(Some(&latency.measured), &seconds);
        line(words::LATENCY, measured, nothing(), gates(&latency.rules));
    }
    let errors = figures.error_rate.as_ref();
    if errors.is_some_and(|rate| rate.mean > 0.0) || !figures.error_rules.is_empty() {
        line(words::ERROR_RATE, cells(errors, &number), nothing(), gates(&figures.error_rules));
    }
    text
}

/// Returns two cells about the change: `-0.031 (**worse**, p = 0.012)` and `3 / 11`.
fn change(row: &Evaluated<'_>) -> (String, String) {
    let (Some(comparison), Some(found)) = (&row.comparison, row.difference) else {
        return (String::new(), String::new());
    };
    if found.finding == Finding::Incomparable {
        let why = comparison.incomparable.as_deref().unwrap_or("no case is in both");
        return (format!("not comparable: {}", cell(why)), String::new());
    }
    let words = match found.finding {
        Finding::Better | Finding::Worse => {
            let words = found.words();
            let (word, rest) = words
                .split_once(',')
                .map_or((&*words, ""), |(word, _)| (word, &words[word.len()..]));
            format!("**{word}**{rest}")
        }
        _ => found.words(),
    };
    let difference = comparison.after - comparison.before;
    let sign = if difference > 0.0 { "+" } else { "" };
    let change = format!("{sign}{} ({words})", number(difference));
    (change, format!("{} / {}", thousands(comparison.better), thousands(comparison.worse)))
}

fn gates(rules: &[&RuleRecord]) -> String {
    let mut rules = rules.to_vec();
    if rules.len() > MOST_RULES {
        // Rules that do not hold come first, so that they are not the ones that are left out.
        rules.sort_by_key(|rule| rule.verdict.rank());
    }
    let shown = rules.iter().take(MOST_RULES).map(|rule| {
        let mark = match rule.verdict {
            Verdict::Pass => "✅",
            Verdict::Fail => "❌",
            Verdict::Inconclusive => "⚠️",
        };
        format!("{mark} {}", cell(&rule.rule))
    });
    let mut text = shown.collect::<Vec<_>>().join("<br>");
    if rules.len() > MOST_RULES {
        let _ = write!(text, "<br>and {} more", rules.len() - MOST_RULES);
    }
    if text.is_empty() { "-".to_owned() } else { text }
}

/// Adds the worst cases, folded; as many as there is room for.
fn cases(page: &mut Page, experiment: &Experiment<'_>) {
    let worst = experiment.worst();
    if worst.is_empty() {
        return;
    }
    let shown = worst.len().min(SHOWN_CASES);
    let which = if shown == worst.len() {
        count(worst.len(), "case")
    } else {
        format!("The worst {shown} of {}", count(worst.len(), "case"))
    };
    // Code spans have no effect within HTML, so the name is escaped instead.
    let name = html(&one_line(experiment.name, 80));
    let room = page.add(&format!(
        "\n<details><summary>{which} of <code>{name}</code> not as expected</summary>\n"
    ));
    if room {
        for case in worst.into_iter().take(shown) {
            // The room for the closing tag is part of that for the note.
            page.add(&of_case(case));
        }
        page.text.push_str("\n</details>\n");
    }
}

fn of_case(case: &Case<'_>) -> String {
    let allowed = if case.passed { ", the gate decides" } else { "" };
    let state = if case.is_miss() { "miss" } else { case.state.name() };
    let moved = match (case.missed_before, case.change) {
        (Some(false), _) => " ▼ new",
        (Some(true), Some(Change::Regressed)) => " ▼ regressed, missed before",
        (Some(true), _) => ", missed before",
        (None, Some(Change::Regressed)) => " ▼ regressed",
        (None, _) => "",
    };
    let mut text = format!("\n**{}** {state}{allowed}{moved}\n", code(case.id, 120));
    let mut lines = String::new();
    for reason in case.reasons.iter().take(5) {
        let _ = writeln!(lines, "{}", middle(reason, LONGEST));
    }
    if let Some(attempt) = case.worst_attempt() {
        let mut field = |name: &str, value: &str| {
            let _ = writeln!(lines, "{name:<9} {}", middle(value, LONGEST));
        };
        if !attempt.inputs.is_empty() {
            field("input", &shown_inputs(&attempt.inputs));
        }
        if let Some(expected) = &attempt.ground_truth {
            field("expected", &shown(expected));
        }
        if let Some(output) = &attempt.output {
            field("output", &shown(output));
        }
    }
    let _ = writeln!(lines, "{:<9} {}", "rerun", one_line(&case.rerun, LONGEST));
    let fence = "`".repeat(longest_run(&lines).max(2) + 1);
    let _ = write!(text, "{fence}text\n{lines}{fence}\n");
    text
}

/// Returns the length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns a text as a code span of one line.
fn code(text: &str, width: usize) -> String {
    let line = one_line(text, width);
    if line.trim().is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&line) + 1);
    // Markdown needs spaces where the text begins or ends with a backtick, and does not show them.
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// Returns a code span for a table, where a bar would end the cell even within the span.
fn cell(text: &str) -> String {
    code(text, LONGEST_CELL).replace('|', "\\|")
}

/// Replaces the characters that could end a comment of HTML.
fn plain(text: &str) -> String {
    let fine =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | ' ') || c == '-';
    let text: String = text.chars().map(|c| if fine(c) { c } else { '_' }).collect();
    text.replace("--", "-_")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
