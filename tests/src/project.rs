//! Small crates with experiments, and `cargo` in them.

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

/// What a process of ours may see of the environment. Everything else would leak into the tests:
/// the variables of the outer cargo, of nextest, of CI, of a person who has an API key.
pub(crate) const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    // Windows does not work without these.
    "SYSTEMROOT",
    "TEMP",
    "TMP",
];

/// The same in all projects, so that dependencies are compiled once.
const DEPENDENCIES: &str = r#"
anyhow = "1"
honeyhive-harness = { path = 'HARNESS' }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt-multi-thread", "sync", "time"] }
"#;

/// A crate with experiments in a directory of its own.
///
/// The directory stays, and a file is only written when its content is new: so cargo compiles
/// nothing again while nothing has changed.
#[derive(Debug)]
pub struct Project {
    name: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// The manifest from `[dependencies]` on, without test targets.
    manifest: String,
    targets: String,
    /// Or what the compiler said.
    executables: OnceLock<Result<HashMap<String, PathBuf>, String>>,
}

impl Project {
    /// An empty crate of this name, which no other test uses.
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

    /// A crate with the one test target `evals`.
    #[must_use]
    pub fn with_evals(name: &str, source: &str) -> Self {
        Self::new(name).target("evals", source)
    }

    /// Adds a test target of experiments.
    #[must_use]
    pub fn target(self, name: &str, source: &str) -> Self {
        self.manifest_target(name, "harness = false").file(&format!("tests/{name}.rs"), source)
    }

    /// Adds a test target in the way of somebody who forgot `harness = false`.
    #[must_use]
    pub fn target_without_harness_false(self, name: &str, source: &str) -> Self {
        self.manifest_target(name, "").file(&format!("tests/{name}.rs"), source)
    }

    fn manifest_target(mut self, name: &str, rest: &str) -> Self {
        let target = format!("\n[[test]]\nname = \"{name}\"\npath = \"tests/{name}.rs\"\n{rest}\n");
        self.targets.push_str(&target);
        self
    }

    /// Adds a package that depends on the harness and stands in a directory of this name.
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

    /// Where the crate is.
    pub fn directory(&self) -> PathBuf {
        target_dir().join("functional-projects").join(&self.name)
    }

    /// Writes what is new and takes away what is old.
    pub fn write(&self) {
        let directory = self.directory();
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautotests = false\n\
             {}\n{}\n[workspace]\n\n[profile.dev]\ndebug = 0\nincremental = false\n",
            self.name, self.targets, self.manifest
        );
        write_new(&directory.join("Cargo.toml"), manifest.as_bytes());
        let lock = fs::read(workspace().join("Cargo.lock")).expect("the workspace has a lock file");
        // Cargo adds the project to its lock file, so whether that is up to date is seen by a copy.
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
                    // Another process that cleans up in the same way may have been faster.
                    let _ = fs::remove_file(&path);
                }
            }
        }
    }

    /// The test binaries by target.
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

    /// What the compiler says about a crate that does not build.
    ///
    /// # Panics
    /// When it builds.
    pub fn build_error(&self) -> String {
        match self.executables.get_or_init(|| self.build()) {
            Ok(_) => panic!("{} builds", self.name),
            Err(text) => text.replace(&self.directory().display().to_string(), "<project>"),
        }
    }

    /// A command in the crate's directory, with nothing of ours in its environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory()).env_clear().env("PWD", self.directory());
        command.env("CARGO_TARGET_DIR", target_dir().join("functional"));
        // Projects stand below this repository, and are not of it.
        command.env("GIT_CEILING_DIRECTORIES", target_dir());
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// The test binary of a target.
    pub fn executable(&self, target: &str) -> PathBuf {
        self.executables()[target].clone()
    }

    /// Copies the test binary of a target to `to`, so that it can be started from there.
    ///
    /// On Unix another process copies it: a child that a test beside this one starts meanwhile would
    /// hold a file that this process writes open for a moment, and a program that is open for
    /// writing cannot be started.
    pub fn copy_executable(&self, target: &str, to: &Path) {
        let binary = self.executable(target);
        if cfg!(unix) {
            let status = Command::new("cp").arg(&binary).arg(to).status();
            assert!(status.expect("cp can be started").success(), "{} is copied", to.display());
        } else {
            std::fs::copy(&binary, to).expect("a copy of the test binary");
        }
    }

    /// Builds the crate where that was not done yet; nothing in its directory changes any more.
    pub fn ensure_built(&self) {
        self.executables();
    }

    /// What another subcommand of cargo prints.
    pub fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        self.executables();
        let output = self.command(cargo()).args(arguments).arg("--offline").output();
        let output = output.expect("cargo can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.replace(&self.directory().display().to_string(), "<project>")
    }

    /// `cargo honeyhive <arguments>` in the crate's directory; it may start cargo itself.
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

    /// `cargo test --test evals -- <arguments>`, not started yet.
    pub fn evals<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Cargo<'_> {
        self.cargo_test(["--test", "evals"]).arguments(arguments)
    }

    /// `cargo nextest <subcommand> <arguments>`, not started yet.
    pub fn cargo_nextest<A: Into<OsString>>(
        &self,
        subcommand: &'static [&'static str],
        arguments: impl IntoIterator<Item = A>,
    ) -> Cargo<'_> {
        Cargo { subcommand, ..self.cargo_test(arguments) }
    }

    /// `cargo test <arguments>`, not started yet.
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

