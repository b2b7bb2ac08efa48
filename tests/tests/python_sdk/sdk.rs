//! HoneyHive's Python SDK in an environment of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use honeyhive_tests::{Fake, python};

/// A slow machine needs less.
const RUN: Duration = Duration::from_secs(120);

/// The Python that has the SDK.
///
/// # Errors
/// Why it cannot be had here.
pub(crate) fn python() -> Result<PathBuf, String> {
    Ok(python::environment(python::SDK)?.join("bin/python"))
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
    if let Err(error) = python::finish(&mut command, Instant::now() + RUN) {
        panic!("the experiment in Python failed: {error}");
    }
}
