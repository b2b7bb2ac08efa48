//! Compares external ids with those that Python computes.

// A panic is the failure of a test.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};

use honeyhive_harness::__private::python_json;
use honeyhive_harness::{
    Call, Dataset, Evaluators, ExperimentOptions, Fault, Function, run_experiment,
};
use honeyhive_tests::needs;

/// A Python program that prints 10,000 lines
/// `[json text, result of json.dumps(.., sort_keys=True)]`.
const GENERATOR: &str = r"
import json, random, struct
r = random.Random(7)
def text():
    kinds = [(0, 128), (32, 127), (0, 0xd800), (0xe000, 0x110000)]
    return ''.join(chr(r.randrange(*r.choice(kinds))) for _ in range(r.randrange(0, 12)))
def number():
    kind = r.randrange(7)
    if kind == 0: return r.randrange(-10**30, 10**30)
    if kind == 1: return r.randrange(-1000, 1000)
    if kind == 2: return r.random() * 10.0 ** r.randrange(-320, 308)
    if kind == 3: return r.uniform(-1, 1)
    if kind == 4: return float(r.randrange(-10**17, 10**17))
    if kind == 5: return round(r.uniform(-1000, 1000), r.randrange(0, 6))
    return struct.unpack('<d', r.getrandbits(64).to_bytes(8, 'little'))[0]
def value(depth):
    kind = r.randrange(8)
    if depth > 4 or kind < 2: return r.choice([text(), number(), True, False, None])
    if kind < 4: return [value(depth + 1) for _ in range(r.randrange(0, 4))]
    if kind < 6: return {text(): value(depth + 1) for _ in range(r.randrange(0, 5))}
    return number() if kind == 6 else text()
lines = 0
while lines < 10000:
    try:
        source = json.dumps(value(0), ensure_ascii=r.random() < .5, allow_nan=False)
    except ValueError:
        continue
    print(json.dumps([source, json.dumps(json.loads(source), sort_keys=True)]))
    lines += 1
";

#[test]
fn json_is_printed_as_python_prints_it() {
    if !needs::python() {
        return;
    }
    let mut python = Command::new("python3");
    let output = python.args(["-c", GENERATOR]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the generator failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for line in text.lines() {
        let [source, wanted]: [String; 2] = serde_json::from_str(line).unwrap();
        assert_eq!(python_json(&source).unwrap(), wanted, "of {source}");
        compared += 1;
    }
    assert_eq!(compared, 10_000);
}

/// A Python program that prints the ids that the Python SDK gives a dataset and its rows.
const IDS: &str = r"
import hashlib, json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
def digest(text): return 'EXT-' + hashlib.sha256(text.encode()).hexdigest()[:16]
print(digest(json.dumps(rows, sort_keys=True)))
for index, row in enumerate(rows):
    own = row.get('id') or row.get('datapoint_id')
    made = digest(json.dumps(row, sort_keys=True) + str(index))
    print(made if not own else own if own.startswith('EXT-') else 'EXT-' + own)
";

#[tokio::test]
async fn a_dataset_and_its_rows_have_the_ids_of_the_python_sdk() {
    if !needs::python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rows.jsonl");
    let rows = r#"{"inputs": {"n": 1, "text": "\u00fc 😀"}, "ground_truth": 0.1}
{"id": "own", "inputs": {"n": 2}}
{"id": "EXT-own-2", "inputs": {"n": 3}}
{"id": "", "datapoint_id": "second", "inputs": {"n": 4}}
{"n": 5, "ratio": 1e-7, "big": 123456789012345678}
{"inputs": {"n": 6}, "metadata": {"b": [1.0, 2], "a": null}, "tags": ["x"]}
"#;
    std::fs::write(&file, rows).unwrap();
    let output = Command::new("python3").args(["-c", IDS]).arg(&file).output().unwrap();
    let wanted = String::from_utf8(output.stdout).unwrap();
    let wanted: Vec<&str> = wanted.lines().collect();

    let result = run_experiment(
        "ids",
        Dataset::from_file(&file).unwrap(),
        Function::new(async |call: Call| Ok::<_, Fault>(call.input::<u32>("n")?)),
        Evaluators::new(),
        ExperimentOptions::new().python_ids(),
    )
    .await
    .unwrap();
    let mut ids = vec![result.dataset_id.as_str()];
    ids.extend(result.datapoints.iter().map(|datapoint| datapoint.datapoint_id.as_str()));
    assert_eq!(ids, wanted);
    assert_eq!(result.totals.passed, 6);
}
