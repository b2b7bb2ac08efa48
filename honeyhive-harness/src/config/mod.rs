//! The environment, read in one place.
//!
//! Everything that a variable can change is a field of [`Config`]; no other room asks the
//! environment. A value that cannot be understood is an error, not a default.

mod ci;
mod connection;
mod known;
mod otlp;
mod report;
mod secret;
mod secret_names;
mod task;
mod vars;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use connection::Family;
pub(crate) use connection::{
    Connection, NO_INGESTION_KEY, Protocol, is_header, is_ingestion_key, printable, server,
};
pub(crate) use otlp::OtlpTarget;
pub(crate) use report::{Format, GitHub, Reports};
pub(crate) use secret::{NamedSecret, Secret};
pub(crate) use task::{Asked, Task};
use vars::Vars;

/// How long the end of a run waits for what is still to be sent when nobody says otherwise.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(15);

/// What nextest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nextest {
    /// `NEXTEST_RUN_ID`: all processes of one `cargo nextest run` have it in common.
    pub(crate) run_id: Option<String>,
    /// `NEXTEST_ATTEMPT`: which attempt at this test it is, from 1.
    pub(crate) attempt: u32,
}

/// What tracers are made of when their program does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracerDefaults {
    /// `HH_PROJECT`.
    pub(crate) project: Option<String>,
    /// `HH_SOURCE`.
    pub(crate) source: Option<String>,
    /// `HH_SESSION_NAME`.
    pub(crate) session_name: Option<String>,
    /// `HH_SESSION_ID`; not for experiments, where each attempt is a session.
    pub(crate) session_id: Option<String>,
    /// `HH_RUN_ID`.
    pub(crate) run_id: Option<String>,
    /// `HH_DATASET_ID`; not for experiments, which know their dataset.
    pub(crate) dataset_id: Option<String>,
    /// `HH_DATAPOINT_ID`; likewise.
    pub(crate) datapoint_id: Option<String>,
}

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// `HH_DIR`: where journals go instead of `target/honeyhive`.
    pub(crate) dir: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, else `.cache` in the home directory (`LOCALAPPDATA` on Windows): where a run
    /// leaves the path of a journal that is not in a usual place.
    pub(crate) cache_dir: Option<PathBuf>,
    /// `CARGO_TARGET_DIR`: where cargo builds, and so where journals are.
    #[cfg(feature = "cli")]
    pub(crate) target_dir: Option<PathBuf>,
    /// `CARGO`: the cargo that started us.
    #[cfg(feature = "cli")]
    pub(crate) cargo: Option<OsString>,
    /// `HH_CONCURRENCY`: attempts at once, for all experiments.
    pub(crate) concurrency: Option<usize>,
    /// `HH_REPEATS`: attempts per case, for all experiments.
    pub(crate) repeats: Option<u32>,
    /// `HH_MAX_ROWS`: how many rows a dataset function may yield.
    pub(crate) max_rows: usize,
    /// `HH_MAX_BYTES`: how many bytes they may take in memory.
    pub(crate) max_bytes: usize,
    /// `HH_SAMPLE` and `HH_SAMPLE_SEED`: run on so many cases of each experiment, chosen by the
    /// seed.
    pub(crate) sample: Option<(usize, u64)>,
    /// `HH_STOP=never`: `stop = decided` of experiments has no effect.
    pub(crate) run_all: bool,
    /// `HH_INVOCATION`: the processes of one `cargo honeyhive rejudge`, which are one run.
    pub(crate) invocation: Option<String>,
    /// `HH_TASK`: something else than running, for `cargo honeyhive`; or the variables that ask for
    /// it in a way that no `cargo honeyhive` does.
    pub(crate) task: Option<Result<Task, String>>,
    /// A gate that cannot judge is a failure: in CI, unless `HH_REQUIRE_GATES` says otherwise.
    pub(crate) require_gates: bool,
    /// A CI service runs this: `CI`, or what such services set.
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
    /// How HoneyHive is reached; without a key it is not.
    pub(crate) connection: Connection,
    /// `OTEL_EXPORTER_OTLP_*`: where spans go as well.
    pub(crate) otlp: Option<OtlpTarget>,
    /// Why the receiver that they name cannot be used; one of the warnings.
    pub(crate) otlp_fault: Option<String>,
    /// `OTEL_SERVICE_NAME`: the name of the service in every trace.
    pub(crate) service_name: Option<String>,
    /// What tracers are made of.
    pub(crate) tracer: TracerDefaults,
    /// `HH_OFFLINE=1` or `HH_TEST_MODE=1`: nothing leaves the machine.
    pub(crate) offline: bool,
    /// Which of the two it is.
    pub(crate) offline_by: &'static str,
    /// `HH_UPLOAD=always`: a partial selection is sent to HoneyHive, too.
    pub(crate) upload_partial: bool,
    /// `HH_REQUIRE_UPLOAD=1`: what could not be sent is a failure.
    pub(crate) require_upload: bool,
    /// `HH_FLUSH_TIMEOUT`: how long the end of a run waits for what is still to be sent.
    pub(crate) flush_timeout: Duration,
    /// `HH_RESULTS=<aggregate>`: HoneyHive's own figures are waited for and shown.
    pub(crate) results: Option<String>,
    /// `HH_REPORT`, and what GitHub Actions says: the reports after a run.
    pub(crate) reports: Reports,
    /// `HH_CAPTURE=none`: what goes in and comes out is not recorded.
    pub(crate) capture_none: bool,
    /// Values of variables that are named like secrets; they are never written anywhere.
    pub(crate) secrets: Vec<NamedSecret>,
    /// Variables that have almost the name of one of ours.
    pub(crate) misspelt: Vec<String>,
    /// Other variables without a meaning or an effect, and old names.
    pub(crate) warnings: Vec<String>,
}

