//! Writes small crates with experiments, and runs `cargo` in them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::run::Run;

/// The environment variables that a started process inherits. All others are removed, so that they
/// do not affect the tests: the variables of the outer cargo, of nextest, of CI, and a developer's
/// API key.
pub(crate) const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    // Windows needs these variables.
    "SYSTEMROOT",
    "TEMP",
    "TMP",
];

/// The dependencies, which are the same in all projects, so that they are compiled once.
const DEPENDENCIES: &str = r#"
anyhow = "1"
honeyhive-harness = { path = 'HARNESS' }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt-multi-thread", "sync", "time"] }
"#;

/// A crate with experiments in its own directory.
///
/// The directory is kept, and a file is only written when its content is new, so cargo compiles
/// nothing again while the sources are the same.
#[derive(Debug)]
pub struct Project {
    name: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// The manifest from `[dependencies]` on, without test targets.
    manifest: String,
    targets: String,
    /// The test binaries, or the messages of the compiler.
    executables: OnceLock<Result<HashMap<String, PathBuf>, String>>,
}

impl Project {
    /// Creates an empty crate of this name, which no other test uses.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let project = Self {
            name: name.to_owned(),
            files: BTreeMap::new(),
            manifest: format!("[dev-dependencies]{}", dependencies()),
            targets: String::new(),
            executables: OnceLock::new(),
        };
        project.file("tests/probe.rs", include_str!("probe.rs")).file("src/lib.rs", "")
    }

    /// Creates a crate with one test target, `evals`.
    #[must_use]
    pub fn with_evals(name: &str, source: &str) -> Self {
        Self::new(name).target("evals", source)
    }

    /// Adds a test target of experiments.
    #[must_use]
    pub fn target(self, name: &str, source: &str) -> Self {
        self.manifest_target(name, "harness = false").file(&format!("tests/{name}.rs"), source)
    }

    /// Adds a test target without `harness = false`, as a user may forget it.
    #[must_use]
    pub fn target_without_harness_false(self, name: &str, source: &str) -> Self {
        self.manifest_target(name, "").file(&format!("tests/{name}.rs"), source)
    }

    fn manifest_target(mut self, name: &str, rest: &str) -> Self {
        let target = format!("\n[[test]]\nname = \"{name}\"\npath = \"tests/{name}.rs\"\n{rest}\n");
        self.targets.push_str(&target);
        self
    }

    /// Adds a package that depends on the harness, in a directory of this name.
    #[must_use]
    pub fn member(self, name: &str, source: &str) -> Self {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]{}",
            dependencies()
        );
        self.file(&format!("{name}/Cargo.toml"), manifest)
            .file(&format!("{name}/src/lib.rs"), source)
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().to_owned());
        self
    }

    /// Replaces the manifest from `[dependencies]` on; `HARNESS` is the path of the harness.
    #[must_use]
    pub fn manifest(mut self, text: &str) -> Self {
        self.manifest = text.replace("HARNESS", &harness().display().to_string());
        self
    }

    /// Returns the directory of the crate.
    pub fn directory(&self) -> PathBuf {
        target_dir().join("functional-projects").join(&self.name)
    }

    /// Writes new and changed files, and removes old ones.
    pub fn write(&self) {
        let directory = self.directory();
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautotests = false\n\
             {}\n{}\n[workspace]\n\n[profile.dev]\ndebug = 0\nincremental = false\n",
            self.name, self.targets, self.manifest
        );
        write_new(&directory.join("Cargo.toml"), manifest.as_bytes());
        let lock = fs::read(workspace().join("Cargo.lock")).expect("the workspace has a lock file");
        // Cargo adds the project to its lock file, so a copy shows whether that is up to date.
        if write_new(&directory.join("Cargo.lock.workspace"), &lock) {
            fs::write(directory.join("Cargo.lock"), &lock).expect("a lock file can be written");
        }
        for (path, content) in &self.files {
            write_new(&directory.join(path), content);
        }
        for folder in ["src", "tests", "data"] {
            let Ok(entries) = fs::read_dir(directory.join(folder)) else { continue };
            for path in entries.map(|entry| entry.expect("a readable directory").path()) {
                let name = path.strip_prefix(&directory).expect("a path of the project");
                if path.is_file() && !self.files.contains_key(name) {
                    // Another process that cleans up in the same way may have removed it first.
                    let _ = fs::remove_file(&path);
                }
            }
        }
    }

    /// Returns the test binaries by target.
    fn executables(&self) -> &HashMap<String, PathBuf> {
        let built = self.executables.get_or_init(|| self.build());
        built.as_ref().unwrap_or_else(|text| panic!("{} does not build:\n{text}", self.name))
    }

    fn build(&self) -> Result<HashMap<String, PathBuf>, String> {
        fetch_crates();
        self.write();
        let output = self
            .command(cargo())
            .args(["test", "--offline", "--no-run", "--message-format=json"])
            .output()
            .expect("cargo can be started");
        if !output.status.success() {
            return Err(complaints(&output));
        }
        let binary = |message: Value| {
            let path = message["executable"].as_str()?.into();
            Some((message["target"]["name"].as_str()?.to_owned(), path))
        };
        Ok(json_lines(&output.stdout).filter_map(binary).collect())
    }

    /// Returns the messages of the compiler for a crate that does not build.
    ///
    /// # Panics
    /// Panics when the crate builds.
    pub fn build_error(&self) -> String {
        match self.executables.get_or_init(|| self.build()) {
            Ok(_) => panic!("{} builds", self.name),
            Err(text) => text.replace(&self.directory().display().to_string(), "<project>"),
        }
    }

    /// Creates a command in the crate's directory, without the variables of this process.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory()).env_clear().env("PWD", self.directory());
        command.env("CARGO_TARGET_DIR", target_dir().join("functional"));
        // Projects are in a directory below this repository, but do not belong to it.
        command.env("GIT_CEILING_DIRECTORIES", target_dir());
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Returns the test binary of a target.
    pub fn executable(&self, target: &str) -> PathBuf {
        self.executables()[target].clone()
    }

    /// Copies the test binary of a target to `to`, so that it can be started from there.
    ///
    /// On Unix another process copies it: a child process that another test starts at the same
    /// moment would inherit the file that this process has open for writing, and a program that is
    /// open for writing cannot be started.
    pub fn copy_executable(&self, target: &str, to: &Path) {
        let binary = self.executable(target);
        if cfg!(unix) {
            let status = Command::new("cp").arg(&binary).arg(to).status();
            assert!(status.expect("cp can be started").success(), "{} is copied", to.display());
        } else {
            std::fs::copy(&binary, to).expect("a copy of the test binary");
        }
    }

    /// Builds the crate, if that was not done yet. Its directory no longer changes afterwards.
    pub fn ensure_built(&self) {
        self.executables();
    }

    /// Runs another subcommand of cargo, and returns its output.
    pub fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        self.executables();
        let output = self.command(cargo()).args(arguments).arg("--offline").output();
        let output = output.expect("cargo can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.replace(&self.directory().display().to_string(), "<project>")
    }

    /// Creates the command `cargo honeyhive <arguments>` in the crate's directory; it may start
    /// cargo itself.
    pub fn honeyhive<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> crate::Honeyhive {
        self.executables();
        crate::Honeyhive::new(&self.directory(), arguments)
            .env("PWD", self.directory())
            .env("CARGO_TARGET_DIR", target_dir().join("functional"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("GIT_CEILING_DIRECTORIES", target_dir())
    }

    /// Creates the command `cargo test --test evals -- <arguments>`.
    pub fn evals<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Cargo<'_> {
        self.cargo_test(["--test", "evals"]).arguments(arguments)
    }

    /// Creates the command `cargo nextest <subcommand> <arguments>`.
    pub fn cargo_nextest<A: Into<OsString>>(
        &self,
        subcommand: &'static [&'static str],
        arguments: impl IntoIterator<Item = A>,
    ) -> Cargo<'_> {
        Cargo { subcommand, ..self.cargo_test(arguments) }
    }

    /// Creates the command `cargo test <arguments>`.
    pub fn cargo_test<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Cargo<'_> {
        Cargo {
            project: self,
            subcommand: &["test"],
            before: arguments.into_iter().map(Into::into).collect(),
            arguments: Vec::new(),
            env: Vec::new(),
            scratch: TempDir::new().expect("a temporary directory"),
        }
    }
}

