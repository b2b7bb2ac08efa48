//! One experiment through HoneyHive's Python SDK and through ours, request by request.
//!
//! Whoever compares a run in Python with one in Rust must find the same things under the same
//! names. Where they are not the same, that is meant: `differences.rs` says why, and so does the
//! documentation, and nothing else may differ.

mod compare;
mod differences;
mod facts;
mod sdk;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use honeyhive_tests::{Fake, Project};

#[test]
fn both_say_the_same_but_for_what_is_in_the_table() {
    let python = match sdk::python() {
        Ok(python) => python,
        Err(error) => {
            // Past the test runner, which swallows what passing tests print.
            let _ = writeln!(
                std::io::stderr(),
                "\nSKIPPED: nothing was compared with HoneyHive's Python SDK: {error}"
            );
            return;
        }
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_sdk");
    let project = Project::with_evals("python-sdk", include_str!("experiment.rs"))
        .file("data/rows.jsonl", include_str!("rows.jsonl"));
    // Builds it, so that nothing changes in its directory any more.
    project.cargo(["metadata", "--format-version=1"]);
    let directory = project.directory();
    repository(&directory);

    let theirs = Fake::builder().lenient().start();
    let rows = directory.join("data/rows.jsonl");
    sdk::run(&python, here.join("experiment.py").as_os_str(), &rows, &directory, &theirs);

    let ours = Fake::start();
    let run = project
        .evals([""])
        .env("HH_API_KEY", ours.key())
        .env("HH_API_URL", ours.url())
        .env("HH_EXT_IDS", "python")
        .run();
    ours.assert_clean();
    assert_eq!(run.code, Some(0), "{}", run.output());

    compare::compare(&facts::of(&theirs), &facts::of(&ours));
}

/// Makes a directory a repository with one commit, whose remote has a password in its address.
fn repository(directory: &Path) {
    let _ = std::fs::remove_dir_all(directory.join(".git"));
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
            .status();
        assert!(git.is_ok_and(|status| status.success()), "git {arguments:?}");
    }
}
