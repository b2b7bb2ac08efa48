//! Makes journals of small runs, for the tests of renderers.

use serde_json::{Value, json};

use crate::baseline::{CaseSnapshot, EvaluatorPrint, ScoreSnapshot, Snapshot};
use crate::journal::{Record, Results};

/// Returns the results of records given as JSON.
pub(crate) fn results(records: impl IntoIterator<Item = Value>) -> Results {
    let read = |record| serde_json::from_value::<Record>(record).expect("a record");
    Results::new(records.into_iter().map(read).collect())
}

/// Returns the line that every journal begins with.
pub(crate) fn process() -> Value {
    json!({
        "type": "invocation", "schema": 1, "invocation": "20261122T190158-3f2a",
        "started_at": "2026-11-22T19:01:58.000Z", "harness": "0.1.0", "package": "app",
        "target": "evals", "runner_attempt": 1,
    })
}

/// Returns the last line of a process.
pub(crate) fn end(exit_code: u8) -> Value {
    json!({"type": "end", "ended_at": "2026-11-22T19:02:09.500Z", "exit_code": exit_code})
}

/// Returns the experiment `detect` with the evaluators `correct` (yes or no) and `close` (a number, good
/// from 0.5 on).
pub(crate) fn experiment(selected: usize) -> Value {
    json!({
        "type": "experiment", "experiment": "detect",
        "run_id": "40350000-0000-4000-8000-000000000000", "function": "detect",
        "place": "evals/main.rs:12", "dataset": "sentences", "dataset_id": "EXT-sentences",
        "dataset_origin": "data/sentences.jsonl", "rows": selected, "selected": selected,
        "repeats": 1, "gates": ["mean(correct) >= 0.9", "p95(latency) <= \"2s\""],
        "gate_rules": [limit("mean(correct) >= 0.9", "mean", &json!({"evaluator": 0}), ">=", 0.9),
                       limit("p95(latency) <= \"2s\"", "p95", &json!("latency"), "<=", 2.0)],
        "evaluators": [
            {"name": "correct", "shape": "bool", "source_hash": "c"},
            {"name": "close", "shape": "number", "threshold": 0.5, "source_hash": "d"},
        ],
    })
}

fn limit(text: &str, measure: &str, of: &Value, comparison: &str, limit: f64) -> Value {
    let test = json!({"mode": "point", "measure": measure, "of": of, "comparison": comparison,
                      "limit": limit});
    json!({"text": text, "test": {"limit": test}})
}

/// Returns an attempt that gave this output, and its scores.
pub(crate) fn attempt(
    case: &str,
    row: usize,
    attempt: u32,
    output: &Value,
    scores: &Value,
) -> Value {
    // The scores stand in the order of the attribute.
    let scores: Vec<Value> = ["correct", "close"]
        .iter()
        .map(|name| json!({"evaluator": name, "value": scores[name], "duration_ms": 0.1}))
        .collect();
    json!({
        "type": "attempt", "experiment": "detect", "case": case, "row": row, "attempt": attempt,
        "run_id": "r", "datapoint_id": format!("EXT-sentences-{case}"), "session_id": format!("s-{case}"),
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "started_at": "2026-11-22T19:01:59.000Z",
        "duration_ms": 250.0 * (row + 1) as f64, "inputs": {"text": format!("text of {case}")},
        "ground_truth": "en", "output": output, "scores": scores,
    })
}

/// Returns the record of the result of a case.
pub(crate) fn case(id: &str, state: &str, passed: bool, reasons: &[&str]) -> Value {
    json!({
        "type": "case", "experiment": "detect", "case": id, "test": format!("detect::{id}"),
        "state": state, "passed": passed, "reasons": reasons,
    })
}

/// Returns a run of four cases with a gate that fails: `a` is right, `b` a miss, `c` an error, `d` right.
pub(crate) fn failing() -> Vec<Value> {
    let error = json!({
        "type": "attempt", "experiment": "detect", "case": "c", "row": 2, "attempt": 1,
        "started_at": "2026-11-22T19:02:00.000Z", "duration_ms": 3.0, "inputs": {"text": "!"},
        "error": {"kind": "panic", "message": "panicked: no such language"}, "scores": [],
    });
    vec![
        process(),
        experiment(4),
        json!({"type": "git", "commit_hash": "9f3e1c2b00000000000000000000000000000000",
               "commit_hash_short": "9f3e1c2", "branch": "main", "is_dirty": true}),
        attempt("a", 0, 1, &json!("en"), &json!({"correct": true, "close": 1.0})),
        case("a", "pass", true, &[]),
        attempt("b", 1, 1, &json!("fr"), &json!({"correct": false, "close": 0.25})),
        case("b", "fail", false, &["close 0.25, needs >= 0.5", "correct is false"]),
        error,
        case("c", "error", false, &["panicked: no such language"]),
        attempt("d", 3, 1, &json!("en"), &json!({"correct": true, "close": 0.75})),
        case("d", "pass", true, &[]),
        json!({"type": "gate", "experiment": "detect", "verdict": "fail", "passed": false,
        "rules": [
            {"rule": "mean(correct) >= 0.9", "verdict": "fail", "value": 0.667, "n": 3,
             "interval": [0.208, 0.939],
             "text": "mean(correct) >= 0.9: 0.667, n = 3, 95 % 0.208 to 0.939; worst: b 0"},
            {"rule": "p95(latency) <= \"2s\"", "verdict": "pass", "value": 1.0, "n": 3,
             "text": "p95(latency) <= \"2s\": 1 s, n = 3, too few cases for an interval"},
        ]}),
        end(101),
    ]
}

/// Returns a snapshot with these scores of `correct` and `close`, by case.
pub(crate) fn snapshot(scores: &[(&str, f64, f64)]) -> Snapshot {
    let print = |source: &str| EvaluatorPrint { source: source.to_owned(), ..Default::default() };
    let one = |score| ScoreSnapshot { score, attempts: 1, good: None };
    let cases = scores.iter().map(|(id, correct, close)| {
        let scores = [("correct".to_owned(), one(*correct)), ("close".to_owned(), one(*close))];
        let row = "r".to_owned();
        ((*id).to_owned(), CaseSnapshot { row, scores: scores.into(), ..Default::default() })
    });
    Snapshot {
        experiment: "detect".to_owned(),
        accepted_at: "2026-11-20T10:00:00Z".to_owned(),
        commit: Some("1111111111111111111111111111111111111111".to_owned()),
        evaluators: [("correct".to_owned(), print("c")), ("close".to_owned(), print("d"))].into(),
        cases: cases.collect(),
        ..Snapshot::default()
    }
}