/// What HoneyHive aggregates scores by.
pub(crate) const AGGREGATES: [&str; 9] =
    ["average", "min", "max", "median", "p90", "p95", "p99", "sum", "count"];

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Every variable whose value cannot be understood.
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::read(std::env::vars_os(), is_ci::uncached())
    }

    /// `usual_ci` says whether a usual variable of a CI service is set.
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
        let config = Self {
            dir: vars.raw("HH_DIR").map(PathBuf::from),
            cache_dir: cache_dir(&vars),
            #[cfg(feature = "cli")]
            target_dir: vars.raw("CARGO_TARGET_DIR").map(PathBuf::from),
            #[cfg(feature = "cli")]
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
            connection: Connection::read(&mut vars, &mut warnings),
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

/// How many rows a dataset function yields at most when nobody says otherwise.
const MAX_ROWS: usize = 1_000_000;

/// How many bytes they take at most: a gibibyte.
const MAX_BYTES: usize = 1 << 30;

/// How many rows a dataset function may yield, and how many bytes they may take.
pub(crate) fn row_limits() -> (usize, usize) {
    // What cannot be understood is an error elsewhere.
    Config::from_env().map_or((MAX_ROWS, MAX_BYTES), |config| (config.max_rows, config.max_bytes))
}

/// The user's directory for files that can be made again.
fn cache_dir(vars: &Vars) -> Option<PathBuf> {
    let named = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_CACHE_HOME" };
    let home = || Some(PathBuf::from(vars.raw("HOME")?).join(".cache")).filter(|_| !cfg!(windows));
    // A relative path would be another directory for each command.
    vars.raw(named).map(PathBuf::from).or_else(home).filter(|path| path.is_absolute())
}

/// The name of the running program, without its directory and ending.
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
    fn offline_means_every_destination() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(read(&[endpoint]).unwrap().otlp.is_some());
        for offline in ["HH_OFFLINE", "HH_TEST_MODE"] {
            let config = read(&[endpoint, (offline, "1")]).unwrap();
            assert!(config.offline && config.otlp.is_none());
        }
    }
}
