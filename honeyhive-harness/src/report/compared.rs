//! Renders two runs beside each other, for a terminal of 80 columns.

use super::words::{EVALUATOR, signed};
use super::{BOLD, COLUMNS, DIM, GREEN, RED};
use crate::baseline::{Pair, ScoreComparison};
use crate::outcome::{Difference, Experiment, Finding};
use crate::text::{number, one_line, pad, plain, thousands, width};

/// Renders experiments beside the runs that they are compared with. `after` is the name of their own
/// run; `cases` is how many that moved are shown for each evaluator.
pub(super) fn render(all: &[Experiment<'_>], after: &str, cases: usize) -> String {
    let mut text = String::new();
    for (at, experiment) in all.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        render_one(&mut text, experiment, after, cases);
    }
    text
}

fn render_one(text: &mut String, experiment: &Experiment<'_>, after: &str, cases: usize) {
    let Some(compared) = &experiment.compared else { return };
    let evaluators = experiment.figures.evaluators.iter();
    let scores: Vec<(&ScoreComparison, Difference)> =
        evaluators.filter_map(|one| one.comparison.as_ref().zip(one.difference)).collect();
    text.push_str(&format!(
        "{BOLD}{}{BOLD:#} {DIM}· {} → {}{DIM:#}\n",
        plain(experiment.name),
        plain(&compared.label),
        plain(after)
    ));
    let changed = if compared.changed.is_empty() {
        "nothing that is tracked".to_owned()
    } else {
        compared.changed.join(", ")
    };
    super::lines::wrapped(text, &format!("changed: {changed}"), 2);
    let names = scores.iter().map(|(score, _)| width(&score.evaluator));
    let longest = names.max().unwrap_or(0);
    let longest = longest.clamp(9, 16);
    text.push_str(&format!(
        "\n  {DIM}{}  {:>6} {:>6} {:>7}  {:<16} {:>6}  better / worse{DIM:#}\n",
        pad(EVALUATOR, longest),
        "before",
        "after",
        "gain",
        "95 % of the gain",
        "p"
    ));
    for (score, found) in &scores {
        text.push_str(&row(score, *found, longest));
    }
    let any = |by_gate: bool| {
        let mut compared = scores.iter().filter(|(_, found)| found.p.is_some());
        compared.any(|(_, found)| found.by_gate == by_gate)
    };
    let said = match (any(true), any(false)) {
        (true, true) => "p is the gate's where it has a no_regression, and two-sided elsewhere",
        (true, false) => "p is the gate's: of a loss, corrected for its tests",
        (false, true) => "p is two-sided",
        (false, false) => "",
    };
    if !said.is_empty() {
        text.push_str(&format!("  {DIM}{said}{DIM:#}\n"));
    }
    super::sliced::render(text, &compared.slices);
    for (score, _) in &scores {
        moved(text, score, cases);
    }
}

fn row(score: &ScoreComparison, found: Difference, longest: usize) -> String {
    let name = pad(&one_line(&score.evaluator, longest), longest);
    if let Some(why) = &score.incomparable {
        let mut text = format!("  {name}  {DIM}not compared{DIM:#}\n");
        super::lines::wrapped(&mut text, why, 4);
        return text;
    }
    if score.pairs.is_empty() {
        return format!("  {name}  {DIM}no case that both runs have a score for{DIM:#}\n");
    }
    let style = match found.finding {
        Finding::Better => GREEN,
        Finding::Worse => RED,
        _ => DIM,
    };
    let (p, words) = found.cells();
    let interval = match score.interval {
        Some(interval) => format!("{} to {}", number(interval.low), number(interval.high)),
        None => "no spread".to_owned(),
    };
    format!(
        "  {name}  {:>6} {:>6} {:>7}  {interval:<16} {p:>6}  {} / {}  {style}{words}{style:#}\n",
        number(score.before),
        number(score.after),
        signed(score.gain, &number),
        thousands(score.better),
        thousands(score.worse),
    )
}

/// Adds the cases whose scores changed, worst first and then best first.
fn moved(text: &mut String, score: &ScoreComparison, most: usize) {
    let mut worse: Vec<&Pair> = score.pairs.iter().filter(|pair| pair.gain < -1e-12).collect();
    let mut better: Vec<&Pair> = score.pairs.iter().filter(|pair| pair.gain > 1e-12).collect();
    worse.sort_by(|a, b| a.gain.total_cmp(&b.gain));
    better.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    for (word, style, pairs) in [("worse", RED, worse), ("better", GREEN, better)] {
        if pairs.is_empty() || most == 0 {
            continue;
        }
        text.push_str(&format!("\n  {style}{word}{style:#} by {}\n", plain(&score.evaluator)));
        for pair in pairs.iter().take(most) {
            text.push_str(&format!(
                "    {}  {} → {}\n",
                one_line(&pair.case, COLUMNS - 24),
                number(pair.before),
                number(pair.after)
            ));
        }
        if pairs.len() > most {
            let more = thousands(pairs.len() - most);
            text.push_str(&format!("    {DIM}… and {more} more (--cases){DIM:#}\n"));
        }
    }
}
