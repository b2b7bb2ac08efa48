//! Computes what a comparison could have noticed: the smallest change that it finds four times out of
//! five, and what it would take where it can find none.

use crate::baseline::exchange::{self, Question};
use crate::baseline::{Paired, Unit};
use crate::rule::{GateRule, Test};
use crate::stats;
use crate::text::{count, number, thousands};

use super::compared::Compared;
use super::correct::{Corrected, p_digits};

/// The quantile of the normal distribution for a probability of 4 in 5.
const FOUR_OF_FIVE: f64 = 0.841_621_233_572_914_3;

/// Describes the smallest change that a rule would notice; `None` where it is not known.
pub(super) fn least(
    compared: &Compared<'_>,
    question: Question,
    rule: &GateRule,
    corrected: &Corrected,
) -> Option<String> {
    let paired = &compared.paired;
    match (question, rule.test) {
        (Question::Loss, Test::NoRegression { margin, .. }) => {
            loss(paired, margin, corrected).map(|loss| format!("-{}", number(loss)))
        }
        (Question::Collapses, _) => collapses(paired, corrected),
        _ => None,
    }
}

/// Returns the number of units that must all get worse for a p of at most alpha: `log2(tests / alpha)`.
fn units_needed(corrected: &Corrected) -> usize {
    stats::whole((corrected.tests as f64 / corrected.alpha).log2())
}

/// Returns the smallest loss of the mean that is found four times out of five; `None` where it is not
/// known.
fn loss(paired: &Paired, margin: f64, corrected: &Corrected) -> Option<f64> {
    let gains: Vec<(f64, Unit<'_>)> =
        paired.pairs.iter().map(|pair| (pair.gain, pair.unit())).collect();
    let mean = stats::clustered_mean(&gains)?;
    let error = mean.standard_error?;
    if error <= 1e-12 {
        // No case moved, so this share of the units must lose all they have.
        if !paired.are_shares() {
            return None;
        }
        let share = units_needed(corrected) as f64 / mean.clusters as f64;
        return (share <= 1.0).then_some(share.max(margin));
    }
    Some(smallest(error, mean.clusters, margin, corrected))
}

/// Returns the smallest loss of a mean with this standard error that is found four times out of five:
/// it must exceed the margin, and what the corrected test takes for chance.
pub(super) fn smallest(error: f64, units: usize, margin: f64, corrected: &Corrected) -> f64 {
    let freedom = units.saturating_sub(1).max(1) as f64;
    let quantile = stats::student_t_quantile(1.0 - alpha_of(corrected), freedom);
    (quantile * error).max(margin) + FOUR_OF_FIVE * error
}

/// Describes the fewest collapses that would fail, beside those of cases that flicker anyway.
pub(super) fn collapses(paired: &Paired, corrected: &Corrected) -> Option<String> {
    if paired.is_clustered() {
        return Some(count(units_needed(corrected), "lost cluster"));
    }
    // A case that did not hold in the baseline may flicker anyway; one that held has the chance of its
    // attempts.
    let flickering = exchange::chances_to_flicker(paired);
    let mut held: Vec<f64> = paired
        .pairs
        .iter()
        .filter_map(|pair| pair.counts)
        .filter(|counts| counts.good.0 == counts.attempts.0)
        .map(|counts| exchange::chance_to_collapse(counts.attempts))
        .collect();
    // The most likely ones come first, so that the text promises no more than holds.
    held.sort_by(|a, b| b.total_cmp(a));
    let alpha = alpha_of(corrected);
    let found = (1..=held.len()).find(|lost| {
        let all: Vec<f64> = flickering.iter().chain(&held[..*lost]).copied().collect();
        stats::poisson_binomial_tail(&all, *lost) <= alpha + 1e-12
    })?;
    Some(count(found, "lost case"))
}

/// Describes why no result could have failed a rule, and what it would take.
pub(super) fn cannot_fail(paired: &Paired, question: Question, corrected: &Corrected) -> String {
    let units = exchange::units_that_can_fall(paired, question);
    let clustered = paired.is_clustered();
    let unit = if clustered { "cluster" } else { "case" };
    let said_tests = match corrected.tests {
        0 | 1 => String::new(),
        tests => format!(" with {tests} tests"),
    };
    let alpha = number(corrected.alpha);
    if units == 0 {
        return format!("no {unit} can get worse than it was in the baseline, so this cannot fail");
    }
    if clustered && question == Question::Deepest {
        return "clusters are exchanged as a whole, which says nothing about a single case; \
                `no_regression` and `no_collapse` can be judged with clusters"
            .to_owned();
    }
    let tests = f64::from(u32::try_from(corrected.tests.max(1)).unwrap_or(u32::MAX));
    let least = corrected.least / tests;
    // Each unit that falls multiplies p by the same factor. That does not hold for one deep loss among
    // many cases.
    let more = (question != Question::Deepest && least < 1.0 && least > 0.0).then(|| {
        let needed = units as f64 * alpha_of(corrected).ln() / least.ln();
        thousands(stats::whole(needed.ceil()))
    });
    let dealt = question != Question::Loss || !corrected.jointly.is_empty();
    let takes = match (more, dealt && !clustered) {
        (Some(more), true) => format!("it takes {more}, or more repeats here and in the baseline"),
        (Some(more), false) => format!("it takes {more}"),
        (None, _) => "it takes more repeats here and in the baseline".to_owned(),
    };
    format!(
        "{} cannot show a loss at {alpha}{said_tests}: if all of them fell, p would be {}; {takes}",
        count(units, unit),
        p_digits(corrected.least, corrected.alpha),
    )
}

fn alpha_of(corrected: &Corrected) -> f64 {
    corrected.alpha / corrected.tests.max(1) as f64
}
