//! Checks that the declared `rust-version` is not lower than those of the dependencies of the
//! published crates. (clippy's `incompatible_msrv` checks the use of the standard library.)

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

const PUBLISHED: [&str; 2] = ["honeyhive-macros", "honeyhive-harness"];

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn dependencies_need_no_later_rust() {
    honeyhive_tests::fetch_crates();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        // Dependencies of other systems are left out.
        .args(["--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let by_id = |list: &Value| -> HashMap<String, Value> {
        let entries = list.as_array().unwrap().iter();
        entries.map(|entry| (entry["id"].as_str().unwrap().to_owned(), entry.clone())).collect()
    };
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let is_published = |package: &Value| PUBLISHED.iter().any(|name| package["name"] == *name);
    let mut left: Vec<String> = packages
        .values()
        .filter(|package| is_published(package))
        .map(|p| p["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(left.len(), PUBLISHED.len());
    let ours = version(packages[&left[0]]["rust_version"].as_str().unwrap());
    let mut seen: HashSet<String> = left.iter().cloned().collect();
    let mut wrong = Vec::new();
    while let Some(id) = left.pop() {
        let package = &packages[&id];
        if let Some(theirs) = package["rust_version"].as_str().filter(|text| version(text) > ours) {
            wrong.push(format!("{} {} needs {theirs}", package["name"], package["version"]));
        }
        for dependency in nodes[&id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let used = kinds.iter().any(|kind| kind["kind"] != "dev");
            let id = dependency["pkg"].as_str().unwrap().to_owned();
            if used && seen.insert(id.clone()) {
                left.push(id);
            }
        }
    }
    assert!(seen.len() > 20, "the dependencies were not found");
    assert!(wrong.is_empty(), "rust-version is too low: {}", wrong.join(", "));
}
