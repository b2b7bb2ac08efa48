//! Tests Ctrl-C and SIGTERM while calls outlast the grace period: the run ends regularly, whatever
//! it waits for.

#![cfg(unix)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use honeyhive_harness::journal::{CaseState, Record};
use honeyhive_tests::fake::Fault;
use honeyhive_tests::{Fake, Process, Project, Run, needs};

pub(crate) static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("ending", include_str!("evals/ending.rs")));

/// Starts an experiment and waits until this number of calls has begun.
fn start(experiment: &str, calls: usize) -> Process {
    let process = PROJECT.evals([format!("{experiment}::")]).start();
    process.wait_for_notes("calls", calls);
    process
}

/// Sends a signal and waits for the end, which must come long before the calls end by themselves.
fn interrupt(process: Process, signal: &str) -> Run {
    let sent = Instant::now();
    process.signal(signal);
    let run = process.finish();
    let took = sent.elapsed();
    assert!(took < Duration::from_secs(60), "took {took:?}:\n{}", run.output());
    assert!(run.notes("ended").is_empty(), "calls were waited for:\n{}", run.output());
    ended_in_order(&run);
    assert_eq!(run.code, Some(130), "{}", run.output());
    run
}

/// Checks that the journal ends with its `end` record, no case is an error, and all figures agree.
fn ended_in_order(run: &Run) {
    assert!(!run.stderr.contains("panicked"), "{}", run.output());
    let records = run.journal().records;
    assert!(matches!(records.last(), Some(Record::End(_))), "{:?}", records.last());
    let end = run.end().expect("a last record");
    assert!(end.interrupted);
    assert_eq!(end.exit_code, 130);
    let cases = run.cases();
    assert!(cases.iter().all(|case| case.state == CaseState::Pass), "{cases:?}");
    let all: usize = run.experiments().iter().map(|experiment| experiment.selected).sum();
    assert_eq!(end.cases, [cases.len(), 0, 0, 0, all - cases.len()].into());
    let line = format!("INTERRUPTED {} of {all} cases done and recorded", cases.len());
    assert!(run.stdout.lines().any(|other| other == line), "{line}:\n{}", run.output());
    assert!(run.stdout.lines().any(|line| line.starts_with("NOT FINISHED")), "{}", run.output());
    run.report_file("report.html");
}

#[test]
fn calls_that_outlast_the_grace_are_not_run() {
    for signal in ["INT", "TERM"] {
        for experiment in ["slow_async", "slow_sync"] {
            let run = interrupt(start(experiment, 16), signal);
            assert_eq!(run.cases().len(), 3, "{experiment}:\n{}", run.output());
        }
    }
}

#[test]
fn so_are_calls_that_block_their_workers() {
    let run = interrupt(start("blocks_its_worker", 3), "INT");
    assert!(run.cases().len() <= 3, "{}", run.output());
}

#[test]
fn evaluators_that_outlast_the_grace_leave_their_cases_unrun() {
    for (experiment, signal) in [("slowly_judged", "INT"), ("slowly_judged_async", "TERM")] {
        let run = interrupt(start(experiment, 8), signal);
        assert!(run.cases().len() <= 3, "{experiment}:\n{}", run.output());
    }
}

#[test]
fn pauses_before_another_try_end_and_their_cases_are_not_run() {
    // The retried cases use the whole concurrency, each after two refusals, so their pauses are at
    // least half a second.
    let run = interrupt(start("retried", 32), "INT");
    assert_eq!(run.cases().len(), 3, "{}", run.output());
    let calls = run.notes("calls").len();
    // No further try was made; all tries together would be hundreds.
    assert!(calls < 160, "{calls} calls");
}

#[test]
fn a_case_with_attempts_under_way_is_not_run() {
    let run = interrupt(start("slow_attempts", 14), "INT");
    assert!(run.cases().iter().all(|case| case.passed), "{}", run.output());
    let attempts = run.attempts();
    assert!(attempts.iter().all(|attempt| attempt.error.is_none()), "what was made is recorded");
    assert!(run.gates().is_empty(), "{:?}", run.gates());
}

#[test]
fn errors_of_children_that_got_the_signal_are_not_errors_of_cases() {
    let process = PROJECT.evals(["has_children::"]).start_group();
    process.wait_for_notes("calls", 16);
    process.signal_group("INT");
    let run = process.finish();
    assert_eq!(run.code, Some(130), "{}", run.output());
    ended_in_order(&run);
}

#[test]
fn a_dataset_function_under_way_ends_with_the_signal() {
    let process = PROJECT.evals(["slow_dataset::"]).env("WAIT", "1").start();
    process.wait_for_notes("calls", 1);
    // A script that runs tests in the background has them ignore INT until the engine listens.
    process.signal("TERM");
    let run = process.finish();
    // No case had begun, so the process ended by the signal itself.
    assert_eq!(run.code, None, "{}", run.output());
    assert!(run.invocations().is_empty());
}

#[test]
fn a_hook_that_does_not_answer_does_not_keep_the_process() {
    let process = PROJECT.evals(["masked::"]).env("STUCK_AT", "banana").start();
    process.wait_for_notes("calls", 8);
    process.signal("TERM");
    let run = process.finish();
    assert_eq!(run.code, Some(130), "{}", run.output());
    assert!(matches!(run.journal().records.last(), Some(Record::End(_))));
}

#[test]
fn a_server_that_does_not_answer_does_not_keep_the_process() {
    let fake = Fake::start();
    fake.on("POST /session/start", Fault::Hang);
    let process = PROJECT
        .evals(["slow_async::001", "slow_async::002"])
        .env("HH_API_KEY", "hh_key_of_a_test")
        .env("HH_API_URL", fake.url())
        .env("HH_UPLOAD", "always")
        .env("HH_FLUSH_TIMEOUT", "100s")
        .start();
    let mut process = process;
    process.wait_for_line("journal ");
    process.signal("INT");
    let sent = Instant::now();
    let run = process.finish();
    assert!(sent.elapsed() < Duration::from_secs(60), "took {:?}", sent.elapsed());
    // All cases were done before the signal.
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(run.stderr.contains("sent 0 of 2 attempts"), "{}", run.output());
}

#[test]
fn a_second_signal_ends_a_process_that_is_ending() {
    let process = start("slow_sync", 16);
    process.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    process.signal("TERM");
    let run = process.finish();
    assert_eq!(run.code, Some(130), "{}", run.output());
    assert_eq!(run.cases().len(), 3, "what was recorded stays:\n{}", run.output());
}

#[test]
fn a_signal_to_cargo_and_its_test_ends_both() {
    let process = PROJECT.evals(["slow_async::"]).start_cargo();
    process.wait_for_notes("calls", 16);
    process.signal_group("INT");
    // Cargo ends at once; the test binary ends regularly.
    ended_in_order(&process.finish());
}

#[test]
fn nextest_is_told_that_an_interrupted_run_failed() {
    if !needs::nextest() {
        return;
    }
    let command = PROJECT.cargo_nextest(&["nextest", "run"], ["-E", "test(=slow_async)"]);
    let process = command.start_cargo();
    process.wait_for_notes("calls", 16);
    process.signal("INT");
    let run = process.finish();
    assert!(run.code.is_some_and(|code| code != 0), "{:?}\n{}", run.code, run.cargo_stderr);
    let end = run.end().expect("the run ended in order");
    assert_eq!((end.interrupted, end.exit_code), (true, 130));
}
