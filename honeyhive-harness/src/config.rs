//! The environment, read in one place.
//!
//! Everything that a variable can change is a field of [`Config`]; no other room asks the
//! environment. A value that cannot be understood is an error, not a default.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::text::closest;

/// Variables of ours: the ones read here, and those that HoneyHive's other SDKs read.
const KNOWN: [&str; 9] = [
    "HH_API_KEY",
    "HH_API_URL",
    "HH_CONCURRENCY",
    "HH_DIR",
    "HH_EXT_IDS",
    "HH_MACROS_DEBUG",
    "HH_PROJECT",
    "HH_REQUIRE_GATES",
    "HH_SOURCE",
];

/// What nextest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nextest {
    /// `NEXTEST_RUN_ID`: all processes of one `cargo nextest run` have it in common.
    pub(crate) run_id: Option<String>,
    /// `NEXTEST_ATTEMPT`: which attempt at this test it is, from 1.
    pub(crate) attempt: u32,
}

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// `HH_DIR`: where journals go instead of `target/honeyhive`.
    pub(crate) dir: Option<PathBuf>,
    /// `HH_CONCURRENCY`: attempts at once, for all experiments.
    pub(crate) concurrency: Option<usize>,
    /// `CI=true` or `HH_REQUIRE_GATES=1`: a gate that cannot judge is a failure.
    pub(crate) require_gates: bool,
    /// `CI=true`: no live line.
    pub(crate) ci: bool,
    /// `CARGO_PKG_NAME` and `CARGO_MANIFEST_DIR`: the crate under test, where it is now.
    pub(crate) package: Option<(String, PathBuf)>,
    /// `HH_EXT_IDS=python`: external ids as HoneyHive's Python SDK makes them.
    pub(crate) python_ids: bool,
    /// `NEXTEST=1`: nextest started this process.
    pub(crate) nextest: Option<Nextest>,
    /// `CARGO`: cargo started this process.
    pub(crate) under_cargo: bool,
    /// `PWD`: where the person stands, which cargo changes for its tests.
    pub(crate) pwd: Option<PathBuf>,
    /// `TERM=dumb`: no control sequences.
    pub(crate) dumb_terminal: bool,
    /// `COLUMNS`, for the live line.
    pub(crate) columns: Option<usize>,
    /// Variables that look like misspelt ones of ours.
    pub(crate) warnings: Vec<String>,
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Every variable whose value cannot be understood.
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(std::env::vars_os())
    }

    fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, String> {
        let mut config = Self::default();
        let mut faults = Vec::new();
        let (mut package, mut manifest_dir) = (None, None);
        let (mut nextest, mut run_id, mut attempt) = (false, None, 1);
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            if value.is_empty() {
                continue;
            }
            let text = value.to_string_lossy();
            match name {
                "HH_DIR" => config.dir = Some(PathBuf::from(value)),
                "HH_CONCURRENCY" => match text.parse() {
                    Ok(0) | Err(_) => {
                        faults.push(format!("HH_CONCURRENCY={text}: not a number from 1"));
                    }
                    Ok(number) => config.concurrency = Some(number),
                },
                "HH_EXT_IDS" => match &*text {
                    "python" => config.python_ids = true,
                    _ => faults.push(format!("HH_EXT_IDS={text}: only python is known")),
                },
                "HH_REQUIRE_GATES" => match flag(&text) {
                    Some(yes) => config.require_gates |= yes,
                    None => faults.push(format!("HH_REQUIRE_GATES={text}: neither 1 nor 0")),
                },
                // Any other value of this foreign variable means no.
                "CI" => {
                    config.ci = flag(&text).unwrap_or_default();
                    config.require_gates |= config.ci;
                }
                "CARGO_PKG_NAME" => package = Some(text.into_owned()),
                "CARGO_MANIFEST_DIR" => manifest_dir = Some(PathBuf::from(value)),
                "NEXTEST" => nextest = true,
                "NEXTEST_RUN_ID" => run_id = Some(text.into_owned()),
                "NEXTEST_ATTEMPT" => attempt = text.parse().unwrap_or(1),
                "CARGO" => config.under_cargo = true,
                "PWD" => config.pwd = Some(PathBuf::from(value)),
                "TERM" => config.dumb_terminal = text == "dumb",
                "COLUMNS" => config.columns = text.parse().ok(),
                _ if name.starts_with("HH_") && !KNOWN.contains(&name) => {
                    if let Some(near) = closest(name, KNOWN) {
                        config
                            .warnings
                            .push(format!("{name} has no meaning; did you mean {near}?"));
                    }
                }
                _ => {}
            }
        }
        config.package = package.zip(manifest_dir);
        config.nextest = nextest.then_some(Nextest { run_id, attempt });
        if faults.is_empty() { Ok(config) } else { Err(faults.join("\n")) }
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn ci_requires_gates() {
        assert!(read(&[("CI", "true")]).unwrap().require_gates);
        assert!(read(&[("HH_REQUIRE_GATES", "1")]).unwrap().require_gates);
        assert!(!read(&[("CI", "false"), ("HH_REQUIRE_GATES", "0")]).unwrap().require_gates);
        assert!(!read(&[("CI", "")]).unwrap().require_gates);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        let error = read(&[("HH_CONCURRENCY", "many"), ("HH_REQUIRE_GATES", "maybe")]).unwrap_err();
        assert_eq!(
            error,
            "HH_CONCURRENCY=many: not a number from 1\nHH_REQUIRE_GATES=maybe: neither 1 nor 0"
        );
    }

    #[test]
    fn a_misspelt_variable_is_pointed_out() {
        let config = read(&[("HH_CONCURENCY", "4"), ("HH_SOMETHING_ELSE", "x")]).unwrap();
        assert_eq!(config.warnings, ["HH_CONCURENCY has no meaning; did you mean HH_CONCURRENCY?"]);
    }
}
