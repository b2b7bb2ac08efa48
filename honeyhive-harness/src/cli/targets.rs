//! Finds the test targets that have experiments, from cargo's metadata and their sources.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::cargo;
use crate::cargo::{Package, Target, Workspace, test_arguments};
use crate::config::Config;

/// The options of cargo that choose targets.
const SELECTS_TARGETS: [&str; 12] = [
    "--lib",
    "--bins",
    "--bin",
    "--examples",
    "--example",
    "--tests",
    "--test",
    "--benches",
    "--bench",
    "--all-targets",
    "--doc",
    "-E",
];

/// Returns the options that choose the test targets with experiments, where the arguments for cargo
/// choose no targets themselves: `--test NAME`, and the features that they need where the arguments
/// name none.
///
/// # Errors
/// Returns an error when no target has experiments, since running nothing is not success.
pub(super) fn options(arguments: &[OsString], config: &Config) -> Result<Vec<String>, String> {
    let words: Vec<String> =
        arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let has = |options: &[&str]| {
        let name = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
        words.iter().map(name).any(|word| options.contains(&&*word))
    };
    if has(&SELECTS_TARGETS) {
        return Ok(Vec::new());
    }
    let features_named = has(&["--features", "-F", "--all-features"]);
    let mut options: Vec<String> = Vec::new();
    for target in with_experiments(&words, config)? {
        if features_named {
            options.extend(test_arguments(&target.name));
        } else {
            options.extend(target.arguments());
        }
    }
    Ok(options)
}

/// Returns the test targets with experiments, of the packages that these arguments for cargo choose.
///
/// # Errors
/// Returns an error when there is none.
pub(super) fn with_experiments(words: &[String], config: &Config) -> Result<Vec<Target>, String> {
    let manifests = values(words, &["--manifest-path"]);
    let workspace = Workspace::ask(&cargo::cargo(config), manifests.last().map(Path::new))?;
    let packages = selected(&workspace, words, config)?;
    let mut found: Vec<Target> = Vec::new();
    for target in packages.iter().flat_map(|package| &package.targets) {
        // Users set `test = false` for targets that cost money, so that only runs that name them run them.
        let wanted = target.is("test") && target.test;
        if wanted && !found.iter().any(|one| one.name == target.name) && has_main(&target.src_path)
        {
            found.push(target.clone());
        }
    }
    if found.is_empty() {
        let packages: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
        return Err(format!(
            "no test target of {} has experiments (a `honeyhive_harness::main!()` in its root \
             file, and not `test = false`); name one: cargo honeyhive run -- --test NAME",
            if packages.is_empty() { "this directory".to_owned() } else { packages.join(", ") }
        ));
    }
    Ok(found)
}

/// Returns whether the root file of a target makes the harness its `main`.
fn has_main(source: &Path) -> bool {
    std::fs::read_to_string(source).is_ok_and(|text| text.contains("main!"))
}

/// Returns the values of options, from `--name VALUE` and `--name=VALUE`.
fn values<'a>(words: &'a [String], names: &[&str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        for name in names {
            match word.strip_prefix(name) {
                Some("") => found.extend(words.get(index + 1).map(String::as_str)),
                Some(rest) if rest.starts_with('=') => found.push(&rest[1..]),
                // `-pNAME`
                Some(rest) if !name.starts_with("--") => found.push(rest),
                _ => {}
            }
        }
    }
    found
}

/// Returns the packages that cargo would test.
fn selected<'a>(
    workspace: &'a Workspace,
    words: &[String],
    config: &Config,
) -> Result<Vec<&'a Package>, String> {
    let all = &workspace.packages;
    if words.iter().any(|word| word == "--workspace" || word == "--all") {
        let left_out = values(words, &["--exclude"]);
        let is_left_out = |one: &&Package| left_out.contains(&&*one.name);
        return Ok(all.iter().filter(|one| !is_left_out(one)).collect());
    }
    let named = values(words, &["--package", "-p"]);
    if !named.is_empty() {
        // A package specification may have more than the name; cargo checks the rest.
        let is_named = |one: &&Package| named.iter().any(|spec| spec.contains(&*one.name));
        return Ok(all.iter().filter(is_named).collect());
    }
    let mut locate = Command::new(cargo::cargo(config));
    locate.args(["locate-project", "--message-format", "plain"]).stdin(Stdio::null());
    for path in values(words, &["--manifest-path"]) {
        locate.args(["--manifest-path", path]);
    }
    let output = locate.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    let manifest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_here = |one: &&Package| one.manifest_path == Path::new(&manifest);
    let here: Vec<&Package> = all.iter().filter(is_here).collect();
    if !here.is_empty() {
        return Ok(here);
    }
    let default = &workspace.default_members;
    Ok(all.iter().filter(|one| default.contains(&one.id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_options_are_found_in_every_form() {
        let words = ["--package", "a", "--package=b", "-p", "c", "-pd", "--packages", "x"];
        let words: Vec<String> = words.map(str::to_owned).into();
        assert_eq!(values(&words, &["--package", "-p"]), ["a", "b", "c", "d"]);
    }

    #[test]
    fn targets_that_are_chosen_stay_as_they_are() {
        for chosen in ["--test", "--test=x", "--tests", "--all-targets", "--lib"] {
            let options = options(&[chosen.into()], &Config::default());
            assert_eq!(options, Ok(Vec::new()), "{chosen}");
        }
    }
}
