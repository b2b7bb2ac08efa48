//! Tests few threads, little memory, a clock before 1970 and a million bad rows: each ends with a
//! message.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use honeyhive_tests::Run;

use crate::interrupts::PROJECT;

/// Runs ten short cases after a shell command. Checks that all pass, or that the run says why not.
fn after(command: &str) -> Run {
    let run = PROJECT.evals(["exits::"]).start_after(command).finish();
    match run.code {
        Some(0) => {
            assert_eq!(run.cases().len(), 10, "{command}:\n{}", run.output());
            assert!(run.cases().iter().all(|case| case.passed), "{command}:\n{}", run.output());
        }
        _ => assert!(!run.stderr.trim().is_empty(), "{command}: nothing is said"),
    }
    run
}

/// Returns a command that limits the number of threads, including the main one. The limit does not
/// apply to root, and counts other processes of the same user: so root becomes a user without
/// processes, and any other user gets that many more.
fn threads(count: usize) -> String {
    let me = fs::metadata("/proc/self").expect("a process").uid();
    if me == 0 {
        format!(
            "chmod 777 \"$SCRATCH\"; exec setpriv --reuid=54321 --regid=54321 --clear-groups \
             prlimit --nproc={count} \"$0\" \"$@\""
        )
    } else {
        format!("ulimit -u $(( $(ps -L -u {me} -o lwp= | wc -l) + {count} ))")
    }
}

#[test]
fn without_threads_there_is_an_error_and_an_end() {
    for count in [2, 4, 8] {
        let run = after(&threads(count));
        assert_eq!(run.code, Some(101), "{}", run.output());
        let text = "threads can be started here, and a run needs at least 9: ";
        assert!(run.stderr.contains(text), "{}", run.output());
        assert!(run.stderr.contains("ulimit -u"), "{}", run.output());
        assert!(run.invocations().is_empty(), "nothing has begun");
    }
}

#[test]
fn with_few_threads_few_cases_run_at_once() {
    for count in [14, 20, 30] {
        let run = after(&threads(count));
        assert_eq!(run.code, Some(0), "{count}:\n{}", run.output());
        assert!(run.stderr.contains(" at once"), "{count}:\n{}", run.output());
    }
    let run = after(&threads(200));
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert!(run.stderr.is_empty(), "{}", run.output());
}

#[test]
fn with_little_memory_there_is_an_end() {
    for kilobytes in [150_000, 250_000, 300_000, 400_000, 600_000, 1_000_000] {
        after(&format!("ulimit -v {kilobytes}"));
    }
}

#[test]
fn one_case_starts_few_threads() {
    let run = PROJECT.evals(["--exact", "counts_threads::001"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let threads: usize = run.notes("threads")[0].parse().expect("a number");
    let cores = std::thread::available_parallelism().map_or(4, usize::from);
    assert!(threads <= cores.max(4) + 12, "{threads} threads");
}

#[test]
fn many_bad_rows_are_one_failing_test() {
    let run = PROJECT.evals(["broken::"]).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.tests().len(), 1, "{}", run.output());
    let begin = "200,000 rows of broken_rows() cannot be run, of 200,000; beyond 100 of them nothing \
                 is run.";
    assert!(run.stdout.replace("\n    ", " ").contains(begin), "{}", run.output());
    assert!(
        run.stdout.contains("broken_rows() row 1: unknown key `grund_truth`"),
        "{}",
        run.output()
    );
    assert!(run.stdout.contains("broken_rows() row 100: "), "{}", run.output());
    assert!(!run.stdout.contains("broken_rows() row 101: "), "{}", run.output());
    assert!(run.stdout.contains("and 199,900 more rows like these"), "{}", run.output());
}

#[test]
fn many_rows_that_lack_an_input_are_one_failing_test() {
    let run = PROJECT.evals(["without_input::"]).run();
    assert_eq!(run.code, Some(101));
    let failed: Vec<_> =
        run.tests().into_iter().filter(|(_, outcome)| outcome == "FAILED").collect();
    assert_eq!(failed.len(), 1, "{}", run.output());
    assert!(run.stdout.contains("19,999 rows of rows_without_input()"), "{}", run.output());
    assert!(run.stdout.contains("and 19,899 more rows like these"), "{}", run.output());
}

#[test]
fn many_rows_of_one_id_are_one_failing_test() {
    let run = PROJECT.evals(["all_of_one_id::"]).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.tests().len(), 1);
    assert!(run.stdout.contains("and 199,989 more"), "{}", run.output());
}
