//! Tests `cargo honeyhive` on journals of real runs.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use honeyhive_tests::{Honeyhive, Project, Run};
use insta::assert_snapshot;
use serde_json::Value;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("cli", include_str!("evals/cli.rs")));

fn counts() -> Run {
    PROJECT.evals(["counts::"]).run()
}

/// Puts placeholders for times, sizes and the names of directories.
fn stable(text: &str) -> String {
    let stable = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        match word {
            _ if digits >= 6 && word.contains(':') => "<time>".to_owned(),
            _ if digits == 8 && word.contains('-') => "<day>".to_owned(),
            _ if digits >= 12 => "<name>".to_owned(),
            _ if word.contains('.') && word.parse::<f64>().is_ok() => "<size>".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(stable).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn runs(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    Honeyhive::new(directory, [&["runs"], arguments].concat()).run()
}

#[test]
fn runs_are_listed_with_what_became_of_them() {
    let run = counts();
    let journal = run.directory().join("journal").display().to_string();
    let (code, stdout, stderr) = runs(run.directory(), &["--dir", &journal]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_snapshot!(stable(&stdout), @"
    <day> <time> UTC  cli/evals  complete  <size> kB  <name>
        counts  4 cases: 2 pass, 1 miss, 1 error; gate inconclusive
    ");
}

#[test]
fn the_same_as_json() {
    let run = counts();
    let [directory] = &run.invocations()[..] else { panic!("one invocation was expected") };
    // The directory of one invocation is accepted, too.
    let (code, stdout, _) =
        runs(run.directory(), &["--json", "--dir", &directory.display().to_string()]);
    assert_eq!(code, Some(0));
    let listed: Value = serde_json::from_str(&stdout).expect("JSON");
    let [one] = &listed.as_array().expect("an array")[..] else { panic!("{listed}") };
    assert_eq!(one["targets"], serde_json::json!(["cli/evals"]));
    assert_eq!(one["ending"], "complete");
    assert_eq!(one["directory"], directory.display().to_string());
    let experiment = &one["experiments"][0];
    assert_eq!(experiment["name"], "counts");
    assert_eq!(experiment["run_ids"][0], run.experiments()[0].run_id);
    assert_eq!(experiment["gate"], "inconclusive");
    let cases = serde_json::json!({"pass": 2, "fail": 1, "error": 1, "unscored": 0, "skipped": 0});
    assert_eq!(experiment["cases"], cases);
}

#[test]
fn journals_that_are_cut_off_or_broken_are_listed_too() {
    let run = counts();
    let root = run.directory().join("journal");
    // This process is killed during its run.
    let cargo = PROJECT.evals(["waits::"]).env("HH_DIR", &root);
    let mut process = cargo.start();
    process.wait_for_line("test waits::n0");
    process.signal("KILL");
    let killed = process.finish();
    assert_eq!(killed.code, None);
    let newest = fs::read_dir(&root)
        .expect("journals")
        .map(|entry| entry.expect("an entry").path())
        // The list of runs and the directory of names are left out.
        .filter(|path| {
            !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
        })
        .max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).expect("a time"));
    let newest = newest.expect("a journal");
    let files = fs::read_dir(&newest).expect("a journal").map(|entry| entry.expect("an entry"));
    let file = files.into_iter().find(|entry| entry.path().is_file()).expect("a file");
    let mut text = fs::read(file.path()).expect("a readable file");
    text.extend(b"{\"type\":\"att");
    fs::write(file.path(), text).expect("a writable file");
    // This directory has no journal of the harness, and is older than all others.
    let broken = root.join("broken");
    fs::create_dir(&broken).expect("a directory");
    fs::write(broken.join("x.jsonl"), "{\"type\":\n").expect("a file");

    let (code, stdout, stderr) =
        Honeyhive::new(run.directory(), ["runs"]).env("HH_DIR", &root).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let stdout = stdout.replace(&root.display().to_string(), "<root>");
    let shown = stdout.replace(&file.file_name().to_string_lossy().into_owned(), "<file>");
    assert_snapshot!(stable(&shown), @"
    <day> <time> UTC  evals  no end (killed, or still running)  <size> kB  <name>
        waits  1 case: 1 pass
        <file> is torn: its last line was cut off by a crash and is left out
    <day> <time> UTC  cli/evals  complete  <size> kB  <name>
        counts  4 cases: 2 pass, 1 miss, 1 error; gate inconclusive
    at an unknown time  ?  unreadable  9 B  broken
        damaged: <root>/broken/x.jsonl:1: the first line is not an `invocation` record
    ");

    let (_, stdout, _) =
        Honeyhive::new(run.directory(), ["runs", "--limit", "1"]).env("HH_DIR", &root).run();
    assert!(stdout.ends_with("and 2 runs more; --limit 3 shows all\n"), "{stdout}");
}

#[test]
fn journals_are_found_from_within_a_project() {
    let run = PROJECT.evals(["counts::"]).env("HH_DIR", "").run();
    let path = run.stdout.lines().find_map(|line| line.strip_prefix("journal ")).expect("a path");
    let root = Path::new(path).ancestors().nth(2).expect("a directory");
    let target = root.parent().expect("the target directory");
    let name = Path::new(path).parent().and_then(Path::file_name).expect("a name");
    let (code, stdout, _) = Honeyhive::new(run.directory(), ["runs", "--limit", "1000000"])
        .env("CARGO_TARGET_DIR", target)
        .run();
    assert_eq!(code, Some(0));
    assert!(stdout.contains(name.to_str().expect("a name")), "{stdout}");

    let inner = run.directory().join("crates/inner");
    let journals = run.directory().join("target/honeyhive");
    fs::create_dir_all(&inner).expect("a directory");
    let (code, stdout, stderr) = runs(&inner, &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("has target/honeyhive; run `cargo test` there first"), "{stderr}");
    fs::create_dir_all(&journals).expect("a directory");
    let (code, stdout, _) = runs(&inner, &[]);
    assert_eq!(code, Some(0));
    assert_eq!(stdout, format!("nothing was run yet: no journal in {}\n", journals.display()));
}

#[test]
fn a_wrong_command_line_is_64_and_help_is_0() {
    let here = std::env::temp_dir();
    for wrong in [&["rnu"][..], &["runs", "--limit", "0"], &["runs", "--lmit", "3"], &[]] {
        let (code, stdout, stderr) = Honeyhive::new(&here, wrong).run();
        assert_eq!((code, stdout.as_str()), (Some(64), ""), "{wrong:?} {stderr}");
        assert!(stderr.contains("--help") || stderr.contains("Usage"), "{wrong:?} {stderr}");
    }
    let (_, _, stderr) = Honeyhive::new(&here, ["runs", "--lmit", "3"]).run();
    assert!(stderr.contains("'--limit'"), "{stderr}");
    for help in [&["--help"][..], &["runs", "--help"], &["help", "runs"]] {
        let (code, stdout, _) = Honeyhive::new(&here, help).run();
        assert_eq!(code, Some(0));
        assert!(stdout.contains("Exit codes") && stdout.contains("Examples"), "{stdout}");
    }
    let (code, _, stderr) = runs(&here, &["--dir", "no-such-directory"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there is no directory no-such-directory (from --dir)"), "{stderr}");
}
