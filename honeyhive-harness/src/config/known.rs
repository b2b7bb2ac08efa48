//! Lists the names of our variables, and checks names that are close to them.

use super::vars::Vars;
use crate::text::closest;

/// The variables that users may set: all that are read here, and one that the macros read. The table of
/// the manual has each of them.
pub(super) const VARIABLES: [&str; 34] = [
    "HH_API_FAMILY",
    "HH_API_KEY",
    "HH_API_TIMEOUT",
    "HH_API_URL",
    "HH_CAPTURE",
    "HH_CONCURRENCY",
    "HH_DATAPOINT_ID",
    "HH_DATASET_ID",
    "HH_DIR",
    "HH_EXT_IDS",
    "HH_FLUSH_TIMEOUT",
    "HH_INGESTION_API_KEY",
    "HH_MACROS_DEBUG",
    "HH_MAX_BYTES",
    "HH_MAX_RETRIES",
    "HH_MAX_ROWS",
    "HH_OFFLINE",
    "HH_OTLP_PROTOCOL",
    "HH_PROJECT",
    "HH_REPEATS",
    "HH_REPORT",
    "HH_REQUIRE_GATES",
    "HH_REQUIRE_UPLOAD",
    "HH_RESULTS",
    "HH_RUN_ID",
    "HH_SAMPLE",
    "HH_SAMPLE_SEED",
    "HH_SERVER_URL",
    "HH_SESSION_ID",
    "HH_SESSION_NAME",
    "HH_SOURCE",
    "HH_STOP",
    "HH_TEST_MODE",
    "HH_UPLOAD",
];

/// The variables that `cargo honeyhive` sets for the test targets it starts, and one that it used to
/// set.
const INTERNAL: [&str; 4] = ["HH_INVOCATION", "HH_REJUDGE", "HH_TASK", "HH_TASK_OUT"];

/// The variables of HoneyHive's Python SDK that are not read here. They are not taken for misspelt names
/// of ours.
const OF_THE_PYTHON_SDK: [&str; 13] = [
    "HH_BATCH_SIZE",
    "HH_DATA_PLANE_API_KEY",
    "HH_DISABLE_BATCH",
    "HH_DISABLE_TRACING",
    "HH_EXPERIMENT_ID",
    "HH_EXPERIMENT_METADATA",
    "HH_EXPORT_TIMEOUT_SECONDS",
    "HH_HIGH_CONCURRENCY",
    "HH_OTLP_ENABLED",
    "HH_OTLP_ENDPOINT",
    "HH_OTLP_HEADERS",
    "HH_SERVICE_NAME",
    "HH_VERBOSE",
];

/// The older names that HoneyHive's own programs still read.
const OLD: [&str; 2] = ["HONEYHIVE_API_KEY", "HONEYHIVE_SERVER_URL"];

/// The messages about names of variables.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The messages about names that differ from one of ours by a letter or two.
    pub(super) misspelt: Vec<String>,
    /// The messages about other names that have no meaning here.
    pub(super) warnings: Vec<String>,
}

impl Names {
    pub(super) fn check(vars: &Vars) -> Self {
        let mut names = Self::default();
        let mut unknown = Vec::new();
        for name in vars.names() {
            let ours = match name.strip_prefix("HONEYHIVE_") {
                Some(rest) => format!("HH_{rest}"),
                None if name.starts_with("HH_") => name.to_owned(),
                None => continue,
            };
            let known =
                VARIABLES.contains(&name) || INTERNAL.contains(&name) || OLD.contains(&name);
            if known {
                continue;
            }
            let of_sdk = OF_THE_PYTHON_SDK.contains(&name);
            let near = closest(&ours, VARIABLES).filter(|_| !of_sdk);
            let said = near.map(|near| format!("{name} has no meaning; did you mean {near}?"));
            match said {
                Some(said) if name.starts_with("HH_") => names.misspelt.push(said),
                Some(said) => names.warnings.push(said),
                // A variable `HONEYHIVE_..` may belong to any program. may belong to any program.
                None if name.starts_with("HH_") => unknown.push(name),
                None => {}
            }
        }
        match &unknown[..] {
            [] => {}
            [one] => names.warnings.push(format!(
                "{one} has no meaning here; the manual lists all variables (cargo doc -p \
                 honeyhive-harness --open)"
            )),
            several => names.warnings.push(format!(
                "{} have no meaning here; the manual lists all variables (cargo doc -p \
                 honeyhive-harness --open)",
                several.join(", ")
            )),
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(names: &[&str]) -> Names {
        Names::check(&Vars::new(names.iter().map(|name| (name.into(), "x".into()))))
    }

    #[test]
    fn a_misspelt_variable_is_pointed_out() {
        let names = check(&["HH_CONCURENCY", "HH_REPEAT", "HONEYHIVE_API_URL", "PATH", "HH_DIR"]);
        assert_eq!(
            names.misspelt,
            [
                "HH_CONCURENCY has no meaning; did you mean HH_CONCURRENCY?",
                "HH_REPEAT has no meaning; did you mean HH_REPEATS?",
            ]
        );
        assert_eq!(names.warnings, ["HONEYHIVE_API_URL has no meaning; did you mean HH_API_URL?"]);
    }

    #[test]
    fn unknown_variables_share_one_line() {
        let names = check(&["HH_SOMETHING_ELSE", "HH_VERBOSE", "HONEYHIVE_SOMETHING_ELSE"]);
        assert_eq!(names.misspelt, [""; 0]);
        let [line] = &names.warnings[..] else { panic!("{names:?}") };
        assert!(line.starts_with("HH_SOMETHING_ELSE, HH_VERBOSE have no meaning here; "), "{line}");
    }

    #[test]
    fn every_single_typo_is_recognised() {
        for name in VARIABLES {
            for at in 3..name.len() {
                let typo = format!("{}{}", &name[..at], &name[at + 1..]);
                if VARIABLES.contains(&typo.as_str()) {
                    continue;
                }
                let told = check(&[&typo]);
                assert_eq!(told.misspelt.len(), 1, "{typo} of {name}: {told:?}");
            }
        }
    }

    #[test]
    fn the_manual_has_every_variable_and_no_other() {
        let (_, table) = include_str!("../lib.rs")
            .split_once("//! # Environment\n")
            .expect("the manual has a section about the environment");
        let (table, _) = table.split_once("//! # ").expect("a section after it");
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let told: BTreeSet<&str> = table
            .split(|c: char| !is_name(c))
            .filter(|word| word.starts_with("HH_") && word.len() > 3)
            .collect();
        let read: BTreeSet<&str> = VARIABLES.into_iter().collect();
        assert_eq!(told, read);
    }
}
