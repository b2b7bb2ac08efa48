//! Tests panic hooks: no text of a panic is lost by the harness or the program, and a program gets
//! its own hook back.

use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};

use crate::interrupts;

/// A project whose program has its own `main`.
static PROGRAM: LazyLock<Project> =
    LazyLock::new(|| Project::with_evals("program", include_str!("evals/program.rs")));

fn program(mode: &str) -> Run {
    PROGRAM.evals([mode]).start().finish()
}

/// Returns the number of notes of a hook with this text.
fn hooked(run: &Run, text: &str) -> usize {
    run.notes("hook").iter().filter(|line| line.contains(text)).count()
}

/// Returns the number of panics with this text that the standard hook printed.
fn printed(run: &Run, text: &str) -> usize {
    run.stderr.lines().filter(|line| line.contains(text)).count()
}

#[test]
fn how_a_program_ends_is_its_own_business() {
    for (mode, code) in [("exit-within", 7), ("exit-after", 3), ("exit-beside", 0)] {
        let run = program(mode);
        assert_eq!(run.code, Some(code), "{mode}:\n{}", run.output());
        assert!(run.stderr.is_empty(), "{mode}:\n{}", run.output());
    }
}

#[test]
fn a_hook_of_the_program_is_called_and_comes_back() {
    let run = program("own-hook");
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(hooked(&run, "beside the case: Broken pipe"), 10);
    assert_eq!(hooked(&run, "within the case"), 2);
    assert_eq!(hooked(&run, "after the runs"), 1);
    let errors = run.notes("errors");
    assert_eq!(errors.len(), 2, "{errors:?}");
    let whole = |error: &String| {
        error.starts_with("panicked at tests/evals.rs:") && error.ends_with(": within the case")
    };
    assert!(errors.iter().all(whole), "{errors:?}");
    assert!(run.stderr.is_empty(), "{}", run.output());
}

#[test]
fn the_standard_hook_prints_what_is_no_result() {
    let run = program("default-hook");
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(printed(&run, "beside the case: Broken pipe"), 5, "{}", run.output());
    assert_eq!(printed(&run, "after the run"), 1, "{}", run.output());
    // This panic is the result of its case, so it is not printed.
    assert_eq!(printed(&run, "within the case"), 0, "{}", run.output());
    assert!(run.notes("errors")[0].ends_with(": within the case"));
}

#[test]
fn a_hook_that_is_set_meanwhile_stays_and_no_text_is_lost() {
    let run = program("hook-meanwhile");
    assert_eq!(hooked(&run, "within the case"), 1);
    assert_eq!(hooked(&run, "beside the case"), 5);
    assert_eq!(hooked(&run, "after the run"), 1);
    assert_eq!(run.notes("errors"), ["panicked: within the case"]);
    assert!(run.stderr.is_empty(), "{}", run.output());
}

#[test]
fn a_hook_on_top_of_ours_stays_and_no_text_is_lost() {
    let run = program("chained-hook");
    assert_eq!(hooked(&run, "within the case"), 2, "{:?}", run.notes("hook"));
    assert_eq!(hooked(&run, "beside the case"), 10);
    assert_eq!(hooked(&run, "after the run"), 1);
    let errors = run.notes("errors");
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.starts_with("panicked at tests/evals.rs:")));
    assert_eq!(printed(&run, "after the run"), 1, "{}", run.output());
}

// ---- under the test harness ----

#[test]
fn a_hook_that_code_under_test_sets_loses_no_text() {
    let run = interrupts::PROJECT.evals(["sets_a_hook::"]).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(hooked(&run, "no place for three"), 1);
    let failed: Vec<_> = run.cases().into_iter().filter(|case| !case.passed).collect();
    assert_eq!(failed[0].reasons, ["panicked: no place for three"]);
}

#[test]
fn panics_of_the_users_threads_are_printed() {
    let run = interrupts::PROJECT.evals(["panics_in_a_thread::"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(printed(&run, "thread 'mine'"), 1, "{}", run.output());
    assert_eq!(printed(&run, "Broken pipe (os error 32)"), 1, "{}", run.output());
}

#[test]
fn a_panic_of_a_dataset_function_is_told_with_its_place() {
    let run = interrupts::PROJECT.evals(["panics_in_rows::"]).run();
    assert_eq!(run.code, Some(101));
    let failure = run.failure("panics_in_rows::dataset");
    let text = "panicking_rows(): panicked at tests/evals.rs:";
    assert!(failure.contains(text), "{}", run.output());
    assert!(failure.contains("NO_SUCH_KEY is not set for the rows"), "{}", run.output());
}

#[test]
fn a_set_up_that_fails_is_named_by_the_cases_that_need_it() {
    let run = interrupts::PROJECT.evals(["needs_a_key::"]).run();
    assert_eq!(run.code, Some(101));
    let mut cases = run.cases();
    cases.sort_by(|a, b| a.case.cmp(&b.case));
    let cause = "NO_SUCH_KEY is not set: NotPresent";
    assert!(cases[0].reasons[0].ends_with(cause), "{:?}", cases[0].reasons);
    assert!(cases[1].reasons[0].contains("an odd number"), "{:?}", cases[1].reasons);
    for case in &cases[2..] {
        let reason = &case.reasons[0];
        assert!(reason.contains("has previously been poisoned; the panic before it: "), "{reason}");
        assert!(reason.ends_with(cause), "{reason}");
    }
    // Errors with their own cause are shown before those that follow from them.
    let place = |text: &str| run.stdout.rfind(text).unwrap_or_else(|| panic!("{}", run.output()));
    let summary = run.stdout.rfind("needs_a_key ·").expect("a summary");
    let (own, other, follows) = (
        run.stdout[summary..].find("needs_a_key::001").expect("the first"),
        run.stdout[summary..].find("needs_a_key::002").expect("the second"),
        place("needs_a_key::003") - summary,
    );
    assert!(own < follows && other < follows, "{}", run.output());
}

#[test]
fn a_poisoned_lock_is_traced_to_the_panic_that_held_it() {
    let run = interrupts::PROJECT.evals(["shares_a_lock::"]).run();
    let mut cases = run.cases();
    cases.sort_by(|a, b| a.case.cmp(&b.case));
    assert!(cases[2].reasons[0].ends_with("the counter is full"), "{:?}", cases[2].reasons);
    for case in &cases[3..] {
        assert!(case.reasons[0].contains("PoisonError"), "{:?}", case.reasons);
        assert!(case.reasons[0].ends_with("the counter is full"), "{:?}", case.reasons);
    }
}
