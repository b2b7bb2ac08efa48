//! The list of invocations.

use super::{BOLD, DIM, GREEN, RED, YELLOW};
use serde::Serialize;

use crate::journal::{Counts, Ending, ExperimentOverview, Overview, Verdict};
use crate::text::{count, one_line, pad, thousands, width};
use crate::upload::Unsent;

/// Columns of a name of somebody's.
const LONGEST_NAME: usize = 40;

/// Columns of an error.
const LONGEST_ERROR: usize = 300;

/// An invocation in the list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    #[serde(flatten)]
    pub(crate) overview: Overview,
    /// What still has to be sent.
    pub(crate) unsent: Vec<Unsent>,
}

/// One block per invocation: when, what, how it ended, how big; then a line per experiment, and
/// what is not as it should be.
pub(super) fn render(runs: &[Listed]) -> String {
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
            let said = not_sent(unsent);
            let push = format!("`cargo honeyhive push {}` sends the rest", run.invocation);
            text.push_str(&format!("    {YELLOW}{said}{YELLOW:#}; {push}\n"));
        }
    }
    text
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
        Ending::Complete => (GREEN, "complete"),
        Ending::Interrupted => (YELLOW, "interrupted"),
        Ending::NoEnd => (YELLOW, "no end (killed, or still running)"),
        Ending::Unreadable => (RED, "unreadable"),
    };
    format!(
        "{BOLD}{}{BOLD:#}  {}  {style}{ending}{style:#}  {}  {DIM}{}{DIM:#}\n",
        one_line(&when, LONGEST_NAME),
        one_line(&targets, LONGEST_NAME * 2),
        size(run.bytes),
        one_line(&run.invocation, LONGEST_NAME),
    )
}

/// `3 of 80 attempts not sent to HoneyHive at https://..`
fn not_sent(unsent: &Unsent) -> String {
    let Unsent { to, attempts, left, unfinished_runs, .. } = unsent;
    if *left > 0 {
        let all = count(*attempts, "attempt");
        format!("{} of {all} not sent to {to}", thousands(*left))
    } else {
        format!("{} not finished at {to}", count(*unfinished_runs, "run"))
    }
}

/// `80 cases: 77 pass, 2 fail, 1 error; gate pass`
fn line(experiment: &ExperimentOverview) -> String {
    let Counts { pass, fail, error, unscored, skipped } = experiment.cases;
    let counts = [
        (GREEN, pass, "pass"),
        (RED, fail, "fail"),
        (RED, error, "error"),
        (RED, unscored, "unscored"),
        (YELLOW, skipped, "skipped"),
    ];
    let all = counts.iter().map(|(_, number, _)| number).sum();
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number, _)| *number > 0)
        .map(|(style, number, word)| format!("{style}{} {word}{style:#}", thousands(number)))
        .collect();
    let mut line = count(all, "case");
    if !parts.is_empty() {
        line.push_str(&format!(": {}", parts.join(", ")));
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

/// `512 B`, `12.3 kB`, `4.0 MB`.
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

    #[test]
    fn sizes_have_a_fitting_unit() {
        let shown = [0, 999, 1000, 12_345, 999_949, 999_950, 4_000_000_000].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "12.3 kB", "999.9 kB", "1.0 MB", "4.0 GB"]);
    }
}
