//! Runs external programs to their end, with a time limit.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a command to its end, without input or output.
///
/// # Errors
/// Returns an error when the command did not succeed within the time, with its output.
pub fn finish(command: &mut Command, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let name = command.get_program().to_string_lossy().into_owned();
    let printed = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let output = File::create(printed.path()).map_err(|error| error.to_string())?;
    let errors = output.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
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
    let text = fs::read_to_string(printed.path()).unwrap_or_default();
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{name}: {status}\n{text}")),
        None => Err(format!("{name} did not end within {} s\n{text}", limit.as_secs())),
    }
}
