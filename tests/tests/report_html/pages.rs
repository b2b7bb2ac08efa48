//! Creates reports of invented runs, from records in the form of the journal.

use honeyhive_harness::journal::{Record, Results};
use serde_json::{Value, json};

const ID: &str = "20261122T190158-3f2a";

/// Combines records into results.
pub(crate) fn results(records: impl IntoIterator<Item = Value>) -> Results {
    let read = |record: Value| serde_json::from_value::<Record>(record).unwrap();
    Results::new(records.into_iter().map(read).collect())
}

fn begin() -> Vec<Value> {
    vec![
        json!({
            "type": "invocation", "schema": 1, "invocation": ID, "harness": "0.1.0",
            "started_at": "2026-11-22T19:01:58.000Z", "package": "app", "target": "evals",
            "runner_attempt": 1,
        }),
        json!({
            "type": "git", "commit_hash": "9f3e1c2b00000000000000000000000000000000",
            "commit_hash_short": "9f3e1c2", "branch": "main", "is_dirty": true,
        }),
    ]
}

fn end(exit_code: u8) -> Value {
    json!({"type": "end", "ended_at": "2026-11-22T19:04:12.500Z", "exit_code": exit_code})
}

/// Returns an experiment: `correct` is yes or no, `close` is a number that is good from 0.5 on.
fn experiment(name: &str, cases: usize, repeats: u32, model: &str) -> Value {
    json!({
        "type": "experiment", "experiment": name, "run_id": format!("run of {name}"),
        "function": name, "place": "evals/main.rs:12", "dataset": "sentences",
        "dataset_origin": "data/sentences.jsonl", "rows": cases, "selected": cases,
        "repeats": repeats, "timeout_ms": 60000, "metadata": {"model": model},
        "gates": ["mean(correct) >= 0.9"],
        "gate_rules": [{"text": "mean(correct) >= 0.9", "test": {"limit": {
            "mode": "point", "measure": "mean", "of": {"evaluator": 0}, "comparison": ">=",
            "limit": 0.9,
        }}}],
        "evaluators": [
            {"name": "correct", "shape": "bool", "source_hash": "c"},
            {"name": "close", "shape": "number", "threshold": 0.5, "range": [0.0, 1.0], "source_hash": "d"},
        ],
    })
}

fn case(experiment: &str, id: &str, state: &str, reasons: &Value) -> Value {
    json!({
        "type": "case", "experiment": experiment, "case": id,
        "test": format!("{experiment}::{id}"), "state": state, "passed": state == "pass",
        "reasons": reasons,
    })
}

fn gate(experiment: &str, verdict: &str, value: f64, n: usize) -> Value {
    json!({
        "type": "gate", "experiment": experiment, "verdict": verdict, "passed": verdict == "pass",
        "rules": [{
            "rule": "mean(correct) >= 0.9", "verdict": verdict, "value": value, "n": n,
            "interval": [value - 0.1, value + 0.1],
            "text": format!("mean(correct) >= 0.9: {value}, n = {n}, 95 % {:.3} to {:.3}", value - 0.1, value + 0.1),
        }],
    })
}

/// Returns a span that ended.
fn span(id: u8, parent: Option<u8>, name: &str, at: (u64, u64), attributes: &Value) -> Value {
    let begin = 1_795_374_119_000_000_000_u64;
    json!({
        "name": name, "span_id": format!("{id:016x}"),
        "parent_span_id": parent.map(|parent| format!("{parent:016x}")), "kind": "internal",
        "start_unix_ns": begin + at.0 * 1_000_000, "end_unix_ns": begin + at.1 * 1_000_000,
        "attributes": attributes,
    })
}

