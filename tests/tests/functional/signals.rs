//! Tests the results of runs that end early: Ctrl-C, a request to end, `kill -9`.

#![cfg(unix)]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use honeyhive_harness::journal::{CaseState, Verdict};
use honeyhive_tests::{Process, Run};
use insta::assert_snapshot;

use crate::engine::PROJECT;

/// Starts an experiment and waits until some of its cases are reported.
fn start(experiment: &str, cases: usize) -> Process {
    let mut process = PROJECT.evals([format!("{experiment}::")]).start();
    for _ in 0..cases {
        process.wait_for_line(" ... ok");
    }
    process
}

/// Checks that every reported case is in the journal with the same outcome; returns their number.
fn reported_cases_are_recorded(run: &Run) -> usize {
    let recorded: HashSet<(String, bool)> =
        run.cases().into_iter().map(|case| (case.test, case.passed)).collect();
    let reported = run.test_lines();
    for (test, outcome) in &reported {
        let line = ((*test).to_owned(), *outcome == "ok");
        assert!(recorded.contains(&line), "{test} was reported as {outcome} but is not recorded");
    }
    reported.len()
}

fn interrupted_by(signal: &str) -> Run {
    let process = start("takes_its_time", 20);
    let sent = Instant::now();
    process.signal(signal);
    let run = process.finish();
    assert!(sent.elapsed() < Duration::from_secs(3), "took {:?}", sent.elapsed());
    assert_eq!(run.code, Some(130), "{}", run.output());
    run
}

#[test]
fn ctrl_c_ends_soon_and_says_what_is_done() {
    let run = interrupted_by("INT");
    let reported = reported_cases_are_recorded(&run);
    let done = run.cases().iter().filter(|case| case.state == CaseState::Pass).count();
    assert!((20..400).contains(&done) && reported <= done, "{reported} reported, {done} done");
    let line = run.stdout.lines().find(|line| line.starts_with("INTERRUPTED"));
    assert_eq!(line, Some(format!("INTERRUPTED {done} of 400 cases done and recorded").as_str()));
    assert!(run.stdout.lines().any(|line| line.starts_with("NOT FINISHED")), "{}", run.output());
    assert!(run.stdout.lines().any(|line| line.starts_with("journal ")), "{}", run.output());
    // Cases that were not run are not listed one by one.
    assert!(run.stdout.lines().count() < reported + 60, "{}", run.output());
    let end = run.end().expect("a last record");
    assert!(end.interrupted);
    assert_eq!((end.exit_code, end.cases.pass), (130, done));
    assert!(run.gates().iter().all(|gate| gate.verdict != Verdict::Pass));
}

#[test]
fn a_request_to_end_is_like_ctrl_c() {
    let run = interrupted_by("TERM");
    reported_cases_are_recorded(&run);
    assert!(run.end().is_some_and(|end| end.interrupted));
}

#[test]
fn ctrl_c_does_not_wait_for_code_that_never_ends() {
    let process = start("stuck", 6);
    process.wait_for_notes("stuck", 8);
    let sent = Instant::now();
    process.signal("INT");
    let run = process.finish();
    assert!(sent.elapsed() < Duration::from_secs(4), "took {:?}", sent.elapsed());
    assert_eq!(run.code, Some(130));
    assert_eq!(run.cases().iter().filter(|case| case.passed).count(), 6);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let process = start("stuck", 6);
    process.wait_for_notes("stuck", 8);
    process.signal("INT");
    // The pause is long enough for the first signal to be noticed, and shorter than its grace
    // period.
    std::thread::sleep(Duration::from_millis(700));
    let sent = Instant::now();
    process.signal("INT");
    let run = process.finish();
    assert!(sent.elapsed() < Duration::from_secs(1), "took {:?}", sent.elapsed());
    assert_eq!(run.code, Some(130));
    assert_eq!(reported_cases_are_recorded(&run), 6);
}

#[test]
fn after_kill_9_every_reported_case_is_recorded() {
    for cases in [1, 2, 7, 30, 90, 150] {
        let process = start("takes_its_time", cases);
        // The kill comes at any moment of the work on the next cases.
        std::thread::sleep(Duration::from_millis(cases as u64 % 10));
        process.signal("KILL");
        let run = process.finish();
        assert_eq!(run.code, None);
        assert!(reported_cases_are_recorded(&run) >= cases);
        assert!(run.end().is_none());
    }
}

#[test]
fn an_interrupted_summary() {
    let run = interrupted_by("INT");
    let done = run.cases().iter().filter(|case| case.passed).count();
    let start = run.stdout.find("takes_its_time ·").expect("a heading");
    let summary = run
        .normalize(&run.stdout[start..])
        .replace(&format!(" {done} "), " <done> ")
        .replace(&format!(" {} ", 400 - done), " <left> ");
    // The interval of `fine` depends on the number of cases that were done.
    let lines: Vec<&str> = summary.lines().filter(|line| !line.starts_with("  fine ")).collect();
    assert_snapshot!(lines.join("\n"), @"
    takes_its_time · 400 cases · hundreds() · <time>

      evaluator     mean  95 % interval            n  gate
      latency <time> <interval> <done> of 400 -
      stopped
        interrupted
      <left> cases not run

    INTERRUPTED <done> of 400 cases done and recorded
    NOT FINISHED 400 cases in 1 experiment, <time>
    journal <journal>
    report  <report>
    ");
}
