//! Renders the first screen: the verdict and its causes, counts, and what changed.

use std::fmt::Write as _;

use super::escape::text;
use super::{escape, sign};
use crate::outcome::{Compared, Document, Ending, Experiment, Outcome, shown};
use crate::text::{count, seconds, thousands};

/// The most metadata and tags that are shown on the first screen; twice as many changes.
const MANY: usize = 5;

/// Returns the title of the page: the name of its experiment, or its targets, or that of the invocation.
pub(super) fn title(document: &Document<'_>) -> String {
    match document.experiments.as_slice() {
        [one] => one.name.to_owned(),
        [] => document.invocation.to_owned(),
        several => {
            let mut targets: Vec<&str> = several.iter().map(|one| one.target).collect();
            targets.dedup();
            format!("{}: {}", targets.join(", "), count(several.len(), "experiment"))
        }
    }
}

/// Returns the header of the page.
pub(super) fn render(document: &Document<'_>) -> String {
    let mut html = format!(
        "<header>\n<div class=\"title\"><h1>{} {}</h1>\n\
         <div class=\"tools\" hidden><button type=\"button\" id=\"theme\">Theme: auto</button>\
         <button type=\"button\" id=\"keys\">Keys <kbd>?</kbd></button></div></div>\n",
        badge(document.outcome),
        text(&title(document)),
    );
    match document.ending {
        Ending::Complete => {}
        Ending::Interrupted => {
            html.push_str("<p class=\"cause\">The run was interrupted.</p>\n");
        }
        Ending::Unfinished => html.push_str(
            "<p class=\"cause\">A process did not say that it ended: it was killed, or still \
             runs.</p>\n",
        ),
    }
    if let [only] = document.experiments.as_slice() {
        html.push_str(&causes(only));
    }
    html.push_str(&about(document));
    if document.experiments.is_empty() {
        html.push_str("<p>No experiment was run.</p>\n");
    }
    if document.experiments.len() > 1 {
        html.push_str(&overview(document));
    }
    html.push_str("</header>\n");
    html
}

fn badge(outcome: Outcome) -> String {
    let sign = match outcome {
        Outcome::Pass => "✔",
        Outcome::Fail => "✘",
        Outcome::Inconclusive => "?",
        Outcome::Unfinished => "!",
    };
    format!(
        "<span class=\"badge {}\"><span aria-hidden=\"true\">{sign}</span> {}</span>",
        outcome.name(),
        outcome.word()
    )
}

fn causes(experiment: &Experiment<'_>) -> String {
    let mut html = String::new();
    for cause in &experiment.causes {
        let _ = writeln!(html, "<p class=\"cause\">{}</p>", text(cause));
    }
    if let Some(stopped) = experiment.figures.stopped() {
        let _ = writeln!(
            html,
            "<p class=\"cause\">Run {}; {} not run, and means are of the cases that ran.</p>",
            text(&stopped.text()),
            thousands(stopped.not_run())
        );
    }
    html
}

/// Returns one line about the run: its time, its sources, how long it took, and its name.
fn about(document: &Document<'_>) -> String {
    let mut parts = Vec::new();
    if !document.invocation.is_empty() {
        parts.push(format!("run <code>{}</code>", text(document.invocation)));
    }
    if let Some((day, time)) = document.started_at.split_once('T') {
        let time = time.get(..5).unwrap_or(time);
        parts.push(format!(
            "<time datetime=\"{}\">{} {} UTC</time>",
            text(document.started_at),
            text(day),
            text(time)
        ));
    }
    if let Some(git) = document.git {
        let hash = git.commit_hash_short.as_deref().or(git.commit_hash.as_deref());
        if let Some(hash) = hash {
            let dirty = if git.is_dirty == Some(true) { " (dirty)" } else { "" };
            let branch = git.branch.as_deref().unwrap_or_default();
            parts.push(format!("git <code>{}</code>{dirty} {}", text(hash), text(branch)));
        }
    }
    if let Some(elapsed) = document.elapsed {
        parts.push(seconds(elapsed));
    }
    if let [only] = document.experiments.as_slice() {
        parts.extend(facts(only));
    }
    format!("<p class=\"about\">{}</p>\n", parts.join(" · "))
}

/// Returns further facts about an experiment.
fn facts(experiment: &Experiment<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    let record = experiment.record;
    if !record.dataset.is_empty() {
        parts.push(format!("dataset {}", text(&record.dataset)));
    }
    if record.repeats > 1 {
        parts.push(format!("{} attempts per case", record.repeats));
    }
    for (key, value) in record.metadata.iter().take(MANY) {
        let value = shown(value);
        let (value, more) = escape::cut(&value, 80);
        parts.push(format!("{} {}{}", text(key), text(value), if more { "…" } else { "" }));
    }
    parts.extend(record.tags.iter().take(MANY).map(|tag| format!("#{}", text(tag))));
    if let Some((file, line)) = experiment.place {
        parts.push(format!("<code>{}:{line}</code>", text(file)));
    }
    parts
}

