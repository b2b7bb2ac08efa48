//! Follows the README's steps for a new crate word by word.

use std::fs;
use std::path::{Path, PathBuf};

use honeyhive_tests::Project;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the first block of code in this language, without its indentation.
fn block(text: &str, language: &str) -> String {
    let begin = format!("```{language}");
    let mut lines = text.lines().skip_while(|line| line.trim() != begin);
    let first = lines.next().unwrap_or_else(|| panic!("no block of {language}"));
    let indent = first.len() - first.trim_start().len();
    let lines = lines.take_while(|line| line.trim() != "```");
    lines.flat_map(|line| [line.get(indent..).unwrap_or_default(), "\n"]).collect()
}

#[test]
fn the_steps_for_an_own_crate_work_as_written() {
    const CLONE: &str = "\"../honeyhive-rust/honeyhive-harness\"";
    let readme = read("README.md");
    let (top, steps) = readme.split_once("## In your crate\n").expect("the section");
    let manifest = block(steps, "toml");
    assert!(manifest.contains(CLONE), "the manifest names a clone of the repository:\n{manifest}");
    let project = Project::new("readme")
        .manifest(&manifest.replace(CLONE, "'HARNESS'"))
        .file("data/sentences.jsonl", block(steps, "json"))
        .file("tests/evals.rs", block(top, "rust"));
    assert!(steps.contains("run `cargo test --test evals`"));
    let run = project.cargo_test(["--test", "evals"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.cases().len(), 2, "{}", run.output());
}

#[test]
fn no_document_names_a_version_that_no_registry_has() {
    let documents = ["README.md", "honeyhive-harness/src/lib.rs", "honeyhive-macros/src/lib.rs"];
    let pages = fs::read_dir(repository().join("honeyhive-harness/docs")).expect("the pages");
    let pages = pages.map(|page| page.expect("a page").path().display().to_string());
    for path in documents.map(str::to_owned).into_iter().chain(pages) {
        let text = read(&path);
        for wrong in ["honeyhive-harness = \"", "cargo install honeyhive-harness"] {
            assert!(!text.contains(wrong), "{path} has `{wrong}`");
        }
    }
}
