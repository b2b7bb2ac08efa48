//! Reads the state of the sources from git, so that the journal says which code ran.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use super::schema::{GitRecord, Record};
use super::writer::{Entry, Writer};
use crate::config::printable;
use crate::redact::Redactor;

/// The longest time that the end of a run waits for git.
const GIT: Duration = Duration::from_secs(2);

/// A query of git that runs on its own thread during the run.
#[derive(Debug)]
pub(crate) struct Git {
    /// The answer of git, for the uploader.
    pub(crate) answer: oneshot::Receiver<GitRecord>,
    /// Completes when the answer is in the journal, for the code that writes the `end` record.
    pub(crate) recorded: Recorded,
}

/// A handle that waits until git's answer is in the journal.
#[derive(Debug)]
pub(crate) struct Recorded(Mutex<mpsc::Receiver<()>>);

impl Recorded {
    /// Waits until the answer is in the journal, at most [`GIT`].
    pub(crate) fn wait(&self) {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = done.recv_timeout(GIT);
    }
}

/// Asks git about the sources, for the journal and for the upload. With `worth_it` unset, for runs
/// of a few chosen cases, git is not asked.
pub(crate) fn ask_git(
    directory: &Path,
    journal: &Arc<Writer>,
    redactor: &Redactor,
    worth_it: bool,
) -> Git {
    let (answered, answer) = oneshot::channel();
    let (done, recorded) = mpsc::channel();
    let (directory, journal) = (directory.to_owned(), Arc::downgrade(journal));
    let redactor = redactor.clone();
    let work = move || {
        let mut git = state(&directory);
        git.redact(&redactor);
        if let Some(journal) = journal.upgrade() {
            let mut entry = Entry::default();
            entry.push(&Record::Git(git.clone()));
            // The failure of the writer is reported where the cases are written.
            let _ = journal.commit_blocking(entry);
        }
        let _ = answered.send(git);
        drop(done);
    };
    if worth_it {
        // Without the thread, the journal has no `git` record.
        let _ = std::thread::Builder::new().name("honeyhive-git".to_owned()).spawn(work);
    }
    Git { answer, recorded: Recorded(Mutex::new(recorded)) }
}

/// Asks git about a directory. All fields are absent where there is no git, no repository or no
/// commit.
fn state(directory: &Path) -> GitRecord {
    let ask = |arguments: &[&str]| ask(directory, arguments);
    let Some(log) = ask(&["log", "-1", "--format=%H%n%h%n%an%n%ae%n%s"]) else {
        return GitRecord::default();
    };
    let mut lines = log.lines().map(|line| Some(line.to_owned()).filter(|line| !line.is_empty()));
    let mut next = || lines.next().flatten();
    GitRecord {
        commit_hash: next(),
        commit_hash_short: next(),
        author_name: next(),
        author_email: next(),
        commit_message: next(),
        branch: ask(&["symbolic-ref", "--short", "-q", "HEAD"]),
        remote_url: ask(&["config", "--get", "remote.origin.url"]).map(|url| without_user(&url)),
        is_dirty: status(directory),
    }
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(directory)
        .args(arguments)
        // Git only reads: it takes no locks and does not prompt for a password.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn ask(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = command(directory, arguments).output().ok().filter(|out| out.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn status(directory: &Path) -> Option<bool> {
    let output = command(directory, &["status", "--porcelain"]).output().ok()?;
    output.status.success().then_some(!output.stdout.is_empty())
}

/// Returns an address without the name and password that may be in it.
fn without_user(url: &str) -> String {
    printable(url).replacen("://..@", "://", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_a_remote_is_kept() {
        assert_eq!(without_user("https://user:tok@host/a.git"), "https://host/a.git");
        assert_eq!(without_user("https://tok@host/a.git"), "https://host/a.git");
        assert_eq!(without_user("git@host:a.git"), "git@host:a.git");
        assert_eq!(without_user("https://host/a.git"), "https://host/a.git");
    }

    #[test]
    fn outside_a_repository_nothing_is_said() {
        assert_eq!(state(Path::new("/")), GitRecord::default());
        assert_eq!(state(Path::new("/no/such/directory")), GitRecord::default());
    }
}
