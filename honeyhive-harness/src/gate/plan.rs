//! Estimates before a run what it would cost, how often each rule would fail by chance, and what it
//! could notice.

use std::path::Path;

use serde::Serialize;

use super::case::Rules;
use super::correct::{Corrected, tests_that_count};
use super::decided::earliest;
use super::notice;
use super::relative::{self, Family};
use super::snapshot::recorded;
use crate::baseline::exchange::{self, Question};
use crate::baseline::{self, Paired, Scope, Snapshot, Unit};
use crate::journal::{ExperimentRecord, Results};
use crate::rule::{GateRule, Measure, Mode, Of, Test};
use crate::score::{Comparison, Judges};
use crate::stats;
use crate::text::number;

/// The power for which a smallest detectable change is stated.
const POWER: f64 = 0.8;

/// The assumed standard deviation of pairs when nothing is known yet: that of a hit or miss that
/// flickers in one of eight cases.
const ASSUMED_SD: f64 = 0.35;

/// The loss that [`PlannedRule::needs`] is about: 5 percentage points.
const MEANT: f64 = 0.05;

/// The estimates for an experiment.
#[derive(Debug, Serialize)]
pub(crate) struct Planned {
    pub(crate) experiment: String,
    pub(crate) cases: usize,
    pub(crate) repeats: u32,
    /// The number of calls of the function.
    pub(crate) calls: usize,
    /// The expected time of the run in seconds, at the mean latency of the newest run and the
    /// experiment's concurrency.
    pub(crate) seconds: Option<f64>,
    /// The probability that any case fails by itself although nothing has changed.
    pub(crate) any_case_fails: Option<f64>,
    pub(crate) rules: Vec<PlannedRule>,
    /// The numbers of cases after which a gate with `stop = decided` can stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stops: Option<PlannedStop>,
    /// The runs that the scatter of scores is estimated from.
    pub(crate) from: String,
}

/// The fewest cases after which a gate can be decided; absent where that takes all of them.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedStop {
    /// The number of cases after which the gate can fail, when all of them have the worst score.
    pub(crate) fails_after: Option<usize>,
    /// The number of cases after which the gate can pass, when all of them have the best score.
    pub(crate) passes_after: Option<usize>,
}

/// The estimates for a rule.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedRule {
    pub(crate) rule: String,
    /// The probability that the rule fails although nothing has changed.
    pub(crate) false_alarms: Option<f64>,
    /// The smallest loss that the rule notices four times out of five.
    pub(crate) detects: Option<f64>,
    /// The number of cases that it takes to notice a loss of [`MEANT`] four times out of five.
    pub(crate) needs: Option<usize>,
    /// The assumptions of the estimates, or the reason why there are none.
    pub(crate) note: String,
}

/// The recorded runs from which the scores of an experiment are known.
struct Known {
    baseline: Option<Snapshot>,
    newest: Option<Snapshot>,
}

/// Estimates what a run of an experiment would cost and could notice. `cases` is the number of rows of
/// the dataset, `newest` the newest run of any experiment.
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
    let stops = record.stop.map(|_| {
        let (fails_after, passes_after) = earliest(&rules, cases);
        PlannedStop { fails_after, passes_after }
    });
    Planned {
        stops,
        experiment: name.clone(),
        cases,
        repeats,
        calls,
        seconds: latency.map(|latency| latency * calls as f64 / record.concurrency.max(1) as f64),
        any_case_fails: any_case_fails(&rules, &known),
        rules: rules
            .gates
            .iter()
            .map(|rule| planned_rule(rule, &rules, &known, (cases, repeats)))
            .collect(),
        from: match (&known.baseline, &known.newest) {
            (Some(_), Some(_)) => "the baseline and the newest run",
            (Some(_), None) => "the baseline",
            (None, Some(_)) => "the newest run",
            (None, None) => "nothing yet: run it once, then `cargo honeyhive accept`",
        }
        .to_owned(),
    }
}

impl Known {
    /// Returns the run that scores are taken from, with its name.
    fn best(&self) -> (&'static str, Option<&Snapshot>) {
        match &self.baseline {
            Some(baseline) => ("the baseline", Some(baseline)),
            None => ("the newest run", self.newest.as_ref()),
        }
    }
}

/// Returns the scores of an evaluator in the best known run; `None` for fewer than two.
fn scores(known: &Known, evaluator: &str) -> Option<Vec<f64>> {
    let snapshot = known.best().1?;
    let scores = snapshot.cases.values().filter_map(|case| case.scores.get(evaluator));
    Some(scores.map(|score| score.score).collect()).filter(|all: &Vec<f64>| all.len() >= 2)
}

