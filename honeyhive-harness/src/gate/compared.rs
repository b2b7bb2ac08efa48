//! Holds two runs that are compared, and describes the difference in words.

use crate::baseline::{self, Paired, ScoreComparison, Snapshot};
use crate::journal::ComparisonRecord;
use crate::text::{number, one_line, thousands};

use super::input::Baseline;

/// The most changes that a verdict names.
const MOST_CHANGES: usize = 6;

/// The data that all rules of a family are judged from.
pub(super) struct Compared<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) now: &'a Snapshot,
    pub(super) paired: Paired,
    pub(super) scores: ScoreComparison,
}

/// Returns the means of a comparison and how many cases moved.
pub(super) fn means(scores: &ScoreComparison) -> ComparisonRecord {
    ComparisonRecord {
        before: scores.before,
        after: scores.after,
        gain: scores.gain,
        interval: scores.interval.map(|interval| (interval.low, interval.high)),
        better: scores.better,
        worse: scores.worse,
        ..ComparisonRecord::default()
    }
}

/// Describes two means: `0.347 was 0.39, down 0.043 (95 % of the gain -0.072 to -0.014)`
pub(super) fn describe_means(scores: &ScoreComparison) -> String {
    let change = scores.after - scores.before;
    let mut text = format!("{} was {}", number(scores.after), number(scores.before));
    if scores.better + scores.worse > 0 {
        let word = if change < 0.0 { "down" } else { "up" };
        text.push_str(&format!(", {word} {}", number(change.abs())));
        if let Some(interval) = scores.interval {
            text.push_str(&format!(
                " (95 % of the gain {} to {})",
                number(interval.low),
                number(interval.high)
            ));
        }
    }
    text
}

/// Describes the number of compared cases: `n = 10`, `n = 10 of 200`
pub(super) fn sample(paired: &Paired) -> String {
    let (n, expected) = (paired.pairs.len(), paired.coverage.expected);
    if n < expected {
        format!("n = {} of {}", thousands(n), thousands(expected))
    } else {
        format!("n = {}", thousands(n))
    }
}

/// Describes what changed since the baseline: `; changed since: prompts/system.md, model a → b`
pub(super) fn changes(compared: &Compared<'_>) -> String {
    let mut found = baseline::changed(&compared.baseline.snapshot, compared.now);
    if found.is_empty() {
        return "; nothing that is tracked has changed since (code that the function and the \
                evaluators call is not tracked)"
            .to_owned();
    }
    let more = found.len().saturating_sub(MOST_CHANGES);
    found.truncate(MOST_CHANGES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; changed since: {}{more}", one_line(&found.join(", "), 400))
}
