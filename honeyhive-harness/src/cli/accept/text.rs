//! Describes an accepted baseline, with the warnings about it.

use super::Accepted;
use crate::text::{count, number};

/// Returns the lines about the baseline of one experiment.
pub(super) fn line(accepted: &Accepted) -> String {
    let scores: Vec<String> = accepted
        .scores
        .iter()
        .map(|(name, now, then)| match then {
            Some(then) if (now - then).abs() > 1e-12 => {
                format!("{name} {} (was {})", number(*now), number(*then))
            }
            _ => format!("{name} {}", number(*now)),
        })
        .collect();
    let word = if accepted.written { "accepted" } else { "unchanged" };
    let attempts = accepted.attempts.map_or_else(String::new, |attempts| {
        format!(" × {}", count(attempts.get() as usize, "attempt"))
    });
    let mut text = format!(
        "{word} {}: {}{attempts}, {}\n  {}\n",
        accepted.experiment,
        count(accepted.cases, "case"),
        scores.join(", "),
        accepted.file.display()
    );
    if !accepted.changed.is_empty() {
        text.push_str(&format!(
            "  changed since the baseline before: {}\n",
            accepted.changed.join(", ")
        ));
    }
    if accepted.gate_failed {
        text.push_str("  its gate failed: later runs are measured by a run that did not hold\n");
    }
    if let Some((of_run, of_file)) = &accepted.other_package {
        text.push_str(&format!(
            "  warning: the run is of the package `{of_run}`, and this file is of the package \
             `{of_file}`, whose runs are compared with it from now on\n"
        ));
    }
    for (name, scored, wanted) in &accepted.gaps {
        text.push_str(&format!(
            "  warning: {name} has a score for {scored} of {} only, after errors; later runs are \
             compared on these alone\n",
            count(*wanted, "case")
        ));
    }
    if accepted.written && !accepted.improved.is_empty() {
        text.push_str(&format!(
            "  warning: {} better than the baseline before by more than chance. A run that is \
             accepted because it was good makes later ones look worse (false alarms of 11 % instead \
             of 1 %): run it once more and accept that run\n",
            match accepted.improved.as_slice() {
                [one] => format!("{one} is"),
                all => format!("{} are", all.join(", ")),
            }
        ));
    }
    if accepted.unscored > 0 {
        text.push_str(&format!(
            "  {} without any score, which later runs cannot be compared with\n",
            count(accepted.unscored, "case")
        ));
    }
    text
}
