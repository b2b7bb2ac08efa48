//! Renders the methods behind the numbers, so that readers can check them.

use std::fmt::Write as _;

use super::escape::text;
use crate::outcome::{ALPHA, Document, Experiment};
use crate::text::{count, thousands};

pub(super) fn render(document: &Document<'_>, longest: usize, without_trace: usize) -> String {
    let mut html = String::from(
        "<footer>\n<details><summary>How these numbers came about</summary>\n<ul>\n\
         <li>The case is the unit: its attempts are averaged first. An error is not a score of 0: \
         cases without a score are left out of the mean, and every mean says its n.</li>\n\
         <li>Intervals are at 95 %: Wilson's where every case has 0 or 1, else Student's t, within \
         the range of the evaluator.</li>\n",
    );
    if document.experiments.iter().any(|one| one.compared.is_some()) {
        let _ = writeln!(
            html,
            "<li>Differences are between the same cases, where neither the row nor the evaluator \
             changed. Where the gate has a <code>no_regression</code> of an evaluator, p is the \
             gate's: of a loss, corrected for its tests. Elsewhere p is two-sided, from a sign-flip \
             permutation test of the pairs (seed 0; McNemar's exact test on hits and misses), and \
             not corrected; above {ALPHA} a difference is called not significant.</li>"
        );
    }
    for experiment in &document.experiments {
        html.push_str(&methods(experiment));
    }
    let _ = writeln!(
        html,
        "<li>Texts longer than {} bytes are cut in this page; the journal has them whole.</li>",
        thousands(longest)
    );
    if without_trace > 0 {
        let _ = writeln!(
            html,
            "<li>The traces of {} are left out, as the page would be too large; the journal has \
             them.</li>",
            count(without_trace, "case")
        );
    }
    html.push_str("</ul></details>\n");
    if without_trace > 0 {
        let _ = writeln!(
            html,
            "<p>Left out for size: the traces of {}, none of which needs attention more than \
             those that are here.</p>",
            count(without_trace, "case")
        );
    }
    let _ = writeln!(
        html,
        "<p>Written by honeyhive-harness {}. This file makes no network requests.</p>\n</footer>",
        text(document.harness)
    );
    html
}

/// Returns the settings of an experiment.
fn methods(experiment: &Experiment<'_>) -> String {
    let record = experiment.record;
    let attempts = u64::from(record.repeats);
    let mut html = format!(
        "<li>{}: {} of {}, {} each, {} retried after errors, timeout {} s",
        text(experiment.name),
        thousands(record.selected),
        count(record.rows, "row"),
        count(usize::try_from(attempts).unwrap_or(usize::MAX), "attempt"),
        match record.retries {
            0 => "never".to_owned(),
            1 => "once".to_owned(),
            n => format!("{n} times"),
        },
        record.timeout_ms / 1000,
    );
    for row in &experiment.figures.evaluators {
        let out = row.missing + row.not_applicable;
        if out > 0 {
            let _ = write!(
                html,
                "; <code>{}</code> leaves out {} ({} in error, {} not applicable)",
                text(&row.record.name),
                count(out, "case"),
                thousands(row.missing),
                thousands(row.not_applicable)
            );
        }
    }
    if let Some(gate) = &experiment.figures.gate {
        let rules: Vec<String> = if gate.rules.is_empty() {
            record.gates.iter().map(|rule| format!("<code>{}</code>", text(rule))).collect()
        } else {
            gate.rules.iter().map(|rule| format!("<code>{}</code>", text(&rule.rule))).collect()
        };
        let _ = write!(html, "; gate: {}", rules.join(", "));
    }
    if !record.require.is_empty() {
        let _ = write!(html, "; required of every attempt: {}", text(&record.require.join(", ")));
    }
    let _ = writeln!(html, ". Again: <code>{}</code></li>", text(&experiment.rerun));
    html
}
