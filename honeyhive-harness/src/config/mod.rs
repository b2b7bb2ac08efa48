//! Reads the environment, in one place.
//!
//! Everything that a variable can change is a field of [`Config`]; no other module reads the
//! environment. A value that cannot be understood is an error, not a default.

mod ci;
mod connection;
mod known;
mod otlp;
mod proxy;
mod report;
mod secret;
mod secret_names;
mod task;
mod vars;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use connection::Family;
pub(crate) use connection::{
    Connection, NO_INGESTION_KEY, Protocol, is_header, is_ingestion_key, printable, server,
};
pub(crate) use otlp::OtlpTarget;
pub(crate) use proxy::Proxies;
pub(crate) use report::{Format, GitHub, Reports};
pub(crate) use secret::{NamedSecret, Secret};
pub(crate) use task::{Asked, Task};
use vars::Vars;

/// The default time that the end of a run waits for data that is still to be sent.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(15);

/// The variables that nextest sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nextest {
    /// The value of `NEXTEST_RUN_ID`, which all processes of one `cargo nextest run` have in common.
    pub(crate) run_id: Option<String>,
    /// The value of `NEXTEST_ATTEMPT`: the number of this attempt at the test, from 1.
    pub(crate) attempt: u32,
}

/// The default settings of tracers.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracerDefaults {
    /// The value of `HH_PROJECT`.
    pub(crate) project: Option<String>,
    /// The value of `HH_SOURCE`.
    pub(crate) source: Option<String>,
    /// The value of `HH_SESSION_NAME`.
    pub(crate) session_name: Option<String>,
    /// The value of `HH_SESSION_ID`; not for experiments, where each attempt is a session.
    pub(crate) session_id: Option<String>,
    /// The value of `HH_RUN_ID`.
    pub(crate) run_id: Option<String>,
    /// The value of `HH_DATASET_ID`; not for experiments, which know their dataset.
    pub(crate) dataset_id: Option<String>,
    /// The value of `HH_DATAPOINT_ID`; not for experiments, which know their datapoints.
    pub(crate) datapoint_id: Option<String>,
}