fn trace(question: &str, answer: &str) -> Vec<Value> {
    let input = json!([
        {"role": "system", "parts": [{"type": "text", "content": "Answer with one code."}]},
        {"role": "user", "parts": [{"type": "text", "content": question}]},
    ]);
    let output = json!([{
        "role": "assistant", "parts": [{"type": "text", "content": answer}],
        "finish_reason": "stop",
    }]);
    let mut failed =
        span(4, Some(2), "look up", (620, 700), &json!({"honeyhive_event_type": "tool"}));
    failed["status"] = json!({"error": "no such table"});
    failed["events"] = json!([{
        "name": "exception", "at_unix_ns": 1_795_374_119_690_000_000_u64,
        "attributes": {"exception.message": "no such table"},
    }]);
    vec![
        span(
            3,
            Some(2),
            "chat small-1",
            (20, 600),
            &json!({
                "gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1",
                "gen_ai.usage.input_tokens": 1234, "gen_ai.usage.output_tokens": 7,
                "gen_ai.input.messages": input.to_string(),
                "gen_ai.output.messages": output.to_string(),
            }),
        ),
        failed,
        span(
            2,
            Some(1),
            "detect",
            (10, 710),
            &json!({
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": question,
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": answer,
            }),
        ),
        span(
            5,
            Some(1),
            "evaluator.correct",
            (715, 716),
            &json!({"honeyhive_event_type": "evaluator"}),
        ),
        span(1, None, "detect", (0, 720), &json!({"honeyhive_event_type": "chain"})),
    ]
}

/// Returns twelve cases of three attempts with spans: 0 to 2 fail, 3 is unstable, 4 is an error.
pub(crate) fn small(now: bool) -> Results {
    let mut all = begin();
    all.push(experiment("detect", 12, 3, if now { "small-2" } else { "small-1" }));
    for row in 0..12_u64 {
        let id = format!("en-{row:02}");
        let mut wrong = 0;
        for attempt in 1..=3_u64 {
            let miss = match row {
                0..=2 => now || row == 2,
                3 => now && attempt == 2,
                // The case was wrong in the earlier run.
                5 => !now,
                _ => false,
            };
            wrong += u64::from(miss);
            let question = format!("In which language is sentence number {row} of the corpus?");
            let expected = format!("The sentence number {row} is in English");
            let answer = match (miss, now) {
                (true, true) => format!("The sentence number {row} is in French"),
                (true, false) => format!("Sentence {row} might be German"),
                (false, _) => expected.clone(),
            };
            let mut record = json!({
                "type": "attempt", "experiment": "detect", "case": id, "row": row,
                "attempt": attempt, "session_id": format!("session-{row}-{attempt}"),
                "trace_id": format!("{:032x}", row * 10 + attempt),
                "started_at": "2026-11-22T19:01:59.000Z",
                "duration_ms": 250.0 + row as f64 * 40.0,
                "inputs": {"text": question, "n": row}, "ground_truth": expected,
                "metadata": {"lang": if row % 2 == 0 { "en" } else { "de" }, "row": row},
                "tags": if row < 4 { json!(["short"]) } else { json!([]) },
                "spans": trace(&question, &answer),
            });
            if now && row == 4 {
                record["error"] =
                    json!({"kind": "panic", "message": "panicked: no such language\nat line 3"});
            } else {
                let close = if miss { 0.2 } else { 0.8 + row as f64 / 100.0 };
                record["output"] = json!(answer);
                record["scores"] = json!([
                    {"evaluator": "correct", "value": !miss, "explanation": if miss { "another language" } else { "the same" }},
                    {"evaluator": "close", "value": close, "label": "partial"},
                ]);
            }
            all.push(record);
        }
        let (state, reasons) = match (now && row == 4, wrong) {
            (true, _) => ("error", json!(["panicked: no such language"])),
            (false, 0) => ("pass", json!([])),
            (false, _) => ("fail", json!(["correct 0.000, needs >= 1"])),
        };
        all.push(case("detect", &id, state, &reasons));
    }
    all.push(gate("detect", "fail", 0.667, 11));
    all.push(end(101));
    results(all)
}

/// Returns many cases of one sentence each, without spans; every tenth fails.
pub(crate) fn many(cases: usize) -> Results {
    let mut all = begin();
    all.push(experiment("detect", cases, 1, "small-2"));
    for row in 0..cases {
        let id = format!("en-{row:05}");
        let miss = row % 10 == 3;
        all.push(json!({
            "type": "attempt", "experiment": "detect", "case": id, "row": row, "attempt": 1,
            "session_id": format!("4035{row:04x}-1111-4222-8333-444455556666"),
            "trace_id": format!("{row:032x}"), "started_at": "2026-11-22T19:01:59.000Z",
            "duration_ms": 200.0 + (row * 7919 % 1000) as f64 * 1.37,
            "inputs": {"text": format!("This is sentence {row}, and it is in some language.")},
            "ground_truth": "en", "output": if miss { "de" } else { "en" },
            "metadata": {"lang": (["en", "de", "fr"][row % 3])},
            "scores": [
                {"evaluator": "correct", "value": !miss},
                {"evaluator": "close", "value": (row * 31 % 100) as f64 / 100.0},
            ],
        }));
        let reasons = if miss { json!(["correct is false"]) } else { json!([]) };
        all.push(case("detect", &id, if miss { "fail" } else { "pass" }, &reasons));
    }
    all.push(gate("detect", "pass", 0.9, cases));
    all.push(end(0));
    results(all)
}

