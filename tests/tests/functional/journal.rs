//! Tests the journal: its contents, its location, and write errors.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use honeyhive_harness::journal::{Record, read_invocation};
use honeyhive_tests::{Project, Run, is_target_dir, sealed};
use insta::assert_snapshot;
use serde_json::Value;

pub(crate) static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("journal", include_str!("evals/journal.rs"))
        .target("more", include_str!("evals/journal.rs"))
});

fn run() -> Run {
    PROJECT.evals(["answer::"]).run()
}

/// Returns the lines of the one file.
fn lines(run: &Run) -> Vec<Value> {
    let [file] = &files(&run.invocations()[0])[..] else { panic!("one file was expected") };
    let text = fs::read_to_string(file).expect("a readable file");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a readable directory");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// The suffixes of fields whose values differ from run to run.
const VARIES: [&str; 9] =
    ["_ns", "_at", "_ms", "run_id", "session_id", "span_id", "trace_id", "pid", "hash"];

/// Puts `<name>` for values that differ from run to run.
fn blank(key: &str, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| blank(key, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| blank(key, item)),
        _ if key == "timeout_ms" => {}
        _ if key == "invocation" || VARIES.iter().any(|end| key.ends_with(end)) => {
            *value = format!("<{key}>").into();
        }
        Value::Number(number) if number.is_f64() => {
            // The last digits depend on the platform.
            *value = number.as_f64().map(|number| (number * 1e4).round() / 1e4).into();
        }
        _ => {}
    }
}

/// Formats a line of the journal as a list of its fields.
fn stable(run: &Run, mut line: Value) -> String {
    if let Some(spans) = line.get_mut("spans").and_then(Value::as_array_mut) {
        spans.sort_by_key(|span| span["start_unix_ns"].as_u64());
    }
    blank("", &mut line);
    if let Some(fields) = line.as_object_mut() {
        // All lines have these two fields; `each_line_has_its_number_and_its_checksum` checks them.
        fields.retain(|key, _| key != "line" && key != "crc");
    }
    let mut text = String::new();
    for (key, value) in line.as_object().expect("a record") {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let _ = writeln!(text, "{key}:");
                for item in items {
                    let _ = writeln!(text, "  {item}");
                }
            }
            _ => drop(writeln!(text, "{key}: {value}")),
        }
    }
    run.normalize(&text)
}

#[test]
fn records_come_in_their_order() {
    let run = run();
    let lines = lines(&run);
    let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(types[..2], ["invocation", "experiment"]);
    assert_eq!(types[types.len() - 1], "end");
    let count = |wanted| types.iter().filter(|kind| **kind == wanted).count();
    assert_eq!((count("attempt"), count("case"), count("gate"), count("git")), (6, 3, 1, 1));
    assert_eq!(types.len(), 14);
    // A case is written with or after all of its attempts.
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line["type"] == "attempt") {
        let case =
            lines.iter().position(|other| other["type"] == "case" && other["case"] == line["case"]);
        assert!(case.is_some_and(|case| case > at), "{line}");
    }
}

#[test]
fn each_line_has_its_number_and_its_checksum() {
    let run = run();
    let [file] = &files(&run.invocations()[0])[..] else { panic!("one file was expected") };
    let text = fs::read_to_string(file).expect("a readable file");
    for (at, line) in text.lines().enumerate() {
        let (body, crc) = line.rsplit_once(",\"crc\":\"").expect("a checksum");
        assert_eq!(crc.strip_suffix("\"}").map(str::len), Some(8), "{line}");
        assert_eq!(sealed(line), line);
        assert!(body.ends_with(&format!(",\"line\":{}", at + 1)), "{line}");
    }
}

