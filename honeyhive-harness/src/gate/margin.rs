//! Judges rules with a tolerated loss: `no_worse_than` is red when the loss is surely larger, and
//! `non_inferior` is green when it is shown to be smaller.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::baseline::Unit;
use crate::journal::{ComparisonRecord, RuleRecord, Verdict};
use crate::rule::{GateRule, Test};
use crate::stats::{self, Alternative, BoundedMean, Spread};
use crate::text::{number, thousands};

use super::compared::{Compared, changes, describe_means, means, sample};
use super::correct::{Corrected, Draft, Group, Tested};

/// The number of flips of the permutation test, and their seed, fixed so that a repeated test gives the
/// same p.
const FLIPS: u32 = 10_000;
const SEED: u64 = 0;

/// Returns the draft of a rule with a tolerated loss.
pub(super) fn draft<'a>(rule: &'a GateRule, compared: &Rc<Compared<'a>>) -> Draft<'a> {
    match rule.test {
        Test::NoWorseThan { margin, alpha, .. } => no_worse_than(rule, margin, alpha, compared),
        Test::NonInferior { margin, alpha, .. } => non_inferior(rule, margin, alpha, compared),
        _ => unreachable!("a rule without a margin of its own"),
    }
}

/// Returns the gains by unit: their sum and the number of cases.
fn units(compared: &Compared<'_>) -> Vec<(f64, usize)> {
    let mut units: BTreeMap<Unit<'_>, (f64, usize)> = BTreeMap::new();
    for pair in &compared.paired.pairs {
        let unit = units.entry(pair.unit()).or_default();
        *unit = (unit.0 + pair.gain, unit.1 + 1);
    }
    units.into_values().collect()
}

/// Drafts a `no_worse_than` rule, which fails when the mean has surely fallen by more than the margin,
/// by a sign-flip test of the gains, each with the margin added. Where the runs differ in their attempts
/// and the scores have a range, it uses the bound of the mean loss instead.
fn no_worse_than<'a>(
    rule: &'a GateRule,
    margin: f64,
    alpha: f64,
    compared: &Rc<Compared<'a>>,
) -> Draft<'a> {
    let units = units(compared);
    let shifted: Vec<(f64, f64)> =
        units.iter().map(|(sum, size)| (0.0, sum + margin * *size as f64)).collect();
    // A mean of one attempt scatters to one side where a mean of eight does not, and then a sign
    // cannot be flipped. The bound of the mean loss holds whatever its distribution is.
    let width = width(compared).filter(|_| compared.paired.is_uneven());
    let (p, least) = if let Some(width) = width {
        let limit = f64::midpoint(margin / width, 1.0);
        let above = |losses: &[(f64, usize)]| {
            BoundedMean::of_clusters(losses).map_or(1.0, |mean| mean.p_not_above(limit))
        };
        let all_lost: Vec<(f64, usize)> =
            units.iter().map(|(_, size)| (*size as f64, *size)).collect();
        (above(&scaled(&units, width, -1.0)), above(&all_lost))
    } else {
        let test = stats::sign_flip_test(&shifted, Alternative::Less, SEED, FLIPS);
        let least = 0.5_f64.powi(i32::try_from(units.len()).unwrap_or(i32::MAX));
        (test.map_or(1.0, |test| test.p), least)
    };
    let compared = Rc::clone(compared);
    let count = units.len();
    let finish = move |corrected: &Corrected| {
        let lost = -compared.scores.gain;
        let holds = corrected.p > corrected.alpha || lost <= margin;
        let mut text = format!(
            "{}, {} that the loss is at most {}, {} against {}",
            describe_means(&compared.scores),
            corrected.shown(),
            number(margin),
            sample(&compared.paired),
            compared.baseline.words()
        );
        let verdict = if corrected.least > corrected.alpha {
            text.push_str(&format!(
                "; {count} units cannot show a loss at {}; it takes more cases",
                number(corrected.alpha)
            ));
            Verdict::Inconclusive
        } else if holds {
            Verdict::Pass
        } else {
            text.push_str(&changes(&compared));
            Verdict::Fail
        };
        let against = ComparisonRecord {
            p,
            p_adjusted: corrected.adjusted(),
            tests: corrected.tests,
            expected: compared.paired.coverage.expected,
            ..means(&compared.scores)
        };
        record(rule, verdict, &text, &compared, against)
    };
    let (group, better, jointly) = (Group::Comparison, None, Vec::new());
    let finish = Box::new(finish);
    Draft::Tested(Tested { group, alone: p, p, least, better, alpha, jointly, finish })
}