/// Returns the list of all experiments, worst first; with the script each is a tab.
fn overview(document: &Document<'_>) -> String {
    let mut html = String::from("<nav class=\"tabs\" aria-label=\"Experiments\"><ul>\n");
    for (index, experiment) in document.experiments.iter().enumerate() {
        let counts = experiment.figures.counts;
        let good =
            format!("{} of {}", thousands(counts.states.pass), thousands(counts.states.all()));
        let _ = writeln!(
            html,
            "<li><a href=\"#x{index}\" data-x=\"{index}\">{} <b>{}</b> <small>{good}</small></a>\
             </li>",
            badge(experiment.outcome),
            text(experiment.name),
        );
    }
    html.push_str("</ul></nav>\n");
    html
}

/// Returns the head of an experiment's section: its name where the page has several, counts, changes.
pub(super) fn experiment(experiment: &Experiment<'_>, several: bool) -> String {
    let mut html = String::new();
    if several {
        let _ = writeln!(
            html,
            "<h2>{} {}</h2>\n{}<p class=\"about\">{}</p>",
            badge(experiment.outcome),
            text(experiment.name),
            causes(experiment),
            facts(experiment).join(" · ")
        );
    }
    html.push_str(&strip(experiment));
    if let Some(compared) = &experiment.compared {
        html.push_str(&changes(compared));
    }
    html
}

/// Returns the numbers of cases by state, their change, and the latency.
fn strip(experiment: &Experiment<'_>) -> String {
    let counts = experiment.figures.counts;
    let mut html = String::from("<div class=\"strip\">\n<p>");
    let _ = write!(html, "<span class=\"n\">{}</span> ", count(counts.states.all(), "case"));
    for (name, word, n) in counts.shown() {
        let sign = sign(name);
        if n > 0 || name == "pass" {
            let _ = write!(
                html,
                "<span class=\"s-{name}\"><i aria-hidden=\"true\">{sign}</i> <b>{}</b> {word}\
                 </span> ",
                thousands(n)
            );
        }
    }
    html.push_str("</p>\n");
    if let Some(compared) = &experiment.compared {
        let _ = write!(
            html,
            "<p><span class=\"s-pass\"><i aria-hidden=\"true\">▲</i> <b>{}</b> better</span> \
             <span class=\"s-fail\"><i aria-hidden=\"true\">▼</i> <b>{}</b> worse</span> \
             <span><b>{}</b> same</span>",
            thousands(compared.fixed),
            thousands(compared.regressed),
            thousands(compared.same)
        );
        if compared.incomparable > 0 {
            let number = thousands(compared.incomparable);
            let _ = write!(html, " <span><b>{number}</b> not comparable</span>");
        }
        html.push_str("</p>\n");
    }
    if let Some(latency) = &experiment.figures.latency {
        let _ = writeln!(
            html,
            "<p><span>p50 <b>{}</b></span> <span>p95 <b>{}</b></span></p>",
            seconds(latency.p50),
            seconds(latency.p95)
        );
    }
    html.push_str("</div>\n");
    html.push_str(&proportions(counts.shown()));
    html
}

/// Returns the states as parts of one bar.
fn proportions(counts: [(&str, &str, usize); 6]) -> String {
    let all: usize = counts.iter().map(|(_, _, n)| n).sum();
    if all == 0 {
        return String::new();
    }
    let mut html = String::from(
        "<svg class=\"parts\" viewBox=\"0 0 1000 6\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\">",
    );
    let mut x = 0.0;
    for (name, _, n) in counts.iter().filter(|(_, _, n)| *n > 0) {
        let width = *n as f64 / all as f64 * 1000.0;
        let _ = write!(
            html,
            "<rect class=\"f-{name}\" x=\"{x:.1}\" width=\"{width:.1}\" height=\"6\"/>"
        );
        x += width;
    }
    html.push_str("</svg>\n");
    html
}

/// Returns the differences from the run that the experiment is compared with.
fn changes(compared: &Compared<'_>) -> String {
    let mut html = format!("<p class=\"changed\"><b>Compared with {}</b>", text(&compared.label));
    if let Some(commit) = compared.commit {
        let _ = write!(html, " <code>{}</code>", text(escape::cut(commit, 9).0));
    }
    html.push_str(". ");
    let mut all: Vec<String> = compared.changed.iter().map(|one| text(one)).collect();
    // The metadata and the spans may both name the same change of the model.
    let mut seen = std::collections::HashSet::new();
    all.retain(|one| seen.insert(one.clone()));
    let rest = all.len().saturating_sub(MANY * 2);
    all.truncate(MANY * 2);
    if rest > 0 {
        all.push(format!("and {rest} more"));
    }
    if all.is_empty() {
        html.push_str("Nothing that is tracked has changed since; the sources may have.");
    } else {
        let all: Vec<String> = all.iter().map(|one| format!("<mark>{one}</mark>")).collect();
        html.push_str("Changed since: ");
        html.push_str(&all.join(" "));
    }
    html.push_str("</p>\n");
    html
}
