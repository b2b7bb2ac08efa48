//! Tests that `std::process::exit(0)` in the code under test is not a success.

use honeyhive_tests::{Run, needs};

use crate::interrupts::PROJECT;

/// Returns the one line about the exit.
fn line(run: &Run) -> &str {
    let mut lines = run.stderr.lines().filter(|line| line.contains("`std::process::exit`"));
    let line = lines.next().unwrap_or_else(|| panic!("nothing is said:\n{}", run.output()));
    assert_eq!(lines.next(), None);
    line
}

fn exits(experiment: &str, at: &str) -> Run {
    let run = PROJECT.evals([format!("{experiment}::")]).env("EXIT", at).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    run
}

#[test]
fn the_case_whose_code_ended_the_process_is_named() {
    for (experiment, at, place) in [
        ("exits", "function", "the function `exits` (tests/evals.rs:"),
        ("exits_async", "async", "the function `exits_async` (tests/evals.rs:"),
        ("exits_in_evaluator", "evaluator", "the evaluator `exiting` (tests/evals.rs:"),
    ] {
        let run = exits(experiment, at);
        let line = line(&run);
        let begin = format!("error: `std::process::exit` was called in {place}");
        assert!(line.starts_with(&begin), "{line}");
        assert!(line.contains(&format!(") of the case {experiment}::003; ")), "{line}");
        assert!(line.contains(" of 10 cases were done, and the journal has no end"), "{line}");
        assert!(run.end().is_none(), "no end is made up");
    }
}

#[test]
fn on_a_thread_of_the_users_the_cases_under_way_are_named() {
    let run = exits("exits_in_thread", "thread");
    let line = line(&run);
    let begin =
        "error: `std::process::exit` was called on a thread of its own while these cases ran: ";
    assert!(line.starts_with(begin), "{line}");
    assert!(line.contains("exits_in_thread::0"), "{line}");
}

#[test]
fn a_dataset_that_ends_the_process_is_named_when_listing_too() {
    for arguments in [&["exits_in_rows::"][..], &["--list", "exits_in_rows::"]] {
        let run = PROJECT.evals(arguments.iter().copied()).env("EXIT", "rows").run();
        assert_eq!(run.code, Some(101), "{}", run.output());
        let line = line(&run);
        let place =
            "in the rows of `exiting_rows()`, the dataset of `exits_in_rows` (tests/evals.rs:";
        assert!(line.contains(place), "{line}");
    }
}

#[test]
fn code_that_does_not_end_the_process_is_not_disturbed() {
    let run = PROJECT.evals(["exits::"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(run.stderr.is_empty(), "{}", run.output());
}

#[test]
fn nextest_and_ci_see_a_failure() {
    let run = PROJECT.evals(["exits::"]).env("EXIT", "function").env("CI", "true").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    if !needs::nextest() {
        return;
    }
    let run = PROJECT
        .cargo_nextest(&["nextest", "run"], ["-E", "test(=exits)"])
        .env("EXIT", "function")
        .run();
    assert_eq!(run.code, Some(100), "{}", run.cargo_stderr);
}
