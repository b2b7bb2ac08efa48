//! Runs HoneyHive's Python SDK in its own virtual environment.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use honeyhive_tests::{Fake, finish};

/// The time limit of a run, chosen for a slow machine.
const RUN: Duration = Duration::from_secs(300);

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
    if let Err(error) = finish(&mut command, RUN) {
        panic!("the experiment in Python failed: {error}");
    }
}
