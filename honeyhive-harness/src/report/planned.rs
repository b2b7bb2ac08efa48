//! Renders a plan, for a terminal of 80 columns.

use super::lines::wrapped;
use super::{BOLD, DIM};
use crate::gate::plan::{Planned, PlannedRule, PlannedStop};
use crate::text::{count, number, plain, seconds};

pub(super) fn render(all: &[Planned]) -> String {
    let mut text = String::new();
    for (at, planned) in all.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let time = planned.seconds.map(|time| format!(", about {}", seconds(time)));
        text.push_str(&format!(
            "{BOLD}{}{BOLD:#} {DIM}·{DIM:#} {} × {} = {}{}\n",
            plain(&planned.experiment),
            count(planned.cases, "case"),
            planned.repeats,
            count(planned.calls, "call"),
            time.unwrap_or_default()
        ));
        if let Some(stops) = &planned.stops {
            wrapped(&mut text, &stopping(stops), 2);
        }
        wrapped(&mut text, &format!("scatter known from: {}", planned.from), 2);
        for rule in &planned.rules {
            render_rule(&mut text, rule);
        }
        if let Some(chance) = planned.any_case_fails {
            let share = percent(chance);
            let said = if chance > 0.0 {
                format!(
                    "an ungated case fails in {share} of runs, if each behaves as it did{}",
                    if chance > 0.2 { "; let a gate decide: gate(mean(..) >= ..)" } else { "" }
                )
            } else {
                "no ungated case has failed in the recorded runs".to_owned()
            };
            wrapped(&mut text, &said, 2);
        }
    }
    text
}

/// Describes after how many cases a run with `stop = decided` can end.
fn stopping(stops: &PlannedStop) -> String {
    let of = |after: Option<usize>, what: &str, scores: &str| {
        let after = after?;
        Some(format!("{what} after {} at the earliest, all of them {scores}", count(after, "case")))
    };
    let parts = [
        of(stops.fails_after, "fails", "at the worst score"),
        of(stops.passes_after, "passes", "at the best"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return "stop = decided: only the last case decides this gate".to_owned();
    }
    format!("stop = decided: it {}", parts.join("; it "))
}

fn render_rule(text: &mut String, rule: &PlannedRule) {
    text.push_str(&format!("  {}\n", plain(&rule.rule)));
    let mut parts = Vec::new();
    if let Some(chance) = rule.false_alarms {
        parts.push(format!("false alarms {}", percent(chance)));
    }
    if let Some(effect) = rule.detects {
        parts.push(format!("notices a loss of {} in 4 runs of 5", number(effect)));
    }
    if let Some(needs) = rule.needs {
        parts.push(match rule.detects {
            Some(_) => format!("a loss of 0.05 takes about {}", count(needs, "case")),
            None => format!("takes about {} if nothing changed", count(needs, "case")),
        });
    }
    if !rule.note.is_empty() {
        parts.push(rule.note.clone());
    }
    if !parts.is_empty() {
        wrapped(text, &parts.join("; "), 4);
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        little if little < 0.1 => "under 0.1 %".to_owned(),
        much if much > 99.9 => "over 99.9 %".to_owned(),
        share => format!("{} %", number((share * 10.0).round() / 10.0)),
    }
}