/// Drafts a `non_inferior` rule, which holds when the lower bound of the gain is above the negative
/// margin, and fails when the upper one is below it.
fn non_inferior<'a>(
    rule: &'a GateRule,
    margin: f64,
    alpha: f64,
    compared: &Rc<Compared<'a>>,
) -> Draft<'a> {
    let mut text = format!(
        "{}, {} against {}",
        describe_means(&compared.scores),
        sample(&compared.paired),
        compared.baseline.words()
    );
    let expected = compared.paired.coverage.expected;
    let against = ComparisonRecord { p: 1.0, expected, ..means(&compared.scores) };
    let Some((low, high)) = bounds(compared, 1.0 - alpha) else {
        text.push_str("; without spread and without a `range(..)` nothing bounds the loss");
        let record = record(rule, Verdict::Inconclusive, &text, compared, against);
        return Draft::Said(record);
    };
    let share = number((1.0 - alpha) * 100.0);
    text.push_str(&format!("; {share} % lower bound of the gain {}", number(low)));
    let verdict = if low > -margin {
        Verdict::Pass
    } else if high < -margin {
        text.push_str(&format!(", upper bound {}", number(high)));
        text.push_str(&changes(compared));
        Verdict::Fail
    } else {
        text.push_str(&format!(
            "; not shown to be above -{}, which takes about {} cases if nothing changed",
            number(margin),
            thousands(cases_needed(compared, margin, alpha))
        ));
        Verdict::Inconclusive
    };
    Draft::Said(record(rule, verdict, &text, compared, against))
}

fn record(
    rule: &GateRule,
    verdict: Verdict,
    text: &str,
    compared: &Compared<'_>,
    against: ComparisonRecord,
) -> RuleRecord {
    RuleRecord {
        value: Some(compared.scores.after),
        n: compared.paired.pairs.len(),
        against: Some(against),
        ..RuleRecord::new(rule, verdict, text)
    }
}

/// Returns the width of the range that scores lie in; `None` where none is known.
fn width(compared: &Compared<'_>) -> Option<f64> {
    let paired = &compared.paired;
    let range = paired.range.or_else(|| paired.are_shares().then_some((0.0, 1.0)));
    range.map(|(low, high)| high - low).filter(|width| *width > 0.0)
}

/// Returns the gains of each unit, or with a `sign` of -1 its losses, brought from minus and plus
/// the width of the range to 0 and 1: their sum, and the number of cases.
fn scaled(units: &[(f64, usize)], width: f64, sign: f64) -> Vec<(f64, usize)> {
    let one = |(sum, size): &(f64, usize)| (f64::midpoint(sign * sum / width, *size as f64), *size);
    units.iter().map(one).collect()
}

/// Returns the one-sided bounds of the mean gain; `None` where the scores have neither a range nor
/// spread.
fn bounds(compared: &Compared<'_>, confidence: f64) -> Option<(f64, f64)> {
    let units = units(compared);
    let paired = &compared.paired;
    if let Some(width) = width(compared) {
        let lower = |sign: f64| {
            let mean = BoundedMean::of_clusters(&scaled(&units, width, sign))?;
            Some((mean.lower(confidence) * 2.0 - 1.0) * width)
        };
        return Some((lower(1.0)?, -lower(-1.0)?));
    }
    let gains: Vec<(f64, Unit<'_>)> =
        paired.pairs.iter().map(|pair| (pair.gain, pair.unit())).collect();
    match stats::clustered_interval(&gains, 2.0 * confidence - 1.0) {
        Spread::Interval(interval) => Some((interval.low, interval.high)),
        Spread::NoSpread { .. } | Spread::TooFew { .. } => None,
    }
}

/// Returns the number of cases at which the rule would hold four times out of five if nothing changed.
fn cases_needed(compared: &Compared<'_>, margin: f64, alpha: f64) -> usize {
    let gains: Vec<f64> = compared.paired.pairs.iter().map(|pair| pair.gain).collect();
    let sd = stats::stddev(&gains).filter(|sd| *sd > 0.0).unwrap_or(0.35);
    let quantiles = stats::normal_quantile(1.0 - alpha) + stats::normal_quantile(0.8);
    stats::whole((quantiles * sd / margin.max(1e-9)).powi(2).max(10.0))
}