/// A `cargo test` to be started.
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
    /// Arguments behind `--`.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The directory that the run has for itself.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env("SCRATCH", self.scratch()).env("HH_DIR", self.scratch().join("journal"));
        command.env("XDG_CACHE_HOME", self.scratch().join("cache"));
        for (name, value) in &self.env {
            // An empty value takes the variable away.
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(self) -> Run {
        self.project.executables();
        let mut command = self.prepare(self.project.command(cargo()));
        // A variable, as nextest wants no options of cargo's beside an archive.
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

    /// The same for a copy of the binary.
    pub fn start_program(self, executable: &Path) -> Process {
        let mut command = self.prepare(self.project.command(executable));
        command.args(&self.arguments);
        Process::start(command, self.project.directory(), self.scratch)
    }

    /// The same in a process group of its own, as a shell in a terminal starts it.
    #[cfg(unix)]
    pub fn start_group(self) -> Process {
        use std::os::unix::process::CommandExt as _;

        let executable = &self.project.executables()["evals"];
        let mut command = self.prepare(self.project.command(executable));
        command.args(&self.arguments).process_group(0);
        Process::start(command, self.project.directory(), self.scratch)
    }

    /// Starts cargo in a process group of its own, and does not wait for it.
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

    /// The same in a shell that has run a command before: `ulimit` and the like.
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
/// Tests give cargo `--offline`, so that they see neither the network nor versions that are newer
/// than the lock file. To build the tests, cargo downloads only what they need themselves on this
/// system: not the dependencies of other members, features and systems.
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

/// The target directory that these tests were built into.
pub(crate) fn target_dir() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        let binary = std::env::current_exe().expect("this process has a program");
        let target = binary.ancestors().skip(1).find(|path| is_target_dir(path));
        target.expect("cargo marks its target directory").to_owned()
    })
}

/// Whether cargo builds into this directory. It writes no tag into one that was there before.
#[must_use]
pub fn is_target_dir(path: &Path) -> bool {
    [".rustc_info.json", "CACHEDIR.TAG"].iter().any(|mark| path.join(mark).is_file())
}

/// Writes the file unless it has this content already.
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

/// What rustc and cargo said about a crate that does not build.
pub(crate) fn complaints(output: &Output) -> String {
    json_lines(&output.stdout)
        .filter_map(|message| Some(message["message"]["rendered"].as_str()?.to_owned()))
        .chain([String::from_utf8_lossy(&output.stderr).into_owned()])
        .collect()
}