/// The settings from the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// The directory of journals, from `HH_DIR`, instead of `target/honeyhive`.
    pub(crate) dir: Option<PathBuf>,
    /// The directory where a run writes the path of a journal that is not in a usual place:
    /// `XDG_CACHE_HOME`, else `.cache` in the home directory (`LOCALAPPDATA` on Windows).
    pub(crate) cache_dir: Option<PathBuf>,
    /// The directory where cargo builds, and so where journals are, from `CARGO_TARGET_DIR`.
    #[cfg(feature = "cli")]
    pub(crate) target_dir: Option<PathBuf>,
    /// The path of the cargo that started this program, from `CARGO`.
    pub(crate) cargo: Option<OsString>,
    /// The number of concurrent attempts for all experiments, from `HH_CONCURRENCY`.
    pub(crate) concurrency: Option<usize>,
    /// The number of attempts per case for all experiments, from `HH_REPEATS`.
    pub(crate) repeats: Option<u32>,
    /// The most rows that a dataset function may yield, from `HH_MAX_ROWS`.
    pub(crate) max_rows: usize,
    /// The most bytes that these rows may take in memory, from `HH_MAX_BYTES`.
    pub(crate) max_bytes: usize,
    /// The number of cases of each experiment to run, and the seed that chooses them, from `HH_SAMPLE`
    /// and `HH_SAMPLE_SEED`.
    pub(crate) sample: Option<(usize, u64)>,
    /// Set by `HH_STOP=never`, with which `stop = decided` of experiments has no effect.
    pub(crate) run_all: bool,
    /// The id that the processes of one `cargo honeyhive rejudge` share, since they are one run, from
    /// `HH_INVOCATION`.
    pub(crate) invocation: Option<String>,
    /// The task of `cargo honeyhive`, from `HH_TASK`, instead of running experiments; or the description
    /// of variables that no `cargo honeyhive` sets in this way.
    pub(crate) task: Option<Result<Task, String>>,
    /// Set when an inconclusive gate is a failure: in CI, unless `HH_REQUIRE_GATES` says otherwise.
    pub(crate) require_gates: bool,
    /// Set when a CI service runs this process: by `CI`, or by other variables of such services.
    pub(crate) ci: bool,
    /// The name and the current directory of the crate under test, from `CARGO_PKG_NAME` and
    /// `CARGO_MANIFEST_DIR`.
    pub(crate) package: Option<(String, PathBuf)>,
    /// Set by `HH_EXT_IDS=python`: external ids are those that HoneyHive's Python SDK makes.
    pub(crate) python_ids: bool,
    /// The variables of nextest, where it started this process (`NEXTEST=1`).
    pub(crate) nextest: Option<Nextest>,
    /// Set when cargo started this process, by `CARGO`.
    pub(crate) under_cargo: bool,
    /// The working directory of the user's shell, from `PWD`; cargo changes the directory for its tests.
    pub(crate) pwd: Option<PathBuf>,
    /// Set by `TERM=dumb`: no control sequences are printed.
    pub(crate) dumb_terminal: bool,
    /// The width of the live line in columns, from `COLUMNS`.
    pub(crate) columns: Option<usize>,
    /// The settings of the connection to HoneyHive; without a key there is no connection.
    pub(crate) connection: Connection,
    /// The further destination of spans, from `OTEL_EXPORTER_OTLP_*`.
    pub(crate) otlp: Option<OtlpTarget>,
    /// The reason why the receiver that these variables name cannot be used; also one of the warnings.
    pub(crate) otlp_fault: Option<String>,
    /// The name of the service in every trace, from `OTEL_SERVICE_NAME`.
    pub(crate) service_name: Option<String>,
    /// The default settings of tracers.
    pub(crate) tracer: TracerDefaults,
    /// Set by `HH_OFFLINE=1` or `HH_TEST_MODE=1`: nothing is sent over the network.
    pub(crate) offline: bool,
    /// The variable that set `offline`.
    pub(crate) offline_by: &'static str,
    /// Set by `HH_UPLOAD=always`: a partial selection is sent to HoneyHive, too.
    pub(crate) upload_partial: bool,
    /// Set by `HH_REQUIRE_UPLOAD=1`: data that could not be sent is a failure.
    pub(crate) require_upload: bool,
    /// The time that the end of a run waits for data that is still to be sent, from `HH_FLUSH_TIMEOUT`.
    pub(crate) flush_timeout: Duration,
    /// The aggregate of HoneyHive's own figures that a run waits for and shows, from `HH_RESULTS`.
    pub(crate) results: Option<String>,
    /// The reports after a run, from `HH_REPORT` and the variables of GitHub Actions.
    pub(crate) reports: Reports,
    /// Set by `HH_CAPTURE=none`: inputs and outputs are not recorded.
    pub(crate) capture_none: bool,
    /// The values of variables that are named like secrets; they are never written anywhere.
    pub(crate) secrets: Vec<NamedSecret>,
    /// The messages about variables that have almost the name of one of ours.
    pub(crate) misspelt: Vec<String>,
    /// The messages about other variables without a meaning or an effect, and about old names.
    pub(crate) warnings: Vec<String>,
}

