//! Tests that experiments and tests that would never run are reported, so that a run without them
//! does not pass.

use std::sync::LazyLock;

use honeyhive_tests::Project;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("never-run", PLAIN)
        .target_without_harness_false("forgotten-both", FORGOTTEN)
        .target("beside", BESIDE)
        .file("tests/checks/mod.rs", CHECKS)
        .target("above", ABOVE)
        .target("looks", LOOKS)
        .file("tests/common/mod.rs", "#[cfg(test)] mod tests { #[test] fn runs_elsewhere() {} }")
        .target_without_harness_false("plain-tests", "mod common;")
        .file("src/lib.rs", LIBRARY)
        .file("src/evals.rs", EVALS_OF_UNIT_TESTS)
        .file("src/main.rs", PROGRAM)
        .file("src/shared.rs", SHARED)
        .file("data/rows.jsonl", "{\"id\": \"a\", \"text\": \"hello\"}\n")
});

const PLAIN: &str = r#"
use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn fine(output: &str) -> bool { !output.is_empty() }

#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
fn echo(text: &str) -> String { text.to_owned() }

honeyhive_harness::main!();
"#;

const FORGOTTEN: &str = r#"
use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn fine(output: &str) -> bool { !output.is_empty() }

#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
fn echo(text: &str) -> String { text.to_owned() }

#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
async fn later(text: String) -> String { text }
"#;

const BESIDE: &str = r#"
use honeyhive_harness::{evaluator, experiment};

mod checks;

#[evaluator]
fn fine(output: &str) -> bool { !output.is_empty() }

#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
fn echo(text: &str) -> String { text.to_owned() }

#[test]
fn plain() { panic!("I must be seen"); }

#[tokio::test]
async fn with_tokio() { panic!("I must be seen"); }

honeyhive_harness::main!();
"#;

const CHECKS: &str = r#"
#[cfg(test)]
mod inner {
    #[test]
    fn deep() { panic!("I must be seen"); }
}
"#;

const ABOVE: &str = r#"
use honeyhive_harness::{evaluator, experiment};

#[evaluator]
fn fine(output: &str) -> bool { !output.is_empty() }

#[test]
#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
fn echo(text: &str) -> String { text.to_owned() }

honeyhive_harness::main!();
"#;

/// The source of a target in which all tests run or belong to other targets.
const LOOKS: &str = r##"
use honeyhive_harness::{evaluator, experiment};

mod common;

// #[test] fn comment() {}
/* #[test] fn block() {} */
const TEXT: &str = "#[test] fn text() {}";
const RAW: &str = r#"#[test] fn raw() {}"#;

