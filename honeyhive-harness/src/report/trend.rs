//! Shows how scores went from run to run, and since when they drift, for a terminal of 80 columns.

use serde::Serialize;

use super::lines::wrapped;
use super::words::EVALUATOR;
use super::{DIM, YELLOW};
use crate::baseline::TrendLine;
use crate::stats::{DRIFT_LIMIT, DRIFT_SLACK};
use crate::text::{count, number, one_line, pad, width};

/// The most columns of a name that the user chose.
const LONGEST_NAME: usize = 24;

/// The most runs that have a bar: the newest of them.
const MOST_BARS: usize = 30;

/// The scores of an evaluator from run to run.
#[derive(Debug)]
pub(crate) struct Trended {
    /// The test target, as `package/target`.
    pub(crate) target: String,
    pub(crate) experiment: String,
    pub(crate) evaluator: String,
    /// The description of the run that losses are counted from.
    pub(crate) reference: String,
    pub(crate) line: TrendLine,
    /// The names of the runs of the line, each with the time when it started.
    pub(crate) runs: Vec<(String, String)>,
    /// The number of runs of the experiment that measure something else, or only a part.
    pub(crate) left_out: usize,
}

impl Trended {
    /// Returns the run in which the sum left 0, where there is drift.
    fn since(&self) -> Option<&str> {
        let (run, _) = self.runs.get(self.line.since?)?;
        Some(run)
    }
}

/// Returns a table of all lines, each with a note where it drifts.
pub(super) fn render(all: &[Trended], unreadable: usize) -> String {
    let mut text = String::new();
    let name = |name: &str| one_line(name, LONGEST_NAME);
    let wide = |head: &str, of: &dyn Fn(&Trended) -> String| {
        all.iter().map(|one| width(&of(one))).chain([width(head)]).max().unwrap_or(0)
    };
    let experiments = wide("experiment", &|one| name(&one.experiment));
    let evaluators = wide(EVALUATOR, &|one| name(&one.evaluator));
    let bars = wide("runs", &|one| bars(one));
    if !all.is_empty() {
        text.push_str(&format!(
            "{DIM}{}  {}  {}  {:>5}  mean{DIM:#}\n",
            pad("experiment", experiments),
            pad(EVALUATOR, evaluators),
            pad("runs", bars),
            "sum"
        ));
    }
    for one in all {
        let newest = one.line.points.last().map_or(f64::NAN, |point| point.mean);
        let row = format!(
            "{}  {}  {}  {:>5.1}  {} → {}",
            pad(&name(&one.experiment), experiments),
            pad(&name(&one.evaluator), evaluators),
            pad(&self::bars(one), bars),
            one.line.points.last().map_or(0.0, |point| point.sum),
            number(one.line.reference),
            number(newest)
        );
        // The line is not cut to the terminal, since the figures stand at its end, after long names.
        text.push_str(&format!("{}\n", row.trim_end()));
        if let (Some(since), Some(mean)) = (one.since(), one.line.mean_since()) {
            text.push_str(&format!("  {YELLOW}note{YELLOW:#} "));
            let said = format!(
                "{} by {}: drift since {since}: {} on average since then, {} in {}",
                one.experiment,
                one.evaluator,
                number(mean),
                number(one.line.reference),
                one.reference
            );
            // The text continues the line of the mark.
            let mut lines = String::new();
            wrapped(&mut lines, &said, 7);
            text.push_str(lines.trim_start());
        }
        if one.left_out > 0 {
            let runs = count(one.left_out, "run");
            let said =
                format!("{runs} left out: of other rows, evaluators or settings, or partial");
            text.push_str(&format!("  {DIM}{said}{DIM:#}\n"));
        }
    }
    if all.is_empty() {
        let said = "no trend yet: it takes two runs of all rows that measure the same, or a baseline \
                    and a run after it";
        wrapped(&mut text, said, 0);
    } else {
        text.push('\n');
        let said = format!(
            "sum: what each run lost, in standard deviations of a run and less {DRIFT_SLACK}, added up \
             (CUSUM); above {DRIFT_LIMIT} it is drift. Bars are full from there on."
        );
        let mut lines = String::new();
        wrapped(&mut lines, &said, 0);
        text.push_str(&format!("{DIM}{lines}{DIM:#}"));
    }
    if unreadable > 0 {
        let runs = count(unreadable, "journal");
        text.push_str(&format!(
            "{YELLOW}{runs} cannot be read{YELLOW:#}: `cargo honeyhive runs` says why\n"
        ));
    }
    text
}

