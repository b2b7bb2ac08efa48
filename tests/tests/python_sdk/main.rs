//! Runs one experiment with HoneyHive's Python SDK and with this crate, and compares all requests.
//!
//! A run in Python and one in Rust must have the same data under the same names, so that they can
//! be compared. Every intended difference is in `differences.rs` and in the documentation, with its
//! reason; any other difference fails.

mod compare;
mod differences;
mod facts;
mod sdk;

use std::fs;
use std::path::Path;
use std::process::Command;

use honeyhive_tests::{Fake, Project, needs};

#[test]
fn both_say_the_same_but_for_what_is_in_the_table() {
    let Some(python) = needs::python_package(needs::PYTHON_SDK) else { return };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_sdk");
    let project = Project::with_evals("python-sdk", include_str!("experiment.rs"))
        .file("data/rows.jsonl", include_str!("rows.jsonl"));
    project.ensure_built();
    let directory = project.directory();
    repository(&directory);

    let theirs = Fake::builder().lenient().start();
    let rows = directory.join("data/rows.jsonl");
    sdk::run(&python, here.join("experiment.py").as_os_str(), &rows, &directory, &theirs);

    let ours = Fake::builder().lenient().start();
    let run = project
        .evals([""])
        .env("HH_API_KEY", ours.key())
        .env("HH_API_URL", ours.url())
        .env("HH_EXT_IDS", "python")
        .run();
    assert_eq!(run.code, Some(0), "{}", run.output());

    compare::compare(&facts::of(&theirs), &facts::of(&ours));
}

/// The page of the documentation for users of the Python SDK.
const PAGE: &str = "../honeyhive-harness/docs/coming-from-python.md";

#[test]
fn the_documentation_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once("<!-- differences -->\n").expect("the table begins");
    let (_, after) = rest.split_once("<!-- end -->").expect("the table ends");
    let table = differences::markdown();
    let wanted = format!("{before}<!-- differences -->\n\n{table}\n<!-- end -->{after}");
    if std::env::var_os("PYTHON_TABLE").is_some_and(|value| value == "overwrite") {
        fs::write(&path, wanted).expect("the page can be written");
        return;
    }
    assert!(page == wanted, "the table of {PAGE} is old; PYTHON_TABLE=overwrite writes a new one");
}

/// Makes a directory a repository with one commit, whose remote has a password in its address.
fn repository(directory: &Path) {
    let _ = fs::remove_dir_all(directory.join(".git"));
    let remote = "https://somebody:secret@git.example/evals.git";
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--no-gpg-sign", "--message=Evals"],
        &["remote", "add", "origin", remote],
    ] {
        let git = Command::new("git")
            .args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"])
            .args(arguments)
            .current_dir(directory)
            // Git sets these variables for its hooks, from which tests may be run.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .status();
        assert!(git.is_ok_and(|status| status.success()), "git {arguments:?}");
    }
}
