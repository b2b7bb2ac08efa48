//! Python software of others, for tests against the real thing.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::project::target_dir;

/// HoneyHive's Python SDK, in the version that ours is compared with.
pub const SDK: &str = "honeyhive==1.7.0";

/// A slow network and a slow machine need less.
const INSTALL: Duration = Duration::from_secs(240);

/// The directory of a virtual environment that has a package (`name==version`), installed when it
/// is not there yet.
///
/// # Errors
/// Why it cannot be had here.
pub fn environment(package: &str) -> Result<PathBuf, String> {
    let scratch = target_dir().join("python");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let home = scratch.join(package.replace("==", "-"));
    if home.join("bin/python").exists() {
        return Ok(home);
    }
    // Made elsewhere and moved, so that whatever is at its place is whole.
    let new = scratch.join(format!("new-{}-{}", package.replace("==", "-"), std::process::id()));
    let made = make(&new, package);
    if made.is_ok() {
        // What is there has no Python any more, or another process was faster.
        let _ = fs::remove_dir_all(&home);
        let _ = fs::rename(&new, &home);
    }
    let _ = fs::remove_dir_all(&new);
    made.map(|()| home)
}

fn make(home: &std::path::Path, package: &str) -> Result<(), String> {
    let deadline = Instant::now() + INSTALL;
    finish(Command::new("python3").args(["-m", "venv"]).arg(home), deadline)?;
    let mut install = Command::new(home.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    finish(install.args(["--retries", "1", package]), deadline)
}

/// Says that a test looked at nothing, past the test runner, which swallows what passing tests
/// print.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {what}: {why}");
}

/// Runs a command to its end, without output.
///
/// # Errors
/// Why it did not succeed, with what it printed.
pub fn finish(command: &mut Command, deadline: Instant) -> Result<(), String> {
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