/// Returns one bar per run, from 0 to the limit; those of the newest runs, where there are many.
fn bars(one: &Trended) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let points = &one.line.points;
    let bar = |sum: f64| {
        // Not negative, and at most 7.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (sum / DRIFT_LIMIT * 7.0).floor() as usize;
        if sum > DRIFT_LIMIT { BARS[7] } else { BARS[index.min(6)] }
    };
    points[points.len().saturating_sub(MOST_BARS)..].iter().map(|point| bar(point.sum)).collect()
}

/// Returns the same facts as JSON, for scripts.
pub(super) fn json(all: &[Trended]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Run<'a> {
        invocation: &'a str,
        started_at: &'a str,
        mean: f64,
        loss: f64,
        sum: f64,
    }
    #[derive(Serialize)]
    struct Line<'a> {
        experiment: &'a str,
        target: &'a str,
        evaluator: &'a str,
        from_baseline: bool,
        reference: &'a str,
        reference_mean: f64,
        scatter: f64,
        slack: f64,
        limit: f64,
        drift_since: Option<&'a str>,
        left_out: usize,
        runs: Vec<Run<'a>>,
    }
    let line = |one| -> Line<'_> {
        let one: &Trended = one;
        Line {
            experiment: &one.experiment,
            target: &one.target,
            evaluator: &one.evaluator,
            from_baseline: one.line.from_baseline,
            reference: &one.reference,
            reference_mean: one.line.reference,
            scatter: one.line.scatter,
            slack: DRIFT_SLACK,
            limit: DRIFT_LIMIT,
            drift_since: one.since(),
            left_out: one.left_out,
            runs: one
                .runs
                .iter()
                .zip(&one.line.points)
                .map(|((invocation, started_at), point)| Run {
                    invocation,
                    started_at,
                    mean: point.mean,
                    loss: point.loss,
                    sum: point.sum,
                })
                .collect(),
        }
    };
    serde_json::to_string_pretty(&all.iter().map(line).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::TrendPoint;

    fn trended(sums: &[f64], since: Option<usize>) -> Trended {
        let point = |sum: &f64| TrendPoint { mean: 0.9 - sum / 100.0, loss: 0.0, sum: *sum };
        Trended {
            target: "app/evals".to_owned(),
            experiment: "detect".to_owned(),
            evaluator: "correct".to_owned(),
            reference: "the baseline accepted 9 days ago".to_owned(),
            line: TrendLine {
                from_baseline: true,
                reference: 0.9,
                points: sums.iter().map(point).collect(),
                scatter: 0.02,
                since,
            },
            runs: (1..=sums.len()).map(|at| (format!("run-{at}"), String::new())).collect(),
            left_out: 0,
        }
    }

    fn lines(all: &[Trended], unreadable: usize) -> Vec<String> {
        render(all, unreadable).lines().map(super::super::screen::unstyled).collect()
    }

    #[test]
    fn drift_is_a_note_below_its_line() {
        let mut quiet = trended(&[0.0, 0.4], None);
        quiet.left_out = 2;
        assert_eq!(
            lines(&[trended(&[0.0, 0.5, 3.9, 4.1], Some(1)), quiet], 1),
            [
                "experiment  evaluator  runs    sum  mean",
                "detect      correct    ▁▁▇█    4.1  0.9 → 0.859",
                "  note detect by correct: drift since run-2: 0.872 on average since then, 0.9 in",
                "       the baseline accepted 9 days ago",
                "detect      correct    ▁▁      0.4  0.9 → 0.896",
                "  2 runs left out: of other rows, evaluators or settings, or partial",
                "",
                "sum: what each run lost, in standard deviations of a run and less 0.5, added up",
                "(CUSUM); above 4 it is drift. Bars are full from there on.",
                "1 journal cannot be read: `cargo honeyhive runs` says why",
            ]
        );
        let none = lines(&[], 0);
        assert!(none.len() == 2 && none[0].starts_with("no trend yet: "), "{none:?}");
    }

    #[test]
    fn scripts_get_every_run() {
        let text = json(&[trended(&[0.0, 5.0], Some(1))]).expect("JSON");
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read[0]["drift_since"], "run-2");
        assert_eq!(read[0]["runs"][1]["sum"], 5.0);
        assert_eq!((&read[0]["limit"], &read[0]["left_out"]), (&4.0.into(), &0.into()));
    }
}
