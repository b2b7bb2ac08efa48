//! Renders the list of invocations.

use super::{BOLD, DIM, GREEN, RED, YELLOW, words};
use serde::Serialize;

use crate::journal::Verdict;
use crate::outcome::{Ending, ExperimentOverview, Overview};
use crate::text::{count, number, one_line, pad, thousands, width};
use crate::upload::Unsent;

/// The most columns of a name that is not ours.
const LONGEST_NAME: usize = 40;

/// The most columns of an error.
const LONGEST_ERROR: usize = 300;

/// An invocation in the list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    #[serde(flatten)]
    pub(crate) overview: Overview,
    /// The attempts and runs that have not been sent, by destination.
    pub(crate) unsent: Vec<Unsent>,
}

/// Returns one block per invocation: its time, targets, ending and size; then a line per experiment, and
/// the problems. `more` is the number of runs that are not among them.
pub(super) fn render(runs: &[Listed], more: usize) -> String {
    let mut text = String::new();
    for Listed { overview: run, unsent } in runs {
        text.push_str(&heading(run));
        let names = run.experiments.iter().map(|one| one_line(&one.name, LONGEST_NAME));
        let names: Vec<String> = names.collect();
        let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
        for (experiment, name) in run.experiments.iter().zip(&names) {
            text.push_str(&format!("    {}  {}\n", pad(name, widest), line(experiment)));
        }
        if let Some(error) = &run.error {
            text.push_str(&format!("    {RED}{}{RED:#}\n", one_line(error, LONGEST_ERROR)));
        }
        for file in &run.torn {
            let file = file.file_name().unwrap_or_default().to_string_lossy();
            let said = "torn: its last line was cut off by a crash and is left out";
            let file = one_line(&file, LONGEST_ERROR);
            text.push_str(&format!("    {YELLOW}{file} is {said}{YELLOW:#}\n"));
        }
        for unsent in unsent {
            let push = format!("cargo honeyhive push {}", run.invocation);
            for (said, why, next) in not_sent(unsent, &push) {
                let why = why.map(|why| format!("; {}", one_line(why, LONGEST_ERROR)));
                let why = why.unwrap_or_default();
                text.push_str(&format!("    {YELLOW}{said}{YELLOW:#}{why}; {next}\n"));
            }
        }
    }
    if more > 0 {
        let (all, more) = (runs.len() + more, count(more, "run"));
        text.push_str(&format!("and {more} more; --limit {all} shows all\n"));
    }
    text.push_str(&trends(runs));
    text
}

/// The means of one evaluator of an experiment from run to run.
struct Trend<'a> {
    target: &'a str,
    experiment: &'a str,
    evaluator: &'a str,
    /// The means of the runs, the oldest first.
    means: Vec<f64>,
}

/// Returns a table of the experiments that ran more than once with all their rows; empty without any.
fn trends(runs: &[Listed]) -> String {
    let mut trends: Vec<Trend<'_>> = Vec::new();
    // The evaluator that counts is the first of the newest run that judges.
    for Listed { overview: run, .. } in runs {
        let is_whole =
            |one: &&ExperimentOverview| one.selected == one.rows && one.stopped.is_none();
        for experiment in run.experiments.iter().filter(is_whole) {
            let (target, name) = (experiment.target.as_str(), experiment.name.as_str());
            let known =
                trends.iter_mut().find(|one| (one.target, one.experiment) == (target, name));
            let scores = &experiment.scores;
            if let Some(trend) = known {
                let same = scores.iter().find(|score| score.evaluator == trend.evaluator);
                trend.means.extend(same.map(|score| score.mean));
            } else if let Some(first) = scores.iter().find(|one| one.judges).or(scores.first()) {
                let (evaluator, means) = (first.evaluator.as_str(), vec![first.mean]);
                trends.push(Trend { target, experiment: name, evaluator, means });
            }
        }
    }
    trends.retain(|trend| trend.means.len() > 1);
    if trends.is_empty() {
        return String::new();
    }
    let cells: Vec<[String; 4]> = trends
        .iter_mut()
        .map(|trend| {
            trend.means.reverse();
            let (first, last) = (trend.means[0], trend.means[trend.means.len() - 1]);
            [
                one_line(trend.experiment, LONGEST_NAME),
                one_line(trend.evaluator, LONGEST_NAME),
                sparkline(&trend.means),
                format!("{} → {}", number(first), number(last)),
            ]
        })
        .collect();
    let heads = ["experiment", words::EVALUATOR, "runs", words::MEAN];
    let wide = |column: usize| {
        let widths = cells.iter().map(|row| width(&row[column]));
        widths.chain([width(heads[column])]).max().unwrap_or(0)
    };
    let widths: [usize; 4] = std::array::from_fn(wide);
    let line = |row: [&str; 4]| {
        let padded: Vec<String> =
            row.iter().zip(widths).map(|(cell, widest)| pad(cell, widest)).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut text = format!("\n{DIM}{}{DIM:#}\n", line(heads));
    for row in &cells {
        text.push_str(&line([&row[0], &row[1], &row[2], &row[3]]));
        text.push('\n');
    }
    text
}

/// Returns one bar per value, from the lowest to the highest of them; equal values are in the middle.
fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: &f64| {
        let share = if high - low > 1e-12 { (value - low) / (high - low) } else { 0.5 };
        // Not negative, and at most 7.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (share * 7.0).round() as usize;
        BARS[index.min(7)]
    };
    values.iter().map(bar).collect()
}

