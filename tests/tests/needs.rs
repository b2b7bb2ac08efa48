//! Tests that a test whose tool is missing is skipped with a message, and fails in CI.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use honeyhive_tests::needs;

/// Runs `needs_python` below in a process whose `PATH` has no programs.
fn without_tools(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "needs_python", "--ignored"]).env_clear().env("PATH", "/nonexistent");
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
#[ignore = "run by other tests"]
fn needs_python() {
    assert!(!needs::python(), "nothing is on PATH");
}

#[test]
fn a_missing_tool_is_one_line_and_no_failure() {
    for variables in [&[][..], &[("CI", "false"), ("HH_TESTS_REQUIRE", "0")], &[("CI", "")]] {
        let output = without_tools(variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let lines: Vec<&str> = said.lines().collect();
        let [line] = lines[..] else { panic!("{lines:?}") };
        assert!(line.starts_with("SKIPPED needs_python: it needs python3: "), "{line}");
        assert!(line.ends_with("; `bash .ci/tools python` installs it"), "{line}");
    }
}

#[test]
fn a_missing_tool_is_a_failure_where_it_is_required() {
    for variables in [[("CI", "true")], [("CI", "1")], [("HH_TESTS_REQUIRE", "1")]] {
        let output = without_tools(&variables);
        assert!(!output.status.success(), "{variables:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("this test needs python3, and "), "{said}");
        assert!(said.contains("`bash .ci/tools python` installs it"), "{said}");
    }
}
