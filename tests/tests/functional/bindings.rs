//! Tests the values that parameters, `metadata(..)` and rules get at run time.

use std::fmt::Write as _;
use std::sync::LazyLock;

use honeyhive_tests::{Project, Run};

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    Project::with_evals("bindings", include_str!("evals/bindings.rs"))
        .target("clash", CLASH)
        .target("broken-metadata", BROKEN)
        .file("data/chat.jsonl", CHAT)
        .file("data/clash.jsonl", CLASHING)
        .file("data/thirty.jsonl", thirty())
});

const CHAT: &str = r#"{"id": "flat", "question": "Who?", "history": [{"role": "user", "content": "hi"}], "metadata": {"lang": "de"}}
{"id": "structured", "inputs": {"question": "Who?"}, "history": [{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}]}
{"id": "within", "inputs": {"question": "Who?", "history": [{"role": "user", "content": "in"}], "metadata": {"lang": "fr"}}}
{"id": "first", "inputs": {"question": "Who?"}}
"#;

const CLASHING: &str = r#"{"id": "both", "inputs": {"question": "Who?", "history": []}, "history": ["a"]}
{"id": "fine", "inputs": {"question": "Who?"}, "history": ["a"]}
"#;

const CLASH: &str = r#"
use honeyhive_harness::experiment;

#[experiment(dataset = "data/clash.jsonl", smoke)]
fn clash(question: &str, history: Option<Vec<String>>) -> usize {
    question.len() + history.map_or(0, |history| history.len())
}

#[experiment(dataset = "data/clash.jsonl", smoke)]
fn renamed(#[input("history")] earlier: Option<Vec<String>>) -> usize {
    earlier.map_or(7, |earlier| earlier.len())
}

/// No row has a history.
fn none() -> Vec<honeyhive_harness::Datapoint> {
    (0..3).map(|n| honeyhive_harness::Datapoint::new().id(format!("r{n}")).input("histroy", n)).collect()
}

#[experiment(dataset = none, smoke)]
fn nowhere(history: Vec<String>) -> usize { history.len() }

honeyhive_harness::main!();
"#;

const BROKEN: &str = r#"
use honeyhive_harness::experiment;

fn version() -> String { panic!("no such prompt") }

fn rows() -> Vec<honeyhive_harness::Datapoint> {
    vec![honeyhive_harness::Datapoint::new().id("a")]
}

#[experiment(dataset = rows, smoke, metadata(fine = 1, prompt = version()))]
fn broken() {
    let scratch = std::path::PathBuf::from(std::env::var_os("SCRATCH").unwrap());
    std::fs::write(scratch.join("ran"), "").unwrap();
}

#[experiment(dataset = rows, smoke)]
fn other() {}

honeyhive_harness::main!();
"#;

/// Returns thirty rows, one of which has a hint.
fn thirty() -> String {
    (0..30).fold(String::new(), |mut rows, n| {
        let hint = if n == 7 { ", \"hint\": true" } else { "" };
        let _ = writeln!(rows, "{{\"id\": \"r{n}\", \"n\": {n}{hint}}}");
        rows
    })
}

fn output(run: &Run, case: &str) -> String {
    run.attempt(case).output.expect("the function returned").to_string()
}