macro_rules! tests { ($name:ident) => { #[test] fn $name() {} }; }

#[evaluator]
fn fine(output: &str) -> bool { !output.is_empty() && !TEXT.is_empty() && !RAW.is_empty() }

#[experiment(dataset = "data/rows.jsonl", evaluators(fine))]
fn echo(text: &str) -> String { text.to_owned() }

#[cfg(test)]
#[allow(unused_macros)]
mod helpers { macro_rules! unused { () => {} } }

honeyhive_harness::main!();
"##;

const LIBRARY: &str = r#"
#[cfg(test)]
mod evals;

#[cfg(test)]
mod shared;

#[cfg(test)]
mod tests {
    #[honeyhive_harness::experiment(dataset = "data/rows.jsonl", smoke)]
    fn inline(text: &str) -> String { text.to_owned() }

    #[test]
    fn some_unit_test() {}
}
"#;

const EVALS_OF_UNIT_TESTS: &str = r#"
#[honeyhive_harness::experiment(dataset = "data/rows.jsonl", smoke)]
fn in_a_file(text: &str) -> String { text.to_owned() }
"#;

const PROGRAM: &str = r#"
#[cfg(test)]
mod programs {
    #[honeyhive_harness::experiment(dataset = "data/rows.jsonl", smoke)]
    fn of_a_program(text: &str) -> String { text.to_owned() }
}

fn main() {}
"#;

const SHARED: &str = "";

#[test]
fn a_test_target_without_harness_false_and_without_main_fails() {
    let run = PROJECT.cargo_test(["--test", "forgotten-both"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let mut tests = run.test_lines();
    tests.sort_unstable();
    assert_eq!(tests, [("echo_did_not_run", "FAILED"), ("later_did_not_run", "FAILED")]);
    assert!(
        run.output().contains(
            "the experiment `echo` did not run: this test target needs `harness = false` in \
             Cargo.toml, below its `[[test]]` with `name = \"forgotten-both\"`, and \
             `honeyhive_harness::main!();` at the end of tests/forgotten-both.rs"
        ),
        "{}",
        run.output()
    );
}

#[test]
fn tests_beside_experiments_fail_the_run_and_the_experiments_run() {
    let run = PROJECT.cargo_test(["--test", "beside"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let mut tests = run.test_lines();
    tests.sort_unstable();
    assert_eq!(tests, [("echo::a", "ok"), ("functions_that_never_run", "FAILED")]);
    assert!(
        run.output().contains(
            "3 functions with #[test] did not run, as a target with `harness = false` runs \
             experiments alone: `plain` (tests/beside.rs:13), `with_tokio` (tests/beside.rs:16), \
             `inner::deep` (tests/checks/mod.rs:5); move them into a test target without \
             `harness = false`"
        ),
        "{}",
        run.output()
    );
    // A single case is not failed by them.
    let run = PROJECT.cargo_test(["--test", "beside"]).arguments(["--exact", "echo::a"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let run = PROJECT.cargo_test(["--test", "beside"]).arguments(["--list"]).run();
    assert!(run.stdout.contains("functions_that_never_run: test"), "{}", run.output());
}

#[test]
fn a_test_above_an_experiment_is_told() {
    let run = PROJECT.cargo_test(["--test", "above"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert!(
        run.output().contains(
            "1 experiment did not run, as the #[test] above takes the function away before \
             #[experiment] can register it: `echo` (tests/above.rs:9); remove #[test]"
        ),
        "{}",
        run.output()
    );
}

#[test]
fn what_only_looks_like_a_test_is_no_false_alarm() {
    let run = PROJECT.cargo_test(["--test", "looks"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(run.test_lines(), [("echo::a", "ok")]);
    let run = PROJECT.evals([""; 0]).run();
    assert_eq!((run.code, run.test_lines()), (Some(0), vec![("echo::a", "ok")]));
}

#[test]
fn experiments_of_unit_tests_fail_there() {
    let run = PROJECT.cargo_test(["--lib"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let tests = run.tests();
    for (test, outcome) in [
        ("evals::in_a_file_did_not_run", "FAILED"),
        ("tests::inline_did_not_run", "FAILED"),
        ("tests::some_unit_test", "ok"),
    ] {
        assert_eq!(tests.get(test).map(String::as_str), Some(outcome), "{}", run.output());
    }
    assert!(
        run.output()
            .contains("the experiment `inline` did not run: it stands below `#[cfg(test)]`")
    );
}

#[test]
fn experiments_of_programs_fail_in_their_unit_tests() {
    let run = PROJECT.cargo_test(["--bins"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    assert!(run.output().contains("experiments of a program cannot be linked into a test target"));
}

#[test]
fn a_target_without_main_names_the_line_to_add() {
    let project = Project::with_evals("no-main", &PLAIN.replace("honeyhive_harness::main!();", ""))
        .file("data/rows.jsonl", "{\"id\": \"a\", \"text\": \"hello\"}\n");
    let text = project.build_error();
    assert!(
        text.contains(
            "this test target has no `main` that runs its experiments: add \
             `honeyhive_harness::main!();` at the end of tests/evals.rs"
        ),
        "{text}"
    );
}
