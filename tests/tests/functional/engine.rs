//! Tests that code that blocks, panics or never ends does not affect other cases.

use std::fmt::Write as _;
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

pub(crate) static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("engine", include_str!("evals/engine.rs")));

fn run(experiment: &str) -> Run {
    PROJECT.evals([format!("{experiment}::")]).run()
}

/// Returns the cases that did not pass, with their reasons.
fn failures(run: &Run) -> String {
    let mut cases = run.cases();
    cases.sort_by(|a, b| a.case.cmp(&b.case));
    let mut text = String::new();
    for case in cases.iter().filter(|case| !case.passed) {
        let _ = writeln!(text, "{} {:?}: {}", case.case, case.state, case.reasons.join("; "));
    }
    run.normalize(&text)
}

/// Checks that every odd case passes, and every even one times out with this text.
fn even_cases_time_out(run: &Run, cases: usize, text: &str) {
    assert_eq!(run.code, Some(101));
    let tests = run.tests();
    assert_eq!(tests.len(), cases, "{}", run.output());
    for case in run.cases() {
        let even = case.case.parse::<u32>().expect("a number").is_multiple_of(2);
        let expected: &[String] = if even { &[text.to_owned()] } else { &[] };
        assert_eq!(case.reasons, expected, "{}", case.case);
        assert_eq!(tests[&case.test], if even { "FAILED" } else { "ok" });
    }
}

// ---- runtimes ----

#[test]
fn functions_and_evaluators_may_have_runtimes_of_their_own() {
    let experiments = ["runtime_in_sync::", "client_in_"];
    let run = PROJECT.evals(experiments).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.cases().len(), 40);
}

#[test]
fn a_runtime_within_async_code_is_an_error_of_its_case_alone() {
    let run = run("runtime_in_async");
    assert_eq!(run.code, Some(101));
    let failures = failures(&run);
    assert!(failures.starts_with("003 Error: panicked at "), "{failures}");
    assert!(failures.contains("Cannot start a runtime from within a runtime"), "{failures}");
    assert_eq!(run.tests().values().filter(|outcome| *outcome == "ok").count(), 9);
}

// ---- code that never ends ----

#[test]
fn a_future_that_is_never_ready_times_out() {
    even_cases_time_out(&run("never_ready"), 24, "timed out after 1s");
}

#[test]
fn a_function_that_never_returns_times_out_and_the_process_ends() {
    let text = "timed out after 1s; it is not async, so its thread keeps running";
    even_cases_time_out(&run("never_returns"), 24, text);
}

#[test]
fn async_code_that_blocks_all_workers_and_more_harms_nobody_else() {
    let text = "timed out after 1s; it blocks its thread instead of awaiting";
    even_cases_time_out(&run("blocks_its_thread"), 24, text);
}

#[test]
fn an_evaluator_that_never_ends_times_out() {
    even_cases_time_out(
        &run("endless_evaluator"),
        10,
        "evaluator `never_judges`: timed out after 1s",
    );
}

#[test]
fn an_evaluator_that_hangs_or_panics_harms_no_other_evaluator() {
    let run = run("badly_judged");
    assert_eq!(run.code, Some(101));
    for attempt in run.attempts() {
        let even = attempt.case.parse::<u32>().expect("a number").is_multiple_of(2);
        let scored: Vec<bool> = attempt.scores.iter().map(|score| score.value.is_some()).collect();
        assert_eq!(scored, [true, !even, even, true], "{}: {:?}", attempt.case, attempt.scores);
        let names: Vec<&str> = attempt.spans.iter().map(|span| span.name.as_str()).collect();
        for evaluator in ["first", "panics_at_times", "last"] {
            let name = format!("evaluator.{evaluator}");
            assert_eq!(names.iter().filter(|span| **span == name).count(), 1, "{names:?}");
        }
    }
}

#[test]
fn the_function_and_each_evaluator_have_the_timeout_for_themselves() {
    let run = run("slowly_judged");
    assert_eq!(run.code, Some(0), "{}", run.output());
}

// ---- panics ----

