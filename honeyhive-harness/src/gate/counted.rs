//! Describes how many of the cases a number is about, in the same words in every report.

use crate::text::thousands;

/// The share of scored cases below which a rule is inconclusive.
pub(crate) const MIN_SCORED: f64 = 0.95;

/// Formats a number of cases: `30`, or `1 of 30` where the number is not about all cases.
pub(crate) fn of_all(n: usize, cases: usize) -> String {
    if n == cases { thousands(n) } else { format!("{} of {}", thousands(n), thousands(cases)) }
}

/// The numbers of cases and values behind the verdict of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'a> {
    /// The number of values that the rule looks at: one per case, or one per attempt.
    pub(super) values: usize,
    /// The number of cases that the values come from.
    pub(super) scored: usize,
    /// The number of all cases that the rule looks at.
    pub(super) cases: usize,
    /// The numbers of the other cases, each with the reason why they have no value.
    pub(super) rest: &'a [(usize, &'static str)],
}

impl Counted<'_> {
    /// Describes the numbers: `n = 30`, `n = 90 attempts`, `n = 1 of 30, 29 not applicable`, or
    /// `n = 87 attempts in 29 of 30 cases, 1 without a score`.
    pub(super) fn text(&self) -> String {
        let Self { values, scored, cases, rest } = *self;
        let mut text = match (values == scored, scored == cases) {
            (true, _) => format!("n = {}", of_all(scored, cases)),
            (false, true) => format!("n = {} attempts", thousands(values)),
            (false, false) => {
                format!("n = {} attempts in {} cases", thousands(values), of_all(scored, cases))
            }
        };
        for (number, what) in rest.iter().filter(|(number, _)| *number > 0) {
            text.push_str(&format!(", {} {what}", thousands(*number)));
        }
        text
    }

    /// Returns why a rule with `min_n` is inconclusive; `None` where its values are enough.
    pub(super) fn too_few(&self, min_n: u32) -> Option<String> {
        let is_enough = self.values >= usize::try_from(min_n).unwrap_or(usize::MAX);
        let asked = thousands(usize::try_from(min_n).unwrap_or(usize::MAX));
        (!is_enough).then(|| format!("{}; the rule asks for at least {asked}", self.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: usize, scored: usize, rest: &[(usize, &'static str)]) -> String {
        Counted { values, scored, cases: 30, rest }.text()
    }

    #[test]
    fn n_says_what_it_leaves_out() {
        assert_eq!(text(30, 30, &[(0, "not applicable")]), "n = 30");
        assert_eq!(text(1, 1, &[(29, "not applicable")]), "n = 1 of 30, 29 not applicable");
        assert_eq!(
            text(27, 27, &[(2, "not applicable"), (1, "without a score")]),
            "n = 27 of 30, 2 not applicable, 1 without a score"
        );
        assert_eq!(text(90, 30, &[]), "n = 90 attempts");
        assert_eq!(
            text(58, 29, &[(1, "without a score")]),
            "n = 58 attempts in 29 of 30 cases, 1 without a score"
        );
        assert_eq!(of_all(1, 1200), "1 of 1,200");
    }

    #[test]
    fn min_n_names_what_there_is() {
        let few = Counted { values: 1, scored: 1, cases: 30, rest: &[(29, "not applicable")] };
        assert_eq!(
            few.too_few(20).as_deref(),
            Some("n = 1 of 30, 29 not applicable; the rule asks for at least 20")
        );
        assert_eq!((few.too_few(1), few.too_few(0)), (None, None));
    }
}
