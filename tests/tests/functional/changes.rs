//! Tests what becomes of a run when its dataset, its directory or its panics are not what they were:
//! nothing passes by that, and nothing is lost.

use std::fs;
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};

const EVALS: &str = r#"
use honeyhive_harness::{Datapoint, evaluator, experiment};

fn rows() -> Vec<Datapoint> {
    let rows = std::env::var("ROWS").map_or(3, |rows| rows.parse().unwrap());
    (0..rows).map(|at| Datapoint::new().id(format!("r{at}")).input("q", at)).collect()
}

#[evaluator]
fn right(output: &u64) -> bool {
    *output < 1_000
}

#[experiment(dataset = rows, evaluators(right), gate(mean(right) >= 0.5), concurrency = 1)]
fn plain(q: u64) -> u64 {
    if std::env::var("DIE_AT").is_ok_and(|at| at == q.to_string()) {
        // Until the cases before it are on disk.
        std::thread::sleep(std::time::Duration::from_secs(1));
        std::process::abort();
    }
    q
}

/// A payload whose destructor panics as well.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        std::panic::panic_any(Self);
    }
}

#[evaluator]
fn throws(output: &u64) -> bool {
    if *output == 1 { std::panic::panic_any(Hostile) } else { true }
}

#[experiment(dataset = rows, evaluators(throws))]
fn by_an_evaluator(q: u64) -> u64 {
    q
}

#[experiment(dataset = rows, evaluators(right))]
fn by_a_function(q: u64) -> u64 {
    if q == 1 { std::panic::panic_any(Hostile) } else { q }
}

#[experiment(dataset = rows, evaluators(right))]
async fn by_a_task(q: u64) -> u64 {
    if q == 1 { std::panic::panic_any(Hostile) } else { q }
}

#[experiment(dataset = rows, evaluators(right))]
fn moves(q: u64) -> u64 {
    std::env::set_current_dir("/").unwrap();
    q
}

honeyhive_harness::main!();
"#;

static PROJECT: LazyLock<Project> = LazyLock::new(|| Project::with_evals("changes", EVALS));

/// `cargo honeyhive` on the journal of a run, with so many rows today.
fn honeyhive(run: &Run, rows: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let command = PROJECT.honeyhive(arguments).env("ROWS", rows);
    let (code, stdout, stderr) = command.env("HH_DIR", run.directory().join("journal")).run();
    (code, stdout + &stderr)
}

#[test]
fn a_part_of_a_run_does_not_pass_because_the_dataset_is_smaller_today() {
    let part = PROJECT.evals(["--exact", "plain::r0", "plain::r1"]).env("ROWS", "6").run();
    assert_eq!(part.code, Some(0), "{}", part.output());
    for rows in ["1", "2", "6"] {
        let (code, text) = honeyhive(&part, rows, &["gate"]);
        assert_eq!(code, Some(2), "{rows}: {text}");
        assert!(text.contains("only 2 of 6 cases are recorded"), "{rows}: {text}");
    }
}

#[test]
fn a_gate_judges_the_rows_of_then_and_of_today() {
    let whole = PROJECT.evals(["plain::"]).env("ROWS", "6").run();
    assert_eq!(whole.code, Some(0), "{}", whole.output());
    let (code, text) = honeyhive(&whole, "6", &["gate"]);
    assert_eq!((code, text.contains("the dataset has")), (Some(0), false), "{text}");
    let (code, text) = honeyhive(&whole, "4", &["gate"]);
    assert_eq!(code, Some(0), "{text}");
    let note = "the dataset has 4 rows today and had 6 in the run: 0 new, 2 gone";
    assert!(text.contains(note), "{text}");
    let (code, text) = honeyhive(&whole, "8", &["gate"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("only 6 of 8 cases are recorded"), "{text}");
}

#[test]
fn a_case_that_is_gone_fails_and_damages_nothing() {
    for arguments in [
        &["--exact", "plain::r0", "plain::r9", "plain::r8"][..],
        &["--exact", "plain", "plain::r9"],
    ] {
        let run = PROJECT.evals(arguments.iter().copied()).run();
        assert_eq!(run.code, Some(101), "{}", run.output());
        let text = run.output();
        assert!(text.contains("not there: plain::r9") && !text.contains("damaged"), "{text}");
        assert!(text.contains("in 1 experiment,") && !text.contains("not run: plain"), "{text}");
        assert_eq!(honeyhive(&run, "3", &["report"]).0, Some(0));
        let (code, text) = honeyhive(&run, "3", &["runs"]);
        assert_eq!((code, text.contains("unreadable")), (Some(0), false), "{text}");
    }
}

#[test]
fn nothing_is_run_where_no_missing_case_is_left() {
    let killed = PROJECT.evals(["plain::"]).env("ROWS", "6").env("DIE_AT", "4").run();
    assert_ne!(killed.code, Some(0));
    let (code, text) = honeyhive(&killed, "2", &["run", "--rerun", "missing"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("nothing was run") && !text.contains("running "), "{text}");
    let (code, text) =
        honeyhive(&killed, "6", &["run", "--rerun", "missing", "--", "--", "--ignored"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("none of the tests that are to be run again is selected"), "{text}");
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_fails_its_case_alone() {
    for experiment in ["by_an_evaluator", "by_a_function", "by_a_task"] {
        let run = PROJECT.evals([format!("{experiment}::")]).run();
        assert_eq!(run.code, Some(101), "{}", run.output());
        let tests = run.tests();
        assert_eq!(tests[&format!("{experiment}::r0")], "ok", "{}", run.output());
        assert_eq!(tests[&format!("{experiment}::r1")], "FAILED", "{}", run.output());
        assert_eq!(tests[&format!("{experiment}::r2")], "ok", "{}", run.output());
        let failure = run.failure(&format!("{experiment}::r1"));
        assert!(failure.contains("panicked at tests/evals.rs:"), "{failure}");
    }
}

#[test]
fn a_relative_directory_is_one_place_wherever_the_code_goes() {
    let place = PROJECT.directory().join("runs of a test");
    let _ = fs::remove_dir_all(&place);
    let run = PROJECT.evals(["moves::"]).env("HH_DIR", "runs of a test").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let (code, stdout, stderr) = PROJECT.honeyhive(["runs"]).env("HH_DIR", "runs of a test").run();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("moves"), "{stdout}{stderr}");
    fs::remove_dir_all(&place).expect("the runs are there");
}