/// Returns the probability that at least one case fails by itself, if each succeeds as often as in the
/// known run.
fn any_case_fails(rules: &Rules, known: &Known) -> Option<f64> {
    let snapshot = known.best().1?;
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

fn planned_rule(
    rule: &GateRule,
    rules: &Rules,
    known: &Known,
    (n, repeats): (usize, u32),
) -> PlannedRule {
    let text = rule.text.clone().into_owned();
    let nothing = |note: &str| PlannedRule {
        rule: text.clone(),
        false_alarms: None,
        detects: None,
        needs: None,
        note: note.to_owned(),
    };
    if rule.slice.is_some() {
        return nothing("a slice: its size is known when it runs");
    }
    match rule.test {
        Test::NoRegression { evaluator, .. }
        | Test::NoCollapse { evaluator, .. }
        | Test::NoLoss { evaluator, .. }
        | Test::NoWorseThan { evaluator, .. }
        | Test::NonInferior { evaluator, .. } => {
            let name = &rules.judges[evaluator].name;
            let tests = (tests(rules), tests_for_sure(rules, known, repeats));
            planned_comparison(rule, name, known, (n, repeats), tests)
        }
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

/// Estimates what a rule that compares with the baseline could notice.
fn planned_comparison(
    rule: &GateRule,
    evaluator: &str,
    known: &Known,
    (n, repeats): (usize, u32),
    (tests, for_sure): (usize, usize),
) -> PlannedRule {
    let alpha = rule.alpha().unwrap_or(f64::NAN);
    let planned = |false_alarms, detects, needs, note: String| PlannedRule {
        rule: rule.text.clone().into_owned(),
        false_alarms,
        detects,
        needs,
        note,
    };
    let corrected = |least: f64, tests: usize| Corrected {
        alone: 1.0,
        p: 1.0,
        least: (least * tests as f64).min(1.0),
        better: None,
        alpha,
        tests,
        jointly: Vec::new(),
    };
    let paired = known.best().1.and_then(|best| expected(best, evaluator, repeats));
    let question = relative::question(rule);
    if let (Some(paired), Some(question)) = (&paired, question) {
        let found = corrected(least(paired, question), for_sure);
        if found.least > alpha {
            let why = notice::cannot_fail(paired, question, &found);
            return planned(Some(0.0), None, None, format!("cannot fail: {why}"));
        }
    }
    let corrected = corrected(0.0, tests);
    let of_tests = match tests {
        0 | 1 => String::new(),
        tests => format!("; corrected for {tests} tests of the gate"),
    };
    match rule.test {
        Test::NoRegression { margin, .. } | Test::NoWorseThan { margin, .. } => {
            let (error, units, note) = error_of_gain(known, evaluator, n);
            let detects = match rule.test {
                // The margin is tolerated, so a loss must exceed it to be noticed.
                Test::NoWorseThan { .. } => {
                    margin + notice::smallest(error, units, 0.0, &corrected)
                }
                _ => notice::smallest(error, units, margin, &corrected),
            };
            let needs = (detects > MEANT && margin < MEANT).then(|| {
                let beyond = notice::smallest(error, units, 0.0, &corrected);
                stats::whole(n as f64 * (beyond / MEANT).powi(2))
            });
            let unit = if units < n { format!(" in {units} clusters") } else { String::new() };
            planned(Some(alpha), Some(detects), needs, format!("{note}{unit}{of_tests}"))
        }
        Test::NonInferior { margin, .. } => {
            let (error, _, note) = error_of_gain(known, evaluator, n);
            let quantiles = stats::normal_quantile(1.0 - alpha) + stats::normal_quantile(POWER);
            let needed = n as f64 * (quantiles * error / margin.max(1e-9)).powi(2);
            let note = format!("holds only where it is shown; {note}");
            planned(None, None, Some(stats::whole(needed)), note)
        }
        Test::NoCollapse { .. } => {
            let found = paired.and_then(|paired| notice::collapses(&paired, &corrected));
            let note = found.map_or_else(
                || "cases that held in every attempt and never do now".to_owned(),
                |found| format!("fails from {found} among those that held{of_tests}"),
            );
            planned(Some(alpha), None, None, note)
        }
        _ => {
            let note =
                format!("single cases that lost more attempts than chance explains{of_tests}");
            planned(Some(alpha), None, None, note)
        }
    }
}

/// Returns the least p that a question can have, by either way of exchanging results.
fn least(paired: &Paired, question: Question) -> f64 {
    let of = |by_dealing| exchange::least(paired, question, by_dealing);
    of(false).min(of(true))
}

/// Returns the number of tests that the rules of a gate are corrected for: one for each family that is
/// judged jointly, and one for each `no_worse_than`. `non_inferior` is not a test.
fn tests(rules: &Rules) -> usize {
    let joint = |family: &Family<'_>| {
        family.rules.iter().any(|(_, rule)| relative::question(rule).is_some())
    };
    let alone = |rule: &&GateRule| matches!(rule.test, Test::NoWorseThan { .. });
    Family::of(&rules.gates).iter().filter(|one| joint(one)).count()
        + rules.gates.iter().filter(alone).count()
}

/// Returns the number of tests that a gate corrects for in any case: without slices, whose sizes are not
/// known, and without margins. So no rule is reported to be unable to fail that could fail.
fn tests_for_sure(rules: &Rules, known: &Known, repeats: u32) -> usize {
    let best = known.best().1;
    let least_of = |family: Family<'_>| {
        let name = &rules.judges.get(family.evaluator)?.name;
        let paired = expected(best?, name, repeats)?;
        let alphas = family.rules.iter().filter_map(|(_, rule)| {
            Some((least(&paired, relative::question(rule)?), rule.alpha()?))
        });
        Some(alphas.collect::<Vec<(f64, f64)>>())
    };
    let families = Family::of(&rules.gates).into_iter().filter(|family| family.slice.is_none());
    let families: Vec<Vec<(f64, f64)>> = families.filter_map(least_of).collect();
    tests_that_count(&families, |family, tests| {
        family.iter().any(|(least, alpha)| least * tests as f64 <= alpha + 1e-12)
    })
}

/// Pairs a run with itself, as if it were repeated with another number of attempts.
fn expected(run: &Snapshot, evaluator: &str, repeats: u32) -> Option<Paired> {
    let mut paired = baseline::pair(run, run, evaluator, Scope::ALL).ok()?;
    for counts in paired.pairs.iter_mut().filter_map(|pair| pair.counts.as_mut()) {
        counts.attempts.1 = repeats;
        counts.good.1 = counts.good.1.min(repeats);
    }
    Some(paired)
}

/// Returns the standard error of the mean gain of a run of `n` cases without a change, the number of its
/// units, and the source of both.
fn error_of_gain(known: &Known, evaluator: &str, n: usize) -> (f64, usize, String) {
    if let (Some(before), Some(after)) = (&known.baseline, &known.newest)
        && before.invocation != after.invocation
        && let Ok(paired) = baseline::pair(before, after, evaluator, Scope::ALL)
        && paired.pairs.len() >= 10
    {
        let gains: Vec<(f64, Unit<'_>)> =
            paired.pairs.iter().map(|pair| (pair.gain, pair.unit())).collect();
        if let Some((error, units)) = scaled(&gains, n) {
            let sd = error * (n as f64).sqrt();
            let note = format!("pairs differ by sd {sd:.2} from baseline to newest run");
            return (error, units, note);
        }
    }
    let best =
        known.best().1.and_then(|best| baseline::pair(best, best, evaluator, Scope::ALL).ok());
    if let Some(paired) = best {
        let scores: Vec<(f64, Unit<'_>)> =
            paired.pairs.iter().map(|pair| (pair.before, pair.unit())).collect();
        // Two runs that had nothing in common would differ by this much.
        if let Some((error, units)) = scaled(&scores, n) {
            let error = error * std::f64::consts::SQRT_2;
            let sd = error * (n as f64).sqrt();
            let note =
                format!("at most: were two runs independent, pairs would differ by sd {sd:.2}");
            return (error, units, note);
        }
    }
    let note = format!("assumes that pairs differ by sd {ASSUMED_SD}");
    (ASSUMED_SD / (n.max(1) as f64).sqrt(), n, note)
}

/// Returns the standard error of the mean of `n` values, and the number of units that they come from;
/// `None` without spread.
fn scaled(values: &[(f64, Unit<'_>)], n: usize) -> Option<(f64, usize)> {
    let mean = stats::clustered_mean(values)?;
    let error = mean.standard_error.filter(|error| *error > 1e-12)?;
    let share = n as f64 / mean.n as f64;
    let units = stats::whole((mean.clusters as f64 * share).round().max(2.0));
    Some((error / share.sqrt(), units))
}
