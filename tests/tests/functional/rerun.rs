//! Tests `cargo honeyhive run`: which targets it runs, and that a rerun of nothing is not a
//! success.

use std::path::PathBuf;
use std::sync::LazyLock;

use honeyhive_tests::Project;
use tempfile::TempDir;

const ROWS: &str = "{\"inputs\":{\"q\":\"fails\"},\"ground_truth\":\"x\"}\n\
                    {\"inputs\":{\"q\":\"ok\"},\"ground_truth\":\"ok\"}\n";

const EVALS: &str = r#"
use honeyhive_harness::{Datapoint, evaluator, experiment};

fn rows() -> Vec<Datapoint> {
    let second = std::env::var("SECOND").unwrap_or_else(|_| "second".to_owned());
    ["first", &second, "third"].map(|q| Datapoint::new().input("q", q)).into()
}

#[evaluator]
fn good(output: &str) -> bool {
    !output.starts_with("second")
}

/// Until the journal has two cases.
fn wait_for_two_cases() {
    let root = std::env::var("HH_DIR").unwrap();
    for _ in 0..600 {
        let directories = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
        let files = directories.filter_map(|path| std::fs::read_dir(path).ok()).flatten();
        let text: String =
            files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok()).collect();
        if text.matches("\"type\":\"case\"").count() == 2 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn said(q: &str) -> String {
    if std::env::var("DIE_AT").is_ok_and(|at| at == q) {
        if q == "third" {
            wait_for_two_cases();
        }
        std::process::abort();
    }
    q.to_owned()
}

#[experiment(dataset = rows, evaluators(good), concurrency = 1)]
fn echo(q: &str) -> String {
    said(q)
}

#[experiment(dataset = "data/rows.jsonl", evaluators(good), gate(mean(good) >= 0.5))]
fn gated(q: &str) -> String {
    said(q)
}

#[experiment(dataset = "data/none.jsonl", evaluators(good))]
fn no_rows(q: &str) -> String {
    said(q)
}

honeyhive_harness::main!();
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("rerun", EVALS)
        .target("plain", "fn main() { println!(\"a target without experiments\"); }\n")
        .file("data/rows.jsonl", ROWS)
        .file("src/lib.rs", "/// ```\n/// assert!(true);\n/// ```\n#[test]\nfn unit() {}\n")
});

/// A directory of journals for one test.
struct Journals(TempDir);

impl Journals {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journals")
    }

    /// Runs `cargo honeyhive run <arguments> -- --test evals`.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let command = PROJECT.honeyhive([&["run"], arguments].concat()).env("HH_DIR", self.path());
        variables.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
    }
}

#[test]
fn a_rerun_of_nothing_is_not_success() {
    let journals = Journals::new();
    // The process is killed before its first case.
    let (code, ..) = journals.run(&["--filter", "echo::"], &[("DIE_AT", "first")]);
    assert_eq!(code, Some(1));
    for what in ["failed", "errors"] {
        let (code, stdout, stderr) = journals.run(&["--rerun", what], &[]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains("nothing was run: 0 cases of "), "{stderr}");
        assert!(stderr.contains("3 selected cases of "), "{stderr}");
        assert!(stderr.contains(" never ran, as it did not end in good order"), "{stderr}");
    }
    let (code, stdout, _) = journals.run(&["--rerun", "failed", "--json"], &[]);
    assert_eq!((code, stdout.as_str()), (Some(2), "[]\n"));

    // The missing cases can be run, and afterwards none are missing.
    let (code, stdout, stderr) = journals.run(&["--rerun", "missing"], &[("SECOND", "fine")]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("running 3 tests"), "{stdout}");
    let (code, _, stderr) = journals.run(&["--rerun", "missing"], &[]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("nothing was run: 3 cases of ") && stderr.contains("none is missing"),
        "{stderr}"
    );
    let (code, _, stderr) = journals.run(&["--rerun", "failed"], &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("3 cases of ") && stderr.contains("none of them failed"), "{stderr}");
}

