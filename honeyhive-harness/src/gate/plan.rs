//! Before anything is run: what it would take, how often each rule would fail by chance, and what
//! it could notice.

use std::path::Path;

use serde::Serialize;

use super::case::Rules;
use super::snapshot::recorded;
use crate::baseline::{self, Snapshot};
use crate::journal::{ExperimentRecord, Results};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::score::{Comparison, Judges};
use crate::stats;
use crate::text::number;

/// The power that a smallest detectable change is stated for.
const POWER: f64 = 0.8;

/// How much pairs differ when nothing is known yet: a hit or miss that flickers in one of eight
/// cases.
const ASSUMED_SD: f64 = 0.35;

/// An experiment as it would be run.
#[derive(Debug, Serialize)]
pub(crate) struct Planned {
    pub(crate) experiment: String,
    pub(crate) cases: usize,
    pub(crate) repeats: u32,
    /// Calls of the function.
    pub(crate) calls: usize,
    /// At the mean latency of the newest run and the experiment's concurrency.
    pub(crate) seconds: Option<f64>,
    /// Probability that any case fails by itself although nothing has changed.
    pub(crate) any_case_fails: Option<f64>,
    pub(crate) rules: Vec<PlannedRule>,
    /// Where the scatter is known from.
    pub(crate) from: String,
}

/// What is known of a rule beforehand.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedRule {
    pub(crate) rule: String,
    /// How often it fails although nothing has changed.
    pub(crate) false_alarms: Option<f64>,
    /// The smallest loss that it notices four times out of five.
    pub(crate) detects: Option<f64>,
    /// What is assumed, or why there is nothing to say.
    pub(crate) note: String,
}

/// What is known of the scores of an experiment.
struct Known {
    baseline: Option<Snapshot>,
    newest: Option<Snapshot>,
}

/// What a run of an experiment would take and could notice. `cases` is how many rows it has,
/// `newest` the newest run of anything.
pub(crate) fn plan(
    record: &ExperimentRecord,
    cases: usize,
    newest: Option<&Results>,
    repeats: Option<u32>,
) -> Planned {
    let name = &record.experiment;
    let ran =
        newest.and_then(|all| all.experiments.iter().find(|one| one.record.experiment == *name));
    let known = Known {
        baseline: baseline::read(Path::new(&record.baseline), name).ok(),
        newest: ran.map(recorded),
    };
    let repeats = repeats.unwrap_or(record.repeats).max(1);
    let calls = cases * repeats as usize;
    let latency = ran.and_then(|ran| {
        let attempts = ran.cases.iter().flat_map(|case| &case.attempts);
        stats::mean(&attempts.map(|attempt| attempt.duration_ms / 1000.0).collect::<Vec<f64>>())
    });
    let rules = Rules::recorded(record);
    Planned {
        experiment: name.clone(),
        cases,
        repeats,
        calls,
        seconds: latency.map(|latency| latency * calls as f64 / record.concurrency.max(1) as f64),
        any_case_fails: any_case_fails(&rules, &known),
        rules: rules.gates.iter().map(|rule| planned_rule(rule, &rules, &known, cases)).collect(),
        from: match (&known.baseline, &known.newest) {
            (Some(_), Some(_)) => "the baseline and the newest run",
            (Some(_), None) => "the baseline",
            (None, Some(_)) => "the newest run",
            (None, None) => "nothing yet: run it once, then `cargo honeyhive accept`",
        }
        .to_owned(),
    }
}

/// The scores of an evaluator in the best known run.
fn scores(known: &Known, evaluator: &str) -> Option<Vec<f64>> {
    let snapshot = known.baseline.as_ref().or(known.newest.as_ref())?;
    let scores = snapshot.cases.values().filter_map(|case| case.scores.get(evaluator));
    Some(scores.map(|score| score.score).collect()).filter(|all: &Vec<f64>| all.len() >= 2)
}

