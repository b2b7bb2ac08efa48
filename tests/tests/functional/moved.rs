//! Tests sources that were moved after the test target was compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run, is_target_dir, needs};
use tempfile::TempDir;

const EXPERIMENT: &str = r#"
use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn right(output: &str) -> bool {
    output == "new"
}

#[experiment(dataset = "data/rows.jsonl", evaluators(right), track("prompts/*.md"))]
fn NAME(text: &str) -> String {
    text.to_owned()
}
"#;

/// A project with experiments of the package and of a library beside it. They fail with the sources
/// at the place of compilation, and pass with an edited copy.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let source = EXPERIMENT.replace("NAME", "own");
    let rows = "{\"id\": \"a\", \"text\": \"old\"}\n";
    Project::with_evals("moved", &format!("{source}\nhoneyhive_harness::main!(moved_member);\n"))
        .member("moved_member", &EXPERIMENT.replace("NAME", "of_the_member"))
        .manifest(
            "[dev-dependencies]\nhoneyhive-harness = { path = 'HARNESS' }\n\
             moved_member = { path = 'moved_member' }\n",
        )
        .file("data/rows.jsonl", rows)
        .file("prompts/a.md", "old")
        .file("moved_member/data/rows.jsonl", rows)
        .file("moved_member/prompts/a.md", "old")
});

/// Copies the sources, with other rows.
fn checkout() -> TempDir {
    let copy = TempDir::new().expect("a directory");
    // Any of the tests may be the first.
    PROJECT.ensure_built();
    let from = PROJECT.directory();
    for package in ["", "moved_member"] {
        let to = copy.path().join(package);
        for directory in ["data", "prompts", "src", "tests"] {
            fs::create_dir_all(to.join(directory)).expect("a directory");
        }
        fs::copy(from.join(package).join("Cargo.toml"), to.join("Cargo.toml")).expect("a copy");
        fs::write(to.join("data/rows.jsonl"), "{\"id\": \"a\", \"text\": \"new\"}\n")
            .expect("rows");
        fs::write(to.join("prompts/a.md"), "new").expect("a prompt");
    }
    copy
}

/// Copies the test binary into a target directory of a checkout.
fn target_directory(checkout: &Path) -> PathBuf {
    let binary = PROJECT.executable("evals");
    // The directory has the same place beside the sources as when it was compiled.
    let target = binary.ancestors().find(|path| is_target_dir(path));
    let target = target.expect("a target directory");
    let way = binary.strip_prefix(target).expect("a path within");
    let copy = checkout.join("functional").join(way);
    fs::create_dir_all(copy.parent().expect("a directory")).expect("a directory");
    PROJECT.copy_executable("evals", &copy);
    copy
}

fn all_new(run: &Run) {
    assert_eq!(run.code, Some(0), "{}", run.output());
    let tests = run.tests();
    assert_eq!((&*tests["own::a"], &*tests["of_the_member::a"]), ("ok", "ok"), "{}", run.output());
    let files = |name: &str| {
        let experiments = run.experiments();
        let one = experiments.iter().find(|one| one.experiment == name).expect("an experiment");
        one.files.clone()
    };
    assert_eq!(files("own"), files("of_the_member"));
}

#[test]
fn where_nothing_was_moved_the_sources_of_compilation_are_read() {
    let elsewhere = TempDir::new().expect("a directory");
    for run in [
        PROJECT.cargo_test(["--test", "evals"]).run(),
        PROJECT.evals([""; 0]).start().finish(),
        PROJECT.evals([""; 0]).start_after(&format!("cd {}", elsewhere.path().display())).finish(),
    ] {
        assert_eq!(run.code, Some(101), "{}", run.output());
        assert_eq!(run.tests()["own::a"], "FAILED", "{}", run.output());
        assert_eq!(run.tests()["of_the_member::a"], "FAILED", "{}", run.output());
    }
}

#[test]
fn all_packages_follow_what_is_said_at_run_time() {
    let moved = checkout();
    let run = PROJECT
        .evals([""; 0])
        .env("CARGO_PKG_NAME", "moved")
        .env("CARGO_MANIFEST_DIR", moved.path())
        .start()
        .finish();
    all_new(&run);
    // The place of one package does not determine that of the other.
    fs::remove_dir_all(moved.path().join("moved_member")).expect("removed");
    let run = PROJECT
        .evals([""; 0])
        .env("CARGO_PKG_NAME", "moved")
        .env("CARGO_MANIFEST_DIR", moved.path())
        .start()
        .finish();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.tests()["own::a"], "ok", "{}", run.output());
    let text = run.failure("of_the_member::dataset");
    assert!(text.contains("package `moved_member` is not at "), "{}", run.output());
}

#[test]
fn an_archive_of_nextest_reads_the_workspace_that_it_is_mapped_to() {
    if !needs::nextest() {
        return;
    }
    let moved = checkout();
    let archive = moved.path().join("archive.tar.zst");
    let archive = archive.to_str().expect("a path");
    let arguments = ["--test", "evals", "--archive-file", archive];
    let made = PROJECT.cargo_nextest(&["nextest", "archive"], arguments).run();
    assert_eq!(made.code, Some(0), "{}", made.cargo_stderr);
    let workspace = moved.path().to_str().expect("a path");
    let run = PROJECT
        .cargo_nextest(
            &["nextest", "run"],
            ["--archive-file", archive, "--workspace-remap", workspace],
        )
        .run();
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    assert_eq!(run.cases().len(), 2);
    assert!(run.cases().iter().all(|case| case.passed));
}

#[test]
fn a_binary_away_from_its_target_directory_reads_nothing_by_chance() {
    let moved = checkout();
    let alone = moved.path().join("alone");
    PROJECT.copy_executable("evals", &alone);
    let run = PROJECT.evals([""; 0]).start_program(&alone).finish();
    assert_eq!(run.code, Some(101));
    assert!(
        run.failure("own::dataset")
            .contains("may be those of another checkout; run it with `cargo"),
        "{}",
        run.output()
    );
    // The whole checkout was moved, with its target directory.
    let root = TempDir::new().expect("a directory");
    let project = root.path().join("functional-projects/moved");
    fs::create_dir_all(project.parent().expect("a directory")).expect("a directory");
    fs::rename(moved.path(), &project).expect("moved");
    all_new(&PROJECT.evals([""; 0]).start_program(&target_directory(root.path())).finish());
}

#[test]
fn accept_writes_nothing_into_another_checkout() {
    let run = PROJECT.evals([""; 0]).run();
    let moved = checkout();
    let accept = || {
        honeyhive_tests::Honeyhive::new(moved.path(), ["accept", "-e", "own"])
            .env("HH_DIR", run.directory().join("journal"))
    };
    let (code, stdout, stderr) = accept().run();
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(
        stderr.contains("moved/data/baselines/own.json, which is not in the workspace at "),
        "{stderr}"
    );
    assert!(!PROJECT.directory().join("data/baselines").exists());
    let (code, stdout, stderr) = accept().argument("--to").argument("own.json").run();
    assert_eq!(code, Some(0), "{stderr}");
    let here = moved.path().canonicalize().expect("a path");
    assert!(
        stdout.contains(&format!("and this file is of the package `{}`, ", here.display())),
        "two checkouts of one package have one name: {stdout}"
    );
}
