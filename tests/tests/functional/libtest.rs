//! Tests the interface for cargo and editors: flags, selections, lists, exit codes.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("libtest", include_str!("evals/libtest.rs"))
        .target("large", include_str!("evals/large.rs"))
        .target_without_harness_false("forgotten", include_str!("evals/large.rs"))
        .file("data/large.jsonl", large())
        .file("src/lib.rs", "#[test]\nfn some_other_test() {}\n")
});

/// Returns 100,000 rows of a realistic size, half of them with ids.
fn large() -> String {
    let question = "Is this a question of about the length that questions in real datasets have?";
    (0..100_000)
        .map(|n| match n % 2 {
            0 => format!(
                "{{\"id\": \"row-{n}\", \"question\": \"{question} {n}\", \"ground_truth\": {n}}}\n"
            ),
            _ => format!("{{\"question\": \"{question} {n}\", \"metadata\": {{\"odd\": true}}}}\n"),
        })
        .collect()
}

fn run(arguments: &[&str]) -> Run {
    PROJECT.evals(arguments.iter().copied()).run()
}

/// Returns the tests that ran or were ignored, in one line.
fn selected(arguments: &[&str]) -> String {
    let run = run(arguments);
    let tests: Vec<String> =
        run.tests().into_iter().map(|(name, outcome)| format!("{name} {outcome}")).collect();
    let counts =
        run.stdout.lines().find(|line| line.starts_with("test result: ")).unwrap_or_default();
    let counts = run.normalize(counts);
    format!("{}\n{}", tests.join(", "), counts.trim())
}

fn nothing_was_done(run: &Run) {
    assert_eq!(run.notes("calls"), [""; 0]);
    assert_eq!(run.invocations().len(), 0, "{}", run.output());
}

// ---- flags ----

