//! Asks cargo about the packages of a workspace and their targets.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// The workspace, as `cargo metadata --no-deps` describes it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Workspace {
    #[serde(default)]
    pub(crate) packages: Vec<Package>,
    /// The ids of the packages that cargo takes where none is named. Since cargo 1.71.
    #[cfg(feature = "cli")]
    #[serde(default, rename = "workspace_default_members")]
    pub(crate) default_members: Vec<String>,
    #[cfg(feature = "cli")]
    #[serde(default)]
    pub(crate) target_directory: PathBuf,
    /// Since cargo 1.91.
    #[cfg(feature = "cli")]
    pub(crate) build_directory: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    #[cfg(feature = "cli")]
    #[serde(default)]
    pub(crate) id: String,
    #[cfg(feature = "cli")]
    pub(crate) manifest_path: PathBuf,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

/// A target of a package: a library, a program, a test, a bench, or an example.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
    /// Set unless the target says `test = false`.
    #[cfg(feature = "cli")]
    #[serde(default)]
    pub(crate) test: bool,
    #[serde(default, rename = "required-features")]
    pub(crate) required_features: Vec<String>,
}

impl Workspace {
    /// Asks the program `cargo`, in the working directory.
    ///
    /// # Errors
    /// Returns what cargo printed, or why it could not be started.
    pub(crate) fn ask(cargo: &OsStr, manifest: Option<&Path>) -> Result<Self, String> {
        let mut command = Command::new(cargo);
        command.args(["metadata", "--no-deps", "--format-version", "1"]).stdin(Stdio::null());
        if let Some(manifest) = manifest {
            command.arg("--manifest-path").arg(manifest);
        }
        let output = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("cargo metadata: {}", text.trim_start_matches("error: ")));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
    }

    /// Returns the target of a package, or of all packages, that has this name. In a crate's name,
    /// as journals of other layouts have it, `_` stands for `-`.
    pub(crate) fn target(&self, package: Option<&str>, name: &str) -> Option<&Target> {
        let all = || {
            let own = |one: &&Package| package.is_none_or(|package| one.name == package);
            self.packages.iter().filter(own).flat_map(|one| &one.targets)
        };
        let tests = || all().filter(|one| one.is("test"));
        tests()
            .find(|one| one.name == name)
            .or_else(|| tests().find(|one| one.crate_name() == name))
            .or_else(|| all().find(|one| one.name == name && one.can_run_tests()))
            .or_else(|| all().find(|one| one.crate_name() == name && one.can_run_tests()))
    }
}

impl Target {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|one| one == kind)
    }

    fn can_run_tests(&self) -> bool {
        !self.is("custom-build")
    }

    /// Returns the name that the target has as a crate.
    pub(crate) fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the arguments by which `cargo test` runs this target alone:
    /// `--test evals --features slow`.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let by_name = ["test", "bench", "example", "bin"].into_iter().find(|kind| self.is(kind));
        let mut arguments = match by_name {
            Some(kind) => vec![format!("--{kind}"), self.name.clone()],
            None => vec!["--lib".to_owned()],
        };
        if !self.required_features.is_empty() {
            arguments.extend(["--features".to_owned(), self.required_features.join(",")]);
        }
        arguments
    }
}

/// Returns the arguments for a test target of this name, where cargo cannot be asked.
pub(crate) fn test_arguments(name: &str) -> Vec<String> {
    vec!["--test".to_owned(), name.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_either_name_and_tests_come_first() {
        let target = |name: &str, kind: &str, features: &[&str]| Target {
            name: name.to_owned(),
            kind: vec![kind.to_owned()],
            required_features: features.iter().map(|one| (*one).to_owned()).collect(),
            ..Target::default()
        };
        let targets = vec![
            target("app", "lib", &[]),
            target("build-script-build", "custom-build", &[]),
            target("speed", "bench", &[]),
            target("my-suite", "test", &[]),
            target("feat", "test", &["evals", "slow"]),
            target("app", "test", &[]),
        ];
        let app = Package { name: "app".to_owned(), targets, ..Package::default() };
        let workspace = Workspace { packages: vec![app], ..Workspace::default() };
        let arguments = |name| workspace.target(Some("app"), name).map(Target::arguments);
        let words = |text: &str| Some(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(arguments("my_suite"), words("--test my-suite"));
        assert_eq!(arguments("my-suite"), words("--test my-suite"));
        assert_eq!(arguments("speed"), words("--bench speed"));
        assert_eq!(arguments("feat"), words("--test feat --features evals,slow"));
        assert_eq!(arguments("app"), words("--test app"));
        assert_eq!(arguments("build_script_build"), None);
        assert!(workspace.target(Some("other"), "app").is_none());
        assert_eq!(target("app", "lib", &[]).arguments(), ["--lib"]);
    }
}