/// The probability that at least one case fails by itself, were each to behave as it did.
fn any_case_fails(rules: &Rules, known: &Known) -> Option<f64> {
    let snapshot = known.baseline.as_ref().or(known.newest.as_ref())?;
    let (mut all_pass, mut any_judges) = (1.0, false);
    for (index, judge) in rules.judges.iter().enumerate() {
        let is_gated =
            rules.gates.iter().any(|rule| rule.takes_over() == Some(Of::Evaluator(index)));
        if is_gated || judge.judges() == Judges::Never {
            continue;
        }
        any_judges = true;
        for score in snapshot.cases.values().filter_map(|case| case.scores.get(&judge.name)) {
            let Some(good) = score.good else { continue };
            all_pass *= f64::from(good) / f64::from(score.attempts.max(1));
        }
    }
    any_judges.then_some(1.0 - all_pass)
}

fn planned_rule(rule: &GateRule, rules: &Rules, known: &Known, n: usize) -> PlannedRule {
    let text = rule.text.clone().into_owned();
    let nothing = |note: &str| PlannedRule {
        rule: text.clone(),
        false_alarms: None,
        detects: None,
        note: note.to_owned(),
    };
    if rule.slice.is_some() {
        return nothing("a slice: its size is known when it runs");
    }
    match rule.test {
        Test::NoRegression { evaluator, margin, alpha, .. } => {
            let name = &rules.judges[evaluator].name;
            let (sd, note) = scatter(known, name);
            // Where the test alone would notice less than the margin, the margin decides.
            let detects = stats::mean_detectable(sd, n as u64, alpha, POWER);
            PlannedRule {
                rule: text.clone(),
                false_alarms: Some(alpha),
                detects: detects.map(|effect| effect.max(margin)),
                note,
            }
        }
        Test::NoCollapse { alpha, .. } => PlannedRule {
            false_alarms: Some(alpha),
            ..nothing("cases that passed every attempt in the baseline and none now")
        },
        Test::Limit {
            mode: Mode::Point,
            measure: Measure::Mean,
            of: Of::Evaluator(index),
            comparison,
            limit,
        } => {
            let Some(values) = scores(known, &rules.judges[index].name) else {
                return nothing("no recorded run to estimate it from");
            };
            let (Some(mean), Some(sd)) = (stats::mean(&values), stats::stddev(&values)) else {
                return nothing("no recorded run to estimate it from");
            };
            let whose = match known.baseline {
                Some(_) => "the baseline's",
                None => "the newest run's",
            };
            // The next run is another sample of the same size.
            let error = sd / (n as f64).sqrt();
            let above = if error > 0.0 {
                stats::normal_cdf((mean - limit) / error)
            } else {
                f64::from(u8::from(mean >= limit))
            };
            let false_alarms = match comparison {
                Comparison::AtLeast => 1.0 - above,
                Comparison::AtMost => above,
            };
            PlannedRule {
                false_alarms: Some(false_alarms),
                ..nothing(&format!("if the true mean equals {whose} ({})", number(mean)))
            }
        }
        Test::Limit { mode: Mode::NotWorse, .. } => PlannedRule {
            false_alarms: Some(0.05),
            ..nothing("while the true value is on the limit")
        },
        Test::Limit { .. } => nothing(""),
    }
}

/// The standard deviation of paired differences between two runs without a change, and where it is
/// from.
fn scatter(known: &Known, evaluator: &str) -> (f64, String) {
    if let (Some(before), Some(after)) = (&known.baseline, &known.newest)
        && before.invocation != after.invocation
    {
        let compared = baseline::compare(before, after, evaluator, &|_| true);
        let gains: Vec<f64> = compared.pairs.iter().map(|pair| pair.gain).collect();
        if gains.len() >= 10
            && let Some(sd) = stats::stddev(&gains).filter(|sd| *sd > 0.0)
        {
            return (sd, format!("pairs differ by sd {sd:.2} from baseline to newest run"));
        }
    }
    match scores(known, evaluator).and_then(|values| stats::stddev(&values)) {
        // Two runs that had nothing in common would differ by this much.
        Some(sd) if sd > 0.0 => {
            let sd = sd * std::f64::consts::SQRT_2;
            (sd, format!("at most: were two runs independent, pairs would differ by sd {sd:.2}"))
        }
        _ => (ASSUMED_SD, format!("assumes that pairs differ by sd {ASSUMED_SD}")),
    }
}
