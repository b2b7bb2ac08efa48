//! Rooms of the harness import only rooms below them.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A room may use those before it.
const ROOMS: [&str; 28] = [
    "text",
    "json",
    "activity",
    "files",
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
    "dataset",
    "evaluators",
    "baseline",
    "gate",
    "outcome",
    "registry",
    "upload",
    "report",
    "engine",
    "run",
    "harness",
    "private",
    "cli",
    "bin",
];

/// What others wrote reaches a terminal or a CI log only through the file that makes it harmless.
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
        if ["report/screen.rs", "gate/simulation.rs", "trend/tests.rs"]
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
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../honeyhive-harness/src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    assert!(files.len() > 20, "the sources are not where this test looks for them");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&source).unwrap();
        let room = name.iter().next().unwrap().to_string_lossy();
        let room = room.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let Some(level) = ROOMS.iter().position(|other| *other == room) else {
            wrong.push(format!("{} is in no room; add it to the list", name.display()));
            continue;
        };
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            // Links in comments may point anywhere.
            let code = line.split("//").next().unwrap_or_default();
            for used in code.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if ROOMS.iter().skip(level + 1).any(|other| *other == used) {
                    wrong.push(format!(
                        "{}:{}: `{room}` uses `{used}`",
                        name.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
