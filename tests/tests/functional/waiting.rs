//! Tests that a message names the user's code or file that does not answer.

#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use honeyhive_tests::Run;

use crate::interrupts::PROJECT;

/// Waits for the message about a wait, ends the process, and returns the message.
fn told(arguments: &[&str], variable: (&str, &str)) -> String {
    let process = PROJECT.evals(arguments.iter().copied()).env(variable.0, variable.1).start();
    process.wait_for_notes("calls", 1);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !process.stderr().contains("still waiting for") {
        assert!(Instant::now() < deadline, "nothing is told:\n{}", process.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
    // A script that runs tests in the background has them ignore INT until the engine listens.
    process.signal("TERM");
    let run = process.finish();
    assert_ne!(run.code, Some(0), "{}", run.output());
    let lines: Vec<&str> =
        run.stderr.lines().filter(|line| line.contains("still waiting for")).collect();
    assert!(!lines.is_empty() && lines.len() <= 16, "{}", run.output());
    lines[0].to_owned()
}

#[test]
fn a_dataset_function_that_hangs_is_named() {
    for arguments in [&["slow_dataset::"][..], &["--list", "slow_dataset::"]] {
        let line = told(arguments, ("WAIT", "1"));
        let begin = "note: still waiting for the rows of `slow_rows()`, the dataset of \
                     `slow_dataset` (tests/evals.rs:";
        assert!(line.starts_with(begin), "{line}");
        assert!(line.ends_with("; Ctrl-C ends the run"), "{line}");
    }
}

#[test]
fn so_is_a_dataset_whose_set_up_hangs() {
    let line = told(&["slow_set_up::"], ("WAIT", "1"));
    assert!(line.contains("the rows of `needs_a_set_up()`"), "{line}");
}

#[test]
fn a_hook_that_hangs_is_named() {
    let line = told(&["masked::"], ("STUCK_AT", "banana"));
    assert!(line.contains("still waiting for the hook of redact! at tests/evals.rs:"), "{line}");
    // The hook is called before the first case, when the arguments of the command line are
    // recorded.
    let line = told(&["masked::"], ("STUCK_AT", "masked"));
    assert!(line.contains("still waiting for the hook of redact! at tests/evals.rs:"), "{line}");
}

#[test]
fn a_pipe_is_no_dataset() {
    let process = PROJECT.evals(["reads_a_pipe::"]);
    std::fs::create_dir_all(PROJECT.directory().join("data")).expect("a directory");
    let pipe = PROJECT.directory().join("data/pipe.jsonl");
    if !pipe.exists() {
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    let run: Run = process.run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text = "data/pipe.jsonl: it is a FIFO (named pipe), not a regular file";
    assert!(run.stdout.contains(text), "{}", run.output());
}

#[test]
fn rows_without_end_are_an_error() {
    let run = PROJECT.evals(["endless::"]).env("HH_MAX_ROWS", "5000").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text =
        "endless_rows(): more than 5,000 rows; an iterator must end, and HH_MAX_ROWS allows more";
    assert!(run.stdout.contains(text), "{}", run.output());
    let run = PROJECT.evals(["endless_in_bytes::"]).env("HH_MAX_BYTES", "5000000").run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let text =
        "ever_larger_rows(): more than 5,000,000 bytes in the first 5 rows; an iterator must end";
    assert!(run.stdout.contains(text), "{}", run.output());
}

#[test]
fn a_million_rows_are_the_most_without_a_word() {
    let run = PROJECT.evals(["endless::"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert!(run.stdout.contains("more than 1,000,000 rows"), "{}", run.output());
}