#[test]
fn an_invocation_record() {
    let run = run();
    assert_snapshot!(stable(&run, lines(&run)[0].clone()), @r#"
    arguments: ["answer::"]
    harness: "0.1.0"
    invocation: "<invocation>"
    package: "journal"
    package_dir: "<project>"
    pid: "<pid>"
    rerun: "cargo test --test evals --"
    runner_attempt: 1
    schema: 2
    service: "journal"
    source: "evaluation"
    started_at: "<started_at>"
    target: "evals"
    type: "invocation"
    "#);
}

#[test]
fn an_experiment_record() {
    let run = run();
    assert_snapshot!(stable(&run, lines(&run)[1].clone()), @r#"
    baseline: "<project>/baselines/answer.json"
    concurrency: 2
    datapoint_ids: ["EXT-faq-good","EXT-faq-bad","EXT-faq-down"]
    dataset: "faq"
    dataset_id: "EXT-faq"
    dataset_origin: "questions()"
    evaluators:
      {"direction":"maximize","name":"right","range":[0.0,1.0],"reduce":"mean","settings":"strict = true","shape":"score","source_hash":"<source_hash>","threshold":0.5}
      {"direction":"minimize","name":"length","reduce":"mean","shape":"number","source_hash":"<source_hash>"}
    experiment: "answer"
    function: "answer"
    gate_rules:
      {"test":{"limit":{"comparison":">=","limit":0.5,"measure":"mean","mode":"point","of":{"evaluator":0}}},"text":"mean(right) >= 0.5"}
      {"test":{"limit":{"comparison":"<=","limit":0.5,"measure":"error_rate","mode":"point","of":"errors"}},"text":"error_rate <= 0.5"}
    gates: ["mean(right) >= 0.5","error_rate <= 0.5"]
    metadata: {"model":"m-1","seed":7,"stream":false,"temperature":0.5}
    module: "evals"
    place: "tests/evals.rs:<line>"
    repeats: 2
    require: ["length <= 100"]
    require_rules:
      {"evaluator":1,"limit":["<=",100.0],"text":"length <= 100"}
    retries: 1
    rows: 3
    run_id: "<run_id>"
    selected: 3
    tags: ["nightly"]
    timeout_ms: 5000
    type: "experiment"
    "#);
}

fn attempt_of(run: &Run, case: &str) -> String {
    let is_it =
        |line: &&Value| line["type"] == "attempt" && line["case"] == case && line["attempt"] == 1;
    stable(run, lines(run).iter().find(is_it).expect("an attempt").clone())
}

#[test]
fn an_attempt_record() {
    assert_snapshot!(attempt_of(&run(), "good"), @r#"
    attempt: 1
    case: "good"
    datapoint_id: "EXT-faq-good"
    dataset_id: "EXT-faq"
    duration_ms: "<duration_ms>"
    experiment: "answer"
    ground_truth: "good"
    inputs: {"question":"good"}
    metadata: {"lang":"en"}
    output: "good"
    redacted: []
    row: 0
    run_id: "<run_id>"
    scores:
      {"duration_ms":"<duration_ms>","evaluator":"right","explanation":"strict: true","label":"right","metadata":{"judge":"equality"},"value":1.0}
      {"duration_ms":"<duration_ms>","evaluator":"length","value":4}
    session_id: "<session_id>"
    spans:
      {"attributes":{"honeyhive_event_type":"chain"},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"answer","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
      {"attributes":{"tokens":12},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"ask","parent_span_id":"<parent_span_id>","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
      {"attributes":{"evaluator.explanation":"strict: true","evaluator.label":"right","evaluator.name":"right","evaluator.passed":true,"evaluator.score":1.0,"evaluator.type":"code","honeyhive_event_type":"evaluator"},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"evaluator.right","parent_span_id":"<parent_span_id>","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
      {"attributes":{"evaluator.name":"length","evaluator.score":4.0,"evaluator.type":"code","honeyhive_event_type":"evaluator"},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"evaluator.length","parent_span_id":"<parent_span_id>","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
    started_at: "<started_at>"
    tags: ["smoke"]
    trace_id: "<trace_id>"
    tries: 1
    type: "attempt"
    "#);
}

#[test]
fn an_attempt_record_of_an_error() {
    assert_snapshot!(attempt_of(&run(), "down"), @r#"
    attempt: 1
    case: "down"
    datapoint_id: "EXT-faq-down"
    dataset_id: "EXT-faq"
    duration_ms: "<duration_ms>"
    error: {"kind":"returned","message":"no answer"}
    experiment: "answer"
    ground_truth: "down"
    inputs: {"question":"down"}
    redacted: []
    row: 2
    run_id: "<run_id>"
    scores: []
    session_id: "<session_id>"
    spans:
      {"attributes":{"error.type":"returned","honeyhive_event_type":"chain"},"end_unix_ns":"<end_unix_ns>","events":[{"at_unix_ns":"<at_unix_ns>","attributes":{"exception.message":"no answer","exception.type":"returned"},"name":"exception"}],"kind":"internal","name":"answer","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>","status":{"error":"no answer"}}
      {"attributes":{"tokens":12},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"ask","parent_span_id":"<parent_span_id>","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
      {"attributes":{"tokens":12},"end_unix_ns":"<end_unix_ns>","kind":"internal","name":"ask","parent_span_id":"<parent_span_id>","span_id":"<span_id>","start_unix_ns":"<start_unix_ns>"}
    started_at: "<started_at>"
    trace_id: "<trace_id>"
    tries: 2
    type: "attempt"
    "#);
}

#[test]
fn case_gate_and_end_records() {
    let run = run();
    let mut rest: Vec<String> = lines(&run)
        .into_iter()
        .filter(|line| ["case", "gate", "end"].iter().any(|kind| line["type"] == *kind))
        .map(|line| stable(&run, line))
        .collect();
    // Cases end in any order.
    rest[..3].sort();
    assert_snapshot!(rest.concat(), @r#"
    case: "bad"
    experiment: "answer"
    passed: true
    reasons: ["right 0 over 2 attempts, needs >= 0.5: wrong: strict: true"]
    row_hash: "<row_hash>"
    state: "fail"
    test: "answer::bad"
    type: "case"
    case: "down"
    experiment: "answer"
    passed: true
    reasons: ["error: no answer (attempt 1)","error: no answer (attempt 2)"]
    row_hash: "<row_hash>"
    state: "error"
    test: "answer::down"
    type: "case"
    case: "good"
    experiment: "answer"
    passed: true
    row_hash: "<row_hash>"
    state: "pass"
    test: "answer::good"
    type: "case"
    experiment: "answer"
    passed: true
    rules:
      {"interval":[0.0945,0.9055],"n":2,"rule":"mean(right) >= 0.5","text":"mean(right) >= 0.5: 0.5, n = 2 of 3, 1 without a score, 95 % 0.095 to 0.905; only 4 of 6 attempts scored (67 %, needs 95 %)","value":0.5,"verdict":"inconclusive"}
      {"interval":[0.0615,0.7923],"n":3,"rule":"error_rate <= 0.5","text":"error_rate <= 0.5: 0.333, n = 3, 95 % 0.061 to 0.792; worst: down","value":0.3333,"verdict":"pass"}
    type: "gate"
    verdict: "inconclusive"
    cases: {"error":1,"fail":1,"pass":1,"skipped":0,"unscored":0}
    ended_at: "<ended_at>"
    exit_code: 0
    interrupted: false
    type: "end"
    "#);
}

#[test]
fn by_default_it_is_in_the_target_directory() {
    let run = PROJECT.evals(["answer::"]).env("HH_DIR", "").run();
    assert_eq!(run.invocations().len(), 0);
    let path = run.stdout.lines().find_map(|line| line.strip_prefix("journal ")).expect("a path");
    let path = Path::new(path);
    let root = path.ancestors().nth(2).expect("a directory of invocations");
    assert!(root.ends_with("functional/honeyhive"), "{}", path.display());
    assert!(root.parent().is_some_and(is_target_dir));
    let journal = read_invocation(path.parent().expect("a directory")).expect("a journal");
    assert_eq!(journal.records.len(), 14);
}

#[test]
fn the_targets_of_one_cargo_test_share_an_invocation() {
    let run = PROJECT.cargo_test(["--no-fail-fast"]).run();
    let invocations = run.invocations();
    assert_eq!(invocations.len(), 1, "{invocations:?}");
    let names: Vec<String> = files(&invocations[0])
        .iter()
        .filter_map(|file| Some(file.file_name()?.to_string_lossy().split('-').next()?.to_owned()))
        .collect();
    assert_eq!(names, ["evals", "more"]);
    let journal = run.journal();
    let of =
        |pick: fn(&Record) -> bool| journal.records.iter().filter(|record| pick(record)).count();
    assert_eq!(of(|record| matches!(record, Record::Invocation(_))), 2);
    assert_eq!(of(|record| matches!(record, Record::Case(_))), 6);
}

#[test]
fn two_runs_are_two_invocations() {
    let first = run();
    let again = PROJECT.evals(["answer::"]).env("HH_DIR", first.directory().join("journal")).run();
    assert_eq!(again.code, first.code);
    assert_eq!(first.invocations().len(), 2);
}

#[test]
fn where_no_journal_can_be_written_nothing_runs() {
    let cargo = PROJECT.evals(["answer::"]);
    // A file in the place of a directory stops root as well.
    let occupied = cargo.scratch().join("occupied");
    fs::write(&occupied, "").expect("a file");
    let run = cargo.env("HH_DIR", &occupied).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.notes("answer"), [""; 0]);
    assert_snapshot!(run.output(), @"
    exit code 101
    --- stdout
    --- stderr
    error: cannot make a journal in <scratch>/occupied: File exists (os error 17) (from HH_DIR)
    ");
}

#[test]
fn a_read_only_directory_fails_before_the_first_case() {
    let cargo = PROJECT.evals(["answer::"]);
    let directory = cargo.scratch().join("read-only");
    fs::create_dir(&directory).expect("a directory");
    let mut permissions = fs::metadata(&directory).expect("metadata").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&directory, permissions).expect("permissions");
    if fs::write(directory.join("probe"), "").is_ok() {
        // Root can write to read-only directories.
        return;
    }
    let run = cargo.env("HH_DIR", &directory).run();
    assert_eq!(run.code, Some(101));
    assert_eq!(run.notes("answer"), [""; 0]);
    assert!(run.stderr.starts_with("error: cannot make a journal in "), "{}", run.stderr);
}

/// A limit on the size of files has the effect of a full disk.
#[cfg(unix)]
#[test]
fn a_journal_that_cannot_be_written_any_more_stops_the_run() {
    let cargo = crate::engine::PROJECT.evals(["takes_its_time::"]);
    let run = cargo.start_after("trap '' XFSZ; ulimit -f 64").finish();
    assert_eq!(run.code, Some(101));
    let calls = run.notes("takes_its_time").len();
    assert!(calls < 400, "{calls} of 400 cases were called");
    let recorded = run.cases().len();
    assert!((1..400).contains(&recorded), "{recorded} recorded");
    // No case passes without a record, and the file ends with a whole line.
    let passed = run.test_lines().iter().filter(|(_, outcome)| *outcome == "ok").count();
    assert!(passed <= recorded, "{passed} reported, {recorded} recorded");
    assert_eq!(run.journal().torn, [""; 0].map(PathBuf::from));
    let said = run.stdout.lines().find(|line| line.starts_with("NOT RECORDED"));
    assert!(said.is_some_and(|line| line.contains("cannot write the journal")), "{}", run.output());
}

#[test]
fn a_torn_last_line_is_left_out() {
    let run = run();
    let directory = &run.invocations()[0];
    let whole = run.journal();
    let file = &files(directory)[0];
    let text = fs::read(file).expect("a readable file");
    fs::write(file, &text[..text.len() - 10]).expect("a writable file");
    let torn = read_invocation(directory).expect("a journal");
    assert_eq!(torn.torn, std::slice::from_ref(file));
    assert_eq!(torn.records, whole.records[..whole.records.len() - 1]);
}
