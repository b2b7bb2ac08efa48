//! Tests hard inputs: unusual files, ids, values, code and disks. Each error names its place, the
//! other cases are not affected, the journal has every case, and the process ends.

// The output says which checks were skipped.
#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use honeyhive_harness::journal::{JournalError, Record, SCHEMA, read_invocation};
use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;
use serde_json::json;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("hard-inputs", include_str!("evals/hard_inputs.rs"))
        .file("data/folder.jsonl/inside", "")
        .file("locked/locked.jsonl", "{\"q\": \"a\"}\n")
        .file("data/only_bom.csv", "\u{feff}")
        .file("data/header_only.csv", "id,q\n")
        .file("data/empty.json", " [\n] ")
        .file("data/truncated.jsonl", TRUNCATED)
        .file("data/truncated.json", "[{\"id\": \"a\", \"q\": \"1\"},\n {\"id\": \"b\", \"q\": \"2")
        .file("data/truncated.csv", "id,q,n\na,x,1\nb,\"y\n")
        .file("data/spreadsheet.csv", SPREADSHEET)
        .file("data/hard_ids.jsonl", hard_ids_file())
        .file("data/numbers.jsonl", NUMBERS)
        .file("data/numbers.csv", NUMBER_CELLS)
        .file("data/deep.jsonl", deep())
});

const TRUNCATED: &str =
    "{\"id\": \"a\", \"q\": \"1\"}\n{\"id\": \"b\", \"q\": \"2\"}\n{\"id\": \"c\", \"q\": \"th";

const SPREADSHEET: &str = "\u{feff}\"id\",\"q\",\"say \"\"why\"\"\"\r\n\
a,\"two\r\nlines, and a \"\"quote\"\"\",because\r\n\
\r\n\
b,short\r\n\
c,\"a, b\",x,too many\r\n\
d,\u{feff}mark,\" space \"\r\n";

const NUMBERS: &str = r#"{"id": "below-i64", "n": -9223372036854775809}
{"id": "beyond-f64", "n": 1e400}
{"id": "beyond-u64", "n": 18446744073709551616}
{"id": "largest-u64", "n": 18446744073709551615}
{"id": "smallest-i64", "n": -9223372036854775808}
{"id": "tiny", "n": 1e-400}
"#;

const NUMBER_CELLS: &str = "id,n\n\
beyond-u64,18446744073709551616\n\
beyond-u128,340282366920938463463374607431768211456\n\
small,7\n";

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn deep() -> String {
    let row = |id: &str, depth| format!("{{\"id\": \"{id}\", \"q\": {}}}\n", nested(depth));
    // The last row has no id of its own.
    row("flat", 1)
        + &row("100", 100)
        + &row("126", 126)
        + &row("10000", 10_000)
        + &format!("{{\"q\": {}}}\n", nested(10_000))
}

fn run(filter: &str) -> Run {
    complete(PROJECT.evals([filter]).run())
}

/// Checks that every reported case is in the journal, and that no line is torn.
fn complete(run: Run) -> Run {
    if run.invocations().is_empty() {
        return run;
    }
    let journal = run.journal();
    assert_eq!(journal.torn, [""; 0].map(PathBuf::from));
    let recorded: BTreeSet<String> = run.cases().into_iter().map(|case| case.test).collect();
    for (test, outcome) in run.tests() {
        let is_case = !test.ends_with("::dataset") && !test.ends_with("::gate");
        assert!(!is_case || recorded.contains(&test), "{test} ({outcome}) is not recorded");
    }
    assert!(run.end().is_some(), "the process ended in good order");
    run
}

fn report(filter: &str) -> String {
    run(filter).report()
}

fn passed(run: &Run) -> Vec<String> {
    run.tests().into_iter().filter(|(_, outcome)| outcome == "ok").map(|(name, _)| name).collect()
}

// ---- files ----

