//! Tests datasets: shapes of rows, ids, and the errors for bad rows and files.

use std::fmt::Write as _;
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};
use insta::assert_snapshot;

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("datasets", include_str!("evals/datasets.rs"))
        .file("data/shapes.jsonl", SHAPES)
        .file("data/array.json", ARRAY)
        .file("data/cells.csv", CELLS)
        .file("data/truths.csv", "id,x,ground_truth\ngood,0.50,0.5\nbad,0.4,0.5\nnone,1,\n")
        .file("data/hashes.jsonl", "{\"q\": \"a\"}\n{\"q\": \"b\", \"ground_truth\": \"B\"}\n{\"q\": \"a\"}\n")
        .file(
            "data/hashes_later.jsonl",
            "{\"q\": \"new\"}\n{\"q\": \"a\"}\n{\"ground_truth\": \"better\", \"q\": \"b\"}\n{\"q\": \"a\"}\n",
        )
        .file("data/ids.jsonl", IDS)
        .file("data/bad.jsonl", BAD_LINES)
        .file("data/bad.csv", "id,q,n\na,x,1\nb,x\nc,x,many\nd,\"x, y\",4\n")
        .file("data/latin1.jsonl", b"{\"q\": \"a\"}\n{\"q\": \"caf\xe9\"}\n")
        .file("data/twice.jsonl", "{\"id\": \"a\", \"q\": \"1\"}\n\n{\"id\": \"b\", \"q\": \"2\"}\n{\"id\": \"a\", \"q\": \"3\"}\n")
        .file("data/object.json", "{\"q\": \"a\"}")
        .file("data/header.csv", "q,,q\na,b,c\n")
});

const SHAPES: &str = r#"{"id": "structured", "inputs": {"q": "?"}, "ground_truth": 1, "metadata": {"lang": "de"}, "tags": ["hard"], "history": [{"role": "user"}]}
{"id": "flat", "q": "?", "n": 2, "ground_truth": null}
{"datapoint_id": 7, "inputs": {}}

{"id": "crlf", "q": "windows"}
"#;

const ARRAY: &str = r#"[
  {"id": "one", "q": 1},
  {"id": "two", "inputs": {"q": {"deep": [1, 2]}}}
]"#;

const CELLS: &str = "\
id,zip,count,ratio,flag,words,speed,size,note,file-name
full,007,12,0.5,true,\"[\"\"a\"\",\"\"b\"\"]\",fast,\"{\"\"width\"\": 3}\",\"two
lines\",a/b.txt
sparse,1e3,0,,false,[],slow,\"{\"\"width\"\": 4}\",,c.txt
";

const IDS: &str = r#"{"id": "plain-1.b_C", "q": "a"}
{"id": "with space", "q": "b"}
{"id": "with/space", "q": "c"}
{"id": "gate", "q": "d"}
{"id": "EXT-names-5", "q": "e"}
{"id": 6, "q": "f"}
{"id": "寿司", "q": "g"}
"#;

