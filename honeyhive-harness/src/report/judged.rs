//! Renders the verdicts on recorded runs, for a terminal of 80 columns.

use super::lines::wrapped;
use super::words;
use super::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::gate::recorded::Judged;
use crate::journal::Verdict;
use crate::text::{count, plain, thousands};

/// The most names that are shown of cases that fail by themselves.
const SHOWN: usize = 10;

pub(super) fn render(all: &[Judged]) -> String {
    let mut text = String::new();
    for judged in all {
        let (word, style) = match judged.verdict {
            Verdict::Pass => ("PASS", GREEN),
            Verdict::Fail => ("FAIL", RED),
            Verdict::Inconclusive => ("INCONCLUSIVE", YELLOW),
        };
        text.push_str(&format!(
            "{style}{word}{style:#} {BOLD}{}{BOLD:#} {DIM}· {}{DIM:#}\n",
            plain(&judged.experiment),
            count(judged.cases, "case"),
        ));
        if let Some(stopped) = judged.gate.stopped {
            wrapped(&mut text, &stopped.text(), 4);
        }
        if let Some(reason) = &judged.gate.reason {
            wrapped(&mut text, reason, 4);
        }
        for rule in &judged.gate.rules {
            let (mark, style) = words::mark(rule.verdict);
            text.push_str(&format!("  {style}{mark}{style:#}\n"));
            wrapped(&mut text, &rule.text, 4);
        }
        if let Some(baseline) = &judged.gate.baseline {
            super::sliced::render(&mut text, &baseline.slices);
        }
        for note in &judged.notes {
            text.push_str(&format!("  {YELLOW}note{YELLOW:#}\n"));
            wrapped(&mut text, note, 4);
        }
        if !judged.failing.is_empty() {
            let failing = count(judged.failing.len(), "case");
            text.push_str(&format!("  {RED}{failing} that no gate decides{RED:#}\n"));
            for (case, reason) in judged.failing.iter().take(SHOWN) {
                wrapped(&mut text, &format!("{case}: {reason}"), 4);
            }
            if judged.failing.len() > SHOWN {
                let more = thousands(judged.failing.len() - SHOWN);
                text.push_str(&format!("    {DIM}… and {more} more{DIM:#}\n"));
            }
        }
    }
    text
}
