//! The place of this test binary: its package and target, its target directory, its parent.

use std::path::{Path, PathBuf};

use crate::cargo::{self, Workspace};
use crate::config::Config;
use crate::invocation::Target;
use crate::journal::rerun_command;

/// Returns the test target, from what rustc knew of its root file.
pub(super) fn target(file: &str, crate_name: &str, config: &Config) -> Target {
    let (package, directory) = config.package.clone().unwrap_or_default();
    let asked = if is_usual(file, crate_name, &directory) {
        None
    } else {
        ask_cargo(file, crate_name, &directory, config)
    };
    let (name, arguments) = asked.unwrap_or_else(|| {
        let name = target_name(file, crate_name);
        let arguments = cargo::test_arguments(&name);
        (name, arguments)
    });
    let needed = needs_package(&directory, config.pwd.as_deref());
    let rerun = rerun_command(Some(&*package).filter(|_| needed), &arguments);
    Target { package, name, rerun }
}

/// Returns whether a command must name the package to work from anywhere in its workspace: unless the
/// package is the root of the workspace, and the current directory is there.
fn needs_package(directory: &Path, stands_in: Option<&Path>) -> bool {
    let is_root = |directory: &Path| {
        let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim_start().starts_with("[workspace"))
    };
    let member = !is_root(directory) && directory.ancestors().skip(1).any(is_root);
    member || stands_in.is_some_and(|place| !place.starts_with(directory))
}

/// Returns the name of a target: `tests/my-evals.rs` and `tests/my-evals/main.rs` are `my-evals` of the crate
/// `my_evals`; any other file is a target that has its crate's name.
fn target_name(file: &str, crate_name: &str) -> String {
    target_by_file(file, crate_name).unwrap_or_else(|| crate_name.to_owned())
}

fn target_by_file(file: &str, crate_name: &str) -> Option<String> {
    let path = Path::new(file);
    let stem = path.file_stem();
    let parent = path.parent().and_then(Path::file_name);
    [stem, parent]
        .into_iter()
        .flatten()
        .map(|name| name.to_string_lossy().into_owned())
        .find(|name| name.replace('-', "_") == crate_name)
}

/// Returns whether a target is one that cargo finds by itself, in `tests`, and that needs no features:
/// its file tells its name. In any other case cargo has to be asked, which takes some 30 ms.
fn is_usual(file: &str, crate_name: &str, directory: &Path) -> bool {
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    let is_in_tests = Path::new(file).ancestors().skip(1).take(2).any(|one| one.ends_with("tests"));
    is_in_tests
        && !manifest.contains("required-features")
        && target_name(file, crate_name).replace('-', "_") == crate_name
        && (!crate_name.contains('_') || target_by_file(file, crate_name).is_some())
}

/// Returns the target's name, and the arguments by which `cargo test` runs it alone.
fn ask_cargo(
    file: &str,
    crate_name: &str,
    directory: &Path,
    config: &Config,
) -> Option<(String, Vec<String>)> {
    if directory.as_os_str().is_empty() {
        return None;
    }
    let program = config.cargo.clone().unwrap_or_else(|| "cargo".into());
    let manifest = directory.join("Cargo.toml");
    let workspace = Workspace::ask(&program, Some(&manifest)).ok()?;
    let package = config.package.as_ref().map(|(name, _)| name.as_str());
    // Two targets of a package may have one name, such as a library and its test.
    let of_package = workspace.packages.iter().find(|one| Some(&*one.name) == package)?;
    let by_file = of_package.targets.iter().find(|one| {
        one.crate_name() == crate_name && one.src_path.ends_with(file.trim_start_matches("./"))
    });
    let target = by_file.or_else(|| workspace.target(package, crate_name))?;
    Some((target.name.clone(), target.arguments()))
}

/// Returns `honeyhive` in the target directory that this binary was built into.
pub(super) fn journal_root() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    target_directory(&binary).unwrap_or(Path::new("target")).join("honeyhive")
}

