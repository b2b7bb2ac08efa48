//! Filters as editors write them: an editor knows the module of an experiment and the name of its
//! function, and asks for `module::function` as if that were a unit test.

use super::args::Args;
use crate::registry::Experiment;

impl Args {
    /// Notes which filters name the place of an experiment: with `--exact` the path of its function,
    /// else a module that holds it.
    pub(super) fn resolve_modules(&mut self, entries: &[&'static Experiment]) {
        for entry in entries {
            let path = match entry.module.split_once("::") {
                Some((_, module)) => format!("{module}::{}", entry.function),
                None => entry.function.to_owned(),
            };
            self.resolve_module(&path, entry.name);
        }
    }

    fn resolve_module(&mut self, path: &str, experiment: &'static str) {
        let means = |filter: &&String| {
            let rest = path.strip_prefix(filter.as_str());
            !filter.is_empty()
                && rest.is_some_and(|rest| {
                    if self.exact { rest.is_empty() } else { rest.starts_with("::") }
                })
        };
        let found = self.filters.iter().filter(means).map(|filter| (filter.clone(), experiment));
        self.by_module.extend(found.collect::<Vec<_>>());
    }

    /// Returns whether a filter means the test of this name by the place of its experiment.
    pub(super) fn matches_module(&self, filter: &str, name: &str) -> bool {
        self.by_module.iter().any(|(by, experiment)| {
            let rest = name.strip_prefix(experiment);
            by == filter && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// Returns whether a command line selects a test of `detect_later`, which is `nested::deep::later`.
    fn selects(line: &str, test: &str) -> bool {
        let mut args = Args::parse(line.split(' ').map(OsString::from)).unwrap();
        args.resolve_module("nested::deep::later", "detect_later");
        let selected = args.selects(test);
        assert!(!selected || args.may_select_in("detect_later"), "{line}: its dataset is read");
        selected
    }

    #[test]
    fn an_exact_path_of_a_function_is_its_experiment() {
        for test in ["detect_later", "detect_later::row-1", "detect_later::gate"] {
            assert!(selects("--exact nested::deep::later", test), "{test}");
            assert!(!selects("--exact nested::deep", test), "{test}");
            assert!(!selects("--exact later", test), "{test}");
        }
        assert!(!selects("--exact nested::deep::later", "detect_later_2::row-1"));
    }

    #[test]
    fn a_module_is_what_is_in_it() {
        assert!(selects("nested", "detect_later::row-1"));
        assert!(selects("nested::deep --nocapture", "detect_later::gate"));
        assert!(!selects("nest", "detect_later::row-1"));
        assert!(!selects("deep", "detect_later::row-1"));
        assert!(selects("row-", "detect_later::row-1"), "names are looked at as ever");
    }
}
