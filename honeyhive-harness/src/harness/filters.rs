//! Texts for filters that select nothing: a test that did not run proves nothing.

use super::args::Args;
use super::load::Loaded;
use super::plan::{Plan, What, runs};
use crate::text::{closest, count};

/// The most experiments that are named.
const SHOWN: usize = 10;

impl Loaded {
    /// Returns whether the experiment has a test of this name, apart from the experiment's own name.
    pub(super) fn has(&self, case: &str) -> bool {
        (case == "gate" && !self.entry.gates.is_empty())
            || self.dataset.rows.iter().any(|row| row.slug == case)
    }

    /// Returns the text about a test that the experiment does not have.
    pub(super) fn no_such_case(&self, name: &str) -> String {
        let experiment = self.entry.name;
        let case = name.split_once("::").map_or(name, |(_, case)| case);
        if case == "gate" {
            return format!("experiment `{experiment}` has no gate(..)");
        }
        let slugs = self.dataset.rows.iter().map(|row| row.slug.as_str());
        let hint = if let Some(near) = closest(case, slugs) {
            format!("; did you mean `{near}`?")
        } else {
            let rows = count(self.dataset.rows.len(), "case");
            format!(
                "; `--exact {experiment}` runs all its {rows}. Rows without an `id` are named by \
                 their inputs, so an edited row has another name"
            )
        };
        format!("experiment `{experiment}` has no case `{case}`{hint}")
    }
}

impl Plan {
    /// Returns the notes about filters that mean no test of this target.
    pub(super) fn about_filters(&self, args: &Args) -> Vec<String> {
        let mut notes = Vec::new();
        let mut unknown: Vec<&str> = Vec::new();
        let unmatched = args.filters.iter().filter(|filter| {
            let means = |name: &str| args.matches(filter, name);
            !self.tests.iter().any(|test| means(&test.name))
        });
        for filter in unmatched {
            let (experiment, case) = filter.split_once("::").unwrap_or((filter, ""));
            match self.loaded.iter().find(|one| one.entry.name == experiment) {
                Some(loaded) if !case.is_empty() => notes.push(loaded.no_such_case(filter)),
                _ => unknown.push(filter),
            }
        }
        notes.extend(self.unknown(&unknown));
        if notes.is_empty() && !args.bench && self.running(args).next().is_none() {
            notes.extend(self.nothing_runs(args));
        }
        notes
    }

    fn unknown(&self, filters: &[&str]) -> Option<String> {
        let [first, ..] = filters else { return None };
        let (experiment, rest) = first.split_once("::").unwrap_or((first, ""));
        let near = closest(experiment, self.linked.iter().copied());
        let near = near.map(|near| {
            if rest.is_empty() && first.ends_with("::") {
                format!("{near}::")
            } else {
                near.to_owned()
            }
        });
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let mut names: Vec<&str> = Vec::new();
        for name in &self.linked {
            if !names.contains(name) {
                names.push(name);
            }
        }
        let more = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let filters: Vec<String> = filters.iter().map(|filter| format!("`{filter}`")).collect();
        Some(format!(
            "no test of this target matches {}{hint} (experiments here: {}{more})",
            filters.join(", "),
            names.join(", ")
        ))
    }

    /// Returns the reason why nothing is run although every filter means a test.
    fn nothing_runs(&self, args: &Args) -> Option<String> {
        let selected = || self.tests.iter().filter(|test| test.selected);
        if selected().next().is_some() {
            return Some(
                "all selected experiments are marked #[ignore], so nothing was tested; \
                 --include-ignored runs them"
                    .to_owned(),
            );
        }
        if args.ignored && args.skip.is_empty() && args.filters.is_empty() {
            return Some("no experiment of this target is marked #[ignore]".to_owned());
        }
        // Something may be hidden behind a dataset that cannot be read.
        let faults = self.tests.iter().any(|test| matches!(test.what, What::Fault { .. }));
        let left = self.tests.iter().any(|test| runs(test, args));
        (!faults && !left && !args.skip.is_empty())
            .then(|| "--skip leaves out all tests of this target".to_owned())
    }

    /// Returns the errors of experiments that cannot run and whose tests are not selected: a filter might
    /// select their cases, if their names were known.
    pub(super) fn faults(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|test| !test.selected).filter_map(|test| match &test.what {
            What::Fault { text } => Some(text.as_str()),
            _ => None,
        })
    }
}
