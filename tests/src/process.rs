//! Starts a test binary that a test watches and disturbs while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::run::Run;

/// The time limit for each wait. It is longer than any step takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A test binary that is running.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    stdout: String,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_ended: Option<JoinHandle<()>>,
    project: PathBuf,
    scratch: TempDir,
}

impl Process {
    pub(crate) fn start(mut command: Command, project: PathBuf, scratch: TempDir) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the test binary can be started");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { return };
                let line = format!("{}\n", String::from_utf8_lossy(&line));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let own = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut part) {
                own.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..length]);
            }
        });
        let (stderr, stderr_ended) = (text, Some(reader));
        Self { child, lines, stdout: String::new(), stderr, stderr_ended, project, scratch }
    }

    /// Reads stdout until a line has this text.
    pub fn wait_for_line(&mut self, part: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.stdout.push_str(&line);
                    if line.contains(part) {
                        return;
                    }
                }
                Err(error) => panic!("no line with {part:?} came ({error}):\n{}", self.stdout),
            }
        }
    }

    /// Waits until an experiment has noted this many lines in a file of the scratch directory.
    pub fn wait_for_notes(&self, file: &str, lines: usize) {
        let deadline = Instant::now() + PATIENCE;
        let path = self.scratch.path().join(file);
        loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.lines().count() >= lines {
                return;
            }
            assert!(Instant::now() < deadline, "{file} has no {lines} lines:\n{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal: `INT`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the process is there for SIG{name}");
    }

    /// Sends a signal to the process and all its children, as a terminal does. The process must
    /// have been started as a group.
    pub fn signal_group(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args(["-s", name, "--", &group]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the group is there for SIG{name}");
    }

    /// Returns the text that the process has printed to stderr so far.
    pub fn stderr(&self) -> String {
        let text = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Returns whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child is known").is_none()
    }

    /// Waits until the process ends.
    pub fn finish(mut self) -> Run {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the state of a child is known") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("the process did not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.stdout.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("stdout does not end: {error}"),
            }
        }
        if let Some(reader) = self.stderr_ended.take() {
            let _ = reader.join();
        }
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Run::new(status, self.stdout.as_bytes(), &stderr, self.project, self.scratch)
    }
}