fn heading(run: &Overview) -> String {
    let when = match run.started_at.split_once('T') {
        Some((day, time)) => {
            let time = time.split(['.', 'Z']).next().unwrap_or_default();
            format!("{day} {time} UTC")
        }
        None => "at an unknown time".to_owned(),
    };
    let targets = if run.targets.is_empty() { "?".to_owned() } else { run.targets.join(", ") };
    let (style, ending) = match run.ending {
        Some(Ending::Complete) => (GREEN, "complete"),
        Some(Ending::Interrupted) => (YELLOW, "interrupted"),
        Some(Ending::Unfinished) => (YELLOW, "no end (killed, or still running)"),
        None => (RED, "unreadable"),
    };
    format!(
        "{BOLD}{}{BOLD:#}  {}  {style}{ending}{style:#}  {}  {DIM}{}{DIM:#}\n",
        one_line(&when, LONGEST_NAME),
        one_line(&targets, LONGEST_NAME * 2),
        size(run.bytes),
        one_line(&run.invocation, LONGEST_NAME),
    )
}

/// Returns lines about attempts that a destination lacks, each with the reason and the command that
/// sends them: `3 of 80 attempts not sent to HoneyHive at https://..`, and `2 of 80 attempts refused
/// by ..`.
fn not_sent<'a>(unsent: &'a Unsent, push: &str) -> Vec<(String, Option<&'a str>, String)> {
    let Unsent { to, attempts, left, unfinished_runs, refused, .. } = unsent;
    let all = count(*attempts, "attempt");
    let mut lines = Vec::new();
    if *left + *unfinished_runs > 0 {
        let said = if *left > 0 {
            format!("{} of {all} not sent to {to}", thousands(*left))
        } else {
            format!("{} not finished at {to}", count(*unfinished_runs, "run"))
        };
        lines.push((said, unsent.why.as_deref(), format!("`{push}` sends the rest")));
    }
    if *refused > 0 {
        let said = format!("{} of {all} refused by {to}", thousands(*refused));
        let next = format!("`{push} --again` sends what was refused");
        lines.push((said, unsent.refusal.as_deref(), next));
    }
    lines
}

/// Returns the line of an experiment: `80 cases: 77 pass, 2 misses, 1 error; gate pass`.
fn line(experiment: &ExperimentOverview) -> String {
    let style = |name: &str| match name {
        "pass" => GREEN,
        "miss" | "skipped" => YELLOW,
        _ => RED,
    };
    let parts: Vec<String> = experiment
        .cases
        .shown()
        .into_iter()
        .filter(|(_, _, number)| *number > 0)
        .map(|(name, word, number)| {
            let style = style(name);
            format!("{style}{} {word}{style:#}", thousands(number))
        })
        .collect();
    let mut line = count(experiment.cases.states.all(), "case");
    if experiment.selected < experiment.rows {
        line.push_str(&format!(" of {}", thousands(experiment.rows)));
    }
    if !parts.is_empty() {
        line.push_str(&format!(": {}", parts.join(", ")));
    }
    if let Some(stopped) = experiment.stopped {
        line.push_str(&format!("; {YELLOW}{}{YELLOW:#}", stopped.text()));
    }
    if let Some(why) = experiment.not_judged {
        line.push_str(&format!("; gate {YELLOW}not judged ({why}){YELLOW:#}"));
        return line;
    }
    let gate = experiment.gate.map(|verdict| match verdict {
        Verdict::Pass => (GREEN, "pass"),
        Verdict::Fail => (RED, "fail"),
        Verdict::Inconclusive => (YELLOW, "inconclusive"),
    });
    if let Some((style, verdict)) = gate {
        line.push_str(&format!("; gate {style}{verdict}{style:#}"));
    }
    line
}

/// Returns a size for people: `512 B`, `12.3 kB`, `4.0 MB`.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if value < 999.5 {
        return format!("{bytes} B");
    }
    for unit in ["kB", "MB", "GB"] {
        value /= 1000.0;
        if value < 999.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} TB", value / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::ScoreOverview;

    #[test]
    fn bars_go_from_the_lowest_to_the_highest() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0, 0.0]), "▁▅█▁");
        assert_eq!(sparkline(&[1.0, 1.0]), "▅▅");
    }

    #[test]
    fn scores_of_whole_runs_make_a_trend_the_oldest_first() {
        let run = |selected: usize, mean: f64| {
            let score = |evaluator: &str, judges| ScoreOverview {
                evaluator: evaluator.to_owned(),
                mean,
                n: 4,
                judges,
            };
            let mut run = Overview::read(std::path::Path::new("no/such"));
            run.experiments.push(ExperimentOverview {
                name: "detect".to_owned(),
                rows: 4,
                selected,
                scores: vec![score("length", false), score("correct", true)],
                ..ExperimentOverview::default()
            });
            Listed { overview: run, unsent: Vec::new() }
        };
        // Runs of a part of the rows are not comparable with those of all.
        let text = trends(&[run(4, 1.0), run(1, 0.3), run(4, 0.0), run(4, 0.5)]);
        let lines: Vec<String> = text.lines().map(super::super::screen::unstyled).collect();
        assert_eq!(
            lines,
            ["", "experiment  evaluator  runs  mean", "detect      correct    ▅▁█   0.5 → 1"]
        );
        assert_eq!(trends(&[run(4, 0.9)]), "");
        // The number of further runs stands below the list.
        let text = render(&[run(4, 1.0), run(4, 0.0)], 3);
        let more = text.find("and 3 runs more; --limit 5 shows all").expect("what is left out");
        assert!(more < text.find("experiment  evaluator").expect("a trend"), "{text}");
    }

    #[test]
    fn sizes_have_a_fitting_unit() {
        let shown = [0, 999, 1000, 12_345, 999_949, 999_950, 4_000_000_000].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "12.3 kB", "999.9 kB", "1.0 MB", "4.0 GB"]);
    }
}
