//! Tests nextest, where each experiment is one test with all its cases.

use std::path::Path;
use std::sync::LazyLock;

use honeyhive_harness::journal::{CaseState, Verdict};
use honeyhive_tests::{Project, Run, needs};
use insta::assert_snapshot;

/// Returns the settings that the README recommends.
fn recommended() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, after) =
        readme.split_once(".config/nextest.toml`:\n\n```toml\n").expect("the settings");
    after.split("```").next().expect("the end of the settings").to_owned()
}

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("nextest", include_str!("evals/nextest.rs"))
        .file(".config/nextest.toml", recommended())
});

fn run<const N: usize>(arguments: [&str; N]) -> Run {
    PROJECT.cargo_nextest(&["nextest", "run"], arguments).run()
}

#[test]
fn listing_reads_no_dataset_and_writes_nothing() {
    if !needs::nextest() {
        return;
    }
    let run = PROJECT.cargo_nextest(&["nextest", "list"], ["-T", "oneline"]).run();
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    assert_snapshot!(run.stdout, @r"
    nextest::evals at_once
    nextest::evals errs_at_first
    nextest::evals green
    nextest::evals no_dataset
    nextest::evals one_case_fails
    nextest::evals the_gate_cannot_judge
    nextest::evals the_gate_fails
    nextest::evals the_gate_forgives
    nextest::evals wrong_for_ever
    ");
    assert_eq!(run.notes("datasets"), [""; 0]);
    assert_eq!(run.invocations().len(), 0);
}

#[test]
fn an_experiment_passes_when_its_cases_and_its_gate_do() {
    if !needs::nextest() {
        return;
    }
    let run = run(["green", "the_gate_forgives"]);
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    assert_eq!(run.cases().len(), 10);
    assert_eq!(run.invocations().len(), 1, "both processes share the invocation");
    assert!(run.gates().iter().all(|gate| gate.verdict == Verdict::Pass));
}

/// Returns the output of a failing test, as nextest prints it.
fn failure(test: &str) -> String {
    let run = run([test]);
    assert_eq!(run.code, Some(100), "{}", run.cargo_stderr);
    let text = run.normalize(&run.cargo_stderr);
    let lines = text.lines().map(str::trim);
    lines
        .skip_while(|line| *line != format!("---- {test} ----"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_failing_case_fails_its_experiment() {
    if !needs::nextest() {
        return;
    }
    assert_snapshot!(failure("one_case_fails"), @"1 of 5 cases failed: n1");
}

#[test]
fn a_failing_gate_fails_its_experiment() {
    if !needs::nextest() {
        return;
    }
    assert_snapshot!(failure("the_gate_fails"), @"mean(same) >= 0.9: 0.8, n = 5, 95 % 0.376 to 0.964");
}

#[test]
fn a_gate_that_cannot_judge_never_reads_as_passed() {
    if !needs::nextest() {
        return;
    }
    assert_snapshot!(failure("the_gate_cannot_judge"), @"
    inconclusive, and nextest would count an ignored gate as passed:
    mean(never_applies) >= 0.5: no case was scored, n = 0 of 5, 5 not applicable
    ");
}

#[test]
fn a_missing_dataset_fails_its_experiment() {
    if !needs::nextest() {
        return;
    }
    let text = failure("no_dataset");
    assert!(text.starts_with("no file data/none.jsonl in <project>"), "{text}");
}

#[test]
fn all_cases_run_in_one_process_at_once() {
    if !needs::nextest() {
        return;
    }
    let run = run(["at_once"]);
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    let most = run.notes("at_once").iter().filter_map(|line| line.parse::<usize>().ok()).max();
    assert_eq!(most, Some(5));
}

#[test]
fn ignored_experiments_run_when_asked_for() {
    if !needs::nextest() {
        return;
    }
    let run = run(["dear", "--run-ignored", "only"]);
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    assert_eq!(run.cases().len(), 5);
}

#[test]
fn a_retry_heals_errors() {
    if !needs::nextest() {
        return;
    }
    let run = run(["errs_at_first", "--retries", "1"]);
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr);
    let mut calls = run.notes("calls");
    assert_eq!(calls.len(), 7, "five calls, then the two that had erred: {calls:?}");
    calls.drain(..5);
    calls.sort();
    assert_eq!(calls, ["3", "4"]);
    let gates = run.gates();
    let last = gates.iter().find(|gate| gate.verdict == Verdict::Pass).expect("a gate that passed");
    assert_eq!(last.rules[0].n, 5, "the union is judged");
    let errors = run.cases().iter().filter(|case| case.state == CaseState::Error).count();
    assert_eq!(errors, 2, "what went wrong at first stays in the journal");
}

#[test]
fn a_retry_never_heals_a_score() {
    if !needs::nextest() {
        return;
    }
    let run = run(["wrong_for_ever", "--retries", "2"]);
    assert_eq!(run.code, Some(100), "{}", run.cargo_stderr);
    assert_eq!(run.notes("wrong_for_ever").len(), 5, "nothing is called again");
}
