//! Defines words and numbers that several renderers show, so that they are the same in all of them.

use super::screen::Paint;
use super::{GREEN, RED, YELLOW};
use crate::gate::counted::of_all;
use crate::journal::Verdict;
use crate::outcome::Measured;
use crate::stats::Spread;
use crate::text::number;

/// The head of the column of evaluators.
pub(super) const EVALUATOR: &str = "evaluator";
/// The head of the column of means.
pub(super) const MEAN: &str = "mean";
/// The head of the column of intervals.
pub(super) const INTERVAL: &str = "95 % interval";
/// The head of the column of numbers of cases.
pub(super) const N: &str = "n";
/// The head of the column of verdicts on rules.
pub(super) const GATE: &str = "gate";
/// The name of the row about the time that the function took.
pub(super) const LATENCY: &str = "latency";
/// The name of the row about errors.
pub(super) const ERROR_RATE: &str = "error_rate";

/// Returns a head as the first word of a heading: `Evaluator`.
pub(super) fn capital(head: &str) -> String {
    let mut letters = head.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns the mark of a verdict in a terminal.
pub(super) const fn mark(verdict: Verdict) -> (&'static str, Paint) {
    match verdict {
        Verdict::Pass => ("ok", GREEN),
        Verdict::Fail => ("FAIL", RED),
        Verdict::Inconclusive => ("inconclusive", YELLOW),
    }
}

/// Returns a number whose decimals stand below each other in a column.
pub(super) fn three_decimals(value: f64) -> String {
    if value != 0.0 && !(0.0005..1e4).contains(&value.abs()) {
        return number(value);
    }
    format!("{value:.3}")
}

/// Returns a difference with its sign; one that is shown as 0 has none.
pub(super) fn signed(value: f64, show: &dyn Fn(f64) -> String) -> String {
    let text = show(value.abs());
    match value {
        _ if text.trim_matches(['0', '.']).is_empty() => text,
        value if value < 0.0 => format!("-{text}"),
        _ => format!("+{text}"),
    }
}

/// Returns an interval as `0.79–0.94`, or why there is none.
fn interval(spread: Spread, show: &dyn Fn(f64) -> String) -> String {
    match spread {
        Spread::Interval(interval) => format!("{}–{}", show(interval.low), show(interval.high)),
        Spread::NoSpread { .. } => "all equal".to_owned(),
        Spread::TooFew { .. } => "too few cases".to_owned(),
    }
}

/// Returns the cells of a mean: the mean, its interval, and the number of cases. `nothing` stands for
/// the interval of no value.
pub(super) fn cells(
    measured: Option<&Measured>,
    cases: usize,
    nothing: &str,
    show: &dyn Fn(f64) -> String,
) -> [String; 3] {
    match measured {
        Some(one) => [show(one.mean), interval(one.spread, show), one.of_all()],
        None => ["-".to_owned(), nothing.to_owned(), of_all(0, cases)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_signs_and_nothing_has_none() {
        let three = |value| signed(value, &three_decimals);
        assert_eq!([0.05, -0.05, 0.0, -0.0].map(three), ["+0.050", "-0.050", "0.000", "0.000"]);
        let short = |value| signed(value, &number);
        assert_eq!([0.05, -0.05, 0.0, -0.0].map(short), ["+0.05", "-0.05", "0", "0"]);
        assert_eq!(capital(EVALUATOR), "Evaluator");
    }
}
