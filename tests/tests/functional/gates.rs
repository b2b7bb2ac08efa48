//! Tests gates: the values of every measure, and who decides about a case where there is a gate.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("gates", include_str!("evals/gates.rs")));

fn run(filter: &str) -> Run {
    PROJECT.evals([filter]).run()
}

fn report(filter: &str) -> String {
    run(filter).report()
}

/// Returns the verdict of the one gate and of each of its rules, from the journal.
fn rules(filter: &str) -> String {
    let run = run(filter);
    let [gate] = &run.gates()[..] else { panic!("one gate was expected:\n{}", run.output()) };
    let lines = gate.rules.iter().map(|rule| {
        // The slowest case is random.
        let chance = rule.rule.contains("latency");
        let text = if chance { rule.text.split("; worst").next() } else { None };
        format!("{:?}: {}\n", rule.verdict, text.unwrap_or(&rule.text))
    });
    run.normalize(&format!("{:?}\n{}", gate.verdict, lines.collect::<String>()))
}

// ---- measures ----

#[test]
fn rules_that_hold() {
    assert_snapshot!(rules("holds::"), @r#"
    Pass
    Pass: mean(value) >= 0.525: 0.525, n = 20, 95 % 0.387 to 0.663; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: median(value) >= 0.5: 0.5, n = 20, 95 % 0.3 to 0.75; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: min(value) >= 0.05: 0.05, n = 20, an extreme has no interval; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: max(value) >= 1: 1, n = 20, an extreme has no interval; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: p50(value) <= 0.5: 0.5, n = 20, 95 % 0.3 to 0.75; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: p90(value) <= 0.9: 0.9, n = 20, too few cases for an interval; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: p95(value) <= 0.95: 0.95, n = 20, too few cases for an interval; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: p99(value) <= 1.0: 1, n = 20, too few cases for an interval; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: stddev(value) <= 0.3: 0.296, n = 20, 95 % 0.224 to 0.344; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: pass_rate(half) >= 0.55: 0.55, n = 20, 95 % 0.342 to 0.742; worst: 01 (0), 02 (0), 03 (0)
    Pass: error_rate <= 0.0: 0, n = 20, 95 % 0 to 0.161
    Pass: p95(latency) <= "60s": <time>, n = 20, too few cases for an interval
    "#);
}

#[test]
fn rules_that_do_not_hold() {
    assert_snapshot!(rules("broken::"), @r#"
    Fail
    Fail: mean(value) >= 0.6: 0.525, n = 20, 95 % 0.387 to 0.663; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: median(value) >= 0.6: 0.5, n = 20, 95 % 0.3 to 0.75; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: min(value) >= 0.1: 0.05, n = 20, an extreme has no interval; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: max(value) <= 0.9: 1, n = 20, an extreme has no interval; worst: 20 (1), 19 (0.95), 18 (0.9)
    Fail: p50(value) >= 0.6: 0.5, n = 20, 95 % 0.3 to 0.75; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: p90(value) >= 0.95: 0.9, n = 20, too few cases for an interval; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: p95(value) >= 1.0: 0.95, n = 20, too few cases for an interval; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: p99(value) <= 0.99: 1, n = 20, too few cases for an interval; worst: 20 (1), 19 (0.95), 18 (0.9)
    Fail: stddev(value) <= 0.1: 0.296, n = 20, 95 % 0.224 to 0.344; worst: 20 (1), 19 (0.95), 18 (0.9)
    Fail: pass_rate(half) >= 0.75: 0.55, n = 20, 95 % 0.342 to 0.742; worst: 01 (0), 02 (0), 03 (0)
    Fail: mean(latency) <= "1ms": <time>, n = 20, 95 % <time> to <time>
    Fail: max(latency) <= "1ms": <time>, n = 20, an extreme has no interval
    "#);
}

#[test]
fn a_failing_gate_names_at_most_three_rules_and_counts_the_rest() {
    let run = run("broken::");
    assert_eq!(run.code, Some(101));
    assert_snapshot!(run.normalize(&run.failure("broken::gate")), @"
    mean(value) >= 0.6: 0.525, n = 20, 95 % 0.387 to 0.663
    median(value) >= 0.6: 0.5, n = 20, 95 % 0.3 to 0.75
    min(value) >= 0.1: 0.05, n = 20, an extreme has no interval (and 9 more rules)
    ");
}

#[test]
fn slices_are_metadata_and_tags_and_an_unknown_one_fails() {
    assert_snapshot!(rules("sliced::"), @r#"
    Fail
    Pass: mean(value, slice = "half:low") >= 0.27: 0.275, n = 10, 95 % 0.167 to 0.383; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: mean(value, slice = "half:high") >= 0.77: 0.775, n = 10, 95 % 0.667 to 0.883; worst: 11 (0.55), 12 (0.6), 13 (0.65)
    Pass: mean(value, slice = "n20") >= 1.0: 1, n = 1, 95 % 0.207 to 1
    Fail: mean(value, slice = "half:hihg") >= 0.1: no case is in the slice `half:hihg`; check its spelling in metadata and tags
    Pass: p95(latency, slice = "half:low") <= "60s": <time>, n = 10, too few cases for an interval
    Pass: error_rate(slice = "half:low") <= 0.0: 0, n = 10, 95 % 0 to 0.278
    "#);
}

#[test]
fn confident_needs_the_bound_and_not_worse_only_fails_on_it() {
    assert_snapshot!(rules("bounds::"), @"
    Fail
    Pass: confident(mean(value) >= 0.4): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % lower bound 0.411; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: confident(mean(value) >= 0.5): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % lower bound 0.411; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Pass: not_worse(mean(value) >= 0.6): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % upper bound 0.639; worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: not_worse(mean(value) >= 0.7): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % upper bound 0.639, p = 0.032 (corrected for 4 tests); worst: 01 (0.05), 02 (0.1), 03 (0.15)
    Fail: confident(mean(distance) <= 0.6): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % upper bound 1.841; 20 cases do not show more than 1.192, even if all are perfect; it takes 43 cases; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: not_worse(mean(distance) <= 0.5): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % lower bound 0.396; worst: 20 (1), 19 (0.95), 18 (0.9)
    Fail: confident(mean(distance) <= 0.7): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % upper bound 1.841; 20 cases do not show more than 1.192, even if all are perfect; it takes 36 cases; worst: 20 (1), 19 (0.95), 18 (0.9)
    Pass: not_worse(mean(distance) <= 0.4): 0.525, n = 20, 95 % 0.387 to 0.663, one-sided 95 % lower bound 0.396; worst: 20 (1), 19 (0.95), 18 (0.9)
    ");
}

#[test]
fn the_interval_of_a_share_is_wilsons() {
    assert_snapshot!(rules("all_good::"), @"
    Fail
    Pass: mean(whole) >= 1.0: 1, n = 5, 95 % 0.566 to 1
    Fail: confident(mean(whole) >= 0.9): 1, n = 5, 95 % 0.566 to 1, one-sided 95 % lower bound 0.649; 5 cases do not show more than 0.649, even if all are perfect; it takes 25 cases
    ");
}

#[test]
fn without_spread_there_is_no_interval() {
    assert_snapshot!(rules("all_alike::"), @"
    Inconclusive
    Pass: mean(value) >= 0.7: 0.7, n = 5, no spread
    Inconclusive: confident(mean(value) >= 0.7): 0.7, n = 5, no spread; the values do not differ and have no `range(..)`, or are too few, so nothing bounds their mean
    ");
}

#[test]
fn a_case_is_among_the_worst_only_once() {
    let run = run("one_slow_case::");
    let gate = &run.gates()[0];
    let (_, worst) = gate.rules[0].text.split_once("; worst: ").expect("the worst cases");
    let names: Vec<&str> = worst.split(", ").filter_map(|case| case.split(' ').next()).collect();
    assert_eq!(names[0], "slow", "{worst}");
    assert!(names[1..].iter().all(|name| *name != "slow"), "{worst}");
}

#[test]
fn one_case_is_too_few_for_a_bound() {
    assert_snapshot!(rules("too_few::"), @"
    Inconclusive
    Pass: mean(value) >= 0.25: 0.25, n = 1, too few cases for an interval
    Inconclusive: confident(mean(value) >= 0.1): 0.25, n = 1, too few cases for an interval; the values do not differ and have no `range(..)`, or are too few, so nothing bounds their mean
    ");
}

#[test]
fn attempts_are_averaged_first() {
    assert_snapshot!(rules("attempts_are_averaged::"), @r#"
    Pass
    Pass: mean(value) >= 0.625: 0.625, n = 4, 95 % 0.111 to 1.139; worst: 1 (0.25), 2 (0.5), 3 (0.75)
    Pass: min(value) >= 0.25: 0.25, n = 4, an extreme has no interval; worst: 1 (0.25), 2 (0.5), 3 (0.75)
    Pass: p50(latency) <= "60s": <time>, n = 16 attempts, 95 % <time> to <time>
    "#);
}

#[test]
fn the_journal_has_value_n_and_interval() {
    let run = run("forgiven::");
    let gates = run.gates();
    let [gate] = &gates[..] else { panic!("one gate: {gates:?}") };
    let rule = &gate.rules[0];
    assert_eq!((rule.rule.as_str(), rule.value, rule.n), ("mean(whole) >= 0.5", Some(0.5), 4));
    // The interval is Wilson's at 95 % for 2 of 4.
    let (low, high) = rule.interval.expect("an interval");
    assert!((low - 0.1500).abs() < 1e-4 && (high - 0.8500).abs() < 1e-4, "{low} {high}");
    assert!(gate.passed);
}

// ---- who decides ----

#[test]
fn a_gate_that_names_an_evaluator_decides_instead_of_the_cases() {
    assert_snapshot!(report("forgiven::"), @"
    exit code 0
    forgiven::de-1  ok  pass
    forgiven::de-2  ok  fail
        whole is false
    forgiven::fr-1  ok  pass
    forgiven::fr-2  ok  fail
        whole is false
    forgiven::gate  ok
    ");
}

#[test]
fn a_gate_that_does_not_hold_fails_alone() {
    assert_snapshot!(report("missed::"), @"
    exit code 101
    missed::de-1  ok  pass
    missed::de-2  ok  fail
        whole is false
    missed::fr-1  ok  pass
    missed::fr-2  ok  fail
        whole is false
    missed::gate  FAILED
        mean(whole) >= 0.75: 0.5, n = 4, 95 % 0.15 to 0.85
    ");
}

#[test]
fn a_gate_on_a_slice_decides_for_the_cases_in_it() {
    assert_snapshot!(report("decides_slice::"), @"
    exit code 101
    decides_slice::de-1  ok  pass
    decides_slice::de-2  ok  fail
        whole is false
    decides_slice::fr-1  ok  pass
    decides_slice::fr-2  FAILED  fail
        whole is false
    decides_slice::gate  ok
    ");
}

#[test]
fn other_evaluators_go_on_deciding_their_cases() {
    assert_snapshot!(report("decides_one::"), @"
    exit code 101
    decides_one::de-1  ok  pass
    decides_one::de-2  FAILED  fail
        whole is false
        half 0, needs >= 0.5
    decides_one::fr-1  ok  pass
    decides_one::fr-2  FAILED  fail
        whole is false
        half 0, needs >= 0.5
    decides_one::gate  ok
    ");
}

#[test]
fn error_rate_decides_about_errors() {
    assert_snapshot!(report("one_error::01"), @"
    exit code 101
    one_error::01  FAILED  error
        error: no answer
    ");
    let run = run("one_error::");
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.tests()["one_error::01"], "ok");
    assert_snapshot!(rules("one_error::"), @"
    Pass
    Pass: error_rate <= 0.05: 0.05, n = 20, 95 % 0.009 to 0.236; worst: 01
    Pass: mean(value) >= 0.5: 0.55, n = 19 of 20, 1 without a score, 95 % 0.414 to 0.686; worst: 02 (0.1), 03 (0.15), 04 (0.2)
    ");
    assert_snapshot!(rules("too_many_errors::"), @"
    Fail
    Fail: error_rate <= 0.05: 0.1, n = 20, 95 % 0.028 to 0.301; worst: 01, 02
    ");
}

#[test]
fn an_evaluator_that_errs_counts_for_error_rate() {
    assert_snapshot!(rules("unscored::"), @"
    Pass
    Pass: error_rate <= 0.05: 0.05, n = 20, 95 % 0.009 to 0.236; worst: 01
    ");
}

#[test]
fn an_error_fails_its_case_where_error_rate_is_not_named() {
    let run = run("ungated_error::");
    assert_eq!(run.code, Some(101));
    let failed: Vec<_> = run.tests().into_iter().filter(|(_, outcome)| outcome != "ok").collect();
    assert_eq!(failed, [("ungated_error::01".to_owned(), "FAILED".to_owned())]);
}

#[test]
fn under_95_percent_scored_a_gate_is_inconclusive() {
    let here = run("two_errors::");
    assert_eq!(here.code, Some(0));
    assert_snapshot!(here.tests()["two_errors::gate"], @"ignored (mean(value) >= 0.5: 0.575, n = 18 of 20, 2 without a score, 95 % 0.442 to 0.708; only 18 of 20 cases scored (90 %, needs 95 %))");
    assert_snapshot!(rules("two_errors::"), @"
    Inconclusive
    Pass: error_rate <= 0.2: 0.1, n = 20, 95 % 0.028 to 0.301; worst: 01, 02
    Inconclusive: mean(value) >= 0.5: 0.575, n = 18 of 20, 2 without a score, 95 % 0.442 to 0.708; only 18 of 20 cases scored (90 %, needs 95 %)
    ");
    for variable in ["CI", "HH_REQUIRE_GATES"] {
        let run = PROJECT.evals(["two_errors::"]).env(variable, "true").run();
        assert_eq!(run.code, Some(101), "{variable}");
        assert_eq!(run.tests()["two_errors::gate"], "FAILED");
        assert!(!run.gates()[0].passed);
    }
}

// ---- full, partial, alone ----

#[test]
fn in_a_partial_selection_a_gated_miss_fails_its_case() {
    let run = PROJECT.evals(["forgiven::de"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    forgiven::de-1  ok  pass
    forgiven::de-2  FAILED  fail
        whole is false
    ");
    assert_snapshot!(run.failure("forgiven::de-2"), @"
    whole is false
    a full run's gate may forgive this
    rerun: cargo test --test evals -- --exact forgiven::de-2
    ");
}

#[test]
fn the_printed_command_reproduces_the_red() {
    let failed = run("missed::de-2");
    let text = failed.failure("missed::de-2");
    let (_, command) = text.split_once("rerun: cargo test ").expect("a command");
    let (cargo, test) = command.split_once(" -- ").expect("arguments of the test");
    let again = PROJECT.cargo_test(cargo.split(' ')).arguments(test.split_whitespace()).run();
    assert_eq!(again.code, Some(101));
    assert!(again.failure("missed::de-2").contains("a full run's gate may forgive this"));
}

#[test]
fn in_a_partial_selection_the_gate_is_ignored_with_the_reason() {
    let arguments = ["forgiven::fr-1", "forgiven::gate"];
    assert_snapshot!(PROJECT.evals(arguments).run().report(), @"
    exit code 0
    forgiven::fr-1  ok  pass
    forgiven::gate  ignored (a gate judges all 4 cases; 2 filters selected 1)
    ");
    let required = PROJECT.evals(arguments).env("HH_REQUIRE_GATES", "1").run().report();
    assert_snapshot!(required, @"
    exit code 101
    forgiven::fr-1  ok  pass
    forgiven::gate  FAILED
        inconclusive, and gates must decide here (in CI, or HH_REQUIRE_GATES=1):
        a gate judges all 4 cases; 2 filters selected 1
    ");
    assert_eq!(PROJECT.evals(arguments).env("CI", "true").run().report(), required);
}

#[test]
fn a_gate_alone_runs_the_whole_experiment() {
    let run = PROJECT.evals(["--exact", "forgiven::gate"]).run();
    assert_snapshot!(run.report(), @"
    exit code 0
    forgiven::gate  ok
    ");
    assert_eq!(run.notes("forgiven").len(), 4);
    assert_eq!(run.cases().len(), 4);
    let run = PROJECT.evals(["--exact", "missed::gate"]).run();
    assert_eq!(run.code, Some(101));
}

#[test]
fn a_gate_alone_fails_with_cases_that_it_does_not_decide_about() {
    let run = PROJECT.evals(["--exact", "decides_one::gate"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert_snapshot!(run.failure("decides_one::gate"), @"2 of 4 cases failed: de-2, fr-2; the gate does not decide about them here");
}

#[test]
fn without_the_gate_selected_misses_fail() {
    let run = PROJECT.evals(["forgiven::", "--skip", "gate"]).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.tests()["forgiven::de-2"], "FAILED");
}
