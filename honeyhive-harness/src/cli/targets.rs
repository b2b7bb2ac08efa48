//! Which test targets have experiments: what cargo knows, and what their sources say.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::cargo;
use crate::config::Config;

/// Options of cargo that choose targets.
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

/// Options that make `--test NAME` for the targets with experiments, where the arguments for cargo
/// choose no targets themselves.
///
/// # Errors
/// When no target has experiments: nothing to run is not success.
pub(super) fn options(arguments: &[OsString], config: &Config) -> Result<Vec<String>, String> {
    let words: Vec<String> =
        arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let option = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
    if words.iter().any(|word| SELECTS_TARGETS.contains(&&*option(word))) {
        return Ok(Vec::new());
    }
    let metadata = metadata(&words, config)?;
    let packages = selected(&metadata, &words, config)?;
    let mut names: Vec<&str> = Vec::new();
    for target in packages.iter().flat_map(|package| list(&package["targets"])) {
        let is_test = list(&target["kind"]).iter().any(|kind| kind == "test");
        // `test = false` keeps what costs money out of runs that do not name it.
        let wanted = is_test && target["test"] != false;
        let (Some(name), Some(source)) = (target["name"].as_str(), target["src_path"].as_str())
        else {
            continue;
        };
        if wanted && !names.contains(&name) && has_main(Path::new(source)) {
            names.push(name);
        }
    }
    if names.is_empty() {
        let packages: Vec<&str> =
            packages.iter().filter_map(|package| package["name"].as_str()).collect();
        return Err(format!(
            "no test target of {} has experiments (a `honeyhive_harness::main!()` in its root \
             file, and not `test = false`); name one: cargo honeyhive run -- --test NAME",
            if packages.is_empty() { "this directory".to_owned() } else { packages.join(", ") }
        ));
    }
    Ok(names.iter().flat_map(|name| ["--test".to_owned(), (*name).to_owned()]).collect())
}

/// Whether the root file of a target makes the harness its `main`.
fn has_main(source: &Path) -> bool {
    std::fs::read_to_string(source).is_ok_and(|text| text.contains("main!"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What `--name VALUE` and `--name=VALUE` say.
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

fn metadata(words: &[String], config: &Config) -> Result<Value, String> {
    let mut command = Command::new(cargo::cargo(config));
    command.args(["metadata", "--no-deps", "--format-version", "1"]).stdin(Stdio::null());
    for path in values(words, &["--manifest-path"]) {
        command.args(["--manifest-path", path]);
    }
    let output = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("cargo metadata: {}", text.trim_start_matches("error: ")));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The packages that cargo would test.
fn selected<'a>(
    metadata: &'a Value,
    words: &[String],
    config: &Config,
) -> Result<Vec<&'a Value>, String> {
    let all = list(&metadata["packages"]);
    if words.iter().any(|word| word == "--workspace" || word == "--all") {
        let left_out = values(words, &["--exclude"]);
        let is_left_out = |one: &&Value| left_out.iter().any(|name| one["name"] == **name);
        return Ok(all.iter().filter(|one| !is_left_out(one)).collect());
    }
    let named = values(words, &["--package", "-p"]);
    if !named.is_empty() {
        // A specification may have more than the name; cargo checks it.
        let is_named = |one: &&Value| {
            named.iter().any(|spec| {
                one["name"].as_str().is_some_and(|name| *spec == name || spec.contains(name))
            })
        };
        return Ok(all.iter().filter(is_named).collect());
    }
    let mut locate = Command::new(cargo::cargo(config));
    locate.args(["locate-project", "--message-format", "plain"]).stdin(Stdio::null());
    for path in values(words, &["--manifest-path"]) {
        locate.args(["--manifest-path", path]);
    }
    let output = locate.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    let manifest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let here: Vec<&Value> = all.iter().filter(|one| one["manifest_path"] == *manifest).collect();
    if !here.is_empty() {
        return Ok(here);
    }
    let default = list(&metadata["workspace_default_members"]);
    Ok(all.iter().filter(|one| default.contains(&one["id"])).collect())
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
