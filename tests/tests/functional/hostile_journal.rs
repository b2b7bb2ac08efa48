//! Tests hostile surroundings: the journal is removed, cut off or replaced during a run, the clock
//! is set back, a FIFO is where a journal is expected. None of them may end in success with missing
//! results, and none may hang.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use honeyhive_harness::journal::{Record, read_invocation, to_lines};
use honeyhive_tests::{Project, Run};

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("hostile_journal", include_str!("evals/hostile_journal.rs"))
});

fn journal_file(invocation: &Path) -> PathBuf {
    let entries = fs::read_dir(invocation).expect("a readable directory");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    paths.find(|path| path.extension().is_some_and(|end| end == "jsonl")).expect("a journal")
}

/// Runs an experiment of 400 cases and disturbs its journal as soon as some are done.
fn disturbed(disturb: impl Fn(&Path)) -> Run {
    let cargo = PROJECT.evals(["takes_its_time::"]);
    let root = cargo.scratch().join("journal");
    let process = cargo.start();
    process.wait_for_notes("takes_its_time", 20);
    let invocation = fs::read_dir(root)
        .expect("a directory of runs")
        .map(|entry| entry.expect("an entry"))
        .find(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .expect("a run");
    disturb(&journal_file(&invocation.path()));
    process.finish()
}

fn lost(run: &Run, what: &str) {
    assert_eq!(run.code, Some(101), "{}", run.output());
    let said = run.stdout.lines().find(|line| line.starts_with("NOT RECORDED"));
    assert!(said.is_some_and(|line| line.contains(what)), "{}", run.output());
    assert!(!run.stdout.lines().any(|line| line.starts_with("journal ")), "{}", run.output());
    assert!(!run.stdout.contains("\nPASS"), "{}", run.output());
    // No further case is run, since its result could not be recorded.
    let calls = run.notes("takes_its_time").len();
    assert!(calls < 400, "{calls} of 400 cases were called");
}

#[test]
fn a_directory_that_is_removed_during_a_run_fails_it() {
    let run = disturbed(|file| {
        fs::remove_dir_all(file.parent().expect("a directory")).expect("it can be removed");
    });
    lost(&run, "was removed during the run");
}

#[test]
fn a_journal_that_is_cut_off_during_a_run_fails_it() {
    let run = disturbed(|file| {
        let file = fs::OpenOptions::new().write(true).open(file).expect("a file");
        file.set_len(500).expect("it can be cut off");
    });
    lost(&run, "was cut from ");
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_replaced_during_a_run_fails_it() {
    let run = disturbed(|file| {
        let copy = file.with_extension("copy");
        fs::copy(file, &copy).expect("a copy");
        fs::rename(copy, file).expect("it can be replaced");
    });
    lost(&run, "was replaced by another file during the run");
}

/// Runs `cargo honeyhive <arguments>` in the project, on the runs below `root`.
fn honeyhive(root: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    PROJECT.honeyhive(arguments).env("HH_DIR", root).run()
}

/// Runs an experiment of three cases that passes or misses, and returns its directory.
fn few(root: &Path, experiment: &str) -> PathBuf {
    let before = read_names(root);
    let run = PROJECT.evals([format!("{experiment}::")]).env("HH_DIR", root).run();
    assert!(run.code.is_some(), "{}", run.output());
    let new = read_names(root).into_iter().find(|name| !before.contains(name)).expect("a new run");
    root.join(new)
}

fn read_names(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Rewrites a run's journal as if it had started in another year.
fn started_in(invocation: &Path, year: &str) {
    let file = journal_file(invocation);
    let mut records = read_invocation(invocation).expect("a journal").records;
    for record in &mut records {
        if let Record::Invocation(first) = record {
            first.started_at.replace_range(..4, year);
        }
    }
    fs::write(file, to_lines(&records)).expect("a writable file");
}

#[test]
fn the_newest_run_is_the_one_that_was_made_last_whatever_the_clock_says() {
    let scratch = tempfile::TempDir::new().expect("a directory");
    let root = scratch.path().join("runs");
    let good = few(&root, "good");
    let bad = few(&root, "bad");
    started_in(&good, "2099");
    let (code, stdout, stderr) = honeyhive(&root, &["gate", "--recorded"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("the clock was changed"), "{stderr}");
    let name = bad.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(stderr.contains(&format!("The newest is {name}")), "{stderr}");
    // The order stays the same where the directory of the old run has the greater name.
    fs::rename(&good, root.join("20991231T235959-ffffff")).expect("it can be renamed");
    started_in(&root.join("20991231T235959-ffffff"), "2020");
    let (code, stdout, stderr) = honeyhive(&root, &["gate", "--recorded"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
}

#[test]
fn a_damaged_journal_proves_nothing_to_any_command() {
    let scratch = tempfile::TempDir::new().expect("a directory");
    let root = scratch.path().join("runs");
    let run = few(&root, "good");
    let file = journal_file(&run);
    let whole = fs::read(&file).expect("a journal");
    let (code, stdout, stderr) = honeyhive(&root, &["gate", "--recorded"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let case = whole.windows(13).position(|part| part == b"\"type\":\"case\"").expect("a case");
    let line = whole[..case].iter().filter(|byte| **byte == b'\n').count() + 1;
    let place = format!("{}:{line}: its checksum is ", file.display());
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut flipped = whole.clone();
    flipped[case + 20] ^= 1;
    fs::write(&file, &flipped).expect("a writable file");
    for arguments in [
        &["gate", "--recorded"][..],
        &["gate"],
        &["gate", "--recorded", "--json"],
        &["accept"],
        &["compare"],
        &["compare", "latest", "latest"],
        &["rejudge"],
        &["report"],
        &["report", "--format", "otlp"],
        &["review"],
        &["run", "--rerun", "failed"],
    ] {
        let (code, stdout, stderr) = honeyhive(&root, arguments);
        let expected = if arguments[0] == "gate" { 2 } else { 1 };
        assert_eq!(code, Some(expected), "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(&place), "{arguments:?}: {stderr}");
    }
    let (code, stdout, _) = honeyhive(&root, &["runs"]);
    assert!(code == Some(0) && stdout.contains("damaged: "), "{stdout}");
    assert!(!PROJECT.directory().join("baselines").exists(), "nothing was accepted");
    for (changed, said) in [
        ([&lines[..2], &lines[3..]].concat().concat(), ":3: it was written as line 4"),
        ([&lines[..3], &lines[2..]].concat().concat(), ":4: it was written as line 3"),
        ([&lines[1..]].concat().concat(), ":1: the first line is not an `invocation` record"),
    ] {
        fs::write(&file, changed).expect("a writable file");
        let (code, stdout, stderr) = honeyhive(&root, &["gate", "--recorded"]);
        assert_eq!(code, Some(2), "{stdout}{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_told_and_never_waited_for() {
    let scratch = tempfile::TempDir::new().expect("a directory");
    let root = scratch.path().join("runs");
    let run = few(&root, "good");
    let odd = run.join("odd.jsonl");
    let fifo = || assert!(Command::new("mkfifo").arg(&odd).status().expect("mkfifo").success());
    let device = || std::os::unix::fs::symlink("/dev/zero", &odd).expect("a link");
    let directory = || fs::create_dir(&odd).expect("a directory");
    for (make, said) in [
        (&fifo as &dyn Fn(), "odd.jsonl: it is a FIFO"),
        (&device, "odd.jsonl: it is a device"),
        (&directory, "odd.jsonl: it is a directory"),
    ] {
        make();
        for arguments in [&["gate", "--recorded"][..], &["accept"], &["report"], &["review"]] {
            let (code, stdout, stderr) = honeyhive(&root, arguments);
            assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {stdout}{stderr}");
            assert!(stderr.contains(said), "{arguments:?}: {stderr}");
        }
        let (code, stdout, _) = honeyhive(&root, &["runs"]);
        assert!(code == Some(0) && stdout.contains(said), "{stdout}");
        if fs::remove_file(&odd).is_err() {
            fs::remove_dir(&odd).expect("it is ours");
        }
    }
}

#[test]
fn a_run_of_another_package_is_not_taken_for_one_of_this_workspace() {
    let scratch = tempfile::TempDir::new().expect("a directory");
    let root = scratch.path().join("shared");
    let own = few(&root, "good");
    let other = crate::engine::PROJECT.evals(["takes_its_time::"]).env("HH_DIR", &root).run();
    assert_eq!(other.code, Some(0), "{}", other.output());
    let (code, stdout, stderr) = honeyhive(&root, &["gate", "--recorded"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("good"), "{stdout}");
    let name = own.file_name().expect("a name").to_string_lossy().into_owned();
    let said = format!("{name}, of hostile_journal, is the newest run of this workspace; ");
    assert!(stderr.contains(&said) && stderr.contains(", of engine, is newer"), "{stderr}");
    // Without a run of this workspace, no run of another is taken.
    fs::remove_dir_all(own).expect("it is ours");
    let (code, stdout, stderr) = honeyhive(&root, &["accept"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stderr.contains("no run of this workspace (hostile_journal) in "), "{stderr}");
}

#[test]
fn a_run_in_another_target_directory_is_found() {
    let scratch = tempfile::TempDir::new().expect("a directory");
    // The directory is as after `cargo test --target-dir elsewhere`, without compiling everything
    // again.
    let target = scratch.path().join("elsewhere");
    let binary = target.join("debug/deps/evals-0");
    fs::create_dir_all(binary.parent().expect("a directory")).expect("directories");
    PROJECT.copy_executable("evals", &binary);
    fs::write(target.join("CACHEDIR.TAG"), "").expect("a file");
    let cache = scratch.path().join("cache");
    let output = Command::new(&binary)
        .arg("bad::")
        .current_dir(PROJECT.directory())
        .env("SCRATCH", scratch.path())
        .env("XDG_CACHE_HOME", &cache)
        .env("CARGO_PKG_NAME", "hostile_journal")
        .env("CARGO_MANIFEST_DIR", PROJECT.directory())
        .env_remove("HH_DIR")
        .output()
        .expect("the test binary can be started");
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    let (name, root) = (read_names(&target.join("honeyhive")).pop().expect("a run"), target);
    let (code, stdout, stderr) =
        PROJECT.honeyhive(["gate", "--recorded"]).env("XDG_CACHE_HOME", &cache).run();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("bad"), "{stdout}");
    let run = root.join("honeyhive").join(name);
    assert!(stderr.contains(&format!("the newest run is {}", run.display())), "{stderr}");
}

#[cfg(unix)]
#[test]
fn what_a_run_writes_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let scratch = tempfile::TempDir::new().expect("a directory");
    let root = scratch.path().join("runs");
    few(&root, "good");
    let mut open = vec![root];
    let mut files = 0;
    while let Some(directory) = open.pop() {
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
        for entry in fs::read_dir(&directory).expect("a readable directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 4, "a journal, its order and reports");
}

#[test]
fn two_targets_that_are_judged_again_are_one_run() {
    let project = &crate::journal::PROJECT;
    let run = project.cargo_test(["--no-fail-fast"]).run();
    let root = run.directory().join("journal");
    assert_eq!(run.invocations().len(), 1);
    let (code, stdout, stderr) = project.honeyhive(["rejudge"]).env("HH_DIR", &root).run();
    assert!(code.is_some(), "{stdout}{stderr}");
    let invocations = run.invocations();
    assert_eq!(invocations.len(), 2, "{invocations:?}\n{stdout}{stderr}");
    let (code, stdout, stderr) =
        project.honeyhive(["compare", "latest~1"]).env("HH_DIR", &root).run();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}
