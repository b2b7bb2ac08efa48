//! Reads the task that `cargo honeyhive` gives to a test target.

use std::path::PathBuf;

use super::vars::Vars;

/// The task that `cargo honeyhive` gives to a test target, instead of running its experiments.
///
/// The variables alone have no effect, since a user may have left them in a shell. While a
/// `cargo honeyhive` waits for a target, the file at [`Task::out`] holds the task's
/// [ticket](Task::ticket); the file is removed in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The kind of the task, parsed from `HH_TASK`.
    pub(crate) what: Asked,
    /// The value of `HH_TASK` as it was set.
    text: String,
    /// The path of the ticket and later of the answer, which is JSON, from `HH_TASK_OUT`.
    pub(crate) out: PathBuf,
}

/// The kind of a [`Task`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The task `gate:<directory>`: judge recorded results by the current rules.
    Gate(PathBuf),
    /// The task `plan`: list the experiments and their rules.
    Plan,
    /// The task `rejudge:<directory>`: judge the recorded outputs of an invocation again, instead
    /// of calling the functions.
    Rejudge(PathBuf),
    /// The task `rerun`: run the named tests, all of which a run had.
    Rerun,
}

impl Task {
    /// Reads the task; returns an error for variables that do not name one.
    pub(super) fn read(vars: &Vars) -> Option<Result<Self, String>> {
        if let Some(directory) = vars.text("HH_REJUDGE") {
            return Some(Err(format!("HH_REJUDGE={directory}")));
        }
        let text = vars.text("HH_TASK")?;
        let what = match text.split_once(':') {
            Some(("gate", directory)) => Some(Asked::Gate(PathBuf::from(directory))),
            Some(("rejudge", directory)) => Some(Asked::Rejudge(PathBuf::from(directory))),
            None if text == "plan" => Some(Asked::Plan),
            None if text == "rerun" => Some(Asked::Rerun),
            _ => None,
        };
        let found = format!("HH_TASK={text}");
        let Some((what, out)) = what.zip(vars.raw("HH_TASK_OUT").map(PathBuf::from)) else {
            return Some(Err(found));
        };
        Some(Ok(Self { what, text, out }))
    }

    /// Returns whether the names of tests come from a recorded run, so that each should exist.
    pub(crate) fn names_come_from_a_run(&self) -> bool {
        matches!(self.what, Asked::Rejudge(_) | Asked::Rerun)
    }

    /// Returns the contents of the file at [`Task::out`] until there is an answer.
    pub(crate) fn ticket(text: &str) -> String {
        format!("cargo honeyhive asks for {text}\n")
    }

    /// Checks that a `cargo honeyhive` that runs now gave this task.
    ///
    /// # Errors
    /// Returns the variable, with its value, that was left over from an earlier one.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ticket = std::fs::read_to_string(&self.out);
        match ticket {
            Ok(ticket) if ticket == Self::ticket(&self.text) => Ok(()),
            _ => Err(format!("HH_TASK={}", self.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Option<Result<Task, String>> {
        let vars = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Task::read(&Vars::new(vars))
    }

    #[test]
    fn variables_without_a_ticket_ask_for_nothing() {
        assert_eq!(read(&[]), None);
        for variables in [
            &[("HH_REJUDGE", "target/honeyhive/x")][..],
            &[("HH_TASK", "plan")],
            &[("HH_TASK", "sing"), ("HH_TASK_OUT", "x")],
        ] {
            let (name, value) = variables[0];
            assert_eq!(read(variables), Some(Err(format!("{name}={value}"))));
        }
        let file = std::env::temp_dir().join(format!("honeyhive-ticket-{}", std::process::id()));
        let out = file.display().to_string();
        let task = read(&[("HH_TASK", "rejudge:/a b"), ("HH_TASK_OUT", &out)]).unwrap().unwrap();
        assert_eq!(task.what, Asked::Rejudge("/a b".into()));
        assert!(task.check().is_err(), "there is no file");
        std::fs::write(&file, Task::ticket("plan")).unwrap();
        assert!(task.check().is_err(), "of another task");
        std::fs::write(&file, Task::ticket("rejudge:/a b")).unwrap();
        assert_eq!(task.check(), Ok(()));
        std::fs::remove_file(&file).unwrap();
    }
}
