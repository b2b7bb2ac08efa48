//! Functions with `#[test]` in a test target without libtest, which rustc leaves out without a warning.

/// A function with `#[test]` in a target without libtest: its name, file and line, and whether
/// `#[experiment]` stands below.
#[doc(hidden)]
pub type NeverRun = (&'static str, &'static str, usize, bool);

use crate::text::count;

/// The name of the test that fails because of such functions.
pub(super) const TEST: &str = "functions_that_never_run";

/// The most functions that the text names.
const SHOWN: usize = 10;

/// Returns the error about such functions, and what to do; `None` where there are none.
pub(super) fn text(functions: &[NeverRun]) -> Option<String> {
    let (experiments, tests): (Vec<_>, Vec<_>) =
        functions.iter().copied().partition(|(.., is_experiment)| *is_experiment);
    let mut parts = Vec::new();
    if !tests.is_empty() {
        parts.push(format!(
            "{} with #[test] did not run, as a target with `harness = false` runs experiments alone: \
             {}; move {} into a test target without `harness = false`",
            count(tests.len(), "function"),
            named(&tests),
            if tests.len() == 1 { "it" } else { "them" },
        ));
    }
    if !experiments.is_empty() {
        parts.push(format!(
            "{} did not run, as the #[test] above takes the function away before #[experiment] can \
             register it: {}; remove #[test]",
            count(experiments.len(), "experiment"),
            named(&experiments),
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn named(functions: &[NeverRun]) -> String {
    let shown = functions.iter().take(SHOWN);
    let mut names: Vec<String> =
        shown.map(|(name, file, line, _)| format!("`{name}` ({file}:{line})")).collect();
    if functions.len() > SHOWN {
        names.push(format!("and {} more", functions.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_remedy() {
        assert_eq!(text(&[]), None);
        assert_eq!(
            text(&[("checks::adds", "tests/evals.rs", 7, false)]).unwrap(),
            "1 function with #[test] did not run, as a target with `harness = false` runs experiments \
             alone: `checks::adds` (tests/evals.rs:7); move it into a test target without \
             `harness = false`"
        );
        let both = text(&[("a", "t.rs", 1, true), ("b", "t.rs", 2, false)]).unwrap();
        assert!(
            both.contains("`b` (t.rs:2); move it") && both.contains("`a` (t.rs:1); remove #[test]")
        );
        let many = vec![("a", "t.rs", 1, false); 12];
        assert!(
            text(&many).unwrap().contains("12 functions")
                && text(&many).unwrap().contains("and 2 more")
        );
    }
}
