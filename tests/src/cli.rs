//! Starts the binary `cargo-honeyhive` in the way that cargo does.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::project::{
    INHERITED, cargo, complaints, fetch_crates, json_lines, target_dir, workspace,
};

/// A `cargo honeyhive <arguments>` to be started.
#[derive(Debug)]
pub struct Honeyhive(Command);

impl Honeyhive {
    /// Creates a command in this directory, without the variables of this process.
    pub fn new<A: AsRef<OsStr>>(directory: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(binary());
        command.current_dir(directory).env_clear().stdin(Stdio::null());
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // Each test has its own notes of runs in the cache directory.
        command.env("XDG_CACHE_HOME", target_dir().join("no-cache"));
        // Cargo passes the name of the subcommand on.
        command.arg("honeyhive").args(arguments);
        Self(command)
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs the command; returns its exit code, standard output and standard error.
    pub fn run(mut self) -> (Option<i32>, String, String) {
        let output = self.0.output().expect("cargo-honeyhive can be started");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

/// Returns the path of the binary, which is built once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        fetch_crates();
        let output = Command::new(cargo())
            .args(["build", "--offline", "--message-format=json", "-p", "honeyhive-harness"])
            .args(["--features", "cli", "--bin", "cargo-honeyhive"])
            .current_dir(workspace())
            .env("CARGO_TARGET_DIR", target_dir().join("functional"))
            .output()
            .expect("cargo can be started");
        assert!(output.status.success(), "{}", complaints(&output));
        let path = json_lines(&output.stdout)
            .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)));
        path.expect("cargo says where the binary is")
    })
}
