//! Rooms of the harness import only rooms below them.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used)]

mod circles;
mod journal_format;
mod sources;
mod surface;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sources::{Crate, ModulePath};

/// From the ground up. A room may use those before it.
const ROOMS: &[&str] = &[
    "unwind",
    "text",
    "json",
    "activity",
    "files",
    "cargo",
    "config",
    "score",
    "rule",
    "datapoint",
    "stats",
    "ids",
    "redact",
    "api",
    "tracer",
    "journal",
    "send",
    "dataset",
    "evaluators",
    "baseline",
    "gate",
    "outcome",
    "registry",
    "upload",
    "program",
    "report",
    "engine",
    "invocation",
    "experiment",
    "harness",
    "__private",
    "cli",
    "bin",
];

/// Public modules that show names of a room above their own, under the paths that users know.
const FACADES: [(&str, &str); 1] = [("tracer", "program")];

/// Checks that one file prints: it escapes what others wrote before a terminal or a CI log gets it.
#[test]
fn one_file_prints() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../honeyhive-harness/src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    let printing =
        ["println!(", "print!(", "dbg!(", "stdout().lock", "stderr().lock", "stdout().write"];
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&source).unwrap().display().to_string();
        // The others print figures of tests.
        if ["report/screen.rs", "gate/simulation.rs", "simulation/world.rs", "trend/tests.rs"]
            .iter()
            .any(|known| name.ends_with(known))
        {
            continue;
        }
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if printing.iter().any(|how| code.contains(how)) {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "print through report/screen.rs:\n{}", wrong.join("\n"));
}

#[test]
fn imports_only_go_down() {
    let uses = uses();
    assert!(uses.len() > 100, "the sources are not where this test looks for them");
    let level = |path: &ModulePath| match path.first() {
        // `lib.rs` is above all rooms.
        None => Some(ROOMS.len()),
        Some(room) => ROOMS.iter().position(|other| other == room),
    };
    let mut wrong = Vec::new();
    for (from, used) in &uses {
        let Some(own) = level(from) else {
            wrong.push(format!("{} is in no room; add it to the list", from.join("::")));
            continue;
        };
        for to in used {
            // What `lib.rs` itself defines is for everybody.
            if level(to).is_some_and(|other| other > own) && !to.is_empty() {
                wrong.push(format!("`{}` uses `{}`", from.join("::"), to.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_use_each_other_in_no_circle() {
    let uses = uses();
    let mut wrong = String::new();
    for circle in circles::circles(&uses) {
        wrong.push_str("a circle:\n");
        for from in &circle {
            for to in uses[from].iter().filter(|to| circle.contains(to)) {
                wrong.push_str(&format!("  `{}` uses `{}`\n", from.join("::"), to.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the files that each file uses, without what facades show of other rooms.
fn uses() -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
    let mut uses = harness().uses();
    for (from, used) in &mut uses {
        if let [room] = &from[..] {
            used.retain(|to| !to.first().is_some_and(|to| FACADES.contains(&(room, to))));
        }
    }
    uses
}

fn harness() -> Crate {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../honeyhive-harness/src/lib.rs"))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
