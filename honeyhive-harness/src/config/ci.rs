//! Detects whether a CI service runs this process.

use super::vars::{Vars, flag};

/// The variables of services that `is_ci` does not look for; not all of these services set `CI`,
/// too.
const MORE: [&str; 8] = [
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "CONTINUOUS_INTEGRATION",
    "GITHUB_ACTIONS",
    "PROW_JOB_ID",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "bamboo_buildKey",
];

/// Returns whether a CI service runs this process. `CI` decides where it is set: anything but a
/// "no" means yes. Otherwise `usual` says whether any of the usual variables of services is set.
pub(super) fn is_ci(vars: &Vars, usual: bool) -> bool {
    match vars.text("CI") {
        Some(text) => flag(&text).unwrap_or(true),
        None => usual || MORE.iter().any(|name| vars.text(name).is_some_and(|it| is_yes(&it))),
    }
}

fn is_yes(text: &str) -> bool {
    flag(text).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ci(variables: &[(&str, &str)], usual: bool) -> bool {
        let vars = variables.iter().map(|(name, value)| (name.into(), value.into()));
        is_ci(&Vars::new(vars), usual)
    }

    #[test]
    fn ci_decides_where_it_is_set() {
        for yes in ["true", "True", "1", "yes", "woodpecker"] {
            assert!(ci(&[("CI", yes)], false), "{yes}");
        }
        for no in ["false", "0", "no", "FALSE", "off"] {
            assert!(!ci(&[("CI", no), ("TF_BUILD", "True")], true), "{no}");
        }
        // A variable that is set to nothing counts as not set.
        assert!(!ci(&[("CI", "")], false) && ci(&[("CI", "")], true));
    }

    #[test]
    fn services_that_do_not_set_ci_are_recognised() {
        for name in MORE {
            assert!(ci(&[(name, "1")], false), "{name}");
        }
        assert!(!ci(&[("GITHUB_ACTIONS", "false")], false));
        // These names have other meanings in other places.
        assert!(!ci(&[("BUILD_NUMBER", "7"), ("RUN_ID", "x"), ("BUILD_ID", "y")], false));
    }
}