#[test]
fn a_panic_is_a_result_of_its_case_whatever_its_payload() {
    let run = run("panics");
    assert_eq!((run.code, run.stderr.as_str()), (Some(101), ""));
    assert_snapshot!(failures(&run), @"
    002 Error: panicked at tests/evals.rs:<line>: text
    004 Error: panicked at tests/evals.rs:<line>: number 4
    006 Error: panicked at tests/evals.rs:<line>: a value that is no text
    008 Error: panicked at tests/evals.rs:<line>: a value
    ");
}

#[test]
fn a_panic_in_a_task_of_the_function_is_its_own_affair() {
    let run = run("panics_in_task");
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.attempt("005").output, Some(0.into()));
}

// ---- tries and repeats ----

#[test]
fn retries_heal_errors_and_the_tries_are_recorded() {
    let run = run("heals");
    assert_eq!(run.code, Some(101));
    assert_snapshot!(failures(&run), @"003 Error: error: gone for good, 3");
    let tries: Vec<u32> = run.attempts().iter().map(|attempt| attempt.tries).collect();
    assert_eq!(tries, [3, 2, 3, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn retries_do_not_heal_scores() {
    let run = run("scores_do_not_heal");
    assert_eq!(run.code, Some(101));
    assert_eq!(run.notes("scores_do_not_heal").len(), 10);
}

#[test]
fn latency_is_that_of_the_last_try_alone() {
    let run = run("slow_first_try");
    assert_eq!(run.code, Some(0), "{}", run.output());
    for attempt in run.attempts() {
        assert_eq!(attempt.tries, 2);
        assert!(attempt.duration_ms < 250.0, "{} took {}", attempt.case, attempt.duration_ms);
    }
}

#[test]
fn repeats_are_attempts_of_their_own() {
    let run = run("repeated");
    assert_eq!((run.attempts().len(), run.cases().len()), (30, 10));
    let of_one: Vec<_> =
        run.attempts().into_iter().filter(|attempt| attempt.case == "001").collect();
    assert_eq!(of_one.iter().map(|attempt| attempt.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    let mut sessions: Vec<_> = of_one.iter().map(|attempt| &attempt.session_id).collect();
    sessions.dedup();
    assert_eq!(sessions.len(), 3);
    let mut outputs: Vec<_> =
        of_one.iter().filter_map(|attempt| attempt.output.as_ref()?.as_u64()).collect();
    outputs.sort_unstable();
    assert_eq!(outputs, [1, 2, 3]);
}

// ---- how many at once ----

/// Returns the highest number of attempts that ran at the same time.
fn most(run: &Run, file: &str) -> usize {
    run.notes(file).iter().map(|line| line.parse().expect("a number")).max().expect("a line")
}

#[test]
fn concurrency_is_never_exceeded() {
    let run = run("three_at_once");
    assert_eq!(run.code, Some(0));
    assert!((2..=3).contains(&most(&run, "three_at_once")), "{:?}", run.notes("three_at_once"));
}

#[test]
fn sixteen_run_at_once_where_nobody_says_otherwise() {
    let here = run("many_at_once");
    assert!((9..=16).contains(&most(&here, "many_at_once")), "{:?}", here.notes("many_at_once"));
    let ci = PROJECT.evals(["many_at_once::"]).env("CI", "true").run();
    assert!((9..=16).contains(&most(&ci, "many_at_once")), "{:?}", ci.notes("many_at_once"));
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_attribute() {
    let with = |argument: &[&str], variable: &str| {
        let arguments = ["three_at_once::"].iter().chain(argument).copied();
        let run = PROJECT.evals(arguments).env("HH_CONCURRENCY", variable).run();
        most(&run, "three_at_once")
    };
    assert!((4..=12).contains(&with(&[], "12")));
    assert_eq!(with(&[], "1"), 1);
    assert_eq!(with(&["--test-threads", "1"], "12"), 1);
}

#[test]
fn one_test_thread_runs_strictly_in_the_order_of_the_dataset() {
    let run = PROJECT.evals(["in_order::", "--test-threads", "1"]).run();
    let expected: Vec<String> = (1..=24).map(|n: u32| n.to_string()).collect();
    assert_eq!(run.notes("in_order"), expected);
    let reported: Vec<String> =
        run.test_lines().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(reported, (1..=24).map(|n| format!("in_order::{n:03}")).collect::<Vec<_>>());
}