/// The names of the aggregates that HoneyHive computes of scores.
pub(crate) const AGGREGATES: [&str; 9] =
    ["average", "min", "max", "median", "p90", "p95", "p99", "sum", "count"];

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Returns a description of every variable whose value cannot be understood.
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(std::env::vars_os(), is_ci::uncached())
    }

    /// Reads the settings from `variables`; `usual_ci` says whether a usual variable of a CI service is
    /// set.
    fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        usual_ci: bool,
    ) -> Result<Self, String> {
        let mut vars = Vars::new(variables);
        let known::Names { misspelt, mut warnings } = known::Names::check(&vars);
        let ci = ci::is_ci(&vars, usual_ci);
        let offline = vars.flag("HH_OFFLINE").unwrap_or_default();
        let test_mode = vars.flag("HH_TEST_MODE").unwrap_or_default();
        let seed = vars.parse("HH_SAMPLE_SEED", "not a number from 0", |text| text.parse().ok());
        let sample = vars.positive("HH_SAMPLE").map(|size| (size, seed.unwrap_or(0)));
        if sample.is_none() && seed.is_some() && vars.faults.is_empty() {
            warnings.push("HH_SAMPLE_SEED has no effect without HH_SAMPLE".to_owned());
        }
        let is_offline = offline || test_mode;
        let otlp = if is_offline { Ok(None) } else { OtlpTarget::read(&vars, &mut warnings) };
        let otlp_fault = otlp.as_ref().err().cloned();
        warnings.extend(otlp_fault.clone());
        let connection = Connection::read(&mut vars, &mut warnings);
        if !is_offline {
            warnings.extend(proxy::unusable(&vars, &connection, otlp.iter().flatten().next()));
        }
        let config = Self {
            dir: vars.directory("HH_DIR").map(|dir| absolute(&dir, &vars)),
            cache_dir: cache_dir(&vars),
            #[cfg(feature = "cli")]
            target_dir: vars.raw("CARGO_TARGET_DIR").map(PathBuf::from),
            cargo: vars.raw("CARGO").map(OsString::from),
            concurrency: vars.positive("HH_CONCURRENCY"),
            repeats: vars.parse("HH_REPEATS", "not a number from 1", |text| {
                text.parse().ok().filter(|repeats| *repeats > 0)
            }),
            max_rows: vars.positive("HH_MAX_ROWS").unwrap_or(MAX_ROWS),
            max_bytes: vars.positive("HH_MAX_BYTES").unwrap_or(MAX_BYTES),
            sample,
            run_all: vars
                .parse("HH_STOP", "only never is known", |text| (text == "never").then_some(true))
                .unwrap_or_default(),
            invocation: vars.text("HH_INVOCATION"),
            task: Task::read(&vars),
            require_gates: vars.flag("HH_REQUIRE_GATES").unwrap_or(ci),
            ci,
            package: vars
                .text("CARGO_PKG_NAME")
                .zip(vars.raw("CARGO_MANIFEST_DIR").map(PathBuf::from)),
            python_ids: vars
                .parse("HH_EXT_IDS", "only python is known", |text| {
                    (text == "python").then_some(true)
                })
                .unwrap_or_default(),
            nextest: vars.has("NEXTEST").then(|| Nextest {
                run_id: vars.text("NEXTEST_RUN_ID"),
                attempt: vars
                    .text("NEXTEST_ATTEMPT")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(1),
            }),
            under_cargo: vars.has("CARGO"),
            pwd: vars.raw("PWD").map(PathBuf::from),
            dumb_terminal: vars.text("TERM").is_some_and(|text| text == "dumb"),
            columns: vars.text("COLUMNS").and_then(|text| text.parse().ok()),
            connection,
            otlp: otlp.unwrap_or_default(),
            otlp_fault,
            service_name: vars.text("OTEL_SERVICE_NAME"),
            tracer: TracerDefaults {
                project: vars.text("HH_PROJECT"),
                source: vars.text("HH_SOURCE"),
                session_name: vars.text("HH_SESSION_NAME"),
                session_id: vars.text("HH_SESSION_ID"),
                run_id: vars.text("HH_RUN_ID"),
                dataset_id: vars.text("HH_DATASET_ID"),
                datapoint_id: vars.text("HH_DATAPOINT_ID"),
            },
            offline: is_offline,
            offline_by: if test_mode && !offline { "HH_TEST_MODE" } else { "HH_OFFLINE" },
            upload_partial: vars
                .parse("HH_UPLOAD", "neither auto nor always", |text| match text {
                    "auto" => Some(false),
                    "always" => Some(true),
                    _ => None,
                })
                .unwrap_or_default(),
            require_upload: vars.flag("HH_REQUIRE_UPLOAD").unwrap_or_default(),
            flush_timeout: vars.duration("HH_FLUSH_TIMEOUT").unwrap_or(FLUSH_TIMEOUT),
            results: vars.parse(
                "HH_RESULTS",
                &format!("none of {}", AGGREGATES.join(", ")),
                |text| AGGREGATES.contains(&text).then(|| text.to_owned()),
            ),
            reports: Reports::read(&mut vars),
            capture_none: vars
                .parse("HH_CAPTURE", "neither all nor none", |text| match text {
                    "all" => Some(false),
                    "none" => Some(true),
                    _ => None,
                })
                .unwrap_or_default(),
            secrets: secret_names::secrets(&vars),
            misspelt,
            warnings,
        };
        if vars.faults.is_empty() { Ok(config) } else { Err(vars.faults.join("\n")) }
    }
}