/// A command of cargo that runs tests and was not started yet.
#[derive(Debug)]
pub struct Cargo<'a> {
    project: &'a Project,
    subcommand: &'static [&'static str],
    before: Vec<OsString>,
    arguments: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    scratch: TempDir,
}

impl Cargo<'_> {
    /// Adds arguments after `--`.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Returns the scratch directory of the run.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env("SCRATCH", self.scratch()).env("HH_DIR", self.scratch().join("journal"));
        command.env("XDG_CACHE_HOME", self.scratch().join("cache"));
        for (name, value) in &self.env {
            // An empty value removes the variable.
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run(self) -> Run {
        self.project.executables();
        let mut command = self.prepare(self.project.command(cargo()));
        // A variable is set instead of an option, as nextest accepts no options of cargo beside an
        // archive.
        command.env("CARGO_NET_OFFLINE", "true").args(self.subcommand).args(&self.before);
        if !self.arguments.is_empty() {
            command.arg("--").args(&self.arguments);
        }
        let output = command.output().expect("cargo can be started");
        Run::new(
            output.status,
            &output.stdout,
            &output.stderr,
            self.project.directory(),
            self.scratch,
        )
    }

    /// Starts the test binary `evals` itself, without cargo, and does not wait for it.
    pub fn start(self) -> Process {
        let executable = self.project.executables()["evals"].clone();
        self.start_program(&executable)
    }

    /// Starts a copy of the binary, without cargo, and does not wait for it.
    pub fn start_program(self, executable: &Path) -> Process {
        let mut command = self.prepare(self.project.command(executable));
        command.args(&self.arguments);
        Process::start(command, self.project.directory(), self.scratch)
    }

    /// Starts the test binary `evals` in its own process group, as a shell in a terminal does.
    #[cfg(unix)]
    pub fn start_group(self) -> Process {
        use std::os::unix::process::CommandExt as _;

        let executable = &self.project.executables()["evals"];
        let mut command = self.prepare(self.project.command(executable));
        command.args(&self.arguments).process_group(0);
        Process::start(command, self.project.directory(), self.scratch)
    }

    /// Starts cargo in its own process group, and does not wait for it.
    #[cfg(unix)]
    pub fn start_cargo(self) -> Process {
        use std::os::unix::process::CommandExt as _;

        self.project.executables();
        let mut command = self.prepare(self.project.command(cargo()));
        command.env("CARGO_NET_OFFLINE", "true").args(self.subcommand).args(&self.before);
        command.process_group(0);
        if !self.arguments.is_empty() {
            command.arg("--").args(&self.arguments);
        }
        Process::start(command, self.project.directory(), self.scratch)
    }

    /// Starts the test binary `evals` from a shell that has run a command before, such as `ulimit`.
    pub fn start_after(self, shell_command: &str) -> Process {
        let executable = &self.project.executables()["evals"];
        let mut command = self.prepare(self.project.command("sh"));
        let script = format!("{shell_command}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(executable).args(&self.arguments);
        Process::start(command, self.project.directory(), self.scratch)
    }
}

pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Downloads those crates of the workspace's lock file that this machine does not have.
///
/// Tests run cargo with `--offline`, so that the network and versions that are newer than the lock
/// file do not affect them. To build the tests, cargo downloads only what they need themselves on
/// this system: not the dependencies of other members, features and systems.
pub fn fetch_crates() {
    static FETCHED: OnceLock<()> = OnceLock::new();
    FETCHED.get_or_init(|| {
        let fetch = |arguments: &[&str]| {
            let mut command = Command::new(cargo());
            command.args(["fetch", "--locked"]).args(arguments).current_dir(workspace());
            command.env("CARGO_NET_RETRY", "10").output().expect("cargo can be started")
        };
        if fetch(&["--offline"]).status.success() {
            return;
        }
        let output = fetch(&[]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the crates of Cargo.lock cannot be downloaded:\n{text}");
    });
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("`tests` is a directory of the workspace")
}

fn harness() -> PathBuf {
    workspace().join("honeyhive-harness")
}

fn dependencies() -> String {
    DEPENDENCIES.replace("HARNESS", &harness().display().to_string())
}

/// Returns the target directory that these tests were built into.
pub(crate) fn target_dir() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        let binary = std::env::current_exe().expect("this process has a program");
        let target = binary.ancestors().skip(1).find(|path| is_target_dir(path));
        target.expect("cargo marks its target directory").to_owned()
    })
}

/// Returns whether cargo builds into this directory. Cargo writes no tag into a directory that
/// existed before.
#[must_use]
pub fn is_target_dir(path: &Path) -> bool {
    [".rustc_info.json", "CACHEDIR.TAG"].iter().any(|mark| path.join(mark).is_file())
}

/// Writes the file unless it has this content already. Returns whether it was written.
fn write_new(path: &Path, content: &[u8]) -> bool {
    if fs::read(path).is_ok_and(|old| old == content) {
        return false;
    }
    let directory = path.parent().expect("a path of the project");
    fs::create_dir_all(directory).expect("a directory can be made");
    fs::write(path, content).expect("a file can be written");
    true
}

pub(crate) fn json_lines(text: &[u8]) -> impl Iterator<Item = Value> {
    text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// Returns the messages of rustc and cargo for a crate that does not build.
pub(crate) fn complaints(output: &Output) -> String {
    json_lines(&output.stdout)
        .filter_map(|message| Some(message["message"]["rendered"].as_str()?.to_owned()))
        .chain([String::from_utf8_lossy(&output.stderr).into_owned()])
        .collect()
}
