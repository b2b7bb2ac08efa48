//! HoneyHive's Python SDK in an environment of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use honeyhive_tests::Fake;

/// The SDK that ours is compared with.
const PACKAGE: &str = "honeyhive==1.7.0";

/// A slow network and a slow machine need less.
const INSTALL: Duration = Duration::from_secs(240);
const RUN: Duration = Duration::from_secs(120);

/// The Python that has the SDK, installed when it is not there yet.
///
/// # Errors
/// Why it cannot be had here.
pub(crate) fn python() -> Result<PathBuf, String> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = scratch.join(PACKAGE.replace("==", "-"));
    let python = home.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    // Made elsewhere and moved, so that whatever is at its place is whole.
    let new = scratch.join(format!("python-{}", std::process::id()));
    let made = make(&new);
    if made.is_ok() {
        // What is there has no Python any more, or another process was faster.
        let _ = fs::remove_dir_all(&home);
        let _ = fs::rename(&new, &home);
    }
    let _ = fs::remove_dir_all(&new);
    made.map(|()| python)
}

fn make(home: &Path) -> Result<(), String> {
    let deadline = Instant::now() + INSTALL;
    finish(Command::new("python3").args(["-m", "venv"]).arg(home), deadline)?;
    let mut install = Command::new(home.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    finish(install.args(["--retries", "1", PACKAGE]), deadline)
}

/// Runs a script with the SDK against a server, in a directory.
pub(crate) fn run(python: &Path, script: &OsStr, argument: &Path, directory: &Path, fake: &Fake) {
    let mut command = Command::new(python);
    command.arg(script).arg(argument).current_dir(directory).env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HH_API_KEY", fake.key()).env("HH_API_URL", fake.url());
    if let Err(error) = finish(&mut command, Instant::now() + RUN) {
        panic!("the experiment in Python failed: {error}");
    }
}

/// Runs a command to its end, without output.
///
/// # Errors
/// Why it did not succeed, with what it printed.
fn finish(command: &mut Command, deadline: Instant) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let printed = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let output = File::create(printed.path()).map_err(|error| error.to_string())?;
    let errors = output.try_clone().map_err(|error| error.to_string())?;
    command.stdin(std::process::Stdio::null()).stdout(output).stderr(errors);
    let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
    let status = loop {
        match child.try_wait().map_err(|error| format!("{name}: {error}"))? {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let Some(status) = status else { return Err(format!("{name} took too long")) };
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(printed.path()).unwrap_or_default();
    Err(format!("{name}: {status}\n{text}"))
}