/// The default limit of the rows that a dataset function may yield.
const MAX_ROWS: usize = 1_000_000;

/// The default limit of the bytes that these rows may take: a gibibyte.
const MAX_BYTES: usize = 1 << 30;

/// Returns the most rows that a dataset function may yield, and the most bytes that they may take.
pub(crate) fn row_limits() -> (usize, usize) {
    // An invalid environment is reported elsewhere.
    Config::from_env().map_or((MAX_ROWS, MAX_BYTES), |config| (config.max_rows, config.max_bytes))
}

/// Returns the user's directory for files that can be made again.
fn cache_dir(vars: &Vars) -> Option<PathBuf> {
    let named = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_CACHE_HOME" };
    let home = || Some(PathBuf::from(vars.raw("HOME")?).join(".cache")).filter(|_| !cfg!(windows));
    // A relative path would be another directory for each command.
    vars.raw(named).map(PathBuf::from).or_else(home).filter(|path| path.is_absolute())
}

/// Returns an absolute path for one that is relative to the directory where the command was typed.
/// Cargo starts a test in the directory of its package, and the code under test may leave that.
fn absolute(path: &Path, vars: &Vars) -> PathBuf {
    let is_test = vars.has("CARGO") && vars.has("CARGO_MANIFEST_DIR");
    let typed_in = if is_test && path.is_relative() { typed_in(vars) } else { None };
    match typed_in {
        Some(directory) => directory.join(path),
        None => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

/// Returns the working directory of the cargo, or the nextest, that started this process.
fn typed_in(vars: &Vars) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        let parent = std::os::unix::process::parent_id();
        if let Ok(directory) = std::fs::read_link(format!("/proc/{parent}/cwd")) {
            return Some(directory);
        }
    }
    // Only a shell keeps this variable up to date.
    vars.raw("PWD").map(PathBuf::from).filter(|directory| directory.is_absolute())
}