/// Returns three experiments; the second fails.
pub(crate) fn several() -> Results {
    let mut all = begin();
    for (name, state) in [("translate", "pass"), ("detect", "fail"), ("summarise", "pass")] {
        all.push(experiment(name, 2, 1, "small-2"));
        for row in 0..2 {
            let id = format!("{name}-{row}");
            let state = if row == 0 { state } else { "pass" };
            all.push(json!({
                "type": "attempt", "experiment": name, "case": id, "row": row, "attempt": 1,
                "duration_ms": 12.0, "inputs": {"text": "x"}, "ground_truth": 1, "output": row,
                "scores": [{"evaluator": "correct", "value": state == "pass"}],
            }));
            all.push(case(name, &id, state, &json!([])));
        }
    }
    all.push(end(101));
    results(all)
}

/// Returns the results of a process that ran nothing.
pub(crate) fn nothing() -> Results {
    results(begin())
}

/// Texts in an output that could become part of the page.
pub(crate) const HOSTILE: [&str; 12] = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror=\"window.hacked = 2\">",
    "<!--<script>",
    "]]></script><svg onload=window.hacked=3>",
    "\u{202e}txet desrever\u{202c} \u{2067}and isolated",
    "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}",
    "null\0byte and \u{7f} and \u{85}",
    "javascript:window.hacked=4",
    "\"><a href=\"https://example.com/\">a link</a>",
    "${window.hacked=5} {{constructor.constructor('window.hacked=6')()}}",
    "</title></style><style>* { background: url(https://example.com/x) }</style>",
    "__proto__",
];

/// Returns a run with hostile strings in every place for a string, and one of a megabyte.
pub(crate) fn hostile() -> Results {
    let mut all = begin();
    let mut one = experiment("</script><b>x", HOSTILE.len() + 1, 1, HOSTILE[0]);
    one["tags"] = json!(HOSTILE);
    one["evaluators"][0]["name"] = json!(HOSTILE[1]);
    one["evaluators"][0]["settings"] = json!(HOSTILE[8]);
    one["dataset"] = json!(HOSTILE[10]);
    one["place"] = json!("</script>\"'.rs:1");
    all.push(one);
    let long = "0123456789abcde ".repeat(65_536);
    for (row, text) in HOSTILE.iter().copied().chain([long.as_str()]).enumerate() {
        let id = if row < HOSTILE.len() { text.to_owned() } else { "long".to_owned() };
        let attributes = json!({
            text: text, "gen_ai.input.messages": json!([{"role": text, "content": text}]).to_string(),
            "gen_ai.output.messages": "[1, null, {\"parts\": [null, {\"type\": 1}]}]",
            "llm.input_messages.0.message.role": {"a": text},
        });
        // Two spans are parents of each other, and one is its own parent.
        let mut spans = vec![
            span(1, Some(2), text, (0, 5), &attributes),
            span(2, Some(1), text, (5, 1), &attributes),
            span(3, Some(3), text, (0, 5), &attributes),
        ];
        spans[0]["events"] = json!([{"name": text, "at_unix_ns": 5, "attributes": {text: text}}]);
        spans[0]["status"] = json!({"error": text});
        all.push(json!({
            "type": "attempt", "experiment": "</script><b>x", "case": id, "row": row, "attempt": 1,
            "session_id": text, "trace_id": text, "duration_ms": 1.0,
            "inputs": {text: text, "list": [text, {text: null}]}, "ground_truth": text,
            "output": {"answer": text}, "metadata": {text: text}, "tags": [text], "history": [text],
            "scores": [
                {"evaluator": HOSTILE[1], "value": false, "label": text, "explanation": text, "metadata": {text: text}},
                {"evaluator": "close", "error": {"kind": "returned", "message": text}},
            ],
            "spans": spans,
        }));
        all.push(json!({
            "type": "case", "experiment": "</script><b>x", "case": id, "test": format!("x::{text}"),
            "state": "fail", "passed": false, "reasons": [text],
        }));
    }
    all.push(end(101));
    results(all)
}