#[test]
fn history_and_metadata_bind_to_functions_and_evaluators() {
    let run = PROJECT.evals(["chat::"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    assert_eq!(output(&run, "flat"), r#""hi in de""#);
    assert_eq!(output(&run, "structured"), r#""a,b in ?""#);
    assert_eq!(output(&run, "within"), r#""in in fr""#);
    assert_eq!(output(&run, "first"), r#"" in ?""#);
}

#[test]
fn a_history_within_and_beside_the_inputs_is_an_error_of_its_row() {
    let run = PROJECT.cargo_test(["--test", "clash"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let tests = run.tests();
    let outcome = |test: &str| tests.get(test).map(String::as_str);
    assert_eq!(outcome("clash::both"), Some("FAILED"));
    assert_eq!(outcome("clash::fine"), Some("ok"));
    assert!(
        run.output().contains(
            "clash.jsonl:1: the row has `history` twice, within `inputs` and beside them"
        )
    );
    assert_eq!((outcome("renamed::both"), outcome("renamed::fine")), (Some("ok"), Some("ok")));
    let text = run.output();
    assert!(
        text.contains("none of the 3 rows of none() has `history`")
            && text.contains("they have `histroy`"),
        "{text}"
    );
}

#[test]
fn metadata_is_evaluated_once_before_the_first_case() {
    let run = PROJECT.evals(["described::"]).env("MODEL", "stub-small").run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let metadata = serde_json::Value::Object(run.experiments()[0].metadata.clone());
    assert_eq!(
        metadata,
        serde_json::json!({
            "model": "stub-small", "lazy": "stub-small", "prompt": "v3", "calls": 0, "limit": 2.5,
            "cached": true, "region": null
        })
    );
    assert_eq!(run.notes("metadata"), ["evaluated"]);
    // Listing the tests needs no values.
    let run = PROJECT.evals(["--list"]).run();
    assert_eq!(run.notes("metadata"), [""; 0]);
}

#[test]
fn metadata_that_panics_is_one_error_with_its_place() {
    let run = PROJECT.cargo_test(["--test", "broken-metadata"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let tests = run.tests();
    assert_eq!(
        tests.get("broken::dataset").map(String::as_str),
        Some("FAILED"),
        "{}",
        run.output()
    );
    assert_eq!(tests.get("other::a").map(String::as_str), Some("ok"), "{}", run.output());
    let text = run.output();
    assert!(
        text.contains("`prompt` panicked at tests/broken-metadata.rs:4: no such prompt")
            && text.contains("(metadata of `broken`, tests/broken-metadata.rs:10)"),
        "{text}"
    );
    assert!(!run.directory().join("ran").exists());
}

#[test]
fn an_evaluator_may_be_named_cost_or_tokens_or_latency() {
    let run = PROJECT.evals(["priced"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let gates = run.gates();
    let rules: Vec<&str> = gates[0].rules.iter().map(|rule| rule.text.as_str()).collect();
    assert!(rules[0].starts_with("mean(cost) <= 1: 0.5, n = 30"), "{rules:?}");
    assert!(rules[1].starts_with("max(tokens) <= 40: 29, n = 30"), "{rules:?}");
    assert!(rules[2].starts_with("mean(latency) <= 3: 3, n = 30"), "{rules:?}");
}

#[test]
fn a_rule_with_too_few_scores_is_inconclusive() {
    let run = PROJECT.evals(["rare"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let gates = run.gates();
    let rules: Vec<(String, &str)> = gates[0]
        .rules
        .iter()
        .map(|rule| (serde_json::to_string(&rule.verdict).unwrap(), rule.text.as_str()))
        .collect();
    let said: Vec<&str> = rules.iter().map(|(verdict, _)| verdict.as_str()).collect();
    let (pass, inconclusive) = (r#""pass""#, r#""inconclusive""#);
    assert_eq!(said, [pass, inconclusive, inconclusive, pass, pass, inconclusive], "{rules:?}");
    assert!(rules[0].1.contains("1, n = 1 of 30, 29 not applicable"), "{rules:?}");
    assert_eq!(
        rules[1].1,
        "mean(hinted, min_n = 20) >= 0.5: 1, n = 1 of 30, 29 not applicable; the rule asks for at \
         least 20"
    );
    assert!(rules[5].1.contains("n = 30; the rule asks for at least 31"), "{rules:?}");
    // The table and the reports show the same number.
    assert!(run.output().contains("1 of 30"), "{}", run.output());
    let strict = PROJECT.evals(["rare"]).env("HH_REQUIRE_GATES", "1").run();
    assert_eq!(strict.code, Some(101), "{}", strict.output());
}

#[test]
fn smoke_passes_what_runs_and_fails_what_errs() {
    let run = PROJECT.evals(["smoked"]).run();
    assert_eq!(run.code, Some(101), "{}", run.output());
    let tests = run.tests();
    let failed = tests.iter().filter(|(_, outcome)| *outcome == "FAILED");
    let failed: Vec<&str> = failed.map(|(name, _)| name.as_str()).collect();
    assert_eq!((tests.len(), failed), (30, vec!["smoked::r7"]), "{}", run.output());
}

#[test]
fn the_sum_of_nothing_is_zero_and_not_less() {
    let run = PROJECT.evals(["--exact", "nothing::r0"]).run();
    assert_eq!(run.code, Some(0), "{}", run.output());
    let journal =
        run.written().into_iter().find(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let lines = std::fs::read_to_string(journal.expect("a journal")).unwrap();
    assert!(lines.contains("\"value\":0.0") && !lines.contains("-0.0"), "{lines}");
}