#[test]
fn a_directory_in_the_place_of_a_file_is_told() {
    assert_snapshot!(report("folder::"), @"
    exit code 101
    folder::dataset  FAILED
        data/folder.jsonl is a directory; a dataset file ends in .jsonl, .json or .csv; read any other format in a function and name that: `dataset = my_rows`
        (dataset of `folder`, tests/evals.rs:<line>)
    ");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    PROJECT.ensure_built();
    let file = PROJECT.directory().join("locked/locked.jsonl");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("permissions");
    let cargo = PROJECT.evals(["locked::"]);
    let run = if fs::read(&file).is_ok() {
        // Root can read all files unless it gives up that capability.
        let give_up = "setpriv --bounding-set=-dac_override,-dac_read_search";
        cargo.start_after(&format!("exec {give_up} \"$0\" \"$@\"")).finish()
    } else {
        cargo.start().finish()
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("permissions");
    assert_eq!(run.code, Some(101));
    let failure = run.failure("locked::dataset");
    assert!(failure.starts_with("cannot read ") && failure.contains("denied"), "{failure}");
}

#[test]
fn files_without_a_row_are_a_failure() {
    assert_snapshot!(report("empty_"), @"
    exit code 101
    empty_array::dataset  FAILED
        data/empty.json has no rows; an experiment without datapoints shows nothing
        (dataset of `empty_array`, tests/evals.rs:<line>)
    empty_csv::dataset    FAILED
        data/only_bom.csv has no rows; an experiment without datapoints shows nothing
        (dataset of `empty_csv`, tests/evals.rs:<line>)
    empty_table::dataset  FAILED
        data/header_only.csv has no rows; an experiment without datapoints shows nothing
        (dataset of `empty_table`, tests/evals.rs:<line>)
    ");
}

#[test]
fn a_file_that_was_cut_off_within_a_row_is_told() {
    assert_snapshot!(report("cut_lines::"), @"
    exit code 101
    cut_lines::a       ok  pass
    cut_lines::b       ok  pass
    cut_lines::line-3  FAILED  error
        data/truncated.jsonl:3: not valid JSON: EOF while parsing a string (column 20): a string has no closing quote; write a line break within it as \\n
    ");
    assert_snapshot!(report("cut_array::"), @"
    exit code 101
    cut_array::dataset  FAILED
        data/truncated.json:2: not valid JSON: EOF while parsing a string (column 20): a string has no closing quote; write a line break within it as \\n
        (dataset of `cut_array`, tests/evals.rs:<line>)
    ");
    assert_snapshot!(report("cut_table::"), @r#"
    exit code 101
    cut_table::dataset  FAILED
        data/truncated.csv:3: the quote before "y" is never closed, so that all further lines would be one cell
        (dataset of `cut_table`, tests/evals.rs:<line>)
    "#);
}

/// Removes the directory when the test ends, also after a panic.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn two_hundred_megabytes_are_listed_and_selected_from() {
    const ROWS: usize = 200_000;
    // The first run builds the project, so that the build is not timed.
    PROJECT.evals(["--list", "--exact", "none"]).run();
    let directory = Removed(PROJECT.directory().join("large"));
    fs::create_dir_all(&directory.0).expect("a directory");
    let path = directory.0.join("200mb.jsonl");
    let mut file = BufWriter::new(fs::File::create(&path).expect("a file"));
    let text = "all work and no play ".repeat(46);
    for row in 0..ROWS {
        writeln!(
            file,
            "{{\"id\": \"row-{row}\", \"inputs\": {{\"q\": \"{row} {text}\"}}, \"tags\": []}}"
        )
        .expect("room on the disk");
    }
    file.into_inner().expect("room on the disk");
    let size = fs::metadata(&path).expect("a file").len();
    assert!(size > 200_000_000, "{size}");

    let limit = Duration::from_secs(120);
    let started = Instant::now();
    let listed = PROJECT.evals(["--list", "huge::"]).run();
    let took = started.elapsed();
    let rows = listed.stdout.lines().filter(|line| line.starts_with("huge::row-")).count();
    assert_eq!((listed.code, rows), (Some(0), ROWS));
    assert!(took < limit, "the list took {took:?}");

    let started = Instant::now();
    let run = complete(PROJECT.evals(["--exact", "huge::row-199999"]).run());
    let took = started.elapsed();
    assert_eq!(run.test_lines(), [("huge::row-199999", "ok")]);
    let length = "199999 ".len() + text.len();
    assert_eq!(run.attempt("row-199999").output, Some(length.into()));
    assert!(took < limit, "the case took {took:?}");
}

#[test]
fn a_table_from_a_spreadsheet() {
    let run = run("spreadsheet::");
    assert_snapshot!(run.report(), @"
    exit code 101
    spreadsheet::a       ok  pass
    spreadsheet::d       ok  pass
    spreadsheet::line-5  FAILED  error
        data/spreadsheet.csv:5: 2 cells, but the header has 3 columns; quote cells that contain separators
    spreadsheet::line-6  FAILED  error
        data/spreadsheet.csv:6: 4 cells, but the header has 3 columns; quote cells that contain separators
    ");
    let of = |case| run.attempt(case).output.unwrap_or_default().to_string();
    assert_snapshot!(of("a"), @r#"{"q":"two\r\nlines, and a \"quote\"","say \"why\"":"because"}"#);
    assert_snapshot!(of("d"), @r#"{"q":"﻿mark","say \"why\"":" space "}"#);
}

// ---- ids ----

fn hard_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "a/b/c",
        "/",
        "..",
        "a::b",
        "a b",
        "gate",
        "dataset",
        "--exact",
        "-",
        "寿司",
        "e\u{301}",
        "👩‍👩‍👧",
        "\u{1b}[31mred\u{1b}[0m",
        "bell\u{7}",
        "two\nlines",
        "test x ... ok\ntest y ... ok",
        "nul\0",
        "\u{202e}evil",
        "\u{9b}2J",
        "tab\there",
        " ",
        "$(reboot)",
        "'; rm -rf /",
        "\\",
        "\"",
        "*",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(60));
    ids.push("x".repeat(61));
    ids.push("x".repeat(300));
    ids.push(format!("{}y", "x".repeat(299)));
    ids.push("日本".repeat(150));
    ids
}

fn hard_ids_file() -> String {
    let rows = hard_ids().into_iter().enumerate();
    rows.map(|(n, id)| json!({ "id": id, "n": n }).to_string() + "\n").collect()
}

#[test]
fn ids_with_anything_in_them_run_and_run_again_by_their_printed_name() {
    let ids = hard_ids();
    let run = run("hard_ids::");
    assert_eq!(run.code, Some(0), "{}", run.output());
    let mut seen = BTreeSet::new();
    for case in run.cases() {
        let name = case.test.strip_prefix("hard_ids::").expect("a case of the experiment");
        let fine = |c: char| c.is_ascii_alphanumeric() || "_.~-".contains(c);
        assert!(!name.is_empty() && name.len() <= 60 && name.chars().all(fine), "{name:?}");
        assert!(ids.contains(&case.case), "{:?} is none of the ids", case.case);
        assert!(run.tests().contains_key(&case.test), "{}", run.output());
        // A user may copy this name from the output.
        let again = PROJECT.evals(["--exact", &case.test]).start().finish();
        assert_eq!(again.test_lines(), [(case.test.as_str(), "ok")]);
        let cases: Vec<String> = again.cases().into_iter().map(|case| case.case).collect();
        assert_eq!(cases, [case.case.as_str()]);
        assert!(seen.insert(case.test), "two cases have one name");
    }
    assert_eq!(seen.len(), ids.len());
    for text in [&run.stdout, &run.stderr] {
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(bad), "{text:?}");
    }
}

// ---- values ----

#[test]
fn numbers_that_are_too_large() {
    assert_snapshot!(report("any_number::"), @"
    exit code 101
    any_number::below-i64     ok  pass
    any_number::beyond-u64    ok  pass
    any_number::largest-u64   ok  pass
    any_number::line-2        FAILED  error
        data/numbers.jsonl:2: not valid JSON: number out of range (column 31)
    any_number::smallest-i64  ok  pass
    any_number::tiny          ok  pass
    ");
    assert_snapshot!(report("small_number::"), @"
    exit code 101
    small_number::below-i64     FAILED  error
        data/numbers.jsonl:1: `n` (-9.223372036854776e+18) is not a `u64`: invalid type: floating point `-9.223372036854776e+18`, expected u64
    small_number::beyond-u64    FAILED  error
        data/numbers.jsonl:3: `n` (1.8446744073709552e+19) is not a `u64`: invalid type: floating point `1.8446744073709552e+19`, expected u64
    small_number::largest-u64   ok  pass
    small_number::line-2        FAILED  error
        data/numbers.jsonl:2: not valid JSON: number out of range (column 31)
    small_number::smallest-i64  FAILED  error
        data/numbers.jsonl:5: `n` (-9223372036854775808) is not a `u64`: invalid value: integer `-9223372036854775808`, expected u64
    small_number::tiny          FAILED  error
        data/numbers.jsonl:6: `n` (0.0) is not a `u64`: invalid type: floating point `0.0`, expected u64
    ");
    // A cell is text, so all digits are kept until the parameter is read as a number.
    let run = run("number_in_cell::");
    assert_eq!(passed(&run), ["number_in_cell::beyond-u64", "number_in_cell::small"]);
    assert_eq!(run.attempt("beyond-u64").output, Some("18446744073709551616".into()));
    let error = run.attempt("beyond-u128").error.expect("an error").message;
    assert!(error.starts_with("data/numbers.csv:3: `n` (\"34028"), "{error}");
    assert!(error.contains(" is not a `u128`: "), "{error}");
}

#[test]
fn deep_nesting_in_a_row_is_read_or_told() {
    let run = run("deep_rows::");
    assert_eq!(run.cases().len(), 5, "{}", run.output());
    for attempt in run.attempts() {
        let error = attempt.error.map(|error| error.message);
        let told = error.as_ref().is_some_and(|error| {
            error.starts_with("data/deep.jsonl:")
                && (error.contains("recursion limit") || error.contains("nested"))
        });
        match (attempt.case.as_str(), attempt.output) {
            ("flat", Some(output)) => assert_eq!(output.to_string(), nested(1)),
            ("100", Some(output)) => assert_eq!(output.to_string(), nested(100)),
            // This is the limit of JSON's depth: the row is read or refused, but never read in
            // part.
            ("126", Some(output)) => assert_eq!(output.to_string(), nested(126)),
            ("126" | "line-4" | "line-5", None) => assert!(told, "{error:?}"),
            (case, _) => panic!("{case}: {error:?}"),
        }
    }
}

/// Every output that is written to a journal can be read from it.
#[test]
fn deep_nesting_in_an_output_is_recorded_or_told() {
    let run = run("deep_outputs::");
    assert_eq!(run.cases().len(), 6);
    for attempt in run.attempts() {
        let depth: usize = attempt.case.parse().expect("a depth");
        match (attempt.output, attempt.error) {
            (Some(output), None) => assert_eq!(output.to_string(), nested(depth)),
            (None, Some(error)) => {
                assert!(depth > 100 && error.message.contains("nest"), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(passed(&run).contains(&"deep_outputs::0100".to_owned()));
}

#[test]
fn nesting_that_no_stack_can_hold_is_told_and_harms_nobody() {
    let run = complete(PROJECT.evals(["bottomless::"]).start().finish());
    assert_eq!(run.code, Some(101), "{}{}", run.stdout, run.stderr);
    assert_eq!(passed(&run), ["bottomless::flat"]);
    let error = run.attempt("deep").error.expect("an error").message;
    assert!(error.contains("nest"), "{error}");
}

// ---- evaluators ----

#[test]
fn async_evaluators_that_give_no_score() {
    let run = run("async_judges::");
    assert_snapshot!(run.report(), @"
    exit code 101
    async_judges::fine      ok  pass
    async_judges::infinite  FAILED  unscored
        evaluator `misjudges`: returned -inf, which is no score
    async_judges::nan       FAILED  unscored
        evaluator `misjudges`: returned NaN, which is no score
    async_judges::payload   FAILED  unscored
        evaluator `misjudges`: panicked at tests/evals.rs:<line>: a value that is no text
    ");
    for attempt in run.attempts() {
        assert!(attempt.scores[1].value.is_some(), "the other evaluator scored {}", attempt.case);
    }
}

// ---- functions ----

#[test]
fn a_runtime_that_is_shut_down_within_a_function_harms_nobody() {
    let run = complete(PROJECT.evals(["ends_its_runtime::"]).start().finish());
    assert_eq!((run.code, passed(&run).len()), (Some(0), 10), "{}", run.output());
}

#[test]
fn a_runtime_that_is_dropped_in_async_code_is_an_error_of_its_case_alone() {
    let run = run("drops_a_runtime::");
    assert_eq!((run.code, passed(&run).len()), (Some(101), 9), "{}", run.output());
    let error = run.attempt("04").error.expect("an error").message;
    assert!(error.contains("Cannot drop a runtime in a context where blocking"), "{error}");
}

#[test]
fn threads_and_tasks_that_outlive_their_function_do_not_keep_the_process() {
    let started = Instant::now();
    let run = complete(PROJECT.evals(["leaves_"]).start().finish());
    assert_eq!((run.code, passed(&run).len()), (Some(0), 20), "{}", run.output());
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(!run.notes("alive").is_empty());
    for attempt in run.attempts() {
        let left = usize::from(attempt.experiment == "leaves_threads");
        assert_eq!(attempt.open_spans, left, "{}", attempt.case);
    }
}

#[test]
fn a_megabyte_of_prints_harms_nobody() {
    let run = run("prints_a_megabyte::");
    assert_eq!(run.code, Some(0), "{}", run.cargo_stderr.lines().count());
    assert_eq!(passed(&run).len(), 3);
    // The output is not captured, and it is complete.
    for what in ["a", "b", "c"] {
        let line = what.repeat(1023);
        for text in [&run.stdout, &run.stderr] {
            assert_eq!(text.lines().filter(|other| **other == line).count(), 1024);
        }
    }
}

#[test]
fn an_output_that_json_cannot_say_is_an_error_of_its_case() {
    assert_snapshot!(report("odd_keys::"), @"
    exit code 101
    odd_keys::none     FAILED  error
        the output cannot be written as JSON: key must be a string
    odd_keys::numbers  ok  pass
    odd_keys::pairs    FAILED  error
        the output cannot be written as JSON: key must be a string
    odd_keys::texts    ok  pass
    ");
    assert_snapshot!(report("odd_numbers::"), @"
    exit code 0
    odd_numbers::infinite  ok  pass
    odd_numbers::nan       ok  pass
    odd_numbers::wide      ok  pass
    ");
}

// ---- the disk ----

/// Unmounts the file system when the test ends, also after a panic.
#[cfg(target_os = "linux")]
struct Mounted(PathBuf);

#[cfg(target_os = "linux")]
impl Mounted {
    fn new(directory: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&directory).expect("a directory");
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&directory);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        fs::remove_dir(&directory).expect("an empty directory");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing_that_was_reported() {
    let cargo = PROJECT.evals(["wordy::"]);
    let disk = Mounted::new(cargo.scratch().join("journal"), "256k");
    // Where mounting is not allowed, a limit on the size of files gives another write error.
    let (process, error) = if disk.is_some() {
        (cargo.start(), "No space left on device")
    } else {
        (cargo.start_after("trap '' XFSZ; ulimit -f 512"), "File too large")
    };
    let run = process.finish();
    assert_eq!(run.code, Some(101));
    let calls = run.notes("wordy").len();
    assert!(calls < 300, "{calls} of 300 cases were called");
    let recorded: BTreeSet<String> = run.cases().into_iter().map(|case| case.test).collect();
    assert!((10..300).contains(&recorded.len()), "{} recorded", recorded.len());
    for test in passed(&run) {
        assert!(recorded.contains(&test), "{test} passed and is not recorded");
    }
    assert_eq!(run.journal().torn, [""; 0].map(PathBuf::from));
    let said = run.stdout.lines().find(|line| line.starts_with("NOT RECORDED"));
    assert!(said.is_some_and(|line| line.contains(error)), "{}", run.output());
    drop(disk);
}

#[test]
fn two_invocations_at_once_do_not_meet() {
    let first = PROJECT.evals(["wordy::"]);
    let directory = first.scratch().join("journal");
    let go = first.scratch().join("go");
    let first = first.env("GO", &go);
    let second = PROJECT.evals(["wordy::"]).env("HH_DIR", &directory).env("GO", &go);
    let (mut first, mut second) = (first.start(), second.start());
    first.wait_for_notes("wordy", 1);
    second.wait_for_notes("wordy", 1);
    assert!(first.is_running() && second.is_running());
    fs::write(&go, "").expect("a file");
    let (second, first) = (second.finish(), first.finish());
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}", first.output());
    let invocations = first.invocations();
    assert_eq!(invocations.len(), 2, "{invocations:?}");
    for invocation in invocations {
        let journal = read_invocation(&invocation).expect("a journal");
        assert_eq!(journal.torn, [""; 0].map(PathBuf::from));
        let of = |pick: fn(&Record) -> bool| journal.records.iter().filter(|it| pick(it)).count();
        assert_eq!(of(|record| matches!(record, Record::Invocation(_))), 1);
        assert_eq!(of(|record| matches!(record, Record::Attempt(_))), 300);
        assert_eq!(of(|record| matches!(record, Record::Case(_))), 300);
        assert_eq!(of(|record| matches!(record, Record::End(_))), 1);
    }
}

#[test]
fn a_journal_of_a_later_version_is_told_and_not_misread() {
    let run = run("async_judges::fine");
    let directory: &Path = &run.invocations()[0];
    assert!(read_invocation(directory).is_ok());
    // The file is beside one of this version, as after copying the journals of shards into one
    // directory.
    let invocation = json!({"type": "invocation", "schema": SCHEMA + 1, "pid": "a text by then"});
    fs::write(directory.join("zz.jsonl"), format!("{invocation}\n\"weather\"\n"))
        .expect("a writable directory");
    let error = read_invocation(directory).expect_err("a later schema");
    assert!(
        matches!(&error, JournalError::Newer { schema, .. } if *schema == SCHEMA + 1),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("zz.jsonl: written by a later honeyhive-harness"), "{text}");
    assert!(text.ends_with("update it"), "{text}");
}
