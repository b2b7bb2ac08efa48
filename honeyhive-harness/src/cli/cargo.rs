//! Starts the user's test targets, which alone have today's evaluators and rules.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{self, Workspace, test_arguments};
use crate::config::{Config, Task};

/// A package and one of its test targets, as journals name them: `app/evals`, or `evals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) package: Option<String>,
    pub(super) name: String,
}

impl Target {
    /// Returns the arguments of `cargo test` that run this target alone.
    fn arguments(&self, config: &Config) -> Vec<String> {
        let mut arguments = match &self.package {
            Some(package) => vec!["--package".to_owned(), package.clone()],
            None => Vec::new(),
        };
        let workspace = Workspace::ask(&cargo(config), None).unwrap_or_default();
        let known = workspace.target(self.package.as_deref(), &self.name);
        arguments
            .extend(known.map_or_else(|| test_arguments(&self.name), cargo::Target::arguments));
        arguments
    }

    pub(super) fn parse(text: &str) -> Self {
        match text.rsplit_once('/') {
            Some((package, name)) => {
                Self { package: Some(package.to_owned()), name: name.to_owned() }
            }
            None => Self { package: None, name: text.to_owned() },
        }
    }
}

/// Returns the command `cargo test` for one target. It inherits standard output and standard error.
/// `more` are further arguments for cargo, such as `--release`.
pub(super) fn test(target: &Target, more: &[OsString], config: &Config) -> Command {
    let mut command = Command::new(cargo(config));
    command.arg("test");
    // Cargo rejects these options when they are repeated or combined.
    if !more
        .iter()
        .any(|word| ["-q", "--quiet", "-v", "-vv", "--verbose"].iter().any(|own| word == own))
    {
        command.arg("--quiet");
    }
    command.args(target.arguments(config)).args(more);
    command.stdin(Stdio::null());
    // These may be inherited from another `cargo honeyhive`.
    command.env_remove("HH_REJUDGE").env_remove("HH_TASK").env_remove("HH_TASK_OUT");
    command
}

/// Returns the cargo that started this process, or the one on the path.
pub(super) fn cargo(config: &Config) -> OsString {
    config.cargo.clone().unwrap_or_else(|| "cargo".into())
}

/// Runs a command to its end and returns whether it succeeded. `quiet` moves its output to standard
/// error, as standard output is reserved for JSON.
pub(super) fn run(mut command: Command, quiet: bool) -> Result<bool, String> {
    if quiet {
        command.stdout(std::io::stderr());
    }
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().map_err(|error| format!("cannot start {program}: {error}"))?;
    Ok(status.success())
}

/// Gives a target a task and returns its answer as JSON. The standard output of the target is dropped.
pub(super) fn ask(
    target: &Target,
    task: &str,
    more: &[OsString],
    config: &Config,
) -> Result<String, String> {
    let mut command = test(target, more, config);
    let out = assign(&mut command, task)?;
    command.env_remove("HH_SAMPLE");
    command.stdout(Stdio::null());
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let name =
        format!("`cargo {}`", words.join(" ").replace(" --quiet", "").replace("--package", "-p"));
    let succeeded = run(command, false)?;
    match std::fs::read_to_string(&out.0) {
        Ok(text) if text != Task::ticket(task) => Ok(text),
        _ if succeeded => Err(format!(
            "{name} gave no answer; is its `main` the one of `honeyhive_harness::main!()`, of this \
             version?"
        )),
        _ => Err(format!("{name} failed; see above")),
    }
}

/// Gives a command a task, which is valid as long as the file for the answer exists.
pub(super) fn assign(command: &mut Command, task: &str) -> Result<Answer, String> {
    let out = Answer::new()?;
    std::fs::write(&out.0, Task::ticket(task))
        .map_err(|error| format!("{}: {error}", out.0.display()))?;
    command.env("HH_TASK", task).env("HH_TASK_OUT", &out.0);
    Ok(out)
}

/// A file for an answer, which is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Answer(PathBuf);

impl Answer {
    fn new() -> Result<Self, String> {
        let name = format!("honeyhive-{}-{}.json", std::process::id(), uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        // A file that exists already is not taken for an answer.
        let made = crate::files::private().write(true).create_new(true).open(&path);
        made.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_a_package_where_the_journal_knows_it() {
        let target = Target::parse("app/evals");
        assert_eq!((target.package.as_deref(), target.name.as_str()), (Some("app"), "evals"));
        assert_eq!(Target::parse("evals").package, None);
    }
}