const BAD_LINES: &str = r#"{"id": "good", "q": "a"}
{"id": "half", "q": "b"
{"inputs": {"q": "c"}, "ground_thruth": "x", "notes": ""}
["d"]
{"id": "other", "q": "e"}
{"id": "number", "q": 6}
{"id": "tags", "inputs": {"q": "g"}, "tags": "one"}
"#;

fn run(filter: &str) -> Run {
    PROJECT.evals([filter]).run()
}

fn report(filter: &str) -> String {
    run(filter).report()
}

/// Returns the output of each case, which is the input that the function got.
fn outputs(filter: &str) -> String {
    let run = run(filter);
    assert_eq!(run.code, Some(0), "{}", run.output());
    let mut text = String::new();
    for attempt in run.attempts() {
        let _ = writeln!(text, "{}: {}", attempt.case, attempt.output.unwrap_or_default());
    }
    text
}

fn listed(filter: &str) -> Vec<String> {
    let run = PROJECT.evals(["--list", filter]).run();
    run.stdout.lines().map(str::to_owned).collect()
}

// ---- shapes ----

#[test]
fn json_lines_are_structured_or_flat() {
    assert_snapshot!(outputs("shapes::"), @r#"
    7: {}
    crlf: {"q":"windows"}
    flat: {"n":2,"q":"?"}
    structured: {"q":"?"}
    "#);
    let attempt = run("shapes::structured").attempt("structured");
    assert_eq!(attempt.ground_truth, Some(1.into()));
    assert_eq!(attempt.metadata["lang"], "de");
    assert_eq!((attempt.tags.len(), attempt.history.len()), (1, 1));
    assert_eq!(attempt.datapoint_id, "EXT-shapes-structured");
    assert_eq!(attempt.dataset_id, "EXT-shapes");
}

#[test]
fn a_json_file_is_an_array_of_rows() {
    assert_snapshot!(outputs("array::"), @r#"
    one: {"q":1}
    two: {"q":{"deep":[1,2]}}
    "#);
}

#[test]
fn cells_of_csv_are_read_as_the_parameter_asks() {
    assert_snapshot!(outputs("cells::"), @r#"
    full: ["007",12,0.5,true,["a","b"],"fast",3,"two\nlines","a/b.txt"]
    sparse: ["1e3",0,null,false,[],"slow",4,null,"c.txt"]
    "#);
    assert_snapshot!(outputs("cells_as_struct::"), @r#"
    full: {"count":12,"ratio":0.5,"zip":"007"}
    sparse: {"count":0,"ratio":null,"zip":"1e3"}
    "#);
}

#[test]
fn cells_of_csv_are_text_unless_asked_otherwise() {
    assert_snapshot!(outputs("cells_as_they_are::"), @r#"
    full: {"count":"12","file-name":"a/b.txt","flag":"true","note":"two\nlines","ratio":"0.5","size":"{\"width\": 3}","speed":"fast","words":"[\"a\",\"b\"]","zip":"007"}
    sparse: {"count":"0","file-name":"c.txt","flag":"false","size":"{\"width\": 4}","speed":"slow","words":"[]","zip":"1e3"}
    "#);
}

#[test]
fn evaluators_read_cells_by_type_as_well() {
    assert_snapshot!(report("truths::"), @"
    exit code 101
    truths::bad   FAILED  fail
        near is false
    truths::good  ok  pass
    truths::none  FAILED  error
        data/truths.csv:4: `ground_truth` is missing; take an `Option` where a row may lack it; an empty cell of a CSV file is an absent value, a .jsonl can have an empty text (read by evaluator `near` (tests/evals.rs:<line>))
    ");
}

// ---- functions ----

#[test]
fn functions_yield_datapoints_or_rows() {
    assert_snapshot!(outputs("from_plain::"), @"
    2bfd14f43d17fc7c: 1
    363379742f80b51b: 2
    ");
    assert_snapshot!(outputs("from_fallible::"), @"only: 1");
    assert_snapshot!(outputs("from_values::"), @"
    deep: 2
    flat: 1
    ");
}

#[test]
fn a_function_that_fails_is_one_failing_case() {
    assert_snapshot!(report("from_failing::"), @"
    exit code 101
    from_failing::dataset  FAILED
        failing(): no database
        (dataset of `from_failing`, tests/evals.rs:<line>)
    ");
}

#[test]
fn a_bad_row_of_a_function_does_not_harm_the_others() {
    assert_snapshot!(report("from_wrong_values::"), @"
    exit code 101
    from_wrong_values::good   ok  pass
    from_wrong_values::row-2  FAILED  error
        wrong_values() row 2: unknown key `ground_thruth`; did you mean `ground_truth`?
    ");
}

// ---- identity ----

#[test]
fn ids_without_an_id_are_hashes_of_the_inputs() {
    let before = listed("before::");
    let later = listed("later::");
    assert_eq!(before.len(), 3, "{before:?}");
    let after: Vec<String> = later.iter().map(|line| line.replace("later::", "before::")).collect();
    // A row is inserted, a label and the order of keys change: the names stay.
    assert_eq!(after[1..], before[..]);
    let hash = before[0].strip_prefix("before::").and_then(|line| line.strip_suffix(": test"));
    let hash = hash.expect("a test of the experiment");
    assert!(hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{hash}");
    assert_eq!(before[2], format!("before::{hash}~2: test"));
}

#[test]
fn test_names_are_slugs_that_stay_apart() {
    assert_snapshot!(listed("names::").join("\n"), @"
    names::plain-1.b_C: test
    names::with_space-b8b8f2: test
    names::with_space-b7601b: test
    names::gate-c974e1: test
    names::EXT-names-5: test
    names::6: test
    names::__-b66b04: test
    ");
    let mut ids: Vec<String> =
        run("names::").attempts().into_iter().map(|attempt| attempt.datapoint_id).collect();
    ids.sort();
    assert_snapshot!(ids.join("\n"), @"
    EXT-names-5
    EXT-names-6
    EXT-names-gate
    EXT-names-plain-1.b_C
    EXT-names-with space
    EXT-names-with/space
    EXT-names-寿司
    ");
}

#[test]
fn an_id_selects_its_case() {
    let name = listed("names::").into_iter().find(|line| line.contains("with_space"));
    let name = name.expect("a slug").replace(": test", "");
    let run = PROJECT.evals(["--exact", &name]).run();
    assert_eq!(run.test_lines(), [(name.as_str(), "ok")]);
}

// ---- faults ----

#[test]
fn bad_lines_are_told_with_their_place_and_the_others_run() {
    assert_snapshot!(report("bad_lines::"), @"
    exit code 101
    bad_lines::good    ok  pass
    bad_lines::line-2  FAILED  error
        data/bad.jsonl:2: not valid JSON: EOF while parsing an object (column 23)
    bad_lines::line-3  FAILED  error
        data/bad.jsonl:3: unknown key `ground_thruth`; did you mean `ground_truth`?; unknown key `notes`: beside `inputs` a row has only id, datapoint_id, ground_truth, metadata, tags, history
    bad_lines::line-4  FAILED  error
        data/bad.jsonl:4: a row is a JSON object, this is an array
    bad_lines::line-7  FAILED  error
        data/bad.jsonl:7: `tags` is an array of strings, this is a string
    bad_lines::number  FAILED  error
        data/bad.jsonl:6: `q` (6) is not a `&str`: invalid type: integer `6`, expected a string
    bad_lines::other   ok  pass
    ");
}

#[test]
fn bad_records_of_csv_are_told_with_their_place() {
    assert_snapshot!(report("bad_records::"), @r#"
    exit code 101
    bad_records::a       ok  pass
    bad_records::c       FAILED  error
        data/bad.csv:4: `n` ("many") is not a `u32`: invalid type: string "many", expected u32
    bad_records::d       ok  pass
    bad_records::line-3  FAILED  error
        data/bad.csv:3: 2 cells, but the header has 3 columns; quote cells that contain separators
    "#);
}

#[test]
fn a_missing_file_is_told_with_a_suggestion() {
    assert_snapshot!(report("no_file::"), @"
    exit code 101
    no_file::dataset  FAILED
        no file data/shaeps.jsonl in <project> (the path is relative to its Cargo.toml); did you mean shapes.jsonl?
        (dataset of `no_file`, tests/evals.rs:<line>)
    ");
    assert_snapshot!(report("no_directory::"), @"
    exit code 101
    no_directory::dataset  FAILED
        no file dat/shapes.jsonl in <project> (the path is relative to its Cargo.toml); there is no directory <project>/dat
        (dataset of `no_directory`, tests/evals.rs:<line>)
    ");
}

#[test]
fn a_file_that_is_not_utf8_is_told_with_its_line() {
    assert_snapshot!(report("not_utf8::"), @"
    exit code 101
    not_utf8::dataset  FAILED
        data/latin1.jsonl:2: not UTF-8: byte 0xE9 at column 11, which is `é` in Latin-1 and Windows-1252; save the file as UTF-8
        (dataset of `not_utf8`, tests/evals.rs:<line>)
    ");
}

#[test]
fn duplicate_ids_are_told_with_their_lines_and_nothing_runs() {
    let run = run("duplicate_ids::");
    assert_snapshot!(run.report(), @"
    exit code 101
    duplicate_ids::dataset  FAILED
        data/twice.jsonl: ids must be unique, these are not: `a` (lines 1 and 4)
        (dataset of `duplicate_ids`, tests/evals.rs:<line>)
    ");
    assert_eq!(run.notes("duplicate_ids"), [""; 0]);
}

#[test]
fn a_file_in_another_form_is_told_what_it_should_be() {
    assert_snapshot!(report("object_file::"), @"
    exit code 101
    object_file::dataset  FAILED
        data/object.json: the file is not an array of rows; write [{..}, {..}], or one row per line into a .jsonl
        (dataset of `object_file`, tests/evals.rs:<line>)
    ");
    assert_snapshot!(report("bad_header::"), @"
    exit code 101
    bad_header::dataset  FAILED
        data/header.csv:1: two columns are named `q`; rename one of them
        (dataset of `bad_header`, tests/evals.rs:<line>)
    ");
}