#[test]
fn every_flag_of_libtest_is_accepted() {
    let flags = "--nocapture --no-capture --show-output --report-time --ensure-time --shuffle \
                 --shuffle-seed 7 --fail-fast --exclude-should-panic -Z unstable-options --test \
                 --format pretty --color never --test-threads 2 --force-run-in-process";
    let arguments: Vec<&str> = ["first::a"].into_iter().chain(flags.split_whitespace()).collect();
    let run = run(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.test_lines(), [("first::a", "ok")]);
    assert_snapshot!(run.stderr, @"
    note: --report-time has no effect on experiments; the summary has the times
    note: --ensure-time has no effect on experiments; write gate(p95(latency) <= ..)
    note: shuffled; repeat this order with --shuffle-seed 7
    ");
}

#[test]
fn what_editors_pass_is_accepted() {
    let run = run(&["first::a", "--exact", "--nocapture", "--show-output"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn json_is_for_machines_and_the_summary_goes_to_stderr() {
    let run =
        run(&["first::", "-Z", "unstable-options", "--format", "json", "--test-threads", "1"]);
    assert_eq!(run.code, Some(101));
    let events: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let told: Vec<String> = events
        .iter()
        .filter(|event| event["type"] == "test" && event["event"] != "started")
        .map(|event| format!("{} {}", event["name"], event["event"]))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    "first::a" "ok"
    "first::b" "ok"
    "first::c" "failed"
    "#);
    assert!(run.stderr.contains("FAIL 3 cases in 1 experiment"), "{}", run.output());
}

#[test]
fn terse_is_one_character_per_test() {
    let run = run(&["first::", "--format", "terse", "--test-threads", "1"]);
    assert!(run.stdout.contains("\nrunning 3 tests\n..F\n"), "{}", run.stdout);
}

#[test]
fn an_unknown_option_is_an_error_that_suggests_the_right_one() {
    let run = run(&["--exat", "first::a"]);
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout
    --- stderr
    error: unknown option --exat; did you mean --exact?
    ");
    nothing_was_done(&run);
}

#[test]
fn help_says_what_there_is() {
    let run = run(&["--help"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stdout.starts_with("Runs experiments: every datapoint is a test.\n"),
        "{}",
        run.stdout
    );
    nothing_was_done(&run);
}

#[test]
fn shuffle_can_be_repeated() {
    let order = |seed: &str| {
        run(&["first::", "second::", "--test-threads", "1", "--shuffle-seed", seed]).notes("calls")
    };
    let orders: Vec<Vec<String>> = ["1", "2", "3", "4"].map(order).into();
    assert_eq!(orders[0], order("1"));
    assert!(orders.iter().any(|other| *other != orders[0]), "{orders:?}");
    let seed = run(&["first::", "--shuffle"]).stderr;
    assert!(seed.contains("--shuffle-seed "), "{seed}");
}

#[test]
fn fail_fast_starts_nothing_more() {
    let run = run(&["first::c", "second::a", "second::b", "--fail-fast", "--test-threads", "1"]);
    assert_eq!(run.code, Some(101));
    assert_eq!(run.notes("calls"), ["first c"]);
}

// ---- selection ----

#[test]
fn filters_are_parts_of_names_and_any_of_them_selects() {
    assert_snapshot!(selected(&["first::a"]), @"
    first::a ok
    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["first::a", "second::b"]), @"
    first::a ok, second::b ok
    test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 6 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["::a"]), @"
    dear::a ignored (costs money), first::a ok, second::a ok
    test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in <time>
    ");
}

#[test]
fn skip_leaves_out() {
    assert_snapshot!(selected(&["first", "--skip", "::a", "--skip", "::b"]), @"
    first::c FAILED
    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out; finished in <time>
    ");
}

#[test]
fn exact_wants_whole_names() {
    assert_snapshot!(selected(&["--exact", "first::a", "second::a", "first"]), @"
    first::a ok, first::b ok, first::c FAILED, second::a ok
    test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["--exact", "first"]), @"
    first::a ok, first::b ok, first::c FAILED
    test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["--exact", "firs"]), @"

    test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 10 filtered out; finished in <time>
    ");
}

#[test]
fn ignored_experiments_run_when_asked_for() {
    assert_snapshot!(selected(&["::b"]), @"
    dear::b ignored (costs money), first::b ok, second::b ok
    test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["::b", "--ignored"]), @"
    dear::b ok
    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in <time>
    ");
    assert_snapshot!(selected(&["::b", "--include-ignored"]), @"
    dear::b ok, first::b ok, second::b ok
    test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in <time>
    ");
}

#[test]
fn the_reason_of_an_ignored_experiment_is_shown() {
    let run = run(&["dear::"]);
    assert_eq!(run.code, Some(0));
    assert!(run.tests()["dear::a"].contains("costs money"), "{}", run.output());
    nothing_was_done(&run);
}

#[test]
fn exit_codes_are_those_of_libtest() {
    for (filter, code) in [("first::a", 0), ("first::c", 101), ("no such test", 0)] {
        let process = PROJECT.evals([filter]).start();
        assert_eq!(process.finish().code, Some(code), "{filter}");
    }
}

// ---- doing nothing ----

#[test]
fn a_run_of_some_other_test_does_no_work_here() {
    let run = PROJECT.cargo_test(["some_other_test", "--lib", "--test", "evals"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    nothing_was_done(&run);
    assert_snapshot!(run.output(), @"
    exit code 0
    --- stdout

    running 1 test
    test some_other_test ... ok

    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; finished in <time>


    running 0 tests

    test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; finished in <time>

    --- stderr
    note: no test of this target matches `some_other_test` (experiments here: first, second, dear)
    ");
}

#[test]
fn a_list_is_nothing_but_names() {
    let run = run(&["--list"]);
    assert_snapshot!(run.output(), @"
    exit code 0
    --- stdout
    first::a: test
    first::b: test
    first::c: test
    second::a: test
    second::b: test
    second::c: test
    second::gate: test
    dear::a: test
    dear::b: test
    dear::c: test
    ");
    nothing_was_done(&run);
}

#[test]
fn a_list_is_of_what_is_selected() {
    let list = |arguments: &[&str]| run(arguments).stdout.lines().collect::<Vec<_>>().join("\n");
    assert_snapshot!(list(&["--list", "--format", "terse", "first"]), @"
    first::a: test
    first::b: test
    first::c: test
    ");
    assert_snapshot!(list(&["--list", "--format", "terse", "--ignored"]), @"
    dear::a: test
    dear::b: test
    dear::c: test
    ");
    assert_snapshot!(list(&["--list", "--exact", "second::gate"]), @"second::gate: test");
}

#[test]
fn a_list_works_where_no_journal_can_be_written() {
    let run = PROJECT.evals(["--list"]).env("HH_DIR", "/dev/null/nowhere").run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_hundred_thousand_rows_are_listed_quickly() {
    // This run builds the target, so that only the list is timed.
    PROJECT.cargo_test(["--test", "large"]).arguments(["--list", "--exact", "none"]).run();
    let started = Instant::now();
    let run = PROJECT.cargo_test(["--test", "large"]).arguments(["--list"]).run();
    let took = started.elapsed();
    assert_eq!(run.stdout.lines().filter(|line| line.ends_with(": test")).count(), 100_000);
    assert!(took < Duration::from_secs(60), "took {took:?}");
    let started = Instant::now();
    let one =
        PROJECT.cargo_test(["--test", "large"]).arguments(["--exact", "large::row-99998"]).run();
    let took = started.elapsed();
    assert_eq!(one.test_lines(), [("large::row-99998", "ok")]);
    assert!(took < Duration::from_secs(60), "took {took:?}");
}

// ---- targets ----

#[test]
fn a_forgotten_harness_false_fails_with_the_remedy() {
    let run = PROJECT.cargo_test(["--test", "forgotten"]).run();
    assert_eq!(run.code, Some(101));
    assert!(
        run.stdout.contains(
            "experiments did not run: this test target needs `harness = false` in Cargo.toml, below \
             its `[[test]]` with `name = \"forgotten\"`"
        ),
        "{}",
        run.output()
    );
    nothing_was_done(&run);
}