/// Returns the target directory of a test binary. Cargo marks one with a tag only where it made the
/// directory itself: in a volume of a container or a restored cache there is none. Its file about the
/// compiler lies there in any case; an archive unpacked elsewhere has neither, only the path
/// `target/profile/deps`.
fn target_directory(binary: &Path) -> Option<&Path> {
    let marked = |directory: &&Path| {
        ["CACHEDIR.TAG", ".rustc_info.json"].iter().any(|mark| directory.join(mark).is_file())
    };
    binary.ancestors().skip(1).find(marked).or_else(|| {
        let deps = binary.parent()?;
        deps.ends_with("deps").then(|| deps.ancestors().nth(2)).flatten()
    })
}

/// Returns a text that all test binaries of one `cargo test` have in common, and no other process has.
pub(super) fn parent_key() -> Option<String> {
    #[cfg(unix)]
    {
        let parent = std::os::unix::process::parent_id();
        let stat = std::fs::read_to_string(format!("/proc/{parent}/stat")).ok()?;
        // `pid (command) state ..`; the 20th field after the command is the time of its start.
        let (command, fields) = stat.rsplit_once(')')?;
        let started = fields.split_whitespace().nth(19)?;
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let is_cargo = command.contains("(cargo");
        is_cargo.then(|| format!("{parent} {started} {boot}"))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_name_that_cargo_knows() {
        assert_eq!(target_name("crate/tests/my-evals.rs", "my_evals"), "my-evals");
        assert_eq!(target_name("tests/my-evals/main.rs", "my_evals"), "my-evals");
        assert_eq!(target_name("evals/main.rs", "suite"), "suite");
    }

    #[test]
    fn a_target_directory_is_known_with_and_without_marks() {
        let root = std::env::temp_dir().join(format!("hh-target-{}", std::process::id()));
        let binary = root.join("target/x86_64-unknown-linux-gnu/debug/deps/evals-0");
        std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
        // Nothing says where it ends; the profile's parent is the best guess.
        let target = root.join("target");
        assert_eq!(target_directory(&binary), Some(&*target.join("x86_64-unknown-linux-gnu")));
        std::fs::write(target.join(".rustc_info.json"), "{}").unwrap();
        assert_eq!(target_directory(&binary), Some(&*target));
        std::fs::remove_file(target.join(".rustc_info.json")).unwrap();
        std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(target_directory(&binary), Some(&*target));
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(target_directory(Path::new("/usr/bin/evals")), None);
        assert_eq!(target_directory(Path::new("/deps/evals")), None);
    }

    #[test]
    fn a_rerun_names_the_package_where_it_must() {
        let workspace = std::env::temp_dir().join(format!("hh-rerun-{}", std::process::id()));
        let member = workspace.join("app");
        std::fs::create_dir_all(member.join("src")).unwrap();
        std::fs::write(workspace.join("Cargo.toml"), "[package]\n\n[workspace.lints]\n").unwrap();
        std::fs::write(member.join("Cargo.toml"), "[package]\n").unwrap();
        assert!(!needs_package(&workspace, None) && !needs_package(&workspace, Some(&member)));
        assert!(needs_package(&workspace, Some(Path::new("/elsewhere"))));
        assert!(needs_package(&member, Some(&member)), "a report is read elsewhere");
        std::fs::write(workspace.join("Cargo.toml"), "[package]\n").unwrap();
        assert!(!needs_package(&member, Some(&member.join("src"))), "no workspace at all");
        std::fs::remove_dir_all(&workspace).unwrap();
        let evals = cargo::test_arguments("evals");
        let rerun = rerun_command(Some("app"), &evals);
        let target = Target { package: "app".into(), name: "evals".into(), rerun };
        assert_eq!(target.rerun("a::b"), "cargo test -p app --test evals -- --exact a::b");
        let target = Target { rerun: rerun_command(None, &evals), ..target };
        assert_eq!(target.rerun("a::b"), "cargo test --test evals -- --exact a::b");
    }
}