#[test]
fn cases_that_were_never_run_are_told_although_others_were_run_again() {
    let journals = Journals::new();
    let (code, ..) = journals.run(&["--filter", "echo::"], &[("DIE_AT", "third")]);
    assert_eq!(code, Some(1));
    // The failed case is run again, and fails again.
    let (code, stdout, stderr) = journals.run(&["--rerun", "failed"], &[]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("running 1 test"), "{stdout}");
    assert!(stderr.contains("1 selected case of "), "{stderr}");
}

#[test]
fn a_failed_case_that_is_not_there_any_more_is_not_green() {
    let journals = Journals::new();
    let (code, ..) = journals.run(&["--filter", "echo::"], &[]);
    assert_eq!(code, Some(1));
    let (code, stdout, stderr) = journals.run(&["--rerun", "failed"], &[("SECOND", "reworded")]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("experiment `echo` has no case `"), "{stdout}");
    assert!(stdout.contains("an edited row has another name"), "{stdout}");
}

#[test]
fn only_targets_with_experiments_are_run() {
    let journals = Journals::new();
    let (code, stdout, stderr) = journals.run(&[], &[]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    for other in ["Doc-tests", "unit", "a target without experiments"] {
        assert!(!stdout.contains(other), "{stdout}");
    }
    let last = stdout.trim_end().lines().last().expect("a line");
    assert!(last.starts_with("report "), "{stdout}");
    assert!(stdout.contains("FAIL 5 cases in 2 of 3 experiments, "), "{stdout}");
    assert!(stdout.contains("\n     echo\n     not run: no_rows\n"), "{stdout}");
    // The selected target is used as it is.
    let (code, stdout, _) = journals.run(&["--", "--test", "plain"], &[]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("a target without experiments"), "{stdout}");
    let (code, _, stderr) = journals.run(&["--", "-p", "no-such-package"], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("has experiments"), "{stderr}");
}

#[test]
fn a_gate_of_a_sample_or_of_no_case_says_why_it_does_not_judge() {
    let journals = Journals::new();
    let honeyhive = |arguments: &[&str]| {
        PROJECT.honeyhive(arguments.iter().copied()).env("HH_DIR", journals.path()).run()
    };
    let (code, ..) = journals.run(&["--sample", "1", "--filter", "gated::"], &[]);
    assert_eq!(code, Some(0));
    let (_, stdout, _) = honeyhive(&["runs"]);
    assert!(stdout.contains("; gate not judged (sample)"), "{stdout}");
    let (_, stdout, _) = honeyhive(&["runs", "--json"]);
    assert!(stdout.contains("\"not_judged\": \"sample\""), "{stdout}");

    let journals = Journals::new();
    let (code, ..) = journals.run(&["--filter", "gated::"], &[("DIE_AT", "fails")]);
    assert_eq!(code, Some(1));
    let gate = PROJECT.honeyhive(["gate", "--recorded"]).env("HH_DIR", journals.path()).run();
    let (code, stdout, stderr) = gate;
    assert_eq!(code, Some(2), "{stdout}{stderr}");
    assert!(stdout.contains("no case was run, so there is nothing to judge"), "{stdout}");
    assert!(!stdout.contains("slice"), "{stdout}");
}

#[test]
fn the_rerun_command_is_the_same_everywhere() {
    let run = PROJECT.evals(["echo::"]).env("HH_REPORT", "md,junit,json").run();
    assert_eq!(run.code, Some(101));
    let command = "cargo test --test evals -- --exact echo::";
    let reports = run.invocations()[0].join("report");
    for name in ["summary.md", "results.jsonl"] {
        let text = std::fs::read_to_string(reports.join(name)).expect("a report");
        assert!(text.contains(command), "{name}\n{text}");
        assert!(!text.contains("-p rerun"), "{name}\n{text}");
    }
    assert!(run.stdout.contains(&format!("rerun     {command}")), "{}", run.stdout);
}
