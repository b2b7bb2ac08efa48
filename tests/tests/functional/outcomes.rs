//! Tests how scores become test outcomes, rule by rule; the module `gates` tests gates.

use std::sync::LazyLock;

use honeyhive_tests::Project;
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("outcomes", include_str!("evals/outcomes.rs"))
        .file("data/empty.jsonl", "\n\n")
        .target("nothing", "honeyhive_harness::main!();")
        .target("twice", TWICE)
});

const TWICE: &str = r#"
mod one {
    use honeyhive_harness::{Datapoint, experiment};

    pub fn rows() -> Vec<Datapoint> {
        vec![Datapoint::new().id("a")]
    }

    #[experiment(dataset = rows, smoke)]
    fn answer() {}

    #[experiment(dataset = rows, smoke)]
    fn other() {}
}

mod two {
    #[honeyhive_harness::experiment(dataset = super::one::rows, name = "answer", smoke)]
    fn another() {}
}

honeyhive_harness::main!();
"#;

fn report(filter: &str) -> String {
    PROJECT.evals([filter]).run().report()
}

#[test]
fn a_boolean_judges_however_it_is_wrapped() {
    assert_snapshot!(report("booleans::"), @"
    exit code 101
    booleans::bad   FAILED  fail
        bare is false
        optional is false
        fallible is false
        fallible_option is false
        scored is false: a label: so it is
        optional_score is false
        fallible_score is false
    booleans::down  FAILED  unscored
        evaluator `fallible`: the judge is down
    booleans::good  ok  pass
    booleans::na    ok  pass
    ");
}

#[test]
fn a_number_without_a_threshold_only_measures() {
    assert_snapshot!(report("measures::"), @"
    exit code 0
    measures::bad   ok  pass
    measures::down  ok  pass
    measures::good  ok  pass
    measures::na    ok  pass
    ");
}

#[test]
fn a_number_with_a_threshold_judges() {
    assert_snapshot!(report("thresholds::"), @"
    exit code 101
    thresholds::bad   FAILED  fail
        long_enough 3, needs >= 4
        short_enough 3, needs <= 2
        score_with_threshold 3, needs >= 4: counted
    thresholds::down  ok  pass
    thresholds::good  FAILED  fail
        short_enough 4, needs <= 2
    thresholds::na    FAILED  fail
        long_enough 2, needs >= 4
        score_with_threshold 2, needs >= 4: counted
    ");
}

#[test]
fn with_repeats_the_case_mean_is_judged() {
    assert_snapshot!(report("repeated::"), @"
    exit code 101
    repeated::1-of-4  FAILED  fail
        strict 0.25 over 4 attempts, needs >= 1
    repeated::2-of-4  FAILED  fail
        strict 0.5 over 4 attempts, needs >= 1
    repeated::3-of-4  FAILED  fail
        strict 0.75 over 4 attempts, needs >= 1
    repeated::4-of-4  ok  pass
    ");
}

#[test]
fn a_threshold_below_one_forgives_some_attempts_of_a_boolean() {
    assert_snapshot!(report("loosened::"), @"
    exit code 101
    loosened::1-of-4  FAILED  fail
        loose 0.25 over 4 attempts, needs >= 0.6
    loosened::2-of-4  FAILED  fail
        loose 0.5 over 4 attempts, needs >= 0.6
    loosened::3-of-4  ok  pass
    loosened::4-of-4  ok  pass
    ");
}

#[test]
fn require_tests_every_attempt() {
    assert_snapshot!(report("required::"), @"
    exit code 101
    required::1-of-4  FAILED  fail
        required loose is false (attempt 2)
        required loose is false (attempt 3)
        required loose is false (attempt 4)
        loose 0.25 over 4 attempts, needs >= 0.6
    required::2-of-4  FAILED  fail
        required loose is false (attempt 3)
        required loose is false (attempt 4)
        loose 0.5 over 4 attempts, needs >= 0.6
    required::3-of-4  FAILED  fail
        required loose is false (attempt 4)
    required::4-of-4  ok  pass
    ");
}

#[test]
fn require_with_a_limit_tests_a_number_that_otherwise_measures() {
    assert_snapshot!(report("required_number::"), @"
    exit code 101
    required_number::1-of-4  FAILED  fail
        required share >= 0.5 is 0.2 (attempt 2)
        required share >= 0.5 is 0.2 (attempt 3)
        required share >= 0.5 is 0.2 (attempt 4)
    required_number::2-of-4  FAILED  fail
        required share >= 0.5 is 0.2 (attempt 3)
        required share >= 0.5 is 0.2 (attempt 4)
    required_number::3-of-4  FAILED  fail
        required share >= 0.5 is 0.2 (attempt 4)
    required_number::4-of-4  ok  pass
    ");
}

#[test]
fn a_function_that_errs_panics_or_times_out_fails_its_case() {
    assert_snapshot!(report("functions::"), @"
    exit code 101
    functions::chain    FAILED  error
        error: cannot ask the model: connection refused
    functions::err      FAILED  error
        error: no answer
    functions::fine     ok  pass
    functions::panic    FAILED  error
        panicked at tests/evals.rs:<line>: index 7 out of bounds
    functions::payload  FAILED  error
        panicked at tests/evals.rs:<line>: a value that is no text
    functions::slow     FAILED  error
        timed out after 1s
    ");
}

#[test]
fn an_evaluator_that_errs_fails_its_case_and_gives_no_score() {
    let run = PROJECT.evals(["evaluators::"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    evaluators::err       FAILED  unscored
        evaluator `faulty`: the judge is down
    evaluators::fine      ok  pass
    evaluators::infinite  FAILED  unscored
        evaluator `faulty`: returned inf, which is no score
    evaluators::nan       FAILED  unscored
        evaluator `faulty`: returned NaN, which is no score
    evaluators::outside   FAILED  unscored
        evaluator `faulty`: returned 1.5, outside its range 0 to 1
    evaluators::panic     FAILED  unscored
        evaluator `faulty`: panicked at tests/evals.rs:<line>: cannot judge
    ");
    let attempts = run.attempts();
    let values: Vec<_> = attempts
        .iter()
        .filter_map(|attempt| Some((attempt.case.as_str(), attempt.scores[0].value?.as_f64())))
        .collect();
    assert_eq!(values, [("fine", 1.0)]);
}

#[test]
fn a_missing_or_null_value_is_an_error_unless_the_parameter_is_optional() {
    let run = PROJECT.evals(["missing_values::"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    missing_values::complete  ok  pass
    missing_values::missing   FAILED  error
        with_and_without_truth() row 2: `ground_truth` is missing; the row has `answer`; rename it if that is the ground truth (read by evaluator `same` (tests/evals.rs:<line>))
    missing_values::nothing   FAILED  unscored
        evaluator `same`: `output` is null; take `Option<&str>` where the function may return nothing
    missing_values::null      FAILED  error
        with_and_without_truth() row 3: input `answer` is null; the row's inputs: answer (read by `missing_values` (tests/evals.rs:<line>))
    ");
    // Missing values of the rows are found before any call.
    let mut calls = run.notes("missing_values");
    calls.sort();
    assert_eq!(calls, ["nothing", "x"]);
    assert_snapshot!(report("optional_values::"), @"
    exit code 101
    optional_values::complete  ok  pass
    optional_values::missing   ok  pass
    optional_values::nothing   FAILED  fail
        same_if_any is false
    optional_values::null      ok  pass
    ");
}

#[test]
fn every_mean_says_its_n() {
    let run = PROJECT.evals(["booleans::"]).run();
    let table: Vec<String> = run
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("  evaluator "))
        .take(8)
        .map(|line| line.trim_end().to_owned())
        .collect();
    assert_snapshot!(table.join("\n"), @"
    evaluator           mean  95 % interval         n  gate
    bare               0.750  0.301–0.954           4  -
    optional           0.667  0.208–0.939      3 of 4  -
    fallible           0.667  0.208–0.939      3 of 4  -
    fallible_option    0.667  0.208–0.939      3 of 4  -
    scored             0.750  0.301–0.954           4  -
    optional_score     0.667  0.208–0.939      3 of 4  -
    fallible_score     0.750  0.301–0.954           4  -
    ");
}

#[test]
fn an_input_that_no_row_has_stops_the_experiment_before_the_first_call() {
    let run = PROJECT.evals(["misspelt_input::"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    misspelt_input::dataset  FAILED
        none of the 100 rows of texts() has an input `txt`, which `misspelt_input` (tests/evals.rs:<line>) reads; they have `text`
    ");
    assert_eq!(run.notes("misspelt_input"), [""; 0]);
    assert_eq!(run.invocations().len(), 0);
}

#[test]
fn an_input_that_only_an_evaluator_misses_stops_it_as_well() {
    let run = PROJECT.evals(["misspelt_in_evaluator::"]).run();
    assert_snapshot!(run.report(), @"
    exit code 101
    misspelt_in_evaluator::dataset  FAILED
        none of the 100 rows of texts() has an input `topic`, which evaluator `wants_topic` (tests/evals.rs:<line>) reads; their inputs: text
    ");
    assert_eq!(run.notes("misspelt_in_evaluator"), [""; 0]);
    assert_eq!(run.invocations().len(), 0);
}

#[test]
fn an_evaluator_that_can_read_none_of_the_first_outputs_stops_the_experiment() {
    let run = PROJECT.evals(["unreadable_output::"]).run();
    assert_eq!(run.code, Some(101));
    let calls = run.notes("unreadable_output").len();
    assert!((5..20).contains(&calls), "{calls} calls");
    let tests = run.tests();
    assert_eq!(tests["unreadable_output::001"], "FAILED");
    assert_eq!(tests["unreadable_output::100"], "ignored (not run, see the summary)");
    assert!(tests.values().all(|outcome| outcome != "ok"), "{}", run.output());
    let stopped = "could read none of the first 5 outputs of `unreadable_output`:";
    let summary = run.output().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(summary.contains(stopped), "{}", run.output());
}

#[test]
fn no_scored_case_is_a_failure() {
    let run = PROJECT.evals(["nothing_scored::"]).run();
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout

    running 4 tests
    test nothing_scored::bad  ... ok
    test nothing_scored::down ... ok
    test nothing_scored::good ... ok
    test nothing_scored::na   ... ok

    test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; finished in <time>


    nothing_scored · 4 cases · answers() · <time>

      evaluator         mean  95 % interval         n  gate
      never_applies        -  too few cases    0 of 4  -
      latency <time> <interval> 4 -
      nothing was scored
        every evaluator answered `None` for every case, so nothing was measured;
        give the experiment an evaluator that applies, or cases that one applies to

    FAIL 4 cases in 1 experiment, <time>
         nothing_scored
    journal <journal>
    report  <report>
    ");
}

#[test]
fn no_linked_experiment_is_a_failure_that_names_the_remedy() {
    let run = PROJECT.cargo_test(["--test", "nothing"]).run();
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout
    --- stderr
    error: no experiment is linked into this test target, so nothing was tested; put #[experiment] on a function here, enable the feature or cfg that it is behind, or name the crate that has one: `honeyhive_harness::main!(my_crate);`
    ");
    assert_eq!(run.invocations().len(), 0);
}

#[test]
fn an_empty_dataset_is_a_failure() {
    assert_snapshot!(report("empty_"), @"
    exit code 101
    empty_file::dataset      FAILED
        data/empty.jsonl has no rows; an experiment without datapoints shows nothing
        (dataset of `empty_file`, tests/evals.rs:<line>)
    empty_function::dataset  FAILED
        no_rows() has no rows; an experiment without datapoints shows nothing
        (dataset of `empty_function`, tests/evals.rs:<line>)
    ");
}

#[test]
fn two_experiments_of_one_name_fail_with_both_places() {
    let run = PROJECT.cargo_test(["--test", "twice"]).run();
    assert_snapshot!(run.report(), @r#"
    exit code 101
    answer::dataset  FAILED  error
        2 experiments are named `answer`: tests/twice.rs:9, tests/twice.rs:17; give all but one a `name = ".."`
    other::a         ok  pass
    "#);
}
