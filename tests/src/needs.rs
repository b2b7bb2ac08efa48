//! Finds tools that some tests need and not every machine has: cargo-nextest, a browser, Python
//! packages.
//!
//! Each function returns the tool if it is installed. If it is missing, the test fails if `CI` or
//! `HH_TESTS_REQUIRE` is set; elsewhere one line on standard error names the command that installs
//! the tool, and the test returns without a check. This module installs nothing: `.ci/tools` does.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::{cargo, target_dir, workspace};

/// HoneyHive's Python SDK, in the version that this crate is compared with.
pub const PYTHON_SDK: PythonPackage =
    PythonPackage { name: "sdk", requirement: include_str!("../needs/python/sdk.txt") };

/// Datadog's test agent, which receives OTLP over HTTP.
pub const PYTHON_RECEIVER: PythonPackage =
    PythonPackage { name: "receiver", requirement: include_str!("../needs/python/receiver.txt") };

/// The version of rustc whose messages `tests/ui` compares.
const RUSTC: &str = include_str!("../needs/rustc.txt");

/// The npm packages of the browser.
const BROWSER_LOCK: &str = include_str!("../needs/browser/package-lock.json");

/// A Python package with its own virtual environment.
#[derive(Debug, Clone, Copy)]
pub struct PythonPackage {
    name: &'static str,
    /// The requirement line for pip.
    requirement: &'static str,
}

/// A Chromium, with the node modules that control it.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The path of the program.
    pub chromium: PathBuf,
    /// The directory `node_modules`.
    pub modules: PathBuf,
}

/// Returns the tool, or prints what is missing and how to install it.
///
/// # Panics
/// Panics when the tool is missing and `CI` or `HH_TESTS_REQUIRE` is set.
pub fn need<T>(tool: &str, found: Result<T, String>, remedy: &str) -> Option<T> {
    let why = match found {
        Ok(found) => return Some(found),
        Err(why) => why,
    };
    let required = ["CI", "HH_TESTS_REQUIRE"].into_iter().find(|name| is_set(name));
    if let Some(variable) = required {
        panic!("this test needs {tool}, and {variable} is set: {why}; {remedy}");
    }
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    // The test runner captures the output of print macros, and shows none of tests that pass.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: it needs {tool}: {why}; {remedy}");
    None
}

/// Returns whether a variable has a value that does not mean "no".
fn is_set(name: &str) -> bool {
    std::env::var_os(name)
        .is_some_and(|value| !["", "0", "false"].map(OsStr::new).contains(&&*value))
}

/// Returns whether cargo-nextest is installed.
pub fn nextest() -> bool {
    let found = answers(Command::new(cargo()).args(["nextest", "--version"]));
    need("cargo-nextest", found, "`bash .ci/tools nextest` installs it").is_some()
}

/// Returns whether `python3` is installed.
pub fn python() -> bool {
    let found = answers(Command::new("python3").arg("--version"));
    need("python3", found, "`bash .ci/tools python` installs it").is_some()
}

/// Returns the Python program of the virtual environment that has a package.
pub fn python_package(package: PythonPackage) -> Option<PathBuf> {
    let home = tools().join("python").join(package.name);
    let installed = fs::read_to_string(home.join("installed.txt"));
    let found = if installed.is_ok_and(|text| text == package.requirement) {
        let python = home.join("bin/python");
        answers(Command::new(&python).arg("--version")).map(|()| python)
    } else {
        Err(format!("{} does not have it", home.display()))
    };
    let tool = format!("the Python package {}", package.requirement.trim());
    need(&tool, found, "`bash .ci/tools python` installs it")
}

/// Returns a Chromium with its driver.
pub fn browser() -> Option<Browser> {
    let find = || {
        answers(Command::new("node").arg("--version"))?;
        let chromium = on_path(&["chromium", "chromium-browser", "google-chrome"])
            .ok_or("no chromium, chromium-browser or google-chrome is on PATH")?;
        let home = tools().join("browser");
        let installed = fs::read_to_string(home.join("installed.json"));
        if installed.is_ok_and(|text| text == BROWSER_LOCK) {
            Ok(Browser { chromium, modules: home.join("node_modules") })
        } else {
            Err(format!("{} has no node_modules of this version", home.display()))
        }
    };
    need("Chromium and its driver", find(), "`bash .ci/tools browser` installs them")
}

/// Returns the rust-analyzer of the toolchain, or the one on `PATH`; it needs the source of the
/// standard library.
pub fn rust_analyzer() -> Option<PathBuf> {
    let sysroot = sysroot();
    let name = format!("rust-analyzer{}", std::env::consts::EXE_SUFFIX);
    let of_toolchain = sysroot.join("bin").join(&name);
    let program = if of_toolchain.is_file() { of_toolchain } else { PathBuf::from(name) };
    let find = || {
        answers(Command::new(&program).arg("--version"))?;
        if sysroot.join("lib/rustlib/src/rust/library").is_dir() {
            Ok(program)
        } else {
            Err(format!("{} has no source of the standard library", sysroot.display()))
        }
    };
    need("rust-analyzer", find(), "`bash .ci/tools rust` installs it")
}

/// Returns whether the installed rustc is the one that wrote the messages in `tests/ui/fail`.
pub fn rustc_of_messages() -> bool {
    let output = Command::new(rustc()).arg("--version").output().expect("rustc can be started");
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let wanted = RUSTC.trim();
    let found = if version.starts_with(&format!("rustc {wanted}.")) {
        Ok(())
    } else {
        Err(format!("this is {version}"))
    };
    let remedy = format!("`cargo +{wanted}.0 test -p honeyhive-tests --test ui` compares them");
    need(&format!("rustc {wanted}, which wrote ui/fail/*.stderr"), found, &remedy).is_some()
}

/// Checks that the command can be started and succeeds.
///
/// # Errors
/// Returns the reason when it does not.
fn answers(command: &mut Command) -> Result<(), String> {
    let name = format!("{} {}", command.get_program().display(), arguments(command));
    let output = command.stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Err(format!("`{name}` ended with {}: {line}", output.status))
        }
        Err(error) => Err(format!("`{name}` cannot be started: {error}")),
    }
}

fn arguments(command: &Command) -> String {
    command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Returns the first of these programs that is on `PATH`.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    let mut all = std::env::split_paths(&directories)
        .flat_map(|directory| names.iter().map(move |name| directory.join(name)));
    all.find(|path| path.is_file())
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn sysroot() -> PathBuf {
    let output =
        Command::new(rustc()).args(["--print", "sysroot"]).current_dir(workspace()).output();
    let output = output.expect("rustc can be started");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// Returns the directory where `.ci/tools` puts tools that are not on `PATH`.
fn tools() -> &'static Path {
    static TOOLS: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    TOOLS.get_or_init(|| target_dir().join("test-tools"))
}