/// Returns the name of the running program, without its directory and ending.
pub(crate) fn program_name() -> Option<String> {
    let file = std::env::current_exe().ok()?;
    let stem = file.file_stem()?.to_string_lossy().trim().to_owned();
    (!stem.is_empty()).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(variables.iter().map(|(name, value)| (name.into(), value.into())), false)
    }

    #[test]
    fn ci_requires_gates_unless_a_variable_says_otherwise() {
        let required = |variables: &[(&str, &str)]| read(variables).unwrap().require_gates;
        assert!(required(&[("CI", "true")]) && required(&[("TF_BUILD", "True")]));
        assert!(required(&[("HH_REQUIRE_GATES", "1")]));
        assert!(required(&[("CI", "false"), ("HH_REQUIRE_GATES", "1")]));
        assert!(!required(&[("CI", "false")]) && !required(&[("CI", "")]) && !required(&[]));
        assert!(!required(&[("CI", "true"), ("HH_REQUIRE_GATES", "0")]));
        assert!(Config::read([], true).unwrap().require_gates);
    }

    #[test]
    fn a_relative_directory_has_one_meaning() {
        let here = std::env::current_dir().unwrap();
        let dir = |variables: &[(&str, &str)]| read(variables).unwrap().dir;
        assert_eq!(dir(&[]), None);
        assert_eq!(dir(&[("HH_DIR", "shard-1")]), Some(here.join("shard-1")));
        assert_eq!(dir(&[("HH_DIR", "/runs")]), Some("/runs".into()));
        let of_a_test =
            dir(&[("HH_DIR", "a b"), ("CARGO", "cargo"), ("CARGO_MANIFEST_DIR", "/nowhere")]);
        assert!(of_a_test.is_some_and(|dir| dir.is_absolute() && dir.ends_with("a b")));
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        let error = read(&[("HH_CONCURRENCY", "many"), ("HH_REQUIRE_GATES", "maybe")]).unwrap_err();
        let mut lines: Vec<&str> = error.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            ["HH_CONCURRENCY=many: not a number from 1", "HH_REQUIRE_GATES=maybe: neither 1 nor 0"]
        );
        for (name, value) in [
            ("HH_STOP", "decided"),
            ("HH_UPLOAD", "sometimes"),
            ("HH_FLUSH_TIMEOUT", "soon"),
            ("HH_RESULTS", "mode"),
            ("HH_REPORT", "pdf"),
            ("HH_CAPTURE", "some"),
            ("HH_API_URL", "honeyhive"),
            ("HH_MAX_RETRIES", "-1"),
            ("HH_API_TIMEOUT", "0"),
            ("HH_API_FAMILY", "v2"),
            ("HH_OFFLINE", "perhaps"),
            ("HH_OTLP_PROTOCOL", "grpc"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}={value}: ")), "{error}");
        }
    }

    #[test]
    fn a_tilde_that_no_shell_expanded_is_refused() {
        for text in ["~", "~/journals"] {
            let error = read(&[("HH_DIR", text), ("HOME", "/home/me")]).unwrap_err();
            let whole = text.replace('~', "/home/me");
            assert_eq!(
                error,
                format!("HH_DIR={text}: a shell expands `~`, and none did here; write {whole}")
            );
        }
        for text in ["./~/journals", "/a/~b", "~backup"] {
            let whole = std::path::absolute(text).unwrap();
            assert_eq!(read(&[("HH_DIR", text)]).unwrap().dir, Some(whole));
        }
    }

    #[test]
    fn a_key_that_is_none_is_not_shown() {
        let error = read(&[("HH_INGESTION_API_KEY", "hh_ingst_short")]).unwrap_err();
        assert!(error.starts_with("HH_INGESTION_API_KEY: ") && !error.contains("hh_ingst_short"));
        let error = read(&[("HH_API_KEY", "two words")]).unwrap_err();
        assert!(!error.contains("two words"), "{error}");
        let config = read(&[("HH_API_KEY", "hh_secret_key")]).unwrap();
        assert!(!format!("{config:?}").contains("hh_secret_key"));
    }

    #[test]
    fn the_names_of_today_win() {
        let config = read(&[
            ("HH_API_KEY", "new-key"),
            ("HONEYHIVE_API_KEY", "old-key"),
            ("HH_API_URL", "https://new.example/"),
            ("HONEYHIVE_SERVER_URL", "https://old.example"),
            ("HH_SERVER_URL", "https://older.example"),
        ])
        .unwrap();
        assert_eq!(config.connection.api_key.unwrap().expose(), "new-key");
        assert_eq!(config.connection.server, "https://new.example");
        assert!(config.warnings.is_empty());
        let config = read(&[("HH_SERVER_URL", "https://older.example")]).unwrap();
        assert_eq!(config.connection.server, "https://older.example");
        assert_eq!(config.warnings, ["HH_SERVER_URL is an old name; use HH_API_URL"]);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_noted_where_something_is_sent() {
        let proxy = ("HTTPS_PROXY", "garbage://x");
        assert!(read(&[proxy]).unwrap().warnings.is_empty());
        let key = ("HH_API_KEY", "key");
        assert!(read(&[proxy, key, ("HH_OFFLINE", "1")]).unwrap().warnings.is_empty());
        let warnings = read(&[proxy, key]).unwrap().warnings;
        assert!(
            warnings[0].starts_with("HTTPS_PROXY=garbage://x: not the address"),
            "{warnings:?}"
        );
        let receiver = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:4318");
        assert_eq!(read(&[proxy, receiver]).unwrap().warnings, warnings);
    }

    #[test]
    fn offline_means_every_destination() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(read(&[endpoint]).unwrap().otlp.is_some());
        for offline in ["HH_OFFLINE", "HH_TEST_MODE"] {
            let config = read(&[endpoint, (offline, "1")]).unwrap();
            assert!(config.offline && config.otlp.is_none());
        }
    }
}
